"""The outcomes of a run as a workbook (XLSX), in the columns of the CSV."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain, islice
from typing import BinaryIO

from django.utils import translation
from django.utils.translation import gettext as _
from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from sync.messages import Quantity
from sync.outcomes.outcome_table import COLUMNS, table_rows
from sync.values import Outcome

# A workbook is made while somebody waits for it: some 5,000 lines a second. The CSV has no such limit.
MOST_LINES = 20_000
# A cell of a workbook holds no more.
_LONGEST_CELL = 32_000


def write_outcome_workbook(
    out: BinaryIO, outcomes: Iterable[Outcome], *, language: str, simulated: bool = False
) -> None:
    """Write the table as a workbook. No cell of it is a formula; where there is more than it may hold, its last line says so.

    Shape: simulated: it says what would be done
    """
    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet("ToolSync")
    with translation.override(language):
        sheet.append(COLUMNS)
        lines = chain.from_iterable(table_rows(outcome, simulated=simulated) for outcome in outcomes)
        for line in islice(lines, MOST_LINES):
            sheet.append([_cell(value) for value in line])
        if next(lines, None) is not None:
            most = Quantity(MOST_LINES)
            sheet.append([_("Only the first %(count)s lines are here: the CSV has all of them.") % {"count": most}])
    workbook.save(out)


def _cell(value: object) -> object:
    """Return a value as a cell can hold it."""
    return (
        ILLEGAL_CHARACTERS_RE.sub("\N{REPLACEMENT CHARACTER}", value)[:_LONGEST_CELL]
        if isinstance(value, str)
        else value
    )
