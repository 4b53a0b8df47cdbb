"""The list of deletions as a run reads and writes it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta

from django.db.models import F
from django.utils import timezone

from sync.models import GraceEntry, SyncRun
from sync.moodle.db.writer import MAX_KEYS, batched
from sync.processors.base.grace import GraceChange, GraceStep, GraceTask, Listed
from sync.runs.options import site_zone
from sync.runs.retry import own_database

State = GraceEntry.State

_TASKS = {SyncRun.Origin.GRACE: GraceTask.DELETE, SyncRun.Origin.GRACE_END: GraceTask.END}
_UNDER_WAY = {SyncRun.Origin.GRACE: State.DELETING, SyncRun.Origin.GRACE_END: State.ENDING}
_STATES = {
    GraceStep.ENDED: State.ENDED,
    GraceStep.DELETED: State.DELETED,
    GraceStep.GONE: State.GONE,
    GraceStep.HELD: State.HELD,
}


class RunGrace:
    """The list of deletions for one run."""

    def __init__(self, run: SyncRun) -> None:
        self._run = run
        self.task = _TASKS.get(SyncRun.Origin(run.origin), GraceTask.NONE)

    @own_database()
    def listed(self, table: str) -> Mapping[int, Listed]:
        """Return the objects of a table that are on the list, by id. Queries: one"""
        entries = GraceEntry.objects.filter(site=self._run.site_id, table=table, closed=0)
        if self.task is GraceTask.DELETE:
            # What a rejected row of a later file has named isn't deleted by a run that was asked for before.
            entries = entries.filter(task_run=self._run)
        found = entries.values_list("rowid", "name", "day", "before").iterator()
        return {rowid: Listed(name, day.isoformat(), before) for rowid, name, day, before in found}

    def day_after(self, days: int) -> str:
        """Return a day so many days after the run began, or the simulation that it applies: what is done is what was shown."""
        plan = self._run.plan
        is_simulation = plan is not None and plan.origin != SyncRun.Origin.PLAN
        return (site_day(plan if plan is not None and is_simulation else self._run) + timedelta(days=days)).isoformat()


def site_day(run: SyncRun) -> date:
    """Return the day on which a run began, by the clock of the site."""
    return (run.started_at or timezone.now()).astimezone(site_zone()).date()


def keep_grace(run: SyncRun, changes: Sequence[GraceChange]) -> None:
    """Write what a committed chunk did to the list. Twice is harmless.

    Queries: one per step that it took and 10,000 objects
    """
    listed = [change for change in changes if change.step is GraceStep.LISTED]
    GraceEntry.objects.bulk_create([_entry(run, c) for c in listed], ignore_conflicts=True, batch_size=MAX_KEYS)
    by_step: dict[tuple[GraceStep, str], list[int]] = defaultdict(list)
    for change in changes:
        by_step[change.step, change.table].append(change.rowid)
    for (step, table), rowids in by_step.items():
        if step is not GraceStep.LISTED:
            _move(run, _STATES[step], table, rowids)


def hold_deletions(run: SyncRun, table: str, rowids: Iterable[int]) -> None:
    """Keep objects that are on the list from being deleted, until a person or a file says otherwise. Queries: one per 10,000"""
    for part in batched(sorted(rowids), MAX_KEYS):
        entries = GraceEntry.objects.filter(site=run.site_id, table=table, rowid__in=part, closed=0)
        entries.filter(state__in=(State.WAITING, State.DELETING)).update(state=State.HELD, task_run=run)


def go_on_with_task(run: SyncRun) -> None:
    """Say of what a run that is taken up again deletes, or takes off, that it is under way: nobody takes it off meanwhile.

    Queries: one, none for runs that have no such task
    """
    if state := _UNDER_WAY.get(SyncRun.Origin(run.origin)):
        GraceEntry.objects.filter(task_run=run, closed=0, state=State.HELD).update(state=state)


def _entry(run: SyncRun, change: GraceChange) -> GraceEntry:
    return GraceEntry(
        site_id=run.site_id, table=change.table, rowid=change.rowid, name=change.name[:255], label=change.label[:255],
        run=run, line=change.line, day=date.fromisoformat(change.day), before=dict(change.before),
    )  # fmt: skip


def _move(run: SyncRun, state: GraceEntry.State, table: str, rowids: Iterable[int]) -> None:
    """Bring entries that are on the list into a state; all but `held` take them off."""
    values = {"state": state, "task_run": run}
    if state is not State.HELD:
        values |= {"closed": F("pk"), "closed_at": timezone.now()}
    for part in batched(sorted(rowids), MAX_KEYS):
        GraceEntry.objects.filter(site=run.site_id, table=table, rowid__in=part, closed=0).update(**values)
