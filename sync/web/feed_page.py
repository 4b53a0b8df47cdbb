"""The page of one feed: everything about it in one place."""

from __future__ import annotations

from typing import Any

from sync.models import FreezeWindow, NotificationRule, Schedule
from sync.overview.feed_details import next_starts, parts_of
from sync.overview.feeds import add_history, feeds_for
from sync.runs.options import site_zone
from sync.schedules.services import open_windows
from sync.web.access import MANAGE_ALL_SCHEDULES, may_change_schedule, uses_every_file_type
from sync.web.feed_table import chart_of, told_people
from sync.web.limits_form import limit_texts
from sync.web.schedule_form import ScheduleForm

_STARTS_LISTED = 10


def feed_page(user: Any, schedule: Schedule, form: ScheduleForm) -> dict[str, Any]:
    """Return what the page of a feed shows. Queries: about twenty, and one for each file type of the feed"""
    feed = next(feed for feed in feeds_for(user, schedule.site) if feed.schedule.pk == schedule.pk)
    add_history([feed])
    windows: list[FreezeWindow] = open_windows(schedule.site)
    return {
        "feed": feed,
        "schedule": feed.schedule,
        "chart": chart_of(feed.history),
        "starts": feed.history[: -_STARTS_LISTED - 1 : -1],
        "next_starts": next_starts(feed.schedule, windows),
        "parts": [(part, limit_texts(part.limits)) for part in parts_of(feed.schedule)],
        "told": told_people(schedule.site)(schedule.processors),
        "form": form,
        "zone": site_zone(),
        "may_change": may_change_schedule(user, feed.schedule),
        "may_freeze": user.has_perm(MANAGE_ALL_SCHEDULES),
        "may_try_webhook": uses_every_file_type(user),
    }


def mail_addresses(schedule: Schedule) -> list[str]:
    """Return the addresses that hear of the file types of a feed, each once. Queries: one"""
    rules = {rule.processor: rule.recipients for rule in NotificationRule.objects.filter(site=schedule.site)}
    chosen = [rules.get(processor, rules.get("", {})) for processor in schedule.processors]
    return list(dict.fromkeys(name for recipients in chosen for names in recipients.values() for name in names))
