"""What a row asks for beside the row of its user, and what came of it."""

from __future__ import annotations

from typing import NamedTuple

from sync.processors.memberships.enrolment_dates import GivenDate
from sync.values import Change, Note


class CourseSet(NamedTuple):
    """The cells course1, role1, enrol1 ... of one number.

    Shape: None or '' = the column is absent or the cell empty; period: days after the start, in place of an end; suspended: 1
    = the enrolment isn't active; legacy_type: of Moodle's own upload, in place of a role
    """

    number: int
    course: str
    role: str | None = None
    enrol: str | None = None
    group: str | None = None
    start: GivenDate | None = None
    end: GivenDate | None = None
    wwwroot: str | None = None
    period: int | None = None
    suspended: int | None = None
    legacy_type: str | None = None

    def column(self, name: str) -> str:
        return f"{name}{self.number}"


class SetResult(NamedTuple):
    """What came of one course set or cohort.

    Shape: problems: why it, or a part of it, could not be carried out (the row goes to the tryback); notes: what is
    worth saying though all is done
    """

    changes: tuple[Change, ...] = ()
    problems: tuple[Note, ...] = ()
    notes: tuple[Note, ...] = ()

    @property
    def changed(self) -> bool:
        return bool(self.changes)


NOTHING = SetResult()
