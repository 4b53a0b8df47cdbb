"""Headers and sets as people have them from Moodle's documentation, and from exports of other systems."""

from __future__ import annotations

from pathlib import Path

from tests.real_files.case import shell_run
from tests.real_files.conftest import ReadCase


def test_035_columns_of_moodles_own_upload_are_read(real_case: ReadCase) -> None:
    case = real_case("035")
    case.prepare()
    first = case.run("core.csv", "enrolbydefault=1")
    second = case.run("core2.csv", "enrolbydefault=1")

    assert first.counts == {"created": 1}
    query = (
        "SELECT ue.status, ue.timestart, ue.timeend FROM mdl_user_enrolments ue JOIN mdl_user u ON u.id = ue.userid "
        "JOIN mdl_enrol e ON e.id = ue.enrolid WHERE e.enrol = 'manual' AND u.username = :username"
    )
    assert case.look(query, username="b35.a") == [(0, 1798761600, 1798761600 + 10 * 86_400)]
    # Managers may hand out roles: no file makes one, so the row comes back for it.
    assert second.counts == {"partial": 1}
    assert second.outcome(2).code == "role_hands_out_roles"
    assert case.look(query, username="b35.b")[0][0] == 1
    members = (
        "SELECT c.idnumber FROM mdl_cohort_members m JOIN mdl_cohort c ON c.id = m.cohortid "
        "JOIN mdl_user u ON u.id = m.userid WHERE u.username = 'b35.b'"
    )
    assert case.look(members) == [("COH-SYS",)]


def test_044_each_unknown_column_stands_beside_what_it_was_meant_as(real_case: ReadCase) -> None:
    case = real_case("044")
    said = {step.file: case.run(step).said for step in case.steps}

    assert "User Name → username, First name → firstname, Surname → lastname, Email address → email." in said["h1.csv"]
    # A mapping that comes with ToolSync reads it, and the run says so.
    assert "“Canvas SIS users.csv”" in said["h2.csv"]
    assert "login_id → username, first_name → firstname, last_name → lastname" in said["h2.csv"]
    assert "Vorname → firstname, Nachname → lastname" in said["h3.csv"]
    assert "username → uid" in said["h4.csv"]
    assert "role1 → rolename" in said["h4.csv"]
    assert "username → userid" in said["h5.csv"]


def test_044_no_unknown_column_stands_beside_what_only_resembles_it(real_case: ReadCase, tmp_path: Path) -> None:
    real_case("044")
    file = tmp_path / "h6.csv"
    file.write_text("login_id,first_name,last_name,status\nx,A,B,active\n")

    said = shell_run("users", file).said

    assert "login_id → username, first_name → firstname, last_name → lastname" in said
    assert "status →" not in said


def test_046_a_file_that_enrols_nobody_says_so_at_the_top(real_case: ReadCase) -> None:
    case = real_case("046")
    alone, with_role = case.run_all()

    assert "so nobody is enrolled (rows with a course: 2)" in alone.report
    assert "enrolbydefault" in alone.report
    assert "note:" not in alone.report
    assert "so nobody is enrolled (rows with a course: 1)" in with_role.report
    assert "don't appear among the participants" in with_role.report


def test_046_the_option_enrols(real_case: ReadCase) -> None:
    case = real_case("046")
    case.prepare()
    for step in case.steps:
        assert case.run(step, "enrolbydefault=1").status == 0
    query = (
        "SELECT COUNT(*) FROM mdl_user_enrolments ue JOIN mdl_user u ON u.id = ue.userid WHERE u.username LIKE 'b46.%'"
    )
    assert case.look(query) == [(3,)]


def test_050_a_duplicate_in_the_same_file_says_which_line(real_case: ReadCase) -> None:
    case = real_case("050")
    [run] = case.run_all()
    assert "b50.b: column idnumber: Line 2 of this file has “ID50” already." in run.report


def test_042_headers_of_moodles_other_tools_are_read_or_helped(real_case: ReadCase) -> None:
    case = real_case("042")
    came = {step.file: case.run(step) for step in case.steps}

    # Methods of courses have no column of theirs here.
    assert "category_path" not in came["c1.csv"].said
    assert "enrolment_1, enrolment_1_role" in came["c1.csv"].said
    assert came["c2.csv"].counts == {"created": 1}
    query = "SELECT g.idnumber FROM mdl_course_categories g JOIN mdl_course c ON c.category = g.id WHERE c.shortname = 'UP2'"
    assert case.look(query) == [("CAT-DEP",)]
    assert came["g.csv"].counts == {"created": 1}
    assert came["k.csv"].counts == {"created": 1}
    places = (
        "SELECT g.idnumber, k.visible FROM mdl_cohort k JOIN mdl_context x ON x.id = k.contextid "
        "JOIN mdl_course_categories g ON g.id = x.instanceid WHERE x.contextlevel = 40 AND k.idnumber = 'CC1'"
    )
    assert case.look(places) == [("CAT-FAC", 1)]
    assert came["m.csv"].counts == {"created": 1}
    links = (
        "SELECT p.shortname FROM mdl_enrol e JOIN mdl_course c ON c.id = e.courseid JOIN mdl_course p ON p.id = e.customint1 "
        "WHERE e.enrol = 'meta' AND c.shortname = 'C16' AND p.shortname = 'C17'"
    )
    assert case.look(links) == [("C17",)]
