"""What is special about cells of a workbook: how a number is shown, and whether a formula has a result.

The library that reads the sheets doesn't tell. This is a part of `workbook_program`, runs in its process and within its
limits, and imports nothing of ours.

A mark is what takes the place of the cell: {"type": "shown", "value": "00045"} for a number whose format adds digits or
letters, {"type": "fault", "code": ..., "value": ...} for a cell that can't be what somebody meant.
"""

# ruff: noqa: S314 (the process has limits, and expat limits what entities unfold to)

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree as ET
from xml.parsers import expat

Mark = dict[str, str]
# Row and column, from 0.
Marks = dict[int, dict[int, Mark]]

_BLOCK = 1 << 16
_LONGEST_REFERENCE = 10
_MOST_EXACT = 10**15
_SHOWN_PARTS = re.compile(r'"[^"]{0,99}"|\\.|_.|\*.|\[[^\]]{0,99}\]|[Gg][Ee][Nn][Ee][Rr][Aa][Ll]|[^"\\_*\[]')
# Of a number format: a digit where there is one, and the whole number.
_MAYBE_DIGIT, _GENERAL = "#", "general"
_SHOWN_OTHERWISE = "cell_shown_otherwise"
# Types of cells that hold texts. Source: ECMA-376, 18.18.11
_TEXTS = frozenset(("s", "str", "inlineStr"))
# Digits on both sides of a dash, which belongs to what is shown.
_DIGITS_APART = re.compile(r"[0#] ?-+ ?[0#]")
_DIGITS_APART_SHOWN = re.compile(r"[0-9]-[0-9]")
_LONGEST_CODE = 255
# In a number format: dates, fractions, scientific notation and text.
_OTHER_FORMATS = re.compile(r"[a-zA-Z@/?]")
_SCIENTIFIC = re.compile(r"[0-9.,]+[Ee][+-]?[0-9]+")
# A formula, an error, many digits.
_SPECIAL = re.compile(rb"""<(?:[a-z0-9]{1,9}:)?f[ />]|[ \n\t]t ?= ?["']e["']|[0-9]{16}|[0-9]E\+""")
# A row or a column that isn't shown.
_HIDDEN = re.compile(rb"""[ \n\t]hidden ?= ?["'](?:1|true)|visibility ?= ?["'](?:filter|collapse)""")
# With more styles than these that say more than a number, the sheet is looked at in any case.
_MOST_STYLES = 40
_PADDED = re.compile(r"0[0-9]+")
_MEANINGLESS = frozenset(" -()+'$€£¥%.,\xa0")


def find_marks(archive: zipfile.ZipFile, sheet: str) -> Marks:
    """Return the marks of a sheet, by its name. Raises: what a broken zip or XML raises"""
    if "xl/workbook.xml" in archive.namelist():
        return _xlsx_marks(archive, sheet)
    if "content.xml" in archive.namelist():
        return _ods_marks(archive, sheet)
    return {}


def _xlsx_marks(archive: zipfile.ZipFile, sheet: str) -> Marks:
    part = _sheet_part(archive, sheet)
    codes = _format_codes(archive)
    telling = [number for number, code in enumerate(codes) if _is_telling(code) or _adds_to_text(code)]
    if not part or part not in archive.namelist() or not _may_hold_marks(archive, part, telling):
        return {}
    reader = _XlsxReader(codes, is_calculated=not _is_found(archive, "xl/workbook.xml", _TO_BE_CALCULATED))
    _feed(archive, part, reader.start, reader.end, reader.text)
    return reader.marks


def hidden_rows(archive: zipfile.ZipFile, sheet: str) -> list[int]:
    """Return how many rows of a sheet hold something and are hidden, by a filter or by hand, and the number of the first.

    Raises: what a broken zip or XML raises
    """
    is_ods = "xl/workbook.xml" not in archive.namelist()
    part = "content.xml" if is_ods else _sheet_part(archive, sheet)
    if part not in archive.namelist() or not _is_found(archive, part, _HIDDEN):
        return [0, 0]
    reader = _HiddenRowsReader("" if not is_ods else sheet)
    _feed(archive, part, reader.start, reader.end, lambda _text: None)
    return [reader.count, reader.first]


def _is_found(archive: zipfile.ZipFile, part: str, pattern: re.Pattern[bytes]) -> bool:
    carried = b""
    with archive.open(part) as stream:
        while block := stream.read(_BLOCK):
            if pattern.search(carried + block):
                return True
            carried = block[-40:]
    return False


