"""The group commands of an enrolments file. Spec: enrols.md section 4.7, groups.md section 2 (rule table)."""

from __future__ import annotations

from typing import Any

import pytest

from sync.values import Action
from tests.moodle_sites import BEGAN
from tests.processors.enrolment_people import (
    EDITING_TEACHER,
    RecordsOf,
    add_group,
    add_people,
    enrol,
    give_role,
    groups,
    join_group,
)
from tests.soundness import assert_sound, faults_of
from tests.support import MoodleSite, RunResult, run_file

HEADER = "cmd;cid;uid;rolename;enrol;gcmd;g1;g2;g3\n"


@pytest.fixture
def site(sqlite_site: MoodleSite) -> MoodleSite:
    add_people(sqlite_site, "u1", "u2")
    enrol(sqlite_site, "u1")
    return sqlite_site


def _run(site: MoodleSite, *rows: str, **options: Any) -> RunResult:
    return run_file(site, "enrolments", HEADER + "".join(f"{row}\n" for row in rows), **options)


def _notes(result: RunResult) -> list[tuple[str, str]]:
    return [(note.code, note.params.get("group", "")) for outcome in result.outcomes for note in outcome.notes]


def test_gadd_joins_what_is_there_and_feeds_back_the_rest(site: MoodleSite) -> None:
    faults = faults_of(site)
    first = add_group(site, "G1")

    result = _run(site, "add;C1;u1;student;manual;gadd;G1;;G3", "add;C1;u2;student;manual;gadd;;;G1")

    assert groups(site, "u1") == groups(site, "u2") == {"G1": ""}
    assert site.rows("groups", name="G3") == []
    assert site.one("groups", id=first)["timemodified"] >= result.started
    assert [outcome.code for outcome in result.outcomes] == ["group_unknown", "enrolment_created"]
    assert result.outcomes[0].params == {"column": "g3", "group": "G3"}
    assert result.tryback is not None
    assert result.tryback.count(b"add;C1;u1") == 1
    assert_sound(site, but=faults)


def test_gaddcreate_makes_a_missing_group_once_in_its_course(site: MoodleSite) -> None:
    faults = faults_of(site)
    add_group(site, "G1", "C2")

    _run(site, "add;C1;u1;student;manual;gaddcreate;G1;G2;", "add;C1;u2;student;manual;gaddcreate;G1;;")

    made = site.one("groups", courseid=site.ids["C1"], name="G1")
    assert (made["idnumber"], made["enrolmentkey"], made["description"]) == ("", None, None)
    assert {row["userid"] for row in site.rows("groups_members", groupid=made["id"])} == {
        site.ids["u1"],
        site.ids["u2"],
    }
    assert groups(site, "u1") == {"G1": "", "G2": ""}
    assert_sound(site, but=faults)


def test_who_is_a_member_stays_as_he_is(site: MoodleSite) -> None:
    join_group(site, "u1", add_group(site, "G1"), "enrol_meta", 7)
    before = site.snapshot()

    result = _run(site, "add;C1;u1;student;manual;gadd;G1;;")

    assert site.diff(before, site.snapshot()) == {}
    assert result.counts == {"unchanged": 1}
    assert _notes(result) == [("group_member_already", "G1")]


@pytest.mark.parametrize("gcmd", ["gadd", "gaddcreate", "greplace", "greplacecreate"])
def test_only_who_is_enrolled_joins_whatever_roles_he_has(site: MoodleSite, gcmd: str) -> None:
    add_group(site, "G1")
    give_role(site, "u2", "C1", EDITING_TEACHER)

    result = _run(site, f"enable;C1;u2;;manual;{gcmd};G1;G2;")

    assert result.codes == ["group_not_enrolled"]
    assert groups(site, "u2") == {}
    assert site.rows("groups", name="G2") == []


def test_greplace_leaves_the_other_groups_and_keeps_the_membership_that_stays(site: MoodleSite) -> None:
    """E2: the old plugin stopped the file after it had removed everything."""
    kept = join_group(site, "u1", add_group(site, "G1"))
    join_group(site, "u1", add_group(site, "G2"), "tool_sync")
    other_course = add_group(site, "G9", "C2")
    join_group(site, "u1", other_course)
    # Nobody has enrolled u1 in C2.
    faults = faults_of(site)

    result = _run(site, "add;C1;u1;student;manual;greplace;G1;G3;", "add;C1;u2;student;manual;;;;")

    assert groups(site, "u1") == {"G1": "", "G9": ""}
    assert site.one("groups_members", id=kept)["timeadded"] == BEGAN
    assert result.codes == ["group_unknown", "enrolment_created"]
    assert_sound(site, but=faults)


