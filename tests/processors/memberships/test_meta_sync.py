"""Courses that take their people from another course."""

from __future__ import annotations

from typing import Any

import pytest

from sync.moodle.groups.groups import Group
from sync.processors.base.plan import Plan
from sync.processors.memberships.state import MetaSettings
from sync.processors.users.row_memberships import CourseSet
from tests.processors.membership_states import (
    ANN,
    COHORT,
    EVE,
    EVE_IN_C1,
    EVE_ROWS,
    LTI,
    MANUAL,
    MANUAL_OFF,
    META,
    NOW,
    SELF_OFF,
    STUDENT,
    TEACHER,
    at,
    begin,
    groups,
    inserted,
    make_state,
    memberships,
    methods,
    updated,
)

IN_C1 = (MANUAL, COHORT, SELF_OFF)
CHILDREN: dict[str, Any] = {
    "methods": methods(*IN_C1, MANUAL_OFF, LTI, META),
    "groups": groups(Group(32, 4, "From C1", 500)),
}
IN_CHILD = {**EVE_IN_C1, "id": 75}


def apply(user: int, wanted: CourseSet, **changes: Any) -> Plan:
    memberships, plan = begin(make_state(**(CHILDREN | changes)))
    memberships.apply_course_set(user, wanted, 2)
    memberships.finish()
    return plan


def in_child(plan: Plan) -> list[dict[str, Any]]:
    return [row for row in inserted(plan, "user_enrolments") if row["enrolid"] == META.id]


def roles_in_child(plan: Plan) -> list[tuple[Any, ...]]:
    rows = [row for row in inserted(plan, "role_assignments") if row["contextid"] == 60]
    return [(row["userid"], row["roleid"], row["component"], row["itemid"]) for row in rows]


def test_a_new_enrolment_in_the_parent_reaches_the_child_with_role_and_group() -> None:
    plan = apply(ANN, CourseSet(1, "C1", "student", "manual", start=at(50), end=at(60)))
    [row] = in_child(plan)
    assert (row["status"], row["timestart"], row["timeend"]) == (0, 50, 60)
    assert roles_in_child(plan) == [(ANN, STUDENT, "enrol_meta", 12)]
    [member] = inserted(plan, "groups_members")
    assert (member["groupid"], member["component"], member["itemid"]) == (32, "enrol_meta", 12)


def test_a_second_role_in_the_parent_reaches_the_child() -> None:
    rows = memberships(
        {
            "user_enrolments": {(7, EVE): EVE_IN_C1, (12, EVE): IN_CHILD},
            "role_assignments": {
                (50, EVE, STUDENT, "", 0): {"id": 80},
                (60, EVE, STUDENT, "enrol_meta", 12): {"id": 81},
            },
        }
    )
    plan = apply(EVE, CourseSet(1, "C1", "editingteacher", "manual"), rows=rows)
    assert roles_in_child(plan) == [(EVE, TEACHER, "enrol_meta", 12)]


def test_new_dates_in_the_parent_reach_the_child() -> None:
    rows = memberships({**EVE_ROWS, "user_enrolments": {(7, EVE): EVE_IN_C1, (12, EVE): IN_CHILD}})
    plan = apply(EVE, CourseSet(1, "C1", "student", "manual", end=at(0)), rows=rows)
    assert updated(plan, "user_enrolments") == [
        (70, {"timeend": 0, "timemodified": NOW}),
        (75, {"timeend": 0, "timemodified": NOW}),
    ]


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ({"status": 0, "timestart": 10, "timeend": 90}, (10, 90)),
        ({"status": 0, "timestart": 70, "timeend": 0}, (50, 0)),
        ({"status": 1, "timestart": 10, "timeend": 0}, (50, 60)),
    ],
)
def test_the_child_runs_from_the_earliest_start_to_the_latest_end(
    other: dict[str, int], expected: tuple[int, int]
) -> None:
    rows = memberships({"user_enrolments": {(8, ANN): {**EVE_IN_C1, **other}}})
    [row] = in_child(apply(ANN, CourseSet(1, "C1", "student", "manual", start=at(50), end=at(60)), rows=rows))
    assert (row["timestart"], row["timeend"]) == expected


def test_a_role_alone_reaches_no_child() -> None:
    plan = apply(ANN, CourseSet(1, "C1", "student"))
    assert in_child(plan) == []
    assert roles_in_child(plan) == []


def test_enrolments_of_a_plugin_that_is_off_reach_no_child() -> None:
    plan = apply(ANN, CourseSet(1, "C1", "student", "manual"), enabled_methods=frozenset({"meta", "cohort"}))
    assert in_child(plan) == []


@pytest.mark.parametrize(("syncall", "enrolled"), [(True, 1), (False, 0)])
def test_people_without_a_copied_role_follow_only_when_all_do(syncall: bool, enrolled: int) -> None:
    settings = MetaSettings(syncall, frozenset({STUDENT}))
    plan = apply(ANN, CourseSet(1, "C1", "student", "manual"), meta=settings)
    assert len(in_child(plan)) == enrolled
    assert roles_in_child(plan) == []


def test_a_new_cohort_member_reaches_the_child_of_the_bound_course() -> None:
    memberships, plan = begin(make_state(**CHILDREN))
    memberships.add_to_cohort(ANN, "CO1", "", 2)
    memberships.finish()
    assert len(in_child(plan)) == 1
    assert roles_in_child(plan) == [(ANN, STUDENT, "enrol_meta", 12)]


DISABLED: dict[str, Any] = {"methods": methods(*IN_C1, META._replace(status=1))}


def test_a_disabled_method_copies_people_without_their_roles() -> None:
    plan = apply(ANN, CourseSet(1, "C1", "student", "manual"), **DISABLED)
    assert len(in_child(plan)) == 1
    assert roles_in_child(plan) == []


def test_a_disabled_method_takes_the_roles_that_it_gave() -> None:
    rows = memberships(
        {
            "user_enrolments": {(7, EVE): EVE_IN_C1, (12, EVE): IN_CHILD},
            "role_assignments": {
                (50, EVE, STUDENT, "", 0): {"id": 80},
                (60, EVE, STUDENT, "enrol_meta", 12): {"id": 81},
            },
        }
    )
    plan = apply(EVE, CourseSet(1, "C1", "editingteacher", "manual"), **DISABLED, rows=rows)
    assert [delete.id for delete in plan.deletes["role_assignments"]] == [81]
    assert roles_in_child(plan) == []
