"""How much the directory of a zip lists, found out before all of it is taken into memory."""

from __future__ import annotations

import struct
import zipfile
import zlib
from typing import BinaryIO, NamedTuple

# What `zipfile` raises for a damaged zip. A place before the file is an OSError, one beyond 64 bits an OverflowError.
ZIP_FAULTS = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    OverflowError,
    OSError,
)
# The ways to compress that `zipfile` unpacks no further than it is asked to: of bzip2 and LZMA, a kilobyte makes megabytes.
BOUNDED_METHODS = frozenset((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))

_ENTRY = b"PK\x01\x02"
_BLOCK = 1 << 20
# Of the end of the directory, as `zipfile` gives it.
_SIZE, _PLACE = zipfile._ECD_SIZE, zipfile._ECD_LOCATION  # type: ignore[attr-defined]  # noqa: SLF001
# A zip64 has two further ends before the one that is looked for.
_LARGE_ENDS = 56 + 20


class ZipDirectory(NamedTuple):
    """Shape: entries: how many there are at most. Units: bytes"""

    size: int
    entries: int


def read_directory(stream: BinaryIO, size_limit: int) -> ZipDirectory:
    """Return how long the directory is, and how much it lists; nothing where there is none.

    Each entry, 46 bytes and a name, becomes some 800 bytes in memory. Entries of a directory beyond the limit aren't counted.
    Raises: one of ZIP_FAULTS
    """
    # The function by which `zipfile` itself finds it: a zip that shows two directories can't show us the shorter one.
    end = zipfile._EndRecData(stream)  # type: ignore[attr-defined]  # noqa: SLF001
    if end is None:
        return ZipDirectory(0, 0)
    size = end[_SIZE]
    entries = _count(stream, max(0, end[_PLACE] - _LARGE_ENDS - size), end[_PLACE]) if size <= size_limit else 0
    stream.seek(0)
    return ZipDirectory(size, entries)


def _count(stream: BinaryIO, start: int, end: int) -> int:
    """Return how often an entry begins between two places."""
    stream.seek(start)
    found, rest, left = 0, b"", end - start
    while left and (block := stream.read(min(left, _BLOCK))):
        left -= len(block)
        found += (rest + block).count(_ENTRY)
        rest = block[1 - len(_ENTRY) :]
    return found
