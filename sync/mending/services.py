"""Check mended rows, and carry them out."""

from __future__ import annotations

import copy
from typing import Any, BinaryIO

from django.db import transaction
from django.utils import timezone

from sync.commandfiles import storage
from sync.commandfiles.intake import delete_file
from sync.commandfiles.naming import mended_name
from sync.errors import CommandFileError, MendRefused
from sync.mending.drafts import Check, Draft, delete_draft, load_draft, save_draft
from sync.mending.rows import FailedRows, cells_of, opened_tryback, read_failed_rows, rows_run
from sync.models import SyncRun
from sync.reader import Dialect, RowReader, encode_cells
from sync.reader.encoding_mark import mark_of
from sync.runs import decisions
from sync.runs.finalize import RunFinalizer
from sync.runs.outcome_store import read_rows
from sync.runs.rights import Responsible
from sync.runs.services import queue_run, receive_for_run
from sync.values import FAILED_ACTIONS, Outcome, Row


def check_draft(run: SyncRun, user: Any) -> SyncRun:
    """Ask for a simulation of the rows of a draft alone, and keep with the draft which it was.

    Raises: MendRefused, CommandFileError, OptionError
    """
    draft = load_draft(run, user)
    with transaction.atomic():
        check, lines = plan_mended(run, user, draft, read_failed_rows(run))
        draft.check = Check(check.pk, lines, copy.deepcopy(draft.edits), set(draft.left_out))
        save_draft(run, user, draft)
    return check


def plan_mended(
    run: SyncRun,
    user: Any,
    draft: Draft,
    rows: FailedRows,
    *,
    origin: str = SyncRun.Origin.PERSON,
    in_background: bool = True,
) -> tuple[SyncRun, dict[int, int]]:
    """Ask for a simulation of mended rows alone.

    Returns the simulation, and line in its file -> line in the file of the run
    Shape: rows: the failed rows of the run; origin, in_background: as of queue_run
    Raises: MendRefused, CommandFileError, OptionError
    """
    with storage.scratch_file() as out:
        lines = write_mended(run, rows, draft, out)
        out.seek(0)
        name = mended_name(run.file_name, timezone.now())
        file = receive_for_run(run.site, out, name, run.processor, user)
    try:
        with transaction.atomic():
            plan = queue_run(
                site=run.site, processor=run.processor, command_file=file, options=run.options, simulate=True, user=user,
                mends=run, mapping=rows_run(run).mapping or {}, origin=origin, in_background=in_background,
            )  # fmt: skip
    except BaseException:
        delete_file(file)
        raise
    return plan, lines


def apply_draft(run: SyncRun, person: Responsible, *, typed: str = "") -> SyncRun:
    """Ask for the run that carries out the rows of a draft as they were checked last; the draft is done with.

    Raises: MendRefused, PlanRefused
    """
    draft = load_draft(run, person.user)
    if draft.check is None or not draft.is_wholly_checked:
        raise MendRefused("mend_unchecked")
    check = SyncRun.objects.filter(pk=draft.check.run, mends=run).first()
    if check is None:
        raise MendRefused("mend_unchecked")
    with transaction.atomic():
        # The page of the rows doesn't say why their plan would be held: that of the run does.
        applied = decisions.apply_plan(check, person, typed=typed, approves=False)
        delete_draft(run, person.user)
    return applied


def failed_again(draft: Draft, check: SyncRun) -> dict[int, Outcome]:
    """Return what is still wrong with the rows of a draft, by their lines in the mended run's file. Raises: OutcomesMissing"""
    lines = draft.check.lines if draft.check is not None else {}
    found = read_rows(check, *FAILED_ACTIONS, of_file=True)
    return {lines[outcome.line]: outcome for outcome in found if outcome.line in lines}


def write_mended(run: SyncRun, rows: FailedRows, draft: Draft, out: BinaryIO) -> dict[int, int]:
    """Write the command file of the mended rows: as the tryback, with the changed cells in it.

    Returns line in the file -> line in the file of the run
    Raises: MendRefused where a text can't be written so that it is read again, or no row is left
    """
    kept = [row for row in rows.rows if row.line not in draft.left_out]
    if not kept:
        raise MendRefused("mend_no_row")
    with opened_tryback(rows_run(run)) as reader:
        _write_rows(out, reader, rows, draft)
    wanted = [draft.mended(row.line, row.cells) for row in kept]
    found = _read_again(run, out, len(rows.names))
    if [cells for _line, cells in found] != [[" ".join(c.split()) for c in cells] for cells in wanted]:
        raise MendRefused("mend_read_otherwise")
    return {line: row.line for (line, _cells), row in zip(found, kept, strict=True)}


def _write_rows(out: BinaryIO, reader: RowReader, rows: FailedRows, draft: Draft) -> None:
    """Write the header and the rows that are sent again; a row without a change keeps its bytes."""
    dialect = reader.dialect
    end = dialect.line_end.encode(dialect.encoding)
    out.write(mark_of(dialect))
    if reader.header.line:
        out.write(reader.header.raw + end)
    for failed, row in zip(rows.rows, reader, strict=True):
        if failed.line not in draft.left_out:
            out.write(
                (_mended(dialect, row, draft.edits[failed.line]) if failed.line in draft.edits else row.raw) + end
            )


def _mended(dialect: Dialect, row: Row, edits: dict[int, str]) -> bytes:
    """Return a row with its changed cells. Raises: MendRefused for a text that the encoding can't hold"""
    cells = list(cells_of(row, max(len(row.cells), max(edits) + 1)))
    for place, text in edits.items():
        try:
            text.encode(dialect.encoding)
        except UnicodeEncodeError:
            raise MendRefused("mend_not_encodable", text=text[:60], encoding=dialect.encoding) from None
        cells[place] = text
    # A list has one cell in a line, and nothing that would end it.
    return encode_cells(dialect, cells) if dialect.separator else cells[0].encode(dialect.encoding)


def _read_again(run: SyncRun, out: BinaryIO, width: int) -> list[tuple[int, list[str]]]:
    """Return line and cells of each row of the file that was written."""
    out.seek(0)
    try:
        with RunFinalizer(rows_run(run)).open_unmapped(out, mended_name(run.file_name, timezone.now())) as again:
            return [(row.line, [" ".join(cell.split()) for cell in cells_of(row, width)]) for row in again]
    except CommandFileError:
        raise MendRefused("mend_read_otherwise") from None