def test_greplace_without_groups_leaves_them_all(site: MoodleSite) -> None:
    join_group(site, "u1", add_group(site, "G1"))

    assert _run(site, "add;C1;u1;student;manual;greplace;;;").codes == ["enrolment_groups_changed"]
    assert groups(site, "u1") == {}


@pytest.mark.parametrize("gcmd", ["greplace", "gdel"])
@pytest.mark.parametrize("protected", [False, True])
def test_memberships_of_methods_stay_and_the_report_says_so(site: MoodleSite, gcmd: str, protected: bool) -> None:
    """E11: the old plugin reported that it had removed them."""
    join_group(site, "u1", add_group(site, "G1"), "enrol_cohort", 8)

    result = _run(site, f"add;C1;u1;student;manual;{gcmd};{'G1' if gcmd == 'gdel' else ''};;", protectgroups=protected)

    assert groups(site, "u1") == {"G1": "enrol_cohort"}
    assert result.counts == {"unchanged": 1}
    assert _notes(result) == [("group_kept_by_method", "G1")]
    assert "still in the group “G1”" in result.report


def test_gdel_leaves_the_named_groups_and_tells_what_it_can_not(site: MoodleSite) -> None:
    join_group(site, "u1", add_group(site, "G1"))
    add_group(site, "G2")

    result = _run(site, "add;C1;u1;student;manual;gdel;G1;G2;G3")

    assert groups(site, "u1") == {}
    outcome = result.outcomes[0]
    assert (outcome.action, outcome.code, outcome.params["group"]) == (Action.PARTIAL, "group_unknown", "G3")
    assert ("group_not_member", "G2") in _notes(result)


def test_protected_gdel_takes_away_ours_alone(site: MoodleSite) -> None:
    join_group(site, "u1", add_group(site, "G1"))
    join_group(site, "u1", add_group(site, "G2"), "tool_sync")

    result = _run(site, "add;C1;u1;student;manual;gdel;G1;G2;", protectgroups=True)

    assert groups(site, "u1") == {"G1": ""}
    assert _notes(result) == [("group_not_ours", "G1")]
    assert result.codes == ["enrolment_groups_changed"]


def test_what_earlier_runs_and_earlier_rows_made_is_ours(site: MoodleSite) -> None:
    for name in ("G1", "G2", "G3"):
        add_group(site, name)
    earlier = _run(site, "add;C1;u1;student;manual;gadd;G1;;")

    rows = ("add;C1;u1;student;manual;gadd;G2;;", "add;C1;u1;student;manual;greplace;G3;;")
    for options in ({"chunk_rows": 1, "simulate": True}, {"simulate": True}, {}):
        result = _run(site, *rows, protectgroups=True, records=RecordsOf(earlier), **options)
        assert _notes(result) == []
        assert result.counts == {"updated": 2}

    assert groups(site, "u1") == {"G3": ""}


def test_of_groups_alike_the_oldest_is_taken_with_a_warning(site: MoodleSite) -> None:
    oldest = add_group(site, "G1")
    add_group(site, "G1")

    result = _run(site, "add;C1;u1;student;manual;gadd;G1;;")

    assert site.one("groups_members", userid=site.ids["u1"])["groupid"] == oldest
    assert _notes(result) == [("group_ambiguous", "G1")]


def test_the_groups_are_left_alone_when_the_command_fails(site: MoodleSite) -> None:
    """E9: the old plugin went on with the groups."""
    before = site.snapshot()

    result = _run(site, "add;C1;u1;chef;manual;gaddcreate;G1;;", "add;C1;u2;;manual;gaddcreate;G1;;")

    assert site.diff(before, site.snapshot()) == {}
    assert result.codes == ["role_unknown", "cell_empty"]


def test_without_group_command_the_names_are_not_looked_at(site: MoodleSite) -> None:
    assert _run(site, "add;C1;u1;student;manual;;GX;;").counts == {"unchanged": 1}


def test_a_group_name_that_moodle_can_not_hold_is_an_error(site: MoodleSite) -> None:
    assert _run(site, f"add;C1;u1;student;manual;gaddcreate;{'x' * 255};;").codes == ["value_too_long"]


def test_the_conversation_of_a_group_follows(site: MoodleSite) -> None:
    group = add_group(site, "G1")
    talk = site.insert(
        "message_conversations", type=2, name="G1", convhash="", component="core_group", itemtype="groups", itemid=group,
        contextid=site.ids["C1 context"], enabled=1, timecreated=BEGAN, timemodified=BEGAN,
    )  # fmt: skip

    _run(site, "add;C1;u1;student;manual;gadd;G1;;")
    assert site.one("message_conversation_members", conversationid=talk)["userid"] == site.ids["u1"]

    _run(site, "add;C1;u1;student;manual;gdel;G1;;")
    assert site.rows("message_conversation_members", conversationid=talk) == []


