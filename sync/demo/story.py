"""What the demo opens on, beside its runs: a feed whose file didn't come."""

from __future__ import annotations

from datetime import time, timedelta

from sync.models import MoodleSite, Schedule, SyncRun
from sync.notifications.services import RuleChoice, save_rule
from sync.schedules.services import ScheduleChoice, save_schedule

LATE_FEED = "Enrolments of the registry"
LATE_FILE_TYPE = "enrolments"
# By the clock of the site; whenever somebody looks, such a time has passed since the last file came.
_EXPECTED_AT, _STARTS_AT = time(6), time(2, 15)
_LAST_CAME = timedelta(days=5)


def make_late_feed(site: MoodleSite, last_run: SyncRun) -> Schedule:
    """Keep a feed whose last file came days ago, and whose next one is expected each day. Shape: last_run: of its file type"""
    for run in SyncRun.objects.filter(site=site, processor=LATE_FILE_TYPE, pk__lte=last_run.pk):
        moments = ("created_at", "started_at", "finished_at")
        earlier = {name: moment - _LAST_CAME for name in moments if (moment := getattr(run, name)) is not None}
        SyncRun.objects.filter(pk=run.pk).update(**earlier)
    save_rule(site, LATE_FILE_TYPE, RuleChoice({}, expected_at=_EXPECTED_AT))
    feed = Schedule.objects.filter(site=site, name=LATE_FEED).first()
    choice = ScheduleChoice([LATE_FILE_TYPE], name=LATE_FEED, at=_STARTS_AT, enabled=True)
    return feed or save_schedule(site, choice)
