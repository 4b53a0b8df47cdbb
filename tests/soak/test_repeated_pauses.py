"""SIGSTOP of the worker past its lease, again and again, while a second one takes over: no outcome is lost, no row done twice."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from pytest_django import Settings

from sync.models import SyncRun
from tests.installation import Installation
from tests.installation_fixture import installation
from tests.moodle_sites import MoodleSite
from tests.runs.test_kill import celery, contents_of, wait_for
from tests.runs.test_pauses import check_that_nothing_is_lost, file_of, pause_past_the_lease

__all__ = ["installation"]

PAUSES = int(os.environ.get("SOAK_PAUSES", "5"))
ROWS = 4_000 * PAUSES
CHUNK_ROWS = 250


def test_a_run_whose_workers_are_paused_again_and_again_ends_like_an_undisturbed_one(
    installation: Installation, site_of: Callable[[str, str], MoodleSite], settings: Settings, tmp_path: Path
) -> None:
    moodle = site_of("mariadb", "4.5")
    moodle.restore_template()
    settings.TOOLSYNC_MOODLE_URL = moodle.url
    people = file_of(ROWS)
    assert installation.carry_out("/undisturbed.csv", people).counts == {"created": ROWS}
    expected = contents_of(moodle)
    moodle.restore_template()

    chance = random.Random(PAUSES)
    with celery(installation, moodle, tmp_path / "celery.log", chunk_rows=CHUNK_ROWS) as processes:
        processes.start("beat", "--pidfile=", "--loglevel=WARNING")
        worker = processes.start("worker", "--concurrency=1", "--loglevel=WARNING")
        run = installation.queue("/paused.csv", people)
        done = 0
        for pause in range(PAUSES):
            wait_for(run, partial(_has_gone_on, run, done), processes)
            time.sleep(chance.uniform(0, 0.5))
            successor = pause_past_the_lease(run, worker, processes)
            # The one that was paused goes on beside its successor until it learns that it was ousted.
            wait_for(run, partial(_has_gone_on, run, run.rows_done), processes)
            processes.kill(worker)
            worker, done = successor, run.rows_done
            assert not run.is_over, f"the run was through before pause {pause + 1}"
        wait_for(run, lambda: run.is_over, processes)

    check_that_nothing_is_lost(run, ROWS)
    assert contents_of(moodle) == expected
    assert moodle.rows("config_plugins", plugin="toolsync") == []
    moodle.restore_template()


def _has_gone_on(run: SyncRun, done: int) -> bool:
    return run.rows_done > done
