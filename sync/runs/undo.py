"""Undo a run: make the command file that names its before-images, and ask for the run that carries it out."""

from __future__ import annotations

import csv
import io
import sqlite3
from collections.abc import Collection, Iterable, Iterator
from contextlib import closing
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from django.db import transaction

from sync.commandfiles import storage
from sync.commandfiles.intake import delete_file, keep_for_run
from sync.errors import UndoRefused
from sync.models import MoodleSite, RunChunk, RunState, SyncRun
from sync.moodle.db.writer import BeforeImage
from sync.processors.base.context import ImagePlace
from sync.processors.undo.history import NetChange
from sync.processors.undo.rules import NEVER_TAKEN_BACK
from sync.runs.run_journal import read_journal
from sync.runs.services import queue_run

HEADER = ("change", "table", "id", "entries")


class UndoneRow(NamedTuple):
    """A row that a run changed. Shape: places: of its before-images, in the order of the writes; id: None where it isn't known"""

    change: NetChange
    table: str
    id: int | None
    places: list[ImagePlace]


def undo_run(
    run: SyncRun,
    *,
    user: Any = None,
    simulate: bool = False,
    site: MoodleSite | None = None,
    origin: str = SyncRun.Origin.PERSON,
    in_background: bool = True,
) -> SyncRun:
    """Ask for a run that takes back what another one did. Nothing is written where that can't be.

    Shape: site: the one that the caller means, if any
    Raises: UndoRefused, JournalMissing, CommandFileError
    """
    if site is not None and run.site_id != site.pk:
        raise UndoRefused("undo_of_another_site", run=run.pk, site=run.site.name)
    check_undo(run)
    with storage.scratch_file() as out:
        if not _write_lines(out, rows_to_undo(read_journal(run))):
            raise UndoRefused("undo_of_nothing", run=run.pk)
        out.seek(0)
        file = keep_for_run(run.site, out, f"undo-of-run-{run.pk}.csv", run.processor, user)
    try:
        with transaction.atomic():
            # Two people may ask at the same time.
            check_undo(SyncRun.objects.select_for_update().get(pk=run.pk))
            return queue_run(
                site=run.site, processor=run.processor, command_file=file, simulate=simulate, user=user, origin=origin,
                undoes=run, in_background=in_background,
            )  # fmt: skip
    except BaseException:
        delete_file(file)
        raise


def check_undo(run: SyncRun) -> None:
    """Ask our own database whether a run can be undone. Raises: UndoRefused. Queries: three, and one for each undo of it"""
    if run.simulate:
        raise UndoRefused("undo_of_simulation", run=run.pk)
    if not run.is_over:
        raise UndoRefused("undo_of_active_run", run=run.pk)
    if (undo := undone_by(run)) is not None:
        raise UndoRefused("undo_at_work" if not undo.is_over else "undo_done", run=run.pk, undo=undo.pk)
    if not run.chunks.filter(journal_key__gt="").exists():
        raise UndoRefused("undo_journal_old" if run.changed_tables else "undo_of_nothing", run=run.pk)


def undone_by(run: SyncRun) -> SyncRun | None:
    """Return the run that undoes another one, or has undone it wholly and wasn't undone itself."""
    for undo in SyncRun.objects.filter(undoes=run, simulate=False).order_by("-pk"):
        if not undo.is_over or (undo.state == RunState.COMPLETED and undone_by(undo) is None):
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


def rows_to_undo(images: Iterable[tuple[ImagePlace, BeforeImage]]) -> Iterator[UndoneRow]:
    """Return the rows that a run changed, the last one first. What it made and deleted again is none of them."""
    # The empty name asks SQLite for a temporary file that is deleted when the connection closes.
    with closing(sqlite3.connect("", isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = OFF")
        database.execute("PRAGMA synchronous = OFF")
        database.execute(
            "CREATE TABLE image (place INTEGER PRIMARY KEY, chunk INTEGER, number INTEGER, name TEXT, id INTEGER, kind TEXT)"
        )
        database.executemany(
            "INSERT INTO image (chunk, number, name, id, kind) VALUES (?, ?, ?, ?, ?)",
            ((*place, image.table, image.id, image.kind) for place, image in images if _is_taken_back(image)),
        )
        found = database.execute(
            "SELECT max(place) OVER (PARTITION BY name, coalesce(id, -place)) AS last, chunk, number, name, id, kind"
            " FROM image ORDER BY last DESC, place"
        )
        for _last, group in groupby(found, itemgetter(0)):
            writes = list(group)
            change = NetChange.of([write[5] for write in writes])
            if change is not NetChange.NOTHING:
                places = [ImagePlace(write[1], write[2]) for write in writes]
                yield UndoneRow(change, writes[0][3], writes[0][4], places)


def _is_taken_back(image: BeforeImage) -> bool:
    return image.table not in NEVER_TAKEN_BACK


def _write_lines(out: Any, rows: Iterable[UndoneRow]) -> int:
    """Write the command file; return how many rows it names."""
    lines = io.TextIOWrapper(out, encoding="utf-8", newline="", write_through=True)
    writer = csv.writer(lines, delimiter=";", lineterminator="\n")
    writer.writerow(HEADER)
    written = 0
    for row in rows:
        entries = " ".join(f"{place.chunk}:{place.number}" for place in row.places)
        writer.writerow((row.change.value, row.table, "" if row.id is None else row.id, entries))
        written += 1
    lines.detach()
    return written
