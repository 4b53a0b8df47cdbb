"""The cohort of a row, and the courses that the cohort is enrolled in."""

from __future__ import annotations

from typing import Any

import pytest

from sync.processors.base.overlay import is_temporary
from sync.processors.base.plan import Plan
from sync.processors.users.row_memberships import SetResult
from sync.values import Change
from tests.processors.membership_states import (
    ANN,
    CO1,
    EVE,
    EVE_IN_C1,
    NOW,
    STUDENT,
    begin,
    cohorts,
    groups,
    inserted,
    make_state,
    memberships,
    updated,
)
from tests.support import MoodleSite, run_file


def join(*cells: tuple[Any, str, str], **changes: Any) -> tuple[list[SetResult], Plan]:
    joined, plan = begin(make_state(**changes))
    results = [joined.add_to_cohort(*cell, line=line) for line, cell in enumerate(cells, start=2)]
    joined.finish()
    return results, plan


def members(plan: Plan) -> list[tuple[Any, Any]]:
    return [(row["cohortid"], row["userid"]) for row in inserted(plan, "cohort_members")]


def test_a_missing_cohort_is_made_in_the_system_context_and_found_by_later_rows() -> None:
    results, plan = join((ANN, "New", "n-1"), (EVE, "", "n-1"), (EVE, "New", ""))
    assert [result.changes for result in results] == [
        (Change("cohort", "", "New"),),
        (Change("cohort", "", "New"),),
        (),
    ]
    [cohort] = plan.inserts["cohort"]
    assert is_temporary(cohort.id)
    assert cohort.values == {
        "contextid": 1,
        "name": "New",
        "idnumber": "n-1",
        "description": "",
        "descriptionformat": 1,
        "visible": 1,
        "component": "",
        "timecreated": NOW,
        "timemodified": NOW,
        "theme": "",
    }
    assert members(plan) == [(cohort.id, ANN), (cohort.id, EVE)]


def test_a_cohort_without_idnumber_has_none_and_no_theme_where_moodle_has_no_such_column() -> None:
    _results, plan = join((ANN, "New", ""), cohort_has_theme=False)
    [cohort] = inserted(plan, "cohort")
    assert cohort["idnumber"] is None
    assert "theme" not in cohort


IN_CATEGORY = CO1 | {"id": 41, "contextid": 20, "idnumber": "c-2"}
ELSEWHERE = CO1 | {"id": 42, "contextid": 21, "name": "Only there", "idnumber": None}
TWICE = cohorts(*(CO1 | {"id": number, "contextid": number, "name": "Twice", "idnumber": None} for number in (43, 44)))


@pytest.mark.parametrize(
    ("name", "idnumber", "cohortid"),
    [
        ("", "c-2", 41),
        ("CO1", "c-2", 41),
        ("CO1", "", 40),
        ("Only there", "unused", 42),
        ("Only there", "", 42),
    ],
)
def test_a_cohort_is_found_by_idnumber_then_in_the_system_then_anywhere(
    name: str, idnumber: str, cohortid: int
) -> None:
    _results, plan = join((ANN, name, idnumber), cohorts=cohorts(CO1, IN_CATEGORY, ELSEWHERE))
    assert members(plan) == [(cohortid, ANN)]
    assert "cohort" not in plan.inserts


@pytest.mark.parametrize(
    ("name", "idnumber", "code"),
    [
        ("Twice", "", "cohort_ambiguous"),
        ("CO1", "unused", "cohort_name_taken"),
        ("", "unused", "cohort_unknown"),
        ("x" * 255, "", "cohort_name_too_long"),
        ("New", "x" * 101, "cohort_idnumber_too_long"),
    ],
)
def test_a_cohort_that_can_not_be_told_or_made_is_a_problem(name: str, idnumber: str, code: str) -> None:
    [result], plan = join((ANN, name, idnumber), cohorts=cohorts(CO1, *TWICE))
    assert [note.code for note in result.problems] == [code]
    assert plan.is_empty


