"""What files and settings of the old plugin mean here, where ToolSync once took them in another way."""

from __future__ import annotations

from typing import Any

import pytest

from sync.values import Action
from tests.moodle_sites import MoodleSite
from tests.support import RunResult, run_file

FREE = "cmd;cidnumber\nfree;LONE\n"
DEAD = [
    ("cohorts", FREE, "cohorts_syncdelete"),
    ("enrolments", "cmd;cid;uid;rolename;enrol\nadd;C1;ann;student;manual\n", "enrolcleanup"),
    ("groupmembers", "courseid;groupid;userid\nC1;LONEGROUP;ann\n", "enrolcleanup"),
    ("groups", "courseid;name\nC1;New\n", "groups_autogrouping"),
]


@pytest.fixture
def site(sqlite_site: MoodleSite) -> MoodleSite:
    """With a cohort of one member, and a group and a grouping that nobody is in."""
    cohort = sqlite_site.insert(
        "cohort", contextid=1, name="Lone", idnumber="LONE", description="", descriptionformat=1, visible=1, component="",
        timecreated=1, timemodified=1,
    )  # fmt: skip
    sqlite_site.insert("cohort_members", cohortid=cohort, userid=sqlite_site.ids["ann"], timeadded=1)
    course = sqlite_site.ids["C1"]
    sqlite_site.insert(
        "groups", courseid=course, name="Lone group", idnumber="LONEGROUP", timecreated=1, timemodified=1
    )
    return sqlite_site


def _codes(result: RunResult) -> list[str]:
    return [note.code for note in result.notes]


@pytest.mark.parametrize(("key", "text", "name"), DEAD)
def test_settings_that_no_code_of_the_plugin_read_do_nothing(site: MoodleSite, key: str, text: str, name: str) -> None:
    result = run_file(site, key, text, **dict[str, Any]({name: "1"}))
    note = next(note for note in result.notes if note.code == "settings_dead")
    assert note.params == {"names": name}
    assert "deleted" not in result.counts
    assert len(site.rows("cohort", idnumber="LONE")) == len(site.rows("groups", idnumber="LONEGROUP")) == 1
    assert site.rows("groupings", name="New") == []
    assert "settings_dead" not in _codes(run_file(site, key, text))


@pytest.mark.parametrize("simulate", [True, False])
def test_what_an_option_deletes_is_counted_and_named(site: MoodleSite, simulate: bool) -> None:
    cohorts = run_file(site, "cohorts", FREE, syncdelete=True, simulate=simulate)
    assert cohorts.counts == {"updated": 1, "deleted": 1}
    assert (cohorts.outcomes[-1].code, cohorts.outcomes[-1].subject) == ("cohort_deleted_empty", "Lone")
    assert "Lone" in cohorts.report
    text = "cmd;cid;uid;rolename;enrol\nadd;C1;ann;student;manual\n"
    groups = run_file(site, "enrolments", text, purgeemptygroups="1", simulate=simulate)
    assert groups.counts["deleted"] == 1
    assert (groups.outcomes[-1].code, groups.outcomes[-1].subject) == ("group_purged", "Lone group")
    assert groups.outcomes[-1].line == 3


def test_an_unknown_group_command_keeps_the_enrolment(site: MoodleSite) -> None:
    text = "cmd;cid;uid;rolename;enrol;gcmd;g1\nadd;C1;ann;student;manual;gjoin;Lone group\n"
    result = run_file(site, "enrolments", text)
    (outcome,) = result.outcomes
    assert (outcome.action, outcome.code, outcome.done) == (Action.PARTIAL, "group_command_unknown", Action.CREATED)
    assert len(site.rows("user_enrolments", userid=site.ids["ann"])) == 1
    assert site.rows("groups_members") == []
    assert run_file(site, "enrolments", text).counts == {"rejected": 1}


def test_an_unknown_updateid_makes_the_group(site: MoodleSite) -> None:
    text = "courseid;name;updateid;idnumber\nC1;Made;NOPE;MADE\n"
    result = run_file(site, "groups", text)
    assert result.codes == ["group_created"]
    assert [note.code for note in result.outcomes[0].notes] == ["group_made_instead"]
    assert site.one("groups", idnumber="MADE")["name"] == "Made"
    assert run_file(site, "groups", text).codes == ["group_unchanged"]


def test_a_cell_of_type_that_is_empty_means_a_grouping(site: MoodleSite) -> None:
    result = run_file(site, "groups", "type;courseid;name\n;C1;Labs\ngroup;C1;Tuesday\n")
    assert result.codes == ["grouping_created", "group_created"]
    assert run_file(site, "groups", "type;courseid;name\nclub;C1;Labs\n").codes == ["value_not_among"]
    assert run_file(site, "groups", "courseid;name\nC1;Wednesday\n").codes == ["group_created"]


@pytest.mark.parametrize(("header", "description"), [("courseid;name", None), ("courseid;name;description", "")])
def test_an_empty_description_is_an_empty_text_and_none_is_null(
    site: MoodleSite, header: str, description: str | None
) -> None:
    cells = ";" if description is not None else ""
    run_file(site, "groups", f"type;{header}\ngrouping;C1;Labs{cells}\n")
    assert site.one("groupings", name="Labs")["description"] == description
    assert run_file(site, "groups", f"type;{header}\ngrouping;C1;Labs{cells}\n").counts == {"unchanged": 1}


def test_a_new_cohort_is_made_though_its_first_member_is_unknown(site: MoodleSite) -> None:
    text = "cidnumber;cname;userid\nNEW;New;nobody\nNEW;New;ann\n"
    result = run_file(site, "cohorts", text, useridentifier="username")
    assert [(o.action, o.code) for o in result.outcomes] == [
        (Action.PARTIAL, "account_unknown"),
        (Action.CREATED, "cohort_member_added"),
    ]
    assert result.tryback is not None
    assert b"nobody" in result.tryback
    cohort = site.one("cohort", idnumber="NEW")
    assert [row["userid"] for row in site.rows("cohort_members", cohortid=cohort["id"])] == [site.ids["ann"]]
    again = run_file(site, "cohorts", text, useridentifier="username")
    assert [o.action for o in again.outcomes] == [Action.REJECTED, Action.UNCHANGED]
