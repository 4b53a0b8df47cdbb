"""What a plan consists of: writes as data, each of one kind, carried out in order inside one transaction.

Applying changes neither an operation nor its plan; what is known only then is in `Applied`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sync.moodle.categories.categories import Category
from sync.moodle.courses.order import Misplaced, fix_course_order
from sync.moodle.db.schema import NATURAL_KEYS, WRITE_ORDER
from sync.moodle.db.writer import BeforeImage, LinesOf, RowChange, Writer
from sync.moodle.enrolments.unenrol_cleanup import unenrol_cleanup
from sync.moodle.files.files import DeletedFiles
from sync.moodle.grades.grades import recover_course_grades
from sync.moodle.site import caches
from sync.processors.base.asked_lines import of_one
from sync.processors.base.overlay import is_temporary
from sync.processors.base.totals import (
    MEMBERSHIPS,
    OBJECTS,
    ChangedIds,
    RowCounts,
    Totals,
    changed_rows,
    count_rows,
)


class Touched(NamedTuple):
    """An object, or a membership in one, that a line changes or takes away. Shape: place: its id; of a new membership its key"""

    line: int
    table: str
    place: str


class Insert(NamedTuple):
    """A new row. Shape: values: column -> value, perhaps a temporary id; id: its own, temporary; 0 when nothing refers to it."""

    values: dict[str, Any]
    id: int
    lines: tuple[int, ...]


class Update(NamedTuple):
    """A change of a row that is there. Shape: before and after: the changed columns only."""

    id: int
    before: Mapping[str, Any]
    after: dict[str, Any]
    lines: tuple[int, ...]


class Delete(NamedTuple):
    """A row that goes."""

    id: int
    lines: tuple[int, ...]


@dataclass
class Applied:
    """What the operations of a plan have done so far.

    Shape: ids: temporary id -> id; categories: temporary id -> the category that was made; dirty_contexts: context paths that
    weren't known before; files: that went with rows; lines_by_row: identity of the values of a new row -> lines that
    ask for it, of the operation at work
    Units: now: seconds since epoch
    """

    now: int
    ids: dict[int, int] = field(default_factory=dict)
    categories: dict[int, Category] = field(default_factory=dict)
    dirty_contexts: set[str] = field(default_factory=set)
    files: DeletedFiles = field(default_factory=DeletedFiles)
    lines_by_row: dict[int, tuple[int, ...]] = field(default_factory=dict)


class Operation(ABC):
    """One kind of write, as data: a frozen dataclass whose fields say all that it needs. False when there is nothing to do.

    Its docstring says what it expects to find in Moodle.
    """

    @abstractmethod
    def __bool__(self) -> bool: ...

    @property
    @abstractmethod
    def lines(self) -> Collection[int]:
        """The lines of the file that ask for it; none for what follows the last line."""

    def lines_of(self, applied: Applied) -> LinesOf:
        """Return what tells which lines asked for each of its writes, as far as that is known. Shape: applied: before it"""
        del applied
        return of_one(self.lines)

    @abstractmethod
    def apply(self, writer: Writer, applied: Applied) -> None:
        """Write. Inside a transaction of the writer's session."""

    @abstractmethod
    def totals(self) -> Totals:
        """Count what it does to the things that people count (`sync.processors.base.totals`)."""

    def changed_ids(self) -> ChangedIds:
        """Return which of these things it changes or takes away; none where it only makes some."""
        return {}

    def touched(self) -> Iterable[Touched]:
        """Return the objects that lines change or take away, those that the file itself makes left out."""
        return ()


