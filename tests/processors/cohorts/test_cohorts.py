"""The examples of cohorts.md section 1.6, and what a file of cohorts promises beside them."""

from __future__ import annotations

from typing import Any

import pytest

from sync.processors.registry import guess_processor
from tests.soundness import assert_sound, faults_of
from tests.support import MoodleSite, RunResult, run_file

pytestmark = pytest.mark.sites("sqlite:5.2", "mariadb:4.1", "postgresql:4.5", "real:m51-seeded")

STUDENT = 5
BY_IDNUMBER = {"useridentifier": "idnumber"}


def run(site: MoodleSite, text: str, **options: Any) -> RunResult:
    return run_file(site, "cohorts", text, **{**BY_IDNUMBER, **options})


def cohort(site: MoodleSite, idnumber: str = "COH1") -> dict[str, Any]:
    return site.one("cohort", idnumber=idnumber)


def members(site: MoodleSite, idnumber: str = "COH1") -> set[int]:
    return {row["userid"] for row in site.rows("cohort_members", cohortid=cohort(site, idnumber)["id"])}


def add_user(site: MoodleSite, name: str) -> int:
    """Insert a user whose idnumber is the name in capitals."""
    return site.insert(
        "user", auth="manual", confirmed=1, mnethostid=1, username=name, idnumber=name.upper(), firstname=name, lastname="X",
        email=f"{name}@x.org", timecreated=1, timemodified=1,
    )  # fmt: skip


def bind(site: MoodleSite, idnumber: str = "COH1", *, group: bool = False) -> dict[str, int]:
    """Enrol a cohort in C1, and its members in it."""
    groupid = (
        site.insert("groups", courseid=site.ids["C1"], name="Cohort group", idnumber="", timecreated=1, timemodified=1)
        if group
        else 0
    )
    cohortid = cohort(site, idnumber)["id"]
    enrolid = site.insert(
        "enrol", enrol="cohort", courseid=site.ids["C1"], status=0, sortorder=9, roleid=STUDENT, customint1=cohortid,
        customint2=groupid,
    )  # fmt: skip
    for userid in members(site, idnumber):
        site.insert("user_enrolments", enrolid=enrolid, userid=userid, status=0, timestart=0, timeend=0)
        site.insert(
            "role_assignments", roleid=STUDENT, contextid=site.ids["C1 context"], userid=userid,
            component="enrol_cohort", itemid=enrolid,
        )  # fmt: skip
        if group:
            site.insert(
                "groups_members", groupid=groupid, userid=userid, timeadded=1, component="enrol_cohort", itemid=enrolid
            )
    return {"enrol": enrolid, "group": groupid}


TEACHERS = "cmd;cname;cdescription;cidnumber\nadd;Teachers;Staff;COH1\n"


def test_1_a_cohort_is_made_in_the_system_context(moodle_site: MoodleSite) -> None:
    result = run(moodle_site, TEACHERS)

    made = cohort(moodle_site)
    assert (made["contextid"], made["name"], made["description"], made["visible"]) == (1, "Teachers", "Staff", 1)
    assert members(moodle_site) == set()
    assert (result.codes, result.tryback) == (["cohort_created"], None)


def test_2_a_member_is_added_once(moodle_site: MoodleSite) -> None:
    faults = faults_of(moodle_site)
    run(moodle_site, TEACHERS)
    before = cohort(moodle_site)

    result = run(moodle_site, "userid;cidnumber\nA1;COH1\n")

    assert members(moodle_site) == {moodle_site.ids["ann"]}
    assert cohort(moodle_site) == before
    assert result.codes == ["cohort_member_added"]
    untouched = moodle_site.snapshot()
    assert run(moodle_site, "userid;cidnumber\nA1;COH1\n").codes == ["cohort_member_already"]
    assert moodle_site.diff(untouched, moodle_site.snapshot()) == {}
    assert_sound(moodle_site, but=faults)


