"""A sequence that starts by itself, again and again: real beat, real worker, real Redis."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from django.db import connection

from sync.health.records import Part
from sync.health.selectors import states as parts
from sync.models import Schedule, SequenceRun, SequenceState, SyncRun
from sync.schedules.services import ScheduleChoice, save_schedule
from tests.installation import Installation
from tests.runs.test_kill import Celery, celery
from tests.servers import Redis
from tests.waiting import wait_until

TIMES = 3
USERS = "username;firstname;lastname;email\nkim;Kim;Lee;kim@x.org\n"
ENROLMENTS = "cmd;rolename;uid;cid\nadd;student;kim;C1\n"

pytestmark = pytest.mark.slow


@pytest.fixture
def processes(installation: Installation, redis_server: Redis, tmp_path: Path) -> Iterator[Celery]:
    if connection.vendor != "sqlite":
        pytest.skip("the workers of this test are joined to the SQLite database of the tests")
    (tmp_path / "drop").mkdir()
    with celery(installation, installation.moodle, tmp_path / "celery.log") as processes:
        processes._environment |= {
            "CELERY_BROKER_URL": redis_server.url,
            "TOOLSYNC_DROP_FOLDER": str(tmp_path / "drop"),
            "TOOLSYNC_SETTLE_SECONDS": "0",
            "TOOLSYNC_TICK_SECONDS": "1",
        }
        processes.start("worker", "--concurrency=1", "--loglevel=WARNING")
        processes.start("beat", "--pidfile=", "--loglevel=WARNING")
        yield processes


def run_three_times(installation: Installation, processes: Celery, seconds: int) -> None:
    """Let a sequence of users and enrolments start three times, and look at what came of it."""
    installation.put("/userimport.csv", USERS)
    installation.put("/enrols.csv", ENROLMENTS)
    choice = ScheduleChoice(["enrolments", "users"], kind="every", every_seconds=seconds, enabled=True)
    schedule = save_schedule(installation.site, choice)
    over = SequenceRun.objects.exclude(state=SequenceState.RUNNING).order_by("pk")
    wait_until(lambda: over.count() >= TIMES, 150 + TIMES * seconds, processes.words)
    processes.kill_all()

    sequences = list(over[:TIMES])
    assert [sequence.state for sequence in sequences] == [SequenceState.COMPLETED] * TIMES
    for number, sequence in enumerate(sequences):
        runs = list(sequence.runs.order_by("pk"))
        outcome = {"unchanged": 1} if number else {"created": 1}
        assert [(run.processor, run.counts) for run in runs] == [("users", outcome), ("enrolments", outcome)]
        assert {run.origin for run in runs} == {SyncRun.Origin.SEQUENCE}
        assert runs[0].finished_at is not None
        assert runs[0].finished_at <= runs[1].created_at
    # Each start is on the grid of the schedule, in a place of its own, and never early.
    places = [(sequence.created_at - schedule.anchor_at).total_seconds() / seconds for sequence in sequences]
    assert all(int(later) > int(earlier) >= 1 for earlier, later in pairwise(places))
    # Beat and worker have shown themselves, and the worker has looked at all the rest.
    states = {state.part: state for state in parts()}
    assert [part for part in Part if states[part].seen_at is None] == []
    assert [part for part in Part if states[part].is_dead] == []
    ended = Schedule.objects.get(pk=schedule.pk)
    assert ended.next_at is not None
    assert (ended.next_at - ended.anchor_at).total_seconds() % seconds == 0


def test_a_sequence_that_starts_every_few_seconds_runs_three_times(
    installation: Installation, processes: Celery
) -> None:
    # A tick each second here; the one a minute of real sites is in tests/soak.
    run_three_times(installation, processes, seconds=6)
