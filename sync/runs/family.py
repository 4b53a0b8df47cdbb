"""The family of a run: its plan, its undo, other tries of its rows, its mended rows, its tryback that was sent again."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from enum import StrEnum
from typing import NamedTuple

from django.db.models import Q

from sync.commandfiles.naming import TRYBACK_PART
from sync.models import RunFile, SyncRun

# A family to which more and more is added isn't followed for ever.
_STEPS, _MOST = 4, 20


class Kin(StrEnum):
    """What a run is within its family."""

    PLAN = "plan"
    SIMULATION = "simulation"
    RUN = "run"
    TRYBACK = "tryback"
    RETRY = "retry"
    MEND_PLAN = "mend_plan"
    MEND = "mend"
    UNDO_PLAN = "undo_plan"
    UNDO = "undo"


class Relative(NamedTuple):
    """A run of a family."""

    run: SyncRun
    kin: Kin


def family_of(run: SyncRun) -> list[Relative]:
    """Return the runs that belong together, the first one first; [] for a run that is alone. Queries: five for each step"""
    known = {run.pk: run}
    newest: Collection[SyncRun] = [run]
    for _step in range(_STEPS):
        newest = [relative for relative in _next_to(newest) if relative.pk not in known]
        known |= {relative.pk: relative for relative in newest}
        if not newest or len(known) >= _MOST:
            break
    if len(known) == 1:
        return []
    # The plan that a run has made for itself is younger than the run, and stands before it.
    application_of = {relative.plan_id: relative.pk for relative in known.values()}
    ordered = sorted(known.values(), key=lambda r: (application_of.get(r.pk, r.pk), r.pk not in application_of))
    return [Relative(relative, _kin(relative)) for relative in ordered[:_MOST]]


def _next_to(runs: Collection[SyncRun]) -> Iterator[SyncRun]:
    """Return the runs that are related to some others, perhaps several times."""
    ids = [run.pk for run in runs]
    above = [pk for run in runs for pk in (run.plan_id, run.undoes_id, run.mends_id) if pk]
    yield from SyncRun.objects.filter(Q(pk__in=above) | Q(plan__in=ids) | Q(undoes__in=ids) | Q(mends__in=ids))
    yield from SyncRun.objects.filter(Q(retry__retry_run__in=ids) | Q(retry_of__run__in=ids))
    yield from _runs_of_trybacks(runs, ids)


def _runs_of_trybacks(runs: Collection[SyncRun], ids: Collection[int]) -> Iterator[SyncRun]:
    """Return the runs whose trybacks these have taken, and those that have taken the trybacks of these, known by their names."""
    first = next(iter(runs))
    of_type = SyncRun.objects.filter(site=first.site_id, processor=first.processor)
    if taken := [run.file_name for run in runs if TRYBACK_PART in run.file_name]:
        yield from of_type.filter(files__kind=RunFile.Kind.TRYBACK, files__name__in=taken)
    left = RunFile.objects.filter(run__in=ids, kind=RunFile.Kind.TRYBACK).values_list("name", flat=True)
    sent_again = Q()
    for name in left:
        sent_again |= Q(file_path__endswith=f"/{name}")
    if sent_again:
        yield from of_type.filter(sent_again, pk__gt=min(ids), undoes=None)


def _is_own_plan(run: SyncRun) -> bool:
    return run.origin == SyncRun.Origin.PLAN


def _kin(run: SyncRun) -> Kin:
    if run.undoes_id is not None:
        return Kin.UNDO_PLAN if run.simulate else Kin.UNDO
    if run.mends_id is not None:
        return Kin.MEND_PLAN if run.simulate else Kin.MEND
    if _is_own_plan(run):
        return Kin.PLAN
    if run.origin == SyncRun.Origin.RETRY:
        return Kin.RETRY
    if run.simulate:
        return Kin.SIMULATION
    return Kin.TRYBACK if TRYBACK_PART in run.file_name else Kin.RUN