@pytest.mark.parametrize("command", ["add", "del"])
def test_3_and_4_an_unknown_user_harms_nobody(moodle_site: MoodleSite, command: str) -> None:
    run(moodle_site, TEACHERS)
    before = moodle_site.snapshot()

    result = run(moodle_site, f"cmd;userid;cidnumber\n{command};GHOST;COH1\n")

    assert result.codes == ["account_unknown"]
    assert result.tryback is not None
    assert b"GHOST" in result.tryback
    assert moodle_site.diff(before, moodle_site.snapshot()) == {}


def test_5_a_cohort_goes_with_its_members_and_enrolments(moodle_site: MoodleSite) -> None:
    faults = faults_of(moodle_site)
    run(moodle_site, TEACHERS)
    add_user(moodle_site, "ben")
    run(moodle_site, "userid;cidnumber\nA1;COH1\nBEN;COH1\n")
    bound = bind(moodle_site, group=True)
    cohortid = cohort(moodle_site)["id"]

    result = run(moodle_site, "cmd;cidnumber\ndel;COH1\n")

    assert moodle_site.rows("cohort", id=cohortid) == []
    assert moodle_site.rows("cohort_members", cohortid=cohortid) == []
    assert moodle_site.rows("enrol", id=bound["enrol"]) == []
    assert moodle_site.rows("user_enrolments", enrolid=bound["enrol"]) == []
    assert moodle_site.rows("role_assignments", component="enrol_cohort", itemid=bound["enrol"]) == []
    assert moodle_site.rows("groups_members", groupid=bound["group"]) == []
    assert moodle_site.one("groups", id=bound["group"])["timemodified"] > 1
    assert result.counts == {"deleted": 1}
    assert_sound(moodle_site, but=faults)


def test_6_a_cohort_is_emptied_and_stays(moodle_site: MoodleSite) -> None:
    run(moodle_site, TEACHERS)
    run(moodle_site, "userid;cidnumber\nA1;COH1\n")
    bound = bind(moodle_site)

    result = run(moodle_site, "cmd;cidnumber\nfree;COH1\n")

    assert members(moodle_site) == set()
    assert moodle_site.rows("user_enrolments", enrolid=bound["enrol"]) == []
    assert moodle_site.rows("enrol", id=bound["enrol"])
    assert result.codes == ["cohort_freed"]
    assert run(moodle_site, "cmd;cidnumber\nfree;COH1\n").codes == ["cohort_empty_already"]


def test_7_a_name_that_is_taken_is_refused_unless_the_site_wants_it(moodle_site: MoodleSite) -> None:
    run(moodle_site, TEACHERS)
    text = "cmd;cname;cdescription;cidnumber\nadd;Teachers;;COH2\n"

    result = run(moodle_site, text)

    assert result.codes == ["cohort_taken"]
    assert result.tryback is not None
    assert run(moodle_site, text, allowequalnames=True).codes == ["cohort_created"]


def test_8_a_cohort_belongs_to_the_category_that_it_names(moodle_site: MoodleSite) -> None:
    faults = faults_of(moodle_site)
    moodle_site.execute("UPDATE {course_categories} SET idnumber = 'SCI' WHERE id = 1")
    text = "cidnumber;cname;ccatcontextidnumber\nCOH3;Cat cohort;SCI\nCOH4;Other;NOPE\n"

    result = run(moodle_site, text)

    context = moodle_site.one("context", contextlevel=40, instanceid=1)["id"]
    assert cohort(moodle_site, "COH3")["contextid"] == context
    assert result.codes == ["cohort_created", "category_unknown"]
    moved = run(moodle_site, "cidnumber;ccatcontext\nCOH3;0\n")
    assert moved.codes == ["cohort_updated"]
    assert cohort(moodle_site, "COH3")["contextid"] == 1
    assert_sound(moodle_site, but=faults)


def test_9_unknown_cohorts_are_made_only_where_that_is_wanted(moodle_site: MoodleSite) -> None:
    result = run(moodle_site, "cidnumber\nCOH9\n", autocreate=False)
    assert result.codes == ["cohort_missing"]
    assert run(moodle_site, "cidnumber\nCOH9\n").codes == ["cohort_created"]
    assert cohort(moodle_site, "COH9")["name"] == "COH9"


