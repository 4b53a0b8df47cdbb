"""Flat files of Moodle (enrol_flatfile), which have no header: `enrolments` with the option flatfile."""

from __future__ import annotations

import pytest

from sync.errors import HeaderError
from sync.messages import text_of
from tests.support import MoodleSite, run_file


@pytest.fixture
def site(sqlite_site: MoodleSite) -> MoodleSite:
    people = "username;firstname;lastname;idnumber\n" + "".join(f"u{n};F;L;{n}\n" for n in range(1, 5))
    assert run_file(sqlite_site, "users", people, primaryidentity="username").counts == {"created": 4}
    courses = "shortname;fullname;idnumber\nX1;One;CF101\nX2;Two;CF102\n"
    assert run_file(sqlite_site, "courses", courses).counts == {"created": 2}
    return sqlite_site


def enrolled(site: MoodleSite) -> set[tuple[str, str]]:
    users = {row["id"]: row["username"] for row in site.rows("user")}
    courses = {row["id"]: row["shortname"] for row in site.rows("course")}
    methods = {row["id"]: courses[row["courseid"]] for row in site.rows("enrol")}
    return {
        (users[row["userid"]], methods[row["enrolid"]])
        for row in site.rows("user_enrolments")
        if row["userid"] in users
    }


FLAT = "add, student, 1, CF101\nadd, editingteacher, 2, CF101, 1735689600, 1893456000\nADD, student, 3, CF102\n"


def test_rows_are_read_by_idnumber(site: MoodleSite) -> None:
    result = run_file(site, "enrolments", FLAT, flatfile=True, useridentifier="username", courseidentifier="id")
    assert result.counts == {"created": 3}
    assert {("u1", "X1"), ("u2", "X1"), ("u3", "X2")} <= enrolled(site)
    again = run_file(site, "enrolments", FLAT, flatfile=True)
    assert again.counts == {"unchanged": 3}
    gone = run_file(site, "enrolments", "del, student, 1, CF101\n", flatfile=True)
    assert gone.counts == {"deleted": 1}


@pytest.mark.parametrize(
    "text",
    [FLAT, "# note\n" + FLAT, 'add;"student";"1";"CF101"\n', "del,student,1,CF101\n", "add\tstudent\t1\tCF101\t0\t0\n"],
)
def test_it_is_recognised_without_the_option(site: MoodleSite, text: str) -> None:
    before = site.snapshot()
    with pytest.raises(HeaderError) as refused:
        run_file(site, "enrolments", text)
    assert refused.value.code == "header_flat_file"
    assert "flatfile=1" in text_of(refused.value.code, refused.value.params)
    assert site.diff(before, site.snapshot()) == {}
    assert run_file(site, "enrolments", text, flatfile=True).counts


@pytest.mark.parametrize("text", ["add;user\n", "cmd,role,user,course\nadd,student,1,CF101\n", "add,a,b,c,d,e,f\n"])
def test_other_files_without_header_are_no_flat_files(site: MoodleSite, text: str) -> None:
    with pytest.raises(HeaderError) as refused:
        run_file(site, "enrolments", text)
    assert refused.value.code != "header_flat_file"


def test_unknown_people_come_back_in_the_tryback(site: MoodleSite) -> None:
    result = run_file(
        site, "enrolments", "add, student, 99, CF101\nadd, student, 4, CF101\n add, student, 1, CF101\n", flatfile=True
    )
    assert result.counts == {"created": 1, "rejected": 2}
    assert result.codes[2] == "row_begins_with_blank"
    assert result.tryback is not None
    mended = result.tryback.replace(b" 99,", b" 3,").replace(b"\n add", b"\nadd")
    assert run_file(site, "enrolments", mended, flatfile=True).counts == {"created": 2}
