"""The progress of a run that isn't over: what it is doing, in one sentence."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

from django.utils import timezone
from django.utils.formats import time_format
from django.utils.translation import gettext as _

from sync.errors import OutcomesMissing, StorageUnavailable
from sync.models import RunState, SyncRun
from sync.models.run import ACTIVE_STATES
from sync.runs.outcome_search import OutcomeFilter, last_outcomes
from sync.runs.selectors import progress_of
from sync.values import Action, Outcome

# Workers take a run within a second or two; after this long there probably is none.
_WORKER_EXPECTED = timedelta(seconds=20)
_RECENT = 5


class ProgressText(NamedTuple):
    """Shape: percent, seconds_left, rows_per_second: None while nothing can be told; recent: the last rows that failed"""

    sentence: str
    percent: int | None
    seconds_left: int | None
    rows_per_second: int | None = None
    recent: Sequence[Outcome] = ()


def describe_progress(run: SyncRun) -> ProgressText:
    """Say what a run is doing."""
    if run.state == RunState.PENDING:
        return ProgressText(_("Waits for the files of its bundle that come before it."), None, None)
    if run.state == RunState.QUEUED and not run.rows_done:
        return ProgressText(_describe_queue(run), None, None)
    rows = run.plan if run.plan is not None and _is_planned(run) else run
    progress = progress_of(rows)
    return ProgressText(
        _describe_work(run), progress.percent or None, progress.seconds_left, progress.rows_per_second, _recent_of(rows)
    )


def _recent_of(rows: SyncRun) -> list[Outcome]:
    """Return the rows that were rejected last, the last one first. Queries: one at most"""
    if not rows.counts.get(Action.REJECTED):
        return []
    try:
        return last_outcomes(rows, OutcomeFilter(action=Action.REJECTED), _RECENT)
    except (OutcomesMissing, StorageUnavailable):
        return []


def _describe_work(run: SyncRun) -> str:
    if run.cancel_requested or run.pause_requested:
        return (
            _("Cancelling: the rows at hand are finished first.")
            if run.cancel_requested
            else _("Pausing: the rows at hand are finished first.")
        )
    if run.waiting_since is not None:
        since = time_format(timezone.localtime(run.waiting_since))
        return _("Moodle hasn't answered since %(time)s: the run retries, and goes on by itself when it is back.") % {
            "time": since
        }
    if run.state == RunState.QUEUED:
        return _("Waiting to be taken up again.")
    if run.carried_out:
        return _("All rows are done; the files are being made.")
    if _is_planned(run):
        return _("Planning: nothing is written yet.")
    return _("Simulating.") if run.simulate else _("Running.")


def _is_planned(run: SyncRun) -> bool:
    return run.plan is not None and not run.plan.carried_out and not run.last_line


def _describe_queue(run: SyncRun) -> str:
    ahead = _run_ahead(run)
    if ahead is not None:
        return _("Waiting for run %(run)s to end.") % {"run": ahead.pk}
    if timezone.now() - run.created_at > _WORKER_EXPECTED:
        return _("Still queued. No worker has taken it: ask the administrator whether one is running.")
    return _("Queued.")


def _run_ahead(run: SyncRun) -> SyncRun | None:
    """Return the run that writes or will write to this site before this one; simulations wait for nobody."""
    if run.simulate:
        return None
    waiting = SyncRun.objects.filter(site_id=run.site_id, simulate=False, state__in=ACTIVE_STATES, pk__lt=run.pk)
    return waiting.order_by("-pk").first()
