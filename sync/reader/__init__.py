"""Reading of command files: bytes -> rows.

`open_rows` looks at the whole file before it gives the first row: a bad file never starts.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import BinaryIO

from sync.reader.csv_rows import open_csv, open_list
from sync.reader.dialect import Dialect, encode_cells, normalise_encoding, normalise_separator
from sync.reader.file_kind import ZIP_MARKS, refuse_other_kinds
from sync.reader.picture_rows import open_pictures
from sync.reader.row_reader import Look, RowReader, SkippedLines, WholeText
from sync.reader.workbook import ReadSheet, open_workbook
from sync.reader.workbook_process import SheetReadOnce, read_sheet

__all__ = [
    "Dialect",
    "Look",
    "ReadSheet",
    "RowReader",
    "SheetReadOnce",
    "SkippedLines",
    "WholeText",
    "encode_cells",
    "normalise_encoding",
    "normalise_separator",
    "open_rows",
]


def open_rows(
    stream: BinaryIO,
    filename: str,
    *,
    encoding: str = "",
    separator: str = "",
    known_names: Collection[str] = (),
    known_name: Callable[[str], bool] | None = None,
    list_names: Sequence[str] = (),
    of_pictures: bool = False,
    look: Look | None = None,
    sheets: ReadSheet | None = None,
    whole: WholeText | None = None,
) -> RowReader:
    """Open a command file, whatever its name says: CSV text, an xlsx or ods workbook, or a zip of pictures.

    Shape: stream: seekable; encoding, separator: "" = detect; known_names: lower-case column names, and known_name:
    whether a lower-case name is a column (for patterns such as profile_field_*); both serve to find the separator;
    list_names: of a file without header what its cells are, one name: the whole line is one cell; of_pictures: it must be a
    zip of pictures; look: sees the header, and every row where it wants to, before the first row is given; sheets: reads a
    workbook, None = from the stream; whole: of a text file that was opened before, in the same way: its rows aren't looked at
    before the first is given
    Raises: CommandFileError (EmptyFile, HeaderError, UndecodableFile, UnknownFileType); OptionError
    """
    encoding, separator = normalise_encoding(encoding), normalise_separator(separator)

    def is_known(name: str) -> bool:
        return name in known_names or (known_name is not None and known_name(name))

    stream.seek(0)
    if of_pictures:
        return open_pictures(stream)
    head = stream.read(4096)
    if head.startswith(ZIP_MARKS):
        return open_workbook(stream, filename, is_known, list_names, look, read=sheets or read_sheet)
    refuse_other_kinds(head, filename)
    if list_names:
        return open_list(stream, encoding, separator, list_names, look=look, whole=whole)
    return open_csv(stream, encoding, separator, is_known, look=look, whole=whole)
