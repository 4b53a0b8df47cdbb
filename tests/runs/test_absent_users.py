"""Runs of files that are complete: judged, planned, killed, listed for deletion, found in the audit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from typing import Any

import pytest
from pytest_django import Settings

from sync.audit.selectors import AuditQuery, find_entries
from sync.errors import MoodleUnavailable
from sync.models import GraceEntry, GuardLimits, RunState, SyncRun
from sync.moodle.db.database import MoodleSession
from sync.runs import decisions, services
from sync.runs.outcome_store import read_rows
from sync.runs.rights import OPERATOR
from tests.installation import Installation, at
from tests.runs.test_interruptions import die_at
from tests.runs.undo_checks import undo

pytestmark = pytest.mark.django_db

PEOPLE = 8
HEADER = "username;firstname;lastname\n"
FILE = HEADER + "kim0;First;Last\nnew;First;Last\n"
OPTIONS: dict[str, Any] = {
    "primaryidentity": "username", "absent": "suspend", "absentscope": "auth", "absentname": "ldap",
}  # fmt: skip
NIGHT = "2026-11-30T10:00:00"


@pytest.fixture(autouse=True)
def guarded(settings: Settings) -> None:
    settings.TOOLSYNC_GUARD = True
    settings.TOOLSYNC_CHUNK_ROWS = 2
    settings.TIME_ZONE = "UTC"


@pytest.fixture
def filled(installation: Installation) -> Installation:
    """An installation whose Moodle has eight users of LDAP."""
    for number in range(PEOPLE):
        installation.moodle.insert(
            "user", auth="ldap", confirmed=1, mnethostid=1, username=f"kim{number}", firstname="First", lastname="Last"
        )
    return installation


@pytest.fixture
def unlimited(filled: Installation) -> Installation:
    GuardLimits.objects.create(site=filled.site, is_on=False)
    return filled


def suspended(installation: Installation) -> list[str]:
    return [user["username"] for user in installation.moodle.rows("user", suspended=1)]


def told(run: SyncRun) -> list[tuple[int, str, str]]:
    return [(outcome.line, outcome.code, outcome.subject) for outcome in read_rows(run)]


ALL_ABSENT = [f"kim{number}" for number in range(1, PEOPLE)]
ALL_TOLD = [
    (2, "account_unchanged", "kim0"),
    (3, "account_created", "new"),
    *((number + 3, "absent_user_suspended", f"kim{number}") for number in range(1, PEOPLE)),
]


def queue_at_night(installation: Installation, text: str = FILE, **more: Any) -> SyncRun:
    run = installation.queue("/all.csv", text, in_background=False, **{**OPTIONS, **more})
    SyncRun.objects.filter(pk=run.pk).update(origin=SyncRun.Origin.SCHEDULE)
    return run


def lose_answer(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Let the connection break once, when the server has committed so many transactions and hasn't said so of the last."""
    original = MoodleSession.transaction
    answers: list[bool] = []

    @contextmanager
    def transaction(self: MoodleSession) -> Iterator[None]:
        with original(self):
            yield
        answers.append(True)
        if len(answers) == number:
            raise MoodleUnavailable("moodle_unavailable", reason="lost")

    monkeypatch.setattr(MoodleSession, "transaction", transaction)


def test_more_absent_users_than_the_limits_allow_hold_the_run_until_it_is_approved(filled: Installation) -> None:
    run = services.execute_run(queue_at_night(filled).pk)

    assert run.state == RunState.HELD
    assert [(code, params["kind"], params["count"]) for code, params in run.held_for] == [
        ("guard_percent", "users.suspended", PEOPLE - 1)
    ]
    assert suspended(filled) == []
    assert run.plan is not None
    assert told(run.plan) == ALL_TOLD

    filled.moodle.execute("UPDATE {user} SET suspended = 1 WHERE username = 'kim2'")
    filled.moodle.insert(
        "user", auth="ldap", confirmed=1, mnethostid=1, username="later", firstname="First", lastname="Last"
    )
    decisions.approve_run(run, OPERATOR, reason="", typed=str(PEOPLE - 1))
    run = services.execute_run(run.pk)

    # Who came after the plan was made is left for the next file.
    assert run.state == RunState.COMPLETED
    assert suspended(filled) == ALL_ABSENT
    assert run.counts == {"unchanged": 1, "created": 1, "updated": PEOPLE - 2}
    assert run.totals == {"users.created": 1, "users.suspended": PEOPLE - 2}
    assert run.rows_done == 2
    notes = dict(run.notes)
    assert notes["absent_left_changed"] == {"count": 1, "names": "later"}
    assert notes["planned_objects_left"] == {"count": 1, "names": "kim2"}
    assert (notes["absent_users_suspend"]["count"], notes["absent_users_suspend"]["done"]) == (PEOPLE, PEOPLE - 2)


