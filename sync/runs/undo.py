"""Undo a run: ask for the run that takes back what another one did. Its command file is made by who carries it out."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db import transaction

from sync.errors import UndoRefused
from sync.models import MoodleSite, RunChunk, RunState, SyncRun
from sync.runs.outcome_store import had_journal
from sync.runs.services import queue_run
from sync.runs.undo_line import images_of_line


def undo_run(
    run: SyncRun,
    line: int | None = None,
    *,
    user: Any = None,
    simulate: bool = False,
    site: MoodleSite | None = None,
    origin: str = SyncRun.Origin.PERSON,
    in_background: bool = True,
) -> SyncRun:
    """Ask for a run that takes back what another one did, or what it did for one line. Nothing is written where that can't be.

    Shape: line: of its file, None = all of them; site: the one that the caller means, if any
    Raises: UndoRefused; for a line JournalMissing and OutcomesMissing too
    """
    if site is not None and run.site_id != site.pk:
        raise UndoRefused("undo_of_another_site", run=run.pk, site=run.site.name)
    check_undo(run, line)
    if line is not None and next(images_of_line(run, line), None) is None:
        raise UndoRefused("undo_line_of_nothing", run=run.pk, line=line)
    with transaction.atomic():
        # Two people may ask at the same time.
        check_undo(SyncRun.objects.select_for_update().get(pk=run.pk), line)
        return queue_run(
            site=run.site, processor=run.processor, command_file=None, simulate=simulate, user=user, origin=origin,
            undoes=run, undoes_line=line, in_background=in_background,
        )  # fmt: skip


def check_undo(run: SyncRun, line: int | None = None) -> None:
    """Ask our own database whether a run, or one line of it, can be undone.

    Raises: UndoRefused
    Queries: four, and one for each undo of it
    """
    if run.simulate:
        raise UndoRefused("undo_of_simulation", run=run.pk)
    if not run.is_over:
        raise UndoRefused("undo_of_active_run", run=run.pk)
    if (undo := undone_by(run)) is not None:
        raise UndoRefused("undo_at_work" if not undo.is_over else "undo_done", run=run.pk, undo=undo.pk)
    if line is not None and (undo := undone_by(run, line)) is not None:
        raise UndoRefused("undo_line_done", run=run.pk, line=line, undo=undo.pk)
    if not run.chunks.filter(journal_key__gt="").exists():
        raise UndoRefused("undo_journal_old" if run.changed_tables else "undo_of_nothing", run=run.pk)
    if line is None and any(map(had_journal, run.chunks.filter(journal_key="", audit_sequence__isnull=False))):
        # The run was taken up again after the before-images of its first part had gone.
        raise UndoRefused("undo_journal_old", run=run.pk)


def undone_by(run: SyncRun, line: int | None = None) -> SyncRun | None:
    """Return the run that undoes something of another now, or has undone it wholly, or this line, and wasn't undone itself."""
    for undo in SyncRun.objects.filter(undoes=run, simulate=False).order_by("-pk"):
        has_undone = undo.undoes_line == line and undo.state == RunState.COMPLETED
        if not undo.is_over or (has_undone and undone_by(undo) is None):
            return undo
    return None


def can_undo(run: SyncRun) -> bool:
    """Return whether a run can be undone now."""
    try:
        check_undo(run)
    except UndoRefused:
        return False
    return True


def runs_with_journal(run_ids: Collection[int | None]) -> set[int]:
    """Return those of the runs whose before-images are kept; what hinders their undo, their own page says. Queries: one"""
    chunks = RunChunk.objects.filter(run_id__in=run_ids, journal_key__gt="", run__simulate=False)
    return set(chunks.values_list("run_id", flat=True))
