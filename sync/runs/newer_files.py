"""What is to be said of a plan or a run before somebody lets it go on: a newer file was carried out, or its plan is old."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Exists, Q

from sync.models import SyncRun
from sync.models.run import COMPLETED_STATES, ORIGINS_OF_MADE_FILES, OVER_STATES
from sync.runs.options import plan_hours
from sync.runs.plans import is_expired
from sync.runs.selectors import undoing_runs
from sync.values import Note

NEWER_FILE = "newer_file_done"
OLD_PLAN = "plan_old_on_resume"
# Among so many runs a newer one of the same feed is looked for, the last ones first.
_LOOKED_AT = 1000


def warnings_of(run: SyncRun) -> list[Note]:
    """Return what somebody should know who lets a run go on, or applies a simulation. Queries: three at most"""
    if run.simulate:
        is_asked = run.state in COMPLETED_STATES and run.origin != SyncRun.Origin.PLAN and not is_expired(run)
    else:
        is_asked = run.waits_for_person or run.is_resumable
    if not is_asked:
        return []
    warnings = newer_files([run])
    if run.is_resumable and run.last_line and run.plan is not None and is_expired(run.plan):
        warnings.append(Note(OLD_PLAN, {"hours": plan_hours()}))
    is_applied = bool(warnings) and run.simulate and SyncRun.objects.filter(plan=run).exists()
    return [] if is_applied else warnings


def newer_files(runs: Sequence[SyncRun]) -> list[Note]:
    """Return which runs, or simulations, would be carried out over a newer file of the same feed: a note for each. Queries: two

    A feed is what a schedule brings of a file type, or files of one name. The same bytes once more are no newer file.
    Shape: runs: of one site
    """
    asked = [run for run in runs if not (run.undoes_id or run.mends_id or run.origin in ORIGINS_OF_MADE_FILES)]
    if not asked:
        return []
    schedules = dict(
        SyncRun.objects.filter(pk__in=[run.pk for run in asked]).values_list("pk", "sequence_run__schedule")
    )
    written = SyncRun.objects.filter(
        Q(state__in=COMPLETED_STATES) | Q(state__in=OVER_STATES, last_line__gt=0),
        site=asked[0].site_id, processor__in={run.processor for run in asked}, pk__gt=min(map(_asked_at, asked)),
        simulate=False, undoes=None, mends=None,
    ).exclude(Exists(undoing_runs("pk"))).exclude(origin__in=ORIGINS_OF_MADE_FILES)  # fmt: skip
    newer = list(written.select_related("sequence_run").order_by("-pk")[:_LOOKED_AT])
    found = ((run, _last_newer(run, schedules[run.pk], newer)) for run in asked)
    several = len(runs) > 1
    return [
        Note(NEWER_FILE, {"run": last.pk, "name": last.file_name} | ({"file": run.file_name} if several else {}))
        for run, last in found
        if last is not None
    ]


def _asked_at(run: SyncRun) -> int:
    """Return the number of a run, or of the simulation that it applies: what came later is newer."""
    return min(run.pk, run.plan_id or run.pk)


def _last_newer(run: SyncRun, schedule: int | None, newer: Sequence[SyncRun]) -> SyncRun | None:
    return next((other for other in newer if _is_newer(run, schedule, other)), None)


def _is_newer(run: SyncRun, schedule: int | None, other: SyncRun) -> bool:
    if other.pk <= _asked_at(run) or other.pk == run.pk or other.processor != run.processor:
        return False
    if other.file_sha256 == run.file_sha256 or (run.bundle_id is not None and other.bundle_id == run.bundle_id):
        return False
    start = other.sequence_run
    is_of_schedule = start is not None and start.pk != run.sequence_run_id and start.schedule_id == schedule
    return other.file_name == run.file_name or (schedule is not None and is_of_schedule)
