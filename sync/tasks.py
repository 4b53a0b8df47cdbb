"""What the workers do: a door to the services."""

from __future__ import annotations

from celery import shared_task

from sync.errors import RunNotClaimable
from sync.runs import services


@shared_task(name="sync.run")
def run_task(run_id: int) -> None:
    """Carry out a run, unless somebody else does or it isn't its turn."""
    try:
        services.execute_run(run_id)
    except RunNotClaimable:
        return


@shared_task(name="sync.recover_dead_runs")
def recover_dead_runs() -> None:
    """Find the runs whose worker died."""
    services.recover_dead_runs()


@shared_task(name="sync.prune")
def prune() -> None:
    """Delete what old runs keep for themselves."""
    services.prune()
