"""Enrolments files that are complete: enrolments of the scope that aren't in the file are suspended or taken away."""

from __future__ import annotations

from typing import Any

import pytest

from sync.errors import CommandFileError
from tests.soundness import assert_sound, faults_of
from tests.support import MoodleSite, RunResult, run_file

pytestmark = pytest.mark.sites("sqlite:4.5", "mariadb:4.5", "postgresql:5.1")

HEADER = "cmd;cid;uid;rolename;enrol\n"
PEOPLE = ("kim0", "kim1", "kim2", "kim3")
STUDENT = 5
NAMED: dict[str, Any] = {"absent": "unenrol", "absentscope": "named"}
PATTERN: dict[str, Any] = {**NAMED, "absentscope": "pattern", "absentname": "C*"}


def enrol(site: MoodleSite, enrolid: int, contextid: int, *usernames: str) -> None:
    for username in usernames:
        userid = site.one("user", username=username)["id"]
        site.insert("user_enrolments", enrolid=enrolid, userid=userid, status=0, timestart=1, timeend=0, timecreated=1)
        site.insert("role_assignments", roleid=STUDENT, contextid=contextid, userid=userid, component="", itemid=0)


@pytest.fixture
def site(moodle_site: MoodleSite) -> MoodleSite:
    """A Moodle with people in two courses, and a third course."""
    # A real site has enrolments of its own.
    moodle_site.execute("DELETE FROM {user_enrolments} WHERE userid <> :ann", ann=moodle_site.ids["ann"])
    for username in PEOPLE:
        moodle_site.insert(
            "user", auth="manual", confirmed=1, mnethostid=1, username=username, firstname="First", lastname="Last"
        )
    enrol(moodle_site, moodle_site.ids["C1 manual"], moodle_site.ids["C1 context"], *PEOPLE)
    enrol(moodle_site, moodle_site.ids["C2 manual"], moodle_site.ids["C2 context"], *PEOPLE[:2])
    run_file(moodle_site, "courses", "shortname;fullname;category_path\nX3;Other;Elsewhere\n", newcategoriesvisible=1)
    return moodle_site


def file_of(*pairs: str) -> str:
    rows = (pair.partition("/") for pair in pairs)
    return HEADER + "".join(f"add;{course};{user};student;manual\n" for course, _slash, user in rows)


def people(site: MoodleSite, course: str, **where: Any) -> set[str]:
    names = {user["id"]: user["username"] for user in site.rows("user")}
    return {names[row["userid"]] for row in site.rows("user_enrolments", enrolid=site.ids[f"{course} manual"], **where)}


def notes(result: RunResult) -> dict[str, Any]:
    return {note.code: note.params for note in result.notes if note.code.startswith("absent_")}


def test_enrolments_in_the_courses_that_the_file_names_are_taken_away_one_by_one(site: MoodleSite) -> None:
    known = faults_of(site)
    result = run_file(site, "enrolments", file_of("C1/kim0", "C1/kim1", "C1/ann"), **NAMED)

    assert people(site, "C1") == {"kim0", "kim1", "ann"}
    assert people(site, "C2") == {"kim0", "kim1"}
    assert [(outcome.line, outcome.code, outcome.subject) for outcome in result.outcomes[3:]] == [
        (5, "absent_enrolment_deleted", "kim2 / C1"), (6, "absent_enrolment_deleted", "kim3 / C1"),
    ]  # fmt: skip
    gone = site.one("user", username="kim2")["id"]
    assert site.rows("role_assignments", userid=gone, contextid=site.ids["C1 context"]) == []
    assert "2 of 5 enrolments of the scope are absent from the file; taken away by this run: 2." in result.report
    assert_sound(site, but=known)


def test_enrolments_are_suspended_where_that_is_chosen_and_drift_by_hand_is_mended(site: MoodleSite) -> None:
    options = {**PATTERN, "absent": "suspend"}
    result = run_file(site, "enrolments", file_of("C1/kim0"), **options)
    assert (people(site, "C1", status=1), people(site, "C2", status=1)) == ({"kim1", "kim2", "kim3"}, {"kim0", "kim1"})
    params = notes(result)["absent_enrolments_suspend"]
    assert (params["count"], params["total"], params["done"]) == (5, 6, 5)

    before = site.snapshot()
    again = run_file(site, "enrolments", file_of("C1/kim0"), **options)
    assert site.diff(before, site.snapshot()) == {}
    assert notes(again)["absent_enrolments_suspend"]["done"] == 0

    site.execute("UPDATE {user_enrolments} SET status = 0 WHERE enrolid = :id", id=site.ids["C2 manual"])
    mended = run_file(site, "enrolments", file_of("C1/kim0"), **options)
    assert [outcome.subject for outcome in mended.outcomes[1:]] == ["kim0 / C2", "kim1 / C2"]


