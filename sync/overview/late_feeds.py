"""Feeds that are late: people are told once, and once more when they are on time again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import OuterRef, Q, Subquery
from django.utils import timezone

from sync.models import Event, MoodleSite, NotifiedFailure, Schedule, SequenceRun, SequenceState
from sync.notifications.services import notify, rule_of
from sync.overview.feeds import has_paused_run, is_late
from sync.runs.options import tick_seconds
from sync.schedules.overdue import overdue_files
from sync.schedules.sequences import window_at

# What people know of a feed as a whole is kept as of a file type without a name; at first only we have seen it.
_WHOLE = ""
_SEEN, _NOTIFIED = "feed_late_seen", "feed_late"


class Lateness(NamedTuple):
    """Why a feed is late.

    Shape: code: of sync.messages; processor: whose file is missing, or the first; since: when it was due
    """

    code: str
    processor: str
    since: datetime


def notify_of_late_feeds() -> None:
    """Tell of each feed that is late, and of each that isn't any more. In a freeze window nothing is late.

    A feed is told of when it has been seen late for two ticks: after a pause of ours the first tick starts what is due.
    """
    for site in MoodleSite.objects.filter(in_use=True):
        if window_at(site, timezone.now()) is None:
            _follow(site)


def _follow(site: MoodleSite) -> None:
    """Queries: four, and some for each feed that is told of"""
    known = {
        failure.schedule_id: failure
        for failure in NotifiedFailure.objects.filter(schedule__site=site, processor=_WHOLE)
    }
    overdue = {file.processor: file.deadline for file in overdue_files(site)}
    newest = SequenceRun.objects.filter(schedule=OuterRef("pk")).order_by("-pk")
    schedules = Schedule.objects.filter(Q(enabled=True) | Q(pk__in=known), site=site).select_related("site")
    annotated = schedules.annotate(last_state=Subquery(newest.values("state")[:1]), has_paused=has_paused_run())
    for schedule in annotated:
        lateness, failure = _lateness(schedule, overdue), known.get(schedule.pk)
        if lateness is None and failure is not None:
            _end(schedule, failure)
        elif lateness is not None and failure is None:
            NotifiedFailure.objects.get_or_create(schedule=schedule, processor=_WHOLE, defaults={"code": _SEEN})
        elif lateness is not None and failure is not None and _is_due(failure):
            _notify(schedule, failure, lateness)


def _lateness(schedule: Any, overdue: Mapping[str, datetime]) -> Lateness | None:
    """Return why a feed is late, None = it isn't.

    Shape: schedule: with `last_state` and `has_paused`; overdue: file type -> when it was due
    """
    if not schedule.enabled:
        return None
    if is_late(schedule) and schedule.last_state != SequenceState.RUNNING:
        return Lateness("feed_not_started", schedule.processors[0], schedule.next_at)
    if is_late(schedule) and schedule.has_paused:
        return Lateness("feed_run_paused", schedule.processors[0], schedule.next_at)
    missing = [(overdue[key], key) for key in schedule.processors if key in overdue]
    if missing:
        since, processor = min(missing)
        return Lateness("feed_without_file", processor, since)
    return None


def _is_due(failure: NotifiedFailure) -> bool:
    return failure.code == _SEEN and failure.since <= timezone.now() - timedelta(seconds=2 * tick_seconds())


def _notify(schedule: Schedule, failure: NotifiedFailure, lateness: Lateness) -> None:
    site = schedule.site
    # They get a mail of the file itself.
    have_it: list[str] = []
    if lateness.code == "feed_without_file":
        rule = rule_of(site, lateness.processor)
        have_it = rule.recipients.get(Event.OVERDUE, [])
    with transaction.atomic():
        if NotifiedFailure.objects.filter(pk=failure.pk, code=_SEEN).update(code=_NOTIFIED, since=lateness.since):
            notify(
                site, lateness.processor, Event.LATE, schedule=schedule, notified=have_it, feed=schedule,
                fault=[lateness.code, {}], since=lateness.since,
            )  # fmt: skip


def _end(schedule: Schedule, failure: NotifiedFailure) -> None:
    """Forget that a feed was late, and say that it is on time again where people know of it; one that was switched off isn't."""
    with transaction.atomic():
        is_ours = NotifiedFailure.objects.filter(pk=failure.pk, code=failure.code).delete()[0]
        if is_ours and failure.code == _NOTIFIED and schedule.enabled:
            notify(
                schedule.site, schedule.processors[0], Event.RECOVERED, schedule=schedule, feed=schedule, since=failure.since
            )  # fmt: skip
