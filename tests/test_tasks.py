"""Tasks: may be delivered twice, and are found under their names."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from celery import current_app
from pytest_django import Settings
from time_machine import travel

from sync.models import RunState
from sync.runs import services
from sync.tasks import run_task, tick
from tests.installation import Installation
from tests.installation_fixture import installation

__all__ = ["installation"]

FILE = "username;firstname;lastname;email\nbob;Bob;King;bob@x.org\n"


@pytest.mark.parametrize(
    "name", ["sync.run", "sync.recover_dead_runs", "sync.prune", "sync.notify", "sync.follow_notifications"]
)
def test_a_worker_finds_the_tasks_that_are_sent_by_name(name: str) -> None:
    assert name in current_app.tasks


@pytest.mark.parametrize("seconds", [30, 60, 120, 300, 600])
@pytest.mark.parametrize("phase", [0, 7, 29])
def test_what_is_due_each_hour_is_sent_once_however_far_apart_ticks_are(
    seconds: int, phase: int, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.TOOLSYNC_TICK_SECONDS = seconds
    sent: list[str] = []
    monkeypatch.setattr("sync.tasks.send_task", lambda name, **_more: sent.append(name))
    monkeypatch.setattr("sync.tasks.note_life", lambda _part: None)
    for number in range(24 * 3600 // seconds):
        with travel(datetime(2026, 12, 1, 0, 0, phase, tzinfo=UTC) + timedelta(seconds=number * seconds), tick=False):
            tick()
    assert sent.count("sync.prune") == sent.count("sync.sweep_uploads") == 24


def test_a_run_that_is_delivered_twice_is_carried_out_once(installation: Installation) -> None:
    run = installation.queue("/in.csv", FILE)
    run_task(run.pk)
    run_task(run.pk)
    run.refresh_from_db()
    assert (run.state, run.counts, run.attempts) == (RunState.COMPLETED, {"created": 1}, 1)


def test_a_run_that_was_deleted_is_no_trouble(installation: Installation) -> None:
    run_task(4711)


def test_a_broker_that_is_away_leaves_the_run_queued(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from kombu.exceptions import OperationalError

    def away(*_args: object, **_named: object) -> None:
        raise OperationalError("no broker")

    monkeypatch.setattr(run_task, "apply_async", away)
    run = installation.queue("/in.csv", FILE)
    assert run.state == RunState.QUEUED
    assert f"run {run.pk} stays queued" in caplog.text
    assert services.execute_run(run.pk).state == RunState.COMPLETED