def test_a_category_is_a_scope_with_those_below_it(site: MoodleSite) -> None:
    top = site.one("course", shortname="C1")["category"]
    site.execute("UPDATE {course_categories} SET idnumber = 'TOP' WHERE id = :id", id=top)
    other = site.one("course_categories", name="Elsewhere")["id"]
    site.execute("UPDATE {course_categories} SET parent = :top WHERE id = :id", top=top, id=other)
    site.execute("UPDATE {course} SET category = :id WHERE shortname <> 'C1' AND category <> 0", id=other)
    options = {**NAMED, "absentscope": "category", "absentname": "TOP"}
    with pytest.raises(CommandFileError, match="absent_courses_all"):
        run_file(site, "enrolments", file_of("C1/kim0"), **options)

    run_file(site, "enrolments", file_of("C1/kim0"), **options, absentall=1)

    assert (people(site, "C1"), people(site, "C2")) == ({"kim0"}, set())


def test_enrolments_by_other_methods_stay(site: MoodleSite) -> None:
    other = site.insert(
        "enrol", enrol="self", courseid=site.ids["C1"], status=0, sortorder=9, roleid=STUDENT, timecreated=1
    )
    enrol(site, other, site.ids["C1 context"], "ann")

    run_file(site, "enrolments", file_of("C1/kim0"), **NAMED)
    assert len(site.rows("user_enrolments", enrolid=other)) == 1

    run_file(site, "enrolments", file_of("C1/kim0"), **NAMED, absentmethod="self")
    assert site.rows("user_enrolments", enrolid=other) == []


@pytest.mark.parametrize("chunk_rows", [1, 2, 1000])
@pytest.mark.parametrize("absent", ["suspend", "unenrol"])
@pytest.mark.parametrize("scope", [NAMED, PATTERN], ids=["named", "pattern"])
def test_a_dry_run_foretells_what_the_run_tells(
    site: MoodleSite, scope: dict[str, Any], absent: str, chunk_rows: int
) -> None:
    text = file_of("C1/kim0", "C1/ann", "X3/ann", "X3/nobody") + "del;C1;kim2;;manual\n"
    options = {**scope, "absent": absent, "createmanual": 1}
    before = site.snapshot()
    foretold = run_file(site, "enrolments", text, simulate=True, chunk_rows=chunk_rows, **options)
    assert site.diff(before, site.snapshot()) == {}

    done = run_file(site, "enrolments", text, chunk_rows=chunk_rows, **options)

    assert foretold.outcomes == done.outcomes
    assert foretold.notes == done.notes
    assert people(site, "C1", status=0) == {"kim0", "ann"}


def test_whoever_a_row_names_stays_even_if_the_row_is_rejected(site: MoodleSite) -> None:
    result = run_file(site, "enrolments", f"{file_of('C1/kim0')}add;C1;kim1;no-such-role;manual\n", **NAMED)

    assert people(site, "C1") == {"kim0", "kim1"}
    assert result.counts["rejected"] == 1


def test_numbers_with_zeros_before_them_name_courses_and_users(site: MoodleSite) -> None:
    course, kim = site.ids["C1"], site.one("user", username="kim0")["id"]
    options = {**PATTERN, "courseidentifier": "id", "useridentifier": "id"}
    result = run_file(site, "enrolments", file_of(f"000{course}/00{kim}"), **options)

    assert people(site, "C1") == {"kim0"}
    assert people(site, "C2") == set()
    assert result.outcomes[0].code == "enrolment_unchanged"


def test_users_of_other_hosts_are_in_no_scope(site: MoodleSite) -> None:
    site.execute("UPDATE {user} SET mnethostid = 7 WHERE username = 'kim1'")
    result = run_file(site, "enrolments", file_of("C1/kim0"), **NAMED)

    assert people(site, "C1") == {"kim0", "kim1"}
    assert notes(result)["absent_enrolments_unenrol"]["total"] == 3


UNSURE = [
    # Row, who stays in C1 and in C2 besides kim0, how many stay although no row names them.
    ("add;C1;kin1;student;manual", "kim1 kim2 kim3", "", 3),
    ("disable;C1;kin1;;manual", "kim1 kim2 kim3", "", 3),
    ("add;C-1;kim1;student;manual", "kim1", "kim1", 2),
    ("add;X3;kin1;student;manual", "", "", 0),
    # What it may mean is to be gone anyway.
    ("del;C1;kin1;;manual", "", "", 0),
    # This one may be about another method.
    ("del;C1;kin1;;self", "kim1 kim2 kim3", "", 3),
]


