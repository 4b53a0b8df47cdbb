"""Killed, cut off, cancelled: whole chunks are done, and the run goes on from there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from sync.commandfiles import storage
from sync.errors import RunNotClaimable
from sync.models import MoodleSite, RunState, SyncRun
from sync.moodle.db.journal import read_images
from sync.runs import services
from sync.runs.execution import Execution
from sync.runs.outcome_store import read_rows
from sync.runs.recorder import RunRecorder
from sync.values import Action
from tests.installation import Installation
from tests.runs.test_pauses import at_call

HEADER = "username;firstname;lastname;email\n"
ROWS = 25


@pytest.fixture(autouse=True)
def small_chunks(settings: Settings) -> None:
    settings.TOOLSYNC_CHUNK_ROWS = 5


def file_of(rows: int = ROWS) -> str:
    return HEADER + "".join(f"user{n:02d};First;Last;user{n}@x.org\n" for n in range(rows))


class Killed(BaseException):
    """Stands for `kill -9`: no code of ours may catch it."""


def kill(monkeypatch: pytest.MonkeyPatch, method: str, call: int, *, before: bool = True) -> None:
    """Make a method of the recorder die at its n-th call; the plans that runs make for themselves don't count."""
    original: Callable[..., Any] = getattr(RunRecorder, method)
    calls = 0

    def dying(self: RunRecorder, *args: Any) -> None:
        nonlocal calls
        if self.run.origin == SyncRun.Origin.PLAN:
            original(self, *args)
            return
        calls += 1
        if calls == call and before:
            raise Killed
        original(self, *args)
        if calls == call:
            raise Killed

    monkeypatch.setattr(RunRecorder, method, dying)


def die_at(monkeypatch: pytest.MonkeyPatch, run: SyncRun, method: str, call: int, *, before: bool = True) -> None:
    with monkeypatch.context() as patch:
        kill(patch, method, call, before=before)
        with pytest.raises(Killed):
            services.execute_run(run.pk)
    SyncRun.objects.filter(pk=run.pk).update(heartbeat_at=timezone.now() - timedelta(hours=1))


@pytest.mark.parametrize(
    ("method", "before"),
    [("prepare", True), ("prepare", False), ("confirm", True), ("confirm", False), ("finish", True), ("finish", False)],
)
def test_a_killed_run_goes_on_and_every_row_is_done_once(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, method: str, before: bool
) -> None:
    run = installation.queue("/in.csv", file_of(), storereport=1)
    die_at(monkeypatch, run, method, 1 if method == "finish" else 3, before=before)
    ended = services.execute_run(run.pk)
    assert ended.state == RunState.COMPLETED
    assert ended.counts == {"created": ROWS}
    outcomes = list(read_rows(ended))
    assert [outcome.line for outcome in outcomes] == list(range(2, ROWS + 2))
    assert {outcome.action for outcome in outcomes} == {Action.CREATED}
    assert len(installation.moodle.rows("user", firstname="First")) == ROWS
    assert installation.moodle.rows("config_plugins", plugin="toolsync") == []


