"""Rows that a plan would leave, as long as nobody has asked for any of them.

Most chunks of a long file ask for what no earlier one has touched. So rows wait here in pieces as they came, the older ones in a
private temporary file; what tells that somebody asks for one of them is a hash of each key, and of all by which it is found.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Collection, Hashable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from sync.moodle.db.spool import Spool
from sync.processors.base.overlay_rows import Columns, KeptPlace, KeptRow, Key, Place, as_json, cells_of


class Piece(NamedTuple):
    """What one chunk leaves of one table, ready to be kept where it can be searched."""

    table: str
    rows: Sequence[KeptRow]
    places: Sequence[KeptPlace]

    def __reduce__(self) -> tuple[Any, ...]:
        # On the disk as JSON would have it: no clear password gets there.
        rows = [row._replace(body=as_json(row.body)) for row in self.rows]
        return Piece, (self.table, rows, self.places)


class UnsearchedRows:
    """Shape: in_memory: so many cells stay in memory; the hashes of all rows do, eight bytes for each"""

    def __init__(self, in_memory: int) -> None:
        self._pieces: Spool[Piece] = Spool(in_memory)
        self._keys: dict[str, _Hashes] = {}
        self._places: dict[tuple[str, Columns], _Hashes] = {}

    def put(self, table: str, rows: Sequence[KeptRow], places: Sequence[KeptPlace]) -> None:
        """Keep rows of which none is here yet."""
        self._pieces.extend([Piece(table, rows, places)], weight=1 + cells_of(row.body for row in rows))
        self._keys.setdefault(table, _Hashes()).add([row.key for row in rows])
        found_by: dict[Columns, list[Place]] = {}
        for columns, place, _key in places:
            found_by.setdefault(columns, []).append(place)
        for columns, found in found_by.items():
            self._places.setdefault((table, columns), _Hashes()).add(found)

    def may_hold(self, table: str, keys: Collection[Key]) -> bool:
        """Return whether one of the rows may be here; False where none is."""
        return table in self._keys and self._keys[table].has_any(keys)

    def may_hold_at(self, table: str, columns: Columns, places: Iterable[Place]) -> bool:
        """Return whether a row may be here that once was found at one of these places; False where none is."""
        return (table, columns) in self._places and self._places[table, columns].has_any(places)

    def __iter__(self) -> Iterator[Piece]:
        return iter(self._pieces)


class _Hashes:
    """The hashes of many values, in sorted parts of which each is longer than the next."""

    def __init__(self) -> None:
        self._parts: list[array[int]] = []

    def add(self, values: Iterable[Hashable]) -> None:
        part = array("q", sorted(map(hash, values)))
        while self._parts and len(self._parts[-1]) <= len(part):
            part = array("q", sorted([*self._parts.pop(), *part]))
        self._parts.append(part)

    def has_any(self, values: Iterable[Hashable]) -> bool:
        wanted = sorted(map(hash, values))
        return any(_is_in(part, value) for part in self._parts for value in wanted)


def _is_in(part: array[int], value: int) -> bool:
    at = bisect_left(part, value)
    return at < len(part) and part[at] == value