def test_10_a_cohort_may_be_known_by_its_name(moodle_site: MoodleSite) -> None:
    run(moodle_site, TEACHERS)
    result = run(moodle_site, "cname;userid\nTeachers;A1\n", cohortidentifier="name")
    assert result.codes == ["cohort_member_added"]
    assert members(moodle_site) == {moodle_site.ids["ann"]}


def test_an_update_changes_what_the_row_fills_and_nothing_twice(moodle_site: MoodleSite) -> None:
    run(moodle_site, TEACHERS)
    text = "cidnumber;cname;cdescription\nCOH1;Lecturers;\n"

    result = run(moodle_site, text)

    now = cohort(moodle_site)
    assert (now["name"], now["description"]) == ("Lecturers", "Staff")
    assert result.codes == ["cohort_updated"]
    before = moodle_site.snapshot()
    assert run(moodle_site, text).codes == ["cohort_unchanged"]
    assert moodle_site.diff(before, moodle_site.snapshot()) == {}


def test_members_are_enrolled_and_unenrolled_where_the_cohort_is(moodle_site: MoodleSite) -> None:
    faults = faults_of(moodle_site)
    run(moodle_site, TEACHERS)
    bound = bind(moodle_site)
    ann = moodle_site.ids["ann"]

    run(moodle_site, "userid;cidnumber\nA1;COH1\n")
    assert moodle_site.one("user_enrolments", enrolid=bound["enrol"])["userid"] == ann
    assert moodle_site.one("role_assignments", component="enrol_cohort", itemid=bound["enrol"])["userid"] == ann

    run(moodle_site, "cmd;userid;cidnumber\ndel;A1;COH1\n")
    assert moodle_site.rows("user_enrolments", enrolid=bound["enrol"]) == []
    assert_sound(moodle_site, but=faults)


def test_enrolments_may_be_left_to_moodle(sqlite_site: MoodleSite) -> None:
    run(sqlite_site, TEACHERS)
    bound = bind(sqlite_site)
    run(sqlite_site, "userid;cidnumber\nA1;COH1\n", followenrolments=False)
    assert sqlite_site.rows("user_enrolments", enrolid=bound["enrol"]) == []


def test_cohorts_that_the_file_empties_may_be_deleted_at_the_end(moodle_site: MoodleSite) -> None:
    run(moodle_site, "cidnumber;userid\nCOH1;A1\nCOH2;A1\nCOH3;\n")
    text = "cmd;cidnumber;userid\ndel;COH1;A1\n"

    result = run(moodle_site, text, syncdelete=True)

    assert moodle_site.rows("cohort", idnumber="COH1") == []
    assert moodle_site.rows("cohort", idnumber="COH2")
    assert moodle_site.rows("cohort", idnumber="COH3")
    assert [note.code for note in result.notes] == ["cohorts_deleted_empty"]


def test_a_simulation_tells_the_same_and_writes_nothing(moodle_site: MoodleSite) -> None:
    text = (
        "cmd;cidnumber;cname;userid\nadd;COH1;Teachers;A1\nadd;COH1;;A1\nadd;COH1;Lecturers;\ndel;COH1;;A1\nfree;COH1;;\n"
        "add;COH2;Teachers;\ndel;COH1;;\nfree;NOPE;;\n"
    )
    before = moodle_site.snapshot()

    told = run(moodle_site, text, simulate=True, chunk_rows=1)
    assert moodle_site.diff(before, moodle_site.snapshot()) == {}
    done = run(moodle_site, text, chunk_rows=1)

    assert [outcome.code for outcome in told.outcomes] == [outcome.code for outcome in done.outcomes]
    assert done.codes == [
        "cohort_created", "cohort_member_already", "cohort_updated", "cohort_member_removed", "cohort_empty_already",
        "cohort_created", "cohort_user_empty", "cohort_missing",
    ]  # fmt: skip


def test_the_chunk_makes_no_difference(sqlite_site: MoodleSite) -> None:
    text = "cmd;cidnumber;cname\nadd;COH1;Teachers\nadd;COH1;Lecturers\ndel;COH1;\nadd;COH1;\n"
    codes = [run(sqlite_site, text, simulate=True, chunk_rows=rows).codes for rows in (1, 2, 100)]
    assert codes[0] == codes[1] == codes[2]


