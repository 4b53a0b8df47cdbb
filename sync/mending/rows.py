"""The failed rows of a run, cell by cell, as its tryback holds them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

from sync.columns.file_columns import ADDED_COLUMNS
from sync.columns.header import is_secret_name
from sync.commandfiles import storage
from sync.errors import CommandFileError, MendRefused
from sync.mappings.mapped_rows import meant_by
from sync.models import RunFile, SyncRun
from sync.models.run import ORIGINS_OF_MADE_FILES
from sync.outcomes.outcome_index import fault_column
from sync.reader import RowReader
from sync.runs.finalize import RunFinalizer
from sync.runs.mappings import mapping_of
from sync.runs.options import processor_of
from sync.runs.outcome_store import read_rows
from sync.values import FAILED_ACTIONS, Header, Outcome, Row

# A page for people: who has more wrong rows than this has a wrong file.
MOST_ROWS = 20_000
# They are in the memory of the web server all at once.
MOST_BYTES = 32 << 20


class FailedRow(NamedTuple):
    """A row that failed. Shape: cells: of the columns of the file; place: of the cell at fault, None where it is the row"""

    line: int
    outcome: Outcome
    cells: tuple[str, ...]
    place: int | None


@dataclass(frozen=True)
class FailedRows:
    """The failed rows of a run. Shape: names: of the columns, as the file spells them; secret: places of passwords"""

    names: tuple[str, ...]
    canonical: tuple[str, ...]
    secret: frozenset[int]
    rows: tuple[FailedRow, ...]

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def by_line(self) -> Mapping[int, FailedRow]:
        return {row.line: row for row in self.rows}

    def alike(self, line: int, place: int) -> list[FailedRow]:
        """Return the rows that have the same text in a cell and failed at it for the same reason, the row itself among them."""
        row = self.by_line[line]
        return [
            other
            for other in self.rows
            if other.place == place
            and other.outcome.code == row.outcome.code
            and other.cells[place] == row.cells[place]
        ]


def can_mend(run: SyncRun) -> bool:
    """Whether the failed rows of a run, or of the plan that it waits with, can be mended in the page."""
    if run.undoes_id is not None or run.origin in ORIGINS_OF_MADE_FILES or processor_of(run).columns.of_pictures:
        return False
    return (run.is_over or run.waits_for_person) and rows_run(run).failed_rows > 0


def are_too_many(run: SyncRun) -> bool:
    """Whether more rows failed than a page takes."""
    return rows_run(run).failed_rows > MOST_ROWS


def rows_run(run: SyncRun) -> SyncRun:
    """Return the run whose outcomes tell which rows failed: of one that waits, its plan."""
    return run.plan if run.waits_for_person and run.plan is not None else run


def read_failed_rows(run: SyncRun) -> FailedRows:
    """Return the failed rows of a run. Raises: MendRefused where they aren't there any more, OutcomesMissing"""
    rows = rows_run(run)
    if (count := rows.failed_rows) > MOST_ROWS:
        raise MendRefused("mend_too_many", count=count, most=MOST_ROWS)
    outcomes = list(read_rows(rows, *FAILED_ACTIONS, of_file=True))
    with opened_tryback(rows) as reader:
        names = columns_of_file(reader.header)
        mapping = mapping_of(rows)
        canonical = meant_by(mapping, processor_of(rows).columns, reader.header)[: len(names)]
        width = len(names)
        found = [
            FailedRow(outcome.line, outcome, cells_of(row, width), _place(canonical, outcome))
            for outcome, row in _pairs(outcomes, reader)
        ]
    hidden = mapping.names_with_secrets(names) if mapping else names
    secret = frozenset(place for place, name in enumerate(hidden) if is_secret_name(name.lower()))
    return FailedRows(names, canonical, secret, tuple(found))


@contextmanager
def opened_tryback(rows: SyncRun) -> Iterator[RowReader]:
    """Open the tryback of a run; it is made where there is none yet. Raises: MendRefused"""
    finalizer = RunFinalizer(rows)
    try:
        kept = RunFile.objects.filter(run=rows, kind=RunFile.Kind.TRYBACK).first() or finalizer.make_kept_tryback()
        with storage.opened(kept.storage_key) as source, finalizer.open_unmapped(source, kept.name) as reader:
            yield reader
    except (FileNotFoundError, CommandFileError):
        raise MendRefused("mend_rows_gone", run=rows.pk) from None


def columns_of_file(header: Header) -> tuple[str, ...]:
    """Return the names of the columns of a file as spelled, without those that a tryback adds."""
    width = next((place for place, name in enumerate(header.names) if name in ADDED_COLUMNS), len(header.names))
    while width > 1 and not header.names[width - 1]:
        width -= 1
    return header.spelled[:width]


def cells_of(row: Row, width: int) -> tuple[str, ...]:
    """Return so many cells of a row, the missing ones empty."""
    return (*row.cells, *[""] * width)[:width]


def _pairs(outcomes: list[Outcome], reader: RowReader) -> Iterator[tuple[Outcome, Row]]:
    """Return each failed outcome with its row. Raises: MendRefused where the tryback isn't the one of these outcomes"""
    size = 0
    try:
        for outcome, row in zip(outcomes, reader, strict=True):
            if (size := size + len(row.raw)) > MOST_BYTES:
                raise MendRefused("mend_too_large", most=MOST_BYTES >> 20)
            yield outcome, row
    except ValueError:
        raise MendRefused("mend_rows_changed") from None


def _place(canonical: tuple[str, ...], outcome: Outcome) -> int | None:
    column = fault_column(outcome)
    return canonical.index(column) if column in canonical else None