def test_a_simulation_is_what_the_run_does(unlimited: Installation) -> None:
    dry = unlimited.carry_out("/all.csv", FILE, simulate=True, **OPTIONS)
    assert suspended(unlimited) == []

    run = unlimited.carry_out("/all.csv", FILE, **OPTIONS)

    assert told(dry) == told(run) == ALL_TOLD
    assert (dry.totals, dry.counts, dry.notes) == (run.totals, run.counts, run.notes)
    assert suspended(unlimited) == ALL_ABSENT


@pytest.mark.parametrize("call", range(1, 7))
@pytest.mark.parametrize("place", [("prepare", True), ("prepare", False), ("confirm", True)])
@pytest.mark.parametrize("absent", ["suspend", "delete"])
def test_a_run_killed_anywhere_ends_like_an_undisturbed_one(
    unlimited: Installation, monkeypatch: pytest.MonkeyPatch, absent: str, place: tuple[str, bool], call: int
) -> None:
    run = queue_at_night(unlimited, absent=absent)
    if call <= 1 + PEOPLE // 2:
        method, before = place
        die_at(monkeypatch, run, method, call, before=before)

    ended = services.execute_run(run.pk)

    assert ended.state == RunState.COMPLETED
    code = "absent_user_suspended" if absent == "suspend" else "absent_user_deleted"
    assert told(ended) == [(line, known.replace("absent_user_suspended", code), name) for line, known, name in ALL_TOLD]
    changed = "updated" if absent == "suspend" else "deleted"
    assert ended.counts == {"unchanged": 1, "created": 1, changed: PEOPLE - 1}
    params = dict(ended.notes)[f"absent_users_{absent}"]
    assert (params["count"], params["done"], params["total"]) == (PEOPLE - 1, PEOPLE - 1, PEOPLE)


@pytest.mark.parametrize("number", range(2, 7))
def test_a_run_whose_connection_breaks_ends_like_an_undisturbed_one(
    unlimited: Installation, monkeypatch: pytest.MonkeyPatch, settings: Settings, number: int
) -> None:
    settings.TOOLSYNC_RETRY_SECONDS = 60
    run = queue_at_night(unlimited)
    lose_answer(monkeypatch, number)

    ended = services.execute_run(run.pk)

    assert told(ended) == ALL_TOLD
    assert dict(ended.notes)["absent_users_suspend"]["done"] == PEOPLE - 1


