"""What belongs to one thing only and stands in a file twice: the rejection says in which line, wherever chunks end."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import translation

from sync.outcomes.report import outcome_text
from tests.processors.custom_fields.fields import add_course_fields
from tests.support import MoodleSite, run_file

REPEATED: dict[str, tuple[str, str, int, int, dict[str, Any]]] = {
    "courses by idnumber": ("courses", "shortname;fullname;idnumber\nN1;F;I1\nN2;F;I2\nN3;F;I1\n", 4, 2, {}),
    "groups": (
        "groups", "type;courseid;name;idnumber;updateid\ngroup;C1;A;X1;\ngroup;C2;B;X1;\ngroup;C1;B;X2;\ngroup;C1;B;X1;X2\n",
        5, 2, {},
    ),
    "users by username": (
        "users", "username;firstname;lastname;email;idnumber\na;A;B;x@x.org;I1\nb;A;B;y@x.org;I2\na;A;C;z@x.org;I9\n", 4, 2,
        {},
    ),
    "users by idnumber": (
        "users", "username;firstname;lastname;email;idnumber\na;A;B;x@x.org;I1\nb;A;B;y@x.org;I1\n", 3, 2,
        {},
    ),
    "cohorts by name": (
        "cohorts", "cidnumber;cname\nZ1;One\nZ2;Two\nZ3;One\n", 4, 2, {"cohortidentifier": "idnumber", "allowequalnames": 0},
    ),
}  # fmt: skip


@pytest.mark.parametrize("chunk_rows", [1, 1000])
@pytest.mark.parametrize("name", REPEATED)
def test_the_line_is_named(sqlite_site: MoodleSite, name: str, chunk_rows: int) -> None:
    key, text, line, earlier, options = REPEATED[name]
    result = run_file(sqlite_site, key, text, chunk_rows=chunk_rows, **options)
    (rejected,) = [outcome for outcome in result.outcomes if outcome.action.value == "rejected"]
    assert rejected.line == line
    with translation.override("en"):
        assert f"Line {earlier} of this file has " in outcome_text(rejected)


def test_what_only_moodle_has_names_no_line(sqlite_site: MoodleSite) -> None:
    result = run_file(sqlite_site, "courses", "shortname;fullname;idnumber\nN1;F;IDC1\n")
    assert result.codes == ["course_idnumber_taken"]
    assert "earlier" not in result.outcomes[0].params


def test_a_group_that_is_called_otherwise_is_said(sqlite_site: MoodleSite) -> None:
    result = run_file(sqlite_site, "groups", "type;courseid;name;idnumber\ngroup;C1;A;X1\ngroup;C1;B;X1\n")
    assert result.codes == ["group_created", "group_unchanged"]
    assert [(note.code, note.params["name"]) for note in result.outcomes[1].notes] == [("group_named_otherwise", "A")]


def test_a_group_that_is_nowhere_is_in_no_other_course(sqlite_site: MoodleSite) -> None:
    result = run_file(sqlite_site, "groupmembers", "cmd;courseid;groupid;userid\nadd;C1;NOPE;ann\n")
    with translation.override("en"):
        assert "The course has no group with the idnumber “NOPE”" in outcome_text(result.outcomes[0])


SET_AGAIN: dict[str, tuple[str, str, dict[str, int], dict[str, Any]]] = {
    "preferences": (
        "user_preferences", "user;name;value\nann;htmleditor;tiny\nann;x;1\nANN;htmleditor;textarea\nann;x;1\nann;y;2\n",
        {"count": 1, "line": 4}, {},
    ),
    "custom fields": (
        "custom_fields", "course;field;value\nC1;note;One\nC2;note;Two\nC1;Note;Three\nC1;note;Four\n",
        {"count": 2, "line": 4}, {},
    ),
    "courses": (
        "courses", "shortname;fullname\nC1;One\nC2;Two\nC1;One\nC1;Three\n", {"count": 1, "line": 5}, {"forceupdate": 1},
    ),
}  # fmt: skip


@pytest.mark.parametrize("chunk_rows", [1, 2, 1000])
@pytest.mark.parametrize("name", SET_AGAIN)
def test_what_a_later_row_sets_to_other_values_is_counted(sqlite_site: MoodleSite, name: str, chunk_rows: int) -> None:
    key, text, params, options = SET_AGAIN[name]
    if key == "custom_fields":
        add_course_fields(sqlite_site)
    result = run_file(sqlite_site, key, text, chunk_rows=chunk_rows, **options)
    assert "rejected" not in result.counts
    assert [note.params for note in result.notes if note.code == "set_again_in_rows"] == [params]
    again = run_file(sqlite_site, key, text.splitlines()[0] + "\n" + text.splitlines()[-1] + "\n", **options)
    assert [note for note in again.notes if note.code == "set_again_in_rows"] == []
