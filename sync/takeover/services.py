"""The take-over: find what the plugin has left, say what would become of it, and set it.

It can be made again and again: what is so already is left alone, and so is what somebody has set here since. Files are never
replaced and none is armed, so no schedule takes one before somebody says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from sync.audit.services import record
from sync.models import AuditKind, MoodleSite, ProcessorSettings, Retention
from sync.moodle.db.database import MoodleDatabase
from sync.moodle.files.file_pool import FilePool, file_pool_of
from sync.moodle.site.tool_sync import PluginState, fetch_plugin_state
from sync.runs.retention_settings import retention_of, save_retention
from sync.runs.rights import OPERATOR, Responsible
from sync.runs.services import save_settings
from sync.runs.source_settings import save_source
from sync.schedules.services import save_schedule
from sync.takeover.files import FileChange, file_items, keep_files
from sync.takeover.findings import Fate, Part, TakenItem, counts_of
from sync.takeover.options import OptionChange, is_known, option_items
from sync.takeover.places import LOCATIONS, ScheduleChange, SourceChange, schedule_items, source_items
from sync.values import Change

_CLEANUP = "fileareacleanupdelay"
_MOST_DAYS = 36_500
# Kept by the plugin for itself.
_OWN = frozenset(("version", "emulatecommunity"))
_RUNNING = "lastrunning_"
_SUBJECT = "tool_sync"


@dataclass
class Takeover:
    """What a take-over finds and would change."""

    items: list[TakenItem] = field(default_factory=list)
    options: list[OptionChange] = field(default_factory=list)
    sources: list[SourceChange] = field(default_factory=list)
    schedules: list[ScheduleChange] = field(default_factory=list)
    files: list[FileChange] = field(default_factory=list)
    days: int | None = None

    @property
    def is_empty(self) -> bool:
        """Whether the plugin has left nothing."""
        return not any(item.part is not Part.OPTION or item.name != "skipinvalidcells" for item in self.items)


def find_takeover(site: MoodleSite, moodle: MoodleDatabase, *, with_feeds_on: bool = False) -> Takeover:
    """Return what would be taken over; nothing is changed.

    Raises: MoodleError; MoodleUnavailable if the data folder fails
    """
    with moodle.session() as session:
        state = fetch_plugin_state(session)
    if not (state.settings or state.files or state.tasks):
        return Takeover()
    return _found(site, state, file_pool_of(moodle.settings), with_feeds_on=with_feeds_on)


def apply_takeover(site: MoodleSite, takeover: Takeover, moodle: MoodleDatabase, *, by: Responsible = OPERATOR) -> int:
    """Set what was found; return how many files were brought here. Each thing has its entry in the audit.

    Raises: CodedError; then nothing was set but the files that were brought before
    """
    # First what needs the other machine.
    brought = keep_files(site, takeover.files, file_pool_of(moodle.settings))
    with transaction.atomic():
        for key, values in _by_type(takeover.options).items():
            stored = ProcessorSettings.objects.filter(site=site, processor=key).first()
            save_settings(site=site, processor=key, values={**(stored.values if stored else {}), **values}, by=by)
        for source in takeover.sources:
            save_source(site, source.processor, source.choice, owner=by)
        for change in takeover.schedules:
            save_schedule(site, change.choice, change.schedule, owner=by)
        if takeover.days is not None:
            kept = retention_of(site)
            save_retention(
                site, reports=takeover.days, archives=takeover.days, trybacks=kept.trybacks, journals=kept.journals,
                trashes_at_once=kept.trashes_at_once, by=by,
            )  # fmt: skip
        counts = counts_of(takeover.items)
        if counts[Fate.SET]:
            changes = [Change(name, "", str(count)) for name, count in counts.items()]
            record(site, AuditKind.SETTINGS, by, _SUBJECT, changes, code="audit_takeover")
    return brought


def _found(site: MoodleSite, state: PluginState, pool: FilePool | None, *, with_feeds_on: bool) -> Takeover:
    found = Takeover()
    items, found.options = option_items(site, state.settings)
    found.items += items
    items, found.sources = source_items(site, state.settings)
    found.items += items
    items, found.schedules = schedule_items(site, state.tasks, with_feeds_on=with_feeds_on)
    found.items += items
    found.items += _retention(site, state.settings, found)
    found.items += _others(state.settings)
    items, found.files = file_items(site, state.files, pool)
    found.items += items
    return found


def _by_type(options: Sequence[OptionChange]) -> dict[str, dict[str, Any]]:
    values: dict[str, dict[str, Any]] = {}
    for change in options:
        values.setdefault(change.processor, {})[change.option] = change.value
    return values


def _retention(site: MoodleSite, settings: Mapping[str, str], found: Takeover) -> list[TakenItem]:
    """Return what becomes of the days after which the plugin cleaned its area: here reports and archives have them."""
    text = settings.get(_CLEANUP, "").strip()
    if _CLEANUP not in settings:
        return []
    days = int(text) if text.isascii() and text.isdecimal() else -1 if text else 0
    if not 0 <= days <= _MOST_DAYS:
        return [TakenItem(Part.RETENTION, Fate.LEFT, _CLEANUP, value=text, code="takeover_days_unreadable")]
    kept = retention_of(site)
    if (kept.reports, kept.archives) == (days, days):
        return [TakenItem(Part.RETENTION, Fate.SAME, _CLEANUP, value=str(days))]
    if Retention.objects.filter(site=site).exists():
        return [TakenItem(Part.RETENTION, Fate.KEPT, _CLEANUP, value=str(days), code="takeover_set_here")]
    found.days = days
    return [TakenItem(Part.RETENTION, Fate.SET, _CLEANUP, value=str(days))]


def _others(settings: Mapping[str, str]) -> list[TakenItem]:
    """Return the settings that nothing here knows, and the files in the midst of which the plugin stopped."""
    items = []
    for name, value in settings.items():
        if name.startswith(_RUNNING):
            if value.strip():
                params = {"path": value.strip()}
                items.append(
                    TakenItem(Part.OTHER, Fate.LEFT, name, value=value, code="takeover_stopped", params=params)
                )
        elif not (name in _OWN or name == _CLEANUP or name in LOCATIONS or is_known(name)):
            # It may be a secret.
            items.append(TakenItem(Part.OTHER, Fate.LEFT, name, code="takeover_unknown"))
    return items
