"""Command files as text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, count, islice, pairwise, repeat
from typing import BinaryIO

from sync.errors import EmptyFile, HeaderError
from sync.reader.cells import CELL_LIMIT, NO_SEPARATOR, quotes_around_quotes, split_cells
from sync.reader.dialect import (
    COMMENT_MARKS,
    SEPARATOR_NAMES,
    SEPARATORS,
    Dialect,
    decode_entities,
    guess_separator,
    header_name,
)
from sync.reader.encoding import FoundEncoding, find_encoding
from sync.reader.encoding_mark import read_mark
from sync.reader.row_bytes import (
    COMMENT,
    DOUBTFUL,
    PLAIN,
    QUOTED,
    SUSPECT,
    ByteSource,
    find_header_line,
    line_groups,
    separator_line,
)
from sync.reader.row_checks import (
    NO_FAULTS,
    QUOTES_DOUBTFUL,
    ROW_IN_QUOTES,
    RowChecks,
    holds_commented_header,
    is_of_tryback,
    may_be_header,
)
from sync.reader.row_reader import Look, RowReader, WholeText, list_header, make_header
from sync.reader.row_splitter import PlainRun, RowSplitter, SplitRow
from sync.reader.spreadsheet_cells import may_be_special
from sync.values import Header, Note, Row

# So many rows are looked at for the header when the first line isn't one.
_ROWS_ABOVE_HEADER = 50
# A row of a list may leave out cells at its end; of these many it is one.
_LEAST_OF_A_LIST = 4
_BEGINNING_SHOWN = 60
_QUOTES_AROUND = 2
# What counts as a blank besides the blank itself.
_ASCII_BLANKS = "\t\v\f\r\x1c\x1d\x1e\x1f"
_BLANKS = _ASCII_BLANKS + "".join(char for char in map(chr, range(0x80, 0x3001)) if char.isspace())

IsKnown = Callable[[str], bool]


def open_csv(
    stream: BinaryIO,
    encoding: str,
    separator: str,
    is_known: IsKnown,
    *,
    look: Look | None = None,
    whole: WholeText | None = None,
) -> RowReader:
    """Open a text file: find its dialect, look at all of it, read its header.

    Shape: encoding, separator: normalised; "" = detect; look, whole: as in open_rows
    Raises: EmptyFile, HeaderError, UndecodableFile, UnknownFileType, CommandFileError
    """
    mark = read_mark(stream)
    encoding, separator = mark.encoding or encoding, mark.separator or separator
    found = find_encoding(stream, encoding)
    source = ByteSource(stream, found.encoding, found.bom)
    number, line = find_header_line(source, lambda line: _holds_known_name(line.decode(source.encoding), is_known))
    text = line.decode(source.encoding)
    chosen = separator or _named_separator(source) or guess_separator(text, is_known)
    dialect = _dialect(found, chosen, text, is_detected=not separator)
    parser = _RowParser(source, chosen, is_known, header_line=number, is_encoding_chosen=_is_chosen(found))
    header = parser.header
    _note_guess(found, parser)
    if separator and not mark.separator:
        _refuse_other_separators(header, separator)
    whole = whole or _look_at_all(source, _RowParser(source, chosen, is_known, header_line=number), look)
    source.bytes_read = len(found.bom) + len(line)
    if not any(map(is_known, header.names)):
        _refuse_lines_above_header(source, parser, is_known)
        _refuse_header_in_comment(source, number, is_known)
        _refuse_header_in_quotes(header, is_known)
    _note_end_mark(whole, parser)
    return _reader(source, dialect, parser, whole)


def _reader(source: ByteSource, dialect: Dialect, parser: _RowParser, whole: WholeText) -> RowReader:
    checks = parser.checks
    return RowReader(
        dialect, parser.header, checks.skipped, parser.rows(), lambda: source.bytes_read, findings=checks.findings,
        rows_expected=whole.rows, whole=whole,
    )  # fmt: skip


def _look_at_all(source: ByteSource, parser: _RowParser, look: Look | None) -> WholeText:
    """Go through the whole file: a row that is too long must be known before the first row is given.

    Shape: parser: not that of the rows to be given, as it counts what it passes over
    """
    observe = look(parser.header) if look is not None else None
    if observe is None:
        return WholeText(sum(map(parser.count_rows, parser.parts())), source.has_end_mark)
    count = 0
    for row in parser.rows():
        observe(row)
        count += 1
    return WholeText(count, source.has_end_mark)


def open_list(
    stream: BinaryIO,
    encoding: str,
    separator: str,
    names: Sequence[str],
    *,
    look: Look | None = None,
    whole: WholeText | None = None,
) -> RowReader:
    """Open a text file without header: every line is a row of the named cells, what is beyond them is passed over.

    An empty file is an empty list.
    Shape: encoding, separator: normalised; "" = detect. One name: there is no separator; look, whole: as in open_rows
    Raises: UndecodableFile, UnknownFileType, CommandFileError
    """
    mark = read_mark(stream)
    encoding, separator = mark.encoding or encoding, mark.separator or separator
    found = find_encoding(stream, encoding)
    source = ByteSource(stream, found.encoding, found.bom)
    try:
        text = find_header_line(source)[1].decode(source.encoding)
    except (EmptyFile, HeaderError):
        text = ""
    first_mark = next((mark for mark in SEPARATORS if mark in text), SEPARATORS[0])
    chosen = "" if len(names) == 1 else separator or first_mark
    dialect = _dialect(found, chosen, text, is_detected=not separator)
    parser = _RowParser(
        source, chosen or NO_SEPARATOR, lambda _name: False, list_names=names, is_encoding_chosen=_is_chosen(found)
    )
    _note_guess(found, parser)
    whole = whole or _look_at_all(
        source, _RowParser(source, chosen or NO_SEPARATOR, lambda _name: False, list_names=names), look
    )
    _note_end_mark(whole, parser)
    return _reader(source, dialect, parser, whole)


def _note_guess(found: FoundEncoding, parser: _RowParser) -> None:
    if found.words:
        words = ", ".join(found.words)
        parser.checks.findings.add_note(Note("encoding_guessed", {"encoding": found.encoding, "words": words}))


def _note_end_mark(whole: WholeText, parser: _RowParser) -> None:
    if whole.has_end_mark:
        parser.checks.findings.add_note(Note("end_mark_left_out", {}))


def _is_chosen(found: FoundEncoding) -> bool:
    """Whether somebody has chosen the encoding: neither the bytes nor a mark in the file told it."""
    return not found.detected and not found.bom


def _dialect(found: FoundEncoding, separator: str, text: str, *, is_detected: bool) -> Dialect:
    return Dialect(
        encoding=found.encoding,
        separator=separator,
        line_end=text[len(text.rstrip("\r\n")) :] or "\n",
        bom=found.bom,
        encoding_detected=found.detected,
        separator_detected=is_detected,
    )


class _RowParser:
    """Makes rows of what a file is split into.

    Shape: header_line: the physical line of the header, 0 for a list; list_names: of a list what its cells are
    """

    def __init__(
        self,
        source: ByteSource,
        separator: str,
        is_known: IsKnown,
        *,
        header_line: int = 0,
        list_names: Sequence[str] = (),
        is_encoding_chosen: bool = False,
    ) -> None:
        self._source = source
        self._separator = separator
        self._mark = separator.encode()
        self._header_line = header_line
        self._list_names = list_names
        self._cell_limit = len(list_names) or None
        self._is_tryback = False
        self.header = list_header(list_names) if list_names else self._read_header()
        self._is_tryback = is_of_tryback(self.header)
        self.checks = RowChecks(self.header, is_known, is_encoding_chosen=is_encoding_chosen)

    def split(self) -> Iterator[SplitRow]:
        return iter(self._splitter())

    def parts(self) -> Iterator[SplitRow | PlainRun]:
        return self._splitter().parts()

    def _splitter(self) -> RowSplitter:
        width = len(self._list_names)
        least = min(width, _LEAST_OF_A_LIST)
        return RowSplitter(
            self._source, self._separator, header_line=self._header_line, width=width, least=least,
            is_tryback=self._is_tryback,
        )  # fmt: skip

    def count_rows(self, part: SplitRow | PlainRun) -> int:
        if isinstance(part, PlainRun):
            return len(part.raws)
        return part.kind > COMMENT and part.line > self._header_line

    def rows(self) -> Iterator[Row]:
        """Return the rows behind the header; count the lines between them."""
        skipped = self.checks.skipped
        for part in self.parts():
            if isinstance(part, PlainRun):
                yield from self._rows_of_run(part)
            elif part.kind <= COMMENT or part.line <= self._header_line:
                skipped.count += part.line != self._header_line
                if part.kind == COMMENT and part.line > self._header_line and self._mark in part.raw:
                    self.checks.note_comment(part.line, self.cells_of(part))
            elif (row := self._row(part, part.raw.decode(self._source.encoding))) is not None:
                yield row

    def _rows_of_run(self, run: PlainRun) -> Iterator[Row]:
        """Return rows that are decoded together; what is special among them is looked for in all of them at once."""
        separator, limit, untouched = self._separator, self._cell_limit, self._source.untouched
        text = run.joined.decode(self._source.encoding)
        texts = text.split("\n")
        if max(map(len, texts)) > CELL_LIMIT:
            # Some may have more cells than that.
            yield from self._rows_one_by_one(run, texts)
            return
        if limit is None and _is_trimmed(text, separator):
            rows = [tuple(line.split(separator)) for line in texts]
        else:
            rows = [tuple(map(str.strip, line.split(separator)[:limit])) for line in texts]
        if may_be_special(text) or "&#" in text or "\ufeff" in text or not self.checks.are_ordinary(rows):
            yield from self._rows_one_by_one(run, texts)
            return
        raws = map(untouched, run.raws) if self._source.is_wide else run.raws
        yield from map(Row._make, zip(count(run.line), raws, rows, repeat(None), repeat(NO_FAULTS), strict=False))

    def _rows_one_by_one(self, run: PlainRun, texts: Sequence[str]) -> Iterator[Row]:
        for line, (raw, text) in enumerate(zip(run.raws, texts, strict=True), start=run.line):
            if (row := self._row(SplitRow(line, raw, PLAIN, line), text)) is not None:
                yield row

    def _row(self, split: SplitRow, text: str) -> Row | None:
        """Return the row that a part of the file is; None when it is passed over after all."""
        line, raw, kind, last_line = split
        checks = self.checks
        if raw[:1] == b" " and kind != SUSPECT:
            checks.findings.add_row_after_blank(line)
        cells = split_cells(text, self._separator)
        if "&#" in text:
            cells = [decode_entities(cell) for cell in cells]
        cells = list(map(str.strip, cells[: self._cell_limit]))
        is_special = may_be_special(text)
        if last_line > line and kind == QUOTED and checks.was_doubtful(cells, self._separator):
            kind = DOUBTFUL
        cell_faults = self._faults_of_quotes(text, cells) if kind == QUOTED else NO_FAULTS
        fault = None
        if kind == QUOTED and checks.is_line_in_quotes(cells, self._separator):
            fault = Note(ROW_IN_QUOTES, {})
        if kind <= QUOTED and fault is None and not is_special and not cell_faults and checks.is_ordinary(cells):
            return Row(line, self._source.untouched(raw), tuple(cells))
        if kind == DOUBTFUL:
            fault = _doubtful_quotes(line, last_line, cells)
        return checks.row(
            line,
            self._source.untouched(raw),
            cells,
            fault=fault,
            is_comment=kind == SUSPECT,
            is_special=is_special,
            cell_faults=cell_faults,
        )

    def _faults_of_quotes(self, text: str, cells: Sequence[str]) -> Mapping[int, Note]:
        """Return position -> why a cell with quotes can't be read. Shape: text: of the whole row"""
        faults = dict(_escaped_ends(cells)) if '\\"' in text else {}
        if not any(cell.endswith('"') and cell.startswith('"') and cell.count('"') > _QUOTES_AROUND for cell in cells):
            return faults
        meant = quotes_around_quotes(text, self._separator)
        return faults | {
            place: Note("cell_in_quotes", {"value": cells[place], "meant": meant[place]})
            for place in meant
            if place < len(cells)
        }

    def cells_of(self, split: SplitRow) -> list[str]:
        """Return the cells of a row, trimmed."""
        return list(map(str.strip, split_cells(split.raw.decode(self._source.encoding), self._separator)))

    def _read_header(self) -> Header:
        split = next(split for split in self.split() if split.line == self._header_line)
        return make_header(Row(split.line, self._source.untouched(split.raw), tuple(self.cells_of(split))))


