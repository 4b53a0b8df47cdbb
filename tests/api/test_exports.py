"""What is in Moodle as a command file, by the API."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.conftest import MakeProgram, Program, problem_of
from tests.installation import Installation


def content(answer: Any) -> str:
    return str(answer.getvalue().decode("utf-8-sig"))


def test_an_export_sent_back_changes_nothing(rooted: Program, installation: Installation) -> None:
    installation.carry_out("/in.csv", "username;firstname;lastname;email;auth\nneo;Neo;One;n@x.org;ldap\n")
    listed = {found["file_type"]: found["scopes"] for found in rooted.get("exports").json()}
    assert listed["users"] == ["cohorts", "auth"] or set(listed["users"]) == {"cohorts", "auth"}
    assert "users_delete" not in listed
    answer = rooted.get("exports/users?auth=ldap")
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/csv")
    assert 'filename="users_export_' in answer["Content-Disposition"]
    text = content(answer)
    assert len(text.strip().splitlines()) == 2
    again = installation.carry_out("/back.csv", text)
    assert again.counts == {"unchanged": 1}


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("category=1", 422, "option_unknown"),
        ("shoesize=43", 400, "query_invalid"),
        ("auth=" + "x" * 21, 400, "query_invalid"),
        ("auth=%00", 400, "query_invalid"),
    ],
)
def test_a_scope_that_isnt_one_is_said(query: str, status: int, code: str, root: Program) -> None:
    problem_of(root.get(f"exports/users?{query}"), status, code)


def test_exports_are_for_those_who_may_use_the_type_and_look_at_people(program: MakeProgram) -> None:
    other = program("operator", file_types=("courses",))
    problem_of(other.get("exports/users"), 404, "not_found")
    problem_of(other.get("exports/users_delete"), 404, "not_found")
    assert {found["file_type"] for found in other.get("exports").json()} <= {"courses"}
    problem_of(program("operator", "plan").get("exports/courses"), 403, "scope_missing")


def test_a_moodle_that_is_away_is_a_problem_not_half_a_file(root: Program, settings: Any, tmp_path: Any) -> None:
    settings.TOOLSYNC_MOODLE_URL = f"sqlite:///{tmp_path}/away.sqlite3"
    answer = root.get("exports/courses")
    assert answer.status_code in (502, 503)
    assert answer["Content-Type"] == "application/problem+json"
