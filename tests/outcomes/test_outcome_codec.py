"""Outcomes go to the storage and come back as they were."""

from __future__ import annotations

import gzip
import io
import json

import pytest

from sync.outcomes.outcome_codec import (
    PartHeader,
    count_codes,
    encode_outcomes,
    read_header,
    read_numbered,
    read_outcomes,
)
from sync.values import Action, Change, Note, Outcome

OUTCOMES = [
    Outcome(2, Action.UNCHANGED, "account_unchanged", {}),
    Outcome(3, Action.CREATED, "account_added", {}, "bób"),
    Outcome(4, Action.UPDATED, "account_changed", {"n": 1}, "ann", (Change("city", "Lyon", "Nîmes"),)),
    Outcome(5, Action.REJECTED, "value_too_long", {"column": "city", "length": 300}),
    Outcome(6, Action.UPDATED, "account_changed", {}, "", (), (Note("course_unknown", {"course": "C\n9"}),)),
]
HEADER = PartHeader(2, 6, {"updated": 2, "unchanged": 1, "created": 1, "rejected": 1}, count_codes(OUTCOMES), 99, True)


def test_a_part_gives_back_what_was_put_in() -> None:
    part = encode_outcomes(HEADER, OUTCOMES)
    assert list(read_outcomes(io.BytesIO(part))) == OUTCOMES
    assert read_header(io.BytesIO(part)) == HEADER


def test_codes_are_counted() -> None:
    assert HEADER.codes == {"account_unchanged": 1, "account_added": 1, "account_changed": 2, "value_too_long": 1}


def test_the_header_can_be_read_without_the_rest() -> None:
    part = encode_outcomes(HEADER, OUTCOMES * 10_000)
    assert read_header(io.BytesIO(part[: len(part) // 2])) == HEADER


def test_the_same_outcomes_give_the_same_bytes() -> None:
    assert encode_outcomes(HEADER, OUTCOMES) == encode_outcomes(HEADER, OUTCOMES)


def test_a_line_holds_some_hundred_outcomes_without_empty_fields() -> None:
    many = OUTCOMES * 201
    part = encode_outcomes(HEADER, many)
    lines = gzip.decompress(part).decode().splitlines()
    assert [len(json.loads(line)) for line in lines[1:]] == [500, 500, 5]
    assert lines[1].startswith('[[2,"unchanged","account_unchanged",{}],')
    assert list(read_outcomes(io.BytesIO(part))) == many


def test_some_outcomes_are_read_by_their_numbers() -> None:
    many = OUTCOMES * 201
    part = encode_outcomes(HEADER, many)
    numbers = {0, 499, 500, 1004}
    assert dict(read_numbered(io.BytesIO(part), numbers)) == {number: many[number] for number in numbers}
    assert list(read_numbered(io.BytesIO(part), {2000})) == []


@pytest.mark.parametrize("cut", [0, 1, 20])
def test_a_part_that_was_cut_off_is_not_taken_for_a_whole_one(cut: int) -> None:
    with pytest.raises((EOFError, ValueError, StopIteration, OSError)):
        read_header(io.BytesIO(encode_outcomes(HEADER, OUTCOMES)[:cut]))
