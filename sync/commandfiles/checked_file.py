"""A file that somebody might change while it is read: each block is what it was when its digest was taken."""

from __future__ import annotations

import hashlib
import io
from typing import BinaryIO, cast

from sync.errors import CommandFileError

_BLOCK = 256 * 1024


class CheckedFile:
    """A stream and the digests of its blocks. Shape: sha256: of all of it; path: as people know the file"""

    def __init__(self, stream: BinaryIO, path: str) -> None:
        self._stream = stream
        self._path = path
        self._digests: list[bytes] = []
        whole = hashlib.sha256()
        self.size = 0
        stream.seek(0)
        while block := stream.read(_BLOCK):
            whole.update(block)
            self._digests.append(_digest(block))
            self.size += len(block)
        self.sha256 = whole.hexdigest()

    def opened(self) -> BinaryIO:
        """Return the stream from its beginning; reading raises CommandFileError where it isn't the same any more."""
        return cast(BinaryIO, io.BufferedReader(_Blocks(self), _BLOCK))

    def block(self, number: int) -> bytes:
        """Return a block. Raises: CommandFileError if it has changed"""
        self._stream.seek(number * _BLOCK)
        block = self._stream.read(_BLOCK)
        if _digest(block) != self._digests[number]:
            raise CommandFileError("file_changed", path=self._path)
        return block


class _Blocks(io.RawIOBase):
    """Reads whole blocks, and keeps the last one: zips are read here and there."""

    def __init__(self, file: CheckedFile) -> None:
        self._file = file
        self._position = 0
        self._number, self._block = -1, b""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._position = max(0, offset + (0, self._position, self._file.size)[whence])
        return self._position

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        if self._position >= self._file.size or not view:
            return 0
        number, start = divmod(self._position, _BLOCK)
        if number != self._number:
            self._number, self._block = number, self._file.block(number)
        part = self._block[start : start + len(view)]
        view[: len(part)] = part
        self._position += len(part)
        return len(part)


def _digest(block: bytes) -> bytes:
    return hashlib.sha256(block).digest()
