"""The outcomes of a run as a table (CSV) that spreadsheets open: one line for each row, and for each field that it changed."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from django.utils import translation

from sync.messages import text_at_column
from sync.outcomes.report import outcome_text
from sync.values import Outcome

# What spreadsheets take for the beginning of a formula, also as the full-width characters of East Asian keyboards. Tabs and
# line ends at the beginning are dropped on import, so that what follows them would begin the cell.
# Source: OWASP, "CSV injection"
_FORMULA_MARKS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
COLUMNS = ("line", "identifier", "action", "code", "text", "field", "old", "new")

# Where a comma stands between the cells of a table; elsewhere it is the decimal sign, and spreadsheets expect a semicolon.
_LANGUAGES_WITH_COMMA = frozenset(("en", "he", "hi", "ja", "ko", "th", "zh"))
# The mark by which spreadsheets see that the file is UTF-8.
_BOM = b"\xef\xbb\xbf"
_WRITE_ROWS = 1000


def write_outcome_table(out: BinaryIO, outcomes: Iterable[Outcome], *, language: str, simulated: bool = False) -> None:
    """Write the table as UTF-8. No cell of it is a formula; what rows never tell (passwords) isn't in it either.

    Shape: simulated: it says what would be done
    """
    out.write(_BOM)
    buffer = io.StringIO(newline="")
    table = csv.writer(buffer, delimiter=_separator(language), lineterminator="\r\n")
    with translation.override(language):
        table.writerow(COLUMNS)
        for number, outcome in enumerate(outcomes, 1):
            table.writerows(table_rows(outcome, simulated=simulated))
            if number % _WRITE_ROWS == 0:
                out.write(buffer.getvalue().encode())
                buffer.seek(0)
                buffer.truncate()
        out.write(buffer.getvalue().encode())


def table_rows(outcome: Outcome, *, simulated: bool = False) -> Iterator[tuple[object, ...]]:
    notes = (text_at_column(note.code, note.params) for note in outcome.notes)
    text = neutralised(" ".join(" · ".join((outcome_text(outcome, simulated=simulated), *notes)).split()))
    front = (outcome.line, neutralised(outcome.subject), outcome.action.value, outcome.code, text)
    if not outcome.changes:
        yield (*front, "", "", "")
    for change in outcome.changes:
        yield (*front, neutralised(change.field), neutralised(change.old), neutralised(change.new))


def _separator(language: str) -> str:
    return "," if language.partition("-")[0].lower() in _LANGUAGES_WITH_COMMA else ";"


def neutralised(text: str) -> str:
    """Return the text of a cell so that no spreadsheet calculates it: with an apostrophe in front where it could.

    It is for tables that people open (CSV, XLSX). A tryback is not one of them: its lines are sent again byte for byte.
    """
    return f"'{text}" if text.startswith(_FORMULA_MARKS) else text