@pytest.mark.parametrize("chunk_rows", [1, 100])
def test_a_name_that_a_spreadsheet_has_counted_on_is_said(sqlite_site: MoodleSite, chunk_rows: int) -> None:
    for name in ("kim1", "kim2", "kim3", "kim4"):
        add_user(sqlite_site, name)
    header = "cidnumber;cname;userid\n"
    rows = "Y1;Year 1;KIM1\nY1;Year 2;KIM2\nY1;;KIM4\nY1;Year 3;KIM3\nY2;Year 2;KIM1\nY2;Year 2;KIM2\n"
    result = run(sqlite_site, header + rows, chunk_rows=chunk_rows, allowequalnames=True)
    said = [note.params for note in result.notes if note.code == "cohort_named_otherwise_in_rows"]
    assert said == [{"count": 2, "line": 3}]
    assert cohort(sqlite_site, "Y1")["name"] == "Year 3"

    rows = "Z1;Zoo;KIM1\nZ2;Zoo;KIM2\n"
    by_name = run(sqlite_site, header + rows, chunk_rows=chunk_rows, cohortidentifier="name")
    assert [n.params["line"] for n in by_name.notes if n.code == "cohort_named_otherwise_in_rows"] == [3]


def test_an_empty_user_among_rows_that_name_users_deletes_no_cohort(sqlite_site: MoodleSite) -> None:
    run(sqlite_site, "cidnumber;userid\nCOH1;A1\nCOH2;A1\n")

    first = run(sqlite_site, "cmd;cidnumber;userid\ndel;COH1;\ndel;COH1;A1\n", chunk_rows=1)
    other = run(sqlite_site, "cmd;userid;cidnumber\nadd;A1;COH1\ndel;;COH2\n", chunk_rows=1)

    assert first.codes == ["cohort_user_empty", "cohort_member_removed"]
    assert "the cohort “COH2” was left as it is" in other.report
    assert {row["idnumber"] for row in sqlite_site.rows("cohort")} >= {"COH1", "COH2"}
    assert run(sqlite_site, "cmd;cidnumber;userid\ndel;COH1;\ndel;COH2;\n").counts == {"deleted": 2}


@pytest.mark.parametrize("chunk_rows", [1, 100])
def test_the_tryback_of_a_deletion_without_a_user_deletes_no_cohort(sqlite_site: MoodleSite, chunk_rows: int) -> None:
    run_file(sqlite_site, "cohorts", "cname;cidnumber;userid\nK1;K1;ann\n")
    first = run_file(sqlite_site, "cohorts", "cmd;cidnumber;userid\ndel;K1;ann\ndel;K1;\n", chunk_rows=chunk_rows)
    assert first.tryback is not None

    again = run_file(sqlite_site, "cohorts", first.tryback, chunk_rows=chunk_rows)

    assert again.codes == ["cohort_user_empty"]
    assert sqlite_site.one("cohort", idnumber="K1")


REFUSED = [
    ("cidnumber;cname\n;X\n", {}, "identity_empty"),
    ("cid;userid\n987654;A1\n", {"cohortidentifier": "id"}, "cohort_missing"),
    ("cmd;cidnumber\ndel;NOPE\n", {}, "cohort_missing"),
    ("cmd;cidnumber\nexplode;COH1\n", {}, "value_not_among"),
    ("cidnumber;cname\nCOH1;" + "x" * 300 + "\n", {}, "value_too_long"),
    ("cidnumber;ccatcontext\nCOH1;987654\n", {}, "category_unknown"),
]


@pytest.mark.parametrize(("text", "options", "code"), REFUSED)
def test_what_is_wrong_is_refused(sqlite_site: MoodleSite, text: str, options: dict[str, Any], code: str) -> None:
    before = sqlite_site.snapshot()
    result = run(sqlite_site, text, **options)
    assert result.codes == [code]
    assert sqlite_site.diff(before, sqlite_site.snapshot()) == {}


