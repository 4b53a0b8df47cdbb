"""Backups that are handed over to Moodle's own restore, by an option: one row at a time.

Moodle makes a course of the backup before the row's transaction begins; the transaction then gives it the row's cells, like an
update. Source: Moodle's admin/cli/restore_backup.php of 4.1 to 5.1; docs/decisions/0018
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sync.errors import MoodleCommandFailed, MoodleRefused
from sync.messages import text_of
from sync.moodle.site.command_line import MoodleCommand
from sync.processors.courses.archives import BackupCache
from sync.processors.courses.templates import Template
from sync.values import CleanRow

# Values of the option: who restores backups.
TOOLSYNC, MOODLE = "toolsync", "moodle"

_SCRIPT = "restore_backup.php"
# Moodle runs as another account of the machine.
_MODE = 0o644


@dataclass
class CliRestore:
    """A row whose course Moodle makes.

    Shape: categoryid: where Moodle puts it; defaults: columns that the row doesn't give and the backup doesn't decide; courseid:
    what came of it
    """

    row: CleanRow
    template: Template
    categoryid: int
    defaults: Mapping[str, Any]
    courseid: int = 0

    @property
    def cells(self) -> CleanRow:
        """Return the row as an update of the course."""
        values = {name: value for name, value in self.row.values.items() if name != "template"}
        return self.row._replace(values={**self.defaults, **values})


def restore_by_moodle(command: MoodleCommand, shelf: BackupCache, hand_over: CliRestore) -> int:
    """Have Moodle restore a backup into a new course; return its id.

    Raises: MoodleRefused when Moodle doesn't; nothing of the row is there then
    """
    with _laid_out(shelf, hand_over.template) as path:
        try:
            said = command.run(_SCRIPT, f"--file={path}", f"--categoryid={hand_over.categoryid}")
        except MoodleCommandFailed as error:
            raise MoodleRefused("course_handover_failed", reason=text_of(error.code, error.params)) from error
    # "== Restored course ID: 12 ==", in Moodle's language.
    numbers = re.findall(r"\d+", said)
    if not numbers:
        raise MoodleRefused("course_handover_silent", script=_SCRIPT, said=said or "-")
    return int(numbers[-1])


@contextmanager
def _laid_out(shelf: BackupCache, template: Template) -> Iterator[Path]:
    """Put a backup where Moodle can read it: into the temporary folder of its data folder, where that is on this machine."""
    folder = shelf.temporary_folder
    descriptor, name = tempfile.mkstemp(prefix="toolsync-", suffix=".mbz", dir=folder)
    os.close(descriptor)
    path = Path(name)
    try:
        shelf.copy(template, path)
        path.chmod(_MODE)
        yield path
    finally:
        with suppress(FileNotFoundError):
            path.unlink()
