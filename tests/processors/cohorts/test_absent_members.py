"""Files of cohorts that are complete: whoever isn't in the file is taken out of the cohorts of its scope."""

from __future__ import annotations

from typing import Any

import pytest

from sync.errors import CommandFileError
from tests.soundness import assert_sound, faults_of
from tests.support import MoodleSite, RunResult, run_file

pytestmark = pytest.mark.sites("sqlite:4.5", "mariadb:4.5", "postgresql:5.1")

HEADER = "cmd;cidnumber;userid\n"
PEOPLE = ("kim0", "kim1", "kim2", "kim3")
NAMED: dict[str, Any] = {"useridentifier": "username", "absent": "remove", "absentscope": "named"}
YEARS: dict[str, Any] = {**NAMED, "absentscope": "prefix", "absentname": "YEAR-"}
STUDENT = 5
CALLED: dict[str, dict[str, Any]] = {"cohort": {"idnumber": "YEAR-1"}, "user": {"username": "kim0"}}


def add_cohort(site: MoodleSite, idnumber: str, *usernames: str, component: str = "") -> int:
    cohort = site.insert(
        "cohort", contextid=site.one("context", contextlevel=10)["id"], name=f"Cohort {idnumber}", idnumber=idnumber,
        descriptionformat=1, component=component, timecreated=1, timemodified=1,
    )  # fmt: skip
    for username in usernames:
        site.insert("cohort_members", cohortid=cohort, userid=site.one("user", username=username)["id"], timeadded=1)
    return cohort


@pytest.fixture
def site(moodle_site: MoodleSite) -> MoodleSite:
    """A Moodle with three cohorts."""
    for username in PEOPLE:
        moodle_site.insert(
            "user", auth="manual", confirmed=1, mnethostid=1, username=username, firstname="First", lastname="Last"
        )
    add_cohort(moodle_site, "YEAR-1", *PEOPLE)
    add_cohort(moodle_site, "YEAR-2", *PEOPLE[:2])
    add_cohort(moodle_site, "STAFF", *PEOPLE[2:])
    return moodle_site


def file_of(*pairs: str) -> str:
    return HEADER + "".join(
        f"add;{cohort};{user}\n" for cohort, _slash, user in (pair.partition("/") for pair in pairs)
    )


def members(site: MoodleSite, idnumber: str) -> set[str]:
    names = {user["id"]: user["username"] for user in site.rows("user")}
    cohort = site.one("cohort", idnumber=idnumber)["id"]
    return {names[row["userid"]] for row in site.rows("cohort_members", cohortid=cohort)}


def notes(result: RunResult) -> dict[str, Any]:
    return {note.code: note.params for note in result.notes if note.code.startswith("absent_")}


def test_members_of_the_cohorts_that_the_file_names_are_taken_out_one_by_one(site: MoodleSite) -> None:
    result = run_file(site, "cohorts", file_of("YEAR-1/kim0", "YEAR-1/kim1", "YEAR-1/ann"), **NAMED)

    assert members(site, "YEAR-1") == {"kim0", "kim1", "ann"}
    assert members(site, "YEAR-2") == {"kim0", "kim1"}
    assert [(outcome.line, outcome.code, outcome.subject) for outcome in result.outcomes[3:]] == [
        (5, "absent_member_removed", "kim2 / YEAR-1"), (6, "absent_member_removed", "kim3 / YEAR-1"),
    ]  # fmt: skip
    assert result.outcomes[3].params["username"] == "kim2"
    assert "2 of 5 members of the scope are absent from the file; taken out by this run: 2." in result.report
    assert result.counts == {"unchanged": 2, "created": 1, "deleted": 2}


def test_members_of_cohorts_by_prefix_are_taken_out_also_where_the_file_names_none_of_a_cohort(
    site: MoodleSite,
) -> None:
    result = run_file(site, "cohorts", file_of("YEAR-1/kim0"), **YEARS)

    assert (members(site, "YEAR-1"), members(site, "YEAR-2")) == ({"kim0"}, set())
    assert members(site, "STAFF") == {"kim2", "kim3"}
    params = notes(result)["absent_members"]
    assert (params["count"], params["total"], params["done"]) == (5, 6, 5)


def test_the_same_file_again_changes_nothing_and_what_was_done_by_hand_is_mended(site: MoodleSite) -> None:
    run_file(site, "cohorts", file_of("YEAR-1/kim0"), **YEARS)
    before = site.snapshot()
    again = run_file(site, "cohorts", file_of("YEAR-1/kim0"), **YEARS)
    assert site.diff(before, site.snapshot()) == {}
    assert list(notes(again)) == ["absent_members_none"]

    cohort, ann = site.one("cohort", idnumber="YEAR-2")["id"], site.ids["ann"]
    site.insert("cohort_members", cohortid=cohort, userid=ann, timeadded=1)
    mended = run_file(site, "cohorts", file_of("YEAR-1/kim0"), **YEARS)

    assert members(site, "YEAR-2") == set()
    assert mended.codes == ["cohort_member_already", "absent_member_removed"]


