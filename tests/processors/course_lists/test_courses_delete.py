"""The acceptance examples of courses.md section 2: deleting courses. What goes with a course: tests/moodle/coursecontent."""

from __future__ import annotations

from pathlib import Path

import pytest

from sync.processors.course_lists import delete as courses_delete
from sync.processors.registry import guess_processor
from tests.moodle_sites import MoodleSite
from tests.soundness import assert_sound, faults_of
from tests.support import run_file

pytestmark = pytest.mark.sites("sqlite:4.5", "mariadb:5.1", "postgresql:5.2", "real:m41-seeded")


def test_1_a_known_course_goes_and_an_unknown_one_comes_back(moodle_site: MoodleSite) -> None:
    faults = faults_of(moodle_site)
    result = run_file(moodle_site, "courses_delete", "C1\nC9x\n")

    assert [(o.line, o.action.value, o.code) for o in result.outcomes] == [
        (1, "deleted", "course_deleted"),
        (2, "rejected", "course_delete_unknown"),
    ]
    assert moodle_site.rows("course", shortname="C1") == []
    assert moodle_site.rows("context", contextlevel=50, instanceid=moodle_site.ids["C1"]) == []
    assert moodle_site.rows("enrol", courseid=moodle_site.ids["C1"]) == []
    assert len(moodle_site.rows("course", shortname="C2")) == 1
    assert result.tryback is not None
    comment, line = result.tryback.decode().splitlines()
    assert comment.startswith("# 2, course_delete_unknown: C9x: ")
    assert line == "C9x"
    again = run_file(moodle_site, "courses_delete", result.tryback.replace(b"\nC9x", b"\nC2"))
    assert again.codes == ["course_deleted"]
    assert_sound(moodle_site, but=faults)


def test_2_a_simulation_tells_the_same_and_deletes_nothing(moodle_site: MoodleSite) -> None:
    before = moodle_site.snapshot()

    result = run_file(moodle_site, "courses_delete", "C1\nC9x\n", simulate=True)

    assert result.codes == ["course_deleted", "course_delete_unknown"]
    assert moodle_site.diff(before, moodle_site.snapshot()) == {}


def test_3_two_courses_of_the_same_idnumber_both_stay(moodle_site: MoodleSite) -> None:
    moodle_site.execute("UPDATE {course} SET idnumber = 'N' WHERE shortname IN ('C1', 'C2')")
    before = moodle_site.snapshot()

    result = run_file(moodle_site, "courses_delete", "N\n", courseidentifier="idnumber")

    assert result.codes == ["course_ambiguous"]
    assert moodle_site.diff(before, moodle_site.snapshot()) == {}


def test_4_the_site_course_is_refused(moodle_site: MoodleSite) -> None:
    front_page = moodle_site.one("course", category=0)

    result = run_file(moodle_site, "courses_delete", f"{front_page['id']}\n", courseidentifier="id")

    assert result.codes == ["course_delete_site"]
    assert len(moodle_site.rows("course", category=0)) == 1
    assert result.tryback is not None


def meta_child(site: MoodleSite, action: str) -> tuple[int, int]:
    """C2 takes its people from C1: ann; return the ids of the instance and of ann's role."""
    site.execute("DELETE FROM {config_plugins} WHERE plugin = 'enrol_meta' AND name = 'unenrolaction'")
    site.insert("config_plugins", plugin="enrol_meta", name="unenrolaction", value=action)
    instance = site.insert(
        "enrol", enrol="meta", status=0, courseid=site.ids["C2"], sortorder=9, customint1=site.ids["C1"], timemodified=7
    )
    site.insert("user_enrolments", enrolid=instance, userid=site.ids["ann"], status=0)
    role = site.insert(
        "role_assignments", roleid=5, contextid=site.ids["C2 context"], userid=site.ids["ann"], component="enrol_meta",
        itemid=instance, timemodified=1,
    )  # fmt: skip
    return instance, role


@pytest.mark.parametrize(("action", "roles_left"), [("3", 0), ("2", 1), ("", 0)])
def test_5_courses_that_copied_from_a_deleted_one_are_disabled(
    moodle_site: MoodleSite, action: str, roles_left: int
) -> None:
    instance, role = meta_child(moodle_site, action)

    run_file(moodle_site, "courses_delete", "C1\n")

    left = moodle_site.one("enrol", id=instance)
    assert (left["status"], left["timemodified"]) == (1, 7)
    assert len(moodle_site.rows("role_assignments", id=role)) == roles_left
    copied = moodle_site.one("user_enrolments", enrolid=instance)
    assert (copied["status"], copied["timemodified"] > 0) == (1, True)
    path = moodle_site.one("context", id=moodle_site.ids["C2 context"])["path"]
    assert len(moodle_site.rows("cache_flags", flagtype="accesslib/dirtycontexts", name=path)) == 1


def test_5_where_the_site_keeps_people_nothing_changes(sqlite_site: MoodleSite) -> None:
    instance, role = meta_child(sqlite_site, "1")

    run_file(sqlite_site, "courses_delete", "C1\n")

    assert sqlite_site.one("enrol", id=instance)["status"] == 0
    assert sqlite_site.one("user_enrolments", enrolid=instance)["status"] == 0
    assert len(sqlite_site.rows("role_assignments", id=role)) == 1


