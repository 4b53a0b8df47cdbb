"""Which files the schedules will take, and when: what pages tell before it happens."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from sync.models import ArmedFile, CommandFile, MoodleSite, Schedule
from sync.runs.arming import armings_of, meant_types
from sync.runs.scheduling import next_start


class Start(NamedTuple):
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
    starts: list[Start]


def starts_of(site: MoodleSite, processor: str) -> list[Start]:
    """Return when the schedules that run a file type start next, those that are on."""
    schedules = Schedule.objects.filter(site=site, enabled=True).select_related("site", "owner").order_by("next_at")
    return [Start(schedule, next_start(schedule)) for schedule in schedules if processor in schedule.processors]


def upcoming_files(site: MoodleSite, files: Collection[CommandFile]) -> list[UpcomingFile]:
    """Return for each of these files the file types whose schedules look for it. Queries: some for each file type."""
    found: list[UpcomingFile] = []
    types = meant_types(site, files)
    for processor in {key: None for keys in types.values() for key in keys}:
        meant = [file for file in files if processor in types[file.pk]]
        armings, starts = armings_of(meant, processor), starts_of(site, processor)
        found += [UpcomingFile(file, processor, armings.get(file.pk), starts) for file in meant]
    return found
