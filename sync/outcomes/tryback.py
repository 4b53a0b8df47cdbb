"""The tryback: the failed lines of a command file as they came, with what is wrong with each; ready to be sent again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import BinaryIO, NamedTuple

from django.utils import translation

from sync.columns.file_columns import DATE_ORDER_COLUMN, FURTHER_COLUMNS, MAPPING_COLUMN, TRYBACK_COLUMNS
from sync.errors import ToolSyncError
from sync.outcomes.picture_tryback import write_picture_tryback
from sync.outcomes.report import describe_outcome
from sync.reader import Dialect, RowReader, encode_cells
from sync.reader.cells import NO_SEPARATOR, end_of_cell, quote_open_cells
from sync.reader.encoding_mark import mark_of
from sync.values import Header, Outcome, Row


class Form(NamedTuple):
    """How a tryback is written.

    Shape: is_marked: its first line says encoding and separator; is_closed: cells that begin with a quote that ends nowhere
    stand in quotes, because what is written behind them would end it
    """

    is_marked: bool = False
    is_closed: bool = False


# From the bytes as they came to those that are read the same whatever stands beside them: the first that is read back is taken.
FORMS = (Form(), Form(is_marked=True), Form(is_closed=True), Form(is_marked=True, is_closed=True))


def write_tryback(
    out: BinaryIO,
    reader: RowReader,
    rejected: Iterable[Outcome],
    *,
    language: str,
    date_order: str = "",
    mapping: str = "",
    form: Form = FORMS[0],
) -> int:
    """Write the header and the failed lines byte for byte, `_line`, `_code` and `_reason` behind each; return their number.

    Encoding, byte order mark, separator and line end are those of the file; a workbook becomes CSV. Where the file is itself
    a tryback, the three cells that it had are replaced. A list has no columns to add to: there the reason stands as a comment
    before the line. Of a zip of pictures it is a zip of the failed ones.
    Shape: reader: freshly opened on the file that the run read; rejected: in line order; date_order: cell of a further column,
    for a file whose dates have the month first; mapping: cell of a further column, for a file whose columns were mapped
    Raises: ToolSyncError if a rejected line isn't in the file
    """
    if reader.pictures is not None:
        return write_picture_tryback(out, reader.pictures, rejected, language=language)
    dialect, header = reader.dialect, reader.header
    further = {DATE_ORDER_COLUMN: date_order, MAPPING_COLUMN: mapping}
    lines = _Lines(dialect, header, further, form) if header.line else _ListLines(dialect, form)
    written = 0
    with translation.override(language):
        out.write((mark_of(dialect) if form.is_marked else dialect.bom) + lines.header())
        rows = iter(reader)
        for outcome in rejected:
            row = next((row for row in rows if row.line == outcome.line), None)
            if row is None:
                raise ToolSyncError(f"line {outcome.line} was rejected but isn't in the file")
            out.write(lines.row(row, outcome))
            written += 1
    return written


def reads_back(tryback: RowReader, source: RowReader, lines: Iterable[int]) -> bool:
    """Return whether a tryback, opened anew, holds the header and the rejected lines of its file.

    Shape: source: freshly opened on the file; lines: in order
    """
    width = len(_names_of_source(source.header))
    if _names_of_source(tryback.header)[:width] != _names_of_source(source.header):
        return False
    rows, found = iter(source), iter(tryback)
    for line in lines:
        row = next((row for row in rows if row.line == line), None)
        again = next(found, None)
        if row is None or again is None or _padded(row, width) != _padded(again, width):
            return False
    return next(found, None) is None


def _padded(row: Row, width: int) -> tuple[str, ...]:
    return (*row.cells, *[""] * width)[:width]


class _ListLines:
    """Writes lines of a tryback of a file without header."""

    def __init__(self, dialect: Dialect, form: Form) -> None:
        self._dialect = dialect
        self._form = form
        self._end = dialect.line_end.encode(dialect.encoding)

    def header(self) -> bytes:
        return b""

    def row(self, row: Row, outcome: Outcome) -> bytes:
        reason = " ".join(describe_outcome(outcome).split())
        comment = f"# {outcome.line}, {outcome.code}: {reason}".encode(self._dialect.encoding, errors="replace")
        return comment + self._end + _written(row, self._dialect, self._form) + self._end


class _Lines:
    """Writes lines of one tryback. Shape: further: further columns -> what each of their cells says, "" = there is none"""

    def __init__(self, dialect: Dialect, header: Header, further: Mapping[str, str], form: Form) -> None:
        self._dialect = dialect
        self._header = header
        self._form = form
        self._further = {name: cell for name, cell in further.items() if cell}
        self._width = max(1, len(_names_of_source(header)))
        self._end = dialect.line_end.encode(dialect.encoding)
        self._separator = dialect.separator.encode(dialect.encoding)

    def header(self) -> bytes:
        front = self._front(_written(self._header, self._dialect, self._form))
        return self._joined(front, (*self._further, *TRYBACK_COLUMNS))

    def row(self, row: Row, outcome: Outcome) -> bytes:
        reason = " ".join(describe_outcome(outcome).split())
        added = (*self._further.values(), str(outcome.line), outcome.code, reason)
        raw = _written(row, self._dialect, self._form)
        missing = self._width - len(row.cells)
        if missing > 0:
            # The cells must come to stand under their columns.
            return self._joined(raw + self._separator * missing, added)
        if any(row.cells[len(self._header.names) :]):
            # More cells than the header has: that is what is wrong, so all of them are shown.
            return self._joined(raw, added)
        return self._joined(self._front(raw), added)

    def _joined(self, front: bytes, added: tuple[str, ...]) -> bytes:
        return front + self._separator + encode_cells(self._dialect, added) + self._end

    def _front(self, raw: bytes) -> bytes:
        """Return the bytes of the first `width` cells, untouched."""
        text = raw.decode(self._dialect.encoding)
        return text[: end_of_cell(text, self._dialect.separator, self._width)].encode(self._dialect.encoding)


def _written(row: Row | Header, dialect: Dialect, form: Form) -> bytes:
    """Return the bytes of a row as they came, but for the quotes that the form asks for."""
    if not form.is_closed:
        return row.raw
    text = row.raw.decode(dialect.encoding)
    return quote_open_cells(text, dialect.separator or NO_SEPARATOR).encode(dialect.encoding)


def _names_of_source(header: Header) -> tuple[str, ...]:
    """Return the names without those that a tryback adds."""
    names = _without_empty_end(header.names)
    if names[-len(TRYBACK_COLUMNS) :] == TRYBACK_COLUMNS:
        names = _without_empty_end(names[: -len(TRYBACK_COLUMNS)])
    while names and names[-1] in FURTHER_COLUMNS:
        names = _without_empty_end(names[:-1])
    return names


def _without_empty_end(names: tuple[str, ...]) -> tuple[str, ...]:
    """Leave out the empty names at the end, which spreadsheets leave there."""
    width = len(names)
    while width and not names[width - 1]:
        width -= 1
    return names[:width]
