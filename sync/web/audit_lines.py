"""Entries of the audit as pages show them: in words, with the run that made the change, and whether that can be undone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from sync.audit.selectors import AuditLine
from sync.errors import AuditDamaged, AuditUnavailable, StorageUnavailable
from sync.messages import text_of
from sync.models import AuditKind
from sync.outcomes.report import outcome_text
from sync.runs.selectors import processors_for, visible_processors
from sync.runs.undo import runs_with_journal
from sync.values import Action, Outcome

UNREADABLE_AUDIT = (AuditDamaged, AuditUnavailable, StorageUnavailable)


class ShownLine(NamedTuple):
    """One entry as a page shows it.

    Shape: text: what was done; has_run: its run is there, and may be looked at; can_undo: what its run did is still kept;
    undone_line: of the file, the one that can be undone alone, None = the entry is of no line
    """

    line: AuditLine
    text: str
    has_run: bool
    can_undo: bool = False

    @property
    def undone_line(self) -> int | None:
        entry = self.line.entry
        return entry.line if self.can_undo and entry is not None and entry.line else None


def shown_lines(lines: Sequence[AuditLine], user: Any, *, with_undo: bool = False) -> list[ShownLine]:
    """Return entries as somebody may see them. Shape: with_undo: also tell whether they can be undone. Queries: one with undo"""
    visible = {processor.key for processor in visible_processors(user)}
    shown = [_shown(line, line.record.processor in visible) for line in lines]
    if not with_undo:
        return shown
    usable = {processor.key for processor in processors_for(user)}
    records = [item.line.record for item in shown if item.has_run]
    kept = runs_with_journal({record.run_id for record in records if record.processor in usable})
    return [item._replace(can_undo=item.has_run and item.line.record.run_id in kept) for item in shown]


def _shown(line: AuditLine, may_see_run: bool) -> ShownLine:
    has_run = line.record.kind == AuditKind.RUN and line.record.run_id is not None and may_see_run
    return ShownLine(line, _text_of(line), has_run)


def _text_of(line: AuditLine) -> str:
    entry = line.entry
    if entry is None:
        fault = line.fault
        return "" if fault is None else text_of(fault.code, {"sequence": line.record.sequence, **fault.params})
    if entry.is_erased:
        return _("Erased on request.")
    done = Action(entry.done) if entry.done else None
    try:
        return outcome_text(
            Outcome(entry.line, Action(entry.action), entry.code, entry.params, entry.subject, done=done)
        )
    except KeyError:
        # A text of today asks for more than was kept.
        return entry.code
