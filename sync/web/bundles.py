"""What the page of a bundle says: how it fares as a whole, and what there is to decide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import QueryDict

from sync.guard.judge import removals
from sync.guard.messages import reason_text
from sync.guard.planned_texts import change_texts
from sync.models import Bundle, SyncRun
from sync.models.run import COMPLETED_STATES
from sync.runs.deciders import may_decide
from sync.runs.decisions import is_typed, removed_by
from sync.runs.newer_files import newer_files
from sync.runs.options import find_processor
from sync.runs.plans import plan_lifetime
from sync.runs.rights import Responsible
from sync.web.forms import OptionsForm


@dataclass(frozen=True)
class BundleText:
    """Shape: leading: the run whose state is that of the bundle; changes, removes: what all files do, or would, in words;
    reasons: why a person has to decide; warnings: what is to be known before; until: when it is too late; is_planned: nothing is
    written yet; is_over: no file has anything left to do
    """

    leading: SyncRun
    changes: list[str]
    removes: list[str]
    reasons: list[str]
    warnings: list[str]
    can_decide: bool
    removed: int
    is_typed: bool
    until: datetime | None
    is_planned: bool
    is_over: bool


def options_forms(runs: Sequence[SyncRun], sent: QueryDict | None) -> list[tuple[SyncRun, OptionsForm]]:
    """Return each file of a bundle with the form of its options, as the run has them or as they were sent."""
    return [
        (run, OptionsForm(sent, prefix=f"run{run.pk}", processor=find_processor(run.processor), values=run.options))
        for run in runs
    ]


def describe_bundle(user: Any, bundle: Bundle, runs: Sequence[SyncRun]) -> BundleText:
    """Return what the page of a bundle says. Shape: runs: its files, in order"""
    leading = next((run for run in runs if run.state not in COMPLETED_STATES), runs[-1])
    taken = removals(bundle.totals)
    others = {kind: count for kind, count in bundle.totals.items() if kind not in taken}
    is_planned = not any(run.rows_done for run in runs)
    return BundleText(
        leading=leading,
        changes=change_texts(others, is_planned=is_planned),
        removes=change_texts(taken, is_planned=is_planned),
        reasons=[reason_text(note) for note in leading.held_notes] if leading.waits_for_person else [],
        warnings=[reason_text(note) for note in newer_files(runs)] if leading.waits_for_person else [],
        can_decide=leading.waits_for_person and may_decide(leading, Responsible.of(user)),
        removed=removed_by(bundle.totals),
        is_typed=is_typed(bundle.totals),
        until=leading.held_at + plan_lifetime() if leading.held_at and leading.waits_for_person else None,
        is_planned=is_planned,
        is_over=all(run.is_over for run in runs),
    )
