"""Files that did not come by the time by which they are expected."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from sync.models import Event, NotificationRule, SyncRun
from sync.notifications.services import deadline_of, notify
from sync.schedules.sequences import window_at
from sync.schedules.timing import AtTime

# From Friday to Monday, and the hour of a change of clocks.
_LONGEST = timedelta(days=4)


def notify_of_overdue_files() -> None:
    """Tell of the files that are overdue, once for each time that passed; after a pause of ours only of the last one.

    A file has come when a run of the file type was asked for since the time before, however that run ended. In a freeze window
    nothing is fetched, so nothing is missed.
    """
    now = timezone.now()
    for rule in NotificationRule.objects.select_related("site").filter(due_at__lte=now):
        timing = deadline_of(rule)
        if timing is None:
            continue
        deadline, before = _last_two(timing, now)
        with transaction.atomic():
            mine = NotificationRule.objects.filter(pk=rule.pk, due_at=rule.due_at)
            if not mine.update(due_at=timing.next_after(now)):
                continue
            runs = SyncRun.objects.filter(site=rule.site, processor=rule.processor, simulate=False)
            if not runs.filter(created_at__gt=before).exists() and window_at(rule.site, deadline) is None:
                notify(rule.site, rule.processor, Event.OVERDUE, due_at=deadline)


def _last_two(timing: AtTime, now: datetime) -> tuple[datetime, datetime]:
    """Return the last moment that has passed, and the one before it."""
    before = timing.next_after(now - 2 * _LONGEST)
    last = timing.next_after(before)
    while (following := timing.next_after(last)) <= now:
        before, last = last, following
    return last, before
