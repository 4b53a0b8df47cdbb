"""What a page says of a plan: what would happen, whether it can be applied, and who decides."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sync.guard.judge import removals
from sync.guard.messages import reason_text
from sync.guard.planned_texts import change_texts
from sync.messages import text_of
from sync.models import Bundle, SyncRun
from sync.models.run import COMPLETED_STATES
from sync.people.rights import may
from sync.people.roles import run_permission
from sync.runs.deciders import may_approve_plan, may_decide
from sync.runs.decisions import is_typed, removed_by
from sync.runs.newer_files import warnings_of
from sync.runs.plans import is_expired, plan_lifetime
from sync.runs.rights import Responsible
from sync.runs.selectors import rows_of


@dataclass(frozen=True)
class PlanText:
    """Shape: changes, removes: what happens, or would, in words; reasons: why a person has to decide, or would; can_decide: this
    one may; can_apply: a simulation that may still be applied; approves: applying it would approve it as well; applied_as: the
    run that has done so; made_for: the run whose plan it is; removed: how many things are taken away; is_typed: that number is
    to be typed; until: when it is too late; bundle: the files that it was planned with, if the person may see them all;
    warnings: what is to be known before it goes on
    """

    changes: list[str]
    removes: list[str]
    reasons: list[str]
    warnings: list[str]
    can_decide: bool
    can_apply: bool
    approves: bool
    applied_as: SyncRun | None
    made_for: SyncRun | None
    removed: int
    is_typed: bool
    until: datetime | None
    is_expired: bool
    bundle: Bundle | None

    @property
    def is_asked(self) -> bool:
        """Whether there is something to be read before a simulation is applied."""
        return self.can_apply and bool(self.removed or self.reasons or self.warnings)


def plan_of(user: Any, run: SyncRun) -> PlanText:
    """Return what the page of a run says of its plan. Queries: three for a simulation, at most four for a run that waits"""
    shown = rows_of(run)
    taken = removals(shown.totals)
    others = {kind: count for kind, count in shown.totals.items() if kind not in taken}
    application = SyncRun.objects.filter(plan=run).first() if run.simulate else None
    is_own_plan = run.origin == SyncRun.Origin.PLAN
    is_whole = run.simulate and run.state in COMPLETED_STATES and not is_own_plan
    may_run = may(user, run_permission(run.processor), run.site)
    can_apply = is_whole and may_run and application is None and not is_expired(run) and _has_its_file(run)
    until = run.finished_at if run.simulate else run.held_at
    keys = run.bundle.processors if run.bundle else ()
    return PlanText(
        changes=change_texts(others, is_planned=shown.simulate),
        removes=change_texts(taken, is_planned=shown.simulate),
        reasons=[reason_text(note) for note in run.held_notes],
        warnings=[text_of(note.code, note.params) for note in warnings_of(run)],
        can_decide=run.waits_for_person and may_decide(run, Responsible.of(user)),
        can_apply=can_apply,
        approves=can_apply and bool(run.held_for) and may_approve_plan(run, Responsible.of(user)),
        applied_as=None if is_own_plan else application,
        made_for=application if is_own_plan else None,
        removed=removed_by(shown.totals),
        is_typed=is_typed(shown.totals),
        until=until + plan_lifetime() if until else None,
        is_expired=is_whole and application is None and is_expired(run),
        bundle=run.bundle if run.bundle and all(may(user, run_permission(key), run.site) for key in keys) else None,
    )


def _has_its_file(run: SyncRun) -> bool:
    return run.command_file is not None and run.command_file.sha256 == run.file_sha256
