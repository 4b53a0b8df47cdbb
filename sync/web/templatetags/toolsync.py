"""What templates say in words and signs: states, outcomes, codes, times."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from django import template
from django.template.context import RequestContext
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _, ngettext

from sync.guard.planned_texts import change_texts
from sync.health.selectors import PartState
from sync.messages import Quantity, text_at_column, text_of
from sync.models import Notification, RunState, SequenceState, SyncRun
from sync.moodle.integrity.connection_check import ConnectionLevel
from sync.outcomes.report import action_label, count_text, outcome_text
from sync.overview.feeds import FeedState, Start
from sync.overview.need_texts import paused_text
from sync.people.services import administrators_of
from sync.runs.family import Kin, Relative
from sync.runs.selectors import rows_of
from sync.schedules.titles import file_type_label, title_of
from sync.values import Action, Note, Outcome
from sync.web.access import current_site, sees_settings
from sync.web.frame import Frame, frame_of
from sync.web.sections import SECTIONS
from sync.web.user_agents import browser_words

register = template.Library()

# A tone is never alone: the sign and the word say the same.
_STATE_LOOKS = {
    RunState.PENDING: ("quiet", "…"),
    RunState.QUEUED: ("quiet", "…"),
    RunState.RUNNING: ("active", "▸"),
    RunState.PAUSED: ("warning", "‖"),
    RunState.COMPLETED: ("good", "✓"),
    RunState.COMPLETED_WITH_REJECTIONS: ("warning", "!"),
    RunState.FAILED: ("bad", "✕"),
    RunState.ERRORED: ("bad", "✕"),
    RunState.CANCELLED: ("quiet", "■"),
    RunState.UNCONFIRMED: ("warning", "?"),
    RunState.HELD: ("warning", "‖"),
    RunState.DECLINED: ("quiet", "✕"),
    RunState.EXPIRED: ("quiet", "⌛"),
}
_TAKE_AWAY = frozenset(("users_delete", "courses_delete", "courses_reset", "categories_delete"))
_SEQUENCE_LOOKS = {
    SequenceState.RUNNING: ("active", "▸"),
    SequenceState.COMPLETED: ("good", "✓"),
    SequenceState.FAILED: ("bad", "✕"),
    SequenceState.STOPPED: ("bad", "■"),
    SequenceState.CANCELLED: ("quiet", "■"),
}
_FEED_LOOKS = {
    FeedState.FAILED: ("bad", "✕"),
    FeedState.HELD: ("warning", "‖"),
    FeedState.LATE: ("warning", "!"),
    FeedState.RUNNING: ("active", "▸"),
    FeedState.ON_TIME: ("good", "●"),
    FeedState.NEW: ("quiet", "○"),
    FeedState.PAUSED: ("quiet", "■"),
}
_STEP_LOOKS = {
    "waiting": ("quiet", "…", _("waits for its turn")),
    "fetching": ("active", "▸", _("its files are fetched")),
    "under_way": ("active", "▸", _("under way")),
    "done": ("good", "✓", _("done")),
    "nothing_came": ("quiet", "○", _("nothing came")),
    "failed": ("bad", "✕", _("failed")),
    "left_out": ("quiet", "■", _("not carried out")),
}
_ACTION_SIGNS = {
    Action.CREATED: "+",
    Action.UPDATED: "~",
    Action.DELETED: "\N{MINUS SIGN}",
    Action.UNCHANGED: "=",
    Action.SUPERSEDED: "»",
    Action.PARTIAL: "◐",
    Action.REJECTED: "✕",
}
_LEVEL_LOOKS = {
    ConnectionLevel.OK: ("good", "✓", _("fine")),
    ConnectionLevel.WARNING: ("warning", "!", _("warning")),
    ConnectionLevel.ERROR: ("bad", "✕", _("error")),
}
_KIN_TEXTS = {
    Kin.PLAN: _("Plan"),
    Kin.SIMULATION: _("Simulation"),
    Kin.RUN: _("Run"),
    Kin.TRYBACK: _("Tryback sent again"),
    Kin.RETRY: _("Another try"),
    Kin.MEND_PLAN: _("Mended rows, checked"),
    Kin.MEND: _("Mended rows"),
    Kin.UNDO_PLAN: _("Undo, simulated"),
    Kin.UNDO: _("Undo"),
}
_ALERT_TONES = {"debug": "secondary", "error": "danger"}
_PEOPLE_NAMED = 3


@register.simple_tag
def choices(found: Iterable[str | tuple[str | int, str]], chosen: str = "") -> SafeString:
    """Return the options of a list of names, or of values with their names, that are as they are in every language.

    A page may have thousands of them: a loop of a template takes ten times as long.
    """
    options = []
    for each in found:
        value, name = (each, each) if isinstance(each, str) else each
        attributes = " selected" if value == chosen else ""
        if not isinstance(each, str):
            attributes += f' value="{escape(value)}"'
        options.append(f'<option translate="no"{attributes}>{escape(name)}</option>')
    return mark_safe("".join(options))  # noqa: S308 (each is escaped above)


@register.simple_tag
def state_badge(run: SyncRun) -> SafeString:
    """Return the badge of a run's state."""
    tone, sign = _STATE_LOOKS[RunState(run.state)]
    return _badge(tone, sign, run.state_label)


