"""Courses files that are complete for a scope: courses of it that aren't in the file are hidden or deleted."""

from __future__ import annotations

from typing import Any

import pytest

from sync.errors import CommandFileError
from tests.soundness import assert_sound, faults_of
from tests.support import MoodleSite, RunResult, run_file

pytestmark = pytest.mark.sites("sqlite:4.1", "mariadb:5.2", "postgresql:4.5", "real:m51-seeded")

HEADER = "shortname;fullname;category\n"
COURSES = ("m1", "m2", "m3", "m4", "m5", "m6")
ARTS: dict[str, Any] = {"absent": "hide", "absentscope": "category", "absentname": "ARTS"}


def file_of(*shortnames: str) -> str:
    return HEADER + "".join(f"{name};Course {name};Arts / Painting\n" for name in shortnames)


@pytest.fixture
def site(moodle_site: MoodleSite) -> MoodleSite:
    """A Moodle with six courses in a category below ARTS, one of them hidden, beside those that are there."""
    made = run_file(moodle_site, "courses", file_of(*COURSES))
    assert made.counts == {"created": 6}
    moodle_site.execute("UPDATE {course_categories} SET idnumber = 'ARTS' WHERE name = 'Arts'")
    moodle_site.execute("UPDATE {course} SET visible = 0, visibleold = 0 WHERE shortname = 'm6'")
    return moodle_site


def told(result: RunResult) -> list[tuple[str, str]]:
    return [(outcome.code, outcome.subject) for outcome in result.outcomes if outcome.code.startswith("absent_")]


def note(result: RunResult, code: str) -> dict[str, Any]:
    return dict(next(note.params for note in result.notes if note.code == code))


def hidden(site: MoodleSite) -> set[str]:
    return {row["shortname"] for row in site.rows("course", visible=0)} & set(COURSES)


def compared(site: MoodleSite, text: str, **options: Any) -> RunResult:
    """Simulate a file and carry it out; both must say the same."""
    before = site.snapshot()
    dry = run_file(site, "courses", text, simulate=True, chunk_rows=2, **options)
    assert site.diff(before, site.snapshot()) == {}
    result = run_file(site, "courses", text, chunk_rows=2, **options)
    assert (dry.codes, dry.counts, dry.notes) == (result.codes, result.counts, result.notes)
    return result


def test_absent_courses_of_a_category_are_hidden_and_told_one_by_one(site: MoodleSite) -> None:
    others = {row["shortname"]: row["visible"] for row in site.rows("course") if row["shortname"] not in COURSES}

    result = compared(site, file_of("m1", "new", "m2"), **ARTS)

    assert told(result) == [("absent_course_hidden", f"m{n}") for n in (3, 4, 5)]
    assert hidden(site) == {"m3", "m4", "m5", "m6"}
    params = note(result, "absent_courses_hide")
    assert (params["count"], params["done"], params["total"]) == (4, 3, 7)
    assert "“Course m3” hidden. Scope: the courses of the category “ARTS” and of all below it." in result.report
    assert {name: row["visible"] for row in site.rows("course") if (name := row["shortname"]) in others} == others
    course = site.one("course", shortname="m3")
    assert (course["visible"], course["visibleold"]) == (0, 0)

    again = run_file(site, "courses", file_of("m1", "new", "m2"), **ARTS)
    assert told(again) == []
    assert note(again, "absent_courses_hide")["done"] == 0


def test_absent_courses_by_a_pattern_are_deleted_with_what_is_in_them(site: MoodleSite) -> None:
    faults = faults_of(site)
    ids = {row["id"] for row in site.rows("course") if row["shortname"] in ("m3", "m4", "m5", "m6")}

    result = compared(site, file_of("m1", "m2"), absent="delete", absentscope="pattern", absentname="m*")

    assert told(result) == [("absent_course_deleted", f"m{n}") for n in (3, 4, 5, 6)]
    assert {row["shortname"] for row in site.rows("course")} & set(COURSES) == {"m1", "m2"}
    assert not ids & {row["courseid"] for row in site.rows("enrol")}
    params = note(result, "absent_courses_delete")
    assert (params["count"], params["done"], params["total"]) == (4, 4, 6)
    assert_sound(site, but=faults)


