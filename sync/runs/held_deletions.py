"""Users and courses on the list of deletions whom a row names that was rejected: they aren't deleted on their day.

A row that is carried out takes them off the list, and undoes what the grace did. Of one that is rejected nobody knows so much:
they stay on the list, marked as not deleted, until such a row comes or a person decides.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa

from sync.columns.header import match_header
from sync.commandfiles import storage
from sync.models import GraceEntry, SyncRun
from sync.moodle.db.database import MoodleDatabase
from sync.moodle.db.writer import MAX_KEYS, batched
from sync.processors.base.closing import listed
from sync.processors.courses.cells import CourseCells
from sync.processors.users.cells import UserCells
from sync.reader import RowReader
from sync.runs.finalize import RunFinalizer
from sync.runs.grace_records import hold_deletions
from sync.runs.options import find_processor
from sync.runs.outcome_store import read_rows
from sync.values import Action

State = GraceEntry.State

# Keys of file types -> the table of what they delete. Named here: their processors take long to load, and every run would wait.
_USERS, _COURSES = "user", "course"
_TABLES = {"users": _USERS, "courses": _COURSES}
# Column of a file -> what it names, a column of the table. The first one is what the list names things by.
_COLUMNS: dict[str, dict[str, str]] = {
    _USERS: {
        UserCells.username.name: "username", UserCells.oldusername.name: "username", UserCells.idnumber.name: "idnumber",
        UserCells.id.name: "id",
    },
    _COURSES: {
        CourseCells.shortname.name: "shortname", CourseCells.idnumber.name: "idnumber", CourseCells.id.name: "id",
    },
}  # fmt: skip
# What a column of the table holds, folded -> id.
_Found = dict[str, dict[str, int]]


def hold_named(run: SyncRun, moodle: MoodleDatabase) -> list[list[Any]]:
    """Keep from deletion what rejected rows of a run name. Return what is to be said of it. Twice is harmless.

    Queries: of Moodle one for each 10,000 entries of the list, where rows were rejected
    """
    table = _TABLES.get(run.processor)
    if table is None or run.simulate or run.undoes_id or not run.counts.get(Action.REJECTED):
        return []
    entries = GraceEntry.objects.filter(site=run.site_id, table=table, closed=0)
    entries = entries.filter(state__in=(State.WAITING, State.DELETING)) | entries.filter(task_run=run)
    known = dict(entries.values_list("rowid", "name").iterator())
    if not known:
        return []
    rejected = {outcome.line for outcome in read_rows(run, Action.REJECTED, of_file=True)}
    identities = _identities(moodle, table, known)
    with storage.opened(run.input_key) as source, RunFinalizer(run).open_rows(source) as reader:
        found = set(_named(run, table, reader, rejected, identities))
    if not found:
        return []
    hold_deletions(run, table, found)
    names = sorted(known[rowid] for rowid in found)
    return [["grace_held_by_rejected", {"count": len(found), "names": listed(names)}]]


def _identities(moodle: MoodleDatabase, table: str, known: Mapping[int, str]) -> _Found:
    """Return by what the objects can be named: as Moodle has them now, and as they were called when they were listed."""
    names = list(dict.fromkeys(_COLUMNS[table].values()))
    found: _Found = {name: {} for name in names}
    with moodle.session() as session:
        target = session.table(table)
        for part in batched(sorted(known), MAX_KEYS):
            statement = sa.select(target.c.id, *(target.c[name].label(f"by_{name}") for name in names))
            for row in session.fetch(statement.where(session.in_clause(target.c.id, part))):
                for name in names:
                    if value := row._mapping[f"by_{name}"]:
                        found[name][_folded(str(value))] = row.id
    for rowid, name in known.items():
        found[names[0]].setdefault(_folded(name), rowid)
    return found


def _named(run: SyncRun, table: str, reader: RowReader, lines: set[int], identities: _Found) -> Iterator[int]:
    """Return the ids of what rows name. Shape: lines: of the rows"""
    fields = match_header(find_processor(run.processor).columns, reader.header, lenient=True).fields
    columns = _COLUMNS[table]
    places = [(position, columns[name]) for position, name, _column in fields if name in columns]
    deleted = [position for position, name, _column in fields if name == UserCells.deleted.name]
    for row in reader:
        if row.line not in lines:
            continue
        cells = list(map(_folded, row.cells))
        # Who is to be deleted is not to be kept.
        if any(cells[at] == "1" for at in deleted if at < len(cells)):
            continue
        for at, name in places:
            rowid = identities[name].get(cells[at]) if at < len(cells) else None
            if rowid is not None:
                yield rowid


def _folded(text: str) -> str:
    text = text.strip().casefold()
    return text.lstrip("0") if text.isascii() and text.isdecimal() else text
