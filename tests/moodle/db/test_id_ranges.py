"""Ids kept as ranges are the same ids."""

from __future__ import annotations

import random

import pytest

from sync.moodle.db.id_ranges import IdRange, IdRanges, count_among, next_among, ranges_of


@pytest.mark.parametrize(
    ("ids", "ranges"),
    [
        ([], []),
        ([7], [(7, 7, 1)]),
        ([3, 1, 2, 2], [(1, 3, 1)]),
        ([1, 4, 7, 10], [(1, 10, 3)]),
        ([1, 2, 3, 9], [(1, 3, 1), (9, 9, 1)]),
        ([1, 5, 6, 7], [(1, 5, 4), (6, 7, 1)]),
    ],
)
def test_ids_that_rise_evenly_are_one_range(ids: list[int], ranges: list[tuple[int, int, int]]) -> None:
    assert ranges_of(ids) == [IdRange(*each) for each in ranges]


def test_any_ids_are_found_again_and_no_others() -> None:
    chance = random.Random(4)
    for _ in range(200):
        chunks = [set(chance.sample(range(1, 120), chance.randint(0, 30))) for _ in range(3)]
        ids = set().union(*chunks)
        # As they are noted: of each chunk its ranges, which may lie within those of another one.
        found = IdRanges(each for chunk in chunks for each in ranges_of(chunk))
        assert found.among(range(-3, 130)) == ids
        assert bool(found) is bool(ids)
    assert None not in found


def test_the_ids_of_chunks_are_a_range_each() -> None:
    ranges = [each for start in range(0, 100_000, 1000) for each in ranges_of(range(start, start + 1000))]
    assert len(ranges) == 100
    assert 99_999 in IdRanges(ranges)


def test_pages_are_read_until_one_has_what_is_wanted() -> None:
    def page(after: int) -> list[int]:
        return list(range(after + 1, min(after + 11, 100)))

    assert next_among(page, IdRanges([IdRange(55, 57)]), 0, int) == [55, 56, 57]
    assert next_among(page, IdRanges([IdRange(55, 57)]), 57, int) == []
    assert count_among(page, IdRanges([IdRange(5, 95, 10)]), int) == 10
