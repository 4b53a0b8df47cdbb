"""How long what runs leave is kept, and that it goes then. Nothing goes that a run which isn't over may still need."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from sync.commandfiles import storage
from sync.commandfiles.intake import UPLOADS, delete_file, delete_run_file, find_file
from sync.commandfiles.left_drafts import sweep_folder, sweep_storage
from sync.errors import CommandFileError, MoodleError
from sync.models import CommandFile, GraceEntry, MendDraft, MoodleSite, Notification, Retry, RunFile, SyncRun
from sync.models.run import OVER_STATES, UNFINISHED_STATES
from sync.runs.connections import connection_of
from sync.runs.kept_blobs import trash_kept_blobs
from sync.runs.options import drop_folder
from sync.runs.retention_settings import retention_of

_KINDS = {
    RunFile.Kind.REPORT: "reports",
    RunFile.Kind.OUTCOMES: "reports",
    RunFile.Kind.ARCHIVE: "archives",
    RunFile.Kind.TRYBACK: "trybacks",
}
_NOTIFICATION_DAYS = 30
# No file takes so long to be written.
_DRAFT_AGE = timedelta(days=1)
# Nobody looks at a file for so long before its plan is made.
_LOOKED_AT = timedelta(days=1)

logger = logging.getLogger(__name__)


def prune() -> int:
    """Delete what is older than it is to be kept; return how many files and folders went, Moodle's unused files among them."""
    gone = 0
    for site in MoodleSite.objects.all():
        kept = retention_of(site)
        for kind, name in _KINDS.items():
            if before := _long_ago(getattr(kept, name)):
                gone += _prune_files(site, kind, before)
        gone += _delete_uploads(site, _never_used(site))
        if before := _long_ago(kept.archives):
            gone += _delete_uploads(site, _used_before(site, before))
        if before := _long_ago(kept.journals):
            gone += _prune_journals(site, before)
        gone += trash_kept_blobs(site)
        if before := _long_ago(kept.trybacks):
            MendDraft.objects.filter(run__site=site, changed_at__lt=before).delete()
        if before := _long_ago(kept.reports):
            gone += _prune_retries(site, before) + _prune_grace(site, before)
        # What pages show of the rows; the before-images are told by them.
        if kept.reports and kept.journals and (before := _long_ago(max(kept.reports, kept.journals))):
            gone += _prune_outcomes(site, before)
    Notification.objects.filter(next_try_at=None, created_at__lt=_long_ago(_NOTIFICATION_DAYS)).delete()
    return gone


def sweep_drafts() -> int:
    """Delete what killed processes have left half written: in the storage, the drop folder, and Moodle's data folders of this
    machine. Returns how many files went.
    """
    before = timezone.now() - _DRAFT_AGE
    folders = {drop_folder()}
    for site in MoodleSite.objects.all():
        try:
            dataroot = connection_of(site).dataroot
        except MoodleError as error:
            logger.info("not swept: %s", error)
            continue
        if dataroot is not None:
            folders.add(dataroot / "filedir")
    return sweep_storage(before) + sum(sweep_folder(folder, before) for folder in sorted(folders))


def _prune_files(site: MoodleSite, kind: RunFile.Kind, before: datetime) -> int:
    old = RunFile.objects.filter(run__site=site, run__state__in=OVER_STATES, kind=kind, run__finished_at__lt=before)
    if kind == RunFile.Kind.TRYBACK:
        # It is where rows are whose try comes to nothing.
        tried = Q(state=Retry.State.TRIED, retry_run__state__in=UNFINISHED_STATES)
        waiting = Retry.objects.filter(tried | Q(state=Retry.State.WAITING), run=OuterRef("run"))
        old = old.exclude(Exists(waiting))
    gone = 0
    for file in old.select_related("run__site"):
        with _held(file.run) as is_over:
            if is_over and _delete(site, file, before):
                gone += 1
                _sweep(file.run)
    return gone


def _delete(site: MoodleSite, file: RunFile, before: datetime) -> bool:
    """Delete a file that a run left. A tryback in the file area is a command file: it may have been mended, or be in use."""
    handed_in = find_file(site, file.path) if file.path and file.kind == RunFile.Kind.TRYBACK else None
    if handed_in is None:
        delete_run_file(file)
        return True
    if handed_in.uploaded_at >= before:
        return False
    try:
        delete_file(handed_in)
    except CommandFileError as error:
        logger.info("kept: %s", error)
        return False
    return True


