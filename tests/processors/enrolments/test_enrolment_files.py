"""Whole files of enrolments: bad rows among good ones, many rows, simulations, mails."""

from __future__ import annotations

import random
from typing import Any

import pytest

from sync.messages import text_at_column
from sync.processors.registry import guess_processor
from sync.values import FAILED_ACTIONS
from tests.processors.enrolment_people import (
    EDITING_TEACHER,
    STUDENT,
    add_people,
    enrol,
    give_role,
    groups,
    roles,
)
from tests.support import MoodleSite, RunResult, run_file

pytestmark = pytest.mark.sites("sqlite:4.1", "mariadb:4.5", "postgresql:5.1", "real:m520-seeded")

HEADER = "cmd;cid;uid;rolename;enrol;starttime;endtime;gcmd;g1\n"
GOOD = "add;C1;{user};student;manual;2025-01-01;0;gaddcreate;G1"

# What is wrong, the row, its code, and what the report names.
BAD_ROWS = [
    ("an unknown command", "sync;C1;{user};student;manual;;;;", "value_not_among", "sync"),
    ("no user", "add;C1;;student;manual;;;;", "cell_empty", "uid"),
    ("an unknown user", "add;C1;nobody;student;manual;;;;", "account_unknown", "nobody"),
    ("a deleted user", "add;C1;gone;student;manual;;;;", "account_unknown", "gone"),
    ("a user of another host", "add;C1;remote;student;manual;;;;", "account_unknown", "remote"),
    ("an empty course", "add;;{user};student;manual;;;;", "cell_empty", "cid"),
    ("an unknown course", "add;C99;{user};student;manual;;;;", "course_unknown", "C99"),
    ("the site course", "add;{site};{user};student;manual;;;;", "course_is_site", "{site}"),
    ("an unknown role", "add;C1;{user};chef;manual;;;;", "role_unknown", "chef"),
    ("no role", "shift;C1;{user};;manual;;;;", "cell_empty", "rolename"),
    ("a role that is not for courses", "add;C1;{user};coursecreator;manual;;;;", "role_not_for_courses", "coursecreator"),
    ("a missing method", "add;C1;{user};student;paypal;;;;", "enrol_method_inactive", "paypal"),
    ("a synchronised method", "add;C1;{user};student;cohort;;;;", "enrol_method_refused", "cohort"),
    ("an unreadable date", "add;C1;{user};student;manual;tomorrow;;;", "value_not_time", "tomorrow"),
    ("a day that does not exist", "add;C1;{user};student;manual;;2025-02-30;;", "value_not_time", "2025-02-30"),
    ("dates out of order", "add;C1;{user};student;manual;1700000000;1600000000;;", "enrolment_dates_reversed", "1600000000"),
    ("an unknown group command", "add;C1;{user};student;manual;;;gjoin;G1", "group_command_unknown", "gjoin"),
    ("an unknown group", "disable;C1;{user};;manual;;;gdel;GX", "group_unknown", "GX"),
    ("a group without enrolment", "enable;C2;{user};;manual;;;gadd;G1", "group_not_enrolled", "G1"),
    ("a group name too long", "add;C1;{user};student;manual;;;gadd;" + "x" * 255, "value_too_long", "255"),
    ("too many cells", "add;C1;{user};student;manual;;;;;;extra", "too_many_cells", "11"),
]  # fmt: skip


@pytest.fixture
def site(sqlite_site: MoodleSite) -> MoodleSite:
    add_people(sqlite_site, "u1", "u2", "gone", "remote", "t1")
    sqlite_site.execute("UPDATE {user} SET deleted = 1 WHERE username = 'gone'")
    sqlite_site.execute("UPDATE {user} SET mnethostid = 77 WHERE username = 'remote'")
    return sqlite_site


def _fill(row: str, site: MoodleSite, user: str = "u1") -> str:
    return row.format(user=user, site=site.one("course", id=1)["shortname"])


@pytest.mark.parametrize(("what", "row", "code", "named"), BAD_ROWS, ids=[what for what, *_more in BAD_ROWS])
def test_a_bad_row_is_rejected_once_and_names_its_value(
    site: MoodleSite, what: str, row: str, code: str, named: str
) -> None:
    bad = _fill(row, site)

    result = run_file(site, "enrolments", f"{HEADER}{bad}\n{GOOD.format(user='u2')}\n")

    assert result.codes == [code, "enrolment_created"]
    outcome = result.outcomes[0]
    assert _fill(named, site) in text_at_column(outcome.code, outcome.params)
    assert result.tryback is not None
    assert result.tryback.decode().count(bad) == 1


