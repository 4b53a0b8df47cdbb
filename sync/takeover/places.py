"""Where the plugin took its files from, and when: sources and schedules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sync.errors import ScheduleError, SourceError
from sync.models import MoodleSite, Schedule, Source
from sync.moodle.site.tool_sync import PluginTask
from sync.processors.registry import REGISTRY
from sync.runs.source_settings import SourceChoice, source_of
from sync.schedules.services import SHIPPED, ScheduleChoice
from sync.schedules.timing import parse_crontab
from sync.sources.location import check_paths, items_of, parse_address
from sync.takeover.findings import Fate, Part, TakenItem

LOCATIONS = {
    "users_filelocation": "users",
    "users_deletefilelocation": "users_delete",
    "users_suspendfilelocation": "users_suspend",
    "enrols_filelocation": "enrolments",
    "cohorts_filelocation": "cohorts",
    "cohorts_coursebindingfilelocation": "cohort_courses",
    "courses_fileuploadlocation": "courses",
    "courses_filedeletelocation": "courses_delete",
    "courses_fileexistlocation": "courses_check",
    "courses_fileexistslocation": "courses_check",
    "courses_fileresetlocation": "courses_reset",
    "courses_filemetabindinglocation": "courses_meta",
    "groups_filelocation": "groups",
    "groupmembers_filelocation": "groupmembers",
}
# The scheduled tasks of the plugin, and the file types of each in their order.
TASKS: Mapping[str, tuple[str, ...]] = {
    "usersync_task": ("users",),
    "userpicturessync_task": ("userpictures",),
    "coursesync_task": ("courses_delete", "courses", "courses_meta"),
    "cohortsync_task": ("cohorts", "cohort_courses"),
    "groupsync_task": ("groups", "groupmembers"),
    "enrolsync_task": ("enrolments",),
}
_SHIPPED = dict(SHIPPED)
# Of a schedule that is off: the plugin says nothing of these.
_LEFT_AS_SET = ("stop_on_failure", "together", "after_freeze")


class SourceChange(NamedTuple):
    """A source that is to be set for a file type."""

    processor: str
    choice: SourceChoice


class ScheduleChange(NamedTuple):
    """A schedule that is to be set. Shape: schedule: the one that is changed, None = a new one"""

    schedule: Schedule | None
    choice: ScheduleChoice


def source_items(site: MoodleSite, settings: Mapping[str, str]) -> tuple[list[TakenItem], list[SourceChange]]:
    """Return what becomes of the places of files, and the sources to be set. Queries: one for each place"""
    items: list[TakenItem] = []
    changes: list[SourceChange] = []
    for name, key in LOCATIONS.items():
        place = settings.get(name, "").strip()
        if not place or key not in REGISTRY:
            continue
        try:
            choice, shown = _choice_of(place)
        except SourceError as error:
            items.append(TakenItem(Part.SOURCE, Fate.LEFT, name, key, "", error.code, error.params))
            continue
        stored = source_of(site, key)
        if stored.pk and (stored.kind, stored.location) == (choice.kind, shown):
            items.append(TakenItem(Part.SOURCE, Fate.SAME, name, key, shown))
        elif stored.pk:
            items.append(TakenItem(Part.SOURCE, Fate.KEPT, name, key, shown, "takeover_set_here"))
        elif choice.kind == Source.Kind.AREA and _is_usual(key, shown):
            items.append(TakenItem(Part.SOURCE, Fate.SAME, name, key, shown))
        else:
            items.append(TakenItem(Part.SOURCE, Fate.SET, name, key, shown))
            changes.append(SourceChange(key, choice))
    return items, changes


def schedule_items(
    site: MoodleSite, tasks: Sequence[PluginTask], *, with_feeds_on: bool
) -> tuple[list[TakenItem], list[ScheduleChange]]:
    """Return what becomes of the scheduled tasks, and the schedules to be set. Queries: one

    Shape: with_feeds_on: what is on in Moodle is switched on here. Two of them at work would feed everything twice.
    """
    by_types: dict[tuple[str, ...], Schedule] = {}
    for schedule in Schedule.objects.filter(site=site).order_by("-pk"):
        by_types[tuple(schedule.processors)] = schedule
    items: list[TakenItem] = []
    changes: list[ScheduleChange] = []
    for task in tasks:
        types = TASKS.get(task.name)
        if types is None:
            items.append(TakenItem(Part.SCHEDULE, Fate.LEFT, task.name, value=task.crontab, code="takeover_task_other"))
            continue
        item, change = _schedule(by_types.get(types), types, task, with_feeds_on=with_feeds_on)
        items.append(item)
        changes += [change] if change else []
    return items, changes


def _schedule(
    stored: Schedule | None, types: tuple[str, ...], task: PluginTask, *, with_feeds_on: bool
) -> tuple[TakenItem, ScheduleChange | None]:
    subject = ", ".join(types)
    try:
        parse_crontab(task.crontab)
    except ScheduleError as error:
        return TakenItem(Part.SCHEDULE, Fate.LEFT, task.name, subject, task.crontab, error.code, error.params), None
    is_on = task.is_on and with_feeds_on
    code = "takeover_feed_stays_off" if task.is_on and not with_feeds_on else ""
    if stored is not None and stored.crontab == task.crontab and (stored.enabled or not is_on):
        return TakenItem(
            Part.SCHEDULE, Fate.SAME, task.name, subject, task.crontab, "" if stored.enabled else code
        ), None
    if stored is not None and not _is_as_shipped(stored, types, task):
        return TakenItem(Part.SCHEDULE, Fate.KEPT, task.name, subject, task.crontab, "takeover_set_here"), None
    choice = ScheduleChoice(
        processors=types,
        name=stored.name if stored else "",
        kind=Schedule.Kind.CRONTAB,
        crontab=task.crontab,
        enabled=is_on,
        **({name: getattr(stored, name) for name in _LEFT_AS_SET} if stored is not None else {}),
    )
    return TakenItem(Part.SCHEDULE, Fate.SET, task.name, subject, task.crontab, code), ScheduleChange(stored, choice)


def _is_as_shipped(stored: Schedule, types: tuple[str, ...], task: PluginTask) -> bool:
    """Tell whether nobody has set a schedule: it is off, and as it came or as a take-over has left it."""
    is_own = stored.kind == Schedule.Kind.CRONTAB and stored.crontab in (_SHIPPED.get(types), task.crontab)
    return not stored.enabled and is_own


def _choice_of(place: str) -> tuple[SourceChoice, str]:
    """Return the source that a place of the plugin is, and how it is shown. Raises: SourceError"""
    if "://" in place:
        return SourceChoice(kind=Source.Kind.ADDRESS, location=place), parse_address(place).shown
    check_paths(place)
    location = ", ".join(items_of(place))
    return SourceChoice(kind=Source.Kind.AREA, location=location), location


def _is_usual(key: str, location: str) -> bool:
    return location.strip("/") == REGISTRY[key].default_filename
