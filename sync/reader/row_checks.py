"""What every row is looked at for, be it of a CSV file or of a workbook: comments that look like rows, headers in the middle
of the file, and cells that a spreadsheet or a database wrote.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import zip_longest

from sync.reader.cells import split_cells
from sync.reader.damaged_letters import ENCODED_TWICE
from sync.reader.dialect import COMMENT_MARKS, header_name
from sync.reader.row_reader import ReaderFindings, SkippedLines
from sync.reader.spreadsheet_cells import cell_fault, decode_cell, is_error_word
from sync.values import Header, Note, Row

# So many characters of a comment are enough to find it.
_CELL_SHOWN = 3
# So many known names beside unknown ones are no accident.
_SEVERAL = 2
# Columns that a tryback adds at the end of a header begin with it; one of them says why the row came back.
_ADDED = "_"
_CODE = "_code"
_ADDED_NAMES = ("_line", _CODE, "_reason")
# It can't be told whether lines are one row or several.
QUOTES_DOUBTFUL = "quotes_doubtful"
# A whole line is one cell: a program has put quotes around it.
ROW_IN_QUOTES = "row_in_quotes"
NO_FAULTS: Mapping[int, Note] = Row(0, b"", ()).cell_faults


class RowChecks:
    """Makes the rows of one file; counts what is passed over.

    Shape: is_known: whether a lower-case name is a column; is_encoding_chosen: somebody has said how the letters are to be read
    """

    def __init__(self, header: Header, is_known: Callable[[str], bool], *, is_encoding_chosen: bool = False) -> None:
        self._is_encoding_chosen = is_encoding_chosen
        self.skipped = SkippedLines()
        self.findings = ReaderFindings()
        self._header = header
        self._is_known = is_known
        # As they are compared, and as they are written there: rows are looked at for both.
        written = map(str.lower, header.spelled)
        self._names = frozenset(filter(None, (*header.names, *written))) if header.line else frozenset()
        self._own_width = _own_width(header)
        self._code_place = header.names.index(_CODE) if header.line and _CODE in header.names else None
        self._under_other_header: Note | None = None

    def is_ordinary(self, cells: Sequence[str]) -> bool:
        """Whether `row` would only pass these cells on, unless the row itself is special."""
        names = self._names
        first = cells[0]
        if first[:1] == "\ufeff":
            first = first[1:]
        return self._under_other_header is None and not (
            names and (first.lower() in names or (len(cells) > 1 and cells[1].lower() in names))
        )

    def are_ordinary(self, rows: Sequence[Sequence[str]]) -> bool:
        """Whether every one of these rows is ordinary; none of them has a byte order mark."""
        if self._under_other_header is not None:
            return False
        firsts = {cells[0].lower() for cells in rows}
        return self._names.isdisjoint(firsts) and self._names.isdisjoint(
            {cells[1].lower() for cells in rows if len(cells) > 1}
        )

    def was_doubtful(self, cells: Sequence[str], separator: str) -> bool:
        """Whether a row of a tryback came back because of its quotes, and still has a cell of several lines with separators."""
        place = self._code_place
        if place is None or len(cells) <= place or cells[place] != QUOTES_DOUBTFUL:
            return False
        return any(separator in cell and len(cell.splitlines()) > 1 for cell in cells[: self._own_width])

    def is_line_in_quotes(self, cells: Sequence[str], separator: str) -> bool:
        """Whether a row is one cell that holds as many as the header names, or came back in a tryback as such."""
        width = _filled_width(self._header.names[: self._own_width])
        first, place = cells[0], self._code_place
        if width < _SEVERAL or not self._header.line or separator not in first or any(cells[1:width]):
            return False
        came_back = place is not None and len(cells) > place and cells[place] == ROW_IN_QUOTES
        return (len(cells) == 1 or came_back) and len(split_cells(first, separator)) == width

    def row(
        self,
        line: int,
        raw: bytes,
        cells: list[str],
        *,
        fault: Note | None = None,
        is_comment: bool = False,
        is_special: bool = False,
        cell_faults: Mapping[int, Note] = NO_FAULTS,
    ) -> Row | None:
        """Return the row that these cells are; None when they are passed over.

        Shape: cells: trimmed; is_comment: it begins like one and has several cells, or is one of a list; is_special: there may be
        cells of spreadsheets and databases
        """
        if is_comment and not is_error_word(cells[0]):
            if self._is_remark(cells):
                self.skipped.count += 1
                return None
            # Only its beginning is shown: every cell of a row may hold a password, the first as well.
            first = cells[0] if cells[0].startswith(tuple(COMMENT_MARKS)) else f" {cells[0]}"
            is_told = first is cells[0] or self._header.line
            fault = (
                Note("comment_like_row", {"cell": _beginning(first)}) if is_told else Note("row_begins_with_blank", {})
            )
        elif not self.is_ordinary(cells):
            if self._is_header(cells):
                self.skipped.count += 1
                self.findings.add_repeated_header(line)
                return None
            if self._under_other_header is None and self._is_other_header(cells):
                self._under_other_header = Note("row_under_other_header", {"header": line})
        if is_special:
            cells = list(map(decode_cell, cells))
            faults = {place: found for place, cell in enumerate(cells) if (found := cell_fault(cell))}
            if self._is_encoding_chosen:
                faults = {place: fault for place, fault in faults.items() if fault.code != ENCODED_TWICE}
            cell_faults = {**faults, **cell_faults}
        if cell_faults:
            self.findings.add_faults(cell_faults)
        return Row(line, raw, tuple(cells), self._under_other_header or fault, cell_faults)

    def note_comment(self, line: int, cells: Sequence[str]) -> None:
        """Note a comment that is passed over though it has several cells. Shape: cells: trimmed"""
        if len(cells) > 1 and any(cells[1:]) and self._header.line and not self._is_remark(cells):
            self.findings.add_comment_with_cells(line)

    def _is_remark(self, cells: Sequence[str]) -> bool:
        """Whether a comment is no row for certain: the header commented out, a note in a list or a file of one column."""
        if len(cells) == 1 or not self._header.line:
            return cells[0].startswith("#")
        return self._is_header([cells[0].lstrip(COMMENT_MARKS), *cells[1:]])

    def _is_header(self, cells: Sequence[str]) -> bool:
        # Files that were joined byte for byte have their byte order marks in the middle.
        cells = [cells[0].lstrip("\ufeff"), *cells[1:]]
        width = self._own_width
        names = self._header.names
        if tuple(map(header_name, filter(None, cells[:width]))) != tuple(filter(None, names[:width])):
            return False
        # A tryback says behind the cells of a row what is wrong with it; behind a header there is nothing, or the names again.
        added = cells[width:] if width is not None else ()
        return all(
            not cell or header_name(cell) == name for cell, name in zip_longest(added, names[width:], fillvalue="")
        )

    def _is_other_header(self, cells: Sequence[str]) -> bool:
        """Whether most of these are names of columns, and some stand in other places than the header has them."""
        names = [header_name(cell) for cell in cells[: self._own_width]]
        filled = list(filter(None, names))
        if len(filled) <= 1 or not may_be_header(filled, self._is_known):
            return False
        if all(map(self._is_known, filled)):
            return True
        # A line of labels has some names as they are.
        return any(name != own for name, own in zip(names, self._header.names, strict=False) if self._is_known(name))


def is_of_tryback(header: Header) -> bool:
    """Return whether the names that a tryback adds stand at the end of a header."""
    names = header.names[: header.names.index(_ADDED_NAMES[-1]) + 1] if _ADDED_NAMES[-1] in header.names else ()
    return names[-len(_ADDED_NAMES) :] == _ADDED_NAMES and not any(header.names[len(names) :])


def _own_width(header: Header) -> int | None:
    """Return how many names a header has before those that a tryback adds, None where it has none of these."""
    width = len(header.names)
    while width and header.names[width - 1][:1] in ("", _ADDED):
        width -= 1
    return width if any(name.startswith(_ADDED) for name in header.names[width:]) else None


def _filled_width(names: Sequence[str]) -> int:
    """Return how many names there are, empty ones at the end left out."""
    width = len(names)
    while width and not names[width - 1]:
        width -= 1
    return width


def holds_commented_header(cells: Sequence[str], is_known: Callable[[str], bool]) -> bool:
    """Return whether the cells of a comment, in lower case, are column names but for the mark. Shape: cells: trimmed"""
    names = [cells[0].lstrip(COMMENT_MARKS), *cells[1:]] if cells else []
    return bool(names) and names[0] != cells[0] and all(map(is_known, filter(None, names))) and any(names)


def may_be_header(names: Sequence[str], is_known: Callable[[str], bool]) -> bool:
    """Return whether names, in lower case, are those of columns: all of them, or several and more than are unknown."""
    known = sum(map(is_known, names))
    return 0 < known == len(names) or (known >= _SEVERAL and 2 * known > len(names))


def _beginning(cell: str) -> str:
    return cell if len(cell) <= _CELL_SHOWN else f"{cell[:_CELL_SHOWN]}…"
