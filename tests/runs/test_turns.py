"""Several sites and few workers: whose turn it is, and what becomes of a run whose Moodle is away or slow."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from sync.models import MoodleSite, RunState, SyncRun
from sync.models.run import OVER_STATES
from sync.moodle.db.database import MoodleConnection
from sync.runs import services
from sync.runs.connections import sealed
from sync.runs.lease import claim_run, fair_run_ids, waiting_run_ids
from tests.installation import Installation
from tests.moodle_sites import MoodleSite as Moodle
from tests.pictures import picture, zip_of
from tests.waiting import wait_until

FILE = "username;firstname;lastname;email\nbob;Bob;King;bob@x.org\n"
COURSES = "shortname;fullname\nALG1;Algebra\n"
SITES, WORKERS = 20, 4


def on(site: MoodleSite, installation: Installation, name: str = "/in.csv", **more: object) -> SyncRun:
    """Ask for a run on a site."""
    return Installation(site, installation.moodle, installation.folder).queue(name, FILE, **more)


def other_site(slug: str, url: str) -> MoodleSite:
    return MoodleSite.objects.create(slug=slug, name=slug.title(), connection=sealed(MoodleConnection(url)))


def copy_of(moodle: Moodle, path: Path) -> str:
    shutil.copy(str(sa.make_url(moodle.url).database), path)
    return f"sqlite:///{path}"


def test_each_site_has_its_turn(installation: Installation) -> None:
    """Not the order in which all was asked for: nobody waits behind the many files of another site."""
    many = [on(installation.site, installation, f"/{number}.csv", simulate=True) for number in range(3)]
    other = on(MoodleSite.objects.create(slug="b", name="B"), installation, simulate=True)
    assert fair_run_ids() == [*(run.pk for run in many), other.pk]
    claim_run(many[0].pk, "one")
    # What is at work there, then how long ago a site had its turn.
    assert fair_run_ids() == [other.pk, many[1].pk, many[2].pk]
    claim_run(many[1].pk, "two")
    assert fair_run_ids() == [other.pk]
    SyncRun.objects.filter(pk__in=[run.pk for run in many[:2]]).update(state=RunState.COMPLETED)
    assert fair_run_ids()[0] == other.pk


def test_a_site_alone_has_all_workers(installation: Installation) -> None:
    runs = [on(installation.site, installation, f"/{number}.csv", simulate=True) for number in range(4)]
    for run in runs[:3]:
        claim_run(run.pk, str(run.pk))
    assert fair_run_ids() == [runs[3].pk]


def test_a_message_stands_for_the_run_whose_turn_it_is(installation: Installation) -> None:
    first, second = (on(installation.site, installation, f"/{number}.csv", simulate=True) for number in range(2))
    SyncRun.objects.filter(pk=first.pk).update(state=RunState.COMPLETED, started_at=timezone.now())
    other = on(MoodleSite.objects.create(slug="b", name="B"), installation, simulate=True)
    services.execute_next(second.pk)
    states = dict(SyncRun.objects.values_list("pk", "state"))
    assert (states[second.pk], states[other.pk]) == (RunState.QUEUED, RunState.COMPLETED)
    services.execute_next(other.pk)
    assert SyncRun.objects.get(pk=second.pk).state == RunState.COMPLETED


@pytest.fixture
def away(installation: Installation, settings: Settings, tmp_path: Path) -> MoodleSite:
    """A site whose database isn't there."""
    settings.TOOLSYNC_RETRY_SECONDS = 600
    settings.TOOLSYNC_TURN_SECONDS = 0
    return other_site("away", f"sqlite:///{tmp_path}/away.sqlite3")


def test_a_run_whose_moodle_is_away_makes_room_for_other_sites(
    installation: Installation, away: MoodleSite, tmp_path: Path
) -> None:
    stuck, after = on(away, installation), on(away, installation, "/after.csv")
    needed = on(installation.site, installation)
    services.execute_run(stuck.pk, yields=True)
    stuck.refresh_from_db()
    assert (stuck.state, stuck.worker, stuck.attempts) == (RunState.QUEUED, "", 0)
    assert stuck.waiting_since is not None
    # It keeps its place: nothing that comes after it on its site begins, and it isn't tried at once.
    assert MoodleSite.objects.get(slug="away").lease_run == stuck
    assert waiting_run_ids() == [needed.pk]
    services.execute_next(stuck.pk)
    assert SyncRun.objects.get(pk=needed.pk).state == RunState.COMPLETED

    copy_of(installation.moodle, tmp_path / "away.sqlite3")
    SyncRun.objects.filter(pk=stuck.pk).update(not_before=timezone.now())
    assert waiting_run_ids() == [stuck.pk]
    services.execute_next(after.pk)
    stuck.refresh_from_db()
    assert stuck.state == RunState.COMPLETED
    assert SyncRun.objects.filter(pk=stuck.pk, waiting_since=None).exists()
    assert SyncRun.objects.get(pk=after.pk).state == RunState.QUEUED


def test_a_run_that_was_put_back_does_not_wait_for_ever(installation: Installation, away: MoodleSite) -> None:
    stuck = on(away, installation)
    on(installation.site, installation)
    services.execute_run(stuck.pk, yields=True)
    SyncRun.objects.filter(pk=stuck.pk).update(waiting_since=timezone.now() - timedelta(seconds=601))
    assert services.execute_run(stuck.pk, yields=True).state == RunState.ERRORED


def test_a_run_that_was_put_back_can_be_cancelled_and_paused(installation: Installation, away: MoodleSite) -> None:
    stuck = on(away, installation)
    on(installation.site, installation)
    services.execute_run(stuck.pk, yields=True)
    stuck.refresh_from_db()
    services.pause_run(stuck)
    assert MoodleSite.objects.get(slug="away").lease_run is None
    services.resume_run(stuck)
    services.execute_run(stuck.pk, yields=True)
    services.cancel_run(stuck)
    assert stuck.state == RunState.CANCELLED


