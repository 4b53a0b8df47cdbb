"""The manifest of a course backup, moodle_backup.xml: what the archive says of itself, and which folders hold content."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import NamedTuple

from sync.errors import ArchiveRefused
from sync.moodle.course_content.backup.limits import BackupLimits, in_mib
from sync.moodle.course_content.backup.xml_events import XmlEnd, XmlStart, read_events
from sync.moodle.versions import OLDEST_BACKUP

MANIFEST = "moodle_backup.xml"
_SITE_FORMAT = "site"
_INFORMATION = ("moodle_backup", "information")
_ACTIVITY_FOLDER = re.compile(r"activities/[a-z][a-z0-9_]*_[0-9]+", re.ASCII)
_SECTION_FOLDER = re.compile(r"sections/section_[0-9]+", re.ASCII)
# The lists of the manifest, by where their items stand.
_DETAIL = (*_INFORMATION, "details", "detail")
_ACTIVITY = (*_INFORMATION, "contents", "activities", "activity")
_SECTION = (*_INFORMATION, "contents", "sections", "section")
_SETTING = (*_INFORMATION, "settings", "setting")
_LISTS = (_DETAIL, _ACTIVITY, _SECTION, _SETTING)

Fields = dict[str, str]


class ListedActivity(NamedTuple):
    """An activity of the archive. Shape: moduleid: old course_modules.id; directory: "activities/page_25" """

    moduleid: int
    modulename: str
    sectionid: int
    title: str
    directory: str


class ListedSection(NamedTuple):
    """A section of the archive. Shape: parentcmid: of the activity that it belongs to, 0 for none"""

    sectionid: int
    title: str
    directory: str
    parentcmid: int


@dataclass(frozen=True)
class Manifest:
    """What an archive says of itself.

    Shape: settings: those of the whole backup, as text; activities, sections: only included ones, in the course's order;
    site_hash: md5 of the site's identifier, "" when it isn't told
    Units: startdate: seconds since epoch, 0 for none
    """

    moodle_version: Decimal
    backup_version: int
    wwwroot: str
    site_hash: str
    courseid: int
    contextid: int
    course_format: str
    shortname: str
    fullname: str
    startdate: int
    settings: Mapping[str, str]
    activities: tuple[ListedActivity, ...]
    sections: tuple[ListedSection, ...]


def read_manifest(path: Path, limits: BackupLimits) -> Manifest:
    """Read and check a manifest.

    Raises: ArchiveRefused when it isn't one of a whole course, made by Moodle 4.0 or later
    """
    if not path.is_file():
        raise ArchiveRefused("backup_manifest_missing")
    if path.stat().st_size > limits.manifest:
        raise ArchiveRefused("backup_member_large", member=MANIFEST, limit=in_mib(limits.manifest))
    scalars, lists = _parsed(path, limits)
    _check_kind(scalars, lists[_DETAIL])
    settings = {item.get("name", ""): item.get("value", "") for item in lists[_SETTING] if item.get("level") == "root"}
    left_out = {
        item.get("activity") or item.get("section") or ""
        for item in lists[_SETTING]
        if item.get("name", "").endswith("_included") and item.get("value") == "0"
    }
    return Manifest(
        moodle_version=_decimal(scalars, "moodle_version"),
        backup_version=_integer(scalars, "backup_version"),
        wwwroot=scalars.get("original_wwwroot", ""),
        site_hash=scalars.get("original_site_identifier_hash", ""),
        courseid=_integer(scalars, "original_course_id"),
        contextid=_integer(scalars, "original_course_contextid"),
        course_format=scalars.get("original_course_format", ""),
        shortname=scalars.get("original_course_shortname", ""),
        fullname=scalars.get("original_course_fullname", ""),
        startdate=_number(scalars, "original_course_startdate"),
        settings=settings,
        activities=_activities(lists[_ACTIVITY], left_out),
        sections=_sections(lists[_SECTION], left_out),
    )


def _activities(items: list[Fields], left_out: set[str]) -> tuple[ListedActivity, ...]:
    return tuple(
        ListedActivity(
            _integer(item, "moduleid"),
            item.get("modulename", ""),
            _integer(item, "sectionid"),
            item.get("title", ""),
            directory,
        )
        for item, directory in _listed(items, _ACTIVITY_FOLDER, left_out)
    )


def _sections(items: list[Fields], left_out: set[str]) -> tuple[ListedSection, ...]:
    return tuple(
        ListedSection(
            _integer(item, "sectionid"),
            item.get("title", ""),
            directory,
            _number(item, "parentcmid"),
        )
        for item, directory in _listed(items, _SECTION_FOLDER, left_out)
    )


def _parsed(path: Path, limits: BackupLimits) -> tuple[Fields, dict[tuple[str, ...], list[Fields]]]:
    """Return the values of the whole backup, and the items of each list."""
    scalars: Fields = {}
    lists: dict[tuple[str, ...], list[Fields]] = {place: [] for place in _LISTS}
    for place, name, text in _leaves(path, limits):
        if place == _INFORMATION:
            scalars[name] = text
        elif place in lists and name:
            lists[place][-1][name] = text
        elif place in lists:
            lists[place].append({})
    return scalars, lists


def _leaves(path: Path, limits: BackupLimits) -> Iterator[tuple[tuple[str, ...], str, str]]:
    """Return (where, name, text) for each value; (where, "", "") where an item of a list begins."""
    stack: list[str] = []
    with path.open("rb") as stream:
        for event in read_events(stream, MANIFEST, limits):
            if isinstance(event, XmlStart):
                stack.append(event.name)
                if tuple(stack) in _LISTS:
                    yield tuple(stack), "", ""
            elif isinstance(event, XmlEnd):
                stack.pop()
                yield tuple(stack), event.name, event.text or ""


def _check_kind(scalars: Fields, details: list[Fields]) -> None:
    if not scalars or not details:
        raise ArchiveRefused("backup_manifest_missing")
    if details[0].get("type") != "course" or details[0].get("format") != "moodle2":
        raise ArchiveRefused("backup_kind", kind=details[0].get("type", ""), format=details[0].get("format", ""))
    if scalars.get("original_course_format") == _SITE_FORMAT:
        raise ArchiveRefused("backup_of_site")
    if _integer(scalars, "backup_version") < OLDEST_BACKUP:
        raise ArchiveRefused("backup_old", release=scalars.get("backup_release", ""))


def _listed(items: list[Fields], folder: re.Pattern[str], left_out: set[str]) -> Iterator[tuple[Fields, str]]:
    """Return the items that the archive includes, with their folders, each of which may stand there once."""
    seen: set[str] = set()
    for item in items:
        directory = item.get("directory", "")
        if not folder.fullmatch(directory) or directory in seen:
            raise ArchiveRefused("backup_manifest_folder", folder=directory)
        seen.add(directory)
        if directory.partition("/")[2] not in left_out:
            yield item, directory


def _integer(fields: Fields, name: str) -> int:
    try:
        return int(fields[name])
    except (KeyError, ValueError):
        raise ArchiveRefused("backup_manifest_number", name=name, value=fields.get(name, "")) from None


def _number(fields: Fields, name: str) -> int:
    """Return a number that may be missing, 0 then."""
    return _integer(fields, name) if fields.get(name) else 0


def _decimal(fields: Fields, name: str) -> Decimal:
    try:
        return Decimal(fields[name])
    except (KeyError, InvalidOperation):
        raise ArchiveRefused("backup_manifest_number", name=name, value=fields.get(name, "")) from None
