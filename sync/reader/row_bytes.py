"""Where rows begin and end, found on the bytes.

Nothing is decoded here: in every encoding we read, line ends, quotes and separators are single ASCII bytes that can't
be a part of another character. UTF-16 is the exception, so it's handed on as UTF-8; the two can be turned into each
other without loss.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import BinaryIO

from sync.errors import CommandFileError, EmptyFile, HeaderError
from sync.reader.dialect import COMMENT_MARKS, SEPARATORS, UTF_16

BLOCK_SIZE = 1 << 20
ROW_LIMIT = 16 << 20

# The kinds of lines; the first two are skipped.
BLANK, COMMENT, PLAIN, QUOTED = range(4)

_COMMENT_BYTES = frozenset(COMMENT_MARKS.encode())
_WHITESPACE = b" \t\r\n\v\f"
_LINE_END = b"\r\n"


class Source:
    """The bytes of a command file behind its byte order mark, as often as wanted."""

    def __init__(self, stream: BinaryIO, encoding: str, bom: bytes) -> None:
        self._stream = stream
        self._bom = bom
        self._encoding = encoding
        self._is_wide = encoding in UTF_16
        self.encoding = "UTF-8" if self._is_wide else encoding
        self.bytes_read = 0

    def blocks(self) -> Iterator[bytes]:
        """Give the file block by block, UTF-16 turned into UTF-8."""
        raw_blocks = self.raw_blocks()
        if not self._is_wide:
            return raw_blocks
        return (text.encode() for text in codecs.iterdecode(raw_blocks, self._encoding))

    def raw_blocks(self) -> Iterator[bytes]:
        """Give the file block by block, untouched."""
        self._stream.seek(len(self._bom))
        self.bytes_read = len(self._bom)
        while block := self._stream.read(BLOCK_SIZE):
            self.bytes_read += len(block)
            yield block

    def untouched(self, row: bytes) -> bytes:
        """Give the bytes of a row as they are in the file."""
        return row.decode().encode(self._encoding) if self._is_wide else row


def line_groups(blocks: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Give the physical lines with their ends (LF, CRLF, CR), a list for each block.

    Raises: CommandFileError when a line is longer than any row can be
    """
    rest = b""
    line_count = 0
    for block in blocks:
        lines = (rest + block).splitlines(keepends=True)
        # A carriage return at the end of a block may be the first half of CRLF.
        rest = b"" if not lines or lines[-1].endswith(b"\n") else lines.pop()
        line_count += len(lines)
        if len(rest) > ROW_LIMIT:
            raise CommandFileError("row_too_long", line=line_count + 1, limit=ROW_LIMIT >> 20)
        yield lines
    if rest:
        yield [rest]


def find_header_line(source: Source) -> bytes:
    """Give the first physical line that is neither blank nor a comment.

    Raises: EmptyFile, HeaderError if there is none
    """
    blank = _WHITESPACE + "".join(SEPARATORS).encode()
    is_empty = True
    for line in chain.from_iterable(line_groups(source.blocks())):
        is_empty = False
        if line[0] not in _COMMENT_BYTES and line.strip(blank):
            return line
    if is_empty:
        raise EmptyFile("file_empty")
    raise HeaderError("file_without_header")


def split_rows(source: Source, separator: str) -> Iterator[tuple[int, bytes, int]]:
    """Give every row, comment and blank line of the file: its line, its bytes without the last line end, its kind.

    Shape: bytes: as `Source.blocks` gives them; kind: QUOTED when there is a quote in the row
    Raises: CommandFileError when a quote isn't closed or a row is too long
    """
    opening = separator.encode() + b'"'
    is_closed = _closed_row(separator)
    blank = _WHITESPACE + separator.encode()
    numbered_lines = enumerate(chain.from_iterable(line_groups(source.blocks())), start=1)
    for number, line in numbered_lines:
        if line[0] in _COMMENT_BYTES:
            yield number, line.rstrip(_LINE_END), COMMENT
        elif not line.strip(blank):
            yield number, line.rstrip(_LINE_END), BLANK
        elif b'"' not in line:
            yield number, line.rstrip(_LINE_END), PLAIN
        elif is_closed(line) or not leaves_quote_open(line, opening, inside=False):
            yield number, line.rstrip(_LINE_END), QUOTED
        else:
            yield number, _whole_row(number, line, numbered_lines, opening).rstrip(_LINE_END), QUOTED


def _whole_row(number: int, first: bytes, following: Iterator[tuple[int, bytes]], opening: bytes) -> bytes:
    """Take the lines that follow until the quoted cell that the first one leaves open is closed; give them all."""
    parts = [first]
    size = len(first)
    for _number, line in following:
        parts.append(line)
        size += len(line)
        if size > ROW_LIMIT:
            raise CommandFileError("row_too_long", line=number, limit=ROW_LIMIT >> 20)
        if not leaves_quote_open(line, opening, inside=True):
            return b"".join(parts)
    raise CommandFileError("quote_not_closed", line=number)


def _closed_row(separator: str) -> Callable[[bytes], object]:
    """Give the test for the usual row with quotes, which has all its cells on one line and no quote within them.

    It says no more than `leaves_quote_open` does, but three times as fast. Possessive, or a line of millions of cells
    would take gigabytes.
    """
    mark = re.escape(separator).encode()
    cell = rb'(?>"[^"]*"|[^"' + mark + rb"]*)"
    return re.compile(cell + rb"(?>" + mark + cell + rb")*+[\r\n]*").fullmatch


def leaves_quote_open(line: bytes, opening: bytes, *, inside: bool) -> bool:
    """Tell whether a quoted cell goes on behind the end of this line.

    Shape: opening: separator and quote; inside: the line begins within a quoted cell
    """
    if inside:
        position = 0
    elif line.startswith(b'"'):
        position = 1
    elif (found := line.find(opening)) >= 0:
        position = found + 2
    else:
        return False
    while (position := line.find(b'"', position)) >= 0:
        if line.startswith(b'"', position + 1):
            position += 2
        elif (found := line.find(opening, position + 1)) >= 0:
            position = found + 2
        else:
            return False
    return True
