"""The runs of a bundle, one after the other: each begins when the one before it has come to its end."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from sync.models import Bundle, RunState, SyncRun
from sync.models.run import BUNDLE_STOPPED, COMPLETED_STATES, OVER_STATES
from sync.runs.lease import enqueue

# What the whole bundle comes to with its first file.
_SHARED_ENDS = (RunState.DECLINED, RunState.EXPIRED)


def runs_of_bundle(run: SyncRun) -> list[SyncRun]:
    """Return the files that a run was planned with, in their order, itself among them. Queries: one; none without a bundle"""
    if run.bundle is None:
        return [run]
    return [run if other.pk == run.pk else other for other in files_of(run.bundle)]


def files_of(bundle: Bundle) -> list[SyncRun]:
    """Return the runs of a bundle in their order. Queries: one"""
    runs = bundle.runs.order_by("pk")
    return list(
        runs.select_related("site", "plan", "owner", "armed_by", "requested_by", "decided_by", "bundle", "command_file")
    )


def planned_with(run: SyncRun) -> list[SyncRun]:
    """Return the runs whose plans a run makes and has judged: its own, and of a bundle's first run those of all files."""
    return [run] if is_later_of_bundle(run) else runs_of_bundle(run)


def is_later_of_bundle(run: SyncRun) -> bool:
    """Whether other files of a bundle come before a run."""
    return run.bundle_id is not None and SyncRun.objects.filter(bundle=run.bundle_id, pk__lt=run.pk).exists()


def is_in_turn(run: SyncRun) -> bool:
    """Whether all files of a bundle that come before a run have come to their end. Queries: one; none without a bundle"""
    before = SyncRun.objects.filter(bundle=run.bundle_id, pk__lt=run.pk)
    return run.bundle_id is None or not before.exclude(state__in=COMPLETED_STATES).exists()


def follow_bundle(run: SyncRun) -> None:
    """Let the next file of a bundle begin now that a run is over, or none of the others where it didn't come to its end.

    In the transaction that ends the run: the site isn't free in between.
    """
    if run.bundle_id is None or not run.is_over:
        return
    pending = SyncRun.objects.filter(bundle=run.bundle_id, state=RunState.PENDING)
    if run.state not in COMPLETED_STATES:
        pending.update(**_end_after(run))
        return
    next_id = pending.filter(pk__gt=run.pk).order_by("pk").values_list("pk", flat=True).first()
    if next_id is not None and pending.filter(pk=next_id).update(state=RunState.QUEUED):
        transaction.on_commit(lambda: enqueue(next_id))


def await_again(run: SyncRun) -> None:
    """Let the files that a run has stopped wait for it once more, now that it is taken up again."""
    stopped = SyncRun.objects.filter(bundle=run.bundle_id, error_code=BUNDLE_STOPPED, pk__gt=run.pk)
    if run.bundle_id is not None:
        stopped.update(state=RunState.PENDING, error_code="", error_params={}, finished_at=None)


def stop_after(run: SyncRun) -> None:
    """Note of the files of a bundle that come after a run, and that were cancelled with it, that they wait for it."""
    cancelled = SyncRun.objects.filter(bundle=run.bundle_id, pk__gt=run.pk, state=RunState.CANCELLED, error_code="")
    if run.bundle_id is not None:
        cancelled.filter(rows_done=0).update(error_code=BUNDLE_STOPPED, error_params=_stopped_by(run))


def fail_pending(run: SyncRun, code: str, params: dict[str, object]) -> None:
    """End a file of a bundle that can't be used; it waits for the files before it."""
    pending = SyncRun.objects.filter(pk=run.pk, state=RunState.PENDING)
    pending.update(state=RunState.FAILED, finished_at=timezone.now(), error_code=code, error_params=params)
    run.refresh_from_db()


def unfinished_of_bundle(run: SyncRun) -> list[SyncRun]:
    """Return the other files of a bundle that aren't over, the last one first."""
    if run.bundle_id is None:
        return []
    return list(
        SyncRun.objects.filter(bundle=run.bundle_id).exclude(pk=run.pk).exclude(state__in=OVER_STATES).order_by("-pk")
    )


def _end_after(run: SyncRun) -> dict[str, object]:
    now = timezone.now()
    if run.state in _SHARED_ENDS:
        return {
            "state": run.state, "finished_at": now, "error_code": run.error_code, "error_params": run.error_params,
        }  # fmt: skip
    return {
        "state": RunState.CANCELLED,
        "finished_at": now,
        "error_code": BUNDLE_STOPPED,
        "error_params": _stopped_by(run),
    }


def _stopped_by(run: SyncRun) -> dict[str, object]:
    return {"name": run.file_name, "run": run.pk}