@pytest.mark.parametrize("cells", [(ANN, "", ""), (EVE, "CO1", "")])
def test_no_cohort_and_an_old_member_write_nothing(cells: tuple[int, str, str]) -> None:
    [result], plan = join(cells, rows=memberships({"cohort_members": {(40, EVE): {"id": 1}}}))
    assert result == SetResult()
    assert plan.is_empty


def test_a_new_member_is_enrolled_where_the_cohort_is() -> None:
    _results, plan = join((ANN, "CO1", ""))
    assert inserted(plan, "user_enrolments") == [
        {
            "enrolid": 8,
            "userid": ANN,
            "status": 0,
            "timestart": 0,
            "timeend": 0,
            "modifierid": 2,
            "timecreated": NOW,
            "timemodified": NOW,
        }
    ]
    [role] = inserted(plan, "role_assignments")
    assert (role["contextid"], role["roleid"], role["component"], role["itemid"]) == (50, STUDENT, "enrol_cohort", 8)
    [member] = inserted(plan, "groups_members")
    assert (member["groupid"], member["component"], member["itemid"]) == (31, "enrol_cohort", 8)
    assert updated(plan, "groups") == [(31, {"timemodified": NOW})]
    assert plan.dirty_users == {ANN}


def test_a_suspended_cohort_enrolment_is_active_again_with_its_dates() -> None:
    rows = memberships({"user_enrolments": {(8, ANN): {**EVE_IN_C1, "status": 1}}})
    _results, plan = join((ANN, "CO1", ""), rows=rows)
    assert updated(plan, "user_enrolments") == [(70, {"status": 0, "timemodified": NOW})]


def test_a_group_that_is_gone_is_passed_over() -> None:
    _results, plan = join((ANN, "CO1", ""), groups=groups())
    assert "groups_members" not in plan.inserts
    assert "user_enrolments" in plan.inserts


def test_a_cohort_made_by_the_idnumber_of_another_is_said(sqlite_site: MoodleSite) -> None:
    run_file(sqlite_site, "cohorts", "cidnumber;cname;userid\nIDX;Named;ann\n")
    result = run_file(
        sqlite_site, "users", "username;firstname;lastname;cohort\nc1;A;B;IDX\nc2;A;B;IDX\nc3;A;B;Other\n"
    )
    assert result.counts == {"created": 3}
    assert [[note.code for note in outcome.notes] for outcome in result.outcomes] == [
        ["cohort_named_like_idnumber"],
        [],
        [],
    ]
    assert "the idnumber of the cohort “Named”" in result.report


@pytest.mark.parametrize("cell", ["12.345", "12,345", "12 345", "12\u202f345", "1'234'567"])
def test_no_cohort_is_called_like_a_number_of_a_spreadsheet(sqlite_site: MoodleSite, cell: str) -> None:
    result = run_file(sqlite_site, "users", f"username;firstname;lastname;cohort1\nc1;A;B;{cell}\n")
    assert result.codes == ["cohort_digits_unknown"]
    assert "has put separators into “1" in result.report
    assert sqlite_site.rows("cohort", name=cell) == []


def test_a_cohort_of_the_idnumber_that_is_called_otherwise_is_said(sqlite_site: MoodleSite) -> None:
    run_file(sqlite_site, "cohorts", "cidnumber;cname\nK1;Year 1\nK2;Year 2\n")
    rows = "c1;A;B;Year 1;K2\nc2;A;B;Former name;K1\nc3;A;B;Year 1;K1\nc4;A;B;;K2\nc5;A;B;Year 2;\n"
    for chunk_rows in (1, 100):
        result = run_file(
            sqlite_site, "users", f"username;firstname;lastname;cohort;cohortid\n{rows}", chunk_rows=chunk_rows
        )
        assert [[note.code for note in outcome.notes] for outcome in result.outcomes] == [
            ["cohort_called_otherwise"],
            ["cohort_called_otherwise"],
            [],
            [],
            [],
        ]
        assert "the idnumber “K2”, which is called “Year 2” and not “Year 1”" in result.report
        sqlite_site.execute("DELETE FROM {cohort_members}")
