"""Undo a bundle in one act: an undo of each of its files, from the last to the first, planned together and decided on once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef

from sync.errors import UndoRefused
from sync.models import Bundle, MoodleSite, RunState, SyncRun
from sync.models.run import OVER_STATES
from sync.runs.bundle_order import files_of
from sync.runs.services import queue_run
from sync.runs.undo import check_undo, runs_with_journal, undone_by


def undo_bundle(
    bundle: Bundle,
    *,
    user: Any = None,
    site: MoodleSite | None = None,
    origin: str = SyncRun.Origin.PERSON,
    asks: bool = True,
    in_background: bool = True,
) -> Bundle:
    """Ask for the runs that take back what the files of a bundle did. They are a bundle themselves: nothing is written before
    somebody has confirmed what all of them would do.

    Shape: site: the one that the caller means, if any; asks: as of a bundle
    Raises: UndoRefused
    """
    if not bundle.has_runs:
        raise UndoRefused("undo_bundle_without_runs", bundle=bundle.pk)
    if site is not None and bundle.site_id != site.pk:
        raise UndoRefused("undo_of_another_site", run=files_of(bundle)[0].pk, site=bundle.site.name)
    with transaction.atomic():
        # Two people may ask at the same time.
        locked = Bundle.objects.select_for_update().get(pk=bundle.pk)
        undone = runs_to_undo(locked)
        name = f"undo-of-bundle-{bundle.pk}"
        keys = [run.processor for run in undone]
        made = Bundle.objects.create(site=bundle.site, name=name, processors=keys, asks=asks, requested_by=user)
        for number, run in enumerate(undone):
            queue_run(
                site=run.site, processor=run.processor, command_file=None, user=user, origin=origin, undoes=run, bundle=made,
                is_pending=number > 0, in_background=in_background,
            )  # fmt: skip
    return made


def runs_to_undo(bundle: Bundle) -> list[SyncRun]:
    """Return the files of a bundle that have changed something and aren't undone, the last one first.

    Raises: UndoRefused where one of them can't be undone now, or there is none
    """
    files = files_of(bundle)
    for run in files:
        if not run.is_over:
            raise UndoRefused("undo_of_active_run", run=run.pk)
    changing = [run for run in files if run.changed_tables]
    left = [run for run in changing if (undo := undone_by(run)) is None or not undo.is_over]
    if not left:
        if changing:
            raise UndoRefused("undo_bundle_done", bundle=bundle.pk)
        raise UndoRefused("undo_of_nothing", run=files[0].pk)
    for run in left:
        check_undo(run)
    return left[::-1]


def can_undo_bundle(files: Sequence[SyncRun]) -> bool:
    """Return whether a bundle can probably be undone; when it is asked for, `runs_to_undo` looks closer. Queries: three at most

    Shape: files: the runs of the bundle
    """
    if not all(run.is_over for run in files):
        return False
    left = runs_with_journal([run.pk for run in files])
    undos = SyncRun.objects.filter(undoes__in=left, simulate=False)
    if undos.exclude(state__in=OVER_STATES).exists():
        return False
    redone = SyncRun.objects.filter(undoes=OuterRef("pk"), undoes_line=None, simulate=False, state=RunState.COMPLETED)
    taken_back = undos.filter(~Exists(redone), undoes_line=None, state=RunState.COMPLETED)
    return bool(left - set(taken_back.values_list("undoes", flat=True)))
