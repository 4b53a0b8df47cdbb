"""The program that reads a workbook, in a process of its own: `sync.reader.workbook_process` starts it.

A workbook of a few kilobytes can ask for any amount of memory and time, and what reads it may end the whole process. So
this one has limits, which it sets itself before it looks at the file. It imports nothing of ours and nothing of Django.

Standard input is the workbook. Standard output is a line of JSON for each row of the sheet, from its first row on: a list of
cells without the empty ones at the end. A cell is a string, a number, true or false, or an object for what JSON has no type
for: {"type": "date", "value": "2025-03-04"}, and "datetime", "time", "duration" (seconds). The exit status says how it went.
"""

from __future__ import annotations

import json
import resource
import sys
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any, BinaryIO

# Exit statuses. Whatever else the process ends with, a signal for instance, means that it came to a limit.
READ, OTHER_ZIP, BROKEN, NO_CONTENT, TOO_LARGE, LONG_ROW = 0, 10, 11, 12, 13, 14

_ODS_TYPE = b"application/vnd.oasis.opendocument.spreadsheet"
_BROKEN_ZIP = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError)


def main(memory: int, seconds: int, output: int, unpacked: int, row: int) -> int:
    """Read the workbook on standard input within limits; return the exit status.

    Units: bytes, of CPU time seconds. Shape: output: all rows as JSON; unpacked: all parts of the zip; row: characters
    """
    for limit, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, output),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (most, most))
    try:
        return _read(sys.stdin.buffer, unpacked, row)
    except (MemoryError, OverflowError):
        return TOO_LARGE


def _read(stream: BinaryIO, unpacked: int, row: int) -> int:
    try:
        with zipfile.ZipFile(stream) as archive:
            if not _is_workbook(archive):
                return OTHER_ZIP
            if sum(part.file_size for part in archive.infolist()) > unpacked:
                return TOO_LARGE
            # The check sums: what reads the sheet doesn't look at them.
            if archive.testzip() is not None:
                return BROKEN
    except _BROKEN_ZIP:
        return BROKEN
    stream.seek(0)
    return _write_rows(stream, row)


def _is_workbook(archive: zipfile.ZipFile) -> bool:
    names = archive.namelist()
    if any(name.startswith("xl/") and name.endswith(".xml") for name in names):
        return True
    if "mimetype" not in names:
        return False
    with archive.open("mimetype") as part:
        return part.read(len(_ODS_TYPE)) == _ODS_TYPE


def _write_rows(stream: BinaryIO, row_limit: int) -> int:
    from python_calamine import CalamineError

    try:
        rows = _sheet_rows(stream)
    except CalamineError:
        return BROKEN
    if rows is None:
        return NO_CONTENT
    encode = json.JSONEncoder(ensure_ascii=False, check_circular=False, default=_object).encode
    out = sys.stdout.buffer
    try:
        for cells in rows:
            while cells and cells[-1] == "":
                cells.pop()
            if sum(len(cell) for cell in cells if isinstance(cell, str)) > row_limit:
                out.flush()
                return LONG_ROW
            out.write(encode(cells).encode() + b"\n")
        out.flush()
    except OSError:
        return TOO_LARGE
    return READ


def _sheet_rows(stream: BinaryIO) -> Iterator[list[Any]] | None:
    """Return the rows of the first visible sheet that isn't empty; None when there is none."""
    from python_calamine import CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

    workbook = CalamineWorkbook.from_filelike(stream)
    for index, about in enumerate(workbook.sheets_metadata):
        if about.typ == SheetTypeEnum.WorkSheet and about.visible == SheetVisibleEnum.Visible:
            sheet = workbook.get_sheet_by_index(index)
            if sheet.start is not None:
                return iter(sheet.iter_rows())
    return None


def _object(value: date | time | timedelta) -> dict[str, str | float]:
    """Return a cell that JSON has no type for."""
    match value:
        case datetime():
            return {"type": "datetime", "value": value.isoformat()}
        case date():
            return {"type": "date", "value": value.isoformat()}
        case time():
            return {"type": "time", "value": value.isoformat()}
        case _:
            return {"type": "duration", "value": value.total_seconds()}


if __name__ == "__main__":
    packages, *limits = sys.argv[1:]
    sys.path.append(packages)
    sys.exit(main(*map(int, limits)))
