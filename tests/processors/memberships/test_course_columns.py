"""Course sets: an enrolment, a role and a group in one course."""

from __future__ import annotations

from typing import Any

import pytest

from sync.messages import text_at_column, text_of, texts
from sync.moodle.enrolments.forums import Forum
from sync.moodle.groups.groups import Group
from sync.processors.base.overlay import is_temporary, temporary_id
from sync.processors.base.plan import Plan
from sync.processors.users.row_memberships import CourseSet, SetResult
from sync.values import Change
from tests.processors.membership_states import (
    ANN,
    EVE,
    EVE_IN_C1,
    EVE_ROWS,
    NOW,
    STUDENT,
    TEACHER,
    at,
    begin,
    groups,
    inserted,
    make_state,
    memberships,
    updated,
)


def apply(*sets: tuple[Any, CourseSet], **changes: Any) -> tuple[list[SetResult], Plan]:
    memberships, plan = begin(make_state(**changes))
    results = [memberships.apply_course_set(user, wanted, line) for line, (user, wanted) in enumerate(sets, start=2)]
    memberships.finish()
    return results, plan


def codes(results: list[SetResult]) -> list[str]:
    return [note.code for result in results for note in result.problems]


def test_a_new_enrolment_starts_now_and_brings_its_role() -> None:
    [result], plan = apply((ANN, CourseSet(1, "C1", "student", "manual")))
    assert result.changes == (Change("course1", "", "C1"), Change("role1", "", "student"))
    assert inserted(plan, "user_enrolments") == [
        {
            "enrolid": 7,
            "userid": ANN,
            "status": 0,
            "timestart": NOW,
            "timeend": 0,
            "modifierid": 2,
            "timecreated": NOW,
            "timemodified": NOW,
        }
    ]
    assert inserted(plan, "role_assignments") == [
        {
            "contextid": 50,
            "userid": ANN,
            "roleid": STUDENT,
            "component": "",
            "itemid": 0,
            "timemodified": NOW,
            "modifierid": 2,
            "sortorder": 0,
        }
    ]
    assert plan.dirty_users == {ANN}


def test_given_dates_are_taken_and_zero_is_a_date() -> None:
    _results, plan = apply((ANN, CourseSet(1, "C1", "student", "manual", start=at(0), end=at(1_800_000_000))))
    [row] = inserted(plan, "user_enrolments")
    assert (row["timestart"], row["timeend"]) == (0, 1_800_000_000)


def test_a_method_without_a_role_makes_a_student() -> None:
    _results, plan = apply((ANN, CourseSet(1, "C1", "", "manual")))
    assert [row["roleid"] for row in inserted(plan, "role_assignments")] == [STUDENT]


def test_a_role_without_a_method_enrols_nobody() -> None:
    [result], plan = apply((ANN, CourseSet(3, "C1", "editingteacher")))
    assert result.changes == (Change("role3", "", "editingteacher"),)
    assert list(plan.inserts) == ["role_assignments"]
    assert [row["component"] for row in inserted(plan, "role_assignments")] == [""]


def test_a_method_that_protects_its_roles_owns_them() -> None:
    _results, plan = apply((ANN, CourseSet(1, "C2", "student", "lti")))
    [row] = inserted(plan, "role_assignments")
    assert (row["component"], row["itemid"]) == ("enrol_lti", 11)


@pytest.mark.parametrize(
    "wanted",
    [
        CourseSet(1, "C1", "student", "manual"),
        CourseSet(1, "C1", "", "manual", start=at(100), end=at(200)),
        CourseSet(1, "C1", "student"),
        CourseSet(1, "", "student", "manual"),
    ],
)
def test_what_is_already_so_writes_nothing(wanted: CourseSet) -> None:
    [result], plan = apply((EVE, wanted))
    assert result == SetResult()
    assert plan.is_empty


def test_dates_that_are_given_change_and_the_others_stay() -> None:
    [result], plan = apply((EVE, CourseSet(1, "C1", "student", "manual", end=at(300))))
    assert result.changes == (Change("end1", "200", "300"),)
    assert updated(plan, "user_enrolments") == [(70, {"timeend": 300, "timemodified": NOW})]
    assert plan.dirty_users == {EVE}


