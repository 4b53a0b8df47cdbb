"""Plan first: made before the first write, judged, decided on by a person, applied as it was seen."""

from __future__ import annotations

import io
import subprocess
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.utils import timezone
from pytest_django import Settings

from sync.columns.row_secrets import HIDDEN
from sync.columns.rows import RowCleaner
from sync.commandfiles import storage
from sync.commandfiles.intake import delete_file, receive_file
from sync.errors import CommandFileError, PlanRefused, RightMissing, RunNotClaimable
from sync.guard.judge import Judgement
from sync.models import (
    AuditRecord,
    Bundle,
    CommandFile,
    GraceEntry,
    GuardLimits,
    Notification,
    NotificationRule,
    RunState,
    SyncRun,
)
from sync.moodle.db.database import MoodleDatabase
from sync.processors.users.cells import UserCells
from sync.processors.users.chunk_users import UsersWritePlan
from sync.processors.users.processor import Users
from sync.processors.users.state import UsersState
from sync.processors.users.survey import UsersSurvey
from sync.runs import decisions, services
from sync.runs.deciders import authors_of
from sync.runs.lease import MAX_ATTEMPTS
from sync.runs.outcome_store import read_rows
from sync.runs.plans import judge_together, new_plan
from sync.runs.rights import OPERATOR, Responsible
from sync.values import CleanRow, Rejection, Row
from tests.installation import Installation, at
from tests.reader.test_workbook import xlsx

pytestmark = pytest.mark.django_db

HEADER = "username;firstname;lastname;email\n"
DELETIONS = 30


def users(count: int, first: int = 0) -> str:
    return HEADER + "".join(f"p{n};Pat;Nr {n};p{n}@x.org\n" for n in range(first, first + count))


def with_passwords(count: int) -> str:
    return (
        HEADER.rstrip() + ";password\n" + "".join(f"p{n};Pat;Nr {n};p{n}@x.org;Toad-{n}-Hall\n" for n in range(count))
    )


def gone(count: int) -> str:
    return "username\n" + "".join(f"p{n}\n" for n in range(count))


@pytest.fixture(autouse=True)
def guarded(settings: Settings) -> None:
    settings.TOOLSYNC_GUARD = True


@pytest.fixture
def person() -> Callable[..., Any]:
    def make(name: str, *permissions: str) -> User:
        user = User.objects.create_user(name, email=f"{name}@x.org")
        user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
        return User.objects.get(pk=user.pk)

    return make


@pytest.fixture
def filled(installation: Installation, settings: Settings) -> Installation:
    """An installation whose Moodle has a hundred users more."""
    installation.carry_out("/users.csv", users(100), primaryidentity="username")
    return installation


def at_night(installation: Installation, path: str, text: str, processor: str = "users_delete", **more: Any) -> SyncRun:
    """Carry a file out as a schedule does."""
    run = installation.queue(path, text, processor=processor, in_background=False, **more)
    SyncRun.objects.filter(pk=run.pk).update(origin=SyncRun.Origin.SCHEDULE)
    return services.execute_run(run.pk)


def active_users(installation: Installation) -> int:
    return len([row for row in installation.moodle.rows("user") if not row["deleted"]])


def test_a_run_within_the_limits_goes_through_by_itself_and_tells_what_it_did(installation: Installation) -> None:
    run = installation.carry_out("/in.csv", users(3), primaryidentity="username")

    assert run.state == RunState.COMPLETED
    assert run.counts == {"created": 3}
    assert run.totals == {"users.created": 3}
    assert run.plan is not None
    assert run.plan.totals == run.totals
    assert run.plan.origin == SyncRun.Origin.PLAN


def test_a_night_beyond_the_limits_is_held_and_nothing_is_written(filled: Installation) -> None:
    NotificationRule.objects.create(site=filled.site, recipients={"held": ["it@x.org"]})
    before = filled.moodle.snapshot()

    run = at_night(filled, "/gone.csv", gone(DELETIONS))

    assert run.state == RunState.HELD
    assert [(code, params["count"]) for code, params in run.held_for] == [("guard_percent", DELETIONS)]
    assert filled.moodle.diff(before, filled.moodle.snapshot()) == {}
    assert run.plan is not None
    assert run.plan.counts == {"deleted": DELETIONS}
    assert "p0" in filled.own_file(run.plan, "outcomes")
    assert Notification.objects.get(run=run).event == "held"
    filled.site.refresh_from_db()
    assert filled.site.lease_run is None


def test_a_held_run_keeps_its_file(filled: Installation) -> None:
    run = at_night(filled, "/gone.csv", gone(DELETIONS))
    assert run.command_file is not None

    with pytest.raises(CommandFileError, match="file_in_use"):
        delete_file(run.command_file)


def test_an_approved_run_does_what_was_planned(filled: Installation, person: Callable[..., User]) -> None:
    approver = Responsible.of(person("ada", "run_users_delete", "approve_runs"))
    run = at_night(filled, "/gone.csv", gone(DELETIONS))
    users_before = active_users(filled)

    decisions.approve_run(run, approver, reason="end of term", typed=str(DELETIONS))
    run = services.execute_run(run.pk)

    assert run.state == RunState.COMPLETED
    assert run.counts == {"deleted": DELETIONS}
    assert users_before - active_users(filled) == DELETIONS
    assert (run.decision, run.decided_by_name, run.decision_reason) == ("approved", "ada", "end of term")
    assert AuditRecord.objects.get(kind="approval").person == "ada"


def test_what_changed_since_a_person_approved_is_left_alone_and_comes_back(filled: Installation) -> None:
    text = users(2).replace("Pat", "Another")
    simulated = filled.carry_out("/names.csv", text, simulate=True, primaryidentity="username")
    p0 = filled.moodle.one("user", username="p0")
    filled.moodle.execute("UPDATE {user} SET firstname = 'Mended' WHERE id = :id", id=p0["id"])

    applied = services.execute_run(decisions.apply_plan(simulated, OPERATOR).pk)

    assert applied.counts == {"rejected": 1, "updated": 1}
    assert filled.moodle.one("user", username="p0")["firstname"] == "Mended"
    assert filled.moodle.one("user", username="p1")["firstname"] == "Another"
    assert "changed_since_plan" in filled.own_file(applied, "tryback")


