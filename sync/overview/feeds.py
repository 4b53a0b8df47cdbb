"""How each feed does: a schedule with what became of its starts, in as many queries for a hundred feeds as for one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import models
from django.db.models import Exists, OuterRef, Q, Subquery
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sync.models import FreezeWindow, MoodleSite, RunState, Schedule, SequenceRun, SequenceState, SyncRun
from sync.models.run import WAITING_STATES
from sync.runs.options import tick_seconds
from sync.runs.selectors import Person, processors_for, visible_processors
from sync.schedules.overdue import overdue_files
from sync.schedules.services import next_start, open_windows, timing_of
from sync.values import Action

# As many starts as the small chart shows.
HISTORY = 30
FAILED_STATES = (SequenceState.FAILED, SequenceState.STOPPED)
_CHANGES = (Action.CREATED, Action.UPDATED, Action.DELETED)


class FeedState(models.TextChoices):
    """How a feed does, the worst first."""

    FAILED = "failed", _("failed")
    HELD = "held", _("held")
    LATE = "late", _("late")
    RUNNING = "running", _("under way")
    ON_TIME = "on_time", _("on time")
    NEW = "new", _("not run yet")
    PAUSED = "paused", _("paused")


class Start(NamedTuple):
    """One start of a feed. Shape: counts: action -> rows, of all its runs"""

    sequence: SequenceRun
    counts: Counter[str]

    @property
    def changed(self) -> int:
        return sum(self.counts[action] for action in _CHANGES)

    @property
    def rejected(self) -> int:
        return self.counts[Action.REJECTED] + self.counts[Action.PARTIAL]

    @property
    def rows(self) -> int:
        return self.counts.total()

    @property
    def is_failed(self) -> bool:
        return self.sequence.state in FAILED_STATES


@dataclass
class Feed:
    """A feed as lists show it.

    Shape: words: when it starts; next_at: freeze windows minded, None when it is off; window: the freeze window that holds a
    start of it back; waiting: its run that waits for a person; due_at: the time that has passed, of one that is late; history:
    the last starts, the oldest first, filled by `add_history`
    """

    schedule: Schedule
    state: FeedState
    words: str
    next_at: datetime | None
    window: FreezeWindow | None
    last: Start | None
    waiting: SyncRun | None
    due_at: datetime | None
    history: list[Start] = field(default_factory=list)


def schedules_for(user: Person, site: MoodleSite, *, to_use: bool = False) -> list[Any]:
    """Return the schedules of which somebody may see every file type, each with its last start. Queries: one

    Shape: with `last_id`, `last_state`, `last_ended` and `has_paused`; to_use: only those of which they may use every file type
    """
    found = processors_for(user, site=site) if to_use else visible_processors(user, site)
    known = {processor.key for processor in found}
    newest = SequenceRun.objects.filter(schedule=OuterRef("pk")).order_by("-pk")
    schedules = Schedule.objects.filter(site=site).select_related("site", "owner")
    annotated = schedules.annotate(
        last_id=Subquery(newest.values("pk")[:1]),
        last_state=Subquery(newest.values("state")[:1]),
        last_ended=Subquery(newest.values("finished_at")[:1]),
        has_paused=has_paused_run(),
    )
    return [schedule for schedule in annotated if known.issuperset(schedule.processors)]


def has_paused_run() -> Exists:
    """Return whether a start of a schedule that isn't over waits for a run that somebody has paused."""
    return Exists(
        SyncRun.objects.filter(
            sequence_run__schedule=OuterRef("pk"), sequence_run__state=SequenceState.RUNNING, state=RunState.PAUSED
        )
    )


