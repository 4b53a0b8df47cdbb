"""SIGSTOP of the worker past its lease, again and again, while a second one takes over: no outcome is lost, no row done twice.

Shape: SOAK_PAUSES: how many for each kind of file; SOAK_FILES: the kinds, all of them if it isn't set
"""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from pytest_django import Settings

from sync.commandfiles import storage
from sync.models import RunState, SyncRun
from sync.moodle.db.journal import read_images
from tests.installation import Installation
from tests.installation_fixture import installation
from tests.moodle_sites import MoodleSite
from tests.notification_servers import MailServer
from tests.runs.test_kill import celery, wait_for
from tests.runs.test_pauses import pause_past_the_lease
from tests.soak.command_files import KINDS, SOAK_FILES
from tests.soak.test_repeated_kills import check_mails, told_of

__all__ = ["installation"]

PAUSES = int(os.environ.get("SOAK_PAUSES", "2"))
# Smaller ones than of the kills: what was paused goes on beside its successor until it learns that it was ousted.
CHUNKS_OF_A_KILL = 4


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_whose_workers_are_paused_again_and_again_ends_like_an_undisturbed_one(
    kind: str, installation: Installation, site_of: Callable[[str, str], MoodleSite], settings: Settings, tmp_path: Path
) -> None:
    moodle, file = site_of("mariadb", "4.5"), SOAK_FILES[kind]
    chunk_rows = file.chunk_rows // CHUNKS_OF_A_KILL
    settings.TOOLSYNC_MOODLE_URL = moodle.url
    rows = file.rows * PAUSES
    file.prepare(installation, moodle, rows)
    asked = {"processor": file.processor, **file.options}
    undisturbed = installation.carry_out("/undisturbed.csv", file.text(rows), **asked)
    assert set(undisturbed.counts) == {"created"}
    told, expected, inserted = told_of(undisturbed), file.contents_of(moodle), inserted_by(undisturbed)
    file.prepare(installation, moodle, rows)

    chance = random.Random(PAUSES)
    mails = MailServer()
    mail_url = f"smtp://127.0.0.1:{mails.port}"
    with celery(installation, moodle, tmp_path / "celery.log", chunk_rows=chunk_rows, EMAIL_URL=mail_url) as processes:
        processes.start("beat", "--pidfile=", "--loglevel=WARNING")
        worker = processes.start("worker", "--concurrency=1", "--loglevel=WARNING")
        run = installation.queue("/paused.csv", file.text(rows), **asked)
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
    mails.stop()

    assert (run.state, run.counts) == (RunState.COMPLETED, undisturbed.counts)
    assert told_of(run) == told
    assert inserted_by(run) == inserted
    actual = file.contents_of(moodle)
    assert {table: found for table, found in actual.items() if found != expected[table]} == {}
    assert moodle.rows("config_plugins", plugin="toolsync") == []
    moodle.restore_template()
    check_mails(run, mails, rows if kind == "passwords" else 0, disturbances=2 * PAUSES)


def inserted_by(run: SyncRun) -> dict[str, int]:
    """Return how many rows of each table the before-images of a run name as inserted, each once."""
    found = Counter[tuple[str, int | None]]()
    for chunk in run.chunks.exclude(journal_key=""):
        with storage.opened(chunk.journal_key) as journal:
            found.update((image.table, image.id) for image in read_images(journal) if image.kind == "insert")
    assert {count for (_table, rowid), count in found.items() if rowid is not None} <= {1}
    return dict(Counter(table for table, rowid in found.elements() if rowid is not None))


def _has_gone_on(run: SyncRun, done: int) -> bool:
    return run.rows_done > done
