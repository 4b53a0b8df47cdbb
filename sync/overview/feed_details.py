"""What the page of one feed says: where its files come from, with which options and limits, when, and who is told."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from django.utils import timezone

from sync.guard.limits import Limit, read_limits
from sync.models import FreezeWindow, GuardLimits, ProcessorSettings, Schedule, Source, SyncRun
from sync.processors.registry import REGISTRY
from sync.runs.options import changed_options, guard_is_on, value_text
from sync.schedules.services import timing_of
from sync.values import Note

STARTS_SHOWN = 5


class NextStart(NamedTuple):
    """A start that is to come. Shape: window: the freeze window that it falls into"""

    at: datetime
    window: FreezeWindow | None


class OptionText(NamedTuple):
    """An option of the file type as the feed has it, and as the last run by hand had it. Shape: by_hand: None = the same"""

    label: str
    value: str
    by_hand: str | None


class FeedPart(NamedTuple):
    """One file type of a feed.

    Shape: key: of the file type; default_filename: of its files; notes: of the last look at its source; options: those that are
    not as they come, or differ from the last run by hand; by_hand: that run; limits: those of the file type, or of every one;
    has_limits: whether anything is held against them
    """

    key: str
    default_filename: str
    source: Source
    notes: list[Note]
    options: list[OptionText]
    by_hand: SyncRun | None
    limits: Mapping[str, Limit]
    has_limits: bool


def next_starts(schedule: Schedule, windows: Collection[FreezeWindow]) -> list[NextStart]:
    """Return the next starts by the clock, those in a freeze window marked; also of a feed that is off, as if it were on."""
    timing, moment = timing_of(schedule), timezone.now()
    starts: list[NextStart] = []
    while len(starts) < STARTS_SHOWN:
        moment = timing.next_after(moment)
        window = next((window for window in windows if window.starts_at <= moment < window.ends_at), None)
        starts.append(NextStart(moment, window))
    return starts


def parts_of(schedule: Schedule) -> list[FeedPart]:
    """Return the file types of a feed. Queries: three, and one for each file type"""
    keys = [key for key in schedule.processors if key in REGISTRY]
    site = schedule.site
    sources = {source.processor: source for source in Source.objects.filter(site=site, processor__in=keys)}
    stored = {kept.processor: kept.values for kept in ProcessorSettings.objects.filter(site=site, processor__in=keys)}
    limits = {kept.processor: kept for kept in GuardLimits.objects.filter(site=site, processor__in=["", *keys])}
    return [
        _part(
            key,
            sources.get(key) or Source(site=site, processor=key),
            stored.get(key, {}),
            limits.get(key) or limits.get("") or GuardLimits(site=site, is_on=guard_is_on()),
            _last_by_hand(schedule, key),
        )
        for key in keys
    ]


def _part(
    key: str, source: Source, stored: Mapping[str, Any], limits: GuardLimits, by_hand: SyncRun | None
) -> FeedPart:
    options = _options(key, stored, by_hand)
    notes = [Note(*note) for note in source.notes]
    return FeedPart(
        key, REGISTRY[key].default_filename, source, notes, options, by_hand, read_limits(limits.values), limits.is_on
    )


def _options(key: str, stored: Mapping[str, Any], by_hand: SyncRun | None) -> list[OptionText]:
    """Return the options that are not as they come in the feed, or were something else in the last run by hand."""
    declared = REGISTRY[key].options
    now, then = declared.resolve(stored), (by_hand.options if by_hand else {})
    changed = changed_options(key, now)
    return [
        OptionText(
            str(option.label),
            value_text(option, now[option.name]),
            value_text(option, then[option.name])
            if then.get(option.name, now[option.name]) != now[option.name]
            else None,
        )
        for option in declared.declared
        if option.name in changed or then.get(option.name, now[option.name]) != now[option.name]
    ]


def _last_by_hand(schedule: Schedule, key: str) -> SyncRun | None:
    """Return the last run of a file type that a person has started with options of their own."""
    runs = SyncRun.objects.filter(site=schedule.site, processor=key, origin=SyncRun.Origin.PERSON, undoes=None)
    return runs.filter(sequence_run=None).order_by("-pk").first()
