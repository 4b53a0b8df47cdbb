"""Users and courses on the list of deletions whom a row names that was rejected: they aren't deleted on their day.

A row that is carried out takes them off the list, and undoes what the grace did. Of one that is rejected nobody knows so much:
they stay on the list, marked as not deleted, until such a row comes or a person decides.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sync.columns.header import match_header
from sync.commandfiles import storage
from sync.models import GraceEntry, SyncRun
from sync.moodle.db.identifiers import is_id
from sync.processors.base.closing import listed
from sync.processors.courses.cells import CourseCells
from sync.processors.courses.processor import Courses
from sync.processors.courses.state import COURSE_TABLE
from sync.processors.users.cells import UserCells
from sync.processors.users.processor import Users
from sync.processors.users.state import USER_TABLE
from sync.reader import RowReader
from sync.runs.finalize import RunFinalizer
from sync.runs.grace_records import hold_deletions
from sync.runs.options import find_processor
from sync.runs.outcome_store import read_rows
from sync.values import Action

State = GraceEntry.State

_TABLES = {Users.key: USER_TABLE, Courses.key: COURSE_TABLE}
_NAMES = {
    USER_TABLE: frozenset((UserCells.username.name, UserCells.oldusername.name)),
    COURSE_TABLE: frozenset((CourseCells.shortname.name,)),
}
_ID = "id"


def hold_named(run: SyncRun) -> list[list[Any]]:
    """Keep from deletion what rejected rows of a run name. Return what is to be said of it. Twice is harmless."""
    table = _TABLES.get(run.processor)
    if table is None or run.simulate or run.undoes_id or not run.counts.get(Action.REJECTED):
        return []
    entries = GraceEntry.objects.filter(site=run.site_id, table=table, closed=0)
    entries = entries.filter(state__in=(State.WAITING, State.DELETING)) | entries.filter(task_run=run)
    known = dict(entries.values_list("rowid", "name").iterator())
    if not known:
        return []
    rejected = {outcome.line for outcome in read_rows(run, Action.REJECTED, of_file=True)}
    with storage.opened(run.input_key) as source, RunFinalizer(run).open_rows(source) as reader:
        found = set(_named(run, table, reader, rejected, known))
    if not found:
        return []
    hold_deletions(run, table, found)
    names = sorted(known[rowid] for rowid in found)
    return [["grace_held_by_rejected", {"count": len(found), "names": listed(names)}]]


def _named(run: SyncRun, table: str, reader: RowReader, lines: set[int], known: Mapping[int, str]) -> Iterator[int]:
    """Return the ids of what rows name, by what it was called when it was listed, or by Moodle's own number.

    Shape: lines: of the rows; known: id -> name
    """
    by_name = {name.casefold(): rowid for rowid, name in known.items()}
    fields = match_header(find_processor(run.processor).columns, reader.header, lenient=True).fields
    names = [position for position, name, _column in fields if name in _NAMES[table]]
    numbers = [position for position, name, _column in fields if name == _ID]
    deleted = [position for position, name, _column in fields if name == UserCells.deleted.name]
    for row in reader:
        if row.line not in lines:
            continue
        cells = [cell.strip() for cell in row.cells]
        if any(cells[at] == "1" for at in deleted if at < len(cells)):
            continue
        texts = [cells[at].casefold() for at in names if at < len(cells)]
        yield from (by_name[text] for text in texts if text in by_name)
        ids = [int(cells[at]) for at in numbers if at < len(cells) and is_id(cells[at])]
        yield from (rowid for rowid in ids if rowid in known)
