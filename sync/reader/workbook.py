"""Command files as workbooks: xlsx, ods."""

from __future__ import annotations

import codecs
import datetime
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any, BinaryIO

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from sync.errors import EmptyFile, HeaderError, UnknownFileType
from sync.reader.dialect import COMMENT_MARKS, Dialect, decode_entities, encode_cells
from sync.reader.file_kind import WORKBOOK_SUFFIXES
from sync.reader.row_bytes import BLOCK_SIZE
from sync.reader.row_reader import RowReader, SkippedLines, list_header, make_header
from sync.values import Row

# What the rows look like as text, in the tryback for instance: a spreadsheet needs the byte order mark to read UTF-8.
DIALECT = Dialect("UTF-8", ";", line_end="\r\n", bom=codecs.BOM_UTF8, is_workbook=True)

UNPACKED_LIMIT = 512 << 20
# calamine keeps every place between the first and the last used cell, 32 bytes each, and aborts the whole process when
# there is no memory for them. One cell typed by mistake in the last corner of a sheet would be enough.
CELL_LIMIT = 16_000_000

_USED_CELL = re.compile(rb'<(?:\w+:)?c\s[^>]*?\br="([A-Z]{1,3})([0-9]{1,7})"[^>/]*>')
_LONGEST_TAG = 200
_ODS_TYPE = b"application/vnd.oasis.opendocument.spreadsheet"
_BROKEN_ZIP = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)


def open_workbook(stream: BinaryIO, filename: str, list_names: Sequence[str] = ()) -> RowReader:
    """Open the first visible sheet that isn't empty.

    Shape: list_names: of a sheet without header what its cells are, what is beyond them is passed over
    Raises: UnknownFileType if it's another zip file, damaged, or too large; EmptyFile; HeaderError
    """
    try:
        with zipfile.ZipFile(stream) as archive:
            _refuse_other_archives(archive)
            _refuse_too_large(archive)
        stream.seek(0)
        workbook = CalamineWorkbook.from_filelike(stream)
        size = stream.seek(0, 2)
        sheet = _first_sheet(workbook)
    except (*_BROKEN_ZIP, CalamineError):
        if _looks_like_workbook(stream, filename):
            raise UnknownFileType("workbook_broken") from None
        raise UnknownFileType("file_not_csv", kind="ZIP") from None
    skipped = SkippedLines()
    if list_names:
        rows = _rows(sheet.iter_rows(), skipped, len(list_names))
        return RowReader(DIALECT, list_header(list_names), skipped, rows, lambda: size)
    rows = _rows(sheet.iter_rows(), skipped)
    first = next(rows, None)
    if first is None:
        raise HeaderError("file_without_header")
    return RowReader(DIALECT, make_header(first), skipped, rows, lambda: size)


def _refuse_other_archives(archive: zipfile.ZipFile) -> None:
    names = archive.namelist()
    is_xlsx = any(name.startswith("xl/") and name.endswith(".xml") for name in names)
    is_ods = "mimetype" in names and archive.read("mimetype").startswith(_ODS_TYPE)
    if not is_xlsx and not is_ods:
        raise UnknownFileType("file_not_csv", kind="ZIP")


def _refuse_too_large(archive: zipfile.ZipFile) -> None:
    """Refuse what would not fit in memory. (calamine itself limits what the repeated cells of an ods unfold to.)"""
    if sum(part.file_size for part in archive.infolist()) > UNPACKED_LIMIT:
        raise UnknownFileType("workbook_too_large")
    for part in archive.infolist():
        if part.filename.endswith(".xml") and _used_area(archive, part) > CELL_LIMIT:
            raise UnknownFileType("workbook_too_large")


def _used_area(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> int:
    """Give how many places lie between the first cell of an xlsx sheet and the last one that is used."""
    columns: set[bytes] = set()
    last_row = 0
    carried = b""
    with archive.open(part) as xml:
        while block := xml.read(BLOCK_SIZE):
            window = carried + block
            for column, row in _USED_CELL.findall(window):
                columns.add(column)
                last_row = max(last_row, int(row))
            carried = window[-_LONGEST_TAG:]
    return last_row * max(map(_column_number, columns), default=0)


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number


def _looks_like_workbook(stream: BinaryIO, filename: str) -> bool:
    """Tell whether a damaged zip file was meant as a workbook: by its name, or the names of its first parts."""
    stream.seek(0)
    head = stream.read(4096)
    is_office = any(name in head for name in (b"[Content_Types].xml", b"xl/", b"docProps/", _ODS_TYPE))
    return is_office or filename.lower().endswith(WORKBOOK_SUFFIXES)


def _first_sheet(workbook: CalamineWorkbook) -> CalamineSheet:
    for index, about in enumerate(workbook.sheets_metadata):
        if about.typ == SheetTypeEnum.WorkSheet and about.visible == SheetVisibleEnum.Visible:
            sheet = workbook.get_sheet_by_index(index)
            if sheet.start is not None:
                return sheet
    raise EmptyFile("file_empty")


def _rows(sheet_rows: Iterable[list[Any]], skipped: SkippedLines, cell_limit: int | None = None) -> Iterator[Row]:
    """Give the header and the rows; the line is the number of the row in the sheet.

    A sheet has no short rows: cells left out at the end are empty. Empty ones beyond the header are formatting.
    """
    width = 0
    for line, values in enumerate(sheet_rows, start=1):
        texts = _without_empty_end([cell_text(value) for value in values[:cell_limit]])
        texts += [""] * (width - len(texts))
        if not any(map(str.strip, texts)):
            skipped.add()
        elif texts[0].startswith(tuple(COMMENT_MARKS)):
            skipped.add()
            if len(texts) == width and not texts[0].startswith("#"):
                skipped.add_suspect(line, texts[0].strip())
        else:
            width = width or len(texts)
            cells = tuple(decode_entities(text).strip() for text in texts)
            yield Row(line, encode_cells(DIALECT, texts), cells)


def _without_empty_end(texts: list[str]) -> list[str]:
    while texts and not texts[-1].strip():
        texts.pop()
    return texts


def cell_text(value: Any) -> str:
    """Write a value as a person would type it in a CSV file."""
    match value:
        case bool():
            text = "1" if value else "0"
        case float():
            # A spreadsheet has 15 digits; what lies behind is noise of the binary form (0.1 + 0.2).
            text = f"{Decimal(f'{value:.15g}'):f}"
        case datetime.datetime():
            moment = (value + datetime.timedelta(microseconds=500_000)).replace(microsecond=0)
            text = f"{moment:%Y-%m-%d %H:%M:%S}".removesuffix(" 00:00:00")
        case datetime.time():
            text = f"{value:%H:%M:%S}"
        case datetime.timedelta():
            minutes, seconds = divmod(round(value.total_seconds()), 60)
            text = f"{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}"
        case _:
            text = str(value)
    return text
