"""Many ids in little room: what one statement inserts has ids that rise by one, or, on a cluster of servers, by a few."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Callable, Collection, Container, Iterable, Sequence
from itertools import accumulate
from typing import NamedTuple, TypeVar

RowT = TypeVar("RowT")


class IdRange(NamedTuple):
    """Ids from the first to the last, each so many above the one before."""

    first: int
    last: int
    step: int = 1


def ranges_of(ids: Collection[int]) -> list[IdRange]:
    """Return ids as ranges, by rising first id."""
    found: list[IdRange] = []
    for rowid in sorted(set(ids)):
        before = found[-1] if found else None
        if before is not None and before.first == before.last:
            found[-1] = IdRange(before.first, rowid, rowid - before.first)
        elif before is not None and rowid == before.last + before.step:
            found[-1] = before._replace(last=rowid)
        else:
            found.append(IdRange(rowid, rowid))
    return found


class IdRanges(Container[int]):
    """A set of ids. Memory: 32 bytes a range"""

    def __init__(self, ranges: Iterable[IdRange] = ()) -> None:
        self._first, self._last, self._step = array("q"), array("q"), array("q")
        for each in sorted(ranges):
            self._first.append(each.first)
            self._last.append(each.last)
            self._step.append(each.step)
        # The highest id of a range and all before it: ranges of two servers of a cluster may lie within each other.
        self._reach = array("q", accumulate(self._last, max))

    def __bool__(self) -> bool:
        return bool(self._first)

    def __contains__(self, rowid: object) -> bool:
        if not isinstance(rowid, int):
            return False
        place = bisect_right(self._first, rowid) - 1
        while place >= 0 and self._reach[place] >= rowid:
            if rowid <= self._last[place] and not (rowid - self._first[place]) % self._step[place]:
                return True
            place -= 1
        return False

    def among(self, ids: Iterable[int]) -> set[int]:
        """Return those of the ids that are in it."""
        return {rowid for rowid in ids if rowid in self}


def next_among(
    page: Callable[[int], Sequence[RowT]], ids: Container[int], after: int, id_of: Callable[[RowT], int]
) -> list[RowT]:
    """Return the next rows whose ids are wanted, of as many pages as it takes; none at the end.

    Shape: page: returns the rows above an id, by rising id
    """
    while rows := page(after):
        if found := [row for row in rows if id_of(row) in ids]:
            return found
        after = id_of(rows[-1])
    return []


def count_among(page: Callable[[int], Sequence[RowT]], ids: Container[int], id_of: Callable[[RowT], int]) -> int:
    """Count the rows whose ids are wanted. Shape: page: as of `next_among`"""
    count, after = 0, 0
    while rows := page(after):
        count += sum(id_of(row) in ids for row in rows)
        after = id_of(rows[-1])
    return count
