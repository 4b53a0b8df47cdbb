"""Who may work on what."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from sync.errors import LeaseLost, RunNotClaimable
from sync.models import FreezeWindow, MoodleSite, RunState, SyncRun
from sync.runs import services
from sync.runs.lease import MAX_ATTEMPTS, Heartbeat, claim_run, start_next, waiting_run_ids
from sync.runs.options import run_limits
from tests.installation import Installation
from tests.waiting import wait_until

FILE = "username;firstname;lastname;email\nbob;Bob;King;bob@x.org\n"


def in_threads(*actions: object) -> None:
    """Run actions at the same moment, each with a database connection of its own."""
    barrier = threading.Barrier(len(actions))

    def start(action: object) -> None:
        barrier.wait()
        try:
            action()  # type: ignore[operator]
        finally:
            connection.close()

    threads = [threading.Thread(target=start, args=(action,)) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def die(run: SyncRun, **values: object) -> None:
    """Leave a run as a worker does that was killed an hour ago."""
    long_ago = timezone.now() - timedelta(hours=1)
    SyncRun.objects.filter(pk=run.pk).update(heartbeat_at=long_ago, **values)


@pytest.mark.parametrize("simulate", [False, True])
def test_of_two_workers_that_reach_for_a_run_one_gets_it(installation: Installation, simulate: bool) -> None:
    run = installation.queue("/in.csv", FILE, simulate=simulate)
    won: list[str] = []

    def claim(token: str) -> None:
        try:
            claim_run(run.pk, token)
            won.append(token)
        except RunNotClaimable:
            pass

    in_threads(lambda: claim("first"), lambda: claim("second"))
    assert len(won) == 1
    assert SyncRun.objects.get(pk=run.pk).worker == won[0]


def test_of_two_runs_of_a_site_the_first_one_asked_for_writes(installation: Installation) -> None:
    first, second = installation.queue("/a.csv", FILE), installation.queue("/b.csv", FILE)
    with pytest.raises(RunNotClaimable):
        claim_run(second.pk, "early")
    second.refresh_from_db()
    assert (second.state, second.worker, second.attempts) == (RunState.QUEUED, "", 0)
    claim_run(first.pk, "worker")
    with pytest.raises(RunNotClaimable):
        claim_run(second.pk, "still early")
    assert MoodleSite.objects.get(slug="main").lease_run == first


def test_the_next_run_may_write_once_the_first_is_over(installation: Installation) -> None:
    first, second = installation.queue("/a.csv", FILE), installation.queue("/b.csv", FILE)
    assert waiting_run_ids() == [first.pk]
    services.execute_run(first.pk)
    assert MoodleSite.objects.get(slug="main").lease_run is None
    assert waiting_run_ids() == [second.pk]
    assert services.execute_run(second.pk).state == RunState.COMPLETED


def test_a_simulation_waits_for_nobody(installation: Installation) -> None:
    claim_run(installation.queue("/a.csv", FILE).pk, "writer")
    simulation = installation.queue("/b.csv", FILE, simulate=True)
    assert services.execute_run(simulation.pk).state == RunState.COMPLETED


def test_what_started_by_itself_does_not_begin_in_a_freeze_window_and_keeps_nobody_waiting(
    installation: Installation,
) -> None:
    now = timezone.now()
    by_itself, by_hand = installation.queue("/a.csv", FILE), installation.queue("/b.csv", FILE)
    SyncRun.objects.filter(pk=by_itself.pk).update(origin=SyncRun.Origin.SCHEDULE)
    window = FreezeWindow.objects.create(site=installation.site, starts_at=now, ends_at=now + timedelta(hours=1))
    assert waiting_run_ids() == [by_hand.pk]
    with pytest.raises(RunNotClaimable):
        claim_run(by_itself.pk, "one")
    services.execute_run(by_hand.pk)
    window.delete()
    assert waiting_run_ids() == [by_itself.pk]
    claim_run(by_itself.pk, "one")


def test_a_run_that_has_begun_goes_on_in_a_freeze_window(installation: Installation) -> None:
    run = installation.queue("/a.csv", FILE)
    SyncRun.objects.filter(pk=run.pk).update(origin=SyncRun.Origin.SCHEDULE)
    claim_run(run.pk, "one")
    now = timezone.now()
    FreezeWindow.objects.create(site=installation.site, starts_at=now, ends_at=now + timedelta(hours=1))
    SyncRun.objects.filter(pk=run.pk).update(heartbeat_at=now - timedelta(hours=1))
    assert claim_run(run.pk, "two").worker == "two"


def test_runs_of_two_sites_do_not_wait_for_each_other(installation: Installation) -> None:
    claim_run(installation.queue("/a.csv", FILE).pk, "writer")
    installation.site = MoodleSite.objects.create(slug="other", name="Other")
    assert services.execute_run(installation.queue("/b.csv", FILE).pk).state == RunState.COMPLETED


@pytest.mark.parametrize("state", [RunState.COMPLETED, RunState.FAILED, RunState.ERRORED, RunState.CANCELLED])
def test_a_run_that_is_over_is_not_claimed(installation: Installation, state: RunState) -> None:
    run = installation.queue("/in.csv", FILE)
    SyncRun.objects.filter(pk=run.pk).update(state=state)
    with pytest.raises(RunNotClaimable):
        claim_run(run.pk, "worker")
    assert MoodleSite.objects.get(slug="main").lease_run is None


def test_a_run_is_not_taken_from_a_living_worker(installation: Installation) -> None:
    run = installation.queue("/in.csv", FILE)
    claim_run(run.pk, "alive")
    with pytest.raises(RunNotClaimable):
        claim_run(run.pk, "second")


def test_a_run_is_taken_from_a_dead_worker_which_then_may_not_go_on(installation: Installation) -> None:
    run = installation.queue("/in.csv", FILE)
    claim_run(run.pk, "dead")
    die(run)
    assert claim_run(run.pk, "second").attempts == 2


def test_a_dead_run_keeps_its_site_until_it_was_taken_up(installation: Installation) -> None:
    first, second = installation.queue("/a.csv", FILE), installation.queue("/b.csv", FILE)
    claim_run(first.pk, "dead")
    die(first)
    with pytest.raises(RunNotClaimable):
        claim_run(second.pk, "worker")
    assert services.execute_run(first.pk).state == RunState.COMPLETED
    assert services.execute_run(second.pk).state == RunState.COMPLETED


def test_a_run_whose_workers_keep_dying_is_given_up_and_frees_its_site(installation: Installation) -> None:
    run = installation.queue("/in.csv", FILE)
    claim_run(run.pk, "dead")
    die(run, attempts=MAX_ATTEMPTS)
    with pytest.raises(RunNotClaimable):
        claim_run(run.pk, "one more")
    services.recover_dead_runs()
    run.refresh_from_db()
    assert (run.state, run.error_code) == (RunState.ERRORED, "worker_died_repeatedly")
    assert MoodleSite.objects.get(slug="main").lease_run is None


def test_dead_and_forgotten_runs_are_handed_to_the_workers(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[int] = []
    monkeypatch.setattr(services, "enqueue", lambda run_id, **_more: sent.append(run_id))
    dead, waiting = installation.queue("/a.csv", FILE), installation.queue("/b.csv", FILE)
    simulation = installation.queue("/c.csv", FILE, simulate=True)
    claim_run(dead.pk, "dead")
    die(dead)
    sent.clear()
    services.recover_dead_runs()
    assert sent == [dead.pk, simulation.pk]
    services.execute_run(dead.pk)
    sent.clear()
    services.recover_dead_runs()
    assert sent == [simulation.pk, waiting.pk]


def test_a_living_run_is_not_handed_out_again(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[int] = []
    monkeypatch.setattr(services, "enqueue", lambda run_id, **_more: sent.append(run_id))
    claim_run(installation.queue("/a.csv", FILE, in_background=False).pk, "alive")
    services.recover_dead_runs()
    start_next(installation.site.pk)
    assert sent == []


def test_the_heartbeat_keeps_a_run_alive(installation: Installation, settings: Settings) -> None:
    settings.TOOLSYNC_HEARTBEAT_SECONDS = 0.05
    run = installation.queue("/in.csv", FILE)
    claim_run(run.pk, "worker")
    die(run)
    with Heartbeat(run.pk, "worker", run_limits()) as heartbeat:
        wait_until(SyncRun.objects.filter(pk=run.pk, heartbeat_at__gt=timezone.now() - timedelta(minutes=1)).exists)
        heartbeat.check()


def test_a_worker_learns_that_its_run_was_taken_over(installation: Installation, settings: Settings) -> None:
    settings.TOOLSYNC_HEARTBEAT_SECONDS = 0.05
    run = installation.queue("/in.csv", FILE)
    claim_run(run.pk, "first")
    with Heartbeat(run.pk, "first", run_limits()) as heartbeat:
        SyncRun.objects.filter(pk=run.pk).update(worker="second")

        def is_lost() -> bool:
            try:
                heartbeat.check()
            except LeaseLost:
                return True
            return False

        wait_until(is_lost)