def test_whatever_a_row_names_a_course_by_it_isn_t_absent(site: MoodleSite) -> None:
    site.execute("UPDATE {course} SET idnumber = 'M-3' WHERE shortname = 'm3'")
    text = (
        "shortname;fullname;idnumber;template\n"
        "M1;Other letters;;\n"
        "like m2;Made like it;;m2\n"
        "m3 renamed;By idnumber;M-3;\n"
        "m4;;;\n"
        "m5;Has a category that isn't there;;\n"
    ).replace("m5;Has a category that isn't there;;", "m5;Named, whatever becomes of it;M-3;")

    result = run_file(
        site, "courses", text, absent="delete", absentscope="category", absentname="ARTS", forceupdate=True
    )

    names = {subject for code, subject in told(result)}
    # On a server that tells capital letters apart M1 is another course.
    assert names <= {"m6", "m1"}
    assert "m6" in names


def test_a_row_of_which_nobody_knows_what_it_names_keeps_every_course(site: MoodleSite) -> None:
    result = run_file(site, "courses", file_of("m1") + f"{'x' * 300};Too long;Arts\n", **ARTS)

    assert told(result) == []
    assert hidden(site) == {"m6"}
    assert note(result, "absent_left_unread")["lines"] == "3"


@pytest.mark.parametrize(("name", "is_unread"), [("m1x", True), ("m1", False)])
def test_a_row_with_the_number_of_no_course_keeps_every_course(site: MoodleSite, name: str, is_unread: bool) -> None:
    rows = f"999999;{name};Course m1\n{site.one('course', shortname='m2')['id']};m2;Course m2\n"
    options = {**ARTS, "courseidentifier": "id", "forceupdate": True}
    result = run_file(site, "courses", f"id;shortname;fullname\n{rows}", **options)

    assert (result.codes[0], hidden(site) == {"m6"}) == ("course_unknown", is_unread)
    assert [n.params["lines"] for n in result.notes if n.code == "absent_left_unread"] == ["2"] * is_unread


def test_courses_that_a_simulation_would_move_or_make_are_in_the_scope(site: MoodleSite) -> None:
    text = file_of("m1", "fresh") + "m2;Course m2;Elsewhere\n"

    result = compared(site, text, forceupdate=True, **ARTS)

    # m1, m3 to m6 and the new one: m2 has moved.
    assert note(result, "absent_courses_hide")["total"] == 6


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"absent": "hide"}, "absent_courses_scope_unchosen"),
        ({"absent": "hide", "absentscope": "pattern"}, "absent_courses_scope_unchosen"),
        ({"absent": "hide", "absentscope": "category", "absentname": "NOWHERE"}, "absent_category_unclear"),
        # An idnumber of digits that is gone names no category by its number.
        ({"absent": "hide", "absentscope": "category", "absentname": "1"}, "absent_category_unclear"),
        ({"absent": "delete", "absentscope": "pattern", "absentname": "q*"}, "absent_courses_scope_empty"),
        ({"absent": "delete", "absentscope": "pattern", "absentname": "*"}, "absent_courses_scope_all"),
        ({"absent": "delete", "absentscope": "created"}, "absent_created_nothing"),
    ],
)
def test_a_scope_that_can_t_be_meant_is_refused(site: MoodleSite, options: dict[str, Any], code: str) -> None:
    before = site.snapshot()

    with pytest.raises(CommandFileError, match=code):
        run_file(site, "courses", file_of("m1"), **options)

    assert site.diff(before, site.snapshot()) == {}


def test_courses_that_we_created_are_the_scope(site: MoodleSite) -> None:
    ours = run_file(site, "courses", file_of("own1", "own2", "own3"))

    result = run_file(site, "courses", file_of("own1"), records=ours, absent="hide", absentscope="created")

    assert told(result) == [("absent_course_hidden", "own2"), ("absent_course_hidden", "own3")]
    assert note(result, "absent_courses_hide")["total"] == 3
    assert hidden(site) == {"m6"}


def test_a_course_with_what_nobody_knows_stays(site: MoodleSite) -> None:
    module = site.insert("modules", name="nobodyknows")
    course = site.one("course", shortname="m4")["id"]
    section = site.rows("course_sections", course=course)[0]["id"]
    site.insert("course_modules", course=course, module=module, instance=1, section=section)

    result = run_file(
        site, "courses", file_of("m1", "m2", "m3", "m5"), absent="delete", absentscope="category", absentname="ARTS"
    )

    assert told(result) == [("absent_course_deleted", "m6")]
    assert note(result, "absent_courses_foreign")["count"] == 1
    assert site.rows("course", shortname="m4")
