"""When the rows of a run that wait are tried again: by a run of the same file type, with a command file of these rows.

They are tried again once a run of the same file type has ended on the same site, which counts as a try, and once a run has made
something in one of the tables in which something was missing, which doesn't. Rows that are missing something still wait anew,
as those of the run that tried them (`sync.runs.waiting_rows`), until their tries are used up.
"""

from __future__ import annotations

import io
import logging
import zipfile
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import BinaryIO

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from sync.commandfiles import storage
from sync.commandfiles.naming import chosen_name
from sync.errors import CodedError
from sync.models import CommandFile, Retry, RunState, SyncRun
from sync.models.run import OVER_STATES
from sync.outcomes.tryback import Form
from sync.reader.encoding_mark import mark_of
from sync.reader.picture_zip import PictureZip
from sync.runs.finalize import RunFinalizer
from sync.runs.options import find_processor, options_of
from sync.runs.rights import armed_by_of, owner_of
from sync.runs.services import queue_run, receive_for_run
from sync.runs.waiting_rows import counts_as_try, ended_since, picture_key, undone_origins
from sync.runs.withdrawn_tries import withdraw_undone_tries
from sync.values import Action

logger = logging.getLogger(__name__)

# A run that was paused so long ago brings no rows.
_FORGOTTEN_AFTER = timedelta(days=1)
# Rows are kept as CSV, also those of a workbook; pictures in a zip.
_CSV, _ZIP = ".csv", ".zip"


def start_retries() -> None:
    """Try again the rows whose time has come, and none of a run that was undone."""
    withdraw_undone_tries()
    waiting = Retry.objects.filter(state=Retry.State.WAITING, site__in_use=True)
    undone = undone_origins(waiting.values_list("run", flat=True))
    for retry in waiting.select_related("run").order_by("pk"):
        if retry.run_id in undone:
            _move(retry, Retry.State.UNDONE)
        elif not retry.rows.filter(is_replaced=False).exists():
            _move(retry, Retry.State.REPLACED)
        elif not _is_type_under_way(retry):
            try:
                _start_if_due(retry)
            except CodedError as error:
                # Not for the others to wait for; the next tick tries it again.
                logger.warning("rows of run %s can't be tried again now: %s", retry.run_id, error)


def _is_type_under_way(retry: Retry) -> bool:
    """Whether a run of the file type isn't over: its file may bring the rows itself.

    One that was paused a day ago, and those that wait behind it in a bundle, may have been forgotten.
    """
    runs = SyncRun.objects.filter(site=retry.site_id, processor=retry.processor, simulate=False)
    last_at_work = Coalesce("heartbeat_at", "created_at")
    paused = SyncRun.objects.filter(site=retry.site_id, state=RunState.PAUSED).alias(last_at_work=last_at_work)
    forgotten = paused.filter(last_at_work__lt=timezone.now() - _FORGOTTEN_AFTER)
    behind = Q(state=RunState.PENDING, bundle__in=forgotten.filter(bundle__isnull=False).values("bundle"))
    under_way = runs.exclude(state__in=OVER_STATES).exclude(pk__in=forgotten.values("pk"))
    return under_way.exclude(pk__in=SyncRun.objects.filter(behind).values("pk")).exists()


def _start_if_due(retry: Retry) -> None:
    runs = list(ended_since(retry))
    if not runs:
        return
    counts = any(counts_as_try(retry, run) for run in runs)
    if counts or any(_makes(run, retry.tables) for run in runs):
        _start(retry, counts=counts)
    else:
        finished: list[datetime] = [run.finished_at for run in runs if run.finished_at]
        Retry.objects.filter(pk=retry.pk, state=Retry.State.WAITING).update(seen_at=max(finished))


def _makes(run: SyncRun, tables: Collection[str]) -> bool:
    """Whether a run may have made something in one of these tables."""
    made = run.counts.get(Action.CREATED) or run.partial_counts.get(Action.CREATED)
    return bool(made) and not set(tables).isdisjoint(run.changed_tables)


def _start(retry: Retry, *, counts: bool) -> None:
    """Ask for the run that tries rows again, in the name of whoever ran them first; only one process does."""
    tries = retry.tries + int(counts)
    with transaction.atomic():
        if not _move(retry, Retry.State.TRIED, tries=tries):
            return
        try:
            file = _keep_file(retry)
        except FileNotFoundError:
            _lose(retry)
            return
        run = retry.run
        again = queue_run(
            site=run.site, processor=run.processor, command_file=file, options=options_of(run),
            origin=SyncRun.Origin.RETRY, owner=owner_of(run), armed_by=armed_by_of(run), mapping=run.mapping or {},
        )  # fmt: skip
        SyncRun.objects.filter(pk=again.pk).update(language=run.language)
        # The rows stay until they have their outcomes: the run may expire.
        Retry.objects.filter(pk=retry.pk).update(retry_run=again)


def _move(retry: Retry, state: Retry.State, **values: int) -> bool:
    return bool(Retry.objects.filter(pk=retry.pk, state=Retry.State.WAITING).update(state=state, **values))


def _lose(retry: Retry) -> None:
    """Say with the run that its rows can't be tried again: what was kept of them is gone."""
    Retry.objects.filter(pk=retry.pk).update(state=Retry.State.LOST)
    run = SyncRun.objects.select_for_update().get(pk=retry.run_id)
    run.notes = [*run.notes, ["rows_lost", {"count": retry.rows.filter(is_replaced=False).count()}]]
    run.save(update_fields=["notes"])


def _keep_file(retry: Retry) -> CommandFile:
    """Make the command file of the rows that still wait. Raises: FileNotFoundError"""
    run = retry.run
    name = chosen_name(run.file_name.rpartition(".")[0] + _suffix(run), timezone.now())
    with storage.scratch_file() as out, storage.opened(retry.storage_key) as kept:
        if retry.rows.filter(is_replaced=True).exists():
            _write_rest(retry, kept, out)
        else:
            out.write(kept.read())
        out.seek(0)
        # Whoever handed in the rows approves no run of them where a second person is wanted.
        handed_in_by = run.command_file.uploaded_by if run.command_file is not None else None
        return receive_for_run(run.site, io.BytesIO(out.read()), name, run.processor, handed_in_by)


def _suffix(run: SyncRun) -> str:
    return _ZIP if find_processor(run.processor).columns.of_pictures else _CSV


def _write_rest(retry: Retry, kept: BinaryIO, out: BinaryIO) -> None:
    """Write the rows that no later file has brought, byte for byte. Rows are kept in the order of their lines."""
    with RunFinalizer(retry.run).open_rows(kept, f"waiting{_suffix(retry.run)}") as reader:
        if reader.pictures is not None:
            _write_pictures(retry, reader.pictures, out)
            return
        stays = [not is_replaced for is_replaced in retry.rows.order_by("line").values_list("is_replaced", flat=True)]
        form = Form(*retry.form)
        dialect = reader.dialect
        end = dialect.line_end.encode(dialect.encoding)
        out.write(mark_of(dialect) if form.is_marked else dialect.bom)
        if reader.header.line:
            out.write(reader.header.raw + end)
        for row, is_wanted in zip(reader, stays, strict=True):
            if is_wanted:
                out.write(row.raw + end)


def _write_pictures(retry: Retry, pictures: PictureZip, out: BinaryIO) -> None:
    """Write a zip of the pictures that no later zip has brought. What was kept of them can be unpacked."""
    gone = set(retry.rows.filter(is_replaced=True).values_list("key", flat=True))
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for line, path in pictures.paths.items():
            if picture_key(path) not in gone:
                archive.writestr(path, pictures.content_of(line))
