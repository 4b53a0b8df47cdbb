"""What pages know of the parts: from records alone, also when nobody writes any."""

from __future__ import annotations

from datetime import timedelta

import pytest
from celery import signature
from celery.signals import beat_init, worker_ready
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from sync.health.records import Level, Part, fails, note_life, save_finding
from sync.health.selectors import PartState, dead_parts, states
from sync.models import HealthRecord, MoodleSite, RunState, SyncRun
from sync.tasks import tick

pytestmark = pytest.mark.django_db


def of(part: Part) -> PartState:
    return next(state for state in states() if state.part == part)


def silence(*parts: Part) -> None:
    """Let parts have been seen an hour ago, and not since."""
    for part in parts:
        note_life(part)
    HealthRecord.objects.filter(part__in=parts).update(seen_at=timezone.now() - timedelta(hours=1))


@pytest.mark.django_db(transaction=True)
def test_a_tick_shows_that_beat_lives_and_its_work_that_a_worker_does() -> None:
    assert {state.part for state in dead_parts("main")} == {Part.BEAT, Part.WORKER}
    signature("sync.tick").apply_async(expires=1)
    assert (of(Part.BEAT).level, of(Part.WORKER).level) == (Level.OK, Level.ERROR)
    tick()
    assert dead_parts("main") == []


@pytest.mark.django_db(transaction=True)
def test_who_has_just_started_is_alive_before_the_first_tick() -> None:
    worker_ready.send(sender=None)
    assert {state.part for state in dead_parts("main")} == {Part.BEAT}
    beat_init.send(sender=None)
    assert dead_parts("main") == []


def test_a_worker_that_takes_no_tick_is_dead_since_its_last_sign_of_life() -> None:
    silence(Part.WORKER)
    note_life(Part.BEAT)
    (dead,) = dead_parts("main")
    assert (dead.part, dead.code) == (Part.WORKER, "health_worker_dead")
    assert dead.since == HealthRecord.objects.get(part=Part.WORKER).seen_at


def test_a_worker_that_is_busy_with_a_long_run_is_alive() -> None:
    silence(Part.WORKER)
    note_life(Part.BEAT)
    run = SyncRun.objects.create(
        site=MoodleSite.objects.get(), processor="users", file_path="/a.csv", input_key="a", state=RunState.RUNNING,
        heartbeat_at=timezone.now(),
    )  # fmt: skip
    assert dead_parts("main") == []
    SyncRun.objects.filter(pk=run.pk).update(heartbeat_at=timezone.now() - timedelta(minutes=10))
    assert [state.part for state in dead_parts("main")] == [Part.WORKER]


def test_without_beat_nobody_knows_of_the_worker() -> None:
    silence(Part.WORKER, Part.BEAT)
    assert [state.part for state in dead_parts("main")] == [Part.BEAT]
    assert (of(Part.WORKER).level, of(Part.WORKER).code) == (Level.WARNING, "health_worker_unknown")


def test_every_part_is_there_and_says_what_to_do(django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    save_finding(Part.STORAGE, fails("health_storage_fails", reason="read-only file system"))
    with django_assert_max_num_queries(2):
        found = states()
    assert [state.part for state in found] == list(Part)
    assert all(state.said and state.label for state in found)
    assert "read-only file system" in of(Part.STORAGE).said
    assert of(Part.STORAGE).is_dead
