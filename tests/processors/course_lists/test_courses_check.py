"""The acceptance examples of courses.md section 3: which courses of a list are there."""

from __future__ import annotations

import pytest

from tests.moodle_sites import MoodleSite
from tests.support import RunResult, run_file

pytestmark = pytest.mark.sites("sqlite:5.2", "mariadb:4.1", "postgresql:4.5", "real:m51-seeded")


@pytest.fixture
def checked(moodle_site: MoodleSite) -> RunResult:
    before = moodle_site.snapshot()
    text = "# a comment\nC1;Maths\n\nZZ;Ghost\nC2;two;three\n"
    result = run_file(moodle_site, "courses_check", text)
    assert moodle_site.diff(before, moodle_site.snapshot()) == {}
    return result


def test_1_to_4_each_line_is_answered_and_nothing_is_written(checked: RunResult, moodle_site: MoodleSite) -> None:
    assert [(o.line, o.code, o.subject) for o in checked.outcomes] == [
        (2, "course_check_found", "C1"),
        (4, "course_check_missing", "ZZ"),
        (5, "course_check_found", "C2"),
    ]
    course = moodle_site.one("course", shortname="C1")
    assert f"{course['fullname']}, short name C1, idnumber “{course['idnumber']}”" in checked.report
    assert "Ghost" in checked.report
    assert checked.tryback is None


def test_5_an_idnumber_of_two_courses_is_ambiguous(moodle_site: MoodleSite) -> None:
    moodle_site.execute("UPDATE {course} SET idnumber = 'N' WHERE shortname IN ('C1', 'C2')")

    result = run_file(moodle_site, "courses_check", "N\n", courseidentifier="idnumber")

    assert result.codes == ["course_check_ambiguous"]
    assert all(str(moodle_site.ids[name]) in result.report for name in ("C1", "C2"))


def test_a_list_may_be_a_simulation_or_empty(moodle_site: MoodleSite) -> None:
    assert run_file(moodle_site, "courses_check", "C1\n", simulate=True).codes == ["course_check_found"]
    assert [note.code for note in run_file(moodle_site, "courses_check", "").notes] == ["list_empty"]