@pytest.mark.parametrize(
    ("file_type", "text", "options"),
    [
        ("users_delete", "idnumber\nN1\n", {}),
        ("users_suspend", "idnumber\nN1\n", {}),
        ("enrolments", "del;I1;N1;\n", {}),
        ("enrolments", "add;I1;N1;editingteacher\n", {}),
        ("enrolments", "add;I2;N1;student\n", {}),
        ("cohorts", "del;K1;N1\n", {}),
        ("cohorts", "add;K2;N1\n", {}),
        ("courses_delete", "I1\n", {"courseidentifier": "idnumber"}),
    ],
)
def test_what_bears_the_name_of_what_was_shown_is_left_alone(
    filled: Installation, file_type: str, text: str, options: dict[str, str]
) -> None:
    """A name in the file went from one object to another between the plan and its application."""
    header, more = HEADERS.get(file_type, ("", {}))
    _fill_alike(filled)
    simulated = filled.carry_out("/named.csv", header + text, processor=file_type, simulate=True, **options, **more)
    assert sum(simulated.counts.get(action, 0) for action in ("deleted", "updated", "created")) == 1
    for table, name, one, other in (("user", "username", "p1", "p2"), ("course", "shortname", "ALIKE1", "ALIKE2")):
        idnumber = filled.moodle.one(table, **{name: one})["idnumber"]
        filled.moodle.execute(f"UPDATE {{{table}}} SET idnumber = '' WHERE {name} = '{one}'")
        filled.moodle.execute(f"UPDATE {{{table}}} SET idnumber = '{idnumber}' WHERE {name} = '{other}'")
    before = filled.moodle.snapshot()

    applied = services.execute_run(decisions.apply_plan(simulated, OPERATOR).pk)

    assert applied.counts == {"rejected": 1}
    assert "changed_since_plan" in filled.own_file(applied, "tryback")
    assert filled.moodle.diff(before, filled.moodle.snapshot()) == {}


HEADERS: dict[str, tuple[str, dict[str, str]]] = {
    "enrolments": ("cmd;cid;uid;rolename\n", {"useridentifier": "idnumber", "courseidentifier": "idnumber"}),
    "cohorts": ("cmd;cidnumber;userid\n", {"useridentifier": "idnumber"}),
}


def _fill_alike(filled: Installation) -> None:
    """Make two people and two courses of which all is the same but their names."""
    named = "username;firstname;lastname;email;idnumber\n" + "".join(f"p{n};Pat;Nr;p{n}@x.org;N{n}\n" for n in (1, 2))
    filled.carry_out("/alike.csv", named, primaryidentity="username")
    courses = "shortname;fullname;idnumber;category\nALIKE1;Maths;I1;Cat\nALIKE2;Maths;I9;Cat\nARTS;Arts;I2;Cat\n"
    filled.carry_out("/courses.csv", courses, processor="courses")
    for file_type, rows in (
        ("enrolments", [f"add;{course};N{n};student" for course in ("I1", "I9") for n in (1, 2)]),
        ("cohorts", [f"add;K{cohort};N{n}" for cohort, n in ((1, 1), (1, 2), (2, 3))]),
    ):
        header, options = HEADERS[file_type]
        filled.carry_out(f"/{file_type}.csv", header + "\n".join(rows), processor=file_type, **options)


def test_at_night_what_changed_since_is_planned_once_more(filled: Installation) -> None:
    text = users(1).replace("Pat", "Other")
    planned = filled.carry_out("/names.csv", text, simulate=True, primaryidentity="username")
    filled.moodle.execute("UPDATE {user} SET firstname = 'Mended' WHERE username = 'p0'")
    run = filled.queue("/names.csv", primaryidentity="username", in_background=False)
    SyncRun.objects.filter(pk=run.pk).update(origin=SyncRun.Origin.SCHEDULE, plan=planned)

    run = services.execute_run(run.pk)

    assert run.counts == {"updated": 1}
    assert filled.moodle.one("user", username="p0")["firstname"] == "Other"


def test_a_simulation_is_applied_once(installation: Installation) -> None:
    simulated = installation.carry_out("/in.csv", users(2), simulate=True, primaryidentity="username")

    applied = services.execute_run(decisions.apply_plan(simulated, OPERATOR).pk)

    assert applied.counts == {"created": 2}
    assert applied.plan == simulated
    with pytest.raises(PlanRefused, match="plan_applied_before"):
        decisions.apply_plan(simulated, OPERATOR)


def test_a_plan_shows_the_values_of_new_rows(installation: Installation) -> None:
    simulated = installation.carry_out("/in.csv", users(1), simulate=True, primaryidentity="username")

    assert "p0@x.org" in installation.own_file(simulated, "outcomes")


def test_a_plan_shows_values_as_they_would_be_stored(installation: Installation) -> None:
    text = HEADER.strip() + ";password\np1;Ann;O''Brien;p1@x.org;Toad-1-Hall\n"
    (outcome,) = read_rows(installation.carry_out("/in.csv", text, simulate=True, primaryidentity="username"))
    told = {change.field: change.new for change in outcome.changes}
    assert (told["lastname"], told["password"]) == ("O'Brien", HIDDEN)


def test_a_new_row_that_would_bring_something_else_by_now_is_stale(installation: Installation) -> None:
    text = "username;firstname;lastname;email;course1;enrol1\np0;Pat;Nr 0;p0@x.org;C1;manual\n"
    simulated = installation.carry_out("/in.csv", text, simulate=True, primaryidentity="username")
    assert {change.field for change in next(read_rows(simulated)).changes} >= {"email", "course1"}
    installation.moodle.execute("UPDATE {course} SET shortname = 'OTHER' WHERE shortname = 'C1'")

    applied = services.execute_run(decisions.apply_plan(simulated, OPERATOR).pk)

    assert applied.counts == {"rejected": 1}
    assert not installation.moodle.rows("user", username="p0")


