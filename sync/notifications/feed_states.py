"""What people were told: of a feed a failure once, however often it comes, and once that it works again.

What they could not be told, they don't know: it is told again.
"""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from sync.models import (
    DigestEntry,
    Event,
    HealthRecord,
    Notification,
    NotifiedFailure,
    Schedule,
    SequenceRun,
    SyncRun,
)
from sync.models.run import COMPLETED_STATES

# What a digest could not tell for so long is not told any more.
_DIGESTS_TRIED = timedelta(days=7)
# The code of a failure of which a mail was given up: that it works again is told, as one of several addresses may know of it.
_UNTOLD = ""


def is_news(schedule: Schedule, processor: str, code: str, has_run: bool) -> bool:
    """Note that a file type of a feed fails, and tell whether that is another state than the one that people know.

    Belongs in the transaction that keeps the notification. Queries: at most three
    """
    values = {"code": code, "has_run": has_run}
    failure, is_new = NotifiedFailure.objects.get_or_create(schedule=schedule, processor=processor, defaults=values)
    return is_new or bool(NotifiedFailure.objects.filter(pk=failure.pk).exclude(code=code).update(**values))


def take_recovered(schedule: Schedule, done: set[str], nothing_came: set[str]) -> list[NotifiedFailure]:
    """Return the failures of a feed that people know of and that are over, and forget them. Queries: one, and one for each

    Shape: done: file types of which every run of a start went well; nothing_came: those that could be asked for, without a file,
    so that only the way to it is known to work
    """
    found = []
    for failure in NotifiedFailure.objects.filter(schedule=schedule):
        is_over = failure.processor in done or (failure.processor in nothing_came and not failure.has_run)
        if is_over and NotifiedFailure.objects.filter(pk=failure.pk).delete()[0]:
            found.append(failure)
    return found


def take_recovered_by(run: SyncRun, sequence: SequenceRun, schedule: Schedule) -> list[NotifiedFailure]:
    """Return the failure that is over now that a run was taken up again, after its start had ended, and forget it.

    Whether a file type works that has had its turn in later starts is told by these. Queries: at most five
    """
    if sequence.runs.filter(processor=run.processor, simulate=False).exclude(state__in=COMPLETED_STATES).exists():
        return []
    later = SequenceRun.objects.filter(schedule=schedule, pk__gt=sequence.pk)
    faults = (fault for faults in later.values_list("faults", flat=True) for fault in faults)
    if later.filter(runs__processor=run.processor).exists() or any(fault[0] == run.processor for fault in faults):
        return []
    return take_recovered(schedule, {run.processor}, set())


def forget_untold(notification: Notification) -> None:
    """Note that a mail was given up, so that people don't know what it says: the failure of a feed is told when it comes again,
    what is late or dead while it is, and the starts of a digest are in the next one. Queries: at most one
    """
    since = notification.since or notification.created_at
    match notification.event:
        case Event.FAILURE:
            _forget_failure(notification)
        case Event.LATE:
            NotifiedFailure.objects.filter(schedule=notification.feed, since=since).delete()
        case Event.DEAD:
            records = HealthRecord.objects.filter(part=notification.part, since=since)
            records.filter(level=HealthRecord.Level.ERROR).update(notified_at=None)
        case Event.DIGEST:
            entries = DigestEntry.objects.filter(notification=notification)
            entries.filter(due_at__gt=timezone.now() - _DIGESTS_TRIED).update(notification=None)


def _forget_failure(notification: Notification) -> None:
    failures = NotifiedFailure.objects.filter(schedule__site=notification.site_id, processor=notification.processor)
    run = notification.run
    if run is None:
        failures.filter(code=notification.fault[0]).update(code=_UNTOLD)
    elif run.sequence_run is not None:
        failures.filter(code=run.error_code, schedule=run.sequence_run.schedule_id).update(code=_UNTOLD)
