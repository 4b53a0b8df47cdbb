"""Which files the schedules will take, and when: what pages tell before it happens."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from sync.models import ArmedFile, CommandFile, MoodleSite, Schedule
from sync.schedules.arming import armings_by_type, meant_types
from sync.schedules.services import next_start, open_windows


class UpcomingStart(NamedTuple):
    """The next start of a schedule. Shape: at: None while a freeze window keeps it back."""

    schedule: Schedule
    at: datetime | None


class UpcomingFile(NamedTuple):
    """A file that the schedules of a file type look for.

    Shape: arming: None = they don't take it yet; starts: of the schedules that are on, the next first
    """

    file: CommandFile
    processor: str
    arming: ArmedFile | None
    starts: list[UpcomingStart]


def starts_of(site: MoodleSite, processor: str) -> list[UpcomingStart]:
    """Return when the schedules that run a file type start next, those that are on. Queries: two"""
    return _starts_by_type(site).get(processor, [])


def upcoming_files(site: MoodleSite, files: Collection[CommandFile]) -> list[UpcomingFile]:
    """Return for each of these files the file types whose schedules look for it. Queries: five, however many there are"""
    types = meant_types(site, files)
    starts, armings = _starts_by_type(site), armings_by_type(files)
    meant = {key: [file for file in files if key in types[file.pk]] for keys in types.values() for key in keys}
    return [
        UpcomingFile(file, processor, armings.get((file.pk, processor)), starts.get(processor, []))
        for processor, found in meant.items()
        for file in found
    ]


def _starts_by_type(site: MoodleSite) -> dict[str, list[UpcomingStart]]:
    schedules = Schedule.objects.filter(site=site, enabled=True).select_related("site", "owner").order_by("next_at")
    windows = open_windows(site)
    starts: dict[str, list[UpcomingStart]] = {}
    for schedule in schedules:
        start = UpcomingStart(schedule, next_start(schedule, windows))
        for processor in schedule.processors:
            starts.setdefault(processor, []).append(start)
    return starts
