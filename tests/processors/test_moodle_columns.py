"""Columns of Moodle's own upload of users, sets that enrol nobody, and people whom a file names twice."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.moodle_sites import MoodleSite
from tests.processors.metacourses.test_courses_meta import enable_meta
from tests.support import RunResult, run_file

NAMES = "username;firstname;lastname"
DAY = 86_400


def run(site: MoodleSite, text: str, **options: Any) -> RunResult:
    return run_file(site, "users", text, primaryidentity="username", **options)


def enrolment(site: MoodleSite, username: str) -> dict[str, int]:
    userid = site.one("user", username=username)["id"]
    return site.one("user_enrolments", userid=userid, enrolid=site.ids["C1 manual"])


def test_start_and_days_make_an_end(sqlite_site: MoodleSite) -> None:
    text = f"{NAMES};course1;enrol1;role1;enroltimestart1;enrolperiod1\nnew;N;E;C1;manual;student;1800000000;10\n"
    assert run(sqlite_site, text).counts == {"created": 1}
    made = enrolment(sqlite_site, "new")
    assert (made["timestart"], made["timeend"]) == (1_800_000_000, 1_800_000_000 + 10 * DAY)
    assert run(sqlite_site, text).counts == {"unchanged": 1}


def test_days_without_a_start_count_from_the_enrolment(sqlite_site: MoodleSite) -> None:
    text = f"{NAMES};course1;enrol1;enrolperiod1\nnew;N;E;C1;manual;30\nother;O;T;C1;manual;0\n"
    run(sqlite_site, text)
    made = enrolment(sqlite_site, "new")
    assert made["timeend"] - made["timestart"] == 30 * DAY
    assert enrolment(sqlite_site, "other")["timeend"] == 0
    assert run(sqlite_site, text).counts == {"unchanged": 2}


def test_a_status_suspends_the_enrolment(sqlite_site: MoodleSite) -> None:
    run(sqlite_site, f"{NAMES};course1;enrol1;enrolstatus1\nnew;N;E;C1;manual;1\n")
    assert enrolment(sqlite_site, "new")["status"] == 1
    run(sqlite_site, f"{NAMES};course1;enrol1;enrolstatus1\nnew;N;E;C1;manual;0\n")
    assert enrolment(sqlite_site, "new")["status"] == 0


def test_numbered_cohorts_are_found_by_idnumber_or_made(sqlite_site: MoodleSite) -> None:
    run_file(sqlite_site, "cohorts", "cidnumber;cname\nK1;First cohort\n")
    result = run(sqlite_site, f"{NAMES};cohort1;cohort2\nnew;N;E;K1;Fresh\nother;O;T;4711;\n")

    assert sorted(row["idnumber"] for row in sqlite_site.rows("cohort") if row["idnumber"] in ("K1", "Fresh", "4711")) == [
        "Fresh", "K1",
    ]  # fmt: skip
    assert len(sqlite_site.rows("cohort_members", userid=sqlite_site.one("user", username="new")["id"])) == 2
    assert result.counts == {"created": 1, "partial": 1}
    assert "cohort_digits_unknown" in result.codes


def test_digits_in_the_columns_of_the_old_plugin_name_a_cohort(sqlite_site: MoodleSite) -> None:
    result = run(sqlite_site, f"{NAMES};cohort;cohortid\nnew;N;E;2026;2026\nother;O;T;2026;\n")

    assert result.counts == {"created": 2}
    assert sqlite_site.one("cohort", idnumber="2026")["name"] == "2026"
    assert len(sqlite_site.rows("cohort_members")) == 2


def test_a_cohort_that_is_not_one_is_told_with_its_column(sqlite_site: MoodleSite) -> None:
    run_file(sqlite_site, "cohorts", "cname;cidnumber\nSame;A1\nSame;A2\n", allowequalnames=True)

    result = run(sqlite_site, f"{NAMES};cohort;cohort2\nnew;N;E;;Same\nother;O;T;Same;\n")

    assert [outcome.params["column"] for outcome in result.outcomes] == ["cohort2", "cohort"]


@pytest.mark.parametrize(
    ("header", "cells", "said"),
    [
        ("course1", "C1", True), ("course1;role1", "C1;student", True), ("course1;enrol1", "C1;", True),
        ("course1;enrol1", "C1;manual", False), ("course1", "", False),
    ],
)  # fmt: skip
@pytest.mark.parametrize("chunk_rows", [1, 100])
def test_a_file_that_enrols_nobody_says_so_once(
    sqlite_site: MoodleSite, header: str, cells: str, *, said: bool, chunk_rows: int
) -> None:
    rows = "".join(f"p{number};A;B;{cells}\n" for number in range(3))
    result = run(sqlite_site, f"{NAMES};{header}\n{rows}", chunk_rows=chunk_rows)
    assert [dict(note.params)["count"] for note in result.notes if note.code == "course_sets_without_method"] == [
        3
    ] * said
    assert [outcome.notes for outcome in result.outcomes] == [()] * 3


@pytest.mark.parametrize("header", ["course1", "course1;role1"])
def test_the_option_enrols_as_moodles_own_upload_does(sqlite_site: MoodleSite, header: str) -> None:
    cells = "C1;student" if "role1" in header else "C1"
    result = run(sqlite_site, f"{NAMES};{header}\nnew;N;E;{cells}\n", enrolbydefault=True)
    assert result.counts == {"created": 1}
    assert enrolment(sqlite_site, "new")["status"] == 0
    assert result.notes == []


@pytest.mark.parametrize("chunk_rows", [1, 2, 100])
@pytest.mark.parametrize(("name", "value"), [("idnumber", "ID50"), ("email", "x@example.org")])
def test_people_whom_a_file_names_twice_are_told_the_line(
    sqlite_site: MoodleSite, chunk_rows: int, name: str, value: str
) -> None:
    text = f"{NAMES};{name}\none;O;N;{value}\nother;O;T;\ntwo;T;W;{value.lower() if name == 'email' else value}\n"
    result = run_file(sqlite_site, "users", text, primaryidentity="idnumber", chunk_rows=chunk_rows)
    assert result.codes == ["account_created", "account_created", "identity_in_earlier_line"]
    assert f"two: column {name}: Line 2 of this file has “{value}” already." in result.report


def test_an_idnumber_of_somebody_elses_in_moodle_is_still_told_so(sqlite_site: MoodleSite) -> None:
    text = f"{NAMES};idnumber\nnew;N;E;A1\n"
    assert run_file(sqlite_site, "users", text, primaryidentity="idnumber").codes == ["username_differs"]


def test_a_path_and_an_idnumber_of_a_category_are_moodles_too(sqlite_site: MoodleSite) -> None:
    sqlite_site.execute(
        "UPDATE {course_categories} SET idnumber = 'CAT1' WHERE id = (SELECT MIN(id) FROM {course_categories})"
    )
    text = "shortname;fullname;category_idnumber\nNEW1;One;CAT1\nNEW2;Two;NOPE\n"
    result = run_file(sqlite_site, "courses", text)
    assert result.codes == ["course_created", "category_unknown"]
    assert run_file(sqlite_site, "courses", "shortname;fullname;category_path\nNEW3;Three;Made / Here\n").counts == {
        "created": 1
    }
    assert sqlite_site.rows("course_categories", name="Here")


@pytest.mark.parametrize(
    ("key", "text", "counts"),
    [
        ("courses_meta", "operation,method,shortname,metacohort,disabled\nadd,meta,C1,C2,0\n", {"created": 1}),
        ("courses_meta", "operation,method,shortname,metacohort,disabled\nadd,cohort,C1,C2,0\n", {"rejected": 1}),
        ("courses_meta", "operation,method,shortname,metacohort,disabled\nadd,meta,C1,C2,1\n", {"rejected": 1}),
        ("cohort_courses", "operation,method,shortname,metacohort,disabled\nadd,cohort,C1,K1,0\n", {"created": 1}),
        ("groups", "coursename,groupname,groupidnumber\nC1,New group,NG1\n", {"created": 1}),
        ("cohorts", "name,idnumber,description\nCore,CC1,Text\n", {"created": 1}),
    ],
)
def test_files_of_moodles_other_tools_are_read(
    sqlite_site: MoodleSite, key: str, text: str, counts: dict[str, int]
) -> None:
    enable_meta(sqlite_site)
    run_file(sqlite_site, "cohorts", "cidnumber;cname\nK1;First cohort\n")
    assert run_file(sqlite_site, key, text).counts == counts


@pytest.mark.parametrize(
    ("key", "text", "subject"),
    [
        ("users", f"{NAMES};maildisplay\nbob;B;K;9\n", "bob"),
        ("enrolments", "uid;cid;rolename;starttime\nbob;C1;student;46266\n", "bob / C1"),
        ("cohort_courses", "cohort;course;makegroup\nK1;C1;perhaps\n", "K1 → C1"),
        ("users_suspend", "username;suspended\nbob;perhaps\n", "bob"),
    ],
)
def test_a_rejected_cell_names_whom_it_is_about(sqlite_site: MoodleSite, key: str, text: str, subject: str) -> None:
    result = run_file(sqlite_site, key, text)
    assert [outcome.subject for outcome in result.outcomes] == [subject]
    assert f"{subject}: column" in result.report


@pytest.mark.parametrize("start", [";0", ";"])
def test_days_of_an_enrolment_without_a_start_count_from_today(sqlite_site: MoodleSite, start: str) -> None:
    head = f"{NAMES};course1;enrol1;enrolperiod1;start1\n"
    if start == ";":
        run(sqlite_site, f"{NAMES};course1;enrol1;start1\nnew;N;E;C1;manual;0\n")
    text = f"{head}new;N;E;C1;manual;30{start}\n"
    run(sqlite_site, text)
    made = enrolment(sqlite_site, "new")
    assert made["timestart"] == 0
    assert 29 * DAY < made["timeend"] - time.time() <= 30 * DAY
    assert run(sqlite_site, text).counts == {"unchanged": 1}
