"""What needs a person, the worst first: a few queries on indexes, however many runs there are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Any, NamedTuple

from django.db.models import Count, F, Subquery
from django.db.models.lookups import In
from django.utils import timezone

from sync.health.selectors import PartState, dead_parts
from sync.models import MoodleSite, RunMail, RunState, SequenceState, SyncRun
from sync.notifications.mails import UNSURE_STATES
from sync.overview.feeds import FAILED_STATES, Feed, is_late, schedules_for
from sync.runs.selectors import Person, processors_for, visible_runs, waiting_runs
from sync.schedules.overdue import overdue_files
from sync.schedules.sequences import window_at
from sync.values import Action

# Rejected rows that nobody has mended for longer than this are given up.
_MENDED_WITHIN = timedelta(days=14)
# Nobody reads a longer list.
_MOST = 100


class Kind(IntEnum):
    """Why somebody is needed, the worst first."""

    DEAD = 1
    HELD = 2
    FAILED = 3
    PAUSED = 4
    LATE = 5
    OVERDUE = 6
    MAILS = 7
    REJECTED = 8


@dataclass(frozen=True)
class Need:
    """One thing that needs somebody.

    Shape: subject: a PartState, a run, a schedule or an OverdueFile, by kind; count: of rows or mails; at: since when
    """

    kind: Kind
    subject: Any
    at: datetime | None = None
    count: int = 0

    @property
    def name(self) -> str:
        """Of its kind, for templates."""
        return self.kind.name.lower()


class Night(NamedTuple):
    """What the last starts of the last day have done."""

    feeds: int
    rows: int
    rejected: int


def needs_of(user: Person, site: MoodleSite, dead: list[PartState] | None = None) -> list[Need]:
    """Return what needs somebody who may do something about it, the worst first, of each kind the oldest first.

    Queries: at most nine, two less with `dead`
    Shape: dead: of `dead_parts`, if it is known
    """
    parts = dead_parts(site.slug) if dead is None else dead
    found = [Need(Kind.DEAD, part, part.since) for part in parts]
    keys = [processor.key for processor in processors_for(user, site=site)]
    waiting = waiting_runs(user, site, with_paused=True).filter(processor__in=keys)
    found += [
        Need(Kind.PAUSED, run, run.heartbeat_at or run.created_at)
        if run.is_paused
        else Need(Kind.HELD, run, run.held_at)
        for run in waiting[:_MOST]
    ]
    found += _schedules_in_need(user, site)
    found += [Need(Kind.OVERDUE, file, file.deadline) for file in overdue_files(site) if file.processor in keys]
    found += _unsure_mails(user, site, keys)
    found += _unmended_rows(user, site, keys)
    return sorted(found, key=lambda need: (need.kind, need.at or timezone.now()))


def last_night(feeds: list[Feed]) -> Night | None:
    """Return what the last starts of the last day have done together; None when there was none."""
    since = timezone.now() - timedelta(days=1)
    starts = [feed.last for feed in feeds if feed.last and feed.last.sequence.created_at > since]
    if not starts:
        return None
    return Night(len(starts), sum(start.rows for start in starts), sum(start.rejected for start in starts))


def _schedules_in_need(user: Person, site: MoodleSite) -> list[Need]:
    """Return the schedules that are on and whose last start failed, or whose next one hasn't come. Queries: at most two"""
    schedules = [schedule for schedule in schedules_for(user, site, to_use=True) if schedule.enabled]
    failed = [schedule for schedule in schedules if schedule.last_state in FAILED_STATES]
    late = [schedule for schedule in schedules if is_late(schedule) and schedule.last_state != SequenceState.RUNNING]
    if late and window_at(site, timezone.now()) is not None:
        late = []
    needs = [Need(Kind.FAILED, schedule, schedule.last_ended) for schedule in failed]
    return needs + [Need(Kind.LATE, schedule, schedule.next_at) for schedule in late if schedule not in failed]


def _unsure_mails(user: Person, site: MoodleSite, keys: list[str]) -> list[Need]:
    """Return the runs of which mails, with passwords as a rule, may not have arrived. Queries: one, two if there are any"""
    mails = RunMail.objects.filter(state__in=UNSURE_STATES, run__site=site, run__processor__in=keys)
    counts = dict(mails.values("run").annotate(count=Count("pk")).order_by("-run").values_list("run", "count")[:_MOST])
    runs = visible_runs(user, site).filter(pk__in=counts) if counts else []
    return [Need(Kind.MAILS, run, run.finished_at, counts[run.pk]) for run in runs]


def _unmended_rows(user: Person, site: MoodleSite, keys: list[str]) -> list[Need]:
    """Return the last run of each file type, if it left rejected rows and none of the type has come after it. Queries: one"""
    of_type = [SyncRun.objects.filter(site=site, processor=key, simulate=False).order_by("-pk") for key in keys]
    # A list of one subquery MariaDB would take for a subquery of many rows.
    last = [0, *(Subquery(runs.values("pk")[:1]) for runs in of_type)]
    runs = visible_runs(user, site).filter(
        In(F("pk"), last), state=RunState.COMPLETED_WITH_REJECTIONS, undoes=None,
        finished_at__gt=timezone.now() - _MENDED_WITHIN,
    )  # fmt: skip
    return [
        Need(
            Kind.REJECTED, run, run.finished_at, run.counts.get(Action.REJECTED, 0) + run.counts.get(Action.PARTIAL, 0)
        )
        for run in runs[:_MOST]
    ]
