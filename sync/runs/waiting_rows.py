"""Rows that are rejected only because something is missing: they are kept when their run ends, and wait for another try.

What brings the try is in `sync.retries`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from sync.columns.file_columns import Columns
from sync.columns.header import match_header
from sync.commandfiles import storage
from sync.messages import texts
from sync.models import Retry, RetryRow, SyncRun
from sync.models.run import ORIGINS_OF_MADE_FILES
from sync.moodle.db.writer import MAX_KEYS, batched
from sync.reader import RowReader
from sync.runs.finalize import RunFinalizer
from sync.runs.options import find_processor
from sync.runs.outcome_store import read_rows
from sync.values import Action, Outcome, Row

Notes = list[list[Any]]

_FILE_NAME = "waiting.csv"


def keep_waiting_rows(run: SyncRun) -> Notes:
    """Keep the rows of a run that are to be tried again, and drop those of earlier runs that its file brings again.

    Returns what is to be said of it. Twice is harmless.
    """
    if run.simulate or run.undoes_id:
        return []
    if run.origin not in ORIGINS_OF_MADE_FILES:
        _replace_earlier(run)
    most = find_processor(run.processor).options(run.options).retryruns
    if not most:
        return []
    if (kept := Retry.objects.filter(run=run).first()) is not None:
        return [_waiting_note(kept)]
    waiting = list(_retriable(run))
    if not waiting:
        return []
    before = Retry.objects.filter(retry_run=run).first()
    tries = before.tries if before else 0
    if tries >= most:
        return [["rows_given_up", {"count": len(waiting), "tries": tries}]]
    return [_keep(run, waiting, tries, most)]


def _retriable(run: SyncRun) -> Iterator[Outcome]:
    return (
        outcome for outcome in read_rows(run, Action.REJECTED, of_file=True) if outcome.code in texts().missing_tables
    )


def _keep(run: SyncRun, waiting: Sequence[Outcome], tries: int, most: int) -> list[Any]:
    key = f"{storage.run_folder(run.site.slug, run.pk)}/{_FILE_NAME}"
    finalizer = RunFinalizer(run)
    with storage.scratch_file() as out:
        form = finalizer.write_rows_back(out, lambda: iter(waiting))
        if form is None:
            return ["rows_not_retried", {"count": len(waiting)}]
        storage.save(key, out)
    keys = _keys_of(run, finalizer, {outcome.line for outcome in waiting})
    with transaction.atomic():
        retry = Retry.objects.create(
            run=run, site_id=run.site_id, processor=run.processor, tries=tries, most=most, storage_key=key,
            form=list(form), tables=sorted({texts().missing_tables[outcome.code] for outcome in waiting}), seen_at=timezone.now(),
        )  # fmt: skip
        rows = (
            RetryRow(retry=retry, line=o.line, key=keys.get(o.line, ""), code=o.code, subject=o.subject[:255])
            for o in waiting
        )
        RetryRow.objects.bulk_create(rows, batch_size=MAX_KEYS)
    return _waiting_note(retry)


def _waiting_note(retry: Retry) -> list[Any]:
    return ["rows_wait", {"count": retry.rows.count(), "tries": retry.tries_left}]


def _replace_earlier(run: SyncRun) -> None:
    """Drop the waiting rows that the file of a run brings again: the newer row counts, whatever became of it."""
    waiting = RetryRow.objects.filter(
        retry__site=run.site_id, retry__processor=run.processor, retry__state=Retry.State.WAITING, is_replaced=False
    )
    waiting = waiting.exclude(key="").exclude(retry__run=run)
    wanted = set(waiting.values_list("key", flat=True))
    if not wanted:
        return
    finalizer = RunFinalizer(run)
    with storage.opened(run.input_key) as source, finalizer.open_rows(source) as reader:
        brought = {key for _line, key in row_keys(find_processor(run.processor).columns, reader) if key in wanted}
    for part in batched(sorted(brought), MAX_KEYS):
        waiting.filter(key__in=part).update(is_replaced=True, replaced_by=run)


def _keys_of(run: SyncRun, finalizer: RunFinalizer, lines: set[int]) -> dict[int, str]:
    with storage.opened(run.input_key) as source, finalizer.open_rows(source) as reader:
        keys = row_keys(find_processor(run.processor).columns, reader)
        return {line: key for line, key in keys if line in lines}


def row_keys(columns: Columns, reader: RowReader) -> Iterator[tuple[int, str]]:
    """Return of each row its line and a digest of what it is about: its cells in the columns by which things are looked up.

    Two rows with the same digest mean the same; "" where none of these cells is filled. A picture is about whom its name says.
    """
    if reader.pictures is not None:
        for row in reader:
            yield row.line, picture_key(row.cells[0])
        return
    fields = match_header(columns, reader.header, lenient=True).fields
    places = [(position, name) for position, name, column in fields if column.is_key]
    for row in reader:
        yield row.line, _digest(_named(row, places))


def picture_key(path: str) -> str:
    """Return a digest of what a picture is about. Shape: path: within its zip"""
    return _digest([("picture", path.rpartition("/")[2].casefold())])


def _named(row: Row, places: Iterable[tuple[int, str]]) -> list[tuple[str, str]]:
    found = [(name, row.cells[at].strip().casefold()) for at, name in places if at < len(row.cells)]
    return sorted((name, cell) for name, cell in found if cell)


def _digest(named: Sequence[tuple[str, str]]) -> str:
    return hashlib.sha256(json.dumps(named).encode()).hexdigest() if named else ""
