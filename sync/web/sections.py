"""The sections of the menu, and the entries of the pages that only lead on: a new page is one line in a list below."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from sync.people.roles import MANAGE_LIMITS, MANAGE_NOTIFICATIONS, MANAGE_PEOPLE, MANAGE_RETENTION
from sync.runs.exports import exportable_for
from sync.runs.rights import MANAGE_FILES, MANAGE_SOURCES
from sync.web.access import (
    MANAGE_STICKY,
    VIEW_AUDIT,
    has_any_access,
    looks_into_moodle,
    manages_sites,
)

DELETE_USERS, DELETE_COURSES, RESET_COURSES = (
    "sync.run_users_delete",
    "sync.run_courses_delete",
    "sync.run_courses_reset",
)


def holding(*permissions: str) -> Callable[[Any], bool]:
    """Return what says whether somebody has one of these permissions."""
    return lambda user: any(map(user.has_perm, permissions))


@dataclass(frozen=True)
class Entry:
    """A page that a section leads to.

    Shape: name, args: of its address; is_open_to: whether a person may open it
    """

    name: str
    label: Any
    summary: Any
    is_open_to: Callable[[Any], bool] = has_any_access
    args: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        return reverse(self.name, args=self.args)


@dataclass(frozen=True)
class Section:
    """One entry of the menu.

    Shape: name: of its address; folders: with what the addresses of its pages begin; access: as of an entry; entries: of a
    section that only leads on: it is there for those to whom one of them is open
    """

    name: str
    label: Any
    folders: tuple[str, ...]
    access: Callable[[Any], bool] = has_any_access
    entries: tuple[Entry, ...] = ()

    @property
    def url(self) -> str:
        return reverse(self.name)

    def is_open_to(self, user: Any) -> bool:
        return bool(open_entries(self.entries, user)) if self.entries else self.access(user)

    def holds(self, path: str) -> bool:
        """Whether the page at a path belongs to the section."""
        return path == self.url or path.startswith(self.folders)


FEEDS = (
    Entry("sources", _("Sources"), _("Where the files of each file type come from."), holding(MANAGE_SOURCES)),
)  # fmt: skip
MOODLE = (
    Entry(
        "moodle_search", _("Look into Moodle"),
        _("Find a user or a course, what they have and belong to, and all that ToolSync changed."), looks_into_moodle,
    ),
    Entry(
        "moodle_list", _("What files can name"),
        _("Roles, categories, courses, cohorts, groups and fields with their identifiers, to be copied."),
        looks_into_moodle, ("roles",),
    ),
    Entry(
        "exports", _("Export"), _("What is in Moodle as a command file that changes nothing when it is sent back."),
        lambda user: bool(exportable_for(user)),
    ),
    Entry(
        "courses", _("Courses"), _("Find courses, choose some, and make a command file that deletes or resets them."),
        holding(DELETE_COURSES, RESET_COURSES),
    ),
    Entry(
        "empty_categories", _("Empty categories"), _("Find categories that hold no course, and delete them."),
        holding("sync.run_categories_delete"),
    ),
    Entry(
        "deletions", _("Deletions"), _("Users and courses that will be deleted when their days of grace are over."),
        holding(DELETE_USERS, DELETE_COURSES),
    ),
)  # fmt: skip
SETTINGS = (
    Entry(
        "notification_rules", _("Notifications"),
        _("Mails about each file type, files that are overdue, and a webhook."), holding(MANAGE_NOTIFICATIONS),
    ),
    Entry(
        "limits", _("Limits"), _("How much a file may change by itself, before a person has to approve it."),
        holding(MANAGE_LIMITS), ("all",),
    ),
    Entry(
        "sticky_fields", _("Sticky fields"), _("Which columns files leave as they are in what is in Moodle already."),
        holding(MANAGE_STICKY),
    ),
    Entry(
        "retention", _("How long things are kept"),
        _("Days after which reports, archives, trybacks and before-images are deleted."), holding(MANAGE_RETENTION),
    ),
    Entry(
        "people", _("People and roles"), _("Who may do what, for which file types; invitations."),
        holding(MANAGE_PEOPLE),
    ),
    Entry("tokens", _("Tokens"), _("With what programs use the API in your name, and what they can ask.")),
    Entry(
        "sites", _("Sites"), _("The Moodles that ToolSync feeds: their databases, data folders and clocks."), manages_sites
    ),
    Entry("health", _("Health"), _("Whether workers, Moodle, mail and everything else are at work, and what to do.")),
    Entry("audit", _("Audit"), _("What was changed in Moodle and here, and by whom."), holding(VIEW_AUDIT)),
)  # fmt: skip
SECTIONS = (
    Section("home", _("Overview"), ()),
    Section("feeds", _("Feeds"), ("/feeds/", "/schedules/", "/sources/", "/sequences/")),
    Section("files", _("Files"), ("/files/",), holding(MANAGE_FILES)),
    Section("runs", _("Runs"), ("/runs/", "/bundles/")),
    Section("moodle", _("Moodle"), ("/moodle/", "/courses/", "/categories/", "/deletions/"), entries=MOODLE),
    Section("settings", _("Settings"), ("/settings/", "/notices/", "/people/", "/audit/"), entries=SETTINGS),
)


def open_entries(entries: Iterable[Entry], user: Any) -> list[Entry]:
    """Return the entries that somebody may open."""
    return [entry for entry in entries if entry.is_open_to(user)]


def open_sections(user: Any) -> list[Section]:
    """Return the sections in which there is something for somebody."""
    answers: dict[Callable[[Any], bool], bool] = {}

    def is_open(access: Callable[[Any], bool]) -> bool:
        # Most of them ask the same, and it is asked with each page.
        if access not in answers:
            answers[access] = access(user)
        return answers[access]

    return [
        section
        for section in SECTIONS
        if any(map(is_open, (entry.is_open_to for entry in section.entries) if section.entries else (section.access,)))
    ]


def section_named(name: str) -> Section:
    """Return a section by the name of its address."""
    return next(section for section in SECTIONS if section.name == name)
