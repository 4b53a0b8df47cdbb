"""The beginning of a command file, for people who look at it before it runs: a large file isn't read to its end for that."""

from __future__ import annotations

import io
from typing import BinaryIO, NamedTuple

from sync.reader.file_kind import ZIP_MARKS
from sync.reader.workbook import ReadSheet


class Beginning(NamedTuple):
    """The first part of a file.

    Shape: is_cut: there is more; is_too_large: a workbook, which can't be cut, and is too large;
    sheets: reads its sheets where they aren't in the stream
    """

    stream: BinaryIO
    is_cut: bool = False
    is_too_large: bool = False
    sheets: ReadSheet | None = None


def beginning_of(stream: BinaryIO, size: int, *, most: int, most_of_workbook: int) -> Beginning:
    """Return the first bytes of a file, up to the end of a line; workbooks and zips are whole, or too large.

    Shape: size: of the file
    Units: bytes
    """
    stream.seek(0)
    head = stream.read(most)
    if head.startswith(ZIP_MARKS):
        if size > most_of_workbook:
            return Beginning(io.BytesIO(), is_too_large=True)
        return Beginning(io.BytesIO(head + stream.read()))
    is_cut = len(head) < size
    return Beginning(io.BytesIO(_whole_lines(head) if is_cut else head), is_cut)


def _whole_lines(head: bytes) -> bytes:
    """Cut before the last line end, which in UTF-16 takes two bytes; the whole when there is none."""
    at = max(head.rfind(b"\n", 0, -2), head.rfind(b"\r", 0, -2))
    return head[: at - at % 2 if b"\0" in head else at] if at > 0 else head