def test_who_leaves_a_course_and_comes_back_in_one_file_has_lost_his_groups_and_roles(site: MoodleSite) -> None:
    faults = faults_of(site)
    join_group(site, "u1", add_group(site, "G1"))
    rows = (
        "del;C1;u1;;manual;;;;", "add;C1;u1;editingteacher;manual;;;;", "add;C1;u1;editingteacher;manual;gdel;G1;;",
    )  # fmt: skip

    result = _run(site, *rows)

    assert groups(site, "u1") == {}
    assert site.one("role_assignments", userid=site.ids["u1"])["roleid"] == EDITING_TEACHER
    assert ("group_not_member", "G1") in _notes(result)
    assert_sound(site, but=faults)


@pytest.mark.parametrize("chunk_rows", [1, 1000])
def test_a_simulation_knows_the_groups_that_it_would_have_made(site: MoodleSite, chunk_rows: int) -> None:
    rows = (
        "add;C1;u2;student;manual;gaddcreate;G1;G2;", "add;C1;u2;student;manual;greplacecreate;G3;G1;",
        "add;C1;u2;student;manual;gadd;G2;;", "del;C1;u2;;manual;;;;", "add;C1;u2;student;manual;gadd;G3;;",
    )  # fmt: skip
    before = site.snapshot()

    simulated = _run(site, *rows, simulate=True, chunk_rows=chunk_rows)

    assert site.diff(before, site.snapshot()) == {}
    real = _run(site, *rows, chunk_rows=1)
    assert [outcome[1:6] for outcome in simulated.outcomes] == [outcome[1:6] for outcome in real.outcomes]
    assert groups(site, "u2") == {"G3": ""}


@pytest.mark.parametrize("chunk_rows", [1, 1000])
def test_a_simulation_may_know_of_groups_in_courses_that_the_row_does_not_name(
    site: MoodleSite, chunk_rows: int
) -> None:
    add_group(site, "G1")
    rows = (
        "add;C1;u1;student;manual;gadd;G1;;",
        "add;C2;u1;student;manual;greplacecreate;G9;;",
        "del;C2;u1;;manual;;;;",
    )

    told = _run(site, *rows, simulate=True, chunk_rows=chunk_rows)

    assert [outcome[1:6] for outcome in told.outcomes] == [outcome[1:6] for outcome in _run(site, *rows).outcomes]


def test_groups_without_a_command_are_said_to_come_to_nothing(sqlite_site: MoodleSite) -> None:
    text = "cmd;cid;uid;rolename;enrol;endtime;gcmd;g1\nadd;C1;ann;student;manual;2020-01-01;;G1\n"
    text += "del;C1;ann;student;manual;;;G1\n"
    result = run_file(sqlite_site, "enrolments", text)
    assert [[note.code for note in outcome.notes] for outcome in result.outcomes] == [
        ["enrolment_ended", "group_command_empty"],
        [],
    ]


@pytest.mark.parametrize("gcmd", ["gadd", "gaddcreate", "greplace", "greplacecreate"])
@pytest.mark.parametrize("cell", ["G1, G2", "G9; G2", "G1|G9"])
def test_a_cell_that_lists_groups_makes_none_and_takes_nobody_out(site: MoodleSite, gcmd: str, cell: str) -> None:
    for name in ("G1", "G2", "G3"):
        join_group(site, "u1", add_group(site, name))

    result = _run(site, f'add;C1;u1;student;manual;{gcmd};"{cell}";;')

    assert result.codes == ["group_list"]
    assert groups(site, "u1") == {"G1": "", "G2": "", "G3": ""}
    assert site.rows("groups", name=cell) == []


def test_a_group_that_is_made_like_a_list_is_said_at_the_top(site: MoodleSite) -> None:
    result = _run(site, 'add;C1;u1;student;manual;gaddcreate;"G8, G9";;')
    assert groups(site, "u1") == {"G8, G9": ""}
    assert {note.code: note.params for note in result.notes}["made_like_list_in_rows"] == {"count": 1, "line": 2}


def test_a_group_may_be_called_like_a_list(site: MoodleSite) -> None:
    for name in ("G1", "G2", "G1, G2"):
        add_group(site, name)

    _run(site, 'add;C1;u1;student;manual;greplace;"G1, G2";;')

    assert groups(site, "u1") == {"G1, G2": ""}