def test_a_chunk_that_was_committed_and_not_confirmed_is_counted_and_not_done_again(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = installation.queue("/in.csv", file_of())
    die_at(monkeypatch, run, "confirm", 2)
    run.refresh_from_db()
    assert run.last_line == 6
    assert len(installation.moodle.rows("user", firstname="First")) == 10
    ended = services.execute_run(run.pk)
    chunk = ended.chunks.get(last_line=11)
    assert (chunk.first_line, chunk.counts) == (7, {"created": 5})
    with storage.opened(chunk.journal_key) as part:
        assert {image.table for image in read_images(part)} >= {"user", "context"}


def test_a_killed_simulation_begins_again(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    twice = file_of(10) + "user03;First;Last;user3@x.org\n"
    run = installation.queue("/in.csv", twice, simulate=True)
    die_at(monkeypatch, run, "confirm", 2)
    ended = services.execute_run(run.pk)
    assert ended.rows_done == 11
    last = list(read_rows(ended))[-1]
    assert last.action is Action.UNCHANGED, "the account that the dead process had made in its mind"


def test_a_worker_that_lost_its_run_leaves_it_alone(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = installation.queue("/in.csv", file_of())
    original = RunRecorder.confirm

    def taken_over(self: RunRecorder, chunk: Any) -> None:
        SyncRun.objects.filter(pk=run.pk).update(worker="another")
        original(self, chunk)

    monkeypatch.setattr(RunRecorder, "confirm", taken_over)
    ended = services.execute_run(run.pk)
    assert (ended.state, ended.worker, ended.last_line) == (RunState.RUNNING, "another", 0)
    assert ended.chunks.count() == 0
    assert MoodleSite.objects.get(slug="main").lease_run == ended


def test_progress_is_told_after_each_chunk(installation: Installation) -> None:
    run = installation.queue("/in.csv", file_of())
    told: list[int] = []
    services.execute_run(run.pk, progress=lambda progress: told.append(progress.rows_done))
    assert told == [5, 10, 15, 20, 25]


def test_a_cancelled_run_stops_before_its_next_chunk_and_tells_what_it_did(installation: Installation) -> None:
    run = installation.queue("/in.csv", file_of(), filearchive=1, filecleanup=1, storereport=0)
    ended = services.execute_run(run.pk, progress=lambda _progress: services.cancel_run(run))
    assert (ended.state, ended.rows_done) == (RunState.CANCELLED, 5)
    assert installation.area() == {"/in.csv"}
    report = installation.own_file(ended, "report")
    assert "Everything up to line 6 is done; nothing after it." in report
    assert "5 created" in report
    assert "20 rows are left" in report
    services.resume_run(ended)
    whole = services.execute_run(run.pk)
    assert (whole.state, whole.counts) == (RunState.COMPLETED, {"created": ROWS})
    assert [outcome.line for outcome in read_rows(whole)] == list(range(2, ROWS + 2))


def test_a_queued_run_is_cancelled_at_once(installation: Installation) -> None:
    run = installation.queue("/in.csv", file_of())
    services.cancel_run(run)
    assert run.state == RunState.CANCELLED
    with pytest.raises(RunNotClaimable):
        services.execute_run(run.pk)


def test_a_run_that_is_over_is_not_cancelled(installation: Installation) -> None:
    run = installation.carry_out("/in.csv", file_of())
    services.cancel_run(run)
    assert (run.state, run.cancel_requested) == (RunState.COMPLETED, False)


def test_a_row_that_moodle_refuses_stands_alone_and_the_others_are_done(installation: Installation) -> None:
    installation.moodle.execute(
        "CREATE TRIGGER no_user13 BEFORE INSERT ON {user} WHEN NEW.username = 'user13'"
        " BEGIN SELECT RAISE(ABORT, 'not this one'); END"
    )
    try:
        run = installation.carry_out("/in.csv", file_of())
    finally:
        installation.moodle.execute("DROP TRIGGER no_user13")
    assert run.counts == {"created": ROWS - 1, "rejected": 1}
    (refused,) = read_rows(run, Action.REJECTED)
    assert (refused.line, refused.code) == (15, "moodle_refused")
    assert "user13;First" in installation.own_file(run, "tryback")


def test_moodle_away_at_the_start_ends_in_an_error_and_the_run_can_be_taken_up(
    installation: Installation, settings: Settings, tmp_path: Path
) -> None:
    settings.TOOLSYNC_MOODLE_URL = f"sqlite:///{tmp_path}/away.sqlite3"
    run = installation.carry_out("/in.csv", file_of())
    assert (run.state, run.error_code, run.last_line) == (RunState.ERRORED, "moodle_unavailable", 0)
    assert MoodleSite.objects.get(slug="main").lease_run is None
    settings.TOOLSYNC_MOODLE_URL = installation.moodle.url
    services.resume_run(run)
    assert services.execute_run(run.pk).counts == {"created": ROWS}


def test_a_run_waits_for_moodle_and_says_since_when(
    installation: Installation, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.TOOLSYNC_RETRY_SECONDS = 60
    away = tmp_path / "away.sqlite3"
    settings.TOOLSYNC_MOODLE_URL = f"sqlite:///{away}"
    run = installation.queue("/in.csv", file_of())
    seen: list[object] = []

    def come_back(_seconds: float) -> None:
        seen.append(SyncRun.objects.get(pk=run.pk).waiting_since)
        if not away.exists():
            away.symlink_to(Path(installation.moodle.url.removeprefix("sqlite:///")))

    monkeypatch.setattr("sync.runs.retry.time.sleep", come_back)
    ended = services.execute_run(run.pk)
    assert ended.counts == {"created": ROWS}
    assert seen[0] is not None
    assert ended.waiting_since is None


def test_a_run_that_waits_for_moodle_can_be_cancelled(
    installation: Installation, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.TOOLSYNC_RETRY_SECONDS = 60
    settings.TOOLSYNC_MOODLE_URL = f"sqlite:///{tmp_path}/away.sqlite3"
    run = installation.queue("/in.csv", file_of())
    monkeypatch.setattr("sync.runs.retry.time.sleep", lambda _seconds: services.cancel_run(run))
    assert services.execute_run(run.pk).state == RunState.CANCELLED


def test_a_mistake_of_ours_is_told_by_a_number_and_the_run_can_be_taken_up(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    run = installation.queue("/in.csv", file_of())
    original = RunRecorder.prepare

    def broken(self: RunRecorder, chunk: Any) -> None:
        if chunk.first_line > 10:
            raise ZeroDivisionError("secret detail")
        original(self, chunk)

    with monkeypatch.context() as patch:
        patch.setattr(RunRecorder, "prepare", broken)
        ended = services.execute_run(run.pk)
    assert (ended.state, ended.error_code, ended.rows_done) == (RunState.ERRORED, "internal_error", 10)
    number = ended.error_params["number"]
    assert number in caplog.text
    assert "secret detail" in caplog.text
    report = installation.own_file(ended, "report")
    assert number in report
    assert "secret detail" not in report
    services.resume_run(ended)
    assert services.execute_run(run.pk).counts == {"created": ROWS}


def test_a_run_that_went_through_is_not_taken_up_again(installation: Installation) -> None:
    run = installation.carry_out("/in.csv", file_of())
    with pytest.raises(RunNotClaimable):
        services.resume_run(run)


def test_a_storage_that_fails_after_the_last_row_leaves_files_to_be_made_later(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = installation.queue("/in.csv", file_of(), storereport=1)
    with monkeypatch.context() as patch:
        patch.setattr("sync.runs.finalize.write_report", lambda *_args, **_named: 1 / 0)
        ended = services.execute_run(run.pk)
    assert (ended.state, ended.carried_out) == (RunState.ERRORED, True)
    services.resume_run(ended)
    before = installation.moodle.snapshot()
    assert services.execute_run(run.pk).state == RunState.COMPLETED
    assert installation.moodle.diff(before, installation.moodle.snapshot()) == {}
    assert run.files.get(kind="report").path.startswith("/reports/")


def test_a_paused_run_lets_the_site_go_and_goes_on(installation: Installation) -> None:
    run = installation.queue("/in.csv", file_of(), primaryidentity="username")

    def pause(progress: object) -> None:
        services.pause_run(run)

    paused = services.execute_run(run.pk, progress=pause)
    assert (paused.state, paused.rows_done, paused.finished_at, paused.pause_requested) == ("paused", 5, None, False)
    assert MoodleSite.objects.get(pk=run.site_id).lease_run_id is None
    assert not paused.files.exists()
    with pytest.raises(RunNotClaimable):
        services.execute_run(run.pk)
    services.resume_run(paused)
    assert services.execute_run(run.pk).counts == {"created": ROWS}


def test_a_paused_run_is_cancelled_with_its_report(installation: Installation) -> None:
    run = installation.queue("/in.csv", file_of(), primaryidentity="username")
    paused = services.execute_run(run.pk, progress=lambda _progress: services.pause_run(run))
    services.cancel_run(paused)
    cancelled = services.execute_run(run.pk)
    assert (cancelled.state, cancelled.rows_done) == (RunState.CANCELLED, 5)
    assert cancelled.files.filter(kind="report").exists()


def test_who_cancels_in_the_moment_of_a_pause_is_heard(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = installation.queue("/in.csv", file_of(), primaryidentity="username")
    at_call(monkeypatch, Execution, "_pause", 1, lambda: services.cancel_run(run))
    ended = services.execute_run(run.pk, progress=lambda _progress: services.pause_run(run))
    assert (ended.state, ended.rows_done) == (RunState.CANCELLED, 5)
    assert ended.files.filter(kind="report").exists()
    assert MoodleSite.objects.get(pk=run.site_id).lease_run_id is None


def test_a_run_that_was_paused_before_the_cancel_arrives_is_cancelled(installation: Installation) -> None:
    run = installation.queue("/in.csv", file_of(), primaryidentity="username")
    services.execute_run(run.pk, progress=lambda _progress: services.pause_run(run))
    # What the page of whoever cancels still shows.
    run.state = RunState.RUNNING
    services.cancel_run(run)
    assert services.execute_run(run.pk).state == RunState.CANCELLED


def test_a_run_that_waits_for_its_turn_is_paused_at_once(installation: Installation) -> None:
    queued = installation.queue("/in.csv", file_of(), primaryidentity="username")
    services.pause_run(queued)
    assert queued.state == RunState.PAUSED
    with pytest.raises(RunNotClaimable):
        services.pause_run(queued)
    services.resume_run(queued)
    assert services.execute_run(queued.pk).state == RunState.COMPLETED


def test_what_is_over_or_writes_nothing_is_not_paused(installation: Installation) -> None:
    done = installation.carry_out("/in.csv", file_of(), primaryidentity="username")
    simulated = installation.queue("/in.csv", simulate=True)
    for run in (done, simulated):
        with pytest.raises(RunNotClaimable):
            services.pause_run(run)