@pytest.mark.parametrize(
    ("identifiers", "cid", "uid", "code"),
    [
        ({"useridentifier": "id"}, "C1", "u1", "account_unknown"),
        ({"useridentifier": "id"}, "C1", "9" * 30, "account_unknown"),
        ({"useridentifier": "idnumber"}, "C1", "twice", "account_ambiguous"),
        ({"useridentifier": "email"}, "C1", "twice@example.org", "account_ambiguous"),
        ({"courseidentifier": "id"}, "C1", "u1", "course_unknown"),
        ({"courseidentifier": "id"}, "1", "u1", "course_is_site"),
        ({"courseidentifier": "idnumber"}, "same", "u1", "course_ambiguous"),
    ],
)
def test_identifiers_must_name_one_thing(
    site: MoodleSite, identifiers: dict[str, Any], cid: str, uid: str, code: str
) -> None:
    site.execute("UPDATE {user} SET idnumber = 'twice', email = 'twice@example.org' WHERE username IN ('u1', 'u2')")
    site.execute("UPDATE {course} SET idnumber = 'same' WHERE shortname IN ('C1', 'C2')")

    result = run_file(site, "enrolments", f"cid;uid;rolename\n{cid};{uid};student\n", **identifiers)

    assert result.codes == [code]


def test_a_short_row_has_nobody_to_enrol_and_goes_into_the_tryback(site: MoodleSite) -> None:
    """E12: the old plugin took the user of the row before."""
    result = run_file(site, "enrolments", "cid;uid;rolename\nC1;u1;student\nC1\n")

    assert result.codes == ["role_assigned", "cell_empty"]


@pytest.mark.parametrize(
    ("cell", "stored"),
    [("0", 0), ("1767225600", 1767225600), ("2026-01-01", 1767225600), ("2026-01-01 08:30:00", 1767256200),
     ("2026-01-01 08:30", 1767256200), ("2026-01-01T08:30:00", 1767256200)],
)  # fmt: skip
def test_dates_are_read_in_every_form_on_the_site_s_clock(site: MoodleSite, cell: str, stored: int) -> None:
    site.execute("UPDATE {config} SET value = 'UTC' WHERE name = 'timezone'")
    text = f"cid;uid;rolename;enrol;starttime\nC1;u1;student;manual;{cell}\n"

    run_file(site, "enrolments", text)

    assert site.one("user_enrolments", userid=site.ids["u1"])["timestart"] == stored
    assert run_file(site, "enrolments", text).counts == {"unchanged": 1}


def test_a_date_is_held_against_the_one_that_is_there(site: MoodleSite) -> None:
    enrol(site, "u1", timestart=1_700_000_000, timeend=1_600_000_000)
    header = "cmd;cid;uid;rolename;enrol;endtime\n"

    assert run_file(site, "enrolments", f"{header}add;C1;u1;student;manual;1650000000\n").codes == [
        "enrolment_dates_reversed"
    ]
    # What is out of order in Moodle already doesn't keep other things from being done.
    assert run_file(site, "enrolments", f"{header}disable;C1;u1;;manual;\n").codes == ["enrolment_disabled"]


# --- many rows ---------------------------------------------------------------------------------------------------------------


def _many(site: MoodleSite, count: int) -> list[str]:
    """Return people, and a row for each."""
    names = [f"many{number}" for number in range(count)]
    add_people(site, *names)
    return [GOOD.format(user=name) for name in names]


def test_of_a_thousand_rows_exactly_the_bad_ones_come_back_and_mended_they_pass(site: MoodleSite) -> None:
    rows = _many(site, 1000)
    places = random.Random(7).sample(range(1000), len(BAD_ROWS))
    for place, (_what, row, _code, _named) in zip(places, BAD_ROWS, strict=True):
        rows[place] = _fill(row, site, f"many{place}")

    result = run_file(site, "enrolments", HEADER + "\n".join(rows) + "\n", chunk_rows=300)

    rejected = {outcome.line - 2: outcome.code for outcome in result.outcomes if outcome.action in FAILED_ACTIONS}
    assert rejected == {place: code for place, (_what, _row, code, _named) in zip(places, BAD_ROWS, strict=True)}
    assert result.tryback is not None
    assert len(result.tryback.decode().splitlines()) == len(BAD_ROWS) + 1

    mended = HEADER + "".join(GOOD.format(user=f"many{place}") + "\n" for place in places)
    again = run_file(site, "enrolments", mended)
    assert "rejected" not in again.counts
    assert len(site.rows("user_enrolments", enrolid=site.ids["C1 manual"])) == 1000
    group = site.one("groups", name="G1", courseid=site.ids["C1"])
    assert len(site.rows("groups_members", groupid=group["id"])) == 1000


