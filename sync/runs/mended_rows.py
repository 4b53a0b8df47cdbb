"""Which rows of a run were mended, or left out: as the plan of the mended rows, or the page on which that was done, says."""

from __future__ import annotations

from sync.columns.file_columns import TRYBACK_COLUMNS
from sync.commandfiles import storage
from sync.errors import CommandFileError, OutcomesMissing
from sync.models import SyncRun
from sync.runs.finalize import RunFinalizer
from sync.runs.outcome_store import read_rows
from sync.values import FAILED_ACTIONS

_LINE_COLUMN = TRYBACK_COLUMNS[0]


def named_lines(plan: SyncRun) -> set[int] | None:
    """Return which lines of the run that it mends a plan has the rows of; None = it decides on all rows that failed there.

    On the page each failed row is sent again or left out; of what a program sends, rows that it doesn't name were just not meant.
    Raises: CommandFileError, FileNotFoundError
    """
    if plan.origin == SyncRun.Origin.PERSON:
        return None
    with storage.opened(plan.input_key) as source, RunFinalizer(plan).open_unmapped(source) as reader:
        if _LINE_COLUMN not in reader.header.names:
            return set()
        at = reader.header.names.index(_LINE_COLUMN)
        cells = (row.cells[at].strip() for row in reader if at < len(row.cells))
        return {int(cell) for cell in cells if cell.isascii() and cell.isdecimal()}


def mended_while_waiting(run: SyncRun) -> dict[int, int]:
    """Return which rows of a run were mended, or left out, while it waited for a person: line -> the run that brings them.

    What can't be told any more, as the file is gone, is left out.
    Queries: two, and one for each run of mended rows
    """
    if run.plan is None:
        return {}
    found: dict[int, int] = {}
    for applied in SyncRun.objects.filter(mends=run, simulate=False).select_related("plan").order_by("pk"):
        try:
            lines = named_lines(applied.plan) if applied.plan is not None else set()
            if lines is None:
                lines = {outcome.line for outcome in read_rows(run.plan, *FAILED_ACTIONS, of_file=True)}
        except (CommandFileError, FileNotFoundError, OutcomesMissing):
            continue
        found |= dict.fromkeys(lines, applied.pk)
    return found
