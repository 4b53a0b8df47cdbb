"""The command file of an undo: it names the before-images of the run that is taken back, a row of Moodle on each line."""

from __future__ import annotations

import csv
import io
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from sync.commandfiles import storage
from sync.commandfiles.intake import keep_for_run
from sync.errors import UndoRefused
from sync.models import CommandFile, SyncRun
from sync.moodle.db.writer import BeforeImage
from sync.processors.base.context import ImagePlace
from sync.processors.undo.history import NetChange
from sync.processors.undo.rules import NAMED_TABLES, NEVER_TAKEN_BACK
from sync.runs.run_journal import read_journal
from sync.runs.undo_line import images_of_line

HEADER = ("change", "table", "id", "entries")


class UndoneRow(NamedTuple):
    """A row that a run changed. Shape: places: of its before-images, in the order of the writes; id: None where it isn't known"""

    change: NetChange
    table: str
    id: int | None
    places: list[ImagePlace]


def undo_file_name(run: SyncRun, line: int | None = None) -> str:
    """Return the name of the command file that takes a run back, or one line of it."""
    return f"undo-of-run-{run.pk}.csv" if line is None else f"undo-of-run-{run.pk}-line-{line}.csv"


def make_undo_file(undone: SyncRun, user: Any, line: int | None = None) -> CommandFile:
    """Make the command file that takes a run back, or one line of it.

    Raises: UndoRefused, JournalMissing, StorageUnavailable, OutcomesMissing
    """
    images = read_journal(undone) if line is None else images_of_line(undone, line)
    with storage.scratch_file() as out:
        if not _write_lines(out, rows_to_undo(images)):
            raise UndoRefused("undo_of_nothing", run=undone.pk)
        out.seek(0)
        return keep_for_run(undone.site, out, undo_file_name(undone, line), undone.processor, user)


def rows_to_undo(images: Iterable[tuple[ImagePlace, BeforeImage]]) -> Iterator[UndoneRow]:
    """Return the rows that a run changed, the last one first. What it made and deleted again is none of them.

    Of rows with names of their own the first write counts: who has taken such a name from one that was renamed twice goes before.
    """
    # The empty name asks SQLite for a temporary file that is deleted when the connection closes.
    with closing(sqlite3.connect("", isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = OFF")
        database.execute("PRAGMA synchronous = OFF")
        database.execute(
            "CREATE TABLE image (place INTEGER PRIMARY KEY, chunk INTEGER, number INTEGER, name TEXT, id INTEGER, kind TEXT,"
            " counts_last INTEGER)"
        )
        database.executemany(
            "INSERT INTO image (chunk, number, name, id, kind, counts_last) VALUES (?, ?, ?, ?, ?, ?)",
            (
                (*place, image.table, image.id, image.kind, not _is_renaming(image))
                for place, image in images
                if _is_taken_back(image)
            ),
        )
        found = database.execute(
            "SELECT iif(max(counts_last) OVER of_row, max(place) OVER of_row, min(place) OVER of_row) AS at,"
            " chunk, number, name, id, kind FROM image WINDOW of_row AS (PARTITION BY name, coalesce(id, -place))"
            " ORDER BY at DESC, place"
        )
        for _at, group in groupby(found, itemgetter(0)):
            writes = list(group)
            change = NetChange.of([write[5] for write in writes])
            if change is not NetChange.NOTHING:
                places = [ImagePlace(write[1], write[2]) for write in writes]
                yield UndoneRow(change, writes[0][3], writes[0][4], places)


def _is_taken_back(image: BeforeImage) -> bool:
    return image.table not in NEVER_TAKEN_BACK


def _is_renaming(image: BeforeImage) -> bool:
    """Whether a write may give a row another name, and nothing waits for it: who was deleted comes back before what they had."""
    return image.table in NAMED_TABLES and image.kind in ("update", "complete") and "deleted" not in image.after


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
