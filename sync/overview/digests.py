"""Digests: what the feeds of a night have done, one mail for each reader, with what needs a person first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _, ngettext, override

from sync.messages import Quantity
from sync.models import (
    DigestEntry,
    Event,
    MoodleSite,
    Notification,
    NotificationRule,
    SequenceRun,
    SequenceState,
    SyncRun,
)
from sync.models.run import WAITING_STATES
from sync.notifications.readers import Reader, readers_of
from sync.notifications.services import enqueue
from sync.outcomes.report import count_text
from sync.overview.digest_extras import DAYS_AHEAD, Extras, Item, due_items, extras_of, last_digest_at, retried_items
from sync.overview.feeds import FAILED_STATES, FeedState, Start, with_counts
from sync.overview.need_texts import NeedText, Reads, need_text
from sync.overview.needs import Kind, Need, needs_of
from sync.runs.options import page_address, settings_language
from sync.schedules.titles import title_of
from sync.values import Action

# Nobody reads a longer list in a mail; the page has all of it.
_NEEDS_LISTED = 20
_LEADS: dict[str, Callable[[], str]] = {
    Kind.DEAD.name.lower(): lambda: _("Not at work: %(what)s"),
    Kind.HELD.name.lower(): lambda: _("Held: %(what)s"),
    Kind.FAILED.name.lower(): lambda: _("Failed: %(what)s"),
    Kind.PAUSED.name.lower(): lambda: _("Paused: %(what)s"),
    Kind.LATE.name.lower(): lambda: _("Late: %(what)s"),
    Kind.OVERDUE.name.lower(): lambda: _("Late: %(what)s"),
}


class _TakenByAnother(Exception):
    """Another worker has made this digest meanwhile."""


@dataclass
class FeedOfNight:
    """What a feed has done since the last digest. Shape: starts: the last one last; is_waiting: a run of it waits for a person"""

    starts: list[Start]
    is_waiting: bool

    @property
    def last(self) -> SequenceRun:
        return self.starts[-1].sequence

    @property
    def counts(self) -> Counter[str]:
        return sum((start.counts for start in self.starts), Counter())

    @property
    def rejected(self) -> int:
        return sum(start.rejected for start in self.starts)

    @property
    def state_label(self) -> str:
        return str(FeedState.HELD.label if self.is_waiting else SequenceState(self.last.state).label)


def make_due_digests() -> None:
    """Make the digests that are due; each is one mail, however many workers look for it at once."""
    due = DigestEntry.objects.filter(notification=None, due_at__lte=timezone.now())
    readers = {
        (site, address.casefold()) for site, address in due.values_list("sequence_run__site", "address").distinct()
    }
    for site_id, address in sorted(readers):
        try:
            with transaction.atomic():
                _make_digest(MoodleSite.objects.get(pk=site_id), address)
        except _TakenByAnother:
            continue


def _make_digest(site: MoodleSite, address: str) -> None:
    """Make a digest of everything that somebody is to be told of by now, and take it off the list.

    Raises: _TakenByAnother
    """
    due = DigestEntry.objects.filter(notification=None, due_at__lte=timezone.now(), sequence_run__site=site)
    entries = [entry for entry in due.order_by("pk") if entry.address.casefold() == address]
    if not entries:
        return
    reader = readers_of([address])[address]
    text, attached = _text_of(site, entries, reader)
    digest = Notification.objects.create(
        site=site,
        processor="",
        event=Event.DIGEST,
        channel=Notification.Channel.MAIL,
        recipients=[entries[0].address],
        language=reader.language or _usual_language(site),
        text=text,
        attach_report=attached,
        next_try_at=timezone.now(),
    )
    mine = DigestEntry.objects.filter(pk__in=[entry.pk for entry in entries], notification=None)
    if mine.update(notification=digest) != len(entries):
        raise _TakenByAnother
    enqueue(digest)


def _text_of(site: MoodleSite, entries: Sequence[DigestEntry], reader: Reader) -> tuple[dict[str, Any], bool]:
    """Return subject, body and the runs whose reports are attached, and whether any are."""
    feeds = _feeds_of({entry.sequence_run_id for entry in entries})
    extras = extras_of(
        site, last_digest_at(site, entries[0].address), person=reader.person,
        schedules={feed.last.schedule_id for feed in feeds if feed.last.schedule_id},
    )  # fmt: skip
    needs = needs_of(reader.person, site) if reader.person is not None else _needs_of_feeds(feeds)
    with_reports = {entry.sequence_run_id for entry in entries if entry.attach_report}
    reports = SyncRun.objects.filter(sequence_run__in=with_reports, simulate=False).order_by("pk")
    reads = Reads.of(reader.person, site) if reader.person is not None else Reads()
    with override(reader.language or _usual_language(site)), timezone.override(reader.zone):
        said = [need_text(need, reads) for need in needs]
        text = {
            "subject": _subject(said, feeds),
            "body": "\n".join(_lines(site, said, feeds, extras, reader)) + "\n",
            "reports": list(reports.values_list("pk", flat=True)),
        }
    return text, bool(with_reports)


def _usual_language(site: MoodleSite) -> str:
    rule = NotificationRule.objects.filter(site=site, processor="").first()
    return (rule.language if rule is not None else "") or settings_language()


def _feeds_of(sequence_ids: set[int]) -> list[FeedOfNight]:
    """Return what each feed has done, in the order of their first starts. Queries: three"""
    sequences = SequenceRun.objects.filter(pk__in=sequence_ids).select_related("schedule").order_by("pk")
    waiting = SyncRun.objects.filter(sequence_run__in=sequence_ids, state__in=WAITING_STATES)
    held = set(waiting.values_list("sequence_run", flat=True))
    feeds: dict[Any, FeedOfNight] = {}
    for start in with_counts(sequences):
        key = start.sequence.schedule_id or f"deleted {start.sequence.pk}"
        feed = feeds.setdefault(key, FeedOfNight([], is_waiting=False))
        feed.starts.append(start)
        feed.is_waiting = feed.is_waiting or start.sequence.pk in held
    return list(feeds.values())


def _needs_of_feeds(feeds: Sequence[FeedOfNight]) -> list[Need]:
    """Return what needs a person of these feeds alone, for somebody who can't log in. Queries: one"""
    ids = [start.sequence.pk for feed in feeds for start in feed.starts]
    runs = SyncRun.objects.filter(sequence_run__in=ids, simulate=False).select_related("plan", "bundle").order_by("pk")
    needs = [Need(Kind.HELD, run, run.held_at) for run in runs if run.waits_for_person]
    needs += [Need(Kind.PAUSED, run, run.heartbeat_at or run.created_at) for run in runs if run.is_paused]
    for feed in feeds:
        if feed.last.state in FAILED_STATES and feed.last.schedule is not None:
            schedule: Any = feed.last.schedule
            schedule.last_id = feed.last.pk
            needs.append(Need(Kind.FAILED, schedule, feed.last.finished_at))
    failed = ((run, run.counts.get(Action.REJECTED, 0) + run.counts.get(Action.PARTIAL, 0)) for run in runs)
    return needs + [Need(Kind.REJECTED, run, run.finished_at, count) for run, count in failed if count]


