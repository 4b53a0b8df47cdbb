"""What the reader gives: the dialect, the header, the rows, and the lines it passed over."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from sync.reader.dialect import Dialect
from sync.reader.picture_zip import PictureZip
from sync.values import Header, Row

SUSPECT_LIMIT = 100


@dataclass
class SkippedLines:
    """The comments and blank lines passed over so far.

    Shape: suspects: (line, text of the first cell) of the first comments that look like data: they don't begin with
    "#" and have as many cells as the header; suspect_count: how many there are in all
    """

    count: int = 0
    suspect_count: int = 0
    suspects: list[tuple[int, str]] = field(default_factory=list)

    def add(self) -> None:
        """Count a line."""
        self.count += 1

    def add_suspect(self, line: int, first_cell: str) -> None:
        """Name a line that was counted as probable data.

        Only the first cell is kept: it is what has to be quoted, and the others may hold a password.
        """
        self.suspect_count += 1
        if len(self.suspects) < SUSPECT_LIMIT:
            self.suspects.append((line, first_cell[:100]))


class RowReader:
    """An opened command file. Its rows can be iterated once; `skipped` grows while they are.

    Shape: pictures: where the rows are pictures of a zip, what is behind them
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
    ) -> None:
        self.dialect = dialect
        self.header = header
        self.skipped = skipped
        self.pictures = pictures
        self._rows = rows
        self._bytes_read = bytes_read

    def __iter__(self) -> Iterator[Row]:
        return self._rows

    @property
    def bytes_read(self) -> int:
        """Give how many bytes of the file the rows so far have taken, for progress."""
        return self._bytes_read()


def list_header(names: Sequence[str]) -> Header:
    """Make the header of a file that has none. Its line is 0."""
    return Header(0, b"", tuple(names), tuple(names))


def make_header(first: Row) -> Header:
    """Make the header of the first row."""
    return Header(first.line, first.raw, tuple(cell.lower() for cell in first.cells), first.cells)