def test_a_person_who_takes_something_away_confirms_it(filled: Installation, person: Callable[..., User]) -> None:
    user = person("eve", "run_users_delete")
    GuardLimits.objects.create(site=filled.site, values={"users.deleted": [None, None]})
    run = filled.carry_out("/gone.csv", gone(DELETIONS), processor="users_delete", user=user)
    assert run.state == RunState.UNCONFIRMED
    assert run.held_for == [["plan_removes", {"kind": "users.deleted", "count": DELETIONS}]]

    with pytest.raises(PlanRefused, match="decision_number_wrong"):
        decisions.approve_run(run, Responsible.of(user), typed="1")
    decisions.approve_run(run, Responsible.of(user), typed=str(DELETIONS))

    assert services.execute_run(run.pk).counts == {"deleted": DELETIONS}


def test_few_removals_are_confirmed_without_typing(filled: Installation, person: Callable[..., User]) -> None:
    user = person("eve", "run_users_delete")
    run = filled.carry_out("/gone.csv", gone(2), processor="users_delete", user=user)
    assert run.state == RunState.UNCONFIRMED

    decisions.approve_run(run, Responsible.of(user))

    assert services.execute_run(run.pk).counts == {"deleted": 2}


def test_confirming_is_not_approving(filled: Installation, person: Callable[..., User]) -> None:
    user = person("eve", "run_users_delete")
    simulated = filled.carry_out("/gone.csv", gone(DELETIONS), processor="users_delete", simulate=True, user=user)

    run = services.execute_run(decisions.apply_plan(simulated, Responsible.of(user), typed=str(DELETIONS)).pk)

    assert run.state == RunState.HELD
    with pytest.raises(PlanRefused, match="decision_refused"):
        decisions.approve_run(run, Responsible.of(user), typed=str(DELETIONS))


def test_a_simulation_says_why_it_would_be_held_and_who_applies_it_approves_that(
    filled: Installation, person: Callable[..., User]
) -> None:
    approver = person("ada", "run_users_delete", "approve_runs")
    simulated = filled.carry_out("/gone.csv", gone(DELETIONS), processor="users_delete", simulate=True, user=approver)
    assert [code for code, _params in simulated.held_for] == ["guard_percent"]

    run = services.execute_run(decisions.apply_plan(simulated, Responsible.of(approver), typed=str(DELETIONS)).pk)

    assert (run.state, run.decision) == (RunState.COMPLETED, "approved")


def test_what_was_not_said_of_a_simulation_holds_its_run_whoever_has_applied_it(
    filled: Installation, person: Callable[..., User]
) -> None:
    approver = person("ada", "run_users_delete", "approve_runs")
    limits = GuardLimits.objects.create(site=filled.site, values={"users.deleted": [None, None]})
    simulated = filled.carry_out("/gone.csv", gone(DELETIONS), processor="users_delete", simulate=True, user=approver)
    assert simulated.held_for == []
    limits.delete()

    run = services.execute_run(decisions.apply_plan(simulated, Responsible.of(approver), typed=str(DELETIONS)).pk)

    assert (run.state, run.decision) == (RunState.HELD, "confirmed")
    assert [code for code, _params in run.held_for] == ["guard_percent"]


def test_limits_that_can_t_be_read_let_a_simulation_end(filled: Installation) -> None:
    GuardLimits.objects.create(site=filled.site, values={"users.deleted": ["many", None]})
    simulated = filled.carry_out("/gone.csv", gone(2), processor="users_delete", simulate=True)
    assert (simulated.state, simulated.held_for) == (RunState.COMPLETED, [])


def test_a_second_person_approves_where_that_is_wanted(filled: Installation, person: Callable[..., User]) -> None:
    GuardLimits.objects.create(site=filled.site, needs_second_person=True)
    asking = person("eve", "run_users_delete", "approve_runs")
    run = filled.carry_out("/gone.csv", gone(DELETIONS), processor="users_delete", user=asking)
    assert run.state == RunState.HELD

    with pytest.raises(PlanRefused, match="decision_refused"):
        decisions.approve_run(run, Responsible.of(asking), typed=str(DELETIONS))
    decisions.approve_run(run, Responsible.of(person("ada", "run_users_delete", "approve_runs")), typed=str(DELETIONS))
    assert services.execute_run(run.pk).state == RunState.COMPLETED


@pytest.mark.parametrize("change", ["rule", "uploader", "owner"])
def test_nobody_becomes_a_second_person_while_a_run_is_held(
    filled: Installation, person: Callable[..., User], change: str
) -> None:
    limits = GuardLimits.objects.create(site=filled.site, needs_second_person=True)
    author, other = person("eve", "run_users_delete", "approve_runs"), person("ada", "run_users_delete", "approve_runs")
    filled.put("/gone.csv", gone(DELETIONS))
    CommandFile.objects.filter(name="gone.csv").update(uploaded_by=author)
    run = filled.queue("/gone.csv", processor="users_delete", in_background=False)
    SyncRun.objects.filter(pk=run.pk).update(
        origin=SyncRun.Origin.SCHEDULE, owner=author if change == "owner" else None, owner_name=""
    )
    run = services.execute_run(run.pk)
    assert [code for code, _params in run.held_for] == ["guard_percent", "guard_second_person"]

    if change == "rule":
        GuardLimits.objects.filter(pk=limits.pk).update(needs_second_person=False)
    elif change == "uploader":
        # The same bytes once more, by somebody else.
        receive_file(
            filled.site, io.BytesIO(gone(DELETIONS).encode()), "gone.csv", "/", other, file_types=services.FILE_TYPES
        )
    else:
        SyncRun.objects.filter(pk=run.pk).update(owner=None)
    run = SyncRun.objects.get(pk=run.pk)

    with pytest.raises(PlanRefused, match="decision_refused"):
        decisions.approve_run(run, Responsible.of(author), typed=str(DELETIONS))
    approver = person("cy", "run_users_delete", "approve_runs")
    decisions.approve_run(run, Responsible.of(approver), typed=str(DELETIONS))
    assert services.execute_run(run.pk).state == RunState.COMPLETED


def test_whose_rows_are_mended_is_no_second_person(filled: Installation, person: Callable[..., User]) -> None:
    author, mender = person("eve", "run_users_delete"), person("bob", "run_users_delete")
    first = filled.carry_out("/gone.csv", gone(1), processor="users_delete", user=author)
    mended = filled.queue("/mended.csv", gone(1), processor="users_delete", user=mender)
    SyncRun.objects.filter(pk=mended.pk).update(mends=first)
    mended.refresh_from_db()

    assert {author, mender} <= authors_of(mended)


