"""The writes of one chunk, each with the lines that ask for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from sync.moodle.files.files import DeletedFiles
from sync.values import Note, Outcome


class Ref(NamedTuple):
    """The id that a row planned in this chunk will have, by its natural key: Ref("user", (1, "bob.k"))."""

    table: str
    key: tuple[Any, ...]


class Insert(NamedTuple):
    """A new row. Shape: values: column -> value or Ref; key: what a Ref to it names, () when nothing refers to it."""

    values: dict[str, Any]
    key: tuple[Any, ...]
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


class Mail(NamedTuple):
    """A mail to one person, sent after the commit; it may hold a clear password, so it is kept encrypted, until it is sent."""

    to: str
    subject: str
    body: str


class Plan:
    """Everything that a chunk will do, decided without touching the database.

    Shape: inserts, updates, deletes: table -> writes, in file order; dirty_users, changed_preferences: ids or Refs of
    accounts whose sessions must be told (`sync.moodle.site.caches`); dirty_contexts: context paths; unenrolled: (userid,
    courseid)
    of enrolments that go; enrolled: the same of new ones whose earlier grades are wanted back; files: that went with the
    rows, known once the plan is carried out; notes: what is to be said of it at the end of the run
    Units: now: seconds since epoch
    """

    def __init__(self, now: int = 0) -> None:
        self.now = now
        self.outcomes: list[Outcome] = []
        self.inserts: dict[str, list[Insert]] = {}
        self.updates: dict[str, list[Update]] = {}
        self.deletes: dict[str, list[Delete]] = {}
        self.dirty_users: set[int | Ref] = set()
        self.changed_preferences: set[int | Ref] = set()
        self.dirty_contexts: set[str] = set()
        self.unenrolled: set[tuple[int, int]] = set()
        self.enrolled: set[tuple[int, int]] = set()
        self.mails: list[Mail] = []
        self.files = DeletedFiles()
        self.notes: list[Note] = []

    def insert(self, table: str, values: dict[str, Any], *lines: int, key: tuple[Any, ...] = ()) -> None:
        self.inserts.setdefault(table, []).append(Insert(values, key, lines))

    def update(self, table: str, rowid: int, before: Mapping[str, Any], after: dict[str, Any], *lines: int) -> None:
        self.updates.setdefault(table, []).append(Update(rowid, before, after, lines))

    def delete(self, table: str, rowid: int, *lines: int) -> None:
        self.deletes.setdefault(table, []).append(Delete(rowid, lines))

    def release_memory(self) -> None:
        """Drop everything. A plan and the views that filled it hold each other: Python's collector would have to find them."""
        vars(self).clear()

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all is to be done."""
        return not (
            any(self.inserts.values())
            or any(self.updates.values())
            or any(self.deletes.values())
            or self.dirty_users
            or self.changed_preferences
            or self.dirty_contexts
            or self.unenrolled
            or self.mails
        )
