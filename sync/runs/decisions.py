"""What people do with plans: apply a simulation, confirm, approve or decline a run that waits, or let it expire."""

from __future__ import annotations

import re
from collections.abc import Mapping

from django.db import IntegrityError, transaction
from django.utils import timezone

from sync.errors import PlanRefused, UndoRefused
from sync.guard.judge import removals
from sync.models import RunState, SyncRun
from sync.models.run import COMPLETED_STATES, WAITING_STATES
from sync.notifications.services import notify_of_run
from sync.runs.bundle_order import follow_bundle, runs_of_bundle
from sync.runs.deciders import may_approve_plan, may_decide, note_decision
from sync.runs.lease import enqueue
from sync.runs.options import plan_hours
from sync.runs.plans import check_rules, is_expired, plan_lifetime
from sync.runs.rights import Responsible
from sync.runs.services import go_on_with_sequence, queue_run
from sync.runs.undo import check_undo
from sync.runs.waiting_rows import check_try, wait_again
from sync.runs.withdrawn_tries import drop_mended_rows, mended_lines

# More than so many things that are taken away are confirmed by typing their number.
MOST_UNTYPED = 20
# A number as pages write it, in any language.
_GROUPS = re.compile(r"\d{1,3}(?:[\s,.'\u2019]\d{3})+")


def removed_by(totals: Mapping[str, int]) -> int:
    """Return how many things a plan takes away. Shape: totals: of the plan, or of those of a whole bundle"""
    return sum(removals(totals).values())


def is_typed(totals: Mapping[str, int]) -> bool:
    """Whether the number is to be typed before a plan is applied."""
    return removed_by(totals) > MOST_UNTYPED


def apply_plan(plan: SyncRun, person: Responsible, *, typed: str = "", approves: bool = True) -> SyncRun:
    """Ask for a run that carries out exactly what a simulation has found.

    Shape: typed: the number of things that are taken away, where it has to be typed; approves: where the simulation says why it
    would be held, who may approve it has seen that, and does so
    Raises: PlanRefused, UndoRefused, CommandFileError
    """
    if not plan.simulate or plan.state not in COMPLETED_STATES:
        raise PlanRefused("plan_incomplete")
    if (earlier := SyncRun.objects.filter(plan=plan).first()) is not None:
        raise PlanRefused("plan_applied_before", run=earlier.pk)
    if plan.command_file is None or plan.command_file.sha256 != plan.file_sha256:
        raise PlanRefused("plan_of_another")
    if is_expired(plan):
        raise PlanRefused("plan_expired", hours=plan_hours())
    check_rules(plan)
    _check_typed(plan.totals, typed)
    if plan.undoes is not None:
        check_undo(plan.undoes, plan.undoes_line)
        if plan.undoes.finished_at is not None and plan.undoes.finished_at > plan.created_at:
            # It was taken up again: the plan knows the first part of it alone.
            raise UndoRefused("undo_went_on", run=plan.undoes.pk)
    mended = mended_lines(plan)
    is_approved = approves and bool(plan.held_for) and may_approve_plan(plan, person)
    decision = SyncRun.Decision.APPROVED if is_approved else SyncRun.Decision.CONFIRMED
    try:
        with transaction.atomic():
            run = queue_run(
                site=plan.site, processor=plan.processor, command_file=plan.command_file, options=plan.options,
                user=person.user, owner=person, plan=plan,
                undoes=plan.undoes, undoes_line=plan.undoes_line, mends=plan.mends,
            )  # fmt: skip
            note_decision(run, person, decision)
            if plan.mends is not None:
                drop_mended_rows(run, mended)
    except IntegrityError:
        # Somebody else was faster.
        raise PlanRefused("plan_applied_before", run=SyncRun.objects.get(plan=plan).pk) from None
    return run


def approve_run(run: SyncRun, person: Responsible, *, reason: str = "", typed: str = "") -> None:
    """Let a run that waits go on: confirm it, or approve one beyond the limits. Raises: PlanRefused, TryRefused"""
    is_held = run.state == RunState.HELD
    _check_decision(run, person)
    check_try(run)
    if run.plan is None or is_expired(run.plan):
        raise PlanRefused("plan_expired", hours=plan_hours())
    for planned in (each.plan for each in runs_of_bundle(run) if each.plan is not None):
        check_rules(planned)
    _check_typed(run.planned_totals, typed)
    decision = SyncRun.Decision.APPROVED if is_held else SyncRun.Decision.CONFIRMED
    with transaction.atomic():
        _move(run, RunState.QUEUED, attempts=0)
        for decided in runs_of_bundle(run):
            note_decision(decided, person, decision, reason)
        transaction.on_commit(lambda: enqueue(run.pk))


def decline_run(run: SyncRun, person: Responsible, *, reason: str = "") -> None:
    """End a run that waits; nothing is written. Raises: PlanRefused"""
    _check_decision(run, person)
    replace_run(run, person, reason=reason)


def replace_run(run: SyncRun, person: Responsible, *, reason: str) -> None:
    """End a run that waits, in whose place another plan comes: whoever may plan it anew may do so. Raises: PlanRefused"""
    if not run.waits_for_person:
        raise PlanRefused("decision_too_late")
    with transaction.atomic():
        _move(run, RunState.DECLINED, finished_at=timezone.now())
        follow_bundle(run)
        for decided in runs_of_bundle(run):
            note_decision(decided, person, SyncRun.Decision.DECLINED, reason)
        go_on_with_sequence(run)


def expire_runs() -> int:
    """End the runs on which nobody has decided for too long, and tell people so; return how many."""
    before = timezone.now() - plan_lifetime()
    expired = 0
    for run in SyncRun.objects.filter(state__in=WAITING_STATES, held_at__lt=before).select_related("site"):
        params = {"hours": plan_hours()}
        with transaction.atomic():
            try:
                _move(
                    run, RunState.EXPIRED, finished_at=timezone.now(), error_code="run_expired", error_params=params
                )  # fmt: skip
            except PlanRefused:
                continue
            follow_bundle(run)
            wait_again(run)
            notify_of_run(run)
            go_on_with_sequence(run)
        expired += 1
    return expired


def _check_decision(run: SyncRun, person: Responsible) -> None:
    if not run.waits_for_person:
        raise PlanRefused("decision_too_late")
    if not may_decide(run, person):
        raise PlanRefused("decision_refused")


def _check_typed(totals: Mapping[str, int], typed: str) -> None:
    if is_typed(totals) and _digits_of(typed) != str(removed_by(totals)):
        raise PlanRefused("decision_number_wrong", count=removed_by(totals))


def _digits_of(typed: str) -> str:
    """Return a number without what stands between its groups of digits, which a page shows: 12,481 and 12 481."""
    text = typed.strip()
    return "".join(filter(str.isdigit, text)) if _GROUPS.fullmatch(text) else text


def _move(run: SyncRun, state: RunState, **values: object) -> None:
    """Move a run that waits into another state. Raises: PlanRefused if somebody was faster"""
    if not SyncRun.objects.filter(pk=run.pk, state=run.state).update(state=state, **values):
        raise PlanRefused("decision_too_late")
    run.refresh_from_db()
