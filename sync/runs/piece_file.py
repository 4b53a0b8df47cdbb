"""Work of one pass over a file that waits on the disk for the next one."""

from __future__ import annotations

import io
import pickle
import weakref
from collections import deque
from collections.abc import Hashable
from tempfile import TemporaryFile
from typing import Any

from sync.processors.users.chunk_users import ClearPassword


class NotForDisk(Exception):
    """An object that is written to no disk: a clear password is in it, or what belongs to this process."""


class PieceFile:
    """Objects in order, in a private temporary file without a name; each is taken once.

    Shape: size: bytes that were written
    """

    def __init__(self) -> None:
        self._file = TemporaryFile()  # noqa: SIM115
        weakref.finalize(self, self._file.close)
        self._places: deque[tuple[Hashable, int]] = deque()
        self.size = 0

    def __len__(self) -> int:
        return len(self._places)

    @property
    def first_key(self) -> Any:
        """The key of the object that is taken next."""
        return self._places[0][0]

    def append(self, key: Hashable, piece: object) -> None:
        """Put an object at the end. Raises: NotForDisk"""
        pickled = io.BytesIO()
        try:
            _Pickler(pickled, pickle.HIGHEST_PROTOCOL).dump(piece)
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            raise NotForDisk(str(error)) from error
        self._file.seek(self.size)
        self._places.append((key, self.size))
        self.size += self._file.write(pickled.getbuffer())

    def take(self) -> Any:
        """Return the first object, which goes."""
        _key, place = self._places.popleft()
        self._file.seek(place)
        return pickle.load(self._file)  # noqa: S301 (nobody else can have written there)

    def skip(self) -> None:
        """Let the first object go."""
        self._places.popleft()

    def clear(self) -> None:
        """Let all of them go."""
        self._places.clear()
        self.size = 0
        self._file.truncate(0)


class _Pickler(pickle.Pickler):
    def reducer_override(self, value: object) -> Any:
        if isinstance(value, ClearPassword):
            raise NotForDisk("a clear password")
        return NotImplemented
