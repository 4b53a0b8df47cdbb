"""Files that did not come by the time by which they are expected."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import OuterRef, QuerySet, Subquery
from django.utils import timezone

from sync.models import Event, FreezeWindow, MoodleSite, NotificationRule, SyncRun
from sync.models.run import ORIGINS_OF_MADE_FILES
from sync.notifications.services import deadline_of, notify
from sync.schedules.sequences import window_at
from sync.schedules.timing import AtTime

# From Friday to Monday, and the hour of a change of clocks.
_LONGEST = timedelta(days=4)


def notify_of_overdue_files() -> None:
    """Tell of the files that are overdue, once for each time that passed; after a pause of ours only of the last one.

    A file has come when a run of its type was asked for since the time before, however that run ended; runs of files that
    ToolSync made itself don't count. In a freeze window nothing is fetched, so nothing is missed.
    """
    now = timezone.now()
    for rule in NotificationRule.objects.select_related("site").filter(due_at__lte=now, site__in_use=True):
        timing = deadline_of(rule)
        if timing is None:
            continue
        deadline, before = _last_two(timing, now)
        with transaction.atomic():
            mine = NotificationRule.objects.filter(pk=rule.pk, due_at=rule.due_at)
            if not mine.update(due_at=timing.next_after(now)):
                continue
            runs = _runs_of_files(site=rule.site, processor=rule.processor)
            if not runs.filter(created_at__gt=before).exists() and window_at(rule.site, deadline) is None:
                notify(rule.site, rule.processor, Event.OVERDUE, due_at=deadline)


def _runs_of_files(**of: Any) -> QuerySet[SyncRun]:
    """Return the runs of files that came: not those of files that ToolSync made itself, and no undo."""
    return SyncRun.objects.filter(**of, simulate=False, undoes=None).exclude(origin__in=ORIGINS_OF_MADE_FILES)


class OverdueFile(NamedTuple):
    """A file that has not come by the last time by which it was expected."""

    processor: str
    deadline: datetime


def overdue_files(site: MoodleSite) -> list[OverdueFile]:
    """Return the files of a site that are overdue now. Queries: at most two"""
    now = timezone.now()
    runs = _runs_of_files(site=OuterRef("site"), processor=OuterRef("processor"))
    rules = NotificationRule.objects.filter(site=site, expected_at__isnull=False)
    last_run = Subquery(runs.order_by("-pk").values("created_at")[:1])
    found: list[OverdueFile] = []
    expected = list(rules.annotate(last_run_at=last_run))
    windows = list(FreezeWindow.objects.filter(site=site, ends_at__gt=now - _LONGEST)) if expected else []
    for rule in expected:
        timing = deadline_of(rule)
        if timing is None:
            continue
        deadline, before = _last_two(timing, now)
        is_frozen = any(window.starts_at <= deadline < window.ends_at for window in windows)
        # Nobody expects a file by a time that passed before the time was set.
        has_come = rule.last_run_at is not None and rule.last_run_at > before
        if not (has_come or is_frozen or rule.last_run_at is None):
            found.append(OverdueFile(rule.processor, deadline))
    return found


def _last_two(timing: AtTime, now: datetime) -> tuple[datetime, datetime]:
    """Return the last moment that has passed, and the one before it."""
    before = timing.next_after(now - 2 * _LONGEST)
    last = timing.next_after(before)
    while (following := timing.next_after(last)) <= now:
        before, last = last, following
    return last, before
