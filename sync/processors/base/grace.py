"""The list of deletions, as the file types see it: what is to be deleted once its days of grace are over.

A file with the option `gracedays` locks its users out or hides its courses, and puts them on the list. What becomes of them is
written with what a chunk owes after its commit (`sync.processors.base.after_commit`), in `sync.runs.grace_records`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple, Protocol


class GraceTask(StrEnum):
    """What a run has to do with the list: nothing more than any file, delete what is due, or take off what it names."""

    NONE = ""
    DELETE = "delete"
    END = "end"


class GraceStep(StrEnum):
    """What became of an object: put on the list, taken off it, deleted, gone already, or left alone and still listed."""

    LISTED = "listed"
    ENDED = "ended"
    DELETED = "deleted"
    GONE = "gone"
    HELD = "held"


class Listed(NamedTuple):
    """An object on the list.

    Shape: name: username or short name when it was listed; day: ISO date of its deletion; before: column -> what stood there
    before it was locked out or hidden, {} when it was so already; line: that put it on the list in this run, 0 = an earlier run
    """

    name: str
    day: str
    before: Mapping[str, Any]
    line: int = 0


class GraceChange(NamedTuple):
    """A step of one object. Shape: table: of Moodle; rowid: Moodle's id; label: who or what it is; the others as in Listed"""

    step: GraceStep
    table: str
    rowid: int
    line: int
    name: str = ""
    label: str = ""
    day: str = ""
    before: Mapping[str, Any] = {}

    @property
    def key(self) -> tuple[str, int]:
        return self.table, self.rowid


class GraceRecords(Protocol):
    """What is known of the list when a run goes on."""

    @property
    def task(self) -> GraceTask: ...

    def listed(self, table: str) -> Mapping[int, Listed]:
        """Return the objects of a table that are on the list, by id."""

    def day_after(self, days: int) -> str:
        """Return the day on which what the run lists is to be deleted; the same whenever the run asks."""


class NoGrace:
    """Nothing is on the list."""

    task = GraceTask.NONE

    def listed(self, table: str) -> Mapping[int, Listed]:
        return {}

    def day_after(self, days: int) -> str:
        return ""


GraceChanges = Mapping[tuple[str, int], GraceChange]


@dataclass(frozen=True)
class GraceList:
    """The list of one table, with what earlier chunks of the run did to it.

    Shape: objects: id -> as the run found them; earlier: what chunks so far did, filled while the run goes on
    """

    table: str
    records: GraceRecords = field(default_factory=NoGrace)
    earlier: GraceChanges = field(default_factory=dict)
    objects: Mapping[int, Listed] = field(default_factory=dict)

    @classmethod
    def read(cls, table: str, records: GraceRecords, earlier: GraceChanges) -> GraceList:
        """Read the list. Queries: one of our own database"""
        return cls(table, records, earlier, records.listed(table))

    @property
    def task(self) -> GraceTask:
        return self.records.task

    def find(self, rowid: int, planned: GraceChanges) -> Listed | None:
        """Return an object that is on the list, None when it isn't. Shape: planned: what earlier rows of the chunk do"""
        key = (self.table, rowid)
        change = planned.get(key) or self.earlier.get(key)
        if change is None or change.step is GraceStep.HELD:
            return self.objects.get(rowid)
        is_listed = change.step is GraceStep.LISTED
        return Listed(change.name, change.day, change.before, change.line) if is_listed else None


def values_back(listed: Listed, present: Mapping[str, Any]) -> dict[str, Any]:
    """Return what taking an object off the list sets: what the grace changed, where it is still as the grace left it."""
    return {name: old for name, old in listed.before.items() if present[name] != old}