def test_enrolments_follow_who_is_taken_out(site: MoodleSite) -> None:
    cohort = site.one("cohort", idnumber="YEAR-2")["id"]
    enrolid = site.insert(
        "enrol", enrol="cohort", courseid=site.ids["C1"], status=0, sortorder=9, roleid=STUDENT, customint1=cohort,
        customint2=0,
    )  # fmt: skip
    for username in PEOPLE[:2]:
        userid = site.one("user", username=username)["id"]
        site.insert("user_enrolments", enrolid=enrolid, userid=userid, status=0, timestart=0, timeend=0)
        site.insert(
            "role_assignments", roleid=STUDENT, contextid=site.ids["C1 context"], userid=userid,
            component="enrol_cohort", itemid=enrolid,
        )  # fmt: skip

    known = faults_of(site)
    run_file(site, "cohorts", file_of("YEAR-2/kim0"), **NAMED)

    left = site.one("user", username="kim0")["id"]
    assert [row["userid"] for row in site.rows("user_enrolments", enrolid=enrolid)] == [left]
    assert [row["userid"] for row in site.rows("role_assignments", itemid=enrolid)] == [left]
    assert_sound(site, but=known)


@pytest.mark.parametrize("chunk_rows", [1, 2, 1000])
@pytest.mark.parametrize("scope", [NAMED, YEARS], ids=["named", "prefix"])
def test_a_dry_run_foretells_what_the_run_tells(site: MoodleSite, scope: dict[str, Any], chunk_rows: int) -> None:
    text = file_of("YEAR-1/kim0", "YEAR-9/ann", "YEAR-9/kim0") + "del;YEAR-1;kim2\nfree;YEAR-2;\n"
    options = {**scope, "syncdelete": 1}
    before = site.snapshot()
    foretold = run_file(site, "cohorts", text, simulate=True, chunk_rows=chunk_rows, **options)
    assert site.diff(before, site.snapshot()) == {}

    done = run_file(site, "cohorts", text, chunk_rows=chunk_rows, **options)

    assert foretold.outcomes == done.outcomes
    assert foretold.notes == done.notes
    assert members(site, "YEAR-1") == {"kim0"}
    assert site.rows("cohort", idnumber="YEAR-2") == []


def test_cohorts_that_lose_everybody_to_the_scope_are_deleted_where_that_is_chosen(site: MoodleSite) -> None:
    before = {row["idnumber"] for row in site.rows("cohort")}
    run_file(site, "cohorts", file_of("YEAR-1/kim0"), **YEARS, syncdelete=1, chunk_rows=1)

    after = {row["idnumber"] for row in site.rows("cohort")}
    assert {"YEAR-1", "STAFF"} <= after < before
    assert not {name for name in after if name.startswith("YEAR-")} - {"YEAR-1"}
    assert all(name.startswith("YEAR-") for name in before - after)


def test_whoever_a_row_names_stays_even_if_the_row_is_rejected(site: MoodleSite) -> None:
    site.execute("UPDATE {user} SET idnumber = 'TWICE' WHERE username IN ('kim1', 'kim2')")
    site.execute("UPDATE {user} SET idnumber = username WHERE username IN ('kim0', 'kim3')")
    text = file_of("YEAR-1/kim0", "YEAR-1/TWICE")

    result = run_file(site, "cohorts", text, **{**NAMED, "useridentifier": "idnumber"})

    assert members(site, "YEAR-1") == {"kim0", "kim1", "kim2"}
    assert result.codes == ["cohort_member_already", "account_ambiguous", "absent_member_removed"]


def test_users_of_other_hosts_are_in_no_scope(site: MoodleSite) -> None:
    site.execute("UPDATE {user} SET mnethostid = 7 WHERE username = 'kim1'")
    result = run_file(site, "cohorts", file_of("YEAR-1/kim0"), **NAMED)

    assert members(site, "YEAR-1") == {"kim0", "kim1"}
    assert notes(result)["absent_members"]["total"] == 3


@pytest.mark.parametrize("scope", [NAMED, YEARS])
def test_numbers_with_zeros_before_them_name_cohorts_and_users(site: MoodleSite, scope: dict[str, Any]) -> None:
    cohort, kim = (site.one(table, **where)["id"] for table, where in CALLED.items())
    text = f"cmd;cid;userid\nadd;00{cohort};000{kim}\n"
    run_file(site, "cohorts", text, **{**scope, "cohortidentifier": "id", "useridentifier": "id"})

    assert members(site, "YEAR-1") == {"kim0"}


