"""The program that reads a workbook, in a process of its own: `sync.reader.workbook_process` starts it.

A workbook of a few kilobytes can ask for any amount of memory and time, and what reads it may end the whole process. So
this one has limits, which it sets itself before it looks at the file. It imports nothing of ours and nothing of Django.

Standard input is the workbook. Standard output is a line of JSON for the visible sheets that aren't empty, each with its name
and the beginning of its first rows; then a line for each row of the sheet, from its first row on: a list of
cells without the empty ones at the end. A cell is a string, a number, true or false, or an object for what JSON has no type
for: {"type": "date", "value": "2025-03-04"}, and "datetime", "time", "duration" (seconds), and the marks of `workbook_marks`.
The exit status says how it went.
"""

from __future__ import annotations

import importlib.util
import json
import resource
import sys
import zipfile
import zlib
from datetime import date, datetime, time, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple
from xml.parsers.expat import ExpatError

# Exit statuses. Whatever else the process ends with, a signal for instance, means that it came to a limit.
READ, OTHER_ZIP, BROKEN, NO_CONTENT, TOO_LARGE, LONG_ROW, BINARY, ENCRYPTED = 0, 10, 11, 12, 13, 14, 15, 16

# So many sheets that aren't empty are looked into, and so many of their rows.
_SHEETS, _FIRST_ROWS = 20, 5
_ODS_TYPE = b"application/vnd.oasis.opendocument.spreadsheet"
# An .xlsb. It can be read, but not how its numbers are shown, so zeros would be lost.
_BINARY_BOOK = "xl/workbook.bin"
_MANIFEST, _MANIFEST_LENGTH = "META-INF/manifest.xml", 1 << 20
# What the library that reads sheets raises where it didn't expect something: no Exception, and a class that can't be imported.
_PANIC, _NO_ROOM = "PanicException", "capacity overflow"
_BROKEN_ZIP = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError)


class ProgramLimits(NamedTuple):
    """What may be taken. Shape: output: all rows as JSON; unpacked: all parts of the zip; row: characters

    Units: bytes, of CPU time seconds
    """

    memory: int
    seconds: int
    output: int
    unpacked: int
    row: int


def main(limits: ProgramLimits, sheet: int) -> int:
    """Read the workbook on standard input within limits; return the exit status.

    Shape: sheet: its place among the visible sheets that aren't empty
    """
    for limit, most in (
        (resource.RLIMIT_AS, limits.memory),
        (resource.RLIMIT_CPU, limits.seconds),
        (resource.RLIMIT_FSIZE, limits.output),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (most, most))
    try:
        return _read(sys.stdin.buffer, limits.unpacked, limits.row, sheet)
    except MemoryError:
        return TOO_LARGE
    except Exception:  # noqa: BLE001
        # Whatever else the libraries stumble over.
        return BROKEN
    except BaseException as error:
        if type(error).__name__ != _PANIC:
            raise
        return TOO_LARGE if _NO_ROOM in str(error) else BROKEN


def _read(stream: BinaryIO, unpacked: int, row: int, sheet: int) -> int:
    try:
        with zipfile.ZipFile(stream) as archive:
            if (status := _unread_format(archive)) != READ:
                return status
            if sum(part.file_size for part in archive.infolist()) > unpacked:
                return TOO_LARGE
            # The check sums: what reads the sheet doesn't look at them.
            if archive.testzip() is not None:
                return BROKEN
    except _BROKEN_ZIP:
        return BROKEN
    stream.seek(0)
    return _write_rows(stream, row, sheet)


def _is_workbook(archive: zipfile.ZipFile) -> bool:
    names = archive.namelist()
    if any(name.startswith("xl/") and name.endswith(".xml") for name in names):
        return True
    if "mimetype" not in names:
        return False
    with archive.open("mimetype") as part:
        return part.read(len(_ODS_TYPE)) == _ODS_TYPE


def _unread_format(archive: zipfile.ZipFile) -> int:
    """Return the exit status for what isn't a workbook that can be read, by the names of its parts; else READ."""
    if not _is_workbook(archive):
        return OTHER_ZIP
    if _BINARY_BOOK in archive.namelist():
        return BINARY
    return ENCRYPTED if _is_encrypted(archive) else READ


def _is_encrypted(archive: zipfile.ZipFile) -> bool:
    """Return whether a part is protected by a password: as a zip has it, or as an ods."""
    if any(part.flag_bits & 1 for part in archive.infolist()):
        return True
    if _MANIFEST not in archive.namelist():
        return False
    with archive.open(_MANIFEST) as part:
        return b":encryption-data" in part.read(_MANIFEST_LENGTH)


def _write_rows(stream: BinaryIO, row_limit: int, place: int) -> int:
    from python_calamine import CalamineError

    marks_of, merged_of = _module("workbook_marks"), _module("merged_cells")
    try:
        sheets = _visible_sheets(stream)
        heads = [
            {"name": sheet.name, "rows": marks_of.first_rows(iter(sheet.iter_rows()), _FIRST_ROWS)} for sheet in sheets
        ]
        if not sheets:
            return NO_CONTENT
        sheet = sheets[place]
        with zipfile.ZipFile(stream) as archive:
            marks = marks_of.find_marks(archive, sheet.name)
            heads[place]["hidden"] = marks_of.hidden_rows(archive, sheet.name)
            if (areas := sheet.merged_cell_ranges) is None:
                areas = merged_of.ods_areas(archive, sheet.name)
            else:
                areas = [merged_of.Area(*first, *last) for first, last in areas]
            merged = merged_of.MergedCells(areas)
    except (*_BROKEN_ZIP, CalamineError, SyntaxError, KeyError, ExpatError):
        return BROKEN
    encode = json.JSONEncoder(ensure_ascii=False, check_circular=False, default=_object).encode
    out = sys.stdout.buffer
    try:
        out.write(encode(heads).encode() + b"\n")
        for number, cells in enumerate(sheet.iter_rows()):
            for column, mark in marks.get(number, {}).items():
                cells.extend([""] * (column + 1 - len(cells)))
                cells[column] = marks_of.with_value(mark, cells[column])
            for column, text in merged.covered(number, cells).items():
                cells[column] = {"type": "fault", "code": "cell_is_merged", "value": text}
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


def _visible_sheets(stream: BinaryIO) -> list[Any]:
    """Return the first visible sheets that aren't empty."""
    from python_calamine import CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

    workbook = CalamineWorkbook.from_filelike(stream)
    places = [
        place
        for place, about in enumerate(workbook.sheets_metadata)
        if about.typ == SheetTypeEnum.WorkSheet and about.visible == SheetVisibleEnum.Visible
    ]
    sheets = (workbook.get_sheet_by_index(place) for place in places)
    return list(islice((sheet for sheet in sheets if sheet.start is not None), _SHEETS))


def _module(name: str) -> Any:
    """Return a module that stands beside this file: nothing of ours can be imported here."""
    path = Path(__file__).with_name(f"{name}.py")
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(name)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


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
    packages, *numbers = sys.argv[1:]
    sys.path.append(packages)
    *most, place = map(int, numbers)
    sys.exit(main(ProgramLimits(*most), place))
