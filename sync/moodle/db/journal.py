"""The before-images of a chunk <-> bytes: compressed JSON, some hundred of them a line, in the order of the writes."""

from __future__ import annotations

import base64
import gzip
import json
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from tempfile import TemporaryFile
from typing import Any, BinaryIO

from sync.moodle.db.writer import BeforeImage

# A call of the encoder costs as much as the images of some rows.
_A_LINE = 500
_PARTS_IN_MEMORY = 40

_READERS: dict[str, Callable[[str], Any]] = {
    "$decimal": Decimal,
    "$bytes": base64.b64decode,
    "$datetime": datetime.fromisoformat,
    "$date": date.fromisoformat,
}


def write_images(out: BinaryIO, images: Iterable[BeforeImage]) -> None:
    """Write before-images, some at a time: there may be more of them than memory holds.

    Values that JSON doesn't know become {"$decimal": "1.50"} and the like."""
    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=_tagged).encode
    remaining = iter(images)
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=1, mtime=0) as journal:
        while part := [_as_list(image) for image in islice(remaining, _A_LINE)]:
            journal.write(encode(part).encode() + b"\n")


def read_images(stream: BinaryIO) -> Iterator[BeforeImage]:
    """Read before-images back."""
    with gzip.open(stream, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield from map(_image, json.loads(line, object_hook=_untagged))


class JournalIndex:
    """A journal whose images are read by number, in any order; what is decompressed lies in a private temporary file.

    Raises: EOFError, BadGzipFile, zlib.error or ValueError for one that is damaged
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._file = TemporaryFile()  # noqa: SIM115
        weakref.finalize(self, self._file.close)
        self._starts = [0]
        with gzip.open(stream, "rb") as lines:
            for line in lines:
                self._file.write(line)
                self._starts.append(self._starts[-1] + len(line))
        self._parts: OrderedDict[int, list[BeforeImage]] = OrderedDict()

    def image(self, number: int) -> BeforeImage:
        """Return an image. Shape: number: its place in the journal, from 0. Raises: IndexError"""
        part, place = divmod(number, _A_LINE)
        if part in self._parts:
            self._parts.move_to_end(part)
        else:
            self._parts[part] = self._read(part)
            if len(self._parts) > _PARTS_IN_MEMORY:
                self._parts.popitem(last=False)
        return self._parts[part][place]

    def _read(self, part: int) -> list[BeforeImage]:
        start, end = self._starts[part], self._starts[part + 1]
        self._file.seek(start)
        images = json.loads(self._file.read(end - start), object_hook=_untagged)
        return [_image(image) for image in images]


def _as_list(image: BeforeImage) -> list[Any]:
    """Return an image as JSON has it. The lines are left out where nobody knows them, as in journals of before."""
    kind, table, rowid, row, after, lines = image
    values = [kind, table, rowid, dict(row), dict(after)]
    return [*values, list(lines)] if lines else values


def _image(values: list[Any]) -> BeforeImage:
    kind, table, rowid, row, after, *lines = values
    return BeforeImage(kind, table, rowid, row, after, tuple(lines[0]) if lines else ())


def _tagged(value: object) -> dict[str, str]:
    match value:
        case Decimal():
            return {"$decimal": str(value)}
        case bytes() | bytearray() | memoryview():
            return {"$bytes": base64.b64encode(value).decode()}
        case datetime():
            return {"$datetime": value.isoformat()}
        case date():
            return {"$date": value.isoformat()}
    raise TypeError(f"a {type(value).__name__} in a before-image")


def _untagged(value: dict[str, Any]) -> Any:
    if len(value) == 1:
        ((tag, text),) = value.items()
        if tag in _READERS:
            return _READERS[tag](text)
    return value
