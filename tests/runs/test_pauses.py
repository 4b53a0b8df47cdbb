"""A worker that was paused for longer than its lease (SIGSTOP, a suspended machine): no outcome and no before-image is lost."""

from __future__ import annotations

import os
import signal
import sqlite3
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from sync.commandfiles import storage
from sync.errors import LeaseLost
from sync.models import RunState, SyncRun
from sync.moodle.db.journal import read_images
from sync.processors.users.processor import Users
from sync.runs import services
from sync.runs.outcome_store import read_rows
from sync.runs.recorder import RunRecorder
from sync.values import Action
from tests.installation import Installation
from tests.moodle_sites import MoodleSite
from tests.runs.test_kill import Celery, celery, moodle, wait_for
from tests.waiting import wait_until

__all__ = ["moodle"]

HEADER = "username;firstname;lastname;email\n"
ROWS = 25
PAUSED_ROWS, CHUNK_ROWS = 6_000, 500
A_WHILE = 30


def file_of(rows: int = ROWS) -> str:
    return HEADER + "".join(f"user{n:04d};First;Last;user{n}@x.org\n" for n in range(rows))


def seems_dead(run: SyncRun) -> None:
    SyncRun.objects.filter(pk=run.pk).update(heartbeat_at=timezone.now() - timedelta(hours=1))


def at_call(monkeypatch: pytest.MonkeyPatch, owner: type, method: str, call: int, pause: Callable[[], None]) -> None:
    """Let something happen right before the n-th call of a method in this thread."""
    original, us, calls = getattr(owner, method), threading.current_thread(), []

    def paused(self: Any, *given: Any) -> Any:
        if threading.current_thread() is us:
            calls.append(1)
            if len(calls) == call:
                pause()
        return original(self, *given)

    monkeypatch.setattr(owner, method, paused)


def check_that_nothing_is_lost(run: SyncRun, rows: int) -> None:
    run.refresh_from_db()
    assert (run.state, run.counts, run.rows_done) == (RunState.COMPLETED, {"created": rows}, rows)
    outcomes = list(read_rows(run))
    assert [outcome.line for outcome in outcomes] == list(range(2, rows + 2))
    assert {outcome.action for outcome in outcomes} == {Action.CREATED}
    made: list[int | None] = []
    for chunk in run.chunks.all():
        with storage.opened(chunk.journal_key) as journal:
            made += [image.id for image in read_images(journal) if (image.kind, image.table) == ("insert", "user")]
    assert len(set(made)) == len(made) == rows


@pytest.fixture(autouse=True)
def small_chunks(settings: Settings) -> None:
    settings.TOOLSYNC_CHUNK_ROWS = 5


@pytest.mark.parametrize(
    ("owner", "method", "call"),
    [
        (Users, "fetch", 1),
        (Users, "plan", 3),
        (Users, "prepare", 1),
        (Users, "prepare", 3),
        (RunRecorder, "confirm", 3),
    ],
)
def test_a_worker_that_wakes_up_when_its_run_is_over_writes_nothing(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, owner: type, method: str, call: int
) -> None:
    run = installation.queue("/in.csv", file_of())
    seen: list[dict[str, Any]] = []

    def pause() -> None:
        seems_dead(run)
        # The patched method counts its calls in this thread: the second worker is not to be paused.
        assert services.execute_run(run.pk).state == RunState.COMPLETED
        seen.extend(installation.moodle.rows("user", firstname="First"))

    at_call(monkeypatch, owner, method, call, pause)
    services.execute_run(run.pk)

    assert len(seen) == ROWS
    assert installation.moodle.rows("user", firstname="First") == seen
    assert installation.moodle.rows("config_plugins", plugin="toolsync") == []
    check_that_nothing_is_lost(run, ROWS)