def test_who_made_the_plan_is_no_second_person(filled: Installation, person: Callable[..., User]) -> None:
    GuardLimits.objects.create(site=filled.site, needs_second_person=True)
    author, helper = person("eve", "run_users_delete", "approve_runs"), person("bob", "run_users_delete")
    simulated = filled.carry_out("/gone.csv", gone(DELETIONS), processor="users_delete", simulate=True, user=author)
    run = services.execute_run(decisions.apply_plan(simulated, Responsible.of(helper), typed=str(DELETIONS)).pk)
    assert run.state == RunState.HELD

    with pytest.raises(PlanRefused, match="decision_refused"):
        decisions.approve_run(run, Responsible.of(author), typed=str(DELETIONS))


def test_an_approval_counts_only_as_long_as_its_giver_may_give_it(
    filled: Installation, person: Callable[..., User]
) -> None:
    approver = person("ada", "run_users_delete", "approve_runs")
    run = at_night(filled, "/gone.csv", gone(DELETIONS))
    decisions.approve_run(run, Responsible.of(approver), typed=str(DELETIONS))
    approver.user_permissions.clear()
    before = active_users(filled)

    run = services.execute_run(run.pk)

    assert (run.state, run.error_code) == (RunState.ERRORED, "approver_without_right")
    assert active_users(filled) == before


def test_an_approved_run_is_taken_up_again_only_by_somebody_who_may_approve_it(
    filled: Installation, person: Callable[..., User]
) -> None:
    approver, other = (
        person("ada", "run_users_delete", "approve_runs"),
        person("bob", "run_users_delete", "approve_runs"),
    )
    helper = person("cy", "run_users_delete")
    run = at_night(filled, "/gone.csv", gone(DELETIONS))
    decisions.approve_run(run, Responsible.of(approver), typed=str(DELETIONS))
    services.pause_run(run)
    approver.user_permissions.clear()

    with pytest.raises(RightMissing) as caught:
        services.resume_run(run, Responsible.of(helper))

    assert (caught.value.code, caught.value.params) == ("approver_gone_on_resume", {"name": "ada"})
    run.refresh_from_db()
    assert run.state == RunState.PAUSED
    services.resume_run(run, Responsible.of(other))
    assert run.decided_by_name == "bob"
    assert services.execute_run(run.pk).counts == {"deleted": DELETIONS}


def test_a_confirmed_run_is_taken_up_again_only_by_somebody_who_may_run_it(
    filled: Installation, person: Callable[..., User]
) -> None:
    asking, helper = person("eve", "run_users_delete"), person("bob", "run_users_delete")
    nobody = person("cy", "run_users")
    run = filled.carry_out("/gone.csv", gone(3), processor="users_delete", user=asking)
    decisions.approve_run(run, Responsible.of(asking))
    SyncRun.objects.filter(pk=run.pk).update(state=RunState.PAUSED, last_line=2)
    run.refresh_from_db()
    services.resume_run(run, Responsible.of(helper))
    assert run.decided_by_name == "eve"
    SyncRun.objects.filter(pk=run.pk).update(state=RunState.PAUSED)
    asking.user_permissions.clear()
    run = SyncRun.objects.get(pk=run.pk)

    with pytest.raises(RightMissing, match="approver_gone_on_resume"):
        services.resume_run(run, Responsible.of(nobody))

    run = SyncRun.objects.get(pk=run.pk)
    assert run.state == RunState.PAUSED
    services.resume_run(run, Responsible.of(helper))
    assert (run.decided_by_name, run.decision) == ("bob", "confirmed")


def test_a_declined_run_writes_nothing_and_ends(filled: Installation) -> None:
    run = at_night(filled, "/gone.csv", gone(DELETIONS))
    before = active_users(filled)

    decisions.decline_run(run, OPERATOR, reason="wrong export")

    run.refresh_from_db()
    assert (run.state, run.decision_reason) == (RunState.DECLINED, "wrong export")
    assert active_users(filled) == before
    with pytest.raises(PlanRefused, match="decision_too_late"):
        decisions.approve_run(run, OPERATOR, typed=str(DELETIONS))


def test_a_held_run_that_nobody_answers_expires_and_says_so(filled: Installation) -> None:
    run = at_night(filled, "/gone.csv", gone(DELETIONS))
    assert decisions.expire_runs() == 0
    SyncRun.objects.filter(pk=run.pk).update(held_at=timezone.now() - timedelta(hours=25))

    assert decisions.expire_runs() == 1

    run.refresh_from_db()
    assert (run.state, run.error_code) == (RunState.EXPIRED, "run_expired")


def damage(run: SyncRun) -> None:
    """Change a byte of the stored plan."""
    chunk = run.chunks.get()
    with storage.opened(chunk.outcomes_key) as part:
        stored = bytearray(part.read())
    stored[-1] ^= 1
    storage.save(chunk.outcomes_key, io.BytesIO(stored))


def too_old(run: SyncRun) -> None:
    SyncRun.objects.filter(pk=run.pk).update(finished_at=timezone.now() - timedelta(hours=25))


def of_another_version(run: SyncRun) -> None:
    SyncRun.objects.filter(pk=run.pk).update(made_on={**run.made_on, "toolsync": "0.0.1"})


def of_another_moodle(run: SyncRun) -> None:
    SyncRun.objects.filter(pk=run.pk).update(made_on={**run.made_on, "moodle": "2021010100.00"})


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (damage, "plan_damaged"),
        (too_old, "plan_expired"),
        (of_another_version, "plan_made_on_another"),
        (of_another_moodle, "plan_made_on_another"),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_a_plan_that_can_t_be_applied_is_refused_and_nothing_is_written(
    installation: Installation, spoil: Callable[[SyncRun], None], code: str
) -> None:
    simulated = installation.carry_out("/in.csv", users(2), simulate=True, primaryidentity="username")
    run = decisions.apply_plan(simulated, OPERATOR)
    spoil(simulated)

    run = services.execute_run(run.pk)

    assert (run.state, run.error_code) == (RunState.ERRORED, code)
    assert not [row for row in installation.moodle.rows("user") if row["username"] == "p0"]


