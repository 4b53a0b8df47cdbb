"""Tries of waiting rows that are taken back before they begin: rows were mended or left out, or their run was undone.

A try that has begun goes on: what it has done, its own undo takes back.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from django.db.models import QuerySet

from sync.models import Retry, RetryRow, RunState, SyncRun
from sync.models.run import WAITING_STATES
from sync.moodle.db.writer import MAX_KEYS, batched
from sync.runs.mended_rows import named_lines
from sync.runs.services import cancel_run
from sync.runs.waiting_rows import TRY_UNDONE, undone_origins, wait_again

# Of these a run has written nothing yet, as long as none of its rows is done.
_NOT_BEGUN = (RunState.QUEUED, RunState.PAUSED, *WAITING_STATES)
# So often rows are tried again at most, for each try a run.
_STEPS = 100


def mended_lines(plan: SyncRun) -> set[int] | None:
    """Return which lines of the run that it mends a plan has the rows of, as `named_lines`; None where no row of it waits, too.

    Raises: CommandFileError
    """
    if plan.mends_id is None or not Retry.objects.filter(run=plan.mends_id).exists():
        return None
    return named_lines(plan)


def drop_mended_rows(applied: SyncRun, lines: Collection[int] | None) -> None:
    """Drop the waiting rows that a run of mended rows brings, or that somebody has left out, from all tries to come.

    Belongs in the transaction that asks for the run. Shape: lines: as of mended_lines
    """
    keys: set[str] | None = None
    for retry in _tries_of(applied.mends_id):
        rows = retry.rows.filter(is_replaced=False)
        # Rows that were tried before stand in other lines there, and are about the same.
        wanted = list(_parts(rows, lines) if keys is None else _parts_about(rows, keys))
        if keys is None:
            keys = {key for part in wanted for key in part.values_list("key", flat=True)} - {""}
        if not any(part.exists() for part in wanted):
            continue
        if retry.state == Retry.State.WAITING:
            _drop(wanted, applied)
        elif (again := _withdrawn(retry)) is not None:
            _drop(wanted, applied)
            wait_again(again)


def withdraw_undone_tries() -> None:
    """Cancel the tries that haven't begun of rows of a run that was undone."""
    tries = Retry.objects.filter(
        state=Retry.State.TRIED, retry_run__state__in=_NOT_BEGUN, retry_run__last_line=0
    ).select_related("retry_run")
    undone = undone_origins(tries.values_list("run", flat=True))
    for retry in tries:
        if (run := undone.get(retry.run_id)) is None or (again := _withdrawn(retry)) is None:
            continue
        Retry.objects.filter(pk=retry.pk).update(state=Retry.State.UNDONE)
        SyncRun.objects.filter(pk=again.pk, error_code="").update(error_code=TRY_UNDONE, error_params={"run": run})


def _tries_of(run_id: int | None) -> Iterator[Retry]:
    """Return how the rows of a run wait, and how those of them that were tried and still miss something do."""
    for _step in range(_STEPS):
        retry = Retry.objects.filter(run=run_id).select_related("retry_run").first() if run_id is not None else None
        if retry is None:
            return
        yield retry
        run_id = retry.retry_run_id


def _withdrawn(retry: Retry) -> SyncRun | None:
    """Cancel the run that is to try rows again; return it, None where it has begun."""
    run = retry.retry_run
    if run is None or run.state not in _NOT_BEGUN or run.last_line:
        return None
    cancel_run(run)
    return run if run.state == RunState.CANCELLED else None


def _parts(rows: QuerySet[RetryRow], lines: Collection[int] | None) -> Iterator[QuerySet[RetryRow]]:
    if lines is None:
        yield rows
        return
    for part in batched(sorted(lines), MAX_KEYS):
        yield rows.filter(line__in=part)


def _parts_about(rows: QuerySet[RetryRow], keys: Collection[str]) -> Iterator[QuerySet[RetryRow]]:
    for part in batched(sorted(keys), MAX_KEYS):
        yield rows.filter(key__in=part)


def _drop(parts: Iterable[QuerySet[RetryRow]], applied: SyncRun) -> None:
    for part in parts:
        part.update(is_replaced=True, replaced_by=applied)
