"""People are told once that a part is dead, and once that it works again.

Those who hear of failures of every file type (the common notification rule), and the webhook; of a part that all sites need,
those of each site. When workers or beat are dead, nothing of ours can say so: the strip on every page does.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from sync.health.records import Level
from sync.models import Event, HealthRecord, MoodleSite
from sync.notifications.services import notify

# What comes back by itself within moments wakes nobody.
_SETTLED = timedelta(minutes=3)


def notify_of_dead_parts() -> None:
    """Tell of the parts that died, and of those that people know of as dead and that work again.

    Queries: two, and some for each that is told of
    """
    now = timezone.now()
    dead = HealthRecord.objects.filter(level=Level.ERROR, notified_at=None, since__lte=now - _SETTLED)
    for record in dead:
        _tell(record, Event.DEAD, was=None, becomes=now)
    for record in HealthRecord.objects.exclude(level=Level.ERROR).exclude(notified_at=None):
        _tell(record, Event.RECOVERED, was=record.notified_at, becomes=None)


def _tell(record: HealthRecord, event: Event, *, was: datetime | None, becomes: datetime | None) -> None:
    """Keep the notifications and note that people know, all or none, and one worker alone. Each address gets one mail."""
    mine = HealthRecord.objects.filter(pk=record.pk, level=record.level, notified_at=was)
    about: dict[str, Any] = {"part": record.part, "since": was}
    if event == Event.DEAD:
        about |= {"since": record.since, "fault": [record.code, record.params]}
    with transaction.atomic():
        if not mine.update(notified_at=becomes):
            return
        notified: list[str] = []
        for site in _concerned(record):
            notified += notify(site, "", event, notified=notified, **about)


def _concerned(record: HealthRecord) -> QuerySet[MoodleSite]:
    """Return the sites that need a part, the oldest first: one Moodle, or all of them. Nobody is told of one out of use."""
    sites = MoodleSite.objects.filter(in_use=True).order_by("pk")
    return sites.filter(slug=record.subject) if record.subject else sites
