"""Files that are complete for what ToolSync created: nobody else is ever absent, and what was created is known exactly."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django import Settings

from sync.models import InsertedRows, RunState, SyncRun
from sync.runs import services
from sync.runs.outcome_store import read_rows
from sync.runs.recorder import SiteRecords
from tests.installation import Installation
from tests.runs.test_interruptions import die_at
from tests.runs.test_scope_limits import add_cohort
from tests.runs.undo_checks import undo

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.sites("sqlite:5.2", "mariadb:4.5", "postgresql:5.1", "real:m41-seeded"),
]

HEADER = "username;firstname;lastname;email;course1;enrol1;cohortid"
PEOPLE = [f"own{n};Own;Nr {n};own{n}@x.org;C1;manual;CLUB" for n in range(5)]
BY_HAND = "hand"


@pytest.fixture(autouse=True)
def small_chunks(settings: Settings) -> None:
    settings.TOOLSYNC_CHUNK_ROWS = 2


@pytest.fixture
def filled(installation_everywhere: Installation) -> Installation:
    """Five people whom ToolSync created, with an enrolment and a membership each, and one by hand who has the same."""
    installation, moodle = installation_everywhere, installation_everywhere.moodle
    add_cohort(installation, "CLUB")
    assert carry_out(installation, "users", [HEADER, *PEOPLE]).counts == {"created": 5}
    userid = moodle.insert(
        "user", auth="manual", confirmed=1, mnethostid=1, username=BY_HAND, firstname="By", lastname="Hand"
    )
    moodle.insert("user_enrolments", enrolid=moodle.ids["C1 manual"], userid=userid, status=0)
    moodle.insert("cohort_members", cohortid=moodle.one("cohort", idnumber="CLUB")["id"], userid=userid)
    return installation


def carry_out(installation: Installation, processor: str, rows: list[str], **options: Any) -> SyncRun:
    identity = {"primaryidentity": "username"} if processor == "users" else {"useridentifier": "username"}
    return installation.carry_out(
        f"/{processor}.csv", "\n".join(rows) + "\n", processor=processor, **{**identity, **options}
    )


def told(run: SyncRun) -> list[tuple[str, str]]:
    return [(outcome.code, outcome.subject) for outcome in read_rows(run) if outcome.code.startswith("absent_")]


def compared(installation: Installation, processor: str, rows: list[str], **options: Any) -> SyncRun:
    """Simulate a file and carry it out; both must say the same."""
    dry = carry_out(installation, processor, rows, simulate=True, **options)
    run = carry_out(installation, processor, rows, **options)
    assert run.state == RunState.COMPLETED, (run.error_code, run.notes)
    assert (told(dry), absent_notes(dry), dry.counts) == (told(run), absent_notes(run), run.counts)
    return run


def absent_notes(run: SyncRun) -> list[Any]:
    return [note for note in run.notes if note[0].startswith("absent_")]


def test_users_whom_we_created_and_the_file_doesn_t_name_are_suspended(filled: Installation) -> None:
    rows = [HEADER, *PEOPLE[:2], "new;New;One;new@x.org;C1;manual;CLUB"]

    run = compared(filled, "users", rows, absent="suspend", absentscope="created")

    assert told(run) == [("absent_user_suspended", f"own{n}") for n in (2, 3, 4)]
    assert {row["username"] for row in filled.moodle.rows("user", suspended=1)} >= {"own2", "own3", "own4"}
    assert not filled.moodle.one("user", username=BY_HAND)["suspended"]
    note = dict(run.notes)["absent_users_suspend"]
    assert (note["count"], note["done"], note["total"]) == (3, 3, 6)
    assert note["since"]


def test_enrolments_that_we_made_and_the_file_doesn_t_name_are_taken_away(filled: Installation) -> None:
    rows = [
        "cmd;rolename;uid;cid;enrol", "add;student;own0;C1;manual", f"add;student;{BY_HAND};C2;manual", "del;;own4;C1;manual",
    ]  # fmt: skip

    run = compared(filled, "enrolments", rows, absent="unenrol", absentscope="created")

    assert told(run) == [("absent_enrolment_deleted", f"own{n} / C1") for n in (1, 2, 3)]
    note = dict(run.notes)["absent_enrolments_unenrol"]
    # Of own0 to own3, and the new one.
    assert (note["count"], note["done"], note["total"]) == (3, 3, 5)
    by_hand = filled.moodle.one("user", username=BY_HAND)["id"]
    assert len(filled.moodle.rows("user_enrolments", userid=by_hand)) == 2


def test_members_whom_we_put_in_and_the_file_doesn_t_name_are_taken_out(filled: Installation) -> None:
    rows = ["cmd;cidnumber;userid", "add;CLUB;own0", "add;OTHER;own1", "del;CLUB;own4"]

    run = compared(filled, "cohorts", rows, absent="remove", absentscope="created", cohortidentifier="idnumber")

    assert told(run) == [("absent_member_removed", f"own{n} / CLUB") for n in (1, 2, 3)]
    note = dict(run.notes)["absent_members"]
    assert (note["count"], note["done"], note["total"]) == (3, 3, 5)
    cohort = filled.moodle.one("cohort", idnumber="CLUB")["id"]
    by_hand = filled.moodle.one("user", username=BY_HAND)["id"]
    assert by_hand in {row["userid"] for row in filled.moodle.rows("cohort_members", cohortid=cohort)}


@pytest.mark.parametrize(
    ("processor", "rows", "absent"),
    [
        ("users", ["username;firstname;lastname;email", "x;X;X;x@x.org"], "suspend"),
        ("enrolments", ["cmd;rolename;uid;cid", "add;student;ann;C1"], "unenrol"),
        ("cohorts", ["cmd;cidnumber;userid", "add;CLUB;ann"], "remove"),
    ],
)
def test_where_nothing_was_created_yet_the_file_is_refused(
    installation_everywhere: Installation, processor: str, rows: list[str], absent: str
) -> None:
    before = installation_everywhere.moodle.snapshot()

    run = carry_out(installation_everywhere, processor, rows, absent=absent, absentscope="created")

    assert (run.state, run.error_code) == (RunState.FAILED, "absent_created_nothing")
    assert installation_everywhere.moodle.diff(before, installation_everywhere.moodle.snapshot()) == {}


@pytest.mark.parametrize("call", [1, 2, 3])
@pytest.mark.parametrize("place", [("prepare", True), ("prepare", False), ("confirm", True)])
@pytest.mark.sites("sqlite:5.2")
def test_what_a_killed_run_created_is_known_as_if_nothing_had_happened(
    installation_everywhere: Installation, monkeypatch: pytest.MonkeyPatch, place: tuple[str, bool], call: int
) -> None:
    installation, moodle = installation_everywhere, installation_everywhere.moodle
    add_cohort(installation, "CLUB")
    run = installation.queue(
        "/users.csv", "\n".join([HEADER, *PEOPLE]) + "\n", primaryidentity="username", in_background=False
    )
    die_at(monkeypatch, run, place[0], call, before=place[1])

    assert services.execute_run(run.pk).counts == {"created": 5}

    records = SiteRecords(installation.site)
    for table in ("user", "user_enrolments", "cohort_members"):
        ours = {row["id"] for row in moodle.rows("user") if row["username"].startswith("own")}
        column = "id" if table == "user" else "userid"
        rows = [row for row in moodle.rows(table) if row[column] in ours]
        ids = {row["id"] for row in moodle.rows(table)}
        assert records.created(table).ids.among(ids) == {row["id"] for row in rows}, table


def test_what_an_undo_brings_back_is_still_ours(filled: Installation) -> None:
    deleted = filled.carry_out("/gone.csv", "username\nown0\n", processor="users_delete", primaryidentity="username")
    noted = sorted(InsertedRows.objects.values_list("table", "first", "last"))

    undo(deleted)

    assert sorted(InsertedRows.objects.values_list("table", "first", "last")) == noted
    run = compared(filled, "users", [HEADER, *PEOPLE[1:]], absent="suspend", absentscope="created")
    assert told(run) == [("absent_user_suspended", "own0")]