@pytest.mark.parametrize("row", ["add;YEAR-1;", "add;;kim1", "del;YEAR-1;", "add;YEAR-1;kim1;x;y"])
def test_nobody_is_taken_out_when_a_row_does_not_say_whom_it_means(site: MoodleSite, row: str) -> None:
    result = run_file(site, "cohorts", f"{file_of('YEAR-1/kim0')}{row}\n", **NAMED)

    assert members(site, "YEAR-1") == set(PEOPLE)
    assert notes(result) == {"absent_left_unread": {"lines": "3"}}


UNSURE: list[tuple[str, dict[str, Any], str, str, int]] = [
    # Row, options, who is left in YEAR-1 and in YEAR-2, how many stay although no row names them.
    ("add;YEAR-1;kin1", {}, "kim0 kim1 kim2 kim3", "kim0", 3),
    ("del;YEAR-1;kin1", {}, "kim0", "kim0", 0),
    # Such a row makes the cohort.
    ("add;YEAR1;kim1", {}, "kim0", "kim0", 0),
    ("add;YEAR1;kim1", {"autocreate": 0}, "kim0 kim1", "kim0 kim1", 2),
]


@pytest.mark.parametrize("chunk_rows", [1, 1000])
@pytest.mark.parametrize("case", UNSURE)
def test_what_a_row_may_mean_stays_where_it_names_something_that_is_not_there(
    site: MoodleSite, case: tuple[str, dict[str, Any], str, str, int], chunk_rows: int
) -> None:
    row, options, first, second, count = case
    text = f"{file_of('YEAR-1/kim0', 'YEAR-2/kim0')}{row}\n"
    result = run_file(site, "cohorts", text, chunk_rows=chunk_rows, **YEARS, **options)

    assert (members(site, "YEAR-1"), members(site, "YEAR-2")) == ({*first.split()}, {*second.split()})
    assert notes(result).get("absent_left_unsure") == ({"count": count, "lines": "4"} if count else None)


def test_nobody_is_taken_out_when_neither_user_nor_cohort_of_a_row_is_there(site: MoodleSite) -> None:
    text = f"{file_of('YEAR-1/kim0')}add;YEAR1;kin1\n"
    result = run_file(site, "cohorts", text, **YEARS, autocreate=0)

    assert members(site, "YEAR-1") == set(PEOPLE)
    assert list(notes(result)) == ["absent_left_unread"]


def test_a_file_without_any_user_takes_nobody_out(site: MoodleSite) -> None:
    result = run_file(site, "cohorts", "cidnumber;cname\nYEAR-1;Cohort YEAR-1\n", **NAMED)

    assert members(site, "YEAR-1") == set(PEOPLE)
    assert list(notes(result)) == ["absent_left_nobody"]


def test_protected_users_users_without_a_name_and_cohorts_of_plugins_are_left_alone(site: MoodleSite) -> None:
    add_cohort(site, "YEAR-3", "admin", "kim0", "ann")
    add_cohort(site, "YEAR-4", "kim0", component="enrol_ldap")
    result = run_file(site, "cohorts", file_of("YEAR-3/A1"), **{**YEARS, "useridentifier": "idnumber"})

    assert members(site, "YEAR-3") == {"admin", "kim0", "ann"}
    assert members(site, "YEAR-4") == {"kim0"}
    # The users of the fixture have no idnumber.
    assert notes(result)["absent_left_unnamed"]["count"] == 7


@pytest.mark.parametrize(
    ("scope", "code"),
    [
        ({"absentscope": "none"}, "absent_cohorts_unchosen"),
        ({"absentname": ""}, "absent_cohorts_unchosen"),
        ({"absentname": "NONE-"}, "absent_cohorts_missing"),
    ],
)
def test_a_scope_that_is_no_cohort_is_refused(site: MoodleSite, scope: dict[str, Any], code: str) -> None:
    before = site.snapshot()
    with pytest.raises(CommandFileError, match=code):
        run_file(site, "cohorts", file_of("YEAR-1/ann"), **{**YEARS, **scope})

    assert site.diff(before, site.snapshot()) == {}


def test_a_scope_of_all_cohorts_is_refused_unless_that_is_meant(site: MoodleSite) -> None:
    site.execute("DELETE FROM {cohort} WHERE idnumber IS NULL OR idnumber NOT LIKE 'YEAR-%'")
    with pytest.raises(CommandFileError, match="absent_cohorts_all"):
        run_file(site, "cohorts", file_of("YEAR-1/kim0"), **YEARS)

    run_file(site, "cohorts", file_of("YEAR-1/kim0"), **YEARS, absentall=1)

    assert (members(site, "YEAR-1"), members(site, "YEAR-2")) == ({"kim0"}, set())
