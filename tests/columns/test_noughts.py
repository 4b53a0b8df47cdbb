"""0 in place of a text: what a formula comes to that refers to an empty cell."""

from __future__ import annotations

import pytest

from tests.support import MoodleSite, run_file

NOTE = "cells_perhaps_nought"
PERSON = "username;firstname;lastname"


@pytest.mark.parametrize(
    ("key", "header", "row", "column"),
    [
        ("users", f"{PERSON};idnumber", "p1;Ann;Lee;0", "idnumber"),
        ("users", f"{PERSON};city", "ann;Ann;Smith;0", "city"),
        ("users", f"{PERSON};phone1", "ann;Ann;Smith;0", "phone1"),
        ("users", f"{PERSON};description", "ann;Ann;Smith;0", "description"),
        ("users", f"{PERSON};cohort", "ann;Ann;Smith;0", "cohort"),
        ("users", f"{PERSON};course1;enrol1;group1", "ann;Ann;Smith;C1;manual;0", "group1"),
        ("groups", "courseid;name;idnumber", "C1;Tuesday;0", "idnumber"),
        ("cohorts", "cidnumber;cname", "K1;0", "cname"),
        ("categories", "category;name", "Category 1;0", "name"),
        ("courses", "shortname;fullname;idnumber;summary", "N1;New;0;0", "idnumber, summary"),
        ("enrolment_methods", "course;enrol;newname", "C1;manual;0", "newname"),
    ],
)
def test_they_are_said_where_a_text_is_wanted(
    sqlite_site: MoodleSite, key: str, header: str, row: str, column: str
) -> None:
    sqlite_site.execute("UPDATE {course_categories} SET name = 'Category 1' WHERE id = 1")
    result = run_file(sqlite_site, key, f"{header}\n{row}\n")
    assert result.outcomes[0].action.value in ("created", "updated")
    said = {note.code: note.params for note in result.notes}
    assert said[NOTE] == {"count": 1, "line": 2, "value": "0", "columns": column}


def test_no_course_is_called_so(sqlite_site: MoodleSite) -> None:
    result = run_file(sqlite_site, "courses", "shortname;fullname\nC1;0\nN1;0\n", forceupdate=True)
    assert result.codes == ["cell_is_placeholder"] * 2
    assert sqlite_site.one("course", shortname="C1")["fullname"] == "Course C1"


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("users", f"{PERSON};suspended;emailstop;timezone;profile_field_dept\nann;Ann;Smith;0;0;0;0\n"),
        ("users", f"{PERSON};course1;enrol1;start1;end1;enrolperiod1\nann;Ann;Smith;C1;manual;0;;0\n"),
        ("user_preferences", "user;name;value\nann;email_bounce_count;0\n"),
        ("courses", "shortname;fullname;visible;newsitems;enddate;topic1\nN1;New;0;0;0;0\n"),
        ("enrolment_methods", "course;enrol;disabled;enrolperiod\nC1;manual;0;0\n"),
    ],
)
def test_numbers_and_fields_of_the_site_are_0(sqlite_site: MoodleSite, key: str, text: str) -> None:
    result = run_file(sqlite_site, key, text)
    assert "rejected" not in result.counts
    assert NOTE not in [note.code for note in result.notes]