def test_a_suspended_enrolment_is_active_again() -> None:
    rows = memberships({"user_enrolments": {(7, EVE): {**EVE_IN_C1, "status": 1, "modifierid": 9}}})
    [result], plan = apply((EVE, CourseSet(1, "C1", "student", "manual")), rows=rows)
    assert result.changes[0] == Change("enrol1", "suspended", "active")
    assert updated(plan, "user_enrolments") == [(70, {"status": 0, "modifierid": 2, "timemodified": NOW})]


def test_what_a_later_row_takes_back_is_not_written() -> None:
    results, plan = apply(
        (EVE, CourseSet(1, "C1", "student", "manual", start=at(150))),
        (EVE, CourseSet(1, "C1", "student", "manual", start=at(100))),
    )
    assert [result.changed for result in results] == [True, True]
    assert plan.is_empty


def test_a_later_row_sees_what_an_earlier_one_did() -> None:
    user = temporary_id(1, 1)
    results, plan = apply(
        (user, CourseSet(1, "C1", "student", "manual")), (user, CourseSet(1, "C1", "student", "manual"))
    )
    assert [result.changed for result in results] == [True, False]
    assert [row["userid"] for row in inserted(plan, "user_enrolments")] == [user]
    assert plan.dirty_users == {user}


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        (CourseSet(1, "C9", "student"), "course_unknown"),
        (CourseSet(1, "C9"), "course_unknown"),
        (CourseSet(1, "Twin", "student"), "course_ambiguous"),
        (CourseSet(1, "Home", "student"), "course_is_site"),
        (CourseSet(1, "C1", "chef"), "role_unknown"),
        (CourseSet(1, "C1", "chef", "manual"), "role_unknown"),
        (CourseSet(1, "C1", "creator"), "role_not_for_courses"),
        (CourseSet(1, "C2", "student", "manual"), "enrol_method_inactive"),
        (CourseSet(1, "C1", "student", "paypal"), "enrol_method_inactive"),
        (CourseSet(1, "C1", "student", "cohort"), "enrol_method_refused"),
        (CourseSet(1, "C1", "student", "manual", wwwroot="https://elsewhere.example"), "course_set_remote"),
        (CourseSet(1, "C1", group="G1"), "course_set_empty"),
        (CourseSet(1, "C1", None, "manual", legacy_type="2"), "course_type_without_role"),
    ],
)
def test_a_faulty_set_does_nothing_and_says_why(wanted: CourseSet, code: str) -> None:
    results, plan = apply((ANN, wanted))
    assert codes(results) == [code]
    assert plan.is_empty
    [note] = results[0].problems
    assert "1" in text_at_column(code, note.params)


def test_a_set_without_role_and_method_is_only_worth_a_note() -> None:
    [result], plan = apply((ANN, CourseSet(1, "C1")))
    assert (result.problems, [note.code for note in result.notes]) == ((), ["course_set_empty"])
    assert plan.is_empty


def test_every_text_has_its_parameters() -> None:
    names = ["column", "course", "identifier", "role", "method", "limit", "group", "value", "name", "instance"]
    params = dict.fromkeys(names, "x")
    for code in texts().by_code:
        if code.startswith(("course_set_", "role_", "enrol_method_", "group_not_enrolled", "group_ambiguous")):
            assert text_of(code, {**params, "count": 2, "columns": "x"}) != code


def test_a_missing_group_is_made_once_and_joined_by_all() -> None:
    results, plan = apply(
        (ANN, CourseSet(1, "C1", "student", "manual", "New")), (EVE, CourseSet(2, "C1", "student", None, "New"))
    )
    assert results[1].changes == (Change("group2", "", "New"),)
    [group] = plan.inserts["groups"]
    assert is_temporary(group.id)
    assert group.values == {
        "courseid": 3,
        "idnumber": "",
        "name": "New",
        "description": None,
        "descriptionformat": 0,
        "enrolmentkey": None,
        "picture": 0,
        "timecreated": NOW,
        "timemodified": NOW,
    }
    assert [(row["groupid"], row["userid"], row["component"]) for row in inserted(plan, "groups_members")] == [
        (group.id, ANN, ""),
        (group.id, EVE, ""),
    ]
    assert "groups" not in plan.updates