def test_the_number_of_queries_does_not_grow_with_the_rows(site: MoodleSite) -> None:
    rows = _many(site, 1100)
    replacing = [row.replace("gaddcreate", "greplacecreate") for row in rows]
    deleting = [f"del;C1;many{number};;manual;;;;" for number in range(1100)]

    for text in (rows, replacing, deleting):
        few, many = (
            run_file(site, "enrolments", HEADER + "\n".join(part) + "\n", protectgroups=True).queries
            for part in (text[:100], text[100:])
        )
        assert many <= few + 2, (few, many)
    assert site.rows("user_enrolments", enrolid=site.ids["C1 manual"]) == []


@pytest.mark.parametrize("chunk_rows", [1, 2, 1000])
def test_a_simulation_tells_what_a_run_does_and_writes_nothing(moodle_site: MoodleSite, chunk_rows: int) -> None:
    add_people(moodle_site, "u1", "u2", "gone", "remote")
    rows = [
        GOOD.format(user="u1"), "shift;C1;u1;editingteacher;manual;;;gdel;G1", "disable;C1;u1;;manual;;;;",
        "add;C2;u1;student;manual;;;gadd;G1", "del;C1;u1;;manual;;;;", "del;C1;u1;;manual;;;;", GOOD.format(user="u2"),
        *(_fill(row, moodle_site) for _what, row, *_more in BAD_ROWS[:8]),
    ]  # fmt: skip
    text = HEADER + "\n".join(rows) + "\n"
    before = moodle_site.snapshot()

    simulated = run_file(moodle_site, "enrolments", text, simulate=True, chunk_rows=chunk_rows)

    assert moodle_site.diff(before, moodle_site.snapshot()) == {}
    assert simulated.tryback is None
    real = run_file(moodle_site, "enrolments", text, chunk_rows=chunk_rows)
    assert [outcome[1:3] for outcome in simulated.outcomes] == [outcome[1:3] for outcome in real.outcomes]
    assert groups(moodle_site, "u2") == {"G1": ""}
    assert roles(moodle_site, "u1") == []


# --- mails -------------------------------------------------------------------------------------------------------------------


def _with_teacher(site: MoodleSite) -> None:
    site.execute("UPDATE {config} SET value = :value WHERE name = 'coursecontact'", value=str(EDITING_TEACHER))
    give_role(site, "t1", "C1", EDITING_TEACHER)
    give_role(site, "t1", "C2", EDITING_TEACHER)
    give_role(site, "u2", "C1", STUDENT)


def _mail(site: MoodleSite, *rows: str, **options: Any) -> RunResult:
    header = "cmd;cid;uid;rolename;enrol\n"
    return run_file(site, "enrolments", header + "".join(f"{row}\n" for row in rows), **{"mailadmins": True, **options})


def test_contacts_get_one_mail_for_each_course_and_run(site: MoodleSite) -> None:
    _with_teacher(site)
    rows = (
        "add;C1;u1;student;manual", "add;C2;u1;student;manual", "add;C1;u2;student;manual", "add;C1;nobody;student;manual",
        "shift;C1;u1;teacher;manual",
    )  # fmt: skip

    mails = sorted(_mail(site, *rows, chunk_rows=1).mails)

    assert [(mail.to, mail.subject.split(":")[0]) for mail in mails] == [
        ("t1@example.org", "Course C1"), ("t1@example.org", "Course C2"),
    ]  # fmt: skip
    assert [line for line in mails[0].body.splitlines() if "Person" in line] == [
        "U1 Person (u1): enrolled", "U2 Person (u2): enrolled", "U1 Person (u1): role replaced",
    ]  # fmt: skip
    assert "nobody" not in mails[0].body


def test_nobody_is_written_to_when_nothing_changes_or_nobody_asks(site: MoodleSite) -> None:
    _with_teacher(site)

    assert _mail(site, "add;C1;u1;student;manual", simulate=True).mails == []
    assert _mail(site, "add;C1;u1;student;manual", mailadmins=False).mails == []
    assert _mail(site, "add;C1;u1;student;manual").mails == []


@pytest.mark.parametrize("column", ["deleted", "suspended", "emailstop"])
def test_who_takes_no_mail_gets_none(site: MoodleSite, column: str) -> None:
    _with_teacher(site)
    site.execute(f"UPDATE {{user}} SET {column} = 1 WHERE username = 't1'")

    assert _mail(site, "add;C1;u1;student;manual").mails == []


# --- the file type -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header", ["cmd;cid;uid;rolename;enrol", "cid;uid;rolename", "rolename;cid;uid;hidden;gcmd;g1;g9;starttime"]
)
def test_the_file_type_is_guessed_from_the_header(header: str) -> None:
    assert guess_processor(header.split(";")) == "enrolments"
