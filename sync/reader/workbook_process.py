"""Reading a workbook in a process of its own, with limits of memory, time and output (`sync.reader.workbook_program`).

Neither the web process nor a worker ever looks into a workbook: one of a kilobyte may ask for all memory, for hours, or end
the process that reads it.
"""

from __future__ import annotations

import datetime
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, BinaryIO, NamedTuple, Self

from sync.errors import CommandFileError, EmptyFile, UnknownFileType
from sync.reader import workbook_program as program
from sync.reader.row_bytes import BLOCK_SIZE, ROW_LIMIT

MIB = 1 << 20


@dataclass(frozen=True)
class WorkbookLimits:
    """What reading one workbook may take: an allowance for each, something more for each byte of the file, and a maximum.

    A sheet of three million cells, 22 MiB, takes 300 MiB and four seconds.
    Shape: packed: the file; unpacked: all parts of the zip; output: all rows as JSON; the "_per_byte" are ratios
    Units: bytes; seconds of CPU time. The clock may show `clock_factor` times as many: other work may hold the machine
    """

    packed: int = 256 * MIB
    unpacked: int = 64 * MIB
    unpacked_per_byte: int = 100
    unpacked_most: int = 1024 * MIB
    memory: int = 256 * MIB
    memory_per_byte: int = 64
    memory_most: int = 2048 * MIB
    output: int = 4 * MIB
    output_per_byte: int = 100
    output_most: int = 1024 * MIB
    seconds: int = 10
    seconds_per_mib: int = 2
    seconds_most: int = 120
    row: int = ROW_LIMIT
    clock_factor: int = 4

    def arguments(self, size: int) -> tuple[int, ...]:
        """Return what `workbook_program` is called with for a file of this size."""
        return (
            min(self.memory_most, self.memory + self.memory_per_byte * size),
            self.seconds_for(size),
            min(self.output_most, self.output + self.output_per_byte * size),
            min(self.unpacked_most, self.unpacked + self.unpacked_per_byte * size),
            self.row,
        )

    def seconds_for(self, size: int) -> int:
        """Return the CPU time that a file of this size may take."""
        return min(self.seconds_most, self.seconds + self.seconds_per_mib * size // MIB)


LIMITS = WorkbookLimits()

_VALUES: dict[str, Callable[[Any], Any]] = {
    "datetime": datetime.datetime.fromisoformat,
    "date": datetime.date.fromisoformat,
    "time": datetime.time.fromisoformat,
    "duration": lambda seconds: datetime.timedelta(seconds=seconds),
    "shown": str,
}


class FaultyCell(NamedTuple):
    """A cell that can't be what somebody meant. Shape: code: of sync.messages"""

    code: str
    value: str


class SheetHead(NamedTuple):
    """How a visible sheet begins.

    Shape: rows: its first rows that aren't empty; hidden: of the sheet that is read, how many rows that hold something aren't
    shown, and the number of the first
    """

    name: str
    rows: list[list[str]]
    hidden: Sequence[int] = (0, 0)


def read_sheet(
    stream: BinaryIO, *, is_meant: bool, choose: Callable[[Sequence[SheetHead]], int] = lambda _heads: 0
) -> SheetRows:
    """Read a visible sheet that isn't empty; return its rows from the first on, without empty cells at their ends.

    The whole sheet has been read when this returns; the rows wait on disk.
    Shape: is_meant: whether a zip that can't be read was meant as a workbook; choose: gives the place of the
    sheet among those that aren't empty; cells: str, float, int, bool, date, datetime, time, timedelta, FaultyCell
    Raises: UnknownFileType if it's another zip file, damaged, or too large; EmptyFile; CommandFileError if a row is too long
    """
    size = stream.seek(0, 2)
    if size > LIMITS.packed:
        raise UnknownFileType("workbook_too_large")
    with TemporaryFile() as file, ExitStack() as stack:
        stream.seek(0)
        shutil.copyfileobj(stream, file, BLOCK_SIZE)
        file.seek(0)
        out = stack.enter_context(TemporaryFile())
        _refuse(_run(file, out, LIMITS, size), out, is_meant=is_meant)
        rows = SheetRows(out)
        if place := choose(rows.heads):
            for stale in (file, out):
                stale.seek(0)
            out.truncate()
            _refuse(_run(file, out, LIMITS, size, place), out, is_meant=is_meant)
            rows = SheetRows(out)
        stack.pop_all()
    return rows


def _run(file: IO[bytes], out: IO[bytes], limits: WorkbookLimits, size: int, sheet: int = 0) -> int:
    """Run the program; return its exit status."""
    # Our environment holds passwords, and the program needs nothing of it. -I and -S: no other packages are loaded, so that
    # it starts within some 30 ms.
    numbers = map(str, (*limits.arguments(size), sheet))
    command = [sys.executable, "-I", "-S", "-B", program.__file__, _packages(), *numbers]
    process = subprocess.Popen(  # noqa: S603 (our own program)
        command, stdin=file, stdout=out, stderr=subprocess.DEVNULL, env={}, cwd="/", start_new_session=True
    )
    try:
        return process.wait(limits.seconds_for(size) * limits.clock_factor)
    except subprocess.TimeoutExpired:
        return program.TOO_LARGE
    finally:
        if process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _packages() -> str:
    """Return the folder that the reading library is installed in."""
    found = importlib.util.find_spec("python_calamine")
    if found is None or found.origin is None:
        raise ModuleNotFoundError("python_calamine")
    return str(Path(found.origin).parent.parent)


def _refuse(status: int, out: IO[bytes], *, is_meant: bool) -> None:
    """Raise what an exit status stands for, unless all went well."""
    match status:
        case program.READ:
            return
        case program.OTHER_ZIP:
            raise UnknownFileType("file_not_csv", kind="ZIP")
        case program.BINARY:
            raise UnknownFileType("file_not_csv", kind="Excel (.xlsb)")
        case program.ENCRYPTED:
            raise UnknownFileType("workbook_encrypted")
        case program.BROKEN if is_meant:
            raise UnknownFileType("workbook_broken")
        case program.BROKEN:
            raise UnknownFileType("file_not_csv", kind="ZIP")
        case program.NO_CONTENT:
            raise EmptyFile("file_empty")
        case program.LONG_ROW:
            out.seek(0)
            raise CommandFileError("row_too_long", line=sum(1 for _row in out), limit=LIMITS.row // MIB)
        case _:
            raise UnknownFileType("workbook_too_large")


class SheetRows:
    """The rows of a sheet, on disk. They can be iterated once, and as often as needed before with `once_before`."""

    def __init__(self, out: IO[bytes]) -> None:
        self._out = out
        out.seek(0)
        self.heads = [
            SheetHead(head["name"], head["rows"], head.get("hidden", (0, 0))) for head in json.loads(out.readline())
        ]

    def __iter__(self) -> Iterator[list[Any]]:
        with self._out:
            yield from self.once_before()

    def close(self) -> None:
        self._out.close()

    def again(self) -> SheetRows:
        """Return the same rows for another time; use the two one after the other."""
        return SheetRows(os.fdopen(os.dup(self._out.fileno()), "rb"))

    def count(self) -> int:
        """Return how many rows there are, blank ones and the header included."""
        self._out.seek(0)
        return sum(1 for _line in self._out)

    def copy_beginning(self, out: IO[bytes], most: int) -> bool:
        """Copy the heads and as many whole rows as fit; return whether there are more. Units: most: bytes"""
        self._out.seek(0)
        out.write(self._out.readline())
        left = most
        for line in self._out:
            left -= len(line)
            if left < 0:
                return True
            out.write(line)
        return False

    def once_before(self) -> Iterator[list[Any]]:
        """Return the rows from the first on, and keep them for another time."""
        self._out.seek(0)
        self._out.readline()
        for line in self._out:
            yield [_value(cell) if isinstance(cell, dict) else cell for cell in json.loads(line)]


class SheetReadOnce:
    """Reads the sheet of one workbook for several passes over it. Call it as `read_sheet`; use it in a `with` statement."""

    def __init__(self) -> None:
        self._kept: SheetRows | None = None
        self._place = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._let_go()

    def __call__(
        self, stream: BinaryIO, *, is_meant: bool, choose: Callable[[Sequence[SheetHead]], int] = lambda _heads: 0
    ) -> SheetRows:
        if self._kept is None or choose(self._kept.heads) != self._place:
            self._let_go()
            kept = self._kept = read_sheet(stream, is_meant=is_meant, choose=choose)
            self._place = choose(kept.heads)
        return self._kept.again()

    def _let_go(self) -> None:
        if self._kept is not None:
            self._kept.close()
            self._kept = None


def _value(cell: dict[str, Any]) -> Any:
    if cell["type"] == "fault":
        return FaultyCell(cell["code"], cell["value"])
    return _VALUES[cell["type"]](cell["value"])