@register.simple_tag
def action_badge(action: str) -> SafeString:
    """Return the badge of an outcome."""
    return _badge(action, _ACTION_SIGNS[Action(action)], action_label(action))


@register.simple_tag(name="count_text")
def counted(action: str, count: int) -> str:
    """Return "3 created"."""
    return count_text(action, count)


@register.filter
def grouped(number: int) -> Quantity:
    """Return a number that is written as people do it: "12,481"."""
    return Quantity(number)


@register.filter
def start_counts(start: Start) -> list[str]:
    """Return what a start of a feed has done: "2,961 created", "4 rejected"; the rows that stayed as they are only if all did."""
    said = [count_text(action, start.counts[action]) for action in Action if start.counts[action]]
    quiet = count_text(Action.UNCHANGED, start.counts[Action.UNCHANGED])
    return [text for text in said if text != quiet] or said


@register.simple_tag
def feed_badge(state: str) -> SafeString:
    """Return the badge of how a feed does."""
    tone, sign = _FEED_LOOKS[FeedState(state)]
    return _badge(tone, sign, FeedState(state).label)


@register.filter
def totals_said(run: SyncRun) -> list[str]:
    """Say what a run does, or would, by kind of object."""
    return change_texts(run.totals, is_planned=run.simulate)


@register.filter
def rows_shown(run: SyncRun) -> SyncRun:
    """Return the run whose rows a page counts: of one that waits for a person, its plan."""
    return rows_of(run)


@register.filter
def done_in_part(run: SyncRun) -> str:
    """Return what was done of the partial rows of a run: "2 created, 1 updated"."""
    done = run.partial_counts
    return ", ".join(count_text(action, done[action]) for action in Action if done.get(action))


@register.simple_tag
def level_badge(level: ConnectionLevel) -> SafeString:
    """Return the badge of something that was found out about Moodle."""
    return _badge(*_LEVEL_LOOKS[level])


@register.simple_tag
def moodle_time(seconds: int) -> SafeString:
    """Return a moment of Moodle on the clock of the pages. Units: seconds since epoch"""
    try:
        moment = timezone.localtime(datetime.fromtimestamp(seconds, tz=UTC))
    except (OverflowError, OSError, ValueError):
        return format_html("{}", seconds)
    return format_html(
        '<time datetime="{}">{}</time>', moment.isoformat(), date_format(moment, "SHORT_DATETIME_FORMAT")
    )  # fmt: skip


@register.simple_tag(takes_context=True, name="frame")
def frame(context: RequestContext) -> Frame:
    """Return what stands around every page for whoever asks for it."""
    return frame_of(context["request"])


@register.filter
def takes_away(key: str) -> bool:
    """Whether every row of a file type takes something out of Moodle: its buttons say so."""
    return key in _TAKE_AWAY


@register.simple_tag
def colon() -> str:
    """Return the colon after a name: in French a space stands before it, one that doesn't break."""
    return str(_(":"))


@register.simple_tag(takes_context=True)
def part_said(context: RequestContext, state: PartState) -> str:
    """Return how a part is, and what to do; addresses of servers only to people who set something of the site."""
    return state.said if sees_settings(context["user"]) else state.said_to_all


