"""Which cells of a sheet are covered by one that they are merged with: they are empty, although people see its text there.

This is a part of `workbook_program`, as `workbook_marks` is, and imports nothing of ours.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from typing import Any, NamedTuple
from xml.parsers import expat

_BLOCK = 1 << 16
_LONGEST_SHOWN = 100
_LONGEST_NUMBER = 9
_SPANS = (b"number-rows-spanned", b"number-columns-spanned")


class Area(NamedTuple):
    """Cells that are merged. Units: places from 0, the last ones included"""

    top: int
    left: int
    bottom: int
    right: int


class MergedCells:
    """Tells which cells of a row are covered. Give it all rows of a sheet, in their order."""

    def __init__(self, areas: Iterable[Area]) -> None:
        self._areas = sorted(areas, reverse=True)
        self._open: list[tuple[Area, str]] = []

    def covered(self, number: int, cells: list[Any]) -> dict[int, str]:
        """Return column -> the text that covers the cell there. A row of nothing but such cells is a part of the one above.

        Shape: number: of the row, from 0
        """
        if not self._areas and not self._open:
            return {}
        self._open = [(area, text) for area, text in self._open if area.bottom >= number]
        while self._areas and self._areas[-1].top <= number:
            area = self._areas.pop()
            if area.left < len(cells) and (text := _text_of(cells[area.left])):
                self._open.append((area, text))
        found: dict[int, str] = {}
        for area, text in self._open:
            inside = range(area.left, min(area.right + 1, len(cells)))
            if any(cell not in ("", None) for place, cell in enumerate(cells) if place not in inside):
                found |= dict.fromkeys(inside[1:] if area.top == number else inside, text)
        return found


def _text_of(cell: Any) -> str:
    if isinstance(cell, dict):
        cell = cell["value"]
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return "" if cell is None else str(cell).strip()[:_LONGEST_SHOWN]


def ods_areas(archive: zipfile.ZipFile, sheet: str) -> list[Area]:
    """Return the merged cells of a sheet of an ods. Raises: what a broken zip or XML raises"""
    if not _has_spans(archive):
        return []
    reader = _AreasReader(sheet)
    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = reader.start, reader.end
    with archive.open("content.xml") as stream:
        while block := stream.read(_BLOCK):
            parser.Parse(block, False)
        parser.Parse(b"", True)
    return reader.areas


def _has_spans(archive: zipfile.ZipFile) -> bool:
    carried = b""
    with archive.open("content.xml") as stream:
        while block := stream.read(_BLOCK):
            if any(span in carried + block for span in _SPANS):
                return True
            carried = block[-40:]
    return False


class _AreasReader:
    """Collects the merged cells of an ods sheet."""

    def __init__(self, sheet: str) -> None:
        self.areas: list[Area] = []
        self._sheet = sheet
        self._is_sheet = False
        self._row = self._rows = self._column = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "table:table":
            self._is_sheet, self._row = attributes.get("table:name") == self._sheet, 0
        elif tag == "table:table-row":
            self._rows, self._column = _count(attributes, "table:number-rows-repeated"), 0
        elif tag in ("table:table-cell", "table:covered-table-cell"):
            rows = _count(attributes, "table:number-rows-spanned")
            columns = _count(attributes, "table:number-columns-spanned")
            if self._is_sheet and (rows > 1 or columns > 1):
                bottom, right = self._row + rows - 1, self._column + columns - 1
                self.areas.append(Area(self._row, self._column, bottom, right))
            self._column += _count(attributes, "table:number-columns-repeated")

    def end(self, tag: str) -> None:
        if tag == "table:table-row":
            self._row += self._rows


def _count(attributes: dict[str, str], name: str) -> int:
    count = attributes.get(name, "1")
    return int(count) if count.isdecimal() and len(count) <= _LONGEST_NUMBER else 1
