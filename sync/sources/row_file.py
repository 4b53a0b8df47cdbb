"""Rows that a server gives -> one CSV file, which is then a command file like any other.

Nothing of it is used before all of it is there: a source that gives no row, or more than are taken, brings no file.
"""

from __future__ import annotations

import csv
import io
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from datetime import date, time
from decimal import Decimal
from itertools import chain, islice
from typing import Any, BinaryIO

from sync.errors import SourceError
from sync.sources.guard import FetchRules, LimitedWriter
from sync.sources.remote_folder import Entry

# So many rows are written at a time.
_WRITE_ROWS = 1000


class RowSource(ABC):
    """The place of one file that is made from rows. Shape: name: the one it is kept under; host: who is asked, for messages"""

    # What is asked for is whole, or was cut off.
    may_grow = False

    def __init__(self, name: str, host: str, rules: FetchRules) -> None:
        self._name = name
        self._host = host
        self._rules = rules
        self._asked: Generator[Sequence[object], None, None] | None = None
        self._begun: Iterator[Sequence[object]] = iter(())

    def entries(self) -> list[Entry]:
        """Ask for the rows, up to the first of them. Raises: SourceError, also when there is none"""
        self.close()
        self._asked = self.rows()
        beginning = list(islice(self._asked, 2))
        if len(beginning) < 2:
            raise SourceError("source_no_rows", host=self._host)
        self._begun = chain(beginning, self._asked)
        return [Entry(self._name, -1)]

    def look(self, name: str) -> Entry:
        """What is asked for comes with one answer."""
        return Entry(name, -1)

    def copy(self, name: str, out: BinaryIO) -> None:
        """Write the rows as CSV. Raises: SourceError; CommandFileError if they are too many bytes"""
        if self._asked is None:
            self.entries()
        try:
            write_rows(LimitedWriter(out, name, self._rules), self._begun, self._host, self._rules)
        finally:
            self.close()

    def remove(self, _name: str) -> None:  # noqa: B027 - the contract of places has it, and rows stay where they are
        """What was asked stays where it is."""

    def close(self) -> None:
        """Hang up, also in the middle of the rows."""
        if self._asked is not None:
            self._asked.close()
            self._asked = None

    @abstractmethod
    def rows(self) -> Generator[Sequence[object], None, None]:
        """Return the names of the columns, and then the rows. Raises: SourceError"""


def write_rows(sink: LimitedWriter, rows: Iterable[Sequence[object]], host: str, rules: FetchRules) -> None:
    """Write names and rows as CSV in UTF-8. Raises: SourceError if there are too many; CommandFileError"""
    buffer = io.StringIO(newline="")
    table = csv.writer(buffer, lineterminator="\n")
    for number, row in enumerate(rows):
        if rules.max_rows and number > rules.max_rows:
            raise SourceError("source_too_many_rows", host=host, limit=rules.max_rows)
        table.writerow([cell_text(value) for value in row])
        if number % _WRITE_ROWS == 0:
            _flush(buffer, sink)
    _flush(buffer, sink)


def cell_text(value: object) -> str:
    """Return the text of a cell. Days and times as ISO 8601, yes and no as 1 and 0. Raises: SourceError"""
    if value is None:
        return ""
    for kinds, text in _TEXTS:
        if isinstance(value, kinds):
            return text(value)
    return str(value)


def _binary_text(value: Any) -> str:
    try:
        return bytes(value).decode()
    except UnicodeDecodeError:
        raise SourceError("source_binary_cell") from None


_TEXTS: tuple[tuple[tuple[type, ...], Callable[[Any], str]], ...] = (
    ((str,), lambda value: value.replace("\0", "")),
    ((bool,), lambda value: "1" if value else "0"),
    ((Decimal,), lambda value: format(value, "f")),
    ((date, time), lambda value: value.isoformat()),
    ((bytes, bytearray, memoryview), _binary_text),
    ((list, tuple, set, frozenset), lambda value: ", ".join(map(cell_text, value))),
)


def _flush(buffer: io.StringIO, sink: LimitedWriter) -> None:
    sink.write(buffer.getvalue().encode(errors="replace"))
    buffer.seek(0)
    buffer.truncate()
