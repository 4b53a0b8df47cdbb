"""Whether a file that declares itself complete may be taken for that: what is absent from half a file isn't absent."""

from __future__ import annotations

from collections.abc import Sequence

from sync.columns.file_columns import ADDED_COLUMNS
from sync.reader import RowReader
from sync.values import Note, Row

# What the reader may have found, after which names may be other ones than those that the sender meant, or rows are missing.
_TROUBLES = frozenset(("encoding_guessed", "header_repeated", "column_rounded", "sheet_chosen", "comments_with_cells"))


class Wholeness:
    """Looks at all rows of one file. Shape: width: cells of a whole row"""

    def __init__(self, reader: RowReader, width: int) -> None:
        self._reader = reader
        self._width = width
        self._rows = 0
        self._short_rows = 0
        self._is_last_short = False

    def see(self, rows: Sequence[Row]) -> None:
        """Look at a chunk; of all chunks, in file order."""
        for row in rows:
            self._is_last_short = len(row.cells) < self._width
            self._short_rows += self._is_last_short
        self._rows += len(rows)

    @property
    def doubt(self) -> Note | None:
        """Return why the file may not be whole, once its rows are read; None when nothing speaks against it."""
        if not set(ADDED_COLUMNS).isdisjoint(self._reader.header.names):
            return Note("absent_left_tryback", {})
        if not self._rows:
            return Note("absent_left_empty", {})
        # Programs that leave out empty cells at the end do so in many rows; a workbook holds no half rows.
        if self._is_last_short and self._short_rows == 1 and not self._reader.dialect.is_workbook:
            return Note("absent_left_short", {})
        found = [note for note in self._reader.notes if note.code in _TROUBLES]
        return Note("absent_left_trouble", {**found[0].params, "hint": found[0].code}) if found else None