def test_a_file_that_was_cut_short_is_held(filled: Installation) -> None:
    at_night(filled, "/users.csv", users(100), "users", primaryidentity="username")

    run = at_night(filled, "/users.csv", users(40, 200), "users", primaryidentity="username")

    assert run.state == RunState.HELD
    assert run.held_for[0][0] == "guard_fewer_rows"


def undo_of(run: SyncRun) -> SyncRun:
    """Return an undo of a run, as if it had been carried out."""
    undo = SyncRun.objects.get(pk=run.pk)
    undo.pk, undo.plan, undo.undoes, undo.last_line, undo.state = None, None, run, 1, RunState.COMPLETED
    undo.save()
    return undo


@pytest.mark.parametrize(("undos", "is_held"), [(0, True), (1, False), (2, True), (3, False)])
def test_an_undo_that_was_undone_itself_counts_for_nothing(filled: Installation, undos: int, is_held: bool) -> None:
    at_night(filled, "/users.csv", users(40), "users", primaryidentity="username")
    run = at_night(filled, "/users.csv", users(100), "users", primaryidentity="username")
    for _number in range(undos):
        run = undo_of(run)

    last = at_night(filled, "/users.csv", users(40, 200), "users", primaryidentity="username")

    assert (last.state == RunState.HELD) is is_held


@pytest.mark.parametrize("doubt", ["absent_left_tryback", "absent_left_short", "shell"])
def test_a_file_is_not_compared_with_one_that_may_be_a_part(filled: Installation, doubt: str) -> None:
    at_night(filled, "/users.csv", users(100), "users", primaryidentity="username")
    part = at_night(filled, "/users.csv", users(60), "users", primaryidentity="username")
    assert part.state == RunState.COMPLETED
    changed: dict[str, Any] = {"origin": SyncRun.Origin.SHELL} if doubt == "shell" else {"notes": [[doubt, {}]]}
    SyncRun.objects.filter(pk=part.pk).update(**changed)

    run = at_night(filled, "/users.csv", users(40, 200), "users", primaryidentity="username")

    assert (run.state, run.held_for[:1]) == (
        RunState.HELD, [["guard_fewer_rows", {"count": 40, "before": 100}]],
    )  # fmt: skip


def test_the_first_file_of_a_schedule_is_compared_with_what_the_shell_brought_before(filled: Installation) -> None:
    first = at_night(filled, "/users.csv", users(100), "users", primaryidentity="username")
    SyncRun.objects.filter(pk=first.pk).update(origin=SyncRun.Origin.SHELL)
    run = at_night(filled, "/users.csv", users(40, 200), "users", primaryidentity="username")
    assert run.state == RunState.HELD


def test_a_file_most_of_whose_rows_are_refused_is_held(filled: Installation) -> None:
    rows = users(100, 200).splitlines(keepends=True)
    text = "".join([rows[0], *(row.partition(";")[1] + row.partition(";")[2] for row in rows[1:60]), *rows[60:]])

    run = at_night(filled, "/users.csv", text, "users", primaryidentity="username")

    assert run.state == RunState.HELD
    assert "guard_rejected" in {code for code, _params in run.held_for}


def test_limits_that_can_t_be_read_hold_nothing_back_in_silence(filled: Installation) -> None:
    GuardLimits.objects.create(site=filled.site, values={"users.deleted": ["many", 1]})

    run = at_night(filled, "/gone.csv", gone(2))

    assert (run.state, run.error_code) == (RunState.ERRORED, "limits_unreadable")


def rekeyed(count: int, *, same: bool) -> str:
    """A file in which people go, and come back under other usernames."""
    header = "username;firstname;lastname;email;deleted\n"
    going = "".join(f"p{n};Pat;Nr {n};p{n}@x.org;1\n" for n in range(count))
    coming = "".join(
        f"q{n};Pat;{'Nr' if same else 'New'} {n};{'p' if same else 'q'}{n}@y.org;0\n" for n in range(count)
    )
    return header + going + coming


@pytest.mark.parametrize(("same", "state"), [(True, RunState.HELD), (False, RunState.COMPLETED)])
def test_people_who_go_and_come_back_under_other_usernames_are_held(
    filled: Installation, same: bool, state: RunState
) -> None:
    GuardLimits.objects.create(site=filled.site, values={"users.deleted": [None, None]})

    run = at_night(filled, "/rekeyed.csv", rekeyed(20, same=same), "users", primaryidentity="username")

    assert run.state == state, (run.error_code, run.held_for)
    assert [code for code, _params in run.held_for] == (["guard_rekeyed"] if same else [])


def test_a_night_stops_before_it_takes_away_more_than_was_planned(filled: Installation, settings: Settings) -> None:
    settings.TOOLSYNC_CHUNK_ROWS = 10
    GuardLimits.objects.create(site=filled.site, values={"users.suspended": [None, 5]})
    filled.moodle.execute("UPDATE {user} SET suspended = 1 WHERE username LIKE 'p%'")
    text = gone(40)
    planned = filled.carry_out("/gone.csv", text, processor="users_suspend", simulate=True)
    assert planned.totals == {}
    filled.moodle.execute("UPDATE {user} SET suspended = 0 WHERE username LIKE 'p%'")
    SyncRun.objects.filter(pk=planned.pk).update(totals={"users.suspended": 1})
    planned.chunks.update(writes=True)
    run = filled.queue("/gone.csv", processor="users_suspend", in_background=False)
    SyncRun.objects.filter(pk=run.pk).update(origin=SyncRun.Origin.SCHEDULE, plan=planned)

    run = services.execute_run(run.pk)

    assert (run.state, run.error_code) == (RunState.ERRORED, "totals_beyond_plan")
    assert filled.moodle.rows("user", suspended=1) == []


