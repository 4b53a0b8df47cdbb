"""The first rows of a command file, for the person who is about to run it. Only its beginning is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import Any, BinaryIO

from django.utils.translation import gettext as _

from sync.columns.header import match_header
from sync.columns.row_secrets import RowSecrets
from sync.errors import CodedError, WorkbookUnread
from sync.mappings.column_mapping import ColumnMapping
from sync.mappings.mapped_rows import RowMapper
from sync.messages import text_of
from sync.processors.base.processor import Processor
from sync.reader import Dialect, ReadSheet, RowReader, open_rows
from sync.reader.beginning import Beginning, beginning_of
from sync.runs.mappings import FileHead, head_of
from sync.values import Row

HEAD_BYTES = 64 * 1024
# A workbook can't be cut; a larger one isn't opened just to be looked at.
WORKBOOK_BYTES = 1024 * 1024
ROWS_SHOWN = 6
# Nobody reads more columns of a row, and a browser takes long to draw them.
CELLS_SHOWN = 100


@dataclass(frozen=True)
class Preview:
    """How a file begins.

    Shape: trouble: why it would be refused, "" when it wouldn't; names: as typed; mapping: by which its columns are read,
    "" = none
    """

    dialect: Dialect | None = None
    names: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()
    trouble: str = ""
    is_too_large: bool = False
    mapping: str = ""

    @property
    def names_shown(self) -> tuple[str, ...]:
        return self.names[:CELLS_SHOWN]

    @property
    def cells_shown(self) -> list[tuple[int, tuple[str, ...]]]:
        """The rows as far as they are shown. Shape: line, cells"""
        return [(row.line, tuple(row.cells[:CELLS_SHOWN])) for row in self.rows]

    @property
    def cells_hidden(self) -> int:
        """How many columns have no place in the rows that are shown."""
        return max(0, len(self.names) - CELLS_SHOWN)

    @property
    def separator_name(self) -> str:
        separator = self.dialect.separator if self.dialect else ""
        return _("tab") if separator == "\t" else separator


def preview_file(
    stream: BinaryIO,
    filename: str,
    size: int,
    processor: type[Processor],
    options: dict[str, Any],
    *,
    choose: Callable[[FileHead], ColumnMapping | None] = lambda _head: None,
    sheets: ReadSheet | None = None,
) -> Preview:
    """Return the beginning of a file as this file type would read it.

    Shape: options: encoding, separator, invalidnamesnocheck, flatfile; choose: gives the mapping of a file with a header;
    sheets: reads a workbook, None = from the stream
    Raises: WorkbookUnread
    """
    if processor.columns.of_pictures:
        return _preview_pictures(stream, filename)
    beginning = Beginning(stream, sheets=sheets)
    if sheets is None:
        beginning = beginning_of(stream, size, most=HEAD_BYTES, most_of_workbook=WORKBOOK_BYTES)
    if beginning.is_too_large:
        return Preview(is_too_large=True)
    try:
        with _open(beginning, filename, processor, options) as reader:
            # The preview stands on a screen that others may see.
            raw = list(islice(reader, ROWS_SHOWN))
            mapping = choose(head_of(reader.header, next(iter(raw), None))) if reader.header.line else None
            names = mapping.names_with_secrets(reader.header.names) if mapping else reader.header.names
            rows = tuple(map(RowSecrets(names).shown_row, raw))
            header = RowMapper(mapping, processor.columns, reader.header).header if mapping else reader.header
            match_header(processor.columns, header, lenient=options["invalidnamesnocheck"])
    except WorkbookUnread:
        raise
    except CodedError as error:
        return Preview(trouble=text_of(error.code, error.params))
    return Preview(reader.dialect, reader.header.spelled, rows, mapping=mapping.title if mapping else "")


def _preview_pictures(stream: BinaryIO, filename: str) -> Preview:
    try:
        reader = open_rows(stream, filename, of_pictures=True)
    except CodedError as error:
        return Preview(trouble=text_of(error.code, error.params))
    return Preview(reader.dialect, reader.header.spelled, tuple(islice(reader, ROWS_SHOWN)))


def _open(beginning: Beginning, filename: str, processor: type[Processor], options: dict[str, Any]) -> RowReader:
    return open_rows(
        beginning.stream,
        filename,
        encoding=options["encoding"],
        separator=options["separator"],
        known_name=processor.columns.knows,
        list_names=processor.columns.list_names_for(options),
        sheets=beginning.sheets,
    )
