"""Carry out one command file in a process of its own, as a worker does, and say what it took.

    python tests/bench/one_run.py KEY FILE [NAME=VALUE ...]
    python tests/bench/one_run.py undo            takes back what the last run did, with the making of the file that says it

The code is that of the folder in PYTHONPATH, which may be of another commit: only what all of them have is called.
The last line of standard output is one JSON object, the fields of `Measured`.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import django
import sqlalchemy as sa


def main(key: str, file: str = "", *options: str) -> None:
    django.setup()
    from sync.commandfiles import storage
    from sync.models import MoodleSite, SyncRun
    from sync.runs import services

    executions = 0

    def count(*_event: Any) -> None:
        nonlocal executions
        executions += 1

    # Our own tables are Django's affair: SQLAlchemy sees Moodle's only.
    sa.event.listen(sa.Engine, "before_cursor_execute", count)
    site = MoodleSite.objects.get(slug="main")
    if is_planned := os.environ.get("TOOLSYNC_GUARD") == "true":
        _plan_without_limits(site)
    began, began_cpu = time.perf_counter(), time.process_time()
    if key == "undo":
        from sync.runs.undo import undo_run

        run = undo_run(SyncRun.objects.filter(simulate=False).latest("pk"), in_background=False)
    else:
        kept = services.receive_path(site=site, path=Path(file), folder="/bench/")
        run = services.queue_run(
            site=site, processor=key, command_file=kept, in_background=False,
            options=dict(option.split("=", 1) for option in options),
        )  # fmt: skip
        began, began_cpu = time.perf_counter(), time.process_time()
    run = services.execute_run(run.pk)
    if run.state == "held":
        # What takes much away waits for a person; of commits from before that, nothing does.
        from sync.runs.decisions import approve_run, removed_by
        from sync.runs.rights import OPERATOR

        assert run.plan is not None
        approve_run(run, OPERATOR, typed=str(removed_by(run.plan.totals)))
        run = services.execute_run(run.pk)
    seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - began_cpu
    told: dict[str, Any] = {
        "state": run.state,
        "counts": run.counts,
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "executions": executions,
        "peak_mib": peak_mib(),
    }
    if is_planned:
        plan = run.plan
        assert plan is not None
        assert plan.finished_at is not None
        assert plan.started_at is not None
        told["plan_seconds"] = (plan.finished_at - plan.started_at).total_seconds()
        told["plan_bytes"] = sum(storage.size_of(key) for key in plan.chunks.values_list("outcomes_key", flat=True))
    sys.stdout.write(json.dumps(told) + "\n")


def _plan_without_limits(site: Any) -> None:
    """Have runs planned first, and none of them held."""
    from sync.guard.limits import DEFAULTS
    from sync.models import GuardLimits

    values = {"values": {kind: [None, None] for kind in DEFAULTS}}
    GuardLimits.objects.update_or_create(site=site, processor="", defaults=values)


def peak_mib() -> float:
    """Return the most memory that was resident. Units: MiB

    getrusage() would do, if a new process didn't start with the peak of the one that made it. Source: proc(5), VmHWM
    """
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


if __name__ == "__main__":
    main(*sys.argv[1:])
