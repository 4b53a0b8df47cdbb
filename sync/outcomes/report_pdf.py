"""The report as PDF: the text of the report on pages, for people who print or file it."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from django.utils.translation import gettext as _
from fpdf import FPDF

from sync.messages import Quantity

# A page is made while somebody waits for it: some 500 lines a second.
MOST_LINES = 1_500
_TEXT, _HEAD, _LINE_HEIGHT, _MARGIN = 9, 14, 4.6, 15
# The only letters of a font that every reader of PDF has.
_CORE_FONT, _CORE_LETTERS = "Helvetica", "latin-1"


class _ReportPages(FPDF):
    """Pages with a number. Shape: font_file: with the letters of most alphabets; None = Western ones only"""

    def __init__(self, font_file: Path | None) -> None:
        super().__init__(format="A4")
        self._is_core = font_file is None
        self._family = _CORE_FONT
        if font_file is not None:
            self._family = "DejaVu"
            self.add_font(self._family, fname=font_file)
        self.set_margin(_MARGIN)
        self.set_auto_page_break(True, _MARGIN + _LINE_HEIGHT)

    def footer(self) -> None:
        self.set_y(-_MARGIN)
        self.set_font(self._family, size=_TEXT)
        self.cell(0, _LINE_HEIGHT, str(self.page_no()), align="C")

    def put(self, text: str, size: int) -> None:
        """Put a line behind the last one, broken where it is too long."""
        self.set_font(self._family, size=size)
        if self._is_core:
            text = text.encode(_CORE_LETTERS, errors="replace").decode(_CORE_LETTERS)
        self.multi_cell(0, _LINE_HEIGHT * size / _TEXT, text, align="L", new_x="LMARGIN", new_y="NEXT")


def write_report_pdf(out: BinaryIO, title: str, lines: Iterable[str], font_file: Path | None) -> None:
    """Write the lines of a report as PDF; where there are more than MOST_LINES, the last one says so. In the active language."""
    pages = _ReportPages(font_file)
    pages.set_title(title)
    pages.add_page()
    pages.put(title, _HEAD)
    pages.ln(_LINE_HEIGHT)
    remaining = iter(lines)
    for line in islice(remaining, MOST_LINES):
        pages.put(line.rstrip("\n").replace("\t", "    "), _TEXT) if line.strip() else pages.ln(_LINE_HEIGHT)
    if next(remaining, None) is not None:
        most = Quantity(MOST_LINES)
        pages.put(
            _("Only the first %(count)s lines are here: the report as text has all of them.") % {"count": most}, _TEXT
        )
    out.write(pages.output())
