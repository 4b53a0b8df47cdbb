"""The page of one feed: everything about it in one place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from sync.models import FreezeWindow, NotificationRule, Schedule
from sync.overview.feed_details import FeedPart, next_starts, parts_of
from sync.overview.feeds import add_history, feeds_for
from sync.people.roles import MANAGE_LIMITS
from sync.runs.options import site_zone
from sync.runs.plans import hold_beyond_limits
from sync.runs.rights import Responsible
from sync.runs.selectors import processors_for
from sync.schedules.services import may_choose_recipients, open_windows, save_recipients
from sync.schedules.titles import file_type_label
from sync.web.access import (
    MANAGE_ALL_SCHEDULES,
    may_change_schedule,
    uses_every_file_type,
)
from sync.web.feed_table import chart_of, recipients_of
from sync.web.limits_form import limit_texts
from sync.web.recipients_form import RecipientsForm
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
        "recipients": recipients_of(schedule.site)(schedule),
        "form": form,
        "zone": site_zone(),
        "may_change": may_change_schedule(user, feed.schedule),
        "may_freeze": user.has_perm(MANAGE_ALL_SCHEDULES),
        "may_choose_recipients": may_choose_recipients(user, schedule.site, schedule.processors),
        "may_try_webhook": uses_every_file_type(user),
    }


def mail_addresses(schedule: Schedule) -> list[str]:
    """Return the addresses that hear of a feed, each once. Queries: one"""
    rules = {rule.processor: rule.recipients for rule in NotificationRule.objects.filter(site=schedule.site)}
    chosen = [rules.get(processor, rules.get("", {})) for processor in schedule.processors]
    named = (name for recipients in chosen for names in recipients.values() for name in names)
    return list({name.casefold(): name for name in (*schedule.recipients, *named)}.values())


class RecipientsPage(NamedTuple):
    """What is asked about a feed.

    Shape: form: None for who may not say who is told; parts: each file type, its limits in words; unlimited: keys of those of
    which nothing is held, and whose limits the person may set
    """

    form: RecipientsForm | None
    parts: list[tuple[FeedPart, list[str]]]
    unlimited: list[str]


def recipients_page(user: Any, schedule: Schedule, data: Mapping[str, Any] | None) -> RecipientsPage:
    """Return what is asked of somebody about a feed before it is switched on. Queries: about ten, and one for each file type"""
    parts = parts_of(schedule)
    settable = {processor.key for processor in processors_for(user, MANAGE_LIMITS)}
    unlimited = [part.key for part in parts if not part.has_limits and part.key in settable]
    form = None
    if may_choose_recipients(user, schedule.site, schedule.processors):
        labels = [file_type_label(key) for key in unlimited]
        form = RecipientsForm(data, schedule=schedule, unlimited=labels, own_address=user.email)
    return RecipientsPage(form, [(part, limit_texts(part.limits)) for part in parts], unlimited)


def save_recipients_page(page: RecipientsPage, schedule: Schedule, by: Responsible) -> None:
    """Keep what was answered about a feed. Raises: NotificationError"""
    if page.form is None:
        return
    save_recipients(schedule, page.form.choice, by=by)
    if page.form.is_held:
        hold_beyond_limits(schedule.site, page.unlimited, by)