def _doubtful_quotes(line: int, last_line: int, cells: Sequence[str]) -> Note:
    """Return why these cells can't be read: which of them begins with the quote, and how. The cells before it are certain."""
    place = next((place for place, cell in enumerate(cells) if len(cell.splitlines()) > 1), len(cells) - 1)
    beginning = f'"{cells[place].splitlines()[0]}' if cells[place] else ""
    return Note(
        QUOTES_DOUBTFUL,
        {"first": line, "last": last_line, "cells": len(cells), "place": place, "value": beginning[:_BEGINNING_SHOWN]},
    )


def _escaped_ends(cells: Sequence[str]) -> Mapping[int, Note]:
    """Return the cells that end with a backslash where a later one ends with a quote: another program has escaped the first."""
    return {
        place: Note("cell_quotes_escaped", {})
        for place, (cell, after) in enumerate(pairwise(cells))
        if cell.endswith("\\") and after.endswith('"') and not after.startswith('"')
    }


def _is_trimmed(text: str, separator: str) -> bool:
    """Whether no cell of these lines begins or ends with a blank."""
    if any(blank in text for blank in (_ASCII_BLANKS if text.isascii() else _BLANKS) if blank != separator):
        return False
    beside = (f" {separator}", f"{separator} ", " \n", "\n ")
    return not (" " in text and (text[0] == " " or text[-1] == " " or any(blank in text for blank in beside)))


