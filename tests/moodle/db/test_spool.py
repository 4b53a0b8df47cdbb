"""A spool gives back what it was given, in order, whatever fits in memory."""

from __future__ import annotations

from itertools import pairwise

import pytest

from sync.moodle.db.spool import Spool


@pytest.mark.parametrize("in_memory", [1, 3, 100])
def test_items_come_back_in_order_as_often_as_wanted(in_memory: int) -> None:
    spool: Spool[dict[str, int]] = Spool(in_memory)
    for start, end in pairwise((0, 2, 2, 7, 9)):
        spool.extend({"n": n} for n in range(start, end))

    assert len(spool) == 9
    assert [item["n"] for item in spool] == list(range(9))
    assert [item["n"] for item in spool[4:]] == [4, 5, 6, 7, 8]
    spool.extend([{"n": 9}])
    assert [item["n"] for item in spool] == list(range(10))


def test_two_readers_do_not_disturb_each_other() -> None:
    spool: Spool[int] = Spool(1)
    spool.extend([0, 1])
    spool.extend([2, 3])

    assert [(a, b) for a in spool for b in spool] == [(a, b) for a in range(4) for b in range(4)]


def test_memory_does_not_grow_with_what_is_spooled() -> None:
    spool: Spool[int] = Spool(10)
    for start in range(0, 1000, 10):
        spool.extend(range(start, start + 10))

    assert len(spool._recent) <= 10
    assert sum(spool) == sum(range(1000))


def test_what_weighs_more_leaves_memory_earlier() -> None:
    spool: Spool[int] = Spool(10)
    spool.extend([1, 2], weight=6)
    assert spool._recent == []
    spool.extend([3, 4, 5, 6])
    assert spool._recent == [3, 4, 5, 6]
    assert list(spool) == [1, 2, 3, 4, 5, 6]
