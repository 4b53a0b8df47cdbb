"""A small site, by hand: the base of the acceptance examples in enrols.md and users.md.

C1 (id 3, context 50): manual 7, cohort 8 (cohort 40, group 31), self 10 suspended; group G1 (30) with a conversation
C2 (id 4, context 60): manual 9 switched off, database 11; takes the people of C1 by meta 12 into its group 32
ann (10) is enrolled nowhere; eve (11) is in C1 by manual 7 as student, from 100 to 200
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from sync.moodle.courses.courses import Course
from sync.moodle.enrolments.enrolments import EnrolInstance
from sync.moodle.enrolments.roles import Role
from sync.moodle.groups.groups import Group
from sync.processors.base.overlay import FoundRows, Values
from sync.processors.base.plan import Plan
from sync.processors.memberships.enrolment_dates import GivenDate
from sync.processors.memberships.state import (
    COHORT_MEMBERS,
    COHORTS,
    ENROLMENTS,
    GROUP_MEMBERS,
    GROUPS,
    METHODS,
    ROLES,
    SUBSCRIPTIONS,
    TALKERS,
    MembershipState,
    roles_by_shortname,
)
from sync.processors.users.row_memberships import Memberships

Fold = Callable[[str], str]

_TABLES = {table.name: table for table in (ENROLMENTS, ROLES, GROUP_MEMBERS, TALKERS, COHORT_MEMBERS, SUBSCRIPTIONS)}
NOW = 1_700_000_000
ANN, EVE = 10, 11
STUDENT, TEACHER, MANAGER = 5, 3, 1

C1 = Course(3, 50, "/1/20/50")
C2 = Course(4, 60, "/1/20/60")
SITE_COURSE = Course(1, 2, "/1/2", is_site=True)

MANUAL = EnrolInstance(7, 3, "manual", 0, STUDENT, 0, 0)
COHORT = EnrolInstance(8, 3, "cohort", 0, STUDENT, 40, 31)
SELF_OFF = EnrolInstance(10, 3, "self", 1, STUDENT, 0, 0)
MANUAL_OFF = EnrolInstance(9, 4, "manual", 1, STUDENT, 0, 0)
LTI = EnrolInstance(11, 4, "lti", 0, STUDENT, 0, 0)
META = EnrolInstance(12, 4, "meta", 0, 0, 3, 32)

CO1 = {
    "id": 40, "contextid": 1, "name": "CO1", "idnumber": "c-1", "description": "", "component": "", "visible": 1,
    "timemodified": 500,
}  # fmt: skip
EVE_IN_C1 = {"id": 70, "status": 0, "timestart": 100, "timeend": 200, "modifierid": 2, "timemodified": 90}
EVE_ROWS: dict[str, Mapping[Any, Values]] = {
    "user_enrolments": {(7, EVE): EVE_IN_C1},
    "role_assignments": {(50, EVE, STUDENT, "", 0): {"id": 80}},
}


def at(seconds: int) -> GivenDate:
    """Return a date that a cell gives in seconds."""
    return GivenDate(seconds, str(seconds))


def make_state(**changes: Any) -> MembershipState:
    values: dict[str, Any] = {
        "operatorid": 2,
        "enabled_methods": frozenset({"manual", "self", "cohort", "meta"}),
        "courses_named": {"C1": (C1,), "C2": (C2,), "Home": (SITE_COURSE,), "Twin": (C1, C2)},
        "courses": {3: C1, 4: C2},
        "roles": roles_by_shortname(
            [Role(STUDENT, "student", True), Role(TEACHER, "editingteacher", True), Role(MANAGER, "creator", False)]
        ),
        "methods": methods(MANUAL, COHORT, SELF_OFF, MANUAL_OFF, LTI),
        "groups": groups(Group(30, 3, "G1", 500), Group(31, 3, "Cohort people", 500)),
        "conversations": {30: 900},
        "cohorts": cohorts(CO1),
        "rows": memberships(EVE_ROWS),
    }
    return MembershipState(**(values | changes))


def methods(*instances: EnrolInstance) -> FoundRows:
    return FoundRows(METHODS, {instance.id: instance._asdict() for instance in instances})


def groups(*found: Group, fold: Fold = str) -> FoundRows:
    rows = {
        group.id: {name: value for name, value in group._asdict().items() if name != "conversationid"}
        for group in found
    }
    return FoundRows(replace(GROUPS, folds={"name": fold}), rows)


def cohorts(*rows: Values) -> FoundRows:
    return FoundRows(COHORTS, {row["id"]: row for row in rows})


def memberships(rows: Mapping[str, Mapping[Any, Values]]) -> dict[str, FoundRows]:
    """Return what people belong to. Shape: rows: table -> natural key -> columns"""
    return {name: FoundRows(_TABLES[name], found) for name, found in rows.items()}


def begin(state: MembershipState | None = None) -> tuple[Memberships, Plan]:
    plan = Plan()
    return Memberships(state or make_state(), plan, now=NOW), plan


def inserted(plan: Plan, table: str) -> list[dict[str, Any]]:
    return [insert.values for insert in plan.inserts.get(table, [])]


def updated(plan: Plan, table: str) -> list[tuple[int, dict[str, Any]]]:
    return [(update.id, dict(update.after)) for update in plan.updates.get(table, [])]
