"""Cells of the tables that we make for people: none of them is a formula when a spreadsheet opens the table."""

from __future__ import annotations

# What spreadsheets take for the beginning of a formula, also as the full-width characters of East Asian keyboards. Tabs and
# line ends at the beginning are dropped on import, so that what follows them would begin the cell.
# Source: OWASP, "CSV injection"
FORMULA_MARKS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def neutralised(text: str) -> str:
    """Return the text of a cell so that no spreadsheet calculates it: with an apostrophe in front where it could.

    It is for tables that people open (CSV, XLSX). A tryback is not one of them: its lines are sent again byte for byte.
    """
    return f"'{text}" if text.startswith(FORMULA_MARKS) else text