@dataclass(frozen=True)
class WriteRows(Operation):
    """Insert, update and delete rows of any table, with what follows from them.

    Expects: rows to be updated as `before` says, rows to be deleted, and none yet with the keys of those to be inserted.
    Who is left without any enrolment in a course leaves it with everything that Moodle takes away then.
    Shape: inserts, updates, deletes: table -> writes, in file order; unenrolled, enrolled: (userid, courseid); dirty_users,
    changed_preferences: ids of users, perhaps temporary, whose sessions must be told; dirty_contexts: context paths
    """

    inserts: Mapping[str, Sequence[Insert]] = field(default_factory=dict)
    updates: Mapping[str, Sequence[Update]] = field(default_factory=dict)
    deletes: Mapping[str, Sequence[Delete]] = field(default_factory=dict)
    unenrolled: AbstractSet[tuple[int, int]] = frozenset()
    enrolled: AbstractSet[tuple[int, int]] = frozenset()
    dirty_users: AbstractSet[int] = frozenset()
    changed_preferences: AbstractSet[int] = frozenset()
    dirty_contexts: AbstractSet[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(
            any(self.inserts.values())
            or any(self.updates.values())
            or any(self.deletes.values())
            or self.unenrolled
            or self.dirty_users
            or self.changed_preferences
            or self.dirty_contexts
        )

    def totals(self) -> Totals:
        totals = Totals()
        for table in {*self.inserts, *self.updates, *self.deletes}:
            counts = RowCounts(
                len(self.inserts.get(table, ())),
                [update.after for update in self.updates.get(table, ())],
                len(self.deletes.get(table, ())),
            )
            totals += count_rows(table, counts)
        return totals

    def changed_ids(self) -> ChangedIds:
        found: dict[str, list[int]] = {}
        for table in {*self.updates, *self.deletes}:
            updates = ((update.id, update.after) for update in self.updates.get(table, ()))
            found |= changed_rows(table, updates, (delete.id for delete in self.deletes.get(table, ())))
        return found

    def touched(self) -> Iterator[Touched]:
        """Return of new memberships those of whom and in what is there."""
        for table in OBJECTS:
            written = [(update.id, update.lines) for update in self.updates.get(table, ())]
            written += [(delete.id, delete.lines) for delete in self.deletes.get(table, ())]
            for rowid, lines in written:
                if not is_temporary(rowid):
                    yield from (Touched(line, table, str(rowid)) for line in lines)
        for table in MEMBERSHIPS:
            key = NATURAL_KEYS[table]
            for insert in self.inserts.get(table, ()):
                values = [insert.values.get(name, "") for name in key]
                if not any(map(is_temporary, values)):
                    place = "/".join(map(str, values))
                    yield from (Touched(line, table, place) for line in insert.lines)

    @property
    def lines(self) -> Collection[int]:
        tables: tuple[Mapping[str, Sequence[Insert | Update | Delete]], ...] = (
            self.inserts,
            self.updates,
            self.deletes,
        )
        return {line for table in tables for writes in table.values() for write in writes for line in write.lines}

    def lines_of(self, applied: Applied) -> LinesOf:
        """By the ids of rows that are there, and by the values of new ones; of what follows from them, by none."""
        by_id = {
            (table, write.id): write.lines
            for tables in (self.updates, self.deletes)
            for table, writes in tables.items()
            for write in writes
        }
        by_row = applied.lines_by_row

        def lines_of(image: BeforeImage) -> tuple[int, ...]:
            if image.kind == "insert":
                return by_row.get(id(image.after), ())
            return by_id.get((image.table, image.id or 0), ())

        return lines_of

    def apply(self, writer: Writer, applied: Applied) -> None:
        """Deletes, updates, inserts (parents first), cache flags. Queries: constant per table"""
        for table in reversed(_in_order(self.deletes)):
            writer.delete_where(table, "id", [delete.id for delete in self.deletes[table]])
        ids = applied.ids
        for table in _in_order(self.updates):
            writer.update_many(
                table, [RowChange(*u[:3]) for u in self.updates[table] if not _has_temporary_id(u.after)]
            )
        for table in _in_order(self.inserts):
            inserts = self.inserts[table]
            rows = [resolved(insert.values, ids) for insert in inserts]
            applied.lines_by_row.update((id(row), insert.lines) for row, insert in zip(rows, inserts, strict=True))
            for rowid, insert in zip(_insert(writer, table, rows), inserts, strict=True):
                if insert.id:
                    ids[insert.id] = rowid
            # Another row may get the identity of one that is gone.
            applied.lines_by_row.clear()
        if self.unenrolled:
            applied.files += unenrol_cleanup(writer, self.unenrolled, now=applied.now)
        if self.enrolled:
            recover_course_grades(writer, self.enrolled, now=applied.now)
        for table in _in_order(self.updates):
            with_refs = [u for u in self.updates[table] if _has_temporary_id(u.after)]
            writer.update_many(table, [RowChange(u.id, u.before, resolved(u.after, ids)) for u in with_refs])
        caches.flag_changes(
            writer,
            dirty_users=_plain_ids(self.dirty_users, ids),
            changed_preferences=_plain_ids(self.changed_preferences, ids),
            dirty_contexts=self.dirty_contexts | applied.dirty_contexts,
        )


@dataclass(frozen=True)
class FixCourseOrder(Operation):
    """Bring the courses and categories of the whole site in order. Expects: nothing. Shape: places: only these, None = all"""

    is_wanted: bool = True
    places: Sequence[Misplaced] | None = None

    def __bool__(self) -> bool:
        return self.is_wanted

    @property
    def lines(self) -> Collection[int]:
        return ()

    def apply(self, writer: Writer, applied: Applied) -> None:
        fix_course_order(writer, self.places)

    def totals(self) -> Totals:
        return Totals()


def resolved(values: dict[str, Any], ids: Mapping[int, int]) -> dict[str, Any]:
    """Replace the temporary ids among the values by those that the server gave."""
    if _has_temporary_id(values):
        return {name: ids[value] if is_temporary(value) else value for name, value in values.items()}
    return values


def _has_temporary_id(values: Mapping[str, Any]) -> bool:
    return any(map(is_temporary, values.values()))


def _insert(writer: Writer, table: str, rows: list[dict[str, Any]]) -> list[int]:
    """Insert rows in runs of the same columns, so that absent columns take Moodle's defaults."""
    ids: list[int] = [0] * len(rows)
    places_by_columns: dict[tuple[str, ...], list[int]] = {}
    for place, row in enumerate(rows):
        places_by_columns.setdefault(tuple(row), []).append(place)
    for places in places_by_columns.values():
        new = writer.insert_many(table, [rows[place] for place in places], NATURAL_KEYS.get(table, ()))
        for place, rowid in zip(places, new, strict=False):
            ids[place] = rowid
    return ids


def _in_order(by_table: Mapping[str, Any]) -> list[str]:
    return sorted(by_table, key=lambda table: WRITE_ORDER.index(table) if table in WRITE_ORDER else len(WRITE_ORDER))


def _plain_ids(users: Iterable[int], ids: Mapping[int, int]) -> set[int]:
    return {ids[user] if is_temporary(user) else user for user in users}
