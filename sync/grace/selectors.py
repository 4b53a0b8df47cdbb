"""The list of deletions as pages and commands show it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import NamedTuple

from django.db.models import Q, QuerySet

from sync.grace.services import PROCESSORS
from sync.models import GraceEntry, MoodleSite
from sync.runs.selectors import Person, processors_for

END_GRACE = "sync.end_grace"
_MOST_DIGITS = 18


class GracePage(NamedTuple):
    """Some entries, the first to be deleted first. Shape: following: where the next page begins, "" when this is the last"""

    entries: list[GraceEntry]
    following: str


def tables_for(user: Person, permission: str = "", *, site: MoodleSite | None = None) -> list[str]:
    """Return the tables whose entries somebody may see: those of the file types that they may use.

    Shape: permission: which they must have for the file type as well; site: None = the site `main`
    """
    usable = {processor.key for processor in processors_for(user, permission, site=site)}
    return [table for table, processor in PROCESSORS.items() if processor in usable]


def listed(site: MoodleSite, tables: Collection[str], text: str = "") -> QuerySet[GraceEntry]:
    """Return what is on the list. Shape: text: part of a name, or Moodle's number; "" = everything"""
    entries = GraceEntry.objects.filter(site=site, table__in=tables, closed=0).select_related("run", "task_run")
    if text := text.strip():
        is_number = text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS
        number = Q(rowid=int(text)) if is_number else Q()
        entries = entries.filter(Q(name__icontains=text) | Q(label__icontains=text) | number)
    return entries.order_by("day", "pk")


def grace_page(entries: QuerySet[GraceEntry], after: str = "", *, per_page: int = 50) -> GracePage:
    """Return the entries behind a place. Shape: after: what the page before named, "" = from the start. Queries: one"""
    place = place_of(after)
    if place:
        day, pk = place
        entries = entries.filter(Q(day__gt=day) | Q(day=day, pk__gt=pk))
    found = list(entries[: per_page + 1])
    shown = found[:per_page]
    following = f"{shown[-1].day.isoformat()},{shown[-1].pk}" if len(found) > per_page else ""
    return GracePage(shown, following)


def place_of(after: str) -> tuple[date, int] | None:
    """Return the day and the entry that a page begins behind; None for a text that no page has named."""
    day, _comma, number = after.partition(",")
    try:
        return (date.fromisoformat(day), int(number)) if len(number) <= _MOST_DIGITS else None
    except ValueError:
        return None