def feeds_for(user: Person, site: MoodleSite) -> list[Feed]:
    """Return the feeds of which somebody may see every file type, the worst first. Queries: six, however many there are"""
    schedules = schedules_for(user, site)
    windows = open_windows(site)
    overdue = {file.processor: file.deadline for file in overdue_files(site)}
    ids = [schedule.last_id for schedule in schedules if schedule.last_id]
    starts = {start.sequence.pk: start for start in with_counts(SequenceRun.objects.filter(pk__in=ids))}
    held = SyncRun.objects.filter(sequence_run__in=ids, state__in=WAITING_STATES).select_related("site", "plan")
    waiting = {run.sequence_run_id: run for run in held}
    feeds = [
        _feed(schedule, windows, starts.get(schedule.last_id), waiting.get(schedule.last_id), overdue)
        for schedule in schedules
    ]
    order = list(FeedState)
    return sorted(feeds, key=lambda feed: (order.index(feed.state), str(feed.schedule).lower()))


def add_history(feeds: Collection[Feed]) -> None:
    """Fill in the last starts of feeds. Queries: three, however many there are"""
    if not feeds:
        return
    by_id = {feed.schedule.pk: feed for feed in feeds}
    newest = SequenceRun.objects.filter(schedule=OuterRef("pk")).order_by("-pk")
    bounds = Schedule.objects.filter(pk__in=by_id).annotate(first=Subquery(newest.values("pk")[HISTORY - 1 : HISTORY]))
    wanted = Q(pk=None)
    for schedule_id, first in bounds.values_list("pk", "first"):
        wanted |= Q(schedule=schedule_id, pk__gte=first) if first else Q(schedule=schedule_id)
    for start in with_counts(SequenceRun.objects.filter(wanted).order_by("pk")):
        if start.sequence.schedule_id:
            by_id[start.sequence.schedule_id].history.append(start)


def is_late(schedule: Schedule) -> bool:
    """Whether a schedule should have started by now, freeze windows aside."""
    if not schedule.enabled or schedule.next_at is None:
        return False
    return schedule.next_at < timezone.now() - timedelta(seconds=3 * tick_seconds())


def _feed(
    schedule: Any,
    windows: list[FreezeWindow],
    last: Start | None,
    waiting: SyncRun | None,
    overdue: dict[str, datetime],
) -> Feed:
    missed = [overdue[key] for key in schedule.processors if key in overdue]
    due_at = schedule.next_at if is_late(schedule) else max(missed, default=None)
    return Feed(
        schedule=schedule,
        state=state_of(schedule, windows, is_waiting=waiting is not None, is_overdue=bool(missed)),
        words=timing_of(schedule).words(),
        next_at=next_start(schedule, windows),
        window=_window_now(windows) if schedule.held_at else None,
        last=last,
        waiting=waiting,
        due_at=due_at if schedule.enabled else None,
    )


def state_of(schedule: Any, windows: Collection[FreezeWindow], *, is_waiting: bool, is_overdue: bool) -> FeedState:
    """Return how a feed does. Shape: schedule: of `schedules_for`"""
    is_running = schedule.last_state == SequenceState.RUNNING
    has_failed = schedule.last_state in FAILED_STATES
    holds = {
        FeedState.HELD: is_waiting,
        FeedState.FAILED: has_failed and schedule.enabled,
        FeedState.RUNNING: is_running and not (schedule.has_paused and is_late(schedule)),
        FeedState.PAUSED: not schedule.enabled or _window_now(windows) is not None,
        FeedState.LATE: is_overdue or is_late(schedule),
        FeedState.NEW: not schedule.last_id,
    }
    return next((state for state, is_so in holds.items() if is_so), FeedState.ON_TIME)


def _window_now(windows: Iterable[FreezeWindow]) -> FreezeWindow | None:
    now = timezone.now()
    return max((w for w in windows if w.starts_at <= now < w.ends_at), key=lambda w: w.ends_at, default=None)


def with_counts(sequences: Iterable[SequenceRun]) -> list[Start]:
    """Return starts with what their runs counted; the plans that runs have made for themselves are left out. Queries: two"""
    starts = {sequence.pk: Start(sequence, Counter()) for sequence in sequences}
    runs = SyncRun.objects.filter(sequence_run__in=starts, simulate=False)
    for sequence_id, counts in runs.values_list("sequence_run", "counts"):
        starts[sequence_id].counts.update(counts)
    return list(starts.values())