def test_an_existing_group_is_touched_once_and_its_conversation_joined() -> None:
    _results, plan = apply(
        (ANN, CourseSet(1, "C1", "student", "manual", "G1")), (EVE, CourseSet(1, "C1", "student", "manual", "G1"))
    )
    assert updated(plan, "groups") == [(30, {"timemodified": NOW})]
    assert plan.updates["groups"][0].lines == (2, 3)
    assert [(row["conversationid"], row["userid"]) for row in inserted(plan, "message_conversation_members")] == [
        (900, ANN),
        (900, EVE),
    ]


def test_a_member_stays_as_he_is_whatever_put_him_there() -> None:
    rows = memberships({**EVE_ROWS, "groups_members": {(30, EVE): {"id": 1, "component": "enrol_meta", "itemid": 4}}})
    [result], plan = apply((EVE, CourseSet(1, "C1", "student", "manual", "G1")), rows=rows)
    assert not result.changed
    assert plan.is_empty


def test_who_is_not_enrolled_gets_the_role_but_no_group() -> None:
    results, plan = apply((ANN, CourseSet(1, "C1", "student", None, "Fresh")))
    assert codes(results) == ["group_not_enrolled"]
    assert results[0].changed
    assert list(plan.inserts) == ["role_assignments"]


def test_a_suspended_enrolment_by_another_method_is_enough_for_a_group() -> None:
    rows = memberships({"user_enrolments": {(10, ANN): {**EVE_IN_C1, "id": 71, "status": 1}}})
    results, plan = apply((ANN, CourseSet(1, "C1", "student", None, "G1")), rows=rows)
    assert codes(results) == []
    assert [row["groupid"] for row in inserted(plan, "groups_members")] == [30]


def test_of_several_groups_of_one_name_the_oldest_is_taken() -> None:
    found = groups(Group(33, 3, "G1", 5), Group(30, 3, "G1", 5), Group(29, 4, "G1", 5))
    [result], plan = apply((EVE, CourseSet(1, "C1", "student", "manual", "G1")), groups=found)
    assert [note.code for note in result.notes] == ["group_ambiguous"]
    assert [row["groupid"] for row in inserted(plan, "groups_members")] == [30]


@pytest.mark.parametrize(("fold", "made"), [(str, ["g1"]), (str.casefold, [])])
def test_the_case_of_a_group_name_counts_where_it_counts_for_the_server(fold: Any, made: list[str]) -> None:
    found = groups(Group(30, 3, "G1", 500), fold=fold)
    _results, plan = apply((EVE, CourseSet(1, "C1", "student", "manual", "g1")), groups=found)
    assert [row["name"] for row in inserted(plan, "groups")] == made


def test_a_group_name_that_does_not_fit_is_refused_after_the_enrolment() -> None:
    results, plan = apply((ANN, CourseSet(1, "C1", "student", "manual", "x" * 255)))
    assert codes(results) == ["group_name_too_long"]
    assert list(plan.inserts) == ["user_enrolments", "role_assignments"]


FORUM = {3: (Forum(600, 3, "/1/20/50/61"),)}


@pytest.mark.parametrize(
    ("permissions", "subscribed"),
    [
        ({1: 1}, True),
        ({}, False),
        ({1: 1, 50: -1}, False),
        ({1: -1, 61: 1}, True),
        ({1: -1000, 50: 1}, False),
        ({1: 1, 60: -1}, True),
    ],
)
def test_a_role_subscribes_to_the_forums_where_it_may_be_subscribed(
    permissions: dict[int, int], subscribed: bool
) -> None:
    _results, plan = apply(
        (ANN, CourseSet(1, "C1", "student", "manual")),
        forums=FORUM,
        permissions={STUDENT: permissions, TEACHER: {1: 1}},
    )
    assert inserted(plan, "forum_subscriptions") == ([{"forum": 600, "userid": ANN}] if subscribed else [])


def test_a_role_that_was_there_subscribes_nobody_again() -> None:
    _results, plan = apply((EVE, CourseSet(1, "C1", "student")), forums=FORUM, permissions={STUDENT: {1: 1}})
    assert plan.is_empty


def test_two_roles_subscribe_once() -> None:
    _results, plan = apply(
        (ANN, CourseSet(1, "C1", "student")),
        (ANN, CourseSet(1, "C1", "editingteacher")),
        forums=FORUM,
        permissions={STUDENT: {1: 1}, TEACHER: {1: 1}},
    )
    assert len(inserted(plan, "forum_subscriptions")) == 1
