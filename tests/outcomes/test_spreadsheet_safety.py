"""No cell of a table that we make is a formula."""

from __future__ import annotations

import pytest

from sync.outcomes.spreadsheet_safety import neutralised


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1+1",
        "-1+1",
        "@SUM(A1)",
        "\t=1+1",
        "\r=1+1",
        "\n=1+1",
        '=HYPERLINK("https://example.org","x")',
        "=cmd|' /C calc'!A0",
        "\uff1d1+1",
        "\uff0b1+1",
        "\uff0d1+1",
        "\uff20SUM(A1)",
    ],
)
def test_a_formula_becomes_text(text: str) -> None:
    assert neutralised(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "ann", "3-4", "a=b", "ann@example.org", " =1+1", "'=1+1", "élan", "100 %"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert neutralised(text) == text


def test_a_neutralised_cell_is_not_neutralised_again() -> None:
    assert neutralised(neutralised("=1+1")) == "'=1+1"
