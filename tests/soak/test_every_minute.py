"""A sequence that starts every minute: the wait is too long for every test run, so it is here and not in tests/runs."""

from __future__ import annotations

from tests.installation import Installation
from tests.installation_fixture import installation
from tests.runs.test_kill import Celery
from tests.schedules.test_beat import processes, run_three_times

__all__ = ["installation", "processes"]


def test_a_sequence_scheduled_every_minute_runs_three_times(installation: Installation, processes: Celery) -> None:
    processes._environment["TOOLSYNC_TICK_SECONDS"] = "60"
    run_three_times(installation, processes, seconds=60)