@pytest.mark.parametrize("chunk_rows", [1, 1000])
@pytest.mark.parametrize("case", UNSURE)
def test_what_a_row_may_mean_stays_where_it_names_something_that_is_not_there(
    site: MoodleSite, case: tuple[str, str, str, int], chunk_rows: int
) -> None:
    row, in_first, in_second, count = case
    text = f"{file_of('C1/kim0')}{row}\n{file_of('C2/kim0').splitlines()[1]}\n"
    foretold = run_file(site, "enrolments", text, simulate=True, chunk_rows=chunk_rows, **PATTERN)
    result = run_file(site, "enrolments", text, chunk_rows=chunk_rows, **PATTERN)

    assert people(site, "C1") == {"kim0", *in_first.split()}
    assert people(site, "C2") == {"kim0", *in_second.split()}
    said = [note.code for note in result.notes if note.code.startswith("absent_")]
    assert notes(result).get("absent_left_unsure") == ({"count": count, "lines": "3"} if count else None)
    assert said[0] == ("absent_left_unsure" if count else "absent_enrolments_unenrol")
    assert (foretold.outcomes, foretold.notes) == (result.outcomes, result.notes)
    # Mended, it is what the file says.
    run_file(site, "enrolments", file_of("C1/kim0", "C1/kim1", "C2/kim0"), **PATTERN)
    assert people(site, "C1") <= {"kim0", "kim1"}


def test_nothing_is_taken_away_when_neither_user_nor_course_of_a_row_is_there(site: MoodleSite) -> None:
    result = run_file(site, "enrolments", f"{file_of('C1/kim0')}add;C-1;kin1;student;manual\n", **PATTERN)

    assert people(site, "C1") == set(PEOPLE)
    assert notes(result) == {"absent_left_unread": {"lines": "3"}}


def test_a_user_of_an_unknown_row_that_is_deleted_by_now_is_not_there_either(site: MoodleSite) -> None:
    site.execute("UPDATE {user} SET deleted = 1 WHERE username = 'kim3'")
    run_file(site, "enrolments", file_of("C1/kim0", "C1/kim3"), **NAMED)

    assert people(site, "C1") == set(PEOPLE)


@pytest.mark.parametrize("row", ["add;C1;;student;manual", "add;;kim1;student;manual", "add;C1;kim1;student;manual;x"])
def test_nothing_is_taken_away_when_a_row_does_not_say_whom_it_means(site: MoodleSite, row: str) -> None:
    result = run_file(site, "enrolments", f"{file_of('C1/kim0')}{row}\n", **PATTERN)

    assert people(site, "C1") == set(PEOPLE)
    assert notes(result) == {"absent_left_unread": {"lines": "3"}}


def test_protected_users_and_users_whom_the_file_can_not_name_stay(site: MoodleSite) -> None:
    enrol(site, site.ids["C1 manual"], site.ids["C1 context"], "admin", "ann")
    site.execute("UPDATE {user} SET idnumber = 'K0' WHERE username = 'kim0'")
    result = run_file(site, "enrolments", file_of("C1/A1"), **NAMED, useridentifier="idnumber")

    assert people(site, "C1") == {"admin", "ann", "kim1", "kim2", "kim3"}
    assert notes(result)["absent_enrolments_unnamed"] == {"count": 3}


@pytest.mark.parametrize(
    ("scope", "code"),
    [
        ({"absentscope": "none"}, "absent_courses_unchosen"),
        ({"absentname": ""}, "absent_courses_unchosen"),
        ({"absentmethod": ""}, "absent_courses_unchosen"),
        ({"absentname": "NONE-*"}, "absent_courses_missing"),
        ({"absentscope": "category", "absentname": "NONE"}, "absent_courses_missing"),
        ({"absentname": "*"}, "absent_courses_all"),
        ({"absentmethod": "cohort"}, "absent_method_synced"),
    ],
)
def test_a_scope_that_can_not_be_meant_is_refused(site: MoodleSite, scope: dict[str, Any], code: str) -> None:
    before = site.snapshot()
    with pytest.raises(CommandFileError, match=code):
        run_file(site, "enrolments", file_of("C1/ann"), **{**PATTERN, **scope})

    assert site.diff(before, site.snapshot()) == {}
