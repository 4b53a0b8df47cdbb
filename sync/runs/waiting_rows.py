"""Rows that are rejected only because something is missing: they are kept when their run ends, and wait for another try.

What brings the try is in `sync.retries`.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Exists, Q, QuerySet
from django.utils import timezone

from sync.columns.header import match_header
from sync.commandfiles import storage
from sync.errors import TryRefused
from sync.messages import texts
from sync.models import Retry, RetryRow, SyncRun
from sync.models.run import COMPLETED_STATES, ORIGINS_OF_MADE_FILES, UNFINISHED_STATES
from sync.moodle.db.writer import MAX_KEYS, batched
from sync.reader import RowReader
from sync.runs.finalize import RunFinalizer
from sync.runs.mended_rows import mended_while_waiting
from sync.runs.options import find_processor
from sync.runs.outcome_store import read_rows
from sync.runs.selectors import undoing_runs
from sync.values import Action, Outcome, Row

Notes = list[list[Any]]

_FILE_NAME = "waiting.csv"
# Why rows aren't tried again.
TRY_UNDONE = "retry_of_undone"
# Tries of tries are followed so far.
_STEPS = 100

# What a row is about, whatever it says of it: of a membership the user and the place. Of columns that name the same the first
# that is filled counts. A row of a file type that isn't here is about all that it names.
_ABOUT: dict[str, tuple[tuple[str, ...], ...]] = {
    "cohort_courses": (("course",), ("cohort",)),
    "cohorts": (("cidnumber", "cid", "cname"), ("userid",)),
    "courses": (("shortname", "idnumber", "id"),),
    "enrolments": (("cid",), ("uid",)),
    "groupmembers": (("courseid",), ("groupid",), ("userid",)),
    "roles": (("context",), ("instance",), ("course",), ("userid",)),
    "users": (("username",),),
}


def keep_waiting_rows(run: SyncRun) -> Notes:
    """Keep the rows of a run that are to be tried again, and drop those of earlier runs that its file brings again.

    Returns what is to be said of it. Twice is harmless.
    """
    if run.simulate or run.undoes_id:
        return []
    notes: Notes = []
    if run.origin not in ORIGINS_OF_MADE_FILES:
        _replace_earlier(run)
        # Of an attempt before this one as well. Rows of a try that is held are dropped once it expires.
        replaced = RetryRow.objects.filter(replaced_by=run).exclude(retry__state=Retry.State.TRIED)
        mended = replaced.filter(retry__run=run.mends_id).count() if run.mends_id else 0
        if mended:
            notes.append(["waiting_rows_mended", {"count": mended, "run": run.mends_id}])
        if count := replaced.count() - mended:
            notes.append(["waiting_rows_replaced", {"count": count}])
    notes += _keep_own(run)
    # The outcomes of these rows are the run's now.
    for tried in Retry.objects.filter(retry_run=run):
        storage.delete(tried.storage_key)
    return notes


def wait_again(run: SyncRun) -> None:
    """Let the rows that a run was to try again wait once more: none was tried, and it counts as no try.

    Belongs in the transaction that ends the run. Queries: three at most
    """
    for retry in Retry.objects.filter(retry_run=run, state=Retry.State.TRIED):
        # Up to when it was looked for runs that ended is as it was before the try: whether that counted is found again.
        brought_by = ended_since(retry).filter(finished_at__lte=run.created_at)
        given_back = int(any(counts_as_try(retry, ended) for ended in brought_by))
        # What ended before the run was asked for has brought this try already.
        Retry.objects.filter(pk=retry.pk).update(
            state=Retry.State.WAITING, tries=max(0, retry.tries - given_back), seen_at=run.created_at
        )


def undone_origins(run_ids: Iterable[int]) -> dict[int, int]:
    """Return those of some runs that were undone, or try rows again of a run that was: run -> the run that was undone.

    Queries: two for each step of tries
    """
    found: dict[int, int] = {}
    asked = {pk: {pk} for pk in run_ids}
    for _step in range(_STEPS):
        if not asked:
            break
        for undone in SyncRun.objects.filter(Exists(undoing_runs("pk")), pk__in=[*asked]).values_list("pk", flat=True):
            found |= dict.fromkeys(asked.pop(undone), undone)
        above: defaultdict[int, set[int]] = defaultdict(set)
        for again, run in Retry.objects.filter(retry_run__in=[*asked]).values_list("retry_run", "run"):
            above[run] |= asked[again]
        asked = above
    return found


def check_try(run: SyncRun) -> None:
    """Look whether the run whose rows a run tries again still counts. Raises: TryRefused"""
    if run.origin != SyncRun.Origin.RETRY:
        return
    if (undone := undone_origins([run.pk]).get(run.pk)) is not None:
        raise TryRefused(TRY_UNDONE, run=undone)


def ended_since(retry: Retry) -> QuerySet[SyncRun]:
    """Return the runs that may bring a try of rows: those that have ended on the site since it was last looked for them."""
    ended = SyncRun.objects.filter(
        site=retry.site_id, simulate=False, state__in=COMPLETED_STATES, finished_at__gt=retry.seen_at, undoes=None
    )
    return ended.exclude(pk=retry.run_id).exclude(origin=SyncRun.Origin.RETRY).order_by("finished_at")


def counts_as_try(retry: Retry, ended: SyncRun) -> bool:
    """Whether a try that a run has brought counts as one: a file of the same type has come."""
    return ended.processor == retry.processor and ended.origin not in ORIGINS_OF_MADE_FILES


def _keep_own(run: SyncRun) -> Notes:
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
    newer = dict(_replaced_after(before, run).values_list("key", "replaced_by")) if before else {}
    mended = mended_while_waiting(run)
    keys = _keys_of(run, RunFinalizer(run), {outcome.line for outcome in waiting})
    rows = [_row_of(outcome, keys.get(outcome.line, ""), newer, mended) for outcome in waiting]
    return _keep(run, waiting, (tries, most), rows)


def _replaced_after(retry: Retry, run: SyncRun) -> QuerySet[RetryRow]:
    """Return the rows that files have brought again while the run that tries them was held."""
    return retry.rows.filter(is_replaced=True, replaced_by__gt=run.pk).exclude(key="")


def _retriable(run: SyncRun) -> Iterator[Outcome]:
    return (
        outcome for outcome in read_rows(run, Action.REJECTED, of_file=True) if outcome.code in texts().missing_tables
    )


def _row_of(outcome: Outcome, about: str, newer: Mapping[str, int], mended: Mapping[int, int]) -> RetryRow:
    """Shape: about: key of the row; newer: key -> the run that has brought it again; mended: line -> the run that mended it"""
    replaced_by = newer.get(about) or mended.get(outcome.line)
    return RetryRow(
        line=outcome.line, key=about, code=outcome.code, subject=outcome.subject[:255],
        is_replaced=replaced_by is not None, replaced_by_id=replaced_by,
    )  # fmt: skip


def _keep(run: SyncRun, waiting: Sequence[Outcome], tries: tuple[int, int], rows: Sequence[RetryRow]) -> Notes:
    """Shape: tries: so far, and after how many rows are given up; rows: of those that wait, not stored so far"""
    key = f"{storage.run_folder(run.site.slug, run.pk)}/{_FILE_NAME}"
    with storage.scratch_file() as out:
        form = RunFinalizer(run).write_rows_back(out, lambda: iter(waiting))
        if form is None:
            return [["rows_not_retried", {"count": len(waiting)}]]
        storage.save(key, out)
    with transaction.atomic():
        retry = Retry.objects.create(
            run=run, site_id=run.site_id, processor=run.processor, tries=tries[0], most=tries[1], storage_key=key,
            form=list(form), tables=sorted({texts().missing_tables[outcome.code] for outcome in waiting}), seen_at=timezone.now(),
        )  # fmt: skip
        for row in rows:
            row.retry = retry
        RetryRow.objects.bulk_create(rows, batch_size=MAX_KEYS)
    return [_waiting_note(retry)] if any(not row.is_replaced for row in rows) else []


def _waiting_note(retry: Retry) -> list[Any]:
    return ["rows_wait", {"count": retry.rows.count(), "tries": retry.tries_left}]


def _replace_earlier(run: SyncRun) -> None:
    """Drop the waiting rows about the same as rows of the file of a run: the newer one counts, whatever became of it."""
    # Those of a try that isn't over wait again where nobody decides on it.
    waits = Q(retry__state=Retry.State.WAITING)
    is_tried = Q(retry__state=Retry.State.TRIED, retry__retry_run__state__in=UNFINISHED_STATES)
    waiting = RetryRow.objects.filter(
        waits | is_tried, retry__site=run.site_id, retry__processor=run.processor, is_replaced=False
    )
    waiting = waiting.exclude(key="").exclude(retry__run=run)
    wanted = set(waiting.values_list("key", flat=True))
    if not wanted:
        return
    finalizer = RunFinalizer(run)
    with storage.opened(run.input_key) as source, finalizer.open_rows(source) as reader:
        brought = {key for _line, key in row_keys(run.processor, reader) if key in wanted}
    for part in batched(sorted(brought), MAX_KEYS):
        waiting.filter(key__in=part).update(is_replaced=True, replaced_by=run)


def _keys_of(run: SyncRun, finalizer: RunFinalizer, lines: set[int]) -> dict[int, str]:
    with storage.opened(run.input_key) as source, finalizer.open_rows(source) as reader:
        keys = row_keys(run.processor, reader)
        return {line: key for line, key in keys if line in lines}


def row_keys(processor: str, reader: RowReader) -> Iterator[tuple[int, str]]:
    """Return of each row its line and a digest of what it is about.

    Two rows with the same digest are about the same; "" where a row doesn't say about what it is. A picture is about whom its
    name says. Shape: processor: key of the file type
    """
    if reader.pictures is not None:
        for row in reader:
            yield row.line, picture_key(row.cells[0])
        return
    fields = match_header(find_processor(processor).columns, reader.header, lenient=True).fields
    parts = _ABOUT.get(processor)
    if parts is None:
        places = [(position, name) for position, name, column in fields if column.is_key]
        for row in reader:
            yield row.line, _digest(_named(row, places))
        return
    positions = {name: position for position, name, _column in fields}
    for row in reader:
        yield row.line, _digest(_about(row, parts, positions))


def _about(row: Row, parts: Iterable[tuple[str, ...]], positions: Mapping[str, int]) -> list[tuple[str, str]]:
    """Return what a row is about. Shape: parts: columns that name the same; positions: of columns"""
    found: list[tuple[str, str]] = []
    for names in parts:
        filled = _named(row, [(positions[name], name) for name in names if name in positions])
        first = min(filled, key=lambda item: names.index(item[0]), default=None)
        found += [first] if first is not None else []
    return found


def picture_key(path: str) -> str:
    """Return a digest of what a picture is about. Shape: path: within its zip"""
    return _digest([("picture", path.rpartition("/")[2].casefold())])


def _named(row: Row, places: Iterable[tuple[int, str]]) -> list[tuple[str, str]]:
    found = [(name, row.cells[at].strip().casefold()) for at, name in places if at < len(row.cells)]
    return sorted((name, cell) for name, cell in found if cell)


def _digest(named: Sequence[tuple[str, str]]) -> str:
    return hashlib.sha256(json.dumps(named).encode()).hexdigest() if named else ""
