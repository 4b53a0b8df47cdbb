"""The examples of groups.md section 2: who is in which group, and the end of empty groups."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest

from tests.moodle_sites import BEGAN
from tests.processors.enrolment_people import RecordsOf, add_people, enrol, groups, join_group
from tests.soundness import assert_sound, faults_of
from tests.support import MoodleSite, RunResult, run_file

pytestmark = pytest.mark.sites("sqlite:5.2", "mariadb:4.1", "postgresql:4.5", "real:m51-seeded")

HEADER = "cmd;courseid;groupid;userid\n"
ADD = "courseid;groupid;userid\nC1;G1;ann\n"


def prepare(site: MoodleSite) -> MoodleSite:
    """ann is enrolled in C1, bob nowhere; C1 has the groups G1 to G3."""
    add_people(site, "bob")
    enrol(site, "ann")
    for name in ("G1", "G2", "G3"):
        site.ids[name] = add_group(site, name)
    return site


def add_group(site: MoodleSite, idnumber: str, course: str = "C1", **values: Any) -> int:
    return site.insert(
        "groups",
        **{"courseid": site.ids[course], "name": f"Group {idnumber}!", "idnumber": idnumber, "timecreated": BEGAN,
           "timemodified": BEGAN, **values},
    )  # fmt: skip


def add_grouping(site: MoodleSite, idnumber: str, course: str = "C1") -> int:
    return site.insert("groupings", courseid=site.ids[course], name=idnumber, idnumber=idnumber, timemodified=BEGAN)


@pytest.fixture
def site(moodle_site: MoodleSite) -> MoodleSite:
    return prepare(moodle_site)


@pytest.fixture
def small(sqlite_site: MoodleSite) -> MoodleSite:
    return prepare(sqlite_site)


def run(site: MoodleSite, text: str | bytes, **options: Any) -> RunResult:
    return run_file(site, "groupmembers", text, **options)


def names(site: MoodleSite, username: str = "ann") -> set[str]:
    return {name.removeprefix("Group ").removesuffix("!") for name in groups(site, username)}


def install_old_plugin(site: MoodleSite) -> None:
    site.execute("DELETE FROM {config_plugins} WHERE plugin = 'tool_sync' AND name = 'version'")
    site.insert("config_plugins", plugin="tool_sync", name="version", value="2024010100")


def unchanged_again(site: MoodleSite, text: str, *earlier: RunResult) -> None:
    before = site.snapshot()
    again = run(site, text, records=RecordsOf(*earlier))
    assert site.diff(before, site.snapshot()) == {}
    assert set(again.counts) == {"unchanged"}


def test_1_add_puts_in_a_group(site: MoodleSite) -> None:
    faults = faults_of(site)
    site.execute("DELETE FROM {config_plugins} WHERE plugin = 'tool_sync'")
    result = run(site, ADD)

    member = site.one("groups_members", userid=site.ids["ann"])
    assert (member["groupid"], member["component"], member["itemid"]) == (site.ids["G1"], "", 0)
    assert member["timeadded"] == pytest.approx(result.started, abs=5)
    assert site.one("groups", id=site.ids["G1"])["timemodified"] == pytest.approx(result.started, abs=5)
    assert (result.codes, result.counts) == (["group_member_added"], {"created": 1})
    unchanged_again(site, ADD)
    assert_sound(site, but=faults)


def test_1_where_moodle_knows_the_old_plugin_memberships_bear_its_name(site: MoodleSite) -> None:
    install_old_plugin(site)
    run(site, ADD)
    assert site.one("groups_members", userid=site.ids["ann"])["component"] == "tool_sync"


def test_2_who_is_not_enrolled_comes_back(site: MoodleSite) -> None:
    result = run(site, "courseid;groupid;userid\nC1;G1;bob\n")
    assert names(site, "bob") == set()
    assert result.codes == ["group_not_enrolled"]
    assert result.tryback is not None
    assert b"C1;G1;bob" in result.tryback


def test_3_shift_leaves_what_toolsync_made_and_nothing_else(site: MoodleSite) -> None:
    faults = faults_of(site)
    first = run(site, ADD)
    join_group(site, "ann", site.ids["G3"])
    text = HEADER + "shift;C1;G2;ann\n"

    result = run(site, text, records=RecordsOf(first))

    assert names(site) == {"G2", "G3"}
    assert result.codes == ["group_member_shifted"]
    assert [note.code for note in result.outcomes[0].notes] == ["group_kept_not_ours"]
    unchanged_again(site, text, first, result)
    assert_sound(site, but=faults)


def test_3_where_nothing_is_known_to_be_ours_nothing_is_left(small: MoodleSite) -> None:
    join_group(small, "ann", small.ids["G3"])
    result = run(small, HEADER + "shift;C1;G2;ann\n")
    assert names(small) == {"G2", "G3"}
    assert result.codes == ["group_member_added"]
    assert [note.code for note in result.outcomes[0].notes] == ["group_kept_not_ours"]


def test_3_the_last_shift_wins_and_the_target_keeps_its_row(small: MoodleSite) -> None:
    install_old_plugin(small)
    kept = join_group(small, "ann", small.ids["G2"])
    run(small, HEADER + "add;C1;G1;ann\nshift;C1;G3;ann\nshift;C1;G1;ann\nshift;C1;G2;ann\n")
    assert names(small) == {"G2"}
    member = small.one("groups_members", userid=small.ids["ann"])
    assert (member["id"], member["timeadded"]) == (kept, BEGAN)


def test_3_a_shift_that_is_refused_takes_nothing_away(small: MoodleSite) -> None:
    install_old_plugin(small)
    join_group(small, "bob", small.ids["G1"], "tool_sync")
    assert run(small, HEADER + "shift;C1;G2;bob\n").codes == ["group_not_enrolled"]
    assert names(small, "bob") == {"G1"}


@pytest.mark.parametrize("component", ["", "tool_sync"])
def test_4_del_takes_out_of_a_group(site: MoodleSite, component: str) -> None:
    join_group(site, "ann", site.ids["G2"], component)
    text = HEADER + "del;C1;G2;ann\n"

    result = run(site, text)

    assert names(site) == set()
    assert site.one("groups", id=site.ids["G2"])["timemodified"] == pytest.approx(result.started, abs=5)
    assert result.codes == ["group_member_removed"]
    before = site.snapshot()
    assert run(site, text).codes == ["group_member_missing"]
    assert site.diff(before, site.snapshot()) == {}


def test_5_a_group_of_another_course_is_not_found(site: MoodleSite) -> None:
    result = run(site, "courseid;groupid;userid\nC2;G1;ann\n")
    assert result.codes == ["group_unidentified"]
    assert result.tryback is not None


def test_6_an_empty_group_comes_back(site: MoodleSite) -> None:
    result = run(site, "courseid;groupid;userid\nC1;;ann\n")
    assert result.codes == ["cell_empty"]
    assert result.tryback is not None
    assert b"C1;;ann" in result.tryback


def test_7_a_membership_of_an_enrolment_method_is_protected(site: MoodleSite) -> None:
    join_group(site, "ann", site.ids["G1"], "enrol_cohort", 7)
    before = site.snapshot()

    result = run(site, HEADER + "del;C1;G1;ann\n")

    assert site.diff(before, site.snapshot()) == {}
    assert result.codes == ["group_member_unchanged"]
    assert "protected" in result.report


def test_8_empty_groups_of_the_courses_in_the_file_go(site: MoodleSite) -> None:
    faults = faults_of(site)
    elsewhere = add_group(site, "EMPTY", "C2")

    result = run(site, ADD, purgeemptygroups=1)

    assert site.rows("groups", id=site.ids["G2"]) == site.rows("groups", id=site.ids["G3"]) == []
    assert site.one("groups", id=site.ids["G1"])["name"] == "Group G1!"
    assert site.one("groups", id=elsewhere)["idnumber"] == "EMPTY"
    assert "Group G2!" in next(str(note.params["names"]) for note in result.notes if note.code == "groups_purged")
    unchanged_again(site, ADD)
    assert_sound(site, but=faults)


def test_9_empty_groupings_go_and_activities_use_none_then(site: MoodleSite) -> None:
    left, held = add_grouping(site, "LEFT"), add_grouping(site, "HELD")
    site.insert("groupings_groups", groupingid=left, groupid=site.ids["G2"])
    site.insert("groupings_groups", groupingid=held, groupid=site.ids["G1"])
    module = site.insert("course_modules", course=site.ids["C1"], module=1, instance=999_999, groupingid=left)
    site.execute(
        "UPDATE {course} SET cacherev = 5, defaultgroupingid = :left WHERE id = :id", left=left, id=site.ids["C1"]
    )
    faults = faults_of(site)

    result = run(site, ADD, purgeemptygroups=2)

    assert site.rows("groupings", id=left) == []
    assert len(site.rows("groupings", id=held)) == 1
    assert site.one("course_modules", id=module)["groupingid"] == 0
    course = site.one("course", id=site.ids["C1"])
    assert course["defaultgroupingid"] == 0
    assert course["cacherev"] >= result.started - 5
    assert_sound(site, but=faults)


TEN = (
    HEADER
    + "add;C1;G1;ann\nshift;C1;G2;ann\nshift;C1;G3;ann\nadd;C1;G1;bob\ndel;C1;G3;ann\ndel;C1;G3;ann\nadd;C1;G2;ann\n"
)


@pytest.mark.parametrize("chunk_rows", [1, 1000])
def test_10_a_simulation_tells_the_same_and_writes_nothing(site: MoodleSite, chunk_rows: int) -> None:
    install_old_plugin(site)
    options = {"chunk_rows": chunk_rows, "purgeemptygroups": 2}
    before = site.snapshot()

    told = run(site, TEN, simulate=True, **options)
    assert site.diff(before, site.snapshot()) == {}
    # A real site may have a grouping of its own that is left without a group.
    groupings = len(site.rows("groupings", courseid=site.ids["C1"]))
    done = run(site, TEN, **options)
    groupings -= len(site.rows("groupings", courseid=site.ids["C1"]))

    assert told.outcomes == done.outcomes
    assert told.notes == done.notes
    assert done.codes == [
        "group_member_added", "group_member_shifted", "group_member_shifted", "group_not_enrolled", "group_member_removed",
        "group_member_missing", "group_member_added", "group_purged", "group_purged", *["grouping_purged"] * groupings,
    ]  # fmt: skip
    assert names(site) == {"G2"}


def test_a_simulation_knows_whom_the_file_takes_out(small: MoodleSite) -> None:
    join_group(small, "ann", small.ids["G1"])
    text = HEADER + "del;C1;G1;ann\nadd;C1;G2;ann\n"
    told = run(small, text, simulate=True, purgeemptygroups=1, chunk_rows=1)
    (note,) = [note for note in told.notes if note.code == "groups_purged"]
    assert note.params == {"count": 2, "names": "Group G1!, Group G3!"}


def restrict(site: MoodleSite, kind: str, thing: int) -> str:
    nested = {"op": "&", "c": [{"op": "|", "c": [{"type": "date"}, {"type": kind, "id": thing}]}]}
    return json.dumps(nested)


def test_groups_that_are_needed_stay(small: MoodleSite) -> None:
    course = small.ids["C1"]
    small.execute("UPDATE {groups} SET enrolmentkey = 'key' WHERE id = :id", id=small.ids["G1"])
    small.insert("enrol", enrol="meta", courseid=course, sortorder=9, customint1=1, customint2=small.ids["G2"])
    small.insert("course_sections", course=course, section=7, availability=restrict(small, "group", small.ids["G3"]))
    by_module, free = add_group(small, "M"), add_group(small, "FREE")
    restriction = restrict(small, "group", by_module)
    small.insert("course_modules", course=course, module=1, instance=1, availability=restriction)
    grouping = add_grouping(small, "R")
    small.insert(
        "course_modules", course=course, module=1, instance=2, availability=restrict(small, "grouping", grouping)
    )

    run(small, HEADER + "del;C1;G1;ann\n", purgeemptygroups=2)

    left = {row["id"] for row in small.rows("groups", courseid=course)}
    assert left == {small.ids["G1"], small.ids["G2"], small.ids["G3"], by_module}
    assert free not in left
    assert [row["id"] for row in small.rows("groupings")] == [grouping]


def test_nothing_is_purged_unless_it_is_wanted(small: MoodleSite) -> None:
    run(small, ADD)
    assert len(small.rows("groups", courseid=small.ids["C1"])) == 3


def test_the_purge_knows_the_courses_of_rows_that_an_earlier_attempt_did(small: MoodleSite) -> None:
    run(small, HEADER + "del;C1;G1;ann\ndel;C1;G2;ann\n", purgeemptygroups=1, after_line=2)
    assert small.rows("groups", courseid=small.ids["C1"]) == []


def test_the_conversation_of_a_group_has_the_same_members(small: MoodleSite) -> None:
    conversation = small.insert(
        "message_conversations", type=2, name="G1", component="core_group", itemtype="groups", itemid=small.ids["G1"],
        contextid=small.ids["C1 context"], enabled=1, timecreated=BEGAN, timemodified=BEGAN,
    )  # fmt: skip
    run(small, ADD)
    assert small.one("message_conversation_members")["conversationid"] == conversation
    run(small, HEADER + "del;C1;G1;ann\n")
    assert small.rows("message_conversation_members") == []


BAD = [
    ("add;ZZ;G1;ann", "course_unknown"),
    ("add;;G1;ann", "cell_empty"),
    ("add;C1;;ann", "cell_empty"),
    ("add;C1;NOPE;ann", "group_unidentified"),
    ("add;C1;DOUBLE;ann", "group_not_unique"),
    ("add;C1;G1;", "cell_empty"),
    ("add;C1;G1;nobody", "account_unknown"),
    ("add;C1;G1;bob", "group_not_enrolled"),
    ("join;C1;G1;ann", "value_not_among"),
]


@pytest.mark.parametrize(("row", "code"), BAD)
def test_a_row_that_is_wrong_is_refused_and_comes_back(small: MoodleSite, row: str, code: str) -> None:
    for _twice in range(2):
        add_group(small, "DOUBLE")
    before = small.snapshot()
    result = run(small, f"{HEADER}{row}\n")
    assert result.codes == [code]
    assert result.tryback is not None
    assert small.diff(before, small.snapshot()) == {}


def test_the_front_page_is_refused(small: MoodleSite) -> None:
    home = small.one("course", id=1)["shortname"]
    assert run(small, f"courseid;groupid;userid\n{home};G1;ann\n").codes == ["course_is_site"]


def test_a_file_without_courses_is_refused_row_by_row(small: MoodleSite) -> None:
    assert run(small, "groupid;userid\nG1;ann\n").codes == ["cell_empty"]


def test_bad_rows_among_a_thousand_are_exactly_those_in_the_tryback(small: MoodleSite) -> None:
    for _twice in range(2):
        add_group(small, "DOUBLE")
    rows = enrol_many(small, 1000, "many")
    places = Random(7).sample(range(1000), len(BAD))
    for place, (row, _code) in zip(places, BAD, strict=True):
        rows[place] = row

    result = run(small, HEADER + "\n".join(rows), chunk_rows=300)

    rejected = {outcome.line: outcome.code for outcome in result.outcomes if outcome.action == "rejected"}
    assert rejected == {place + 2: code for place, (_row, code) in zip(places, BAD, strict=True)}
    assert result.counts == {"created": 1000 - len(BAD), "rejected": len(BAD)}


def enrol_many(site: MoodleSite, count: int, prefix: str) -> list[str]:
    people = [f"{prefix}{number}" for number in range(count)]
    add_people(site, *people)
    for person in people:
        enrol(site, person)
    return [f"add;C1;G1;{person}" for person in people]


def test_a_mended_tryback_goes_through(small: MoodleSite) -> None:
    first = run(small, "courseid;groupid;userid\nFAILED;G1;ann\nC1;G2;ann\n")
    assert first.tryback is not None
    assert run(small, first.tryback.replace(b"FAILED", b"C1")).counts == {"created": 1}
    assert names(small) == {"G1", "G2"}


def test_the_number_of_queries_does_not_grow_with_the_rows(small: MoodleSite) -> None:
    counts = []
    for many, prefix in ((100, "a"), (1000, "b")):
        rows = enrol_many(small, many, prefix)
        counts.append(run(small, HEADER + "\n".join(rows)).queries)
    assert counts[1] <= counts[0] + 1


@pytest.mark.parametrize(("identifier", "value"), [("id", "{G1}"), ("idnumber", "G1"), ("name", "Group G1!")])
def test_groups_are_named_by_each_identifier(small: MoodleSite, identifier: str, value: str) -> None:
    group = value.format(G1=small.ids["G1"])
    result = run(small, f"gcmd;courseid;groupid;userid\nadd;C1;{group};ann\n", groups_groupidentifier=identifier)
    assert result.codes == ["group_member_added"]


@pytest.mark.parametrize(("identifier", "value"), [("id", "{ann}"), ("idnumber", "A1"), ("email", "ann@x.org")])
def test_people_are_named_by_each_identifier(small: MoodleSite, identifier: str, value: str) -> None:
    person = value.format(ann=small.ids["ann"])
    result = run(small, f"courseid;groupid;userid\nC1;G1;{person}\n", useridentifier=identifier)
    assert result.codes == ["group_member_added"]


def test_the_cleanup_of_the_old_plugin_is_understood(small: MoodleSite) -> None:
    run(small, ADD, groups_purgeemptygroups="1")
    assert [row["id"] for row in small.rows("groups", courseid=small.ids["C1"])] == [small.ids["G1"]]