class _HiddenRowsReader:
    """Counts hidden rows that hold something. Shape: sheet: the one of an ods that is meant, "" = the part is one sheet"""

    def __init__(self, sheet: str) -> None:
        self.count = self.first = 0
        self._sheet = sheet
        self._is_sheet = not sheet
        self._row = self._rows = 0
        self._is_hidden = self._is_filled = False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(":")[2]
        if self._sheet and tag == "table:table":
            self._is_sheet, self._row = attributes.get("table:name") == self._sheet, 0
        elif name in ("row", "table-row"):
            self._row += self._rows
            self._rows = _repeated(attributes, "table:number-rows-repeated")
            if (reference := attributes.get("r", "")).isdecimal() and len(reference) < _LONGEST_REFERENCE:
                self._row = int(reference) - 1
            is_hidden = attributes.get("hidden") in ("1", "true")
            self._is_hidden = is_hidden or attributes.get("table:visibility") in ("filter", "collapse")
            self._is_filled = False
        elif name in ("v", "is", "p"):
            self._is_filled = True

    def end(self, tag: str) -> None:
        name = tag.rpartition(":")[2]
        if name in ("row", "table-row") and self._is_hidden and self._is_filled and self._is_sheet:
            self.first = self.first or self._row + 1
            self.count += self._rows
            self._is_hidden = False


def _sheet_part(archive: zipfile.ZipFile, sheet: str) -> str:
    """Return the name of the part that holds a sheet, "" when it can't be found."""
    relation = ""
    with archive.open("xl/workbook.xml") as part:
        for _event, element in ET.iterparse(part):
            if _local(element.tag) == "sheet" and element.get("name") == sheet:
                relation = next((value for name, value in element.items() if _local(name) == "id"), "")
    names = archive.namelist()
    if not relation or "xl/_rels/workbook.xml.rels" not in names:
        return ""
    with archive.open("xl/_rels/workbook.xml.rels") as part:
        for _event, element in ET.iterparse(part):
            if element.get("Id") == relation:
                target = element.get("Target") or ""
                return target.lstrip("/") if target.startswith("/") else posixpath.normpath(f"xl/{target}")
    return ""


def _format_codes(archive: zipfile.ZipFile) -> list[str]:
    """Return the number format of each style of a cell; "" for those that every workbook has."""
    if "xl/styles.xml" not in archive.namelist():
        return []
    own: dict[str, str] = {}
    codes: list[str] = []
    is_inside = False
    with archive.open("xl/styles.xml") as part:
        for event, element in ET.iterparse(part, ("start", "end")):
            name = _local(element.tag)
            if name == "cellXfs":
                is_inside = event == "start"
            elif event == "end":
                continue
            elif name == "numFmt":
                own[element.get("numFmtId") or ""] = element.get("formatCode") or ""
            elif name == "xf" and is_inside:
                codes.append(own.get(element.get("numFmtId") or "", ""))
    return codes


def _may_hold_marks(archive: zipfile.ZipFile, part: str, telling: list[int]) -> bool:
    """Whether a sheet must be looked at cell by cell, which takes longer than all the rest."""
    if len(telling) > _MOST_STYLES:
        return True
    styles = [b" s=%s%d%s" % (quote, number, quote) for number in telling for quote in (b'"', b"'")]
    carried = b""
    with archive.open(part) as stream:
        while block := stream.read(_BLOCK):
            window = carried + block
            if _SPECIAL.search(window) or any(style in window for style in styles):
                return True
            carried = block[-40:]
    return False


def _feed(archive: zipfile.ZipFile, part: str, start: Any, end: Any, text: Any) -> None:
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, text
    with archive.open(part) as stream:
        while block := stream.read(_BLOCK):
            parser.Parse(block, False)
        parser.Parse(b"", True)


# Programs that don't calculate leave it to the next one, and write 0 for every result: XlsxWriter, for one.
_TO_BE_CALCULATED = re.compile(rb'fullCalcOnLoad="(?:1|true)"')


