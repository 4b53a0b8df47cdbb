"""Digests: which starts of feeds somebody is still to be told of, and from when on.

An entry for each reader is kept with the end of a start, in one transaction; many entries that are due become one mail
(sync/overview/digests.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from sync.models import DigestEntry, NotificationRule, RunState, Schedule, SequenceRun
from sync.notifications.readers import Reader, readers_of
from sync.runs.options import site_zone
from sync.schedules.timing import AtTime

# What was told is kept as long as somebody may ask for it.
_KEPT = timedelta(days=30)
_EVENT_BY_STATE: Mapping[str, str] = {RunState.COMPLETED: "success", RunState.COMPLETED_WITH_REJECTIONS: "rejections"}


def keep_entries(sequence: SequenceRun, *, is_over: bool) -> None:
    """Note who is to be told of a start that is over, or that waits for a person. Belongs in the transaction that says so.

    Those who are named for the feed, and those whom the notification rules name for what became of its runs.
    Queries: at most five
    """
    schedule = sequence.schedule
    if schedule is None or (schedule.digest_at_end and not is_over):
        return
    wanted = {address.casefold(): (address, schedule.attach_report) for address in schedule.recipients}
    if is_over:
        for address, attach_report in _named_by_rules(sequence):
            wanted.setdefault(address.casefold(), (address, attach_report))
    readers = readers_of(wanted)
    entries = [
        DigestEntry(
            address=address,
            sequence_run=sequence,
            is_over=is_over,
            attach_report=attach_report,
            due_at=due_at(schedule, readers[key]),
        )
        for key, (address, attach_report) in wanted.items()
    ]
    DigestEntry.objects.bulk_create(entries, ignore_conflicts=True)


def keep_entries_again(sequence: SequenceRun) -> None:
    """Note that people are to be told once more of a start that was over: a run of it was taken up again.

    Belongs in the transaction that says so. Queries: at most six, and one for each reader
    """
    keep_entries(sequence, is_over=True)
    schedule = sequence.schedule
    if schedule is None:
        return
    told = list(DigestEntry.objects.filter(sequence_run=sequence, is_over=True).exclude(notification=None))
    readers = readers_of([entry.address for entry in told])
    for entry in told:
        entry.notification, entry.due_at = None, due_at(schedule, readers[entry.address.casefold()])
        entry.save(update_fields=["notification", "due_at"])


def due_at(schedule: Schedule, reader: Reader) -> datetime:
    """Return when the next digest is due in which somebody is told of a feed."""
    now = timezone.now()
    if schedule.digest_at_end:
        return now
    at, zone = (schedule.digest_at, site_zone()) if schedule.digest_at else (reader.digest_at, reader.zone)
    return AtTime(f"{at.minute} {at.hour} * * *", zone).next_after(now)


def forget_entries() -> None:
    """Delete what was told long ago."""
    DigestEntry.objects.filter(notification__created_at__lt=timezone.now() - _KEPT).delete()


def _named_by_rules(sequence: SequenceRun) -> Iterable[tuple[str, bool]]:
    """Return the addresses that rules name for what became of the runs of a start, and whether they get the reports."""
    rules: Mapping[str, Any] = {rule.processor: rule for rule in NotificationRule.objects.filter(site=sequence.site)}
    done = sequence.runs.filter(simulate=False, state__in=_EVENT_BY_STATE).values_list("processor", "state").distinct()
    for processor, state in done.order_by():
        rule = rules.get(processor) or rules.get("")
        if rule is not None:
            yield from ((address, rule.attach_report) for address in rule.recipients.get(_EVENT_BY_STATE[state], ()))
