"""How long the directory of a zip is, read from its end before all of it is taken into memory."""

from __future__ import annotations

from typing import BinaryIO

_END, _END_LENGTH = b"PK\x05\x06", 22
_LARGE_END = b"PK\x06\x06"
_LONGEST_COMMENT = 0xFFFF


def directory_size(stream: BinaryIO) -> int:
    """Return how many bytes the directory at the end of a zip has; 0 where there is none.

    Each entry of it, 46 bytes and a name, becomes some 600 bytes in memory.
    """
    end = stream.seek(0, 2)
    stream.seek(max(0, end - _END_LENGTH - _LONGEST_COMMENT))
    tail = stream.read()
    stream.seek(0)
    at = tail.rfind(_END)
    if at < 0:
        return 0
    size = int.from_bytes(tail[at + 12 : at + 16], "little")
    start = int.from_bytes(tail[at + 16 : at + 20], "little")
    if size == 0xFFFFFFFF or start == 0xFFFFFFFF:
        # Zip64: the size stands 40 bytes into the other end, which stands before this one.
        large = tail.rfind(_LARGE_END, 0, at)
        size = int.from_bytes(tail[large + 40 : large + 48], "little") if large >= 0 else end
    return min(size, end)