def test_the_files_of_a_bundle_take_away_no_more_than_is_allowed_for_all(filled: Installation) -> None:
    GuardLimits.objects.create(site=filled.site, values={"users.suspended": [None, 5]})
    bundle = Bundle.objects.create(site=filled.site, name="term.zip", asks=False)
    filled.moodle.execute("UPDATE {user} SET suspended = 1 WHERE username LIKE 'p%'")
    runs: list[SyncRun] = []
    for path, numbers in (("/a.csv", range(4)), ("/b.csv", range(4, 8))):
        text = "username\n" + "".join(f"p{number}\n" for number in numbers)
        planned = filled.carry_out(path, text, processor="users_suspend", simulate=True)
        SyncRun.objects.filter(pk=planned.pk).update(totals={"users.suspended": 1})
        planned.chunks.update(writes=True)
        run = filled.queue(path, processor="users_suspend", in_background=False)
        state = RunState.PENDING if runs else RunState.QUEUED
        values = {"origin": SyncRun.Origin.SEQUENCE, "plan": planned, "bundle": bundle, "state": state}
        SyncRun.objects.filter(pk=run.pk).update(**values)
        runs.append(run)
    filled.moodle.execute("UPDATE {user} SET suspended = 0 WHERE username LIKE 'p%'")

    first = services.execute_run(runs[0].pk)
    second = services.execute_run(runs[1].pk)
    assert (first.state, first.counts) == (RunState.COMPLETED, {"updated": 4})
    assert (second.state, second.error_code) == (RunState.ERRORED, "totals_beyond_plan")
    assert len(filled.moodle.rows("user", suspended=1)) == 4


def test_a_run_that_is_cancelled_while_it_is_planned_writes_nothing_and_can_be_taken_up(
    installation: Installation,
) -> None:
    run = installation.queue("/in.csv", users(3), primaryidentity="username", in_background=False)
    SyncRun.objects.filter(pk=run.pk).update(cancel_requested=True)

    run = services.execute_run(run.pk)

    assert run.plan is not None
    assert (run.state, run.plan.state, run.rows_done) == (RunState.CANCELLED, RunState.CANCELLED, 0)
    assert not installation.moodle.rows("user", username="p0")
    services.resume_run(run)
    assert services.execute_run(run.pk).counts == {"created": 3}


def test_a_run_whose_worker_died_again_and_again_while_it_planned_is_given_up(installation: Installation) -> None:
    run = installation.queue("/in.csv", users(3), primaryidentity="username", in_background=False)
    plan = new_plan(run, "dead")
    long_ago = timezone.now() - timedelta(hours=1)
    SyncRun.objects.filter(pk=run.pk).update(
        state=RunState.RUNNING, worker="dead", heartbeat_at=long_ago, attempts=MAX_ATTEMPTS, plan=plan
    )
    SyncRun.objects.filter(pk=plan.pk).update(heartbeat_at=long_ago)

    services.recover_dead_runs()

    run.refresh_from_db()
    plan.refresh_from_db()
    assert (run.state, plan.state) == (RunState.ERRORED, RunState.ERRORED)
    services.resume_run(run)
    assert services.execute_run(run.pk).counts == {"created": 3}


def test_nobody_takes_up_the_plan_of_a_run_by_itself(installation: Installation) -> None:
    run = installation.queue("/in.csv", users(3), primaryidentity="username", in_background=False)
    plan = new_plan(run, "dead")
    SyncRun.objects.filter(pk=plan.pk).update(heartbeat_at=timezone.now() - timedelta(hours=1))

    with pytest.raises(RunNotClaimable):
        services.execute_run(plan.pk)


def test_the_plan_of_a_run_and_its_application_look_at_the_whole_file_once(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[int] = []
    see = UsersSurvey.see

    def count(survey: UsersSurvey, row: Row) -> None:
        looks.append(row.line)
        see(survey, row)

    monkeypatch.setattr(UsersSurvey, "see", count)
    text = users(2) + "p0;F;L\n"

    run = installation.carry_out("/in.csv", text, primaryidentity="username")

    assert run.plan is not None
    assert run.counts == {"created": 2, "updated": 1}
    assert looks == [2, 3, 4]


@pytest.fixture
def cleaned(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The lines of the rows that were cleaned."""
    lines: list[int] = []
    clean = RowCleaner.clean

    def count(cleaner: RowCleaner, rows: Sequence[Row]) -> tuple[list[CleanRow], list[Rejection]]:
        lines.extend(row.line for row in rows)
        return clean(cleaner, rows)

    monkeypatch.setattr(RowCleaner, "clean", count)
    return lines


@pytest.mark.parametrize("chunk_rows", [1, 1000])
def test_the_plan_of_a_run_and_its_application_clean_rows_once(
    installation: Installation, settings: Settings, cleaned: list[int], chunk_rows: int
) -> None:
    settings.TOOLSYNC_CHUNK_ROWS = chunk_rows

    run = installation.carry_out("/in.csv", users(2) + "p2;;Nr 2;p2@x.org\n")

    assert run.counts == {"created": 2, "rejected": 1}
    assert [(outcome.code, outcome.subject) for outcome in read_rows(run) if outcome.line == 4] == [
        ("cell_empty", "p2")
    ]
    assert cleaned == [2, 3, 4]


def test_rows_of_which_something_is_noted_are_cleaned_by_each_pass(
    installation: Installation, cleaned: list[int]
) -> None:
    run = installation.carry_out("/in.csv", users(1) + "p1;Pat\u200b;Nr 1;p1@x.org\n")

    noted = ["invisible_characters", {"count": 1, "line": 3, "columns": "firstname"}]
    assert run.plan is not None
    assert noted in run.plan.notes
    assert noted in run.notes
    assert cleaned == [2, 3, 2, 3]


@pytest.mark.parametrize("most", ["_MOST_CELLS", "_MOST_BYTES"])
def test_clean_rows_of_a_large_file_wait_on_the_disk(
    installation: Installation, settings: Settings, monkeypatch: pytest.MonkeyPatch, cleaned: list[int], most: str
) -> None:
    settings.TOOLSYNC_CHUNK_ROWS = 1
    monkeypatch.setattr(f"sync.runs.pipeline_context.{most}", 10)

    assert installation.carry_out("/in.csv", users(3)).counts == {"created": 3}

    assert cleaned == [2, 3, 4]
    assert [row["username"] for row in installation.moodle.rows("user")][-3:] == ["p0", "p1", "p2"]


def test_clean_rows_with_passwords_wait_in_memory_alone(
    installation: Installation, settings: Settings, monkeypatch: pytest.MonkeyPatch, cleaned: list[int]
) -> None:
    settings.TOOLSYNC_CHUNK_ROWS = 1
    monkeypatch.setattr("sync.runs.pipeline_context._MOST_CELLS", 10)

    assert installation.carry_out("/in.csv", with_passwords(3)).counts == {"created": 3}

    assert cleaned == [2, 3, 4] * 2


def test_clean_rows_are_not_kept_without_end(
    installation: Installation, settings: Settings, monkeypatch: pytest.MonkeyPatch, cleaned: list[int]
) -> None:
    settings.TOOLSYNC_CHUNK_ROWS = 1
    monkeypatch.setattr("sync.runs.pipeline_context._MOST_CELLS", 0)
    monkeypatch.setattr("sync.runs.pipeline_context._MOST_BYTES_ON_DISK", 0)

    assert installation.carry_out("/in.csv", users(3)).counts == {"created": 3}

    assert cleaned == [2, 3, 4, 3, 4]


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The lines of the rows that were planned."""
    lines: list[int] = []
    plan = Users.plan

    def count(processor: Users, rows: Sequence[UserCells], state: UsersState) -> UsersWritePlan:
        lines.extend(row.line for row in rows)
        return plan(processor, rows, state)

    monkeypatch.setattr(Users, "plan", count)
    return lines


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], object]]:
    """What happens once a plan is made, before it is applied."""
    events: list[Callable[[], object]] = []

    def judge(runs: Sequence[SyncRun], moodle: MoodleDatabase) -> Judgement:
        for event in events:
            event()
        return judge_together(runs, moodle)

    monkeypatch.setattr("sync.runs.execution.judge_together", judge)
    return events


