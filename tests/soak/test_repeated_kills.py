"""`kill -9` of the worker, again and again: no row is lost, none is done twice."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from pytest_django import Settings

from sync.models import RunState, SyncRun
from sync.runs.outcome_store import read_rows
from tests.bench.people import write_people
from tests.installation import Installation
from tests.installation_fixture import installation
from tests.moodle_sites import MoodleSite
from tests.runs.test_kill import CHUNK_ROWS, celery, contents_of, wait_for

__all__ = ["installation"]

KILLS = int(os.environ.get("SOAK_KILLS", "10"))
ROWS = 4_000 * KILLS


def test_a_run_whose_worker_is_killed_again_and_again_ends_like_an_undisturbed_one(
    installation: Installation, site_of: Callable[[str, str], MoodleSite], settings: Settings, tmp_path: Path
) -> None:
    moodle = site_of("mariadb", "4.5")
    moodle.restore_template()
    settings.TOOLSYNC_MOODLE_URL = moodle.url
    settings.TOOLSYNC_CHUNK_ROWS = CHUNK_ROWS
    people = write_people(tmp_path / "people.csv", ROWS).read_bytes()
    assert installation.carry_out("/undisturbed.csv", people).counts == {"created": ROWS}
    expected = contents_of(moodle)
    moodle.restore_template()

    chance = random.Random(KILLS)
    with celery(installation, moodle, tmp_path / "celery.log") as processes:
        processes.start("beat", "--pidfile=", "--loglevel=WARNING")
        worker = processes.start("worker", "--concurrency=1", "--loglevel=WARNING")
        run = installation.queue("/killed.csv", people)
        done = 0
        for kill in range(KILLS):
            # Each attempt gets further than the one before, and dies anywhere in a chunk.
            wait_for(run, partial(_has_gone_on, run, done), processes)
            time.sleep(chance.uniform(0, 0.5))
            processes.kill(worker)
            run.refresh_from_db()
            done = run.rows_done
            assert not run.is_over, f"the run was through before kill {kill + 1}"
            worker = processes.start("worker", "--concurrency=1", "--loglevel=WARNING")
        wait_for(run, lambda: run.is_over, processes)

    assert (run.state, run.counts) == (RunState.COMPLETED, {"created": ROWS})
    assert [outcome.line for outcome in read_rows(run)] == list(range(2, ROWS + 2))
    assert contents_of(moodle) == expected
    assert moodle.rows("config_plugins", plugin="toolsync") == []
    moodle.restore_template()


def _has_gone_on(run: SyncRun, done: int) -> bool:
    return run.rows_done > done
