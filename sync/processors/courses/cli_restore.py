"""Backups that Moodle's own command line restores, by an option: one row at a time.

Moodle makes a course of the backup while the row is prepared, before its transaction begins; what the row's cells change in the
course is planned then, and written by the transaction. Source: Moodle's admin/cli/restore_backup.php of 4.1 to 5.1;
docs/decisions/0018
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sync.errors import MoodleCommandFailed, MoodleRefused
from sync.messages import text_of
from sync.moodle.db.writer import Writer
from sync.moodle.site.command_line import MoodleCommand
from sync.processors.base.operations import Applied, Operation
from sync.processors.base.totals import CREATED, Totals, total
from sync.processors.courses.archives import BackupCache
from sync.processors.courses.cells import CourseCells
from sync.processors.courses.templates import Template

_SCRIPT = "restore_backup.php"
# Moodle runs as another user of the machine.
_MODE = 0o644


@dataclass(frozen=True)
class RestoreByMoodle(Operation):
    """A course that Moodle makes of a backup, and then gets the cells of its row.

    Expects: a short name and an idnumber that are free, and the category.
    Shape: categoryid: where Moodle puts it; defaults: columns that the row doesn't give and the backup doesn't decide; changes:
    what the cells change in the course, known once the row is prepared
    """

    row: CourseCells
    template: Template
    categoryid: int
    defaults: Mapping[str, Any]
    changes: Sequence[Operation] = ()

    def __bool__(self) -> bool:
        return True

    @property
    def lines(self) -> Collection[int]:
        return (self.row.line,)

    def apply(self, writer: Writer, applied: Applied) -> None:
        for operation in self.changes:
            if operation:
                operation.apply(writer, applied)

    def totals(self) -> Totals:
        return total("courses", CREATED, 1)

    @property
    def cells(self) -> CourseCells:
        """Return the row as an update of the course."""
        row = self.row.replaced({CourseCells.template: None})
        return row._replace(values={**self.defaults, **row.values})


def run_cli_restore(command: MoodleCommand | None, backups: BackupCache, restore: RestoreByMoodle) -> int:
    """Have Moodle restore a backup into a new course; return its id.

    Shape: command: None = not set
    Raises: MoodleRefused when Moodle doesn't; nothing of the row is there then
    """
    if command is None:
        raise MoodleRefused("course_handover_no_command")
    with _laid_out(backups, restore.template) as path:
        try:
            answer = command.run(_SCRIPT, f"--file={path}", f"--categoryid={restore.categoryid}")
        except MoodleCommandFailed as error:
            raise MoodleRefused("course_handover_failed", reason=text_of(error.code, error.params)) from error
    # "== Restored course ID: 12 ==", in Moodle's language.
    numbers = re.findall(r"\d+", answer)
    if not numbers:
        raise MoodleRefused("course_handover_silent", script=_SCRIPT, said=answer or "-")
    return int(numbers[-1])


@contextmanager
def _laid_out(backups: BackupCache, template: Template) -> Iterator[Path]:
    """Put a backup where Moodle can read it: into the temporary folder of its data folder, where that is on this machine."""
    folder = backups.temporary_folder
    descriptor, name = tempfile.mkstemp(prefix="toolsync-", suffix=".mbz", dir=folder)
    os.close(descriptor)
    path = Path(name)
    try:
        backups.copy(template, path)
        path.chmod(_MODE)
        yield path
    finally:
        with suppress(FileNotFoundError):
            path.unlink()