class _XlsxReader:
    """Collects the marks of an xlsx sheet. Shape: codes: style -> number format; is_calculated: results can be believed"""

    def __init__(self, codes: list[str], *, is_calculated: bool) -> None:
        self.marks: Marks = {}
        self._is_calculated = is_calculated
        self._codes = codes
        self._row = self._column = -1
        self._attributes: dict[str, str] = {}
        self._value = ""
        self._has_formula = self._is_value = False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(":")[2]
        if name == "row":
            reference = attributes.get("r", "")
            self._row = (
                int(reference) - 1 if reference.isdecimal() and len(reference) < _LONGEST_REFERENCE else self._row + 1
            )
            self._column = -1
        elif name == "c":
            column = _column_of(attributes.get("r", ""))
            self._column = self._column + 1 if column is None else column
            self._attributes, self._value = attributes, ""
            self._has_formula = False
        elif name == "f":
            self._has_formula = True
        self._is_value = name == "v"

    def text(self, text: str) -> None:
        if self._is_value and len(self._value) < _MOST_LENGTH:
            self._value += text

    def end(self, tag: str) -> None:
        self._is_value = False
        if tag.rpartition(":")[2] == "c" and (mark := self._mark()):
            self.marks.setdefault(self._row, {})[self._column] = mark

    def _mark(self) -> Mark | None:
        kind, value = self._attributes.get("t", "n"), self._value.strip()
        if kind == "e":
            return {"type": "fault", "code": "cell_is_formula_error", "value": value}
        if kind in _TEXTS and _adds_to_text(self._code()):
            return {"type": "fault", "code": _SHOWN_OTHERWISE, "value": ""}
        if kind != "n":
            return None
        if self._has_formula and (not value or (value == "0" and not self._is_calculated)):
            return {"type": "fault", "code": "cell_without_result", "value": ""}
        if not value:
            return None
        return number_mark(value, self._code())

    def _code(self) -> str:
        """Return the number format of the cell."""
        style = self._attributes.get("s", "")
        return self._codes[int(style)] if style.isdecimal() and int(style) < len(self._codes) else ""


# Of a value; numbers are shorter.
_MOST_LENGTH = 1000


def number_mark(value: str, code: str) -> Mark | None:
    """Return the mark of a number with a number format, None when it says no more than the number."""
    try:
        number = float(value)
    except ValueError:
        return None
    if abs(number) >= _MOST_EXACT:
        return {"type": "fault", "code": "cell_lost_digits", "value": f"{number:.0f}" if abs(number) < 1e30 else value}
    is_of_text = ";" not in code and _adds_to_text(code)
    if not is_of_text and not _is_telling(code):
        return None
    shown = None if is_of_text else _shown(number, code)
    if shown is None:
        return {"type": "fault", "code": _SHOWN_OTHERWISE, "value": value}
    return {"type": "shown", "value": shown}


def with_value(mark: Mark, cell: Any) -> Any:
    """Return what takes the place of a cell: its mark, which may lack the text that is shown otherwise."""
    if mark["value"] or mark.get("code") != _SHOWN_OTHERWISE:
        return mark
    return {**mark, "value": str(cell)[:_MOST_LENGTH]} if cell else cell


def _parts_of(code: str) -> list[str]:
    """Return the parts of a number format, as far as positive numbers are concerned."""
    parts = _SHOWN_PARTS.findall(code[:_LONGEST_CODE].partition(";")[0])
    return [_MAYBE_DIGIT if part.lower() == _GENERAL else part for part in parts]


def _is_telling(code: str) -> bool:
    """Whether a number format adds digits or letters that belong to what people see: 00000, "ID"0000."""
    plain, literal, line = _what_stands_in(_parts_of(code))
    if not plain or _OTHER_FORMATS.search(plain):
        return False
    whole = plain.partition(".")[0]
    is_padded = whole.count("0") > 1
    return is_padded or _has_meaning(literal) or _DIGITS_APART.search(line) is not None


def _adds_to_text(code: str) -> bool:
    """Whether a number format adds digits or letters to texts: @"@example.org"."""
    plain, literal, _line = _what_stands_in(_parts_of(code.rpartition(";")[2]))
    return "@" in plain and _has_meaning(literal)


def _has_meaning(literal: str) -> bool:
    return any(char not in _MEANINGLESS for char in literal)


def _what_stands_in(parts: list[str]) -> tuple[str, str, str]:
    """Return what of a number format stands for the number or text, what it adds, and both together as they stand."""
    plain, literal, line = "", "", ""
    for part in parts:
        added = _added(part)
        own = "" if added or part[0] in '"_*[' else part
        plain, literal, line = plain + own, literal + added, line + own + added
    return plain, literal, line


def _added(part: str) -> str:
    """Return the text that a part of a number format adds, "" for another part."""
    if part[0] == '"':
        return part[1:-1]
    return part[1] if part[0] == "\\" else ""


