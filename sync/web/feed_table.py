"""The table of feeds: narrowed by state or name, sorted, a page of it, with the people who are told and a small chart each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.core.paginator import Page, Paginator
from django.http import HttpRequest
from django.utils.translation import gettext

from sync.models import MoodleSite, NotificationRule, Schedule
from sync.notifications.webhooks import webhook_of
from sync.overview.feeds import Feed, FeedState, Start, add_history, feeds_for
from sync.processors.registry import REGISTRY
from sync.runs.selectors import processors_for
from sync.web.access import MANAGE_SCHEDULES

# What is shown beside single states.
ALL, ON = "all", "on"
_PER_PAGE = 25
# Of the small chart, in its own units.
_BAR_WIDTH, _BAR_STEP, _HEIGHT = 4, 5, 28
_SORTS: dict[str, Callable[[Feed], Any]] = {
    "state": lambda feed: list(FeedState).index(feed.state),
    "name": lambda feed: str(feed.schedule).lower(),
    "last": lambda feed: -(feed.last.sequence.pk if feed.last else 0),
    "next": lambda feed: feed.next_at.timestamp() if feed.next_at else float("inf"),
}


class Bar(NamedTuple):
    """One start in the small chart. Shape: changed, rejected: heights; is_failed: drawn over the whole height"""

    x: int
    changed: int
    rejected: int
    is_failed: bool

    @property
    def changed_y(self) -> int:
        return _HEIGHT - self.changed

    @property
    def rejected_y(self) -> int:
        return _HEIGHT - self.changed - self.rejected


class Chart(NamedTuple):
    """The last starts of a feed as bars, and in numbers. Shape: failed: starts; rejected: rows"""

    bars: list[Bar]
    starts: int
    failed: int
    rejected: int


class Row(NamedTuple):
    """A feed, who is told of it, and its small chart. Shape: may_open: whether the person may look at its page"""

    feed: Feed
    recipients: list[str]
    chart: Chart
    may_open: bool


class Choice(NamedTuple):
    """What the table can be narrowed to. Shape: value: ON, ALL or a FeedState; feeds: how many"""

    value: str
    label: str
    feeds: int


@dataclass(frozen=True)
class FeedTable:
    """Shape: every: all feeds of the person; choices: of what is shown; chosen: one of these"""

    every: list[Feed]
    page: Page
    rows: list[Row]
    choices: list[Choice]
    chosen: str
    sort: str
    search: str

    @property
    def is_all_off(self) -> bool:
        """Whether there is nothing to show because no feed is switched on."""
        return self.chosen == ON and not self.search and not self.rows


def feed_table(request: HttpRequest, site: MoodleSite, *, at_first: str) -> FeedTable:
    """Return the page of feeds that was asked for. Queries: eleven, however many there are

    Shape: at_first: what is shown when nothing was asked for; ?state= as of a choice; ?q= part of a name; ?sort= a key of _SORTS;
    ?page=
    """
    every = feeds_for(request.user, site)
    search, sort = request.GET.get("q", "").strip(), request.GET.get("sort", "state")
    chosen = request.GET.get("state", at_first)
    shown = [feed for feed in every if _is_shown(feed, chosen) and search.lower() in name_of(feed.schedule).lower()]
    if sort in _SORTS:
        shown.sort(key=_SORTS[sort])
    page = Paginator(shown, _PER_PAGE).get_page(request.GET.get("page"))
    listed = list(page.object_list)
    add_history(listed)
    return FeedTable(every, page, _rows(request.user, site, listed), _choices(every), chosen, sort, search)


def _is_shown(feed: Feed, chosen: str) -> bool:
    return chosen in (ALL, feed.state) or (chosen == ON and feed.state != FeedState.PAUSED)


def _choices(every: list[Feed]) -> list[Choice]:
    counts = Counter(feed.state for feed in every)
    on = Choice(ON, gettext("In use"), len(every) - counts[FeedState.PAUSED])
    states = [Choice(state, str(state.label), counts[state]) for state in FeedState if counts[state]]
    return [Choice(ALL, gettext("All"), len(every)), *([on] if on.feeds else []), *states]


def chart_of(history: list[Start]) -> Chart:
    """Return the small chart of a feed: bars as high as the most that one start has changed and rejected."""
    most = max((start.changed + start.rejected for start in history), default=0) or 1
    bars = [
        Bar(
            place * _BAR_STEP,
            _height(start.changed, most),
            _height(start.rejected, most),
            start.is_failed,
        )
        for place, start in enumerate(history)
    ]
    return Chart(bars, len(history), sum(s.is_failed for s in history), sum(s.rejected for s in history))


def recipients_of(site: MoodleSite) -> Callable[[Schedule], list[str]]:
    """Return what names who is told of a feed: mail addresses, and the server of the webhook. Queries: two"""
    rules = {rule.processor: rule.recipients for rule in NotificationRule.objects.filter(site=site)}
    webhook = webhook_of(site)

    def of_schedule(schedule: Schedule) -> list[str]:
        wanted = [rules.get(processor, rules.get("", {})) for processor in schedule.processors]
        named = (address for recipients in wanted for addresses in recipients.values() for address in addresses)
        people = {address.casefold(): address for address in (*schedule.recipients, *named)}
        return [*people.values(), *([webhook.host] if webhook and webhook.events else [])]

    return of_schedule


def _rows(user: Any, site: MoodleSite, feeds: Iterable[Feed]) -> list[Row]:
    named, settable = recipients_of(site), {processor.key for processor in processors_for(user, MANAGE_SCHEDULES)}
    return [
        Row(feed, named(feed.schedule), chart_of(feed.history), settable.issuperset(feed.schedule.processors))
        for feed in feeds
    ]


def name_of(schedule: Schedule) -> str:
    """Return the name of a feed, or else those of its file types."""
    labels = (str(REGISTRY[key].label) for key in schedule.processors if key in REGISTRY)
    return schedule.name or ", ".join(labels)


def _height(rows: int, most: int) -> int:
    """Return the height of a part of a bar: what is there at all is seen."""
    return max(2, round(_HEIGHT * rows / most)) if rows else 0
