"""From the texts of a file to the rows they mean: the part that needs no database."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sync.moodle.db.identifiers import by_spelling, is_id

FOUND = [("C1", 1), ("c1", 2), ("Été", 3), ("C1", 4)]


@pytest.mark.parametrize(
    ("text", "fold", "expected"),
    [
        ("C1", str.casefold, [1, 4]),
        ("c1", str.casefold, [2]),
        ("éTé", str.casefold, [3]),
        ("éTé", str, None),
        ("C9", str.casefold, None),
    ],
)
def test_an_exact_spelling_goes_before_one_in_another_case(
    text: str, fold: Callable[[str], str], expected: list[int] | None
) -> None:
    assert by_spelling([text], FOUND, fold).get(text) == expected


@pytest.mark.parametrize("value", ["7", "007", "9" * 18])
def test_digits_are_an_id(value: str) -> None:
    assert is_id(value)


@pytest.mark.parametrize("value", ["", "x", "-1", "1.0", "²", "٣", " 7", "9" * 19])
def test_anything_else_is_no_id(value: str) -> None:
    assert not is_id(value)
