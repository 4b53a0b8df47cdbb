"""One row of an enrolments file with its defaults filled in, and what came of its command."""

from __future__ import annotations

from typing import NamedTuple, TypeVar

from sync.moodle.courses.courses import Course
from sync.moodle.enrolments.enrolments import EnrolInstance
from sync.processors.base.errors import RowError
from sync.processors.memberships.enrolment_dates import GivenDate
from sync.values import Action, Change, Note

T = TypeVar("T")


class EnrolmentRow(NamedTuple):
    """Shape: start, end: None = not given; groups: (column, name) in the order of their numbers, filled cells only."""

    line: int
    cmd: str
    role: str
    start: GivenDate | None
    end: GivenDate | None
    gcmd: str
    groups: tuple[tuple[str, str], ...]


class EnrolmentTarget(NamedTuple):
    """Who and where. Shape: instance: the enrolment method, None in a file about roles alone."""

    userid: int
    course: Course
    instance: EnrolInstance | None


class EnrolmentOutcome(NamedTuple):
    """What a command has done. Shape: no changes: nothing was to be done"""

    action: Action
    code: str
    changes: tuple[Change, ...] = ()


def accepted(found: T | Note) -> T:
    """Return what a cell names. Raises: RowError where a note says what is wrong with the cell"""
    if isinstance(found, Note):
        raise refused(found)
    return found


def refused(note: Note) -> RowError:
    """Return the refusal of a row for what a note says."""
    params = dict(note.params)
    return RowError(note.code, params.pop("column"), **params)
