"""Users and courses that are out of use for some days, and deleted then unless somebody says otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from pytest_django import Settings

from sync.errors import GraceError
from sync.grace import services as grace
from sync.models import CommandFile, FreezeWindow, GraceEntry, GuardLimits, RunState, SyncRun
from sync.runs import services
from sync.runs.deciders import authors_of
from sync.runs.decisions import approve_run, removed_by
from sync.runs.lease import waiting_run_ids
from sync.runs.outcome_store import read_rows
from sync.runs.rights import OPERATOR
from sync.runs.undo import undo_run
from tests.installation import Installation, at
from tests.runs.test_after_commit import lose_first_answer
from tests.runs.test_interruptions import die_at

SITES = pytest.mark.sites("sqlite:4.1", "mariadb:4.5", "postgresql:5.1", "real:m520-seeded")
LISTED, BEFORE_DUE, DUE = "2026-11-30T10:00:00", "2026-12-29T23:30:00", "2026-12-30T00:30:00"
USERS = "username\nann\n"


@pytest.fixture(autouse=True)
def listed_day(request: pytest.FixtureRequest, settings: Settings) -> Iterator[None]:
    settings.TIME_ZONE = "UTC"
    with at(LISTED):
        yield


def list_users(installation: Installation, text: str = USERS, **more: Any) -> SyncRun:
    return installation.carry_out(
        "/gone.csv", text, processor="users_delete", primaryidentity="username", gracedays=30, **more
    )  # fmt: skip


def list_courses(installation: Installation, text: str = "C1\n", **more: Any) -> SyncRun:
    return installation.carry_out("/gone.txt", text, processor="courses_delete", gracedays=30, **more)


def tick() -> list[SyncRun]:
    """Do what beat does, and carry out what it has started; return these runs."""
    known = set(SyncRun.objects.values_list("pk", flat=True))
    grace.follow_tasks()
    grace.delete_due()
    started = [
        services.execute_run(pk)
        for pk in SyncRun.objects.exclude(pk__in=known).order_by("pk").values_list("pk", flat=True)
    ]
    grace.follow_tasks()
    return started


def codes(run: SyncRun) -> list[str]:
    return [outcome.code for outcome in read_rows(run)]


def user(installation: Installation, username: str = "ann") -> dict[str, Any]:
    return installation.moodle.one("user", username=username)


def course(installation: Installation, shortname: str = "C1") -> dict[str, Any]:
    return installation.moodle.one("course", shortname=shortname)


def take_off(entry: GraceEntry, person: User | None = None) -> SyncRun:
    return services.execute_run(grace.take_off(entry.site, entry.table, [entry.pk], user=person).pk)


def test_users_are_suspended_at_once_and_deleted_on_the_day(installation: Installation) -> None:
    site = installation.moodle
    site.insert("sessions", state=0, sid="x", userid=user(installation)["id"], timecreated=1, timemodified=1)
    run = list_users(installation)

    (told,) = read_rows(run)
    assert (told.action, told.code, told.params) == (
        "updated",
        "account_suspended_for_deletion",
        {"date": "2026-12-30"},
    )
    assert "suspended now, deleted on 2026-12-30" in installation.own_file(run, "report")
    assert (user(installation)["suspended"], user(installation)["deleted"]) == (1, 0)
    assert site.rows("sessions") == []
    entry = GraceEntry.objects.get()
    assert (entry.name, entry.label, entry.run, entry.line, entry.day) == (
        "ann", "Ann Smith", run, 2, date(2026, 12, 30),
    )  # fmt: skip

    with at(BEFORE_DUE):
        assert tick() == []
    with at(DUE):
        (deletion,) = tick()
        assert tick() == []
    assert (deletion.origin, deletion.counts, deletion.processor) == ("grace", {"deleted": 1}, "users_delete")
    assert site.rows("user", username="ann") == []
    entry.refresh_from_db()
    assert (entry.state, entry.task_run, entry.closed) == ("deleted", deletion, entry.pk)
    assert installation.own_file(deletion, "archive").splitlines() == ["id;username", f"{entry.rowid};ann"]


def test_whose_file_put_people_on_the_list_is_no_second_person_for_their_deletion(installation: Installation) -> None:
    uploader, planner = User.objects.create_user("eve"), User.objects.create_user("bob")
    run = list_users(installation)
    CommandFile.objects.filter(runs=run).update(uploaded_by=uploader)
    SyncRun.objects.filter(pk=run.plan_id or run.pk).update(requested_by=planner)
    with at(DUE):
        (deletion,) = tick()

    assert {uploader, planner} <= authors_of(deletion)


def test_courses_are_hidden_at_once_and_deleted_on_the_day(installation: Installation) -> None:
    before = course(installation)
    run = list_courses(installation)
    (told,) = read_rows(run)
    assert (told.code, [tuple(change) for change in told.changes]) == (
        "course_hidden_for_deletion", [("visible", "1", "0")],
    )  # fmt: skip
    after = course(installation)
    assert (after["visible"], after["visibleold"]) == (0, 0)
    assert after["cacherev"] > before["cacherev"]

    with at(DUE):
        (deletion,) = tick()
    assert (deletion.counts, codes(deletion)) == ({"deleted": 1}, ["course_deleted"])
    assert installation.moodle.rows("course", shortname="C1") == []
    assert GraceEntry.objects.get().state == "deleted"


def test_a_dry_run_lists_nobody(installation: Installation, settings: Settings) -> None:
    settings.TOOLSYNC_CHUNK_ROWS = 1
    text = "username\nann\nann\n"
    dry = list_users(installation, text, simulate=True)
    assert not GraceEntry.objects.exists()
    assert user(installation)["suspended"] == 0
    assert list(read_rows(dry)) == list(read_rows(list_users(installation, text)))
    assert codes(dry) == ["account_suspended_for_deletion", "grace_listed_before"]


@pytest.mark.parametrize("chunk_rows", [1, 10])
def test_the_same_file_again_changes_neither_the_object_nor_its_day(
    installation: Installation, settings: Settings, chunk_rows: int
) -> None:
    settings.TOOLSYNC_CHUNK_ROWS = chunk_rows
    list_users(installation, "username\nann\nann\n")
    list_courses(installation, "C1\nC1\n")
    with at("2026-12-05T10:00:00"):
        before = installation.moodle.snapshot()
        again = [list_users(installation, "username\nann\nann\n"), list_courses(installation, "C1\nC1\n")]
        assert installation.moodle.diff(before, installation.moodle.snapshot()) == {}
    assert [run.counts for run in again] == [{"unchanged": 2}, {"unchanged": 2}]
    assert {outcome.params["date"] for run in again for outcome in read_rows(run)} == {"2026-12-30"}
    assert {str(entry.day) for entry in GraceEntry.objects.all()} == {"2026-12-30"}


def test_who_was_suspended_before_is_listed_and_stays_suspended_when_taken_off(installation: Installation) -> None:
    installation.moodle.execute("UPDATE {user} SET suspended = 1 WHERE username = 'ann'")
    installation.moodle.execute("UPDATE {course} SET visible = 0 WHERE shortname = 'C1'")
    assert codes(list_users(installation)) == ["account_listed_for_deletion"]
    assert codes(list_courses(installation)) == ["course_listed_for_deletion"]
    for entry in GraceEntry.objects.all():
        assert codes(take_off(entry)) == ["grace_ended"]
    assert user(installation)["suspended"] == 1
    assert (course(installation)["visible"], course(installation)["visibleold"]) == (0, 1)
    assert {entry.state for entry in GraceEntry.objects.all()} == {"ended"}


def test_taking_off_undoes_what_the_grace_did(installation: Installation) -> None:
    list_users(installation)
    list_courses(installation)
    person = User.objects.create_superuser("boss")
    runs = [take_off(entry, person) for entry in GraceEntry.objects.all()]
    assert [(run.origin, run.owner, run.counts) for run in runs] == [("grace_end", person, {"updated": 1})] * 2
    assert user(installation)["suspended"] == 0
    assert (course(installation)["visible"], course(installation)["visibleold"]) == (1, 1)
    assert {entry.taken_off_by for entry in GraceEntry.objects.all()} == {person}
    with at(DUE):
        assert tick() == []
    # Once off, the object may come onto the list again.
    assert codes(list_users(installation)) == ["account_suspended_for_deletion"]


def test_what_a_person_has_let_in_meanwhile_stays_as_it_is_when_it_is_taken_off(installation: Installation) -> None:
    list_users(installation)
    list_courses(installation)
    installation.moodle.execute("UPDATE {user} SET suspended = 0 WHERE username = 'ann'")
    installation.moodle.execute("UPDATE {course} SET visible = 1, visibleold = 1 WHERE shortname = 'C1'")
    before = installation.moodle.snapshot(["user", "course"])
    for entry in GraceEntry.objects.all():
        take_off(entry)
    assert installation.moodle.diff(before, installation.moodle.snapshot(["user", "course"])) == {}
    assert not GraceEntry.objects.filter(closed=0).exists()


@pytest.mark.parametrize(
    ("processor", "text", "code"),
    [
        ("users", "username;firstname;lastname\nann;Ann;Smith\n", "account_reactivated"),
        ("users_restore", "username\nann\n", "account_reactivated"),
        ("users_suspend", "username;suspended\nann;0\n", "account_reactivated"),
    ],
)
def test_a_file_that_wants_a_user_takes_it_off(
    installation: Installation, processor: str, text: str, code: str
) -> None:
    list_users(installation)
    run = installation.carry_out("/in.csv", text, processor=processor, primaryidentity="username")
    (told,) = read_rows(run)
    assert (told.code, [note.code for note in told.notes]) == (code, ["grace_ended_by_file"])
    assert user(installation)["suspended"] == 0
    assert GraceEntry.objects.get().state == "ended"
    again = installation.carry_out("/in2.csv", text, processor=processor, primaryidentity="username")
    assert again.counts == {"unchanged": 1}


def test_a_users_file_says_itself_whether_the_user_stays_suspended(installation: Installation) -> None:
    list_users(installation)
    text = "username;firstname;lastname;suspended\nann;Ann;Smith;1\n"
    run = installation.carry_out("/in.csv", text, primaryidentity="username")
    assert run.counts == {"updated": 1}
    assert user(installation)["suspended"] == 1
    assert GraceEntry.objects.get().state == "ended"


@pytest.mark.parametrize("force", [0, 1])
def test_a_courses_file_takes_its_courses_off_and_shows_them(installation: Installation, force: int) -> None:
    list_courses(installation)
    fullname = course(installation)["fullname"]
    text = f"shortname;fullname\nC1;{fullname}\n"
    run = installation.carry_out("/in.csv", text, processor="courses", forceupdate=force)
    (told,) = read_rows(run)
    assert (told.code, [note.code for note in told.notes]) == ("course_updated", ["grace_ended_by_file"])
    assert (course(installation)["visible"], course(installation)["visibleold"]) == (1, 1)
    assert GraceEntry.objects.get().state == "ended"
    again = installation.carry_out("/in2.csv", text, processor="courses", forceupdate=force)
    assert again.counts == {"unchanged": 1}


REJECTED = [
    # Rows of a file, and whether they keep ann from being deleted.
    ("username;firstname;lastname\nann;;Smith\n", True),
    ("username;firstname;lastname;email\nANN;Ann;Smith;not an address\n", True),
    ("username;firstname;lastname;lang\nann;Ann;Smith;xx_nowhere\n", True),
    ("username;firstname;lastname\nann;Ann;Smith;too many\n", True),
    ("username;firstname;lastname\nbob;;Smith\n", False),
    ("username;firstname;lastname;deleted\nann;;Smith;1\n", False),
]


@pytest.mark.parametrize(("text", "is_held"), REJECTED)
def test_whom_a_rejected_row_names_is_not_deleted_on_the_day(
    installation: Installation, text: str, is_held: bool
) -> None:
    list_users(installation)
    run = installation.carry_out("/in.csv", text, primaryidentity="username")
    assert run.counts == {"rejected": 1}
    note = ["grace_held_by_rejected", {"count": 1, "names": "ann"}]
    assert (note in run.notes) == is_held
    assert user(installation)["suspended"] == 1

    with at(DUE):
        assert len(tick()) == (not is_held)
    assert bool(installation.moodle.rows("user", username="ann")) == is_held
    if is_held:
        assert GraceEntry.objects.get().state == "held"
        text = "username;firstname;lastname\nann;Ann;Smith\n"
        installation.carry_out("/in2.csv", text, primaryidentity="username")
        assert user(installation)["suspended"] == 0
        assert GraceEntry.objects.get().state == "ended"


def test_an_idnumber_in_a_rejected_row_names_somebody_as_well(installation: Installation) -> None:
    installation.moodle.execute("UPDATE {user} SET idnumber = 'A-1' WHERE username = 'ann'")
    list_users(installation)
    text = "username;idnumber;firstname;lastname\nann.new;A-1;Ann;Smith\n"
    run = installation.carry_out("/in.csv", text, primaryidentity="idnumber")
    assert (codes(run)[0] != "account_created", GraceEntry.objects.get().state) == (True, "held")


def test_a_course_that_a_rejected_row_names_is_not_deleted_on_the_day(installation: Installation) -> None:
    list_courses(installation)
    text = "shortname;fullname;startdate\nC1;Course;no date\n"
    run = installation.carry_out("/in.csv", text, processor="courses", forceupdate=1)
    assert run.counts == {"rejected": 1}
    with at(DUE):
        assert tick() == []
    assert GraceEntry.objects.get().state == "held"


def test_a_deletion_that_waits_leaves_out_whom_a_rejected_row_names_meanwhile(
    installation: Installation, settings: Settings
) -> None:
    list_users(installation)
    settings.TOOLSYNC_GUARD = True
    with at(DUE):
        (deletion,) = tick()
        assert deletion.state == RunState.HELD
        installation.carry_out("/in.csv", "username;firstname;lastname\nann;;Smith\n", primaryidentity="username")
        approve_run(deletion, OPERATOR, typed=str(removed_by(deletion.planned_totals)))
        services.execute_run(deletion.pk)
        tick()
    assert installation.moodle.rows("user", username="ann")
    assert GraceEntry.objects.get().state == "held"


def test_other_files_about_a_listed_user_leave_the_list_alone(installation: Installation) -> None:
    list_users(installation)
    installation.carry_out("/s.csv", "username\nann\n", processor="users_suspend", primaryidentity="username")
    text = "cmd;cid;uid;rolename;enrol\nadd;C1;ann;student;manual\n"
    installation.carry_out("/e.csv", text, processor="enrolments")
    assert GraceEntry.objects.get().state == "waiting"


def test_who_has_another_name_by_then_is_not_deleted_but_stays_listed(installation: Installation) -> None:
    list_users(installation)
    list_courses(installation)
    installation.moodle.execute("UPDATE {user} SET username = 'mary' WHERE username = 'ann'")
    installation.moodle.execute("UPDATE {course} SET shortname = 'NEW' WHERE shortname = 'C1'")
    with at(DUE):
        runs = tick()
        assert tick() == []
    assert [codes(run) for run in runs] == [["grace_identity_changed"], ["grace_identity_changed"]]
    assert "“ann” was put on the list of deletions, but is “mary” now" in installation.own_file(runs[0], "report")
    assert installation.own_file(runs[0], "tryback")
    assert (user(installation, "mary")["deleted"], course(installation, "NEW")["visible"]) == (0, 0)
    assert {(entry.state, entry.closed) for entry in GraceEntry.objects.all()} == {("held", 0)}
    for entry in GraceEntry.objects.all():
        take_off(entry)
    assert (user(installation, "mary")["suspended"], course(installation, "NEW")["visible"]) == (0, 1)


def test_what_is_gone_already_leaves_the_list(installation: Installation) -> None:
    list_users(installation)
    list_courses(installation)
    installation.moodle.execute("DELETE FROM {course} WHERE shortname = 'C1'")
    installation.moodle.execute("UPDATE {user} SET deleted = 1, username = 'ann.gone' WHERE username = 'ann'")
    with at(DUE):
        runs = tick()
    assert [codes(run) for run in runs] == [["grace_gone"], ["grace_gone"]]
    assert {entry.state for entry in GraceEntry.objects.all()} == {"gone"}


def test_a_file_without_days_deletes_at_once_what_is_on_the_list(installation: Installation) -> None:
    list_users(installation)
    list_courses(installation)
    installation.carry_out("/u.csv", USERS, processor="users_delete", primaryidentity="username")
    installation.carry_out("/c.txt", "C1\n", processor="courses_delete")
    assert {entry.state for entry in GraceEntry.objects.all()} == {"deleted"}
    with at(DUE):
        assert tick() == []


def test_what_was_taken_off_before_the_deletion_began_is_left_alone(installation: Installation) -> None:
    list_users(installation)
    entry = GraceEntry.objects.get()
    with at(DUE):
        grace.delete_due()
        deletion = SyncRun.objects.get(origin="grace")
        with pytest.raises(GraceError) as refused:
            grace.take_off(entry.site, entry.table, [entry.pk], user=None)
        assert refused.value.code == "grace_entry_taken"
        # A users file that comes first is carried out first.
        run = installation.queue("/in.csv", "username;firstname;lastname\nann;Ann;Smith\n", primaryidentity="username")
        SyncRun.objects.filter(pk=deletion.pk).update(state=RunState.CANCELLED)
        services.execute_run(run.pk)
        services.resume_run(SyncRun.objects.get(pk=deletion.pk))
        assert codes(services.execute_run(deletion.pk)) == ["grace_not_listed"]
    assert (user(installation)["deleted"], user(installation)["suspended"]) == (0, 0)


def test_a_deletion_that_is_cancelled_keeps_its_entries_for_a_person(installation: Installation) -> None:
    list_users(installation)
    with at(DUE):
        grace.delete_due()
        services.cancel_run(SyncRun.objects.get(origin="grace"))
        assert tick() == []
    assert GraceEntry.objects.get().state == "held"
    assert user(installation)["deleted"] == 0


def test_nobody_is_taken_off_while_a_deletion_that_was_cancelled_goes_on(installation: Installation) -> None:
    list_users(installation)
    entry = GraceEntry.objects.get()
    with at(DUE):
        grace.delete_due()
        deletion = SyncRun.objects.get(origin="grace")
        services.cancel_run(deletion)
        grace.follow_tasks()
        services.resume_run(deletion)
        assert GraceEntry.objects.get().state == "deleting"
        with pytest.raises(GraceError, match="grace_entry_taken"):
            grace.take_off(entry.site, entry.table, [entry.pk], user=None)
        assert codes(services.execute_run(deletion.pk)) == ["account_deleted"]


def test_who_was_taken_off_stays_when_a_deletion_that_was_cancelled_goes_on(installation: Installation) -> None:
    list_users(installation)
    entry = GraceEntry.objects.get()
    with at(DUE):
        grace.delete_due()
        deletion = SyncRun.objects.get(origin="grace")
        services.cancel_run(deletion)
        grace.follow_tasks()
        taking_off = grace.take_off(entry.site, entry.table, [entry.pk], user=None)
        services.resume_run(deletion)
        assert codes(services.execute_run(deletion.pk)) == ["grace_not_listed"]
        services.execute_run(taking_off.pk)
    assert (user(installation)["deleted"], user(installation)["suspended"]) == (0, 0)


def test_the_rights_of_whoever_listed_are_asked_again(installation: Installation) -> None:
    person = User.objects.create_user("clerk")
    person.user_permissions.set(Permission.objects.filter(codename="run_users_delete"))
    assert list_users(installation, user=person).state == RunState.COMPLETED
    person.user_permissions.clear()
    with at(DUE):
        (deletion,) = tick()
    assert (deletion.owner, deletion.state, deletion.error_code) == (person, "errored", "run_owner_without_right")
    assert user(installation)["deleted"] == 0
    assert GraceEntry.objects.get().state == "held"


def test_a_freeze_window_holds_deletions(installation: Installation) -> None:
    list_users(installation)
    with at(DUE):
        FreezeWindow.objects.create(
            site=installation.site, starts_at="2026-12-29T00:00:00Z", ends_at="2026-12-31T00:00:00Z", reason="exams"
        )
        grace.delete_due()
        assert waiting_run_ids() == []
    with at("2026-12-31T00:00:01"):
        assert waiting_run_ids() == [SyncRun.objects.get(origin="grace").pk]


@pytest.mark.parametrize("moment", ["confirm", "settle", "answer lost"])
@pytest.mark.parametrize("was_suspended", [0, 1])
def test_entries_are_there_once_though_the_worker_died_or_the_answer_was_lost(
    installation: Installation,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    moment: str,
    was_suspended: int,
) -> None:
    settings.TOOLSYNC_CHUNK_ROWS = 1
    settings.TOOLSYNC_RETRY_SECONDS = 60
    monkeypatch.setattr("sync.runs.retry.FIRST_PAUSE", 0)
    installation.moodle.execute("UPDATE {user} SET suspended = :old WHERE username = 'ann'", old=was_suspended)
    run = installation.queue(
        "/in.csv", "username\nann\nnobody\nann\n", processor="users_delete", primaryidentity="username", gracedays=30
    )
    if moment == "answer lost":
        lose_first_answer(monkeypatch)
    else:
        die_at(monkeypatch, run, moment, 1)
    with at("2026-11-30T10:05:00"):
        ended = services.execute_run(run.pk)
    assert ended.counts == {"updated": 1, "rejected": 1, "unchanged": 1}
    assert codes(ended)[-1] == "grace_listed_before"
    entry = GraceEntry.objects.get()
    assert (entry.line, entry.before) == (2, {} if was_suspended else {"suspended": 0})


def test_a_deletion_whose_worker_died_is_finished_once(
    installation: Installation, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.TOOLSYNC_CHUNK_ROWS = 1
    installation.carry_out("/u.csv", "username;firstname;lastname\nbob2;B;Two\n", primaryidentity="username")
    list_users(installation, "username\nann\nbob2\n")
    with at(DUE):
        grace.delete_due()
        run = SyncRun.objects.get(origin="grace")
        die_at(monkeypatch, run, "confirm", 1)
    with at("2026-12-30T00:35:00"):
        ended = services.execute_run(run.pk)
    assert ended.counts == {"deleted": 2}
    assert {entry.state for entry in GraceEntry.objects.all()} == {"deleted"}


def test_a_deletion_beyond_the_limits_waits_for_a_person(installation: Installation, settings: Settings) -> None:
    list_users(installation)
    settings.TOOLSYNC_GUARD = True
    with at(DUE):
        (deletion,) = tick()
        assert tick() == []
    assert deletion.state == RunState.HELD
    assert GraceEntry.objects.get().state == "deleting"
    assert user(installation)["deleted"] == 0


def test_runs_of_the_list_make_their_plan_first_and_carry_it_out(installation: Installation) -> None:
    list_users(installation)
    list_courses(installation)
    course_entry = GraceEntry.objects.get(table="course")
    no_limit = {"users.deleted": [None, None]}
    GuardLimits.objects.create(site=installation.site, is_on=True, values=no_limit)
    ended = take_off(course_entry)
    assert (ended.state, codes(ended)) == ("completed", ["grace_ended"])
    with at(DUE):
        grace.delete_due()
        deletion = services.execute_run(SyncRun.objects.get(origin="grace").pk)
        for run in (ended, deletion):
            assert run.plan is not None
            assert codes(run.plan) == codes(run)
    assert (deletion.state, codes(deletion)) == ("completed", ["account_deleted"])


def test_what_an_undone_run_had_listed_leaves_the_list(installation: Installation) -> None:
    run = list_users(installation)
    with at("2026-12-01T10:00:00"):
        services.execute_run(undo_run(run).pk)
    assert user(installation)["suspended"] == 0
    with at(DUE):
        assert tick() == []
    assert GraceEntry.objects.get().state == "ended"


def test_a_deletion_that_waited_while_the_run_was_undone_deletes_nobody(installation: Installation) -> None:
    run = list_users(installation)
    with at(DUE):
        undo = undo_run(run)
        grace.delete_due()
    with at("2026-12-30T00:40:00"):
        services.execute_run(undo.pk)
        deletion = services.execute_run(SyncRun.objects.get(origin="grace").pk)
        assert codes(deletion) == ["grace_not_listed"]
        grace.follow_tasks()
    assert (user(installation)["deleted"], user(installation)["suspended"]) == (0, 0)
    assert GraceEntry.objects.get().state == "ended"


@SITES
def test_grace_on_every_server(installation_everywhere: Installation) -> None:
    installation = installation_everywhere
    text = "username;firstname;lastname\ng1;G;One\ng2;G;Two\n"
    assert installation.carry_out("/u.csv", text, primaryidentity="username").counts == {"created": 2}
    text = "shortname;fullname;category\nGRACE1;One;Grace\nGRACE2;Two;Grace\n"
    assert installation.carry_out("/c.csv", text, processor="courses").counts == {"created": 2}
    assert list_users(installation, "username\ng1\ng2\n").counts == {"updated": 2}
    assert list_courses(installation, "GRACE1\nGRACE2\n").counts == {"updated": 2}
    for name in ("g1", "GRACE1"):
        assert take_off(GraceEntry.objects.get(name=name)).counts == {"updated": 1}
    assert user(installation, "g1")["suspended"] == 0
    assert course(installation, "GRACE1")["visible"] == 1
    with at(DUE):
        assert [run.counts for run in tick()] == [{"deleted": 1}, {"deleted": 1}]
    assert installation.moodle.rows("user", username="g2") == []
    assert installation.moodle.rows("course", shortname="GRACE2") == []