def test_a_category_without_a_context_holds_no_cohort(sqlite_site: MoodleSite) -> None:
    category = sqlite_site.insert("course_categories", name="Damaged", parent=0, path="", idnumber="DAMAGED")
    assert run(sqlite_site, f"cidnumber;cname;ccatcontext\nCOH1;X;{category}\n").codes == ["category_without_context"]
    result = run(sqlite_site, "cidnumber;cname;ccatcontextidnumber\nCOH1;X;DAMAGED\n")
    assert result.codes == ["category_without_context"]
    assert sqlite_site.rows("cohort", idnumber="COH1") == []


def test_an_ambiguous_cohort_is_refused(sqlite_site: MoodleSite) -> None:
    run(sqlite_site, "cidnumber;cname\nCOH1;Same\nCOH2;Same\n", allowequalnames=True)
    assert run(sqlite_site, "cname;userid\nSame;A1\n", cohortidentifier="name").codes == ["cohort_ambiguous"]


def test_of_a_thousand_rows_exactly_the_faulty_ones_come_back(sqlite_site: MoodleSite) -> None:
    for number in range(50):
        add_user(sqlite_site, f"kim{number}")
    run(sqlite_site, TEACHERS)
    faulty = {77: "add;;;KIM1", 333: "add;COH1;;GHOST", 500: "boom;COH1;;KIM1", 999: "del;NOPE;;KIM1"}
    rows = [faulty.get(number, f"add;COH1;;KIM{number % 50}") for number in range(1000)]

    result = run(sqlite_site, "cmd;cidnumber;cname;userid\n" + "\n".join(rows) + "\n", chunk_rows=300)

    assert [o.line - 2 for o in result.outcomes if o.action.value == "rejected"] == sorted(faulty)
    assert result.tryback is not None
    assert result.tryback.count(b"\n") == len(faulty) + 1
    assert len(members(sqlite_site)) == 50


def test_the_tryback_once_mended_does_the_rest(sqlite_site: MoodleSite) -> None:
    result = run(sqlite_site, "cidnumber;userid\nCOH1;A1\nCOH1;GHOST\n")
    assert result.tryback is not None
    add_user(sqlite_site, "ghost")

    assert run(sqlite_site, result.tryback.decode()).codes == ["cohort_member_added"]
    assert len(members(sqlite_site)) == 2


def test_the_number_of_queries_does_not_grow_with_the_rows(sqlite_site: MoodleSite) -> None:
    for number in range(1000):
        add_user(sqlite_site, f"kim{number}")
    run(sqlite_site, TEACHERS)
    bind(sqlite_site, group=True)

    def rows(count: int) -> str:
        return "userid;cidnumber\n" + "".join(f"KIM{n};COH1\n" for n in range(count))

    few, many = run(sqlite_site, rows(100)), run(sqlite_site, rows(1000))
    assert many.queries <= few.queries
    assert len(members(sqlite_site)) == 1000


@pytest.mark.parametrize("chunk_rows", [1, 100])
def test_what_is_deleted_at_the_end_is_told_by_a_simulation_too(sqlite_site: MoodleSite, chunk_rows: int) -> None:
    run(sqlite_site, "cidnumber;userid\nKEPT;A1\nGONE;A1\nBLANK;\n")
    text = (
        "cmd;cidnumber;userid\nfree;GONE;\nfree;KEPT;\nadd;KEPT;A1\nfree;BLANK;\nadd;NEW;A1\ndel;NEW;A1\nadd;AGAIN;A1\n"
        "del;AGAIN;A1\nadd;AGAIN;A1\n"
    )

    told, done = (
        run(sqlite_site, text, syncdelete=True, chunk_rows=chunk_rows, simulate=simulate) for simulate in (True, False)
    )

    assert [(note.code, note.params) for note in told.notes] == [
        ("cohorts_deleted_empty", {"count": 2, "names": "GONE, NEW"})
    ]
    assert done.notes == told.notes
    assert {row["idnumber"] for row in sqlite_site.rows("cohort")} >= {"KEPT", "BLANK", "AGAIN"}
    assert not sqlite_site.rows("cohort", idnumber="GONE") + sqlite_site.rows("cohort", idnumber="NEW")