def test_5_or_unenrolled_as_the_site_says(moodle_site: MoodleSite) -> None:
    instance, role = meta_child(moodle_site, "0")

    run_file(moodle_site, "courses_delete", "C1\n")

    assert moodle_site.rows("enrol", id=instance) == []
    assert moodle_site.rows("user_enrolments", enrolid=instance) == []
    assert moodle_site.rows("role_assignments", id=role) == []


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing\n"])
def test_6_an_empty_file_is_nothing_to_do(moodle_site: MoodleSite, text: str) -> None:
    before = moodle_site.snapshot()

    result = run_file(moodle_site, "courses_delete", text)

    assert result.outcomes == []
    assert "list_empty" in [note.code for note in result.notes]
    assert moodle_site.diff(before, moodle_site.snapshot()) == {}


def test_the_whole_line_is_the_name_quoted_or_bare(moodle_site: MoodleSite) -> None:
    moodle_site.execute("UPDATE {course} SET shortname = 'Maths; year 1, group:A' WHERE shortname = 'C1'")
    moodle_site.execute("UPDATE {course} SET shortname = '(C) 2' WHERE shortname = 'C2'")

    result = run_file(moodle_site, "courses_delete", '  C3\n  a remark\nMaths; year 1, group:A  \n"(C) 2"\n')

    # A line that begins with a blank is a comment in a list, but one that looks like a name isn't passed over in silence.
    assert result.codes == ["row_begins_with_blank", "course_deleted", "course_deleted"]


@pytest.mark.parametrize("simulate", [False, True])
@pytest.mark.parametrize("chunk_rows", [1, 1000])
def test_a_course_that_is_named_twice_is_deleted_once(moodle_site: MoodleSite, chunk_rows: int, simulate: bool) -> None:
    result = run_file(moodle_site, "courses_delete", "C1\nC2\nC1\n", simulate=simulate, chunk_rows=chunk_rows)

    assert result.codes == ["course_deleted", "course_deleted", "course_deleted_before"]
    assert result.outcomes[2].params == {"line": 1}


@pytest.mark.parametrize("what", ["activity", "question type"])
def test_what_the_tool_does_not_know_is_named_and_stays(moodle_site: MoodleSite, what: str) -> None:
    if what == "activity":
        module = moodle_site.insert("modules", name="diary")
        moodle_site.insert("course_modules", course=moodle_site.ids["C1"], module=module, instance=1)
    else:
        _foreign_question(moodle_site)
    before = moodle_site.snapshot()

    result = run_file(moodle_site, "courses_delete", "C1\n")

    assert result.codes == ["course_plugins_unknown"]
    assert result.outcomes[0].params["plugins"] == {"activity": "mod_diary", "question type": "qtype_puzzle"}[what]
    assert moodle_site.diff(before, moodle_site.snapshot()) == {}


def test_the_others_are_counted_and_ordered_afterwards(moodle_site: MoodleSite) -> None:
    faults = faults_of(moodle_site)
    moodle_site.execute("UPDATE {course_categories} SET coursecount = 99")

    run_file(moodle_site, "courses_delete", "C1\n")

    for category in moodle_site.rows("course_categories"):
        courses = moodle_site.rows("course", category=category["id"])
        assert category["coursecount"] == len(courses)
        assert sorted(course["sortorder"] for course in courses) == [
            category["sortorder"] + place for place in range(1, len(courses) + 1)
        ]
    assert_sound(moodle_site, but=faults)


def test_the_files_go_to_the_trash_of_the_data_folder(sqlite_site: MoodleSite, tmp_path: Path) -> None:
    contenthash = "ab" * 20
    blob = tmp_path / "filedir" / "ab" / "ab" / contenthash
    blob.parent.mkdir(parents=True)
    blob.write_bytes(b"12345")
    sqlite_site.insert(
        "files", contenthash=contenthash, pathnamehash="1" * 40, contextid=sqlite_site.ids["C1 context"],
        component="course", filearea="summary", itemid=0, filepath="/", filename="a.txt", filesize=5, timecreated=1,
        timemodified=1,
    )  # fmt: skip

    run_file(sqlite_site, "courses_delete", "C1\n", dataroot=tmp_path)

    assert not blob.exists()
    assert (tmp_path / "trashdir" / "ab" / "ab" / contenthash).read_bytes() == b"12345"


def test_heavy_courses_go_in_chunks_of_their_own(sqlite_site: MoodleSite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(courses_delete, "CHUNK_WEIGHT", 1)
    for name in ("C1 manual", "C2 manual"):
        sqlite_site.insert("user_enrolments", enrolid=sqlite_site.ids[name], userid=sqlite_site.ids["ann"], status=0)

    result = run_file(sqlite_site, "courses_delete", "C1\nC2\n")

    assert result.codes == ["course_deleted", "course_deleted"]
    # One for each course, and one for the order of the others.
    assert result.chunks == 3


def test_a_run_that_was_killed_after_its_last_row_does_not_take_its_list_for_empty(sqlite_site: MoodleSite) -> None:
    result = run_file(sqlite_site, "courses_delete", "C1\n", after_line=1)

    assert result.outcomes == []
    assert "list_empty" not in [note.code for note in result.notes]


def test_a_list_is_known_by_the_name_of_its_file_alone() -> None:
    assert guess_processor(["c1"], "deletecourses.csv") == "courses_delete"
    assert guess_processor(["c1"], "courses.csv") == "courses_check"
    assert guess_processor(["c1"], "anything.csv") == ""
    assert guess_processor(["shortname", "fullname"], "courses.csv") == "courses"


def _foreign_question(site: MoodleSite) -> None:
    category = site.insert(
        "question_categories", name="Q", contextid=site.ids["C1 context"], info="", stamp="s", parent=0
    )
    entry = site.insert("question_bank_entries", questioncategoryid=category)
    question = site.insert(
        "question", name="Q", questiontext="", generalfeedback="", qtype="puzzle", stamp="q", parent=0
    )
    site.insert("question_versions", questionbankentryid=entry, questionid=question, version=1)