def test_what_an_ousted_worker_found_to_be_so_already_does_not_replace_what_its_successor_did(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation.carry_out("/before.csv", file_of())
    run = installation.queue("/in.csv", file_of())

    def pause() -> None:
        installation.moodle.execute("DELETE FROM {user} WHERE firstname = 'First'")
        seems_dead(run)
        services.execute_run(run.pk)

    original_plan = Users.plan

    def plan(self: Users, rows: Any, state: Any) -> Any:
        planned = original_plan(self, rows, state)
        if not installation.exists("/paused.csv"):
            installation.put("/paused.csv", file_of(1))
            pause()
        return planned

    monkeypatch.setattr(Users, "plan", plan)
    services.execute_run(run.pk)
    check_that_nothing_is_lost(run, ROWS)


def test_a_worker_that_wakes_up_while_its_successor_begins_commits_nothing(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = installation.queue("/in.csv", file_of())
    has_begun, may_go_on = threading.Event(), threading.Event()
    us = threading.current_thread()
    original_begin = RunRecorder.begin

    def begin(self: RunRecorder, *given: Any) -> None:
        original_begin(self, *given)
        if threading.current_thread() is not us:
            has_begun.set()
            assert may_go_on.wait(A_WHILE)

    def succeed() -> None:
        try:
            services.execute_run(run.pk)
        finally:
            connection.close()

    successor = threading.Thread(target=succeed)

    def pause() -> None:
        seems_dead(run)
        successor.start()
        assert has_begun.wait(A_WHILE)

    monkeypatch.setattr(RunRecorder, "begin", begin)
    at_call(monkeypatch, Users, "prepare", 3, pause)
    services.execute_run(run.pk)
    # Two chunks of five are in: what woke up has not committed the third, which its successor has looked for already.
    assert len(installation.moodle.rows("user", firstname="First")) == 10
    may_go_on.set()
    successor.join(A_WHILE)
    check_that_nothing_is_lost(run, ROWS)


def test_a_worker_that_gave_up_by_itself_is_followed_at_once(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = installation.queue("/in.csv", file_of())

    def give_up() -> None:
        raise LeaseLost

    with monkeypatch.context() as patch:
        at_call(patch, RunRecorder, "prepare", 2, give_up)
        assert services.execute_run(run.pk).state == RunState.RUNNING
    assert services.execute_run(run.pk).state == RunState.COMPLETED
    check_that_nothing_is_lost(run, ROWS)


def stop(worker: Any) -> None:
    """SIGSTOP of a worker and its children; not while it holds the lock of our database, which is a file in these tests."""

    def is_stopped_without_the_lock() -> bool:
        os.killpg(worker.pid, signal.SIGSTOP)
        ours = sqlite3.connect(connection.settings_dict["NAME"], timeout=0.2, isolation_level=None)
        try:
            ours.execute("BEGIN IMMEDIATE")
            ours.execute("ROLLBACK")
        except sqlite3.OperationalError:
            os.killpg(worker.pid, signal.SIGCONT)
            return False
        finally:
            ours.close()
        return True

    wait_until(is_stopped_without_the_lock, A_WHILE)


def pause_past_the_lease(run: SyncRun, worker: Any, processes: Celery) -> Any:
    """Pause a worker, start a second one, wait until it has the run, and let the first one go on; gives the second one."""
    stop(worker)
    run.refresh_from_db()
    paused, second = run.worker, processes.start("worker", "--concurrency=1", "--loglevel=WARNING")
    wait_for(run, lambda: run.worker != paused, processes)
    os.killpg(worker.pid, signal.SIGCONT)
    return second


@pytest.mark.slow
@pytest.mark.mariadb
@pytest.mark.xdist_group("mariadb:4.5")
def test_a_real_worker_that_is_paused_past_its_lease_costs_nothing(
    installation: Installation, moodle: MoodleSite, settings: Settings, tmp_path: Path
) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("the workers of this test are joined to the SQLite database of the tests")
    settings.TOOLSYNC_MOODLE_URL = moodle.url
    with celery(installation, moodle, tmp_path / "celery.log", chunk_rows=CHUNK_ROWS) as processes:
        processes.start("beat", "--pidfile=", "--loglevel=WARNING")
        worker = processes.start("worker", "--concurrency=1", "--loglevel=WARNING")
        run = installation.queue("/paused.csv", file_of(PAUSED_ROWS))
        wait_for(run, lambda: run.rows_done >= PAUSED_ROWS // 4, processes)
        pause_past_the_lease(run, worker, processes)
        wait_for(run, lambda: run.is_over, processes)
    check_that_nothing_is_lost(run, PAUSED_ROWS)
    assert len(moodle.rows("user", firstname="First")) == PAUSED_ROWS
    assert moodle.rows("config_plugins", plugin="toolsync") == []