def test_a_cohort_of_another_plugin_is_not_deleted_for_being_empty(sqlite_site: MoodleSite) -> None:
    run(sqlite_site, "cidnumber;userid;component\nCOH1;A1;local_other\n")
    run(sqlite_site, "cmd;cidnumber\nfree;COH1\n", syncdelete=True)
    assert cohort(sqlite_site)["component"] == "local_other"


@pytest.mark.parametrize("action", ["0", "2", "3"])
def test_a_deleted_cohort_leaves_no_enrolments_whatever_the_plugin_says(sqlite_site: MoodleSite, action: str) -> None:
    run(sqlite_site, "cidnumber;userid\nCOH1;A1\n")
    bound = bind(sqlite_site)
    sqlite_site.execute(
        f"UPDATE {{config_plugins}} SET value = '{action}' WHERE plugin = 'enrol_cohort' AND name = 'unenrolaction'"
    )
    sqlite_site.execute("UPDATE {config} SET value = 'manual' WHERE name = 'enrol_plugins_enabled'")

    run(sqlite_site, "cmd;cidnumber\ndel;COH1\n")

    assert sqlite_site.rows("enrol", id=bound["enrol"]) == []
    assert sqlite_site.rows("user_enrolments", enrolid=bound["enrol"]) == []


def test_nobody_is_enrolled_by_a_plugin_that_is_switched_off(sqlite_site: MoodleSite) -> None:
    run(sqlite_site, TEACHERS)
    bound = bind(sqlite_site)
    sqlite_site.execute("UPDATE {config} SET value = 'manual' WHERE name = 'enrol_plugins_enabled'")

    run(sqlite_site, "cidnumber;userid\nCOH1;A1\n")

    assert members(sqlite_site) == {sqlite_site.ids["ann"]}
    assert sqlite_site.rows("user_enrolments", enrolid=bound["enrol"]) == []


def test_self_enrolment_that_a_deleted_cohort_opened_is_told(sqlite_site: MoodleSite) -> None:
    run(sqlite_site, TEACHERS)
    sqlite_site.insert("enrol", enrol="self", courseid=sqlite_site.ids["C1"], customint5=cohort(sqlite_site)["id"])
    (outcome,) = run(sqlite_site, "cmd;cidnumber\ndel;COH1\n").outcomes
    assert [note.code for note in outcome.notes] == ["cohort_gate_left"]


def test_an_update_is_told_once_by_a_simulation_in_chunks(sqlite_site: MoodleSite) -> None:
    text = "cidnumber;cdescription\nCOH1;old\nCOH1;old\nCOH1;new\nCOH1;new\n"
    codes = [run(sqlite_site, text, simulate=simulate, chunk_rows=1).codes for simulate in (True, False)]
    assert codes[0] == codes[1] == ["cohort_created", "cohort_unchanged", "cohort_updated", "cohort_unchanged"]


def test_cid_stands_in_for_the_column_of_the_identifier(sqlite_site: MoodleSite) -> None:
    assert run(sqlite_site, "cid;userid\nCOH1;A1\n").codes == ["cohort_created"]
    assert members(sqlite_site) == {sqlite_site.ids["ann"]}


@pytest.mark.parametrize(
    ("header", "key"),
    [
        ("cmd;cname;cdescription;cidnumber", "cohorts"),
        ("userid;cidnumber", "cohorts"),
        ("course;cohort;role", "cohort_courses"),
        ("cmd;course;cohort;role;makegroup", "cohort_courses"),
    ],
)
def test_the_type_of_a_file_is_guessed_from_its_header(header: str, key: str) -> None:
    assert guess_processor(header.split(";")) == key


def test_a_cell_that_lists_cohorts_makes_none(sqlite_site: MoodleSite) -> None:
    result = run(
        sqlite_site,
        "cmd;cidnumber;userid\nadd;COH1;A1\nadd;COH7;A1\nadd;COH1, COH7;A1\nadd;COH1, COH9;A1\nadd;X1|X2;A1\n",
    )

    assert [outcome.code for outcome in sorted(result.outcomes)][2:] == ["cohort_list", "cohort_list", "cohort_created"]
    assert {note.code: note.params for note in result.notes}["made_like_list_in_rows"] == {"count": 1, "line": 6}
    assert sqlite_site.rows("cohort", idnumber="COH1, COH7") == []