@pytest.mark.parametrize("chunk_rows", [1, 1000])
def test_rows_are_planned_once_where_nothing_has_changed_before_they_are_applied(
    installation: Installation, settings: Settings, planned: list[int], chunk_rows: int
) -> None:
    settings.TOOLSYNC_CHUNK_ROWS = chunk_rows

    run = installation.carry_out("/in.csv", users(3) + "p3;;Nr 3;p3@x.org\n", primaryidentity="username")

    assert run.counts == {"created": 3, "rejected": 1}
    assert planned == [2, 3, 4]
    assert {row["username"] for row in installation.moodle.rows("user", firstname="Pat")} == {"p0", "p1", "p2"}


def test_passwords_of_rows_that_are_planned_once_are_hashed(installation: Installation, planned: list[int]) -> None:
    installation.carry_out("/in.csv", HEADER.strip() + ";password\np0;Pat;Nr 0;p0@x.org;Secret-2026\n")

    assert planned == [2]
    assert installation.moodle.rows("user", username="p0")[0]["password"].startswith("$")


def test_what_builds_on_earlier_rows_is_planned_once_more(
    installation: Installation, settings: Settings, planned: list[int]
) -> None:
    settings.TOOLSYNC_CHUNK_ROWS = 1
    text = users(2) + "p0;Paz;Nr 0;p0@x.org\n" + users(4, 2).removeprefix(HEADER)

    run = installation.carry_out("/in.csv", text, primaryidentity="username")

    assert run.counts == {"created": 6, "updated": 1}
    assert planned == [2, 3, 4, 5, 6, 7, 8, 4, 5, 6, 7, 8]
    assert [row["username"] for row in installation.moodle.rows("user", firstname="Paz")] == ["p0"]


def test_what_follows_rows_that_change_nothing_is_planned_once_more(
    filled: Installation, settings: Settings, planned: list[int]
) -> None:
    settings.TOOLSYNC_CHUNK_ROWS = 2
    planned.clear()

    run = filled.carry_out("/in.csv", users(3, 98), primaryidentity="username")

    assert run.counts == {"unchanged": 2, "created": 1}
    assert planned == [2, 3, 4, 4]


def test_a_row_that_somebody_changes_before_it_is_applied_is_planned_once_more(
    filled: Installation, settings: Settings, planned: list[int], meanwhile: list[Callable[[], object]]
) -> None:
    settings.TOOLSYNC_CHUNK_ROWS = 1
    planned.clear()
    meanwhile.append(lambda: filled.moodle.execute("UPDATE {user} SET firstname = 'Else' WHERE username = 'p1'"))

    run = at_night(filled, "/in.csv", users(3).replace("Pat;", "Paz;"), processor="users", primaryidentity="username")

    assert run.counts == {"updated": 3}
    assert planned == [2, 3, 4, 3, 4]
    changes = {outcome.subject: [change.old for change in outcome.changes] for outcome in read_rows(run)}
    assert changes == {"p0": ["Pat"], "p1": ["Else"], "p2": ["Pat"]}
    assert len(filled.moodle.rows("user", firstname="Paz")) == 3


def test_rows_are_planned_once_more_where_a_setting_of_moodle_has_changed(
    installation: Installation, planned: list[int], meanwhile: list[Callable[[], object]]
) -> None:
    moodle = installation.moodle
    moodle.execute("UPDATE {config} SET value = '0' WHERE name = 'allowaccountssameemail'")
    meanwhile.append(lambda: moodle.execute("UPDATE {config} SET value = '1' WHERE name = 'allowaccountssameemail'"))

    run = at_night(installation, "/in.csv", users(1) + "q0;Pat;Nr 0;p0@x.org\n", "users", primaryidentity="username")

    assert planned == [2, 3, 2, 3]
    assert run.plan is not None
    assert run.plan.counts == {"created": 1, "rejected": 1}
    assert run.counts == {"created": 2}


def test_rows_are_planned_once_more_where_the_list_of_deletions_has_changed(
    filled: Installation, planned: list[int], meanwhile: list[Callable[[], object]]
) -> None:
    planned.clear()
    [user] = filled.moodle.rows("user", username="p1")
    run = SyncRun.objects.latest("pk")
    listed = {"run": run, "table": "user", "rowid": user["id"], "name": "p1", "line": 2, "day": timezone.localdate()}
    meanwhile.append(lambda: GraceEntry.objects.create(site=filled.site, **listed))

    filled.carry_out("/in.csv", users(1).replace("Pat;", "Paz;"), primaryidentity="username")

    assert planned == [2, 2]