@register.simple_tag(takes_context=True)
def crumb(context: RequestContext, name: str, label: str, *args: object) -> SafeString:
    """Return a step on the way back to the section of a page, for its block `breadcrumb`; no link to a section that isn't open.

    Shape: name, args: of the address
    """
    if name in {section.name for section in SECTIONS} - {section.name for section in context["frame"].sections}:
        return format_html('<li class="breadcrumb-item">{}</li>', label)
    return format_html('<li class="breadcrumb-item"><a href="{}">{}</a></li>', reverse(name, args=args), label)


@register.simple_tag
def crumb_here(label: str) -> SafeString:
    """Return the last step, the page itself."""
    return format_html('<li class="breadcrumb-item active sync-name" aria-current="page">{}</li>', label)


@register.simple_tag
def administrators() -> list[Any]:
    """Return a few people who can give roles."""
    return list(administrators_of(current_site()).order_by("pk")[:_PEOPLE_NAMED])


@register.filter
def alert_tone(level: str) -> str:
    """Return Bootstrap's word for the level of a message."""
    return _ALERT_TONES.get(level, level)


register.filter("file_type_label", file_type_label)
register.filter("sequence_title", title_of)
register.filter("paused_text", paused_text)


register.filter(browser_words)


@register.filter
def of_file(found: Mapping[int, Any], file_id: int) -> Any:
    """Return what was found for one file, [] where that is nothing."""
    return found.get(file_id, [])


@register.simple_tag
def sequence_badge(state: str) -> SafeString:
    """Return the badge of a sequence run's state."""
    tone, sign = _SEQUENCE_LOOKS[SequenceState(state)]
    return _badge(tone, sign, SequenceState(state).label)


@register.simple_tag
def notification_badge(notification: Notification) -> SafeString:
    """Return the badge of a notification."""
    if notification.sent_at is not None:
        return _badge("good", "✓", _("sent"))
    return (
        _badge("active", "…", _("waits for a retry")) if notification.next_try_at else _badge("bad", "✕", _("given up"))
    )


@register.simple_tag
def step_badge(state: str) -> SafeString:
    """Return the badge of how one file type of a sequence fares."""
    return _badge(*_STEP_LOOKS[state])


@register.filter
def fault_said(fault: tuple[str, dict[str, Any]]) -> str:
    """Return why a file type of a sequence could not begin."""
    return text_of(*fault)


@register.filter
def said(coded: Outcome | Note) -> str:
    """Return the text of an outcome or a note, with the column at fault."""
    if isinstance(coded, Outcome):
        return outcome_text(coded)
    return text_at_column(coded.code, coded.params)


@register.filter
def kin_text(relative: Relative) -> str:
    """Return what a run is within its family, with its number."""
    return f"{_KIN_TEXTS[relative.kin]} {relative.run.pk}"


@register.filter
def said_of(outcome: Outcome, run: SyncRun) -> str:
    """Return what became of a row of a run, or what would, where it is a simulation."""
    return outcome_text(outcome, simulated=run.simulate)


@register.filter
def trouble(run: SyncRun | Notification) -> str:
    """Return why a run, or a notification, didn't reach its end, "" when it did."""
    return text_of(run.error_code, run.error_params) if run.error_code else ""


@register.filter
def action_word(action: str) -> str:
    """Return the word for an outcome."""
    return action_label(action)


@register.filter
def lasted(run: SyncRun) -> str:
    """Return how long a run took, or has been going on."""
    if run.started_at is None:
        return ""
    return _duration(run.started_at, run.finished_at or timezone.now())


def _duration(start: datetime, end: datetime) -> str:
    seconds = max(0, round((end - start).total_seconds()))
    if seconds < 60:
        return ngettext("%(n)s second", "%(n)s seconds", seconds) % {"n": seconds}
    minutes, seconds = divmod(seconds, 60)
    if minutes < 60:
        return f"{minutes} min {seconds:02d} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min"


def _badge(tone: str, sign: str, word: object) -> SafeString:
    return format_html(
        '<span class="sync-badge is-{}"><span aria-hidden="true">{}</span>{}</span>', tone, sign, word
    )  # fmt: skip
