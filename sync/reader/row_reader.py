"""What the reader gives: the dialect, the header, the rows, and the lines it passed over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Self

from sync.errors import HeaderError
from sync.reader.dialect import Dialect, header_name
from sync.reader.picture_zip import PictureZip
from sync.values import Header, Note, Row

# So many lines are named at most.
_LINES_NAMED = 20
# In so many rows a rounded number isn't an accident: the column was opened in a spreadsheet.
_DAMAGED_ROWS = 3

# Asked with the header what is to be told of every row before the first is given; None = nothing.
Look = Callable[[Header], Callable[[Row], None] | None]
# Each name is compared with all the columns that there are. The longest headers of real files have some hundreds of names.
HEADER_LIMIT = 64 << 10
COLUMN_LIMIT = 5000


class WholeText(NamedTuple):
    """What going through a whole text file has told. Shape: rows: how many there are; has_end_mark: it ends with Ctrl+Z"""

    rows: int
    has_end_mark: bool


@dataclass
class SkippedLines:
    """The comments and blank lines passed over so far."""

    count: int = 0


@dataclass
class ReaderFindings:
    """What the rows so far show about the file as a whole."""

    _notes: list[Note] = field(default_factory=list)
    _repeated_headers: list[int] = field(default_factory=list)
    _repeated_count: int = 0
    _rows_after_blank: int = 0
    _first_after_blank: int = 0
    _comments_with_cells: list[int] = field(default_factory=list)
    _comments_count: int = 0
    _rounded: Counter[int] = field(default_factory=Counter)

    def add_note(self, note: Note) -> None:
        self._notes.append(note)

    def add_repeated_header(self, line: int) -> None:
        self._repeated_count += 1
        if len(self._repeated_headers) < _LINES_NAMED:
            self._repeated_headers.append(line)

    def add_comment_with_cells(self, line: int) -> None:
        self._comments_count += 1
        if len(self._comments_with_cells) < _LINES_NAMED:
            self._comments_with_cells.append(line)

    def add_row_after_blank(self, line: int) -> None:
        self._first_after_blank = self._first_after_blank or line
        self._rows_after_blank += 1

    def add_faults(self, faults: Mapping[int, Note]) -> None:
        self._rounded.update(place for place, fault in faults.items() if fault.code == "cell_is_rounded")

    def notes(self, header: Header) -> list[Note]:
        """Return what is worth saying about the file, once its rows are read."""
        notes = [*self._notes]
        notes += [
            Note("column_rounded", {"column": header.spelled[place], "count": count})
            for place, count in sorted(self._rounded.items())
            if count >= _DAMAGED_ROWS and place < len(header.spelled)
        ]
        if self._rows_after_blank:
            notes.append(Note("rows_after_blank", {"count": self._rows_after_blank, "line": self._first_after_blank}))
        if self._comments_with_cells:
            lines = _shown(self._comments_with_cells, self._comments_count)
            notes.append(Note("comments_with_cells", {"count": self._comments_count, "lines": lines}))
        if self._repeated_headers:
            notes.append(Note("header_repeated", {"lines": _shown(self._repeated_headers, self._repeated_count)}))
        return notes


def _shown(lines: Sequence[int], count: int) -> str:
    return ", ".join(map(str, lines)) + " …" * (count > len(lines))


class RowReader:
    """An opened command file. Its rows can be iterated once; `skipped` grows while they are. Use it in a `with` statement.

    Shape: pictures: where the rows are pictures of a zip, what is behind them; rows_expected: how many rows there are, more or
    less, for progress; 0 = unknown; close: releases what the rows wait in; own_header: that of the file, whose places the
    findings name, where the rows are changed; whole: of a text file, for who opens it once more
    """

    def __init__(
        self,
        dialect: Dialect,
        header: Header,
        skipped: SkippedLines,
        rows: Iterator[Row],
        bytes_read: Callable[[], int],
        *,
        pictures: PictureZip | None = None,
        findings: ReaderFindings | None = None,
        rows_expected: int = 0,
        close: Callable[[], None] = lambda: None,
        own_header: Header | None = None,
        whole: WholeText | None = None,
    ) -> None:
        self.dialect = dialect
        self.header = header
        self.skipped = skipped
        self.pictures = pictures
        self.rows_expected = rows_expected
        self.close = close
        self.whole = whole
        self._findings = findings or ReaderFindings()
        self._own_header = own_header or header
        self._rows = rows
        self._bytes_read = bytes_read

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[Row]:
        return self._rows

    def changed(self, header: Header, change: Callable[[Row], Row]) -> Self:
        """Return the same file under another header, with each row changed. Its rows are those of this one: use one of both."""
        return type(self)(
            self.dialect,
            header,
            self.skipped,
            map(change, self._rows),
            self._bytes_read,
            pictures=self.pictures,
            findings=self._findings,
            rows_expected=self.rows_expected,
            close=self.close,
            own_header=self._own_header,
            whole=self.whole,
        )

    @property
    def notes(self) -> list[Note]:
        """What the rows so far show about the file as a whole."""
        return self._findings.notes(self._own_header)

    @property
    def bytes_read(self) -> int:
        """Return how many bytes of the file the rows so far have taken, for progress."""
        return self._bytes_read()


def list_header(names: Sequence[str]) -> Header:
    """Make the header of a file that has none. Its line is 0."""
    return Header(0, b"", tuple(names), tuple(names))


def make_header(first: Row) -> Header:
    """Make the header of the first row. Raises: HeaderError if it is too long to be one."""
    check_header_length(first.line, len(first.raw), len(first.cells))
    # A program that writes one byte order mark too many writes it into the first name.
    spelled = tuple(cell.strip("\ufeff") for cell in first.cells)
    return Header(first.line, first.raw, tuple(map(header_name, spelled)), spelled)


def check_header_length(line: int, size: int, columns: int = 0) -> None:
    """Refuse what is too long for a header, before its names are looked at. Raises: HeaderError"""
    if size > HEADER_LIMIT or columns > COLUMN_LIMIT:
        raise HeaderError("header_too_long", line=line, limit=HEADER_LIMIT >> 10, columns=COLUMN_LIMIT)
