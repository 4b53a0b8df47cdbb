"""Command files as text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import BinaryIO

from sync.errors import EmptyFile, HeaderError
from sync.reader.dialect import (
    SEPARATOR_NAMES,
    SEPARATORS,
    Dialect,
    decode_entities,
    guess_separator,
    split_cells,
)
from sync.reader.encoding import find_encoding
from sync.reader.row_bytes import COMMENT, QUOTED, Source, find_header_line, split_rows
from sync.reader.row_reader import RowReader, SkippedLines, list_header, make_header
from sync.values import Row

# Stands where a line is one cell: no text holds it.
_NO_SEPARATOR = "\x1f"


def open_csv(stream: BinaryIO, encoding: str, separator: str, is_known: Callable[[str], bool]) -> RowReader:
    """Open a text file: find its dialect, look at all of it, read its header.

    Shape: encoding, separator: normalised; "" = detect
    Raises: EmptyFile, HeaderError, UndecodableFile, UnknownFileType, CommandFileError
    """
    found = find_encoding(stream, encoding)
    source = Source(stream, found.encoding, found.bom)
    line = find_header_line(source)
    text = line.decode(source.encoding)
    dialect = Dialect(
        encoding=found.encoding,
        separator=separator or guess_separator(text, is_known),
        line_end=text[len(text.rstrip("\r\n")) :] or "\n",
        bom=found.bom,
        encoding_detected=found.detected,
        separator_detected=not separator,
    )
    if separator:
        _refuse_other_separators(next(_rows(source, separator, SkippedLines())), separator)
    for _row in split_rows(source, dialect.separator):
        pass  # a quote that isn't closed must be known before the first row is given
    skipped = SkippedLines()
    rows = _rows(source, dialect.separator, skipped)
    first = next(rows)
    return RowReader(dialect, make_header(first), skipped, rows, lambda: source.bytes_read)


def open_list(stream: BinaryIO, encoding: str, separator: str, names: Sequence[str]) -> RowReader:
    """Open a text file without header: every line is a row of the named cells, what is beyond them is passed over.

    An empty file is an empty list.
    Shape: encoding, separator: normalised; "" = detect. One name: there is no separator
    Raises: UndecodableFile, UnknownFileType, CommandFileError
    """
    found = find_encoding(stream, encoding)
    source = Source(stream, found.encoding, found.bom)
    try:
        text = find_header_line(source).decode(source.encoding)
    except (EmptyFile, HeaderError):
        text = ""
    first_mark = next((mark for mark in SEPARATORS if mark in text), SEPARATORS[0])
    dialect = Dialect(
        encoding=found.encoding,
        separator="" if len(names) == 1 else separator or first_mark,
        line_end=text[len(text.rstrip("\r\n")) :] or "\n",
        bom=found.bom,
        encoding_detected=found.detected,
        separator_detected=not separator,
    )
    mark = dialect.separator or _NO_SEPARATOR
    for _row in split_rows(source, mark):
        pass  # as in open_csv
    skipped = SkippedLines()
    rows = _rows(source, mark, skipped, len(names))
    return RowReader(dialect, list_header(names), skipped, rows, lambda: source.bytes_read)


def _rows(source: Source, separator: str, skipped: SkippedLines, cell_limit: int | None = None) -> Iterator[Row]:
    """Give the header and the rows; note the lines between them."""
    width = 0
    for line, row, kind in split_rows(source, separator):
        if kind <= COMMENT:
            skipped.add()
            if kind == COMMENT and width and not row.startswith(b"#"):
                _note_suspect(skipped, line, row.decode(source.encoding), separator, width)
            continue
        text = row.decode(source.encoding)
        cells = split_cells(text, separator) if kind == QUOTED else text.split(separator)
        if "&#" in text:
            cells = [decode_entities(cell) for cell in cells]
        width = width or len(cells)
        yield Row(line, source.untouched(row), tuple(map(str.strip, cells[:cell_limit])))


def _note_suspect(skipped: SkippedLines, line: int, text: str, separator: str, width: int) -> None:
    """Note a comment that has as many cells as the header: probably data."""
    cells = split_cells(text, separator)
    if len(cells) == width:
        skipped.add_suspect(line, cells[0].strip())


def _refuse_other_separators(header: Row, separator: str) -> None:
    """Refuse a header that is written with another separator than the one that was set.

    Raises: HeaderError
    """
    for other in SEPARATORS:
        if other != separator and any(other in name for name in header.cells):
            raise HeaderError(
                "header_wrong_separator",
                line=header.line,
                found=SEPARATOR_NAMES[other],
                separator=SEPARATOR_NAMES[separator],
            )
