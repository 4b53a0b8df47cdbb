"""Command files as workbooks: xlsx, ods."""

from __future__ import annotations

import codecs
import datetime
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from decimal import Decimal
from itertools import islice
from typing import Any, BinaryIO, Protocol

from sync.errors import HeaderError
from sync.reader.dialect import COMMENT_MARKS, Dialect, decode_entities, encode_cells, header_name
from sync.reader.file_kind import WORKBOOK_SUFFIXES
from sync.reader.row_checks import RowChecks, holds_commented_header, may_be_header
from sync.reader.row_reader import Look, RowReader, list_header, make_header
from sync.reader.spreadsheet_cells import is_error_word
from sync.reader.workbook_process import FaultyCell, SheetHead, SheetRows, read_sheet
from sync.values import Header, Note, Row

# What the rows look like as text, in the tryback for instance: a spreadsheet needs the byte order mark to read UTF-8.
DIALECT = Dialect("UTF-8", ";", line_end="\r\n", bom=codecs.BOM_UTF8, is_workbook=True)

# So many rows are looked at for the header when the first row isn't one.
_ROWS_ABOVE_HEADER = 50
_MOMENTS = (datetime.date, datetime.time, datetime.timedelta)
_IS_DATE = Note("cell_is_date", {})
_ODS_TYPE = b"application/vnd.oasis.opendocument.spreadsheet"


class ReadSheet(Protocol):
    """What reads a sheet of a workbook, as `read_sheet` does."""

    def __call__(
        self, stream: BinaryIO, /, *, is_meant: bool, choose: Callable[[Sequence[SheetHead]], int]
    ) -> SheetRows: ...


def open_workbook(
    stream: BinaryIO,
    filename: str,
    is_known: Callable[[str], bool],
    list_names: Sequence[str] = (),
    look: Look | None = None,
    *,
    read: ReadSheet = read_sheet,
) -> RowReader:
    """Open the visible sheet that has a header; the first that isn't empty if none has.

    Shape: is_known: whether a lower-case name is a column; look: as in open_rows
    list_names: of a sheet without header what its cells are, what is beyond them is passed over
    Raises: UnknownFileType if it's another zip file, damaged, or too large; EmptyFile; HeaderError
    """

    def choose(heads: Sequence[SheetHead]) -> int:
        return 0 if list_names else _choose_sheet(heads, is_known)

    values = read(stream, is_meant=looks_like_workbook(stream, filename), choose=choose)
    with ExitStack() as stack:
        stack.callback(values.close)
        reader = _open_sheet(values, is_known, list_names, look, size=stream.seek(0, 2), place=choose(values.heads))
        stack.pop_all()
    return reader


def _open_sheet(
    values: SheetRows,
    is_known: Callable[[str], bool],
    list_names: Sequence[str],
    look: Look | None,
    *,
    size: int,
    place: int,
) -> RowReader:
    """Open a sheet that has been read. Shape: size: of the file; place: of the sheet; the others as in open_workbook"""
    rows_expected = values.count()
    if look is not None and not list_names:
        _look_at_all(values, is_known, look)
    header = list_header(list_names) if list_names else _read_header(iter(enumerate(values.once_before(), start=1)))
    if header.line and not any(map(is_known, header.names)):
        _refuse_lines_above_header(values, header, is_known)
    numbered = islice(enumerate(values, start=1), header.line, None)
    checks = RowChecks(header, is_known)
    checks.skipped.count = max(header.line - 1, 0)
    if len(values.heads) > 1:
        others = ", ".join(head.name for number, head in enumerate(values.heads) if number != place)
        checks.findings.add_note(Note("sheet_chosen", {"sheet": values.heads[place].name, "others": others}))
    hidden, first_hidden = values.heads[place].hidden
    if hidden:
        checks.findings.add_note(Note("sheet_rows_hidden", {"count": hidden, "line": first_hidden}))
    rows = _rows(numbered, checks, header)
    return RowReader(
        DIALECT, header, checks.skipped, rows, lambda: size, findings=checks.findings, rows_expected=rows_expected,
        close=values.close,
    )  # fmt: skip


def _choose_sheet(heads: Sequence[SheetHead], is_known: Callable[[str], bool]) -> int:
    """Return the place of the sheet that has a header; the first where none has. Raises: HeaderError if several have one."""

    def is_header(cells: Sequence[str]) -> bool:
        return may_be_header([header_name(cell) for cell in cells if cell.strip()], is_known)

    found = [place for place, head in enumerate(heads) if any(map(is_header, head.rows))]
    if len(found) > 1:
        raise HeaderError("workbook_of_sheets", sheets=", ".join(heads[place].name for place in found))
    return found[0] if found else 0


