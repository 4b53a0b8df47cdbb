"""What the page of a run says of rows that are tried again."""

from __future__ import annotations

from typing import NamedTuple

from django.db.models import Count, Q

from sync.models import Retry, RetryRow, SyncRun
from sync.models.run import COMPLETED_STATES

_ROWS_NAMED = 20


class RetryFacts(NamedTuple):
    """The rows of a run that wait, or waited.

    Shape: waiting: how many still wait; replaced: how many later files have brought again; mended: how many somebody has mended
    or left out since; rows: the first that wait
    """

    retry: Retry
    waiting: int
    replaced: int
    mended: int
    rows: list[RetryRow]

    @property
    def is_waiting(self) -> bool:
        return self.retry.state == Retry.State.WAITING and self.waiting > 0

    @property
    def is_undone(self) -> bool:
        """Whether they don't wait any more because their run was undone, or the one whose rows it has tried again."""
        return self.retry.state == Retry.State.UNDONE and self.waiting > 0

    @property
    def retry_run(self) -> SyncRun | None:
        """Return the run that tries them, or has."""
        return self.retry.retry_run if self.retry.state == Retry.State.TRIED else None

    @property
    def is_broken_off(self) -> bool:
        """Whether the run that was to try them is over and didn't come to its end: somebody declined it, say."""
        run = self.retry_run
        return run is not None and run.is_over and run.state not in COMPLETED_STATES


def retry_facts(run: SyncRun) -> RetryFacts | None:
    """Return what there is to say of the rows of a run that are tried again; None when there are none. Queries: three at most"""
    retry = Retry.objects.filter(run=run).select_related("retry_run").first()
    if retry is None:
        return None
    mended = Count("pk", filter=Q(replaced_by__mends=run))
    dropped = retry.rows.filter(is_replaced=True).aggregate(all=Count("pk"), mended=mended)
    rows = list(retry.rows.filter(is_replaced=False)[: _ROWS_NAMED + 1])
    waiting = len(rows) if len(rows) <= _ROWS_NAMED else retry.rows.filter(is_replaced=False).count()
    return RetryFacts(retry, waiting, dropped["all"] - dropped["mended"], dropped["mended"], rows[:_ROWS_NAMED])


def tried_run_id(run: SyncRun) -> int | None:
    """Return the run whose rows this one tries again; None when it does no such thing. Queries: one at most"""
    if run.origin != SyncRun.Origin.RETRY:
        return None
    return Retry.objects.filter(retry_run=run).values_list("run", flat=True).first()
