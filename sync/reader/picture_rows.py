"""Command files that are zips of pictures: one row for each picture, in the order of their paths."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from sync.errors import EmptyFile
from sync.reader.dialect import Dialect
from sync.reader.picture_zip import PictureZip
from sync.reader.row_reader import RowReader, SkippedLines, list_header
from sync.values import Row

# A zip has no header; this stands for it.
PICTURE_NAMES = ("picture",)


def open_pictures(stream: BinaryIO) -> RowReader:
    """Open a zip of pictures; its rows have one cell, the path.

    Raises: UnknownFileType; EmptyFile
    """
    pictures = PictureZip(stream)
    if not pictures.paths:
        raise EmptyFile("zip_without_pictures")
    size = stream.seek(0, 2)
    last_line = 0

    def rows() -> Iterator[Row]:
        nonlocal last_line
        for line, path in pictures.paths.items():
            last_line = line
            yield Row(line, b"", (path,))

    def bytes_read() -> int:
        return size * last_line // len(pictures.paths)

    # No encoding and no separator: there is no text in it.
    dialect = Dialect("", "", encoding_detected=False, separator_detected=False)
    return RowReader(
        dialect, list_header(PICTURE_NAMES), SkippedLines(), rows(), bytes_read, pictures=pictures,
        rows_expected=len(pictures.paths),
    )  # fmt: skip