def _refuse_lines_above_header(values: SheetRows, header: Header, is_known: Callable[[str], bool]) -> None:
    """Refuse a sheet whose header stands below other rows, a title for instance. Raises: HeaderError"""
    for line, cells in enumerate(islice(values.once_before(), _ROWS_ABOVE_HEADER), start=1):
        names = [header_name(text) for text in map(cell_text, cells) if text.strip()]
        if line < header.line and holds_commented_header(names, is_known):
            raise HeaderError("header_in_comment", line=line, mark=names[0][0])
        if line > header.line and len(names) > 1 and may_be_header(names, is_known):
            raise HeaderError("header_below", line=header.line, found=line)


def _look_at_all(values: SheetRows, is_known: Callable[[str], bool], look: Look) -> None:
    """Go through the whole sheet for what wants to see all rows. Raises: HeaderError"""
    numbered = iter(enumerate(values.once_before(), start=1))
    header = _read_header(numbered)
    observe = look(header)
    if observe is not None:
        for row in _rows(numbered, RowChecks(header, is_known), header):
            observe(row)


def looks_like_workbook(stream: BinaryIO, filename: str) -> bool:
    """Tell whether a damaged zip file was meant as a workbook: by its name, or the names of its first parts."""
    stream.seek(0)
    head = stream.read(4096)
    is_office = any(name in head for name in (b"[Content_Types].xml", b"xl/", b"docProps/", _ODS_TYPE))
    return is_office or filename.lower().endswith(WORKBOOK_SUFFIXES)


def _read_header(numbered: Iterator[tuple[int, list[Any]]]) -> Header:
    """Return the first row that is neither blank nor a comment. Raises: HeaderError."""
    for line, cells in numbered:
        texts = _without_empty_end(list(map(cell_text, cells)))
        if texts and (not texts[0].startswith(tuple(COMMENT_MARKS)) or (texts[0].startswith(" ") and len(texts) > 1)):
            spelled = tuple(text.strip() for text in texts)
            return make_header(Row(line, encode_cells(DIALECT, texts), spelled))
    raise HeaderError("file_without_header")


def _rows(numbered: Iterable[tuple[int, list[Any]]], checks: RowChecks, header: Header) -> Iterator[Row]:
    """Return the rows; the line is the number of the row in the sheet.

    A sheet has no short rows: cells left out at the end are empty. Empty ones beyond the header are formatting.
    """
    width = len(header.names)
    cell_limit = None if header.line else width
    for line, values in numbered:
        texts = _without_empty_end(list(map(cell_text, values[:cell_limit])))
        if not texts:
            # A sheet of a kilobyte may have a million of these.
            checks.skipped.count += 1
            continue
        is_blank_first = texts[0].startswith(" ") and header.line
        is_comment = texts[0].startswith(tuple(COMMENT_MARKS)) and not is_blank_first
        # Cells that are left out at the end say nothing: what begins like a comment and fills several cells may be a row.
        if is_comment and width > 1 and _is_remark(texts):
            checks.skipped.count += 1
            continue
        texts += [""] * (width - len(texts))
        row = checks.row(
            line,
            encode_cells(DIALECT, texts, is_comment=is_comment),
            [decode_entities(text).strip() for text in texts],
            is_comment=is_comment,
            is_special=True,
            cell_faults=_cell_faults(values),
        )
        if row is not None:
            if is_blank_first:
                checks.findings.add_row_after_blank(line)
            yield row


def _is_remark(texts: Sequence[str]) -> bool:
    """Return whether a row that begins like a comment is one for certain."""
    first = texts[0]
    return not any(map(str.strip, texts[1:])) and not first.startswith(" ") and not is_error_word(first.strip())


def _cell_faults(values: Sequence[Any]) -> dict[int, Note]:
    """Return position -> why a cell can't be read. A yes or no, and a date, is one only where a column wants it."""
    faults: dict[int, Note] = {}
    for place, value in enumerate(values):
        if isinstance(value, FaultyCell):
            faults[place] = Note(value.code, {"value": value.value} if value.value else {})
        elif isinstance(value, bool):
            faults[place] = Note("cell_is_boolean", {"value": str(value).upper()})
        elif isinstance(value, _MOMENTS):
            faults[place] = _IS_DATE
    return faults


def _without_empty_end(texts: list[str]) -> list[str]:
    while texts and not texts[-1].strip():
        texts.pop()
    return texts


def cell_text(value: Any) -> str:
    """Write a value as a person would type it in a CSV file."""
    match value:
        case FaultyCell():
            # Something must stand there, or the cell would be taken for an empty one at the end.
            text = value.value or "?"
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