def test_without_others_a_run_waits_in_its_worker(
    installation: Installation, away: MoodleSite, settings: Settings
) -> None:
    settings.TOOLSYNC_RETRY_SECONDS = 1
    on(away, installation, "/after.csv", simulate=True)
    run = on(away, installation)
    assert services.execute_run(run.pk, yields=True).state == RunState.ERRORED


@pytest.mark.parametrize("processor", ["users", "courses", "userpictures"])
def test_what_is_wrong_with_a_moodle_at_the_very_beginning_is_said(
    processor: str, installation: Installation, tmp_path: Path
) -> None:
    """Not that what wasn't opened yet can't be closed: a Moodle that is away then is waited for."""
    (tmp_path / "empty.sqlite3").touch()
    site = other_site("empty", f"sqlite:///{tmp_path}/empty.sqlite3")
    content = (
        zip_of({"bob.png": picture()})
        if processor == "userpictures"
        else {"users": FILE, "courses": COURSES}[processor]
    )
    run = Installation(site, installation.moodle, installation.folder).carry_out(
        f"/in.{'zip' if processor == 'userpictures' else 'csv'}", content, processor=processor
    )
    assert run.error_code in {"moodle_table_missing", "pictures_without_data_folder"}


class Workers:
    """Workers that take messages, and run what a tick would send once there are none left."""

    def __init__(self, messages: list[int]) -> None:
        self._messages = messages
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._work) for _ in range(WORKERS)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        try:
            while not self._over.is_set():
                with self._lock:
                    message = self._messages.pop(0) if self._messages else next(iter(waiting_run_ids()), None)
                if message is not None:
                    services.execute_next(message)
                self._over.wait(0.02)
        finally:
            connection.close()


def most_at_once(runs: list[SyncRun]) -> int:
    """Return how many of some runs were at work side by side."""
    ends = [(run.started_at, 1) for run in runs] + [(run.finished_at, -1) for run in runs]
    count = most = 0
    for _moment, step in sorted(ends, key=lambda end: (end[0], end[1])):
        count += step
        most = max(most, count)
    return most


def test_twenty_sites_are_fed_by_four_workers_and_one_slow_moodle_delays_nobody(
    installation: Installation, tmp_path: Path, settings: Settings
) -> None:
    """One Moodle is away, one answers only once all others are done; each site has a plan to be made and a file to be applied."""
    settings.TOOLSYNC_RETRY_SECONDS, settings.TOOLSYNC_TURN_SECONDS = 600, 1
    urls = [copy_of(installation.moodle, tmp_path / f"{number}.sqlite3") for number in range(SITES - 1)]
    sites = [other_site("away", f"sqlite:///{tmp_path}/away.sqlite3")]
    sites += [other_site(f"s{number}", url) for number, url in enumerate(urls)]
    slow = sqlite3.connect(tmp_path / "0.sqlite3", isolation_level=None)
    slow.execute("BEGIN EXCLUSIVE")
    # The worst order: all of these two sites before the others.
    runs = [
        on(site, installation, f"/{kind}.csv", simulate=kind == "plan") for site in sites for kind in ("plan", "apply")
    ]
    late, in_time = runs[:4], SyncRun.objects.filter(pk__in=[run.pk for run in runs[4:]])
    workers = Workers([run.pk for run in runs])
    try:
        wait_until(
            lambda: in_time.filter(state=RunState.COMPLETED).count() == len(runs) - len(late),
            explain=lambda: list(SyncRun.objects.values_list("site__slug", "state", "error_code", "error_params")),
        )
        assert not SyncRun.objects.filter(pk__in=[run.pk for run in late], state__in=OVER_STATES).exists()
        slow.execute("ROLLBACK")
        wait_until(
            lambda: SyncRun.objects.filter(pk__in=[run.pk for run in late[2:]], state=RunState.COMPLETED).count() == 2
        )
    finally:
        slow.close()
        for run in late[:2]:
            services.cancel_run(run)
        workers.stop()
    assert 2 <= most_at_once(list(in_time.filter(simulate=False))) <= WORKERS
    assert {run.counts["created"] for run in in_time} == {1}


def test_two_sites_of_different_versions_and_servers_are_fed_side_by_side(
    installation: Installation, site_of: Callable[[str, str], Moodle]
) -> None:
    moodles = [site_of("mariadb", "4.1"), site_of("postgresql", "5.1")]
    sites = [other_site(moodle.engine_name, moodle.url) for moodle in moodles]
    files = {number: FILE.replace("bob", f"bob{number}") for number in range(3)}
    runs = [
        Installation(site, moodle, installation.folder).queue(f"/{number}.csv", content)
        for number, content in files.items()
        for site, moodle in zip(sites, moodles, strict=True)
    ]
    workers = Workers([run.pk for run in runs])
    try:
        wait_until(lambda: SyncRun.objects.filter(state=RunState.COMPLETED).count() == len(runs))
    finally:
        workers.stop()
        made = [{row["username"] for row in moodle.rows("user")} for moodle in moodles]
        for moodle in moodles:
            moodle.restore_template()
    assert all({f"bob{number}" for number in files} <= names for names in made)
    # Of each site one after the other, in their order; of both at the same time.
    for site in sites:
        mine = list(SyncRun.objects.filter(site=site).order_by("pk"))
        assert most_at_once(mine) == 1
        assert mine == sorted(mine, key=lambda run: run.started_at or run.created_at)
    assert most_at_once(list(SyncRun.objects.all())) == len(sites)