def _never_used(site: MoodleSite) -> QuerySet[CommandFile]:
    """Return what somebody has handed in to look at, and left there."""
    uploads = CommandFile.objects.filter(site=site, folder__startswith=UPLOADS)
    return uploads.filter(uploaded_at__lt=timezone.now() - _LOOKED_AT, runs=None)


def _used_before(site: MoodleSite, before: datetime) -> QuerySet[CommandFile]:
    """Return what was handed in for runs of which the last is as old as an archive may get."""
    needed = SyncRun.objects.filter(command_file=OuterRef("pk")).exclude(
        state__in=OVER_STATES, finished_at__lt=before
    )  # fmt: skip
    uploads = CommandFile.objects.filter(site=site, folder__startswith=UPLOADS, uploaded_at__lt=before)
    return uploads.exclude(Exists(needed))


def _delete_uploads(site: MoodleSite, uploads: QuerySet[CommandFile]) -> int:
    # Trybacks lie beside their files, and have days of their own.
    trybacks = RunFile.objects.filter(run__site=site, path__startswith=UPLOADS).values_list("path", flat=True)
    kept = set(trybacks)
    old = [file for file in uploads.select_related("site") if file.path not in kept]
    gone = 0
    for file in old:
        try:
            delete_file(file)
        except CommandFileError as error:
            logger.info("kept: %s", error)
        else:
            gone += 1
    return gone


def _prune_journals(site: MoodleSite, before: datetime) -> int:
    gone = 0
    undone_now = SyncRun.objects.filter(undoes=OuterRef("pk"), state__in=UNFINISHED_STATES)
    for run in _old_runs(site, before).filter(chunks__journal_key__gt="").exclude(Exists(undone_now)):
        with _held(run) as is_over:
            if is_over:
                storage.delete_folder(storage.journal_folder(site.slug, run.pk))
                run.chunks.update(journal_key="")
                gone += 1
    return gone


def _prune_outcomes(site: MoodleSite, before: datetime) -> int:
    gone = 0
    # The plan of a run that waits or is paused is as old as the run is, and still to be applied.
    applied_still = SyncRun.objects.filter(plan=OuterRef("pk"), state__in=UNFINISHED_STATES)
    for run in _old_runs(site, before).filter(chunks__isnull=False).exclude(Exists(applied_still)):
        with _held(run) as is_over:
            if is_over:
                storage.delete_folder(storage.outcomes_folder(site.slug, run.pk))
                run.chunks.all().delete()
                run.mails.all().delete()
                gone += 1
                _sweep(run)
    return gone


def _prune_retries(site: MoodleSite, before: datetime) -> int:
    """Delete what is kept of rows that are not tried again any more, once the runs that had them and tried them are old."""
    over = Retry.objects.filter(site=site, run__state__in=OVER_STATES, run__finished_at__lt=before)
    over = over.exclude(state=Retry.State.WAITING)
    tried = Q(retry_run__state__in=OVER_STATES, retry_run__finished_at__lt=before)
    gone = 0
    for retry in over.filter(Q(retry_run=None) | tried).select_related("run__site"):
        storage.delete(retry.storage_key)
        retry.delete()
        _sweep(retry.run)
        gone += 1
    return gone


def _prune_grace(site: MoodleSite, before: datetime) -> int:
    """Delete the entries that have left the list of deletions, or have come on it before that was kept, long ago."""
    closed = GraceEntry.objects.filter(site=site).exclude(closed=0)
    old = closed.filter(Q(closed_at__lt=before) | Q(closed_at=None, listed_at__lt=before))
    return old.exclude(task_run__state__in=UNFINISHED_STATES).delete()[0]


def _old_runs(site: MoodleSite, before: datetime) -> QuerySet[SyncRun]:
    return SyncRun.objects.filter(site=site, state__in=OVER_STATES, finished_at__lt=before).distinct()


def _sweep(run: SyncRun) -> None:
    """Delete the folder of a run of which nothing is left, and no rows that wait for another try."""
    is_kept = run.chunks.exists() or run.files.filter(path="").exists() or Retry.objects.filter(run=run).exists()
    if not is_kept:
        storage.delete_folder(storage.run_folder(run.site.slug, run.pk))


@contextmanager
def _held(run: SyncRun) -> Iterator[bool]:
    """Hold a run as it is, and say whether it is over still: somebody may be taking it up again at this moment."""
    with transaction.atomic():
        yield SyncRun.objects.select_for_update().filter(pk=run.pk, state__in=OVER_STATES).exists()


def _long_ago(days: int) -> datetime | None:
    return timezone.now() - timedelta(days=days) if days else None
