"""The examples of groups.md section 1.3: groups and groupings from a file."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from sync.errors import CommandFileError
from sync.processors.registry import guess_processor
from tests.moodle_sites import BEGAN
from tests.soundness import assert_sound, faults_of
from tests.support import MoodleSite, RunResult, run_file

pytestmark = pytest.mark.sites("sqlite:4.5", "mariadb:5.1", "postgresql:5.2", "real:m41-seeded")

GROUPING_A = "type;courseid;name;idnumber\ngrouping;C1;Grouping A;GA\n"
GROUP_1 = "courseid;name;idnumber;grouping\nC1;Section 1;G1;GA\n"


def run(site: MoodleSite, text: str | bytes, **options: Any) -> RunResult:
    return run_file(site, "groups", text, **options)


def group(site: MoodleSite, course: str = "C1", **where: Any) -> dict[str, Any]:
    return site.one("groups", courseid=site.ids[course], **where)


def grouping(site: MoodleSite, course: str = "C1", **where: Any) -> dict[str, Any]:
    return site.one("groupings", courseid=site.ids[course], **where)


def groups_of(site: MoodleSite, groupingid: int) -> set[int]:
    return {row["groupid"] for row in site.rows("groupings_groups", groupingid=groupingid)}


def unchanged_again(site: MoodleSite, text: str) -> None:
    before = site.snapshot()
    again = run(site, text)
    assert site.diff(before, site.snapshot()) == {}
    assert set(again.counts) == {"unchanged"}


def test_1_a_grouping_is_made_once(moodle_site: MoodleSite) -> None:
    result = run(moodle_site, GROUPING_A)

    made = grouping(moodle_site, idnumber="GA")
    assert (made["name"], made["description"], made["descriptionformat"]) == ("Grouping A", None, 0)
    assert made["timecreated"] == made["timemodified"] == pytest.approx(result.started, abs=5)
    assert (result.codes, result.counts) == (["grouping_created"], {"created": 1})
    unchanged_again(moodle_site, GROUPING_A)


def test_2_a_group_is_made_and_put_in_a_grouping_once(moodle_site: MoodleSite) -> None:
    faults = faults_of(moodle_site)
    run(moodle_site, GROUPING_A)

    result = run(moodle_site, GROUP_1)

    made = group(moodle_site, idnumber="G1")
    assert (made["name"], made["description"], made["enrolmentkey"]) == ("Section 1", None, None)
    assert made["timecreated"] == pytest.approx(result.started, abs=5)
    assert groups_of(moodle_site, grouping(moodle_site, idnumber="GA")["id"]) == {made["id"]}
    assert result.codes == ["group_created"]
    unchanged_again(moodle_site, GROUP_1)
    assert_sound(moodle_site, but=faults)


def test_3_a_group_gets_a_grouping_of_its_own_name(moodle_site: MoodleSite) -> None:
    faults = faults_of(moodle_site)
    text = "courseid;name;selfgrouping\nC1;Solo;1\n"

    run(moodle_site, text)

    assert groups_of(moodle_site, grouping(moodle_site, name="Solo")["id"]) == {group(moodle_site, name="Solo")["id"]}
    unchanged_again(moodle_site, text)
    assert_sound(moodle_site, but=faults)


def test_4_an_update_changes_what_the_columns_give(moodle_site: MoodleSite) -> None:
    faults = faults_of(moodle_site)
    moodle_site.insert(
        "groups", courseid=moodle_site.ids["C1"], name="Old", idnumber="G1", description="Kept", descriptionformat=1,
        timecreated=BEGAN, timemodified=BEGAN,
    )  # fmt: skip
    text = "courseid;name;updateid\nC1;Renamed;G1\n"

    result = run(moodle_site, text)

    now = group(moodle_site, idnumber="G1")
    assert (now["name"], now["description"], now["timecreated"]) == ("Renamed", "Kept", BEGAN)
    assert now["timemodified"] == pytest.approx(result.started, abs=5)
    assert result.codes == ["group_updated"]
    unchanged_again(moodle_site, text)
    assert_sound(moodle_site, but=faults)


def test_5_an_unknown_grouping_comes_back_and_the_group_stays(moodle_site: MoodleSite) -> None:
    text = "courseid;name;idnumber;grouping\nC1;X;;NOPE\n"

    result = run(moodle_site, text)

    made = group(moodle_site, name="X")
    assert result.codes == ["grouping_unknown"]
    assert result.tryback is not None
    assert b"C1;X;;NOPE" in result.tryback

    run(moodle_site, "type;courseid;name;idnumber\ngrouping;C1;Nope;NOPE\n")
    again = run(moodle_site, result.tryback)
    assert group(moodle_site, name="X") == made
    assert groups_of(moodle_site, grouping(moodle_site, idnumber="NOPE")["id"]) == {made["id"]}
    assert again.codes == ["group_bound"]


def test_6_an_unknown_course_comes_back(moodle_site: MoodleSite) -> None:
    result = run(moodle_site, "courseid;name\nZZ;G\n")
    assert result.codes == ["course_unknown"]
    assert result.tryback is not None
    assert b"ZZ;G" in result.tryback


def test_7_a_group_of_another_course_is_not_found(moodle_site: MoodleSite) -> None:
    run(moodle_site, "courseid;name;idnumber\nC1;Section 1;G1\n")
    before = moodle_site.snapshot()

    result = run(moodle_site, "courseid;name;updateid\nC2;N;G1\n")

    assert moodle_site.diff(before, moodle_site.snapshot()) == {}
    assert result.codes == ["group_unidentified"]
    assert result.tryback is not None


@pytest.mark.parametrize("chunk_rows", [1, 1000])
def test_groups_of_other_courses_are_those_that_earlier_rows_leave(sqlite_site: MoodleSite, chunk_rows: int) -> None:
    run(sqlite_site, "courseid;name;idnumber\nC1;There;THERE\n")
    text = (
        "courseid;name;idnumber;updateid\n"
        "C1;Made;MADE;\n"
        "C2;N;;MADE\n"
        "C2;N;;THERE\n"
        "C1;There;GONE;THERE\n"
        "C2;N;;GONE\n"
        "C2;N;;THERE\n"
    )
    told = run(sqlite_site, text, simulate=True, chunk_rows=chunk_rows)
    done = run(sqlite_site, text, chunk_rows=chunk_rows)

    assert told.outcomes == done.outcomes
    assert done.codes == [
        "group_created", "group_unidentified", "group_unidentified", "group_updated", "group_unidentified", "group_created",
    ]  # fmt: skip


def test_8_an_unknown_column_is_refused(sqlite_site: MoodleSite) -> None:
    before = sqlite_site.snapshot()
    with pytest.raises(CommandFileError) as refused:
        run(sqlite_site, "courseid;name;colour\nC1;G;red\n")
    assert refused.value.code == "header_unknown_column"
    assert sqlite_site.diff(before, sqlite_site.snapshot()) == {}


MIXED = (
    "type;courseid;name;idnumber;updateid;description;selfgrouping;grouping\n"
    "grouping;C1;Grouping A;GA;;About A;;\n"
    "group;C1;Section 1;G1;;About 1;;GA\n"
    "group;C1;Section 1;G1;;;;GA\n"
    "group;C1;Renamed;;G1;;;\n"
    "group;C1;Solo;;;;1;\n"
    "grouping;C1;Grouping B;;GA;;;\n"
    "group;C1;Solo;;;;1;GA\n"
    "group;C1;Other;G1;;;;\n"
    "group;C1;Lost;;NOWHERE;;;\n"
    "group;C1;X;;;;;NOPE\n"
)


@pytest.mark.parametrize("chunk_rows", [1, 1000])
def test_9_a_simulation_tells_the_same_and_writes_nothing(moodle_site: MoodleSite, chunk_rows: int) -> None:
    before = moodle_site.snapshot()

    told = run(moodle_site, MIXED, simulate=True, chunk_rows=chunk_rows)
    assert moodle_site.diff(before, moodle_site.snapshot()) == {}
    done = run(moodle_site, MIXED, chunk_rows=chunk_rows)

    assert told.outcomes == done.outcomes
    assert done.codes == [
        "grouping_created", "group_created", "group_unchanged", "group_updated", "group_created", "grouping_updated",
        "group_bound", "group_unchanged", "group_created", "grouping_unknown",
    ]  # fmt: skip


RENAMED = (
    "type;courseid;name;idnumber;updateid;selfgrouping;grouping\n"
    "group;C1;Section 1;G1;;;\n"
    "grouping;C1;Grouping A;GA;;;\n"
    "group;C1;Section 1;G1;;;GA\n"
    "group;C1;Section 1;G1;;;GA\n"
    "group;C1;Renamed;;G1;;\n"
    "group;C1;Renamed;;;;GA\n"
    "group;C1;Section 1;;;;\n"
    "grouping;C1;Grouping B;;GA;;\n"
    "grouping;C1;Grouping B;;;;\n"
    "grouping;C1;Grouping A;;;;\n"
    "group;C1;There now;;THERE;1;\n"
    "group;C1;There now;;;1;\n"
    "group;C1;There;;;;\n"
    "group;C1;There again;;THERE;;\n"
)


@pytest.mark.parametrize("chunk_rows", [1, 4, 1000])
def test_a_dry_run_finds_what_earlier_chunks_make_by_its_present_name(sqlite_site: MoodleSite, chunk_rows: int) -> None:
    there = sqlite_site.insert(
        "groups", courseid=sqlite_site.ids["C1"], name="There", idnumber="THERE", timecreated=BEGAN, timemodified=BEGAN
    )
    conversation = sqlite_site.insert(
        "message_conversations", type=2, name="There", component="core_group", itemtype="groups", itemid=there,
        contextid=sqlite_site.ids["C1 context"], enabled=1, timecreated=BEGAN, timemodified=BEGAN,
    )  # fmt: skip
    before = sqlite_site.snapshot()

    told = run(sqlite_site, RENAMED, simulate=True, chunk_rows=chunk_rows)
    assert sqlite_site.diff(before, sqlite_site.snapshot()) == {}
    done = run(sqlite_site, RENAMED, chunk_rows=chunk_rows)

    assert told.outcomes == done.outcomes
    assert done.codes == [
        "group_created", "grouping_created", "group_bound", "group_unchanged", "group_updated", "group_unchanged",
        "group_created", "grouping_updated", "grouping_unchanged", "grouping_created", "group_updated", "group_unchanged",
        "group_created", "group_updated",
    ]  # fmt: skip
    assert sqlite_site.one("message_conversations", id=conversation)["name"] == "There again"
    assert {row["name"] for row in sqlite_site.rows("groups")} == {"Renamed", "Section 1", "There", "There again"}
    assert groups_of(sqlite_site, grouping(sqlite_site, name="There now")["id"]) == {there}


def test_columns_that_are_there_overwrite_and_empty_cells_clear(sqlite_site: MoodleSite) -> None:
    run(sqlite_site, "courseid;name;idnumber;description\nC1;Section 1;G1;Text\n")
    made = group(sqlite_site, name="Section 1")
    assert (made["description"], made["descriptionformat"]) == ("Text", 1)
    text = "courseid;name;idnumber;updateid;description\nC1;Section 1;;Section 1;\n"

    run(sqlite_site, text, groupidentifier="name")

    now = group(sqlite_site, name="Section 1")
    assert (now["id"], now["idnumber"], now["description"] or "") == (made["id"], "", "")


def test_an_empty_updateid_makes_a_group(sqlite_site: MoodleSite) -> None:
    assert run(sqlite_site, "courseid;name;updateid\nC1;New;\n").codes == ["group_created"]


def test_a_change_of_the_identifier_sent_twice_is_done_once(sqlite_site: MoodleSite) -> None:
    run(sqlite_site, "courseid;name;idnumber\nC1;Old;G1\n")
    by_idnumber = "courseid;name;idnumber;updateid\nC1;Old;G2;G1\n"
    assert run(sqlite_site, by_idnumber).codes == ["group_updated"]
    unchanged_again(sqlite_site, by_idnumber)

    by_name = "courseid;name;updateid\nC1;New;Old\n"
    assert run(sqlite_site, by_name, groupidentifier="name").codes == ["group_updated"]
    assert run(sqlite_site, by_name, groupidentifier="name").codes == ["group_unchanged"]


def test_the_conversation_of_a_group_is_renamed_with_it(sqlite_site: MoodleSite) -> None:
    run(sqlite_site, "courseid;name;idnumber\nC1;Old;G1\n")
    conversation = sqlite_site.insert(
        "message_conversations", type=2, name="Old", component="core_group", itemtype="groups",
        itemid=group(sqlite_site, idnumber="G1")["id"], contextid=sqlite_site.ids["C1 context"], enabled=1,
        timecreated=BEGAN, timemodified=BEGAN,
    )  # fmt: skip

    result = run(sqlite_site, "courseid;name;updateid\nC1;New;G1\n")

    now = sqlite_site.one("message_conversations", id=conversation)
    assert (now["name"], now["timemodified"]) == ("New", pytest.approx(result.started, abs=5))


def test_a_grouping_to_be_updated_that_is_missing_is_made(sqlite_site: MoodleSite) -> None:
    text = "type;courseid;name;updateid\ngrouping;C1;Fresh;GX\n"

    result = run(sqlite_site, text)

    assert result.codes == ["grouping_created"]
    assert [note.code for note in result.outcomes[0].notes] == ["grouping_unidentified", "grouping_without_idnumber"]
    unchanged_again(sqlite_site, text)


def test_a_grouping_keeps_the_identifier_that_names_it(sqlite_site: MoodleSite) -> None:
    run(sqlite_site, GROUPING_A)
    run(sqlite_site, "type;courseid;name;idnumber;updateid\ngrouping;C1;Grouping B;GB;GA\n")
    assert grouping(sqlite_site, name="Grouping B")["idnumber"] == "GA"


def test_the_option_gives_every_group_its_grouping(sqlite_site: MoodleSite) -> None:
    text = "courseid;name;selfgrouping\nC1;With;\nC1;Without;0\n"
    run(sqlite_site, text, autogrouping=True)
    assert [row["name"] for row in sqlite_site.rows("groupings")] == ["With"]


def test_a_named_grouping_goes_before_one_of_its_own(sqlite_site: MoodleSite) -> None:
    run(sqlite_site, GROUPING_A)
    run(sqlite_site, "courseid;name;selfgrouping;grouping\nC1;Both;1;GA\n")
    assert [row["name"] for row in sqlite_site.rows("groupings")] == ["Grouping A"]
    assert groups_of(sqlite_site, grouping(sqlite_site)["id"]) == {group(sqlite_site)["id"]}


def test_what_a_row_gives_and_does_not_change_is_said(sqlite_site: MoodleSite) -> None:
    run(sqlite_site, "type;courseid;name;description\ngroup;C1;Old;words\ngrouping;C1;Old;words\n")
    result = run(
        sqlite_site,
        "type;courseid;name;description;grouping\ngroup;C1;Old;other;\ngrouping;C1;Old;other;\ngroup;C1;Old;words;\n"
        "grouping;C1;New;;GA\n",
    )
    assert [[note.code for note in outcome.notes] for outcome in result.outcomes] == [
        ["description_kept"], ["description_kept"], [], ["grouping_in_grouping"],
    ]  # fmt: skip
    assert result.counts == {"unchanged": 3, "created": 1}
    assert {group(sqlite_site, name="Old")["description"], grouping(sqlite_site, name="Old")["description"]} == {
        "words"
    }


def test_two_groups_of_one_name_in_one_file_keep_apart(moodle_site: MoodleSite) -> None:
    run(moodle_site, "courseid;name;idnumber;selfgrouping\nC1;Twin;T1;1\nC1;Twin;T2;1\n")
    twins = {group(moodle_site, idnumber=idnumber)["id"] for idnumber in ("T1", "T2")}
    assert groups_of(moodle_site, grouping(moodle_site, name="Twin")["id"]) == twins


BAD = [
    ("group;ZZ;G;;;;;", "course_unknown"),
    ("group;;G;;;;;", "cell_empty"),
    ("group;C1;;;;;;", "cell_empty"),
    ("team;C1;G;;;;;", "value_not_among"),
    ("group;C1;" + "n" * 255 + ";;;;;", "group_name_too_long"),
    ("group;C1;" + "n" * 256 + ";;;;;", "value_too_long"),
    ("group;C1;G;" + "i" * 101 + ";;;;", "value_too_long"),
    ("group;C1;Double;;;;;", "group_not_unique"),
    ("group;C1;Taken;TAKEN;OWN;;;", "group_idnumber_taken"),
    ("grouping;C1;Taken;TAKEN;;;;", "grouping_idnumber_taken"),
    ("grouping;C1;Double;;;;;", "grouping_not_unique"),
    ("group;C1;Kept;;;;maybe;", "value_not_flag"),
    ("group;C1;Kept;;;;;NOWHERE", "grouping_unknown"),
    ("group;C1;Kept;;;;;DOUBLE", "grouping_not_unique"),
]


def prepare_bad_things(site: MoodleSite) -> None:
    for table, name, idnumber in [
        *[(table, "Double", "DOUBLE") for table in ("groups", "groups", "groupings", "groupings")],
        ("groups", "Holder", "TAKEN"), ("groups", "Own", "OWN"), ("groupings", "Holder", "TAKEN"), ("groups", "Kept", "K"),
    ]:  # fmt: skip
        site.insert(table, courseid=site.ids["C1"], name=name, idnumber=idnumber, timecreated=1, timemodified=1)


@pytest.mark.parametrize(("row", "code"), BAD)
def test_a_row_that_is_wrong_is_refused_and_comes_back(sqlite_site: MoodleSite, row: str, code: str) -> None:
    prepare_bad_things(sqlite_site)
    before = sqlite_site.snapshot()

    result = run(sqlite_site, f"type;courseid;name;idnumber;updateid;description;selfgrouping;grouping\n{row}\n")

    assert result.codes == [code]
    assert result.tryback is not None
    assert sqlite_site.diff(before, sqlite_site.snapshot()) == {}


def test_bad_rows_among_a_thousand_are_exactly_those_in_the_tryback(sqlite_site: MoodleSite) -> None:
    prepare_bad_things(sqlite_site)
    rows = [f"group;C1;Group {number};N{number};;;;" for number in range(1000)]
    places = Random(7).sample(range(1000), len(BAD))
    for place, (row, _code) in zip(places, BAD, strict=True):
        rows[place] = row
    text = "type;courseid;name;idnumber;updateid;description;selfgrouping;grouping\n" + "\n".join(rows)

    result = run(sqlite_site, text, chunk_rows=300)

    rejected = {outcome.line: outcome.code for outcome in result.outcomes if outcome.action == "rejected"}
    assert rejected == {place + 2: code for place, (_row, code) in zip(places, BAD, strict=True)}
    assert result.counts == {"created": 1000 - len(BAD), "rejected": len(BAD)}


def test_a_mended_tryback_goes_through(sqlite_site: MoodleSite) -> None:
    first = run(sqlite_site, "courseid;name\nFAILED;G\nC1;H\n")
    assert first.tryback is not None
    assert run(sqlite_site, first.tryback.replace(b"FAILED", b"C1")).counts == {"created": 1}


def test_the_number_of_queries_does_not_grow_with_the_rows(sqlite_site: MoodleSite) -> None:
    counts = []
    for first, many in ((0, 100), (1000, 1000)):
        rows = "".join(f"C1;Group {number};N{number};1\n" for number in range(first, first + many))
        counts.append(run(sqlite_site, f"courseid;name;idnumber;selfgrouping\n{rows}").queries)
    assert counts[1] <= counts[0] + 1


@pytest.mark.parametrize("identifier", ["id", "idnumber", "shortname"])
def test_courses_are_named_by_each_identifier(sqlite_site: MoodleSite, identifier: str) -> None:
    course = sqlite_site.one("course", id=sqlite_site.ids["C1"])
    result = run(sqlite_site, f"courseid;name\n{course[identifier]};G\n", courseidentifier=identifier)
    assert result.codes == ["group_created"]
    assert group(sqlite_site)["name"] == "G"


def test_the_names_of_the_old_plugin_are_understood(sqlite_site: MoodleSite) -> None:
    run(sqlite_site, "courseid;name\nIDC1;G\n", groups_courseidentifier="idnumber", autogrouping=1)
    assert grouping(sqlite_site)["name"] == "G"


def test_the_file_type_is_guessed_from_the_header() -> None:
    assert guess_processor({"courseid", "name", "idnumber"}) == "groups"
    assert guess_processor({"courseid", "groupid", "userid"}) == "groupmembers"
    assert guess_processor({"cmd", "courseid", "groupid", "userid"}) == "groupmembers"


def test_two_idnumbers_with_one_name_are_two_groups_and_said(sqlite_site: MoodleSite) -> None:
    result = run(sqlite_site, "courseid;name;idnumber\nC1;Same;SAME-1\nC1;Same;SAME-2\nC1;Other;SAME-1\n")
    assert result.codes == ["group_created", "group_created", "group_unchanged"]
    assert [[note.code for note in outcome.notes] for outcome in result.outcomes] == [
        [], ["group_name_shared"], ["group_named_otherwise"],
    ]  # fmt: skip
    assert len(sqlite_site.rows("groups", name="Same")) == 2


def test_two_idnumbers_with_one_name_are_no_two_groupings(sqlite_site: MoodleSite) -> None:
    text = "type;courseid;name;idnumber\ngrouping;C1;One;ONE-1\ngrouping;C1;One;ONE-2\ngrouping;C1;One;\ngrouping;C1;One;one-1\n"
    result = run(sqlite_site, text.replace("one-1", "ONE-1"))
    assert result.codes == ["grouping_created", "grouping_name_taken", "grouping_unchanged", "grouping_unchanged"]
    assert [row["idnumber"] for row in sqlite_site.rows("groupings", name="One")] == ["ONE-1"]


def test_a_grouping_without_idnumber_keeps_none_and_says_so(sqlite_site: MoodleSite) -> None:
    text = "type;courseid;name;idnumber\ngrouping;C1;One;\ngrouping;C1;One;ONE-2\n"
    outcome = run(sqlite_site, text).outcomes[1]
    assert (outcome.code, [note.code for note in outcome.notes]) == ("grouping_unchanged", ["grouping_keeps_idnumber"])
