"""Files as people have them for the old plugin: courses.md section 10b, and the long examples of its sections 1 and 4."""

from __future__ import annotations

from typing import Any

import pytest

from sync.errors import HeaderError
from tests.moodle.course_content.furniture import insert
from tests.support import MoodleSite, run_file

pytestmark = pytest.mark.sites("sqlite:5.1", "mariadb:5.2", "postgresql:4.1", "real:m45-seeded")

RESET = "shortname;events;logs;notes;grades;roles;local_roles;groups;groupings;modules"


def test_the_sample_of_new_courses(moodle_site: MoodleSite) -> None:
    root = moodle_site.one("course_categories", id=1)["name"]
    file = (
        "shortname;category;fullname;format;template\n"
        f"TEST1;{root}/Tests;Test one;topics;\n"
        f"TEST1;{root}/Tests;Test one again;topics;\n"
        f"TEST2;{root}/Tests;From a course;topics;C1\n"
        f"TEST3;{root}/Tests;From nothing;topics;UNKNOWN\n"
    )

    result = run_file(moodle_site, "courses", file, templatesource="backup")

    codes = ["course_created", "course_exists", "course_template_no_backup", "course_template_unknown"]
    assert result.codes[:2] + result.codes[3:] == codes[:2] + codes[3:]
    # Without a data folder nothing can be restored, which is said first.
    assert result.codes[2] in (codes[2], "course_backup_no_data_folder")
    category = moodle_site.one("course_categories", name="Tests")
    assert (category["parent"], category["depth"], category["coursecount"]) == (1, 2, 1)
    assert result.tryback is not None
    assert [line.partition(";")[0] for line in result.tryback.decode().splitlines()[1:]] == ["TEST2", "TEST3"]


def test_the_sample_of_new_categories_has_names_with_quotes_and_without(moodle_site: MoodleSite) -> None:
    file = (
        'shortname;fullname;category\n"NEW1";"Course; one";"Sciences/Mathematics"\nNEW2;Course two;Sciences/Mathematics\n'
        'NEW3;"Course ""three""";Sciences\n'
    )
    assert run_file(moodle_site, "courses", file).codes == ["course_created"] * 3
    deep, top = (moodle_site.one("course_categories", name=name) for name in ("Mathematics", "Sciences"))
    assert (deep["parent"], deep["coursecount"], top["coursecount"]) == (top["id"], 2, 1)
    names = [moodle_site.one("course", shortname=name)["fullname"] for name in ("NEW1", "NEW3")]
    assert names == ["Course; one", 'Course "three"']


def test_another_separator_in_the_header_than_was_chosen_stops_the_file(moodle_site: MoodleSite) -> None:
    before = moodle_site.snapshot()
    with pytest.raises(HeaderError):
        run_file(moodle_site, "courses", "shortname;fullname,foo\nNEW;X\n", separator=";")
    assert moodle_site.diff(before, moodle_site.snapshot()) == {}


def test_the_sample_of_a_reset_says_all_and_none(moodle_site: MoodleSite) -> None:
    courseid, ann = moodle_site.ids["C1"], moodle_site.ids["ann"]
    insert(moodle_site, "event", {"name": "Exam", "courseid": courseid, "eventtype": "course", "modulename": "0"})
    note = insert(moodle_site, "post", {"module": "notes", "courseid": courseid, "userid": ann})
    grades = moodle_site.rows("grade_grades")

    result = run_file(moodle_site, "courses_reset", f"{RESET}\nC1;all;all;all;none;;no;no;no;no\n")

    assert result.codes == ["course_reset"], result.report
    assert moodle_site.rows("event", courseid=courseid, eventtype="course") == []
    assert note not in {row["id"] for row in moodle_site.rows("post")}
    assert moodle_site.rows("grade_grades") == grades