def _subject(needs: Sequence[NeedText], feeds: Sequence[FeedOfNight]) -> str:
    """Return all of it in one line: "Held: Users, in.csv · 3 feeds, 12,481 rows, 4 rejected"."""
    rows = sum(feed.counts.total() for feed in feeds)
    rejected = sum(feed.rejected for feed in feeds)
    counts = (
        ngettext("%(n)s feed", "%(n)s feeds", len(feeds)) % {"n": Quantity(len(feeds))},
        ngettext("%(n)s row", "%(n)s rows", rows) % {"n": Quantity(rows)},
        count_text(Action.REJECTED, rejected),
    )
    said = ", ".join(counts)
    urgent = [need for need in needs if need.name in _LEADS]
    if not urgent:
        return said
    alike = [need for need in urgent if need.name == urgent[0].name]
    what = alike[0].title
    if others := len(alike) - 1:
        what = ngettext("%(what)s and %(n)s other", "%(what)s and %(n)s others", others) % {"what": what, "n": others}
    return f"{_LEADS[urgent[0].name]() % {'what': what}} · {said}"


def _lines(
    site: MoodleSite, needs: Sequence[NeedText], feeds: Sequence[FeedOfNight], extras: Extras, reader: Reader
) -> Iterator[str]:  # fmt: skip
    yield _("Site: %(site)s") % {"site": site.name}
    yield _("Times are those of %(zone)s.") % {"zone": reader.zone.key}
    yield ""
    if needs:
        yield _("Needs you:")
        for need in needs[:_NEEDS_LISTED]:
            yield from _item(site, _("%(what)s: %(said)s") % {"what": need.title, "said": need.said}, need.path)
        if (more := len(needs) - _NEEDS_LISTED) > 0:
            text = ngettext("%(n)s more thing needs you", "%(n)s more things need you", more) % {"n": Quantity(more)}
            yield from _item(site, text, f"{reverse('home')}?needs=all#needs-you")
    else:
        yield _("Nothing needs you.")
    yield ""
    yield _("What the feeds have done:")
    for feed in feeds:
        path = reverse("sequence_run", args=[feed.last.pk])
        yield from _item(site, _feed_text(feed), path)
    yield from _section(site, _("Rows that were tried again by themselves:"), list(retried_items(extras)))
    ahead = ngettext("To be deleted within %(n)s day:", "To be deleted within %(n)s days:", DAYS_AHEAD) % {
        "n": DAYS_AHEAD
    }
    yield from _section(site, ahead, list(due_items(extras)))
    if address := page_address(reverse("preferences"), site.slug):
        yield ""
        yield _("When digests come, and in which language: %(address)s") % {"address": address}


def _section(site: MoodleSite, title: str, items: Sequence[Item]) -> Iterator[str]:
    if items:
        yield ""
        yield title
        for item in items:
            yield from _item(site, item.text, item.path)


def _item(site: MoodleSite, text: str, path: str) -> Iterator[str]:
    yield f"- {text}"
    if path and (address := page_address(path, site.slug)):
        yield f"  {address}"


def _feed_text(feed: FeedOfNight) -> str:
    """Return what a feed has done: "Night: Completed, 1 Dec 2026, 02:15 to 02:17. 2,961 created, 4 rejected"."""
    counts = feed.counts
    said = [count_text(action, counts[action]) for action in Action if counts[action]]
    done = ", ".join(said) or _("nothing came")
    times = _time(feed.last.created_at)
    if feed.last.finished_at is not None:
        end = date_format(timezone.localtime(feed.last.finished_at), "TIME_FORMAT")
        times = _("%(start)s to %(end)s") % {"start": times, "end": end}
    if (starts := len(feed.starts)) > 1:
        text = ngettext("%(n)s start, the last one %(times)s", "%(n)s starts, the last one %(times)s", starts)
        times = text % {"n": Quantity(starts), "times": times}
    text = _("%(feed)s: %(state)s, %(times)s. %(done)s")
    name = title_of(feed.last.schedule or feed.last)
    return text % {"feed": name, "state": feed.state_label, "times": times, "done": done}


def _time(moment: Any) -> str:
    return date_format(timezone.localtime(moment), "SHORT_DATETIME_FORMAT")
