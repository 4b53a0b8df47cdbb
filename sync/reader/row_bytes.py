"""Where rows begin and end, found on the bytes.

Nothing is decoded here: in UTF-8 and the encodings of one byte, line ends, quotes and separators are single ASCII bytes that
can't be a part of another character. Where they can (UTF-16, Shift_JIS …) the file is handed on as UTF-8; the two can be
turned into each other without loss.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import BinaryIO

from sync.encodings import MULTI_BYTE
from sync.errors import CommandFileError, EmptyFile, HeaderError
from sync.reader.dialect import COMMENT_MARKS, SEPARATORS

BLOCK_SIZE = 1 << 20
ROW_LIMIT = 16 << 20

# The kinds of lines; the first two are skipped. QUOTED: there is a quote in the row; SUSPECT: a comment with several cells,
# which may be a row; DOUBTFUL: it can't be told whether these lines are one row or several.
BLANK, COMMENT, PLAIN, QUOTED, SUSPECT, DOUBTFUL = range(6)

COMMENT_BYTES = frozenset(COMMENT_MARKS.encode())
WHITESPACE = b" \t\r\n\v\f"
LINE_END = b"\r\n"
# DOS programs write it behind the last line, some until the end of a block.
_END_MARK = b"\x1a"
_SEPARATOR_LINE = re.compile(rb'"?sep=([;,|:\t])"?[;,|:\t]*[\r\n]*', re.IGNORECASE)


class ByteSource:
    """The bytes of a command file behind its byte order mark, as often as wanted."""

    def __init__(self, stream: BinaryIO, encoding: str, bom: bytes) -> None:
        self._stream = stream
        self._bom = bom
        self._encoding = encoding
        self.is_wide = encoding in MULTI_BYTE
        self.encoding = "UTF-8" if self.is_wide else encoding
        self.bytes_read = 0
        self.has_end_mark = False

    def blocks(self) -> Iterator[bytes]:
        """Return the file block by block, encodings of several bytes turned into UTF-8; without the mark of DOS at its end."""
        blocks = self.raw_blocks()
        if self.is_wide:
            blocks = (text.encode() for text in codecs.iterdecode(blocks, self._encoding))
        held = b""
        for block in blocks:
            block = held + block  # noqa: PLW2901
            kept = block.rstrip(_END_MARK)
            held = block[len(kept) :]
            if kept:
                yield kept
        self.has_end_mark = bool(held)

    def raw_blocks(self) -> Iterator[bytes]:
        """Return the file block by block, untouched."""
        self._stream.seek(len(self._bom))
        self.bytes_read = len(self._bom)
        while block := self._stream.read(BLOCK_SIZE):
            self.bytes_read += len(block)
            yield block

    def untouched(self, row: bytes) -> bytes:
        """Return the bytes of a row as they are in the file."""
        return row.decode().encode(self._encoding) if self.is_wide else row


def line_groups(blocks: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Return the physical lines with their ends (LF, CRLF, CR), a list for each block.

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


def find_header_line(source: ByteSource, is_header: Callable[[bytes], bool] = lambda _line: False) -> tuple[int, bytes]:
    """Return the first physical line that is neither blank nor a comment nor `sep=`, and its number.

    Shape: is_header: whether a line that begins with a blank is the header nevertheless
    Raises: EmptyFile, HeaderError if there is none
    """
    blank = WHITESPACE + "".join(SEPARATORS).encode()
    is_empty = True
    for number, line in enumerate(chain.from_iterable(line_groups(source.blocks())), start=1):
        is_empty = False
        if line[0] in COMMENT_BYTES:
            if line[:1] == b" " and line.strip(blank) and is_header(line):
                return number, line
        elif line.strip(blank) and not (number == 1 and separator_line(line)):
            return number, line
    if is_empty:
        raise EmptyFile("file_empty")
    raise HeaderError("file_without_header")


def separator_line(line: bytes) -> str:
    """Return the separator that the line `sep=;` names, which Excel writes and reads as the first; else ""."""
    found = _SEPARATOR_LINE.fullmatch(line)
    return found[1].decode() if found else ""