def test_4_1_a_course_is_made_ready_for_the_next_term(moodle_site: MoodleSite) -> None:
    courseid, context = moodle_site.ids["C1"], moodle_site.ids["C1 context"]
    student = insert(moodle_site, "user", {"username": "pupil", "mnethostid": 1})
    insert(moodle_site, "user_enrolments", {"enrolid": moodle_site.ids["C1 manual"], "userid": student, "status": 0})
    insert(
        moodle_site,
        "role_assignments",
        {"contextid": context, "userid": student, "roleid": 5, "component": "", "itemid": 0},
    )
    group = insert(moodle_site, "groups", {"courseid": courseid, "name": "Crew"})
    insert(moodle_site, "groups_members", {"groupid": group, "userid": student})
    kept = {"courseid": courseid, "modulename": "quiz", "instance": 1, "eventtype": "due"}
    activity = insert(moodle_site, "event", {"name": "Quiz closes", **kept})
    for name, values in (("Course", {"eventtype": "course"}), ("Group", {"eventtype": "group", "groupid": group})):
        insert(moodle_site, "event", {"name": name, "courseid": courseid, "modulename": "0", **values})
    insert(moodle_site, "post", {"module": "notes", "courseid": courseid, "userid": student})
    item = insert(
        moodle_site, "grade_items", {"courseid": courseid, "itemtype": "manual", "scaleid": None, "iteminstance": None}
    )
    insert(moodle_site, "grade_grades", {"itemid": item, "userid": student, "finalgrade": 7})
    insert(
        moodle_site,
        "role_capabilities",
        {"contextid": context, "roleid": 5, "capability": "mod/quiz:view", "permission": -1},
    )

    result = run_file(moodle_site, "courses_reset", f"{RESET}\nC1;yes;no;yes;grades;student;all;members;no;\n")

    assert result.codes == ["course_reset"], result.report
    assert [row["id"] for row in moodle_site.rows("event", courseid=courseid, userid=0) if row["id"] == activity] == [
        activity
    ]
    assert {row["eventtype"] for row in moodle_site.rows("event", courseid=courseid)} <= {"due"}
    assert moodle_site.rows("post", module="notes", courseid=courseid) == []
    assert moodle_site.rows("grade_grades", itemid=item) == []
    assert (
        moodle_site.rows("user_enrolments", userid=student)
        == moodle_site.rows("role_assignments", userid=student)
        == []
    )
    assert moodle_site.rows("role_capabilities", contextid=context) == []
    assert len(moodle_site.rows("groups", id=group)) == 1
    assert moodle_site.rows("groups_members", groupid=group) == []


def test_1_10_4_and_10_bad_rows_come_back(moodle_site: MoodleSite) -> None:
    before = moodle_site.snapshot()
    bad: list[tuple[str, str, str, dict[str, Any]]] = [
        ("shortname;fullname;format", "C2X;X;nosuch", "value_not_among", {}),
        ("idnumber;shortname;fullname", "N1;C1;Y", "course_shortname_taken", {"courseidentifier": "idnumber"}),
    ]
    for header, line, code, options in bad:
        result = run_file(moodle_site, "courses", f"{header}\n{line}\n", **options)
        assert result.codes == [code]
        assert result.tryback is not None
        assert line in result.tryback.decode()
    assert moodle_site.diff(before, moodle_site.snapshot()) == {}


@pytest.mark.parametrize("template", ["NOPE", "nope.mbz"])
def test_1_10_6_an_unknown_template_comes_back_with_its_header(moodle_site: MoodleSite, template: str) -> None:
    before = moodle_site.snapshot()
    result = run_file(moodle_site, "courses", f"shortname;fullname;template\nC4X;X;{template}\n")
    assert result.counts == {"rejected": 1}
    assert result.tryback is not None
    lines = result.tryback.decode().splitlines()
    assert [line.split(";")[:3] for line in lines] == [["shortname", "fullname", "template"], ["C4X", "X", template]]
    assert moodle_site.diff(before, moodle_site.snapshot()) == {}
