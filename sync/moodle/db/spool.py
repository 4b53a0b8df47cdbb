"""A sequence that may outgrow the memory."""

from __future__ import annotations

import pickle
import weakref
from collections.abc import Iterable, Iterator
from itertools import islice
from tempfile import TemporaryFile
from typing import IO, Generic, TypeVar

T = TypeVar("T")


class Spool(Generic[T]):
    """Items in the order in which they came; what is more than the last thousands waits in a private temporary file.

    Shape: in_memory: items of this weight stay in memory
    """

    def __init__(self, in_memory: int = 10_000) -> None:
        self._in_memory = in_memory
        self._recent: list[T] = []
        self._weight = 0
        self._file: IO[bytes] | None = None
        self._count = 0

    def extend(self, items: Iterable[T], *, weight: int = 1) -> None:
        """Append items. Shape: weight: of each; that of items that hold little which isn't in memory anyway is 1"""
        before = len(self._recent)
        self._recent.extend(items)
        added = len(self._recent) - before
        self._count += added
        self._weight += added * weight
        if self._weight > self._in_memory:
            if self._file is None:
                self._file = TemporaryFile()  # noqa: SIM115
                weakref.finalize(self, self._file.close)
            self._file.seek(0, 2)
            pickle.dump(self._recent, self._file, pickle.HIGHEST_PROTOCOL)
            self._recent = []
            self._weight = 0

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[T]:
        if self._file is not None:
            position, end = 0, self._file.seek(0, 2)
            while position < end:
                self._file.seek(position)
                items = pickle.load(self._file)  # noqa: S301 (nobody else can have written there)
                position = self._file.tell()
                yield from items
        yield from self._recent

    def __getitem__(self, part: slice) -> Iterator[T]:
        return islice(self, part.start, part.stop)