def test_who_is_locked_out_for_some_days_by_a_plan_that_is_made_once_is_on_the_list_of_deletions(
    filled: Installation, settings: Settings
) -> None:
    settings.TOOLSYNC_CHUNK_ROWS = 2

    run = at_night(filled, "/gone.csv", gone(5), primaryidentity="username", gracedays="7")

    assert (run.state, run.counts) == (RunState.COMPLETED, {"updated": 5})
    listed = {entry.name: entry.line for entry in GraceEntry.objects.filter(site=filled.site, run=run)}
    assert listed == {f"p{n}": n + 2 for n in range(5)}
    assert {row["username"] for row in filled.moodle.rows("user", suspended=1)} == {f"p{n}" for n in range(5)}


@pytest.mark.parametrize("limit", ["_MOST_CELLS", "_MOST_CHARACTERS"])
def test_plans_that_are_too_much_for_the_memory_wait_on_the_disk(
    installation: Installation, settings: Settings, monkeypatch: pytest.MonkeyPatch, planned: list[int], limit: str
) -> None:
    settings.TOOLSYNC_CHUNK_ROWS = 1
    monkeypatch.setattr(f"sync.runs.kept_plans.{limit}", 10)

    assert installation.carry_out("/in.csv", users(3), primaryidentity="username").counts == {"created": 3}

    assert planned == [2, 3, 4]
    assert [row["username"] for row in installation.moodle.rows("user")][-3:] == ["p0", "p1", "p2"]


def test_what_is_too_old_is_planned_once_more(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, planned: list[int]
) -> None:
    monkeypatch.setattr("sync.runs.kept_plans._MOST_SECONDS", -1)

    assert installation.carry_out("/in.csv", users(2), primaryidentity="username").counts == {"created": 2}

    assert planned == [2, 3] * 2


def test_what_is_too_much_for_the_disk_is_planned_once_more(
    installation: Installation, settings: Settings, monkeypatch: pytest.MonkeyPatch, planned: list[int]
) -> None:
    settings.TOOLSYNC_CHUNK_ROWS = 1
    monkeypatch.setattr("sync.runs.kept_plans._MOST_CELLS", 0)
    monkeypatch.setattr("sync.runs.kept_plans._MOST_BYTES", 0)

    assert installation.carry_out("/in.csv", users(3), primaryidentity="username").counts == {"created": 3}

    assert planned == [2, 3, 4, 3, 4]


def test_plans_with_clear_passwords_wait_in_memory_alone(
    installation: Installation, settings: Settings, monkeypatch: pytest.MonkeyPatch, planned: list[int]
) -> None:
    settings.TOOLSYNC_CHUNK_ROWS = 1
    monkeypatch.setattr("sync.runs.kept_plans._MOST_CELLS", 0)

    assert installation.carry_out("/in.csv", with_passwords(3), primaryidentity="username").counts == {"created": 3}

    assert planned == [2, 3, 4] * 2


@pytest.mark.parametrize(
    ("processor", "text"),
    [
        ("categories", "cmd;category;name\nadd;Sci//Maths;\n"),
        ("categories_delete", "categoryid\n4711\n"),
        ("courses_delete", "nobody\n"),
    ],
)
def test_a_plan_that_changes_nothing_leaves_the_order_of_the_site_alone(
    installation: Installation, processor: str, text: str
) -> None:
    moodle = installation.moodle
    moodle.execute("UPDATE {course_categories} SET sortorder = 77")
    before = moodle.snapshot()

    run = installation.carry_out("/in.csv", text, processor=processor)

    assert (run.counts, run.error_code) == ({"rejected": 1}, "")
    assert moodle.diff(before, moodle.snapshot()) == {}


def test_a_person_who_is_deleted_and_brought_back_by_one_file_is_as_planned(
    installation: Installation, settings: Settings
) -> None:
    settings.TOOLSYNC_CHUNK_ROWS = 1
    text = "username;firstname;lastname;email;deleted\n" + "".join(
        f"p0;Pat;{name};p0@x.org;{gone}\n" for name, gone in (("A", ""), ("A", "1"), ("B", ""), ("B", "1"))
    )
    with at("2026-10-01 10:00:00"):
        plan = installation.carry_out("/in.csv", text, simulate=True, primaryidentity="username", resurrect=True)
    with at("2026-10-01 11:00:00"):
        run = services.execute_run(decisions.apply_plan(plan, OPERATOR, typed="2").pk)

    assert run.counts == plan.counts == {"created": 1, "deleted": 2, "updated": 1}


def test_a_plan_that_somebody_applies_later_has_the_file_looked_at_again(installation: Installation) -> None:
    text = "username;firstname;lastname;idnumber\nz1;A;B;I1\nz2;A;B;I1\n"
    plan = installation.carry_out("/in.csv", text, primaryidentity="username", simulate=True)

    run = services.execute_run(decisions.apply_plan(plan, OPERATOR).pk)

    assert [outcome.params.get("earlier") for outcome in read_rows(run)] == [None, 2]


def test_the_workbook_of_a_run_is_read_once_to_be_planned_and_applied(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = installation.put(
        "/in.xlsx", xlsx([["username", "firstname", "lastname"], ["w1", "A", "B"], ["w2", "C", ""]])
    )
    programs: list[object] = []
    popen = subprocess.Popen

    def count(*args: Any, **kwargs: Any) -> Any:
        programs.append(args)
        return popen(*args, **kwargs)

    monkeypatch.setattr(subprocess, "Popen", count)

    run = installation.carry_out(file.path, primaryidentity="username")

    assert run.counts == {"created": 1, "rejected": 1}
    assert [outcome.line for outcome in read_rows(run)] == [2, 3]
    assert len(programs) == 1


@pytest.mark.parametrize("chunk_rows", [1, 1000])
def test_what_is_said_of_rows_is_said_of_a_run_none_of_whose_rows_change_anything(
    installation: Installation, settings: Settings, chunk_rows: int
) -> None:
    settings.TOOLSYNC_CHUNK_ROWS = chunk_rows
    text = "shortname;fullname\nC1;One\nC2;Two\n"

    run = installation.carry_out("/c.csv", text, processor="courses")

    assert run.plan is not None
    said = ["courses_left_as_they_are", {"count": 2, "line": 2}]
    assert said in run.plan.notes
    assert said in run.notes
