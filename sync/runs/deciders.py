"""Who may let a run that waits go on, who has, and whether they still may."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.utils import timezone

from sync.audit.services import record
from sync.errors import RightMissing
from sync.models import AuditKind, GraceEntry, RunState, SyncRun
from sync.people.machines import people_behind
from sync.people.rights import narrow
from sync.people.roles import run_permission
from sync.people.tokens import narrowing_of
from sync.runs.asking import asking_token
from sync.runs.bundle_order import is_later_of_bundle, runs_of_bundle
from sync.runs.plans import limits_of
from sync.runs.rights import Responsible
from sync.values import Change, Note

APPROVE_RUNS = "sync.approve_runs"
# Why a run waits, with the ids of its authors: whatever is set since, none of them approves it.
SECOND_PERSON = "guard_second_person"
_DECIDED = (
    "decision", "decision_reason", "decided_by", "decided_by_name", "decided_at", "decided_token", "decided_token_name",
)  # fmt: skip


def may_decide(run: SyncRun, person: Responsible) -> bool:
    """Whether somebody may let a run that waits go on: confirm one that waits for that, approve a held one."""
    if run.state == RunState.UNCONFIRMED:
        return _may_run(run, person)
    return may_approve(run, person)


def may_approve(run: SyncRun, person: Responsible) -> bool:
    """Whether somebody may approve a run beyond the limits. The operator may, at a shell.

    Who asked for a run, made its plan, handed in its file or set its schedule can't where a second person is wanted, or was when
    it was held, nor can who did so by a machine user.
    """
    if person.is_operator:
        return True
    keys = processors_decided(run)
    if not all(person.may(run_permission(key), APPROVE_RUNS, site=run.site, processor=key) for key in keys):
        return False
    if _authors_when_held(run) is None and not _is_second_wanted(run):
        return True
    return not (people_behind([person.user]) & people_behind(authors_of(run)))


def second_person_notes(run: SyncRun) -> list[Note]:
    """Return that a second person has to approve a run that is to be held, and its authors; nothing where nobody wants that."""
    if not _is_second_wanted(run):
        return []
    return [Note(SECOND_PERSON, {"authors": sorted(author.pk for author in authors_of(run) if author is not None)})]


def _authors_when_held(run: SyncRun) -> list[int] | None:
    """Return the authors of a run, or of its bundle, when it was held; None where no second person was wanted then."""
    notes = (note for each in runs_of_bundle(run) for note in each.held_notes)
    return next((list(note.params["authors"]) for note in notes if note.code == SECOND_PERSON), None)


def _is_second_wanted(run: SyncRun) -> bool:
    return any(limits_of(run.site, key).needs_second_person for key in processors_decided(run))


def may_approve_plan(plan: SyncRun, person: Responsible) -> bool:
    """Whether somebody who applies a simulation beyond the limits approves it by that: who asks for a run is no second person."""
    return person.is_operator or (not _is_second_wanted(plan) and may_approve(plan, person))


def authors_of(run: SyncRun) -> set[Any]:
    """Return who has asked for a run or its plan, armed or handed in its file, or set its schedule.

    Of one that is held, also who had when it was. Of a bundle, for any file; of rows that are mended or tried again, and of what
    is deleted now that its days are over, who did so for the run that they come from as well
    """
    known = {*(run.bundle.author_ids if run.bundle is not None else ()), *(_authors_when_held(run) or ())}
    authors: set[Any] = set(get_user_model().objects.filter(pk__in=known)) if known else set()
    for each in runs_of_bundle(run):
        authors |= {each.requested_by, each.owner, each.armed_by}
        if each.plan is not None:
            authors |= {each.plan.requested_by, each.plan.owner}
        if each.command_file is not None:
            authors.add(each.command_file.uploaded_by)
        for earlier in _runs_before(each):
            authors |= authors_of(earlier)
    return authors


def _runs_before(run: SyncRun) -> list[SyncRun]:
    """Return the runs from which the rows of a run come: which it mends or tries again, or whose list of deletions it does."""
    runs = [run.mends] if run.mends is not None else []
    if run.origin == SyncRun.Origin.RETRY:
        runs += SyncRun.objects.filter(retry__retry_run=run)
    if run.origin == SyncRun.Origin.GRACE:
        listed = GraceEntry.objects.filter(task_run=run).values("run")
        runs += SyncRun.objects.filter(pk__in=listed)
    return runs


def processors_decided(run: SyncRun) -> list[str]:
    """Return the file types on which is decided with a run: all those of its bundle."""
    return run.bundle.file_types if run.bundle is not None else [run.processor]


def decided_by_of(run: SyncRun) -> Responsible:
    """Return who let a run go on: with a token no more than that leaves, and nobody once it was revoked."""
    user = run.decided_by
    if user is not None and run.decided_token_name:
        token = run.decided_token
        if token is None or token.revoked_at is not None:
            return Responsible(None, run.decided_by_name)
        narrow(user, narrowing_of(token))
    return Responsible(user, run.decided_by_name)


def is_confirmed(run: SyncRun) -> bool:
    """Whether somebody has confirmed a run who still may."""
    person = decided_by_of(run)
    return run.decision == SyncRun.Decision.CONFIRMED and _may_run(run, person)


def check_decision(run: SyncRun) -> None:
    """Ask once more for the rights of who approved a run. Raises: RightMissing"""
    if not may_approve(run, decided_by_of(run)):
        raise RightMissing("approver_without_right", name=run.decided_by_name)


def renew_approval(run: SyncRun, person: Responsible) -> None:
    """Ask once more for the rights of who let a run go on that is taken up again; who takes it up may answer for it instead.

    A run that has begun, or comes after others of its bundle, doesn't wait for its confirmation once more.
    Raises: RightMissing
    """
    if run.decision == SyncRun.Decision.CONFIRMED:
        is_asked_again = not run.last_line and not is_later_of_bundle(run)
        stays, can_answer = is_asked_again or is_confirmed(run), _may_run(run, person)
    elif run.decision == SyncRun.Decision.APPROVED:
        stays, can_answer = may_approve(run, decided_by_of(run)), may_approve(run, person)
    else:
        return
    if stays:
        return
    if not can_answer:
        raise RightMissing("approver_gone_on_resume", name=run.decided_by_name)
    for each in runs_of_bundle(run):
        note_decision(each, person, run.decision)


def _may_run(run: SyncRun, person: Responsible) -> bool:
    return all(person.may(run_permission(key), site=run.site) for key in processors_decided(run))


def note_decision(run: SyncRun, person: Responsible, decision: str, reason: str = "") -> None:
    """Keep who has decided on a run, and what."""
    run.decision, run.decision_reason = decision, reason[:500]
    run.decided_by, run.decided_by_name, run.decided_at = person.user, person.name, timezone.now()
    run.decided_token = token = asking_token()
    run.decided_token_name = (token.name or token.beginning) if token is not None else ""
    run.save(update_fields=_DECIDED)
    changes = [Change("decision", "", str(decision))]
    if reason:
        changes.append(Change("reason", "", run.decision_reason))
    record(run.site, AuditKind.APPROVAL, person, run.file_path, changes, run=run)