def test_a_run_that_is_cancelled_takes_nothing_away(unlimited: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    run = queue_at_night(unlimited)
    SyncRun.objects.filter(pk=run.pk).update(cancel_requested=True)

    assert services.execute_run(run.pk).state == RunState.CANCELLED
    assert suspended(unlimited) == []


def test_rows_that_are_tried_again_are_no_complete_file(unlimited: Installation) -> None:
    run = queue_at_night(unlimited)
    SyncRun.objects.filter(pk=run.pk).update(origin=SyncRun.Origin.RETRY)

    assert told(services.execute_run(run.pk)) == ALL_TOLD[:2]
    assert suspended(unlimited) == []


def test_every_absent_user_is_found_in_the_audit(unlimited: Installation) -> None:
    run = services.execute_run(queue_at_night(unlimited).pk)

    page = find_entries(unlimited.site, AuditQuery(user="kim5"))
    found = [
        (line.record.run_number, line.entry.subject, line.entry.code, line.entry.line)
        for line in page.lines
        if line.entry
    ]
    assert found == [(run.pk, "kim5", "absent_user_suspended", 8)]


@pytest.mark.parametrize("absent", ["suspend", "delete"])
def test_an_undo_brings_absent_users_back(unlimited: Installation, absent: str) -> None:
    before = unlimited.moodle.rows("user", auth="ldap", deleted=0)
    run = services.execute_run(queue_at_night(unlimited, absent=absent).pk)

    assert undo(run).state == RunState.COMPLETED

    names = ("id", "username", "email", "suspended")
    after = unlimited.moodle.rows("user", auth="ldap", deleted=0)
    assert [[user[name] for name in names] for user in after] == [[user[name] for name in names] for user in before]


def test_absent_users_are_deleted_after_days_of_grace_unless_a_file_names_them_again(unlimited: Installation) -> None:
    unlimited.moodle.execute("UPDATE {user} SET suspended = 1 WHERE username = 'kim7'")
    options: dict[str, Any] = {"absent": "delete", "gracedays": 30}
    with at(NIGHT):
        first = services.execute_run(queue_at_night(unlimited, **options).pk)
        again = services.execute_run(queue_at_night(unlimited, **options).pk)

    assert first.counts == {"unchanged": 1, "created": 1, "updated": PEOPLE - 1}
    assert [code for _line, code, _name in told(first)[2:]] == [
        *["absent_user_suspended_for_deletion"] * (PEOPLE - 2), "absent_user_listed_for_deletion",
    ]  # fmt: skip
    assert again.counts == {"unchanged": 2}
    entries = GraceEntry.objects.filter(closed=0).order_by("name")
    assert [(entry.name, entry.label, entry.day.isoformat()) for entry in entries] == [
        (name, "First Last", "2026-12-30") for name in ALL_ABSENT
    ]

    back = services.execute_run(queue_at_night(unlimited, FILE + "kim1;First;Last\nkim7;First;Last\n", **options).pk)

    assert back.counts == {"unchanged": 2, "updated": 2}
    assert suspended(unlimited) == ["kim2", "kim3", "kim4", "kim5", "kim6", "kim7"]
    assert GraceEntry.objects.filter(closed=0).count() == PEOPLE - 3


def test_a_scope_that_is_nobody_fails_the_run_and_says_what_to_do(filled: Installation) -> None:
    run = services.execute_run(queue_at_night(filled, absentname="ldpa").pk)

    assert (run.state, run.error_code, run.last_line) == (RunState.FAILED, "absent_scope_empty", 0)
    assert filled.moodle.rows("user", username="new") == []


@pytest.mark.parametrize("call", range(1, 7))
@pytest.mark.parametrize("place", [("prepare", False), ("confirm", True)])
def test_a_run_of_cohorts_killed_anywhere_ends_like_an_undisturbed_one(
    unlimited: Installation, monkeypatch: pytest.MonkeyPatch, place: tuple[str, bool], call: int
) -> None:
    site = unlimited.moodle
    cohort = site.insert(
        "cohort", contextid=site.one("context", contextlevel=10)["id"], name="Year", idnumber="YEAR-1",
        descriptionformat=1, component="", timecreated=1, timemodified=1,
    )  # fmt: skip
    for user in site.rows("user", auth="ldap"):
        site.insert("cohort_members", cohortid=cohort, userid=user["id"], timeadded=1)
    options = {"useridentifier": "username", "absent": "remove", "absentscope": "prefix", "absentname": "YEAR-"}
    run = unlimited.queue(
        "/in.csv", "cidnumber;cname;userid\nSTAFF;Staff;ann\n", processor="cohorts", absentall=1, syncdelete=1, **options
    )  # fmt: skip
    method, before = place
    die_at(monkeypatch, run, method, call, before=before)

    ended = services.execute_run(run.pk)

    assert told(ended) == [
        (2, "cohort_created", "STAFF"),
        *((number + 3, "absent_member_removed", f"kim{number} / YEAR-1") for number in range(PEOPLE)),
        (PEOPLE + 3, "cohort_deleted_empty", "Year"),
    ]
    assert ended.counts == {"created": 1, "deleted": PEOPLE + 1}
    params = dict(ended.notes)["absent_members"]
    assert (params["count"], params["done"], params["total"]) == (PEOPLE, PEOPLE, PEOPLE)


# Two of the chunks owe something after their commit: that a cohort was emptied.
@pytest.mark.parametrize(
    ("place", "call"),
    [
        *product([("prepare", True), ("prepare", False), ("confirm", True)], (1, 2, 3)),
        *product([("settle", True)], (1, 2)),
    ],
)
def test_a_killed_run_deletes_the_cohorts_that_it_has_emptied_and_no_others(
    unlimited: Installation, monkeypatch: pytest.MonkeyPatch, settings: Settings, place: tuple[str, bool], call: int
) -> None:
    settings.TOOLSYNC_CHUNK_ROWS = 1
    rows = "cidnumber;userid\nFULL;kim0\nLEFT;kim1\n"
    options = {"processor": "cohorts", "useridentifier": "username"}
    unlimited.carry_out("/in.csv", rows, **options)
    unlimited.carry_out("/empty.csv", "cmd;cidnumber\nadd;BLANK\n", **options)
    text = "cmd;cidnumber;userid\ndel;FULL;kim0\ndel;LEFT;kim1\nadd;LEFT;kim2\nfree;BLANK;\n"
    run = unlimited.queue("/out.csv", text, syncdelete=1, in_background=False, **options)
    die_at(monkeypatch, run, place[0], call, before=place[1])

    ended = services.execute_run(run.pk)

    assert ended.state == RunState.COMPLETED
    assert {row["idnumber"] for row in unlimited.moodle.rows("cohort")} >= {"LEFT", "BLANK"}
    assert not unlimited.moodle.rows("cohort", idnumber="FULL")
    assert dict(ended.notes)["cohorts_deleted_empty"]["names"] == "FULL"


@pytest.mark.parametrize("call", range(1, 6))
def test_a_run_of_enrolments_killed_anywhere_ends_like_an_undisturbed_one(
    unlimited: Installation, monkeypatch: pytest.MonkeyPatch, call: int
) -> None:
    site = unlimited.moodle
    for user in site.rows("user", auth="ldap"):
        site.insert(
            "user_enrolments", enrolid=site.ids["C1 manual"], userid=user["id"], status=0, timestart=1, timeend=0
        )
    text = "cmd;cid;uid;rolename;enrol\nadd;C1;ann;student;manual\n"
    run = unlimited.queue("/in.csv", text, processor="enrolments", absent="unenrol", absentscope="named")
    die_at(monkeypatch, run, "prepare", call, before=False)

    ended = services.execute_run(run.pk)

    assert told(ended) == [
        (2, "enrolment_created", "ann / C1"),
        *((number + 3, "absent_enrolment_deleted", f"kim{number} / C1") for number in range(PEOPLE)),
    ]
    params = dict(ended.notes)["absent_enrolments_unenrol"]
    assert (params["count"], params["done"], params["total"]) == (PEOPLE, PEOPLE, PEOPLE + 1)
    assert ended.totals["enrolments.deleted"] == PEOPLE


def test_an_absentee_whom_the_database_keeps_is_rejected_and_said(unlimited: Installation) -> None:
    unlimited.moodle.execute(
        "CREATE TRIGGER keep BEFORE UPDATE OF suspended ON {user} WHEN OLD.username IN ('kim3', 'kim6')"
        " BEGIN SELECT RAISE(ABORT, 'kept by the database'); END"
    )
    try:
        run = services.execute_run(queue_at_night(unlimited).pk)
    finally:
        unlimited.moodle.execute("DROP TRIGGER keep")

    assert (run.state, run.error_code) == (RunState.COMPLETED_WITH_REJECTIONS, "")
    assert run.counts["rejected"] == 2
    assert suspended(unlimited) == [name for name in ALL_ABSENT if name not in ("kim3", "kim6")]
    left = [(code, name) for _line, code, name in told(run) if code == "absent_left_refused"]
    assert left == [("absent_left_refused", "kim3"), ("absent_left_refused", "kim6")]
    assert [line for line, _code, _name in told(run)] == list(range(2, PEOPLE + 3))
    params = dict(run.notes)["absent_users_suspend"]
    assert (params["count"], params["done"], params["total"]) == (PEOPLE - 1, PEOPLE - 3, PEOPLE)
    assert "kept by the database" in unlimited.own_file(run, "report")
    assert not run.files.filter(kind="tryback").exists()


def test_a_run_that_is_killed_beside_somebody_whom_the_database_keeps_goes_on_behind(
    unlimited: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    unlimited.moodle.execute(
        "CREATE TRIGGER keep BEFORE UPDATE OF suspended ON {user} WHEN OLD.username = 'kim3'"
        " BEGIN SELECT RAISE(ABORT, 'kept by the database'); END"
    )
    run = queue_at_night(unlimited)
    die_at(monkeypatch, run, "confirm", 4)
    try:
        ended = services.execute_run(run.pk)
    finally:
        unlimited.moodle.execute("DROP TRIGGER keep")

    assert [(line, name) for line, _code, name in told(ended)] == [(line, name) for line, _code, name in ALL_TOLD]
    assert dict(ended.notes)["absent_users_suspend"]["done"] == PEOPLE - 2


def test_who_comes_while_a_complete_run_is_paused_stays_although_nobody_wants_limits(unlimited: Installation) -> None:
    run = queue_at_night(unlimited)

    def pause(_progress: object) -> None:
        if SyncRun.objects.get(pk=run.pk).rows_done:
            services.pause_run(run)

    paused = services.execute_run(run.pk, progress=pause)
    assert (paused.state, paused.rows_done) == (RunState.PAUSED, 2)
    assert suspended(unlimited) == []
    unlimited.moodle.insert(
        "user", auth="ldap", confirmed=1, mnethostid=1, username="later", firstname="First", lastname="Last"
    )
    services.resume_run(paused)

    ended = services.execute_run(run.pk)

    assert suspended(unlimited) == ALL_ABSENT
    assert dict(ended.notes)["absent_left_changed"]["count"] == 1
