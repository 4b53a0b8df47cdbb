"""What needs a person, in a sentence each: for the list at the bell and for mails."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Self

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _, ngettext

from sync.messages import Quantity
from sync.models import MoodleSite, SyncRun
from sync.overview.needs import Kind, Need
from sync.people.rights import may, may_set_something
from sync.runs.rights import MANAGE_SOURCES
from sync.runs.selectors import Person
from sync.schedules.titles import file_type_label, title_of

_SCHEDULES = "sync.manage_schedules"


class NeedText(NamedTuple):
    """Shape: title: what it is about; said: why it needs somebody; path: of the page, "" where they may open none"""

    name: str
    title: str
    said: str
    path: str


class Reads(NamedTuple):
    """What somebody may do who reads of needs. Shape: sees_addresses: of servers, as of a part that is dead"""

    manages_schedules: bool = False
    manages_sources: bool = False
    sees_addresses: bool = False

    @classmethod
    def of(cls, person: Person, site: MoodleSite) -> Self:
        return cls(may(person, _SCHEDULES, site), may(person, MANAGE_SOURCES, site), may_set_something(person, site))


def need_text(need: Need, reads: Reads) -> NeedText:
    """Return what needs a person, in words. Queries: none"""
    return NeedText(need.name, *_TEXTS[need.kind](need, reads))


_Text = tuple[str, str, str]


def _dead(need: Need, reads: Reads) -> _Text:
    part = need.subject
    said = part.said if reads.sees_addresses else part.said_to_all
    return part.label, " ".join((_("is not at work."), said)), f"{reverse('health')}#{part.part}"


def _held(need: Need, _reads: Reads) -> _Text:
    return _run_title(need.subject), need.subject.state_label, reverse("run", args=[need.subject.pk])


def _failed(need: Need, _reads: Reads) -> _Text:
    path = reverse("sequence_run", args=[need.subject.last_id])
    return title_of(need.subject), _("Its last start did not reach its end."), path


def _paused(need: Need, _reads: Reads) -> _Text:
    return _run_title(need.subject), paused_text(need.subject), reverse("run", args=[need.subject.pk])


def paused_text(run: SyncRun) -> str:
    """Return what a paused run keeps from going on."""
    if run.sequence_run_id is None:
        return _("is paused. Go on with it, or cancel it.")
    return _("is paused: its feed doesn't start again before somebody goes on with it, or cancels it.")


def _late(need: Need, reads: Reads) -> _Text:
    path = reverse("schedule", args=[need.subject.pk]) if reads.manages_schedules else ""
    return title_of(need.subject), _("should have started, and has not."), path


def _overdue(need: Need, reads: Reads) -> _Text:
    key = need.subject.processor
    at = date_format(timezone.localtime(need.at), "SHORT_DATETIME_FORMAT") if need.at else ""
    path = reverse("source", args=[key]) if reads.manages_sources else ""
    return file_type_label(key), _("no file came by %(at)s.") % {"at": at}, path


def _mails(need: Need, _reads: Reads) -> _Text:
    text = ngettext(
        "%(n)s mail may not have arrived; it may hold a password.",
        "%(n)s mails may not have arrived; they may hold passwords.",
        need.count,
    )
    path = f"{reverse('run', args=[need.subject.pk])}#unsure-mails"
    return _run_title(need.subject), text % {"n": Quantity(need.count)}, path


def _rejected(need: Need, _reads: Reads) -> _Text:
    text = ngettext(
        "%(rows)s row was rejected or done in part, and was not sent again.",
        "%(rows)s rows were rejected or done in part, and were not sent again.",
        need.count,
    )
    path = f"{reverse('run', args=[need.subject.pk])}?show=rejected"
    return _run_title(need.subject), text % {"rows": Quantity(need.count)}, path


def _run_title(run: SyncRun) -> str:
    return f"{file_type_label(run.processor)}, {run.file_name}"


_TEXTS: dict[Kind, Callable[[Need, Reads], _Text]] = {
    Kind.DEAD: _dead,
    Kind.HELD: _held,
    Kind.FAILED: _failed,
    Kind.PAUSED: _paused,
    Kind.LATE: _late,
    Kind.OVERDUE: _overdue,
    Kind.MAILS: _mails,
    Kind.REJECTED: _rejected,
}
