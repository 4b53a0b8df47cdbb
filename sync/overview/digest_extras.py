"""What a digest says beside feeds: rows that were tried again by themselves, and what is to be deleted in the days to come."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import Count, Max
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _, ngettext

from sync.grace.selectors import tables_for
from sync.grace.services import today
from sync.messages import Quantity
from sync.models import DigestEntry, GraceEntry, MoodleSite, SyncRun
from sync.models.run import OVER_STATES
from sync.outcomes.report import count_texts
from sync.processors.users.state import USER_TABLE
from sync.runs.selectors import visible_runs
from sync.schedules.titles import file_type_label

# What is deleted later is said in a later digest.
DAYS_AHEAD = 7
_RUNS_LISTED = 10


class Extras(NamedTuple):
    """Shape: retried: runs that tried rows again; due: day -> table of Moodle -> how many are deleted; sees_list: whether the
    reader may open the list of deletions
    """

    retried: list[SyncRun]
    due: dict[date, dict[str, int]]
    sees_list: bool


class Item(NamedTuple):
    """A line of a mail with the page that belongs to it, "" = none."""

    text: str
    path: str


def last_digest_at(site: MoodleSite, address: str) -> datetime:
    """Return when somebody got the last digest of a site; a day ago where there is none. Queries: one"""
    earlier = DigestEntry.objects.filter(sequence_run__site=site, address__iexact=address)
    last: datetime | None = earlier.aggregate(last=Max("notification__created_at"))["last"]
    return last or timezone.now() - timedelta(days=1)


def extras_of(site: MoodleSite, since: datetime, *, person: Any, schedules: Collection[int]) -> Extras:
    """Return what there is to say beside the feeds: to a person what they may see, to others what came of the feeds alone.

    Shape: person: None for an address without a login; schedules: ids of the feeds that a digest is about
    Queries: two, and those of the rights of a person
    """
    tried = visible_runs(person, site) if person is not None else SyncRun.objects.filter(site=site)
    tried = tried.filter(
        origin=SyncRun.Origin.RETRY, simulate=False, state__in=OVER_STATES, finished_at__gt=since
    ).order_by("pk")
    listed = GraceEntry.objects.filter(
        site=site, closed=0, state=GraceEntry.State.WAITING, day__lte=today() + timedelta(days=DAYS_AHEAD)
    )
    if person is not None:
        tables = tables_for(person, site=site)
        listed = listed.filter(table__in=tables)
    else:
        tables = []
        tried = tried.filter(retry_of__run__sequence_run__schedule__in=schedules)
        listed = listed.filter(run__sequence_run__schedule__in=schedules)
    due: dict[date, dict[str, int]] = defaultdict(dict)
    for day, table, count in listed.order_by("day").values_list("day", "table").annotate(count=Count("pk")):
        due[day][table] = count
    return Extras(list(tried[: _RUNS_LISTED + 1]), due, bool(tables))


def retried_items(extras: Extras) -> Iterator[Item]:
    """Return a line for each run that tried rows again."""
    for run in extras.retried[:_RUNS_LISTED]:
        done = ", ".join(count_texts(run.counts, run.partial_counts)) or run.state_label
        text = _("%(file_type)s, %(file)s: %(done)s")
        said = {"file_type": file_type_label(run.processor), "file": run.file_name, "done": done}
        yield Item(text % said, reverse("run", args=[run.pk]))
    if len(extras.retried) > _RUNS_LISTED:
        yield Item(_("and more"), reverse("runs"))


def due_items(extras: Extras) -> Iterator[Item]:
    """Return a line for each day on which something is deleted: "3 Dec 2026: 12 users, 1 course"."""
    for day, counts in extras.due.items():
        said = ", ".join(_counted(table, count) for table, count in counts.items())
        text = _("%(day)s: %(what)s") % {"day": date_format(day, "SHORT_DATE_FORMAT"), "what": said}
        yield Item(text, reverse("deletions") if extras.sees_list else "")


def _counted(table: str, count: int) -> str:
    text = (
        ngettext("%(n)s user", "%(n)s users", count)
        if table == USER_TABLE
        else ngettext("%(n)s course", "%(n)s courses", count)
    )
    return text % {"n": Quantity(count)}
