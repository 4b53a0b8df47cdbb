"""`kill -9` of the worker, again and again: no row is lost, none is done twice, and no password is mailed twice or forgotten.

Shape: SOAK_KILLS: how many for each kind of file; SOAK_FILES: the kinds, all of them if it isn't set
"""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from sync.models import GuardLimits, RunState, SyncRun
from sync.runs.outcome_store import read_rows
from tests.installation import Installation
from tests.installation_fixture import installation
from tests.moodle_sites import MoodleSite
from tests.notification_servers import MailServer
from tests.runs.test_kill import celery, wait_for
from tests.soak.command_files import ADDRESS, KINDS, MAILS_EVERY, SOAK_FILES

__all__ = ["installation"]

KILLS = int(os.environ.get("SOAK_KILLS", "3"))
# Fewer than a run is given up after.
KILLS_OF_PLANNING = 2


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_whose_worker_is_killed_again_and_again_ends_like_an_undisturbed_one(
    kind: str, installation: Installation, site_of: Callable[[str, str], MoodleSite], settings: Settings, tmp_path: Path
) -> None:
    moodle, file = site_of("mariadb", "4.5"), SOAK_FILES[kind]
    settings.TOOLSYNC_MOODLE_URL = moodle.url
    settings.TOOLSYNC_CHUNK_ROWS = file.chunk_rows
    rows = file.rows * KILLS
    # So many mails would wait for a person.
    GuardLimits.objects.create(site=installation.site, values={"mails.sent": [None, None]})
    file.prepare(installation, moodle, rows)
    asked = {"processor": file.processor, **file.options}
    undisturbed = installation.carry_out("/undisturbed.csv", file.text(rows), **asked)
    assert set(undisturbed.counts) == {"created"}
    told, expected = told_of(undisturbed), file.contents_of(moodle)
    file.prepare(installation, moodle, rows)

    chance = random.Random(KILLS)
    mails = MailServer()
    mail_url = f"smtp://127.0.0.1:{mails.port}"
    with celery(
        installation, moodle, tmp_path / "celery.log", chunk_rows=file.chunk_rows, EMAIL_URL=mail_url
    ) as processes:
        processes.start("beat", "--pidfile=", "--loglevel=WARNING")
        worker = processes.start("worker", "--concurrency=1", "--loglevel=WARNING")
        run = installation.queue("/killed.csv", file.text(rows), **asked)
        done = 0
        for _kill in range(KILLS_OF_PLANNING):
            wait_for(run, lambda: run.plan is not None and run.plan.rows_done > 0, processes)
            time.sleep(chance.uniform(0, 0.5))
            processes.kill(worker)
            worker = processes.start("worker", "--concurrency=1", "--loglevel=WARNING")
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
    mails.stop()

    assert (run.state, run.counts) == (RunState.COMPLETED, undisturbed.counts)
    assert told_of(run) == told
    actual = file.contents_of(moodle)
    assert {table: found for table, found in actual.items() if found != expected[table]} == {}
    assert moodle.rows("config_plugins", plugin="toolsync") == []
    moodle.restore_template()
    check_mails(run, mails, rows if kind == "passwords" else 0, disturbances=KILLS)


def told_of(run: SyncRun) -> list[tuple[Any, ...]]:
    return [(outcome.line, outcome.action, outcome.code, outcome.subject) for outcome in read_rows(run)]


def check_mails(run: SyncRun, mails: MailServer, rows: int, *, disturbances: int) -> None:
    """Each person got the password once; of those who may not have got it, people are told, at most one each time."""
    got = Counter(address for address, _message in mails.received)
    owed = {ADDRESS.format(n) for n in range(0, rows, MAILS_EVERY)}
    unsure = {name for code, params in run.notes if code == "mails_in_doubt" for name in params["people"].split(", ")}
    assert set(got.values()) <= {1}
    assert owed - set(got) <= unsure <= owed
    assert set(got) <= owed
    assert len(unsure) <= disturbances
    assert [code for code, _params in run.notes if code == "mails_lost"] == []


def _has_gone_on(run: SyncRun, done: int) -> bool:
    return run.rows_done > done
