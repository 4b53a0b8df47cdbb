"""Which physical lines make up a row.

A quoted cell may hold line ends. But a quote may also have been typed at the beginning of a cell without being meant so;
read as a quoted cell, such a one would swallow row after row. So both readings are weighed (`_weigh`).
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from sync.errors import CommandFileError
from sync.reader import row_bytes
from sync.reader.cells import byte_patterns, count_cells, split_cells
from sync.reader.row_bytes import (
    BLANK,
    COMMENT,
    COMMENT_BYTES,
    DOUBTFUL,
    LINE_END,
    PLAIN,
    QUOTED,
    SUSPECT,
    WHITESPACE,
    ByteSource,
    line_groups,
    separator_line,
)
from sync.reader.spreadsheet_cells import is_error_word

# So many lines are looked at together.
_LINES_OF_A_RUN = 500
# So many lines that look like rows are a sign; so great a part of them must.
_FEW_LINES = 3
_MOST = 0.8
# From this many cells on, a single line of text hardly has the header's number of them by chance.
_TELLING_WIDTH = 4
# What a tryback adds to a row: its line, its code, its reason.
_ADDED_CELLS = 3
_IS_LINE, _IS_CODE = re.compile(r"[0-9]+").fullmatch, re.compile(r"[a-z][a-z0-9_]*").fullmatch


class SplitRow(NamedTuple):
    """A row, comment or blank line.

    Shape: line: where it begins; raw: as `ByteSource.blocks` gives it, without the last line end; kind: see `row_bytes`;
    last_line: where it ends
    """

    line: int
    raw: bytes
    kind: int
    last_line: int


class PlainRun(NamedTuple):
    """Lines, one behind the other, each of which is a row without a quote.

    Shape: line: number of the first; raws: as `ByteSource.blocks` gives them, without line ends; joined: the same with LF between
    """

    line: int
    raws: list[bytes]
    joined: bytes


class RowSplitter:
    """Splits a file into rows; iterable once.

    Memory: one row, of at most `row_bytes.ROW_LIMIT`. A line is looked at twice at most, so the time grows with the file.
    Shape: header_line: its number, 0 = there is none; width: how many cells a row has, taken from the header if there is one;
    least: how many it must have, where that is less; is_tryback: line, code and reason stand at the end of its rows
    """

    def __init__(
        self,
        source: ByteSource,
        separator: str,
        *,
        header_line: int = 0,
        width: int = 0,
        least: int = 0,
        is_tryback: bool = False,
    ) -> None:
        self._source = source
        self._separator = separator
        self._mark = separator.encode()
        self._spaced = self._mark + b" "
        self._patterns = byte_patterns(separator)
        self._blank = WHITESPACE + self._mark
        self._header_line = header_line
        self._is_header_spaced = False
        self.width = width
        self._least = least
        self._is_tryback = is_tryback
        self._groups = _short_groups(line_groups(source.blocks()))
        # Those of the last group that weren't taken yet, the next at the end; how many were.
        self._waiting: list[bytes] = []
        self._taken = 0
        # What a line of a run doesn't begin with.
        self._not_plain = frozenset(self._blank) | COMMENT_BYTES
        self._returned: deque[tuple[int, bytes]] = deque()
        # Up to here the lines are known to be rows by themselves.
        self._single_until = 0

    def __iter__(self) -> Iterator[SplitRow]:
        """Return row by row. Raises: CommandFileError when a row is too long."""
        for part in self.parts():
            if isinstance(part, PlainRun):
                yield from (SplitRow(line, raw, PLAIN, line) for line, raw in enumerate(part.raws, start=part.line))
            else:
                yield part

    def parts(self) -> Iterator[SplitRow | PlainRun]:
        """Return rows, comments and blank lines, and many plain rows at once. Raises: CommandFileError when a row is too long."""
        make = SplitRow._make
        opens = self._patterns.opens.match
        is_closed = self._patterns.is_closed.match
        while True:
            if not self._returned and (run := self._plain_run()):
                yield run
                continue
            number, line = self._next_line()
            if not line:
                return
            if line[0] in COMMENT_BYTES and number != self._header_line:
                yield self._comment_or_row(number, line)
            elif not line.strip(self._blank) or (number == 1 and separator_line(line)):
                yield make((number, line.rstrip(LINE_END), BLANK, number))
            elif b'"' not in line:
                yield make((number, line.rstrip(LINE_END), PLAIN, number))
            elif is_closed(line) or number < self._single_until or not opens(line):
                yield make((number, line.rstrip(LINE_END), QUOTED, number))
            else:
                yield self._whole_row(number, line)[0]
            if number == self._header_line:
                self.width = count_cells(line, self._separator)[1]
                self._is_header_spaced = self._spaced in line

    def _plain_run(self) -> PlainRun | None:
        """Take the lines of the next group if all of them are plain rows below the header."""
        if self._waiting or self._taken < max(self._header_line, 1):
            return None
        lines = next(self._groups, [])
        if lines and self._not_plain.isdisjoint({line[0] for line in lines}):
            raws = [line.rstrip(LINE_END) for line in lines]
            joined = b"\n".join(raws)
            if b'"' not in joined:
                self._taken += len(lines)
                return PlainRun(self._taken - len(lines) + 1, raws, joined)
        self._waiting = lines[::-1]
        return None

    def _next_line(self) -> tuple[int, bytes]:
        """Return number and bytes of the next physical line, those first that were taken and given back; b"" at the end."""
        if self._returned:
            return self._returned.popleft()
        while not self._waiting:
            group = next(self._groups, None)
            if group is None:
                return self._taken + 1, b""
            self._waiting = group[::-1]
        self._taken += 1
        return self._taken, self._waiting.pop()

    def _comment_or_row(self, number: int, line: bytes) -> SplitRow:
        """A comment with as many cells as the header is suspect; a line that begins with a blank is a row then.

        So is one with fewer or more cells: the last ones of a row may be left out. But a sentence may hold a separator.
        """
        comment = SplitRow(number, line.rstrip(LINE_END), COMMENT, number)
        if not self.width or not line.strip(self._blank):
            return comment
        lines = [line]
        row = comment._replace(kind=QUOTED if b'"' in line else PLAIN)
        if row.kind == QUOTED and number >= self._single_until and self._patterns.opens.match(line):
            row, lines = self._whole_row(number, line)
        is_behind_blank = line[:1] == b" " and self._header_line and self._is_row_like(row.raw)
        if is_behind_blank or self._begins_with_error(line):
            return row
        if not self._may_be_row(row.raw, line):
            self._give_back(lines[1:], number + 1)
            return comment
        return row._replace(kind=SUSPECT)

    def _may_be_row(self, row: bytes, first: bytes) -> bool:
        """Whether what begins like a comment may be a row. Shape: first: its first line"""
        if self._is_row_like(row):
            # Of lists and files of one column every remark would be suspect.
            return self.width != 1 or len(row.split()) == 1
        is_wide = self._header_line and self.width > 1
        return bool(is_wide) and self._holds_cells(row) and not self._is_sentence(first)

    def _holds_cells(self, row: bytes) -> bool:
        """Whether anything stands behind the first cell."""
        return self._mark in row and count_cells(row, self._separator)[1] > 1

    def _is_sentence(self, line: bytes) -> bool:
        """Whether a blank stands behind a separator, as in a sentence, and none does in the header."""
        return not self._is_header_spaced and self._spaced in line

    def _begins_with_error(self, line: bytes) -> bool:
        """Whether a formula failed in the first cell: nobody begins a comment so, however many cells the row has."""
        first = line.split(self._mark, 1)[0] if line[:1] == b"#" else b""
        return bool(first) and is_error_word(first.decode(self._source.encoding).strip())

    def _give_back(self, lines: list[bytes], number: int) -> None:
        """Let lines be taken again. Shape: number: of the first"""
        self._returned.extendleft(reversed(list(enumerate(lines, start=number))))

    def _whole_row(self, number: int, first: bytes) -> tuple[SplitRow, list[bytes]]:
        """Return the row whose first line leaves a quoted cell open, all of its lines or the first alone, and these lines."""
        lines = [first]
        taken, is_closed = self._take_quoted(number, lines)
        kind = self._weigh(lines) if is_closed and len(lines) > 1 else PLAIN
        if kind == DOUBTFUL and number == self._header_line:
            kind = QUOTED
        kept = len(lines) if kind != PLAIN else 1
        self._give_back([*lines[kept:], *taken], number + kept)
        if is_closed and kind == PLAIN:
            self._single_until = number + len(lines) - 1
        raw = b"".join(lines[:kept]).rstrip(LINE_END)
        return SplitRow(number, raw, QUOTED if kind == PLAIN else kind, number + kept - 1), lines[:kept]

    def _take_quoted(self, number: int, lines: list[bytes]) -> tuple[list[bytes], bool]:
        """Take lines until the quoted cells that they leave open are closed.

        Returns what was taken in vain, for it belongs to no cell that is closed, and whether the lines make up whole cells.
        Raises: CommandFileError when they are too long and don't look like rows
        """
        pending: list[bytes] = []
        size = len(lines[0])
        opened = 1
        while taken := self._next_line()[1]:
            pending.append(taken)
            size += len(taken)
            if size > row_bytes.ROW_LIMIT:
                if sum(map(self._is_row_like, pending)) < _MOST * len(pending):
                    raise CommandFileError("row_too_long", line=number, limit=row_bytes.ROW_LIMIT >> 20)
                return pending, opened > 1
            if (end := self._patterns.ends.match(taken)) is None:
                if self._patterns.quote.match(taken):
                    # The quote isn't the end of a cell, so the one before it was not the beginning of one.
                    return pending, opened > 1
                continue
            lines += pending
            pending = []
            if end[1] is None or not self._patterns.opens.match(taken, end.end()):
                return pending, True
            opened += 1
            if self.width and opened > self.width:
                return pending, True
        return pending, opened > 1

    def _weigh(self, lines: list[bytes]) -> int:
        """Tell whether lines are one row (QUOTED), several (PLAIN), or it can't be told (DOUBTFUL).

        Lines that a cell would swallow although they have the header's number of cells are rows by themselves, if there
        are enough of them, and the first line has this number too. The last line alone is no sign where the whole has all
        the cells: behind a first cell of two lines stand all the others.
        """
        width = self.width or count_cells(lines[0], self._separator)[1]
        behind = [line for line in lines[1:] if line.strip(self._blank)]
        alike = [line for line in behind if self._is_row_like(line, width)]
        swallowed = [line for line in behind if line[0] not in COMMENT_BYTES or self._is_row_like(line, width)]
        is_first_alike = self._is_row_like(lines[0], width)
        if alike and self._is_tryback and self._ends_once(lines):
            return DOUBTFUL if any(map(self._may_be_emptied, lines[:-1])) else QUOTED
        if not alike or (alike == swallowed[-1:] and not is_first_alike):
            is_whole = not alike or self._has_all_cells(lines, width)
            return QUOTED if is_whole else DOUBTFUL
        needed = _FEW_LINES if width == 2 else 1 if width >= _TELLING_WIDTH else 2
        are_enough = len(alike) >= needed and (
            len(alike) == len(swallowed) or (len(alike) >= _FEW_LINES and len(alike) >= _MOST * len(swallowed))
        )
        # "red, green, blue" is a text; rows have a blank behind their separators everywhere or nowhere.
        is_prose = self._spaced not in lines[0] and any(self._spaced in line for line in alike)
        return PLAIN if width > 1 and are_enough and is_first_alike and not is_prose else DOUBTFUL

    def _ends_once(self, lines: list[bytes]) -> bool:
        """Whether what a tryback adds to a row stands behind the last of these lines only.

        Its rows are wider than those of its file, so lines of a cell may look like rows that didn't there.
        """
        return self._has_added_cells(b"".join(lines)) and not any(map(self._has_added_cells, lines[:-1]))

    def _may_be_emptied(self, line: bytes) -> bool:
        """Whether a line may be a row of a tryback from which somebody has taken what was added."""
        return self._is_row_like(line) and count_cells(line, self._separator)[1] <= self.width - _ADDED_CELLS

    def _has_added_cells(self, row: bytes) -> bool:
        text = row.decode(self._source.encoding).rstrip(f"\r\n {self._separator}")
        cells = [cell.strip() for cell in split_cells(text, self._separator)]
        return len(cells) > _ADDED_CELLS and bool(_IS_LINE(cells[-3]) and _IS_CODE(cells[-2]) and cells[-1])

    def _has_all_cells(self, lines: list[bytes], width: int) -> bool:
        return count_cells(b"".join(lines).rstrip(LINE_END), self._separator)[0] >= (self._least or width)

    def _is_row_like(self, line: bytes, width: int = 0) -> bool:
        # Without looking at quotes, which only make cells fewer.
        least = self._least or width or self.width
        if line.count(self._mark) + 1 < least:
            return False
        count, filled = count_cells(line, self._separator)
        return filled <= (width or self.width) and least <= count


def _short_groups(groups: Iterator[list[bytes]]) -> Iterator[list[bytes]]:
    """Cut groups of lines into shorter ones, so that one odd line makes few others be looked at by themselves."""
    for group in groups:
        for place in range(0, len(group), _LINES_OF_A_RUN):
            yield group[place : place + _LINES_OF_A_RUN]