def _named_separator(source: ByteSource) -> str:
    """Return the separator that the first line names (`sep=;`), "" when it doesn't."""
    first = next(chain.from_iterable(line_groups(source.blocks())), b"")
    return separator_line(first)


def _holds_known_name(text: str, is_known: IsKnown) -> bool:
    cells = split_cells(text, guess_separator(text, is_known))
    return any(is_known(header_name(cell)) for cell in cells)


def _refuse_lines_above_header(source: ByteSource, parser: _RowParser, is_known: IsKnown) -> None:
    """Refuse a file whose header stands below other lines, a title for instance.

    Raises: HeaderError
    """
    for split in islice(parser.split(), _ROWS_ABOVE_HEADER):
        if split.kind > COMMENT and split.line != parser.header.line:
            # What stands above may have another separator, or none.
            text = split.raw.decode(source.encoding)
            names = list(filter(None, map(header_name, split_cells(text, guess_separator(text, is_known)))))
            if len(names) > 1 and may_be_header(names, is_known):
                raise HeaderError("header_below", line=parser.header.line, found=split.line)


def _refuse_header_in_comment(source: ByteSource, header_line: int, is_known: IsKnown) -> None:
    """Refuse a file whose header stands in a comment, so that its first row was taken for the header.

    Raises: HeaderError
    """
    lines = islice(chain.from_iterable(line_groups(source.blocks())), header_line - 1)
    for number, line in enumerate(lines, start=1):
        text = line.decode(source.encoding).strip()
        separator = guess_separator(text.lstrip(COMMENT_MARKS), is_known)
        if holds_commented_header([header_name(cell) for cell in split_cells(text, separator)], is_known):
            raise HeaderError("header_in_comment", line=number, mark=text[0])


def _refuse_header_in_quotes(header: Header, is_known: IsKnown) -> None:
    """Refuse a header that is one cell, as a program has put quotes around the whole line.

    Raises: HeaderError
    """
    if b'"' not in header.raw:
        return
    text = next(filter(None, header.spelled), "")
    names = list(filter(None, map(header_name, split_cells(text, guess_separator(text, is_known)))))
    if sum(map(bool, header.names)) == 1 and len(names) > 1 and may_be_header(names, is_known):
        raise HeaderError("header_in_quotes", line=header.line)


def _refuse_other_separators(header: Header, separator: str) -> None:
    """Refuse a header that is written with another separator than the one that was set.

    Raises: HeaderError
    """
    for other in SEPARATORS:
        if other != separator and any(other in name for name in header.spelled):
            raise HeaderError(
                "header_wrong_separator",
                line=header.line,
                found=SEPARATOR_NAMES[other],
                separator=SEPARATOR_NAMES[separator],
            )