def _shown(number: float, code: str) -> str | None:
    """Return how a format of digits and letters shows a whole number, None for what isn't so plain."""
    if number < 0 or number != int(number):
        return None
    digits = list(str(int(number)))
    shown: list[str] = []
    parts = _parts_of(code)
    places = [place for place, part in enumerate(parts) if part in ("0", _MAYBE_DIGIT)]
    for place in range(len(parts) - 1, -1, -1):
        part = parts[place]
        if part in ("0", _MAYBE_DIGIT):
            shown.append(digits.pop() if digits else part.strip(_MAYBE_DIGIT))
        elif part[0] in '"\\':
            shown.append(_added(part))
        elif part in " -()/+":
            shown.append(part)
        elif part[0] not in "[_*":
            return None
        if places and place == places[0]:
            shown.append("".join(digits))
            digits = []
    return "".join(reversed(shown)).strip()


def _ods_marks(archive: zipfile.ZipFile, sheet: str) -> Marks:
    reader = _OdsReader(sheet)
    _feed(archive, "content.xml", reader.start, reader.end, reader.text)
    return reader.marks


# What somebody has noted about a cell stands within it. Source: OpenDocument 1.3, 14.1
_ODS_COMMENT = "office:annotation"


class _OdsReader:
    """Collects the marks of an ods sheet, whose cells hold the number and the text that is shown."""

    def __init__(self, sheet: str) -> None:
        self.marks: Marks = {}
        self._sheet = sheet
        self._is_sheet = self._is_text = False
        self._row = self._rows = self._column = self._columns = 0
        self._cells: dict[int, Mark] = {}
        self._attributes: dict[str, str] = {}
        self._text = ""
        self._comments = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "table:table":
            self._is_sheet = attributes.get("table:name") == self._sheet
            self._row = 0
        elif tag == "table:table-row":
            self._rows, self._column, self._cells = _repeated(attributes, "table:number-rows-repeated"), 0, {}
        elif tag in ("table:table-cell", "table:covered-table-cell"):
            self._columns = _repeated(attributes, "table:number-columns-repeated")
            self._attributes, self._text = attributes, ""
        self._comments += tag == _ODS_COMMENT
        self._is_text = tag.startswith("text:") and not self._comments

    def text(self, text: str) -> None:
        if self._is_text and self._is_sheet and len(self._text) < _MOST_LENGTH:
            self._text += text

    def end(self, tag: str) -> None:
        self._is_text = False
        self._comments -= tag == _ODS_COMMENT
        if tag in ("table:table-cell", "table:covered-table-cell"):
            if self._is_sheet and (mark := self._mark()):
                self._cells.update(dict.fromkeys(range(self._column, self._column + self._columns), mark))
            self._column += self._columns
        elif tag == "table:table-row":
            if self._cells:
                self.marks.update(dict.fromkeys(range(self._row, self._row + self._rows), self._cells))
            self._row += self._rows

    def _mark(self) -> Mark | None:
        kind, shown = self._attributes.get("office:value-type"), self._text.strip()
        # LibreOffice says that it is an error; other programs give a result of no text, and show the error.
        has_no_text = kind == "string" and self._attributes.get("office:string-value") == ""
        is_error = self._attributes.get("calcext:value-type") == "error"
        if is_error or (has_no_text and shown.startswith(("#", "Err:"))):
            return {"type": "fault", "code": "cell_is_formula_error", "value": shown}
        if kind is None and self._attributes.get("table:formula"):
            return {"type": "fault", "code": "cell_without_result", "value": ""}
        if kind != "float":
            return None
        value = self._attributes.get("office:value", "")
        try:
            number = float(value)
        except ValueError:
            return None
        if abs(number) >= _MOST_EXACT:
            return number_mark(value, "")
        is_padded = _PADDED.fullmatch(shown) and int(shown) == number
        has_letters = any(char.isalpha() for char in shown) and not _SCIENTIFIC.fullmatch(shown)
        is_telling = is_padded or has_letters or _DIGITS_APART_SHOWN.search(shown)
        return {"type": "shown", "value": shown} if is_telling else None


def _repeated(attributes: dict[str, str], name: str) -> int:
    count = attributes.get(name, "1")
    return int(count) if count.isdecimal() and len(count) < _LONGEST_REFERENCE else 1


def _column_of(reference: str) -> int | None:
    """Return the column, from 0, that a reference like C2 names."""
    column = 0
    for char in reference[:_LONGEST_REFERENCE].upper():
        if not "A" <= char <= "Z":
            break
        column = column * 26 + ord(char) - ord("A") + 1
    return column - 1 if column else None


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def first_rows(rows: Iterator[list[Any]], count: int) -> list[list[str]]:
    """Return the beginning of the first rows that hold something, as texts."""
    found: list[list[str]] = []
    for cells in rows:
        if any(cell not in ("", None) for cell in cells):
            found.append([str(cell)[:100] for cell in cells[:500]])
        if len(found) == count:
            break
    return found
