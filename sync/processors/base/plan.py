"""The writes of one chunk, each with the lines that ask for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from sync.moodle.db.writer import Writer
from sync.processors.base.closing import ClosedObject, ClosingObject
from sync.processors.base.grace import GraceChange
from sync.processors.base.operations import Applied, Delete, Insert, Operation, Update, WriteRows
from sync.processors.base.overlay import ChangedRows, FoundRows, TemporaryIds, is_temporary
from sync.processors.base.totals import MAILS_SENT, ChangedIds, Totals
from sync.values import Note, Outcome


class Mail(NamedTuple):
    """A mail to one person, sent after the commit; it may hold a clear password, so it is kept encrypted, until it is sent."""

    to: str
    subject: str
    body: str


class Plan:
    """Everything that a chunk will do, decided without touching the database.

    Shape: inserts, updates, deletes: table -> writes, in file order; dirty_users, changed_preferences: ids, perhaps temporary, of
    users whose sessions must be told (`sync.moodle.site.caches`); dirty_contexts: context paths; unenrolled:
    (userid, courseid) of enrolments that go; enrolled: the same of new ones whose earlier grades are wanted back; notes: what
    is to be said of it at the end of the run; changed_rows: the tables that the rows of the chunk change; grace: what
    becomes of objects on the list of deletions, by table and id; absent, absent_upto, absent_left: as in AfterCommit; written:
    what rows leave in watched places, None = nobody asks; objects: of what comes after the last row, one for each outcome;
    counted: code of what is said at the top of the report -> lines of which it is
    Units: now: seconds since epoch
    """

    def __init__(self, now: int = 0) -> None:
        self.now = now
        self.outcomes: list[Outcome] = []
        self.inserts: dict[str, list[Insert]] = {}
        self.updates: dict[str, list[Update]] = {}
        self.deletes: dict[str, list[Delete]] = {}
        self.dirty_users: set[int] = set()
        self.changed_preferences: set[int] = set()
        self.dirty_contexts: set[str] = set()
        self.unenrolled: set[tuple[int, int]] = set()
        self.enrolled: set[tuple[int, int]] = set()
        self.mails: list[Mail] = []
        self.notes: list[Note] = []
        self.changed_rows: list[ChangedRows] = []
        self.grace: dict[tuple[str, int], GraceChange] = {}
        self.absent: Counter[str] = Counter()
        self.absent_upto = 0
        self.absent_left: list[str] = []
        self.objects: list[ClosingObject] = []
        self.counted: dict[str, Collection[int]] = {}
        self.written: ChangedRows | None = None
        self._temporary_ids = TemporaryIds()

    def new_id(self, line: int) -> int:
        """Return an id for a row that a line of the file makes, until Moodle's server gives it one."""
        return self._temporary_ids.new_id(line)

    def change(self, found: FoundRows) -> ChangedRows:
        """Return rows of a table to be changed; what becomes of them is there for later chunks when the plan isn't applied."""
        rows = ChangedRows(found, self._temporary_ids)
        self.changed_rows.append(rows)
        return rows

    def let_go_of_rows(self) -> None:
        """Forget the rows that it was planned on; what is to be done stays."""
        self.changed_rows = []

    def __getstate__(self) -> dict[str, Any]:
        """Return what there is of a plan once it has let go of its rows: it may wait elsewhere until it is carried out."""
        return {**self.__dict__, "changed_rows": []}

    def insert(self, table: str, values: dict[str, Any], *lines: int, newid: int = 0) -> None:
        self.inserts.setdefault(table, []).append(Insert(values, newid, lines))

    def update(self, table: str, rowid: int, before: Mapping[str, Any], after: dict[str, Any], *lines: int) -> None:
        self.updates.setdefault(table, []).append(Update(rowid, before, after, lines))

    def delete(self, table: str, rowid: int, *lines: int) -> None:
        self.deletes.setdefault(table, []).append(Delete(rowid, lines))

    def close(self, about: ClosingObject, outcome: Outcome) -> None:
        """Say what becomes of an object after the last row."""
        self.objects.append(about)
        self.outcomes.append(outcome)

    def leave_changed(self, changed: Iterable[ClosedObject]) -> None:
        """Say which objects are left, for they aren't what was planned."""
        for about, outcome in changed:
            self.close(about, outcome)

    def change_grace(self, change: GraceChange) -> None:
        """Put an object on the list of deletions, or say what becomes of one that is on it."""
        self.grace[change.key] = change

    def operations(self) -> list[Operation]:
        """Return what is to be done, in order."""
        return [self.row_writes]

    @property
    def row_writes(self) -> WriteRows:
        """The rows that come, change and go."""
        return WriteRows(
            self.inserts,
            self.updates,
            self.deletes,
            self.unenrolled,
            self.enrolled,
            self.dirty_users,
            self.changed_preferences,
            self.dirty_contexts,
        )

    def totals(self) -> Totals:
        """Count what the plan does, by kind of object and what becomes of it."""
        totals = +Totals({MAILS_SENT: len(self.mails)})
        for operation in self.operations():
            totals += operation.totals()
        return totals

    def changed_ids(self) -> ChangedIds:
        """Return what the plan changes or takes away, by kind, without what it makes itself."""
        found: dict[str, set[int]] = {}
        for operation in self.operations():
            for kind, ids in operation.changed_ids().items():
                found.setdefault(kind, set()).update(ids)
        return found

    def touched(self) -> dict[int, list[str]]:
        """Return the objects and memberships that lines change or take away, "user 5". Shape: by line; none of what it makes"""
        found: dict[int, dict[str, None]] = {}
        for operation in self.operations():
            for line, table, place in operation.touched():
                found.setdefault(line, {})[f"{table} {place}"] = None
        return {line: [*objects] for line, objects in found.items()}

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all is to be done."""
        leaves_known = self.written is not None and bool(self.written.changed())
        return not (self.mails or self.grace or leaves_known or any(self.operations()))

    def digests_left(self, ids: Mapping[int, int]) -> dict[tuple[str, int, str], str]:
        """Return the digests of what rows leave in watched columns. Shape: ids: temporary id -> id"""
        left = {} if self.written is None else self.written.changed()
        return {
            (table, rowid, column): values["digest"]
            for (table, given, column), values in left.items()
            if values is not None and not is_temporary(rowid := ids.get(given, given))
        }


def apply_plan(plan: Plan, writer: Writer) -> Applied:
    """Carry out the operations of a plan in order, and return what came of them. The plan stays as it is."""
    applied = Applied(plan.now)
    for operation in plan.operations():
        if operation:
            applied.lines_by_row = {}
            with writer.asked_by(operation.lines_of(applied)):
                operation.apply(writer, applied)
    return applied
