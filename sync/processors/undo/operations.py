"""What an undo writes: rows that go, change back and come back, and what Moodle must be told of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence, Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from sync.moodle.course_content.graph.graph import CONTEXT, COURSE, load_graph
from sync.moodle.db.writer import MAX_KEYS, RowChange, Writer, batched
from sync.moodle.files.file_pool import file_pool_of
from sync.moodle.files.files import DeletedFiles
from sync.moodle.site import caches
from sync.processors.base.operations import Applied, Operation
from sync.processors.base.plan import Plan
from sync.processors.base.totals import ChangedIds, RowCounts, Totals, changed_rows, count_rows
from sync.processors.undo.rows import UniqueKeys
from sync.processors.undo.rules import CACHE_REVISION

Row = Mapping[str, Any]


@dataclass(frozen=True)
class TakeBack(Operation):
    """Delete, change back and insert again rows of any table, under their old ids.

    Expects: new rows, and the columns that change back, as the run left them; no rows with the ids and keys of deleted ones.
    Shape: lines: that ask for it; new: table -> whole rows that the run made; changed: table -> what changes back; old: table ->
    whole rows that the run deleted; trashed: contents of files that are brought back from Moodle's trash; courseids: whose
    content changes
    """

    lines: Collection[int] = ()
    new: Mapping[str, Sequence[Row]] = field(default_factory=dict)
    changed: Mapping[str, Sequence[RowChange]] = field(default_factory=dict)
    old: Mapping[str, Sequence[Row]] = field(default_factory=dict)
    trashed: AbstractSet[str] = frozenset()
    courseids: AbstractSet[int] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.new or self.changed or self.old or self.courseids)

    def totals(self) -> Totals:
        totals = Totals()
        for table in {*self.new, *self.changed, *self.old}:
            counts = RowCounts(
                len(self.old.get(table, ())),
                [change.after for change in self.changed.get(table, ())],
                len(self.new.get(table, ())),
            )
            totals += count_rows(table, counts)
        return totals

    def changed_ids(self) -> ChangedIds:
        found: dict[str, list[int]] = {}
        for table in {*self.new, *self.changed}:
            updates = ((change.id, change.after) for change in self.changed.get(table, ()))
            found |= changed_rows(table, updates, (row["id"] for row in self.new.get(table, ())))
        return found

    def apply(self, writer: Writer, applied: Applied) -> None:
        """Deletes, updates, inserts, cache flags. Queries: one for each table, set of columns and some 1,000 rows"""
        self._bring_contents_back(writer)
        for table in sorted(self.new):
            writer.delete_many(table, self.new[table])
        for table in sorted(self.changed):
            aside, changes = _in_two_steps(writer, table, self.changed[table])
            writer.update_many(table, aside)
            writer.update_many(table, changes)
        for table in sorted(self.old):
            _insert(writer, table, self.old[table])
        sizes = {row["contenthash"]: row["filesize"] for row in self.new.get("files", ()) if row["filesize"]}
        applied.files += DeletedFiles(sizes)
        self._renew_courses(writer, applied.now)
        self._flag(writer)

    def _bring_contents_back(self, writer: Writer) -> None:
        pool = file_pool_of(writer.session.database.settings) if self.trashed else None
        if pool is not None:
            for contenthash in sorted(self.trashed):
                pool.bring_back(contenthash)

    def _renew_courses(self, writer: Writer, now: int) -> None:
        """Let Moodle read the courses anew: what it has cached is of the state that is taken back."""
        course = writer.session.table(COURSE)
        for part in batched(sorted(self.courseids), MAX_KEYS):
            found = writer.session.fetch(
                sa.select(course.c.id, course.c[CACHE_REVISION]).where(writer.session.in_clause(course.c.id, part))
            )
            writer.update_many(
                COURSE,
                [RowChange(rowid, {CACHE_REVISION: old}, {CACHE_REVISION: max(old + 1, now)}) for rowid, old in found],
            )

    def _flag(self, writer: Writer) -> None:
        def users(table: str) -> set[int]:
            rows = (*self.new.get(table, ()), *self.old.get(table, ()))
            return {row["userid"] for row in rows if row["userid"]}

        contexts = (*self.new.get(CONTEXT, ()), *self.old.get(CONTEXT, ()))
        # Whoever is logged in has their roles by the path.
        moved = {change.after["path"] for change in self.changed.get(CONTEXT, ()) if change.after.get("path")}
        caches.flag_changes(
            writer,
            dirty_users=users("role_assignments") | users("user_enrolments"),
            changed_preferences=users("user_preferences"),
            dirty_contexts={row["path"] for row in contexts if row["path"]} | moved,
        )


class UndoPlan(Plan):
    """Shape: take_back: the writes; fixes_order: courses or categories came, went or moved; ahead: table, id and columns of rows
    of later parts that change back with these
    """

    def __init__(self, now: int) -> None:
        super().__init__(now)
        self.take_back = TakeBack()
        self.fixes_order = False
        self.ahead: list[tuple[str, int, list[str]]] = []

    def operations(self) -> list[Operation]:
        return [self.take_back]


def courseids_of(table: str, row: Row) -> set[int]:
    """Return the course whose cached content a row is part of."""
    if table == COURSE:
        return {row["id"]}
    known = load_graph().tables.get(table)
    is_content = known is not None and (known.area.startswith("mod_") or table in _CACHED)
    return {row[name] for name in ("course", "courseid") if is_content and row.get(name)}


# What the cache of a course is made from. Source: course_modinfo, groups_get_course_data()
_CACHED = frozenset({"course_modules", "course_sections", "groups", "groupings"})


def _in_two_steps(
    writer: Writer, table: str, changes: Sequence[RowChange]
) -> tuple[Sequence[RowChange], Sequence[RowChange]]:
    """Return what is moved aside first, and the changes after that: rows may exchange a text that only one may have at a time."""
    held = {
        (name, text.casefold()): change.id
        for change in changes
        for name, text in change.before.items()
        if isinstance(text, str) and text
    }
    wanted = {
        (name, text.casefold())
        for change in changes
        for name, text in change.after.items()
        if isinstance(text, str) and held.get((name, text.casefold()), change.id) != change.id
    }
    if not wanted:
        return (), changes
    unique = {name for key in UniqueKeys(writer.session).of(table) for name in key}
    aside: list[RowChange] = []
    then: list[RowChange] = []
    for change in changes:
        names = [
            name
            for name, text in change.before.items()
            if name in unique and isinstance(text, str) and (name, text.casefold()) in wanted
        ]
        moved = dict.fromkeys(names, f"undo-{change.id}")
        aside += [RowChange(change.id, {name: change.before[name] for name in names}, moved)] if names else []
        then.append(RowChange(change.id, {**change.before, **moved}, change.after))
    return aside, then


def _insert(writer: Writer, table: str, rows: Sequence[Row]) -> None:
    """Insert rows with their ids. A column that Moodle has given up since is left out."""
    columns = writer.session.table(table).c
    by_columns: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row in sorted(rows, key=lambda row: row["id"]):
        values = {name: value for name, value in row.items() if name in columns}
        by_columns.setdefault(tuple(values), []).append(values)
    for alike in by_columns.values():
        writer.insert_many(table, alike, ("id",))
