"""What a row does beside the row of its user: course sets, cohorts and roles of the whole site.

state = fetch_memberships(...)                        sync.processors.memberships.fetch
memberships = Memberships(state, plan, now=now)       once per plan()
memberships.apply_course_set(...), .add_to_cohort(...)   row by row, later rows see what earlier ones did
memberships.finish()                                  the difference goes into the plan
"""

from __future__ import annotations

from sync.processors.base.plan import Plan
from sync.processors.memberships.course_columns import CourseColumns
from sync.processors.memberships.enrolment_dates import ShowTime
from sync.processors.memberships.results import CourseSet, SetResult
from sync.processors.memberships.rows import MembershipRows
from sync.processors.memberships.state import MembershipState
from sync.processors.users.cohort_membership import CohortMembership
from sync.processors.users.system_roles import SystemRoleCell, SystemRoles

__all__ = ["CourseSet", "Memberships", "SetResult"]


class Memberships:
    """Carries out the course sets, cohorts and roles of the whole site of one chunk.

    Shape: show_time: makes seconds readable; user: an id, temporary for somebody whom the plan makes; today: the midnight that
    now follows, None = now
    """

    def __init__(
        self, state: MembershipState, plan: Plan, *, now: int, show_time: ShowTime = str, today: int | None = None
    ) -> None:
        self._rows = MembershipRows(state, plan, now=now)
        self._course_sets = CourseColumns(self._rows, show_time, now if today is None else today)
        self._cohorts = CohortMembership(self._rows)
        self._system_roles = SystemRoles(self._rows)

    def apply_course_set(self, user: int, course_set: CourseSet, line: int) -> SetResult:
        """Enrol, give a role, put in a group, as one set says; the other sets go on whatever comes of it."""
        return self._course_sets.apply(user, course_set, line)

    def add_to_cohort(self, user: int, name: str, idnumber: str, line: int, column: str = "") -> SetResult:
        """Make a user a member of a cohort, with the enrolments that come with it."""
        return self._cohorts.add(user, name, idnumber, line, column)

    def apply_system_role(self, user: int, cell: SystemRoleCell, line: int) -> SetResult:
        """Assign a role of the whole site to a user, or take it away."""
        return self._system_roles.apply(user, cell, line)

    def would_change_system_role(self, user: int, cell: SystemRoleCell) -> bool:
        """Return whether `apply_system_role` would change anything."""
        return self._system_roles.would_change(user, cell)

    def finish(self) -> None:
        """Put what has changed into the plan; call it once, after the last row."""
        self._rows.finish()
