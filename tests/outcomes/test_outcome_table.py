"""The table of outcomes: what it holds, and that a spreadsheet opens it without calculating."""

from __future__ import annotations

import csv
import io

import pytest

from sync.outcomes.outcome_table import COLUMNS, neutralised, write_outcome_table
from sync.outcomes.report import describe_outcome
from sync.values import Action, Change, Note, Outcome, partial_outcome

CREATED = Outcome(2, Action.CREATED, "account_created", {}, "ann")
UPDATED = Outcome(
    3, Action.UPDATED, "account_updated", {}, "bob",
    (Change("city", "", "Paris; Lyon"), Change("description", "a\nb", '"quoted"')), (Note("password_changed", {}),),
)  # fmt: skip
REJECTED = Outcome(4, Action.REJECTED, "value_not_email", {"column": "email", "value": "no"}, "eve")


def table(*outcomes: Outcome, language: str = "en", separator: str = ",") -> list[list[str]]:
    out = io.BytesIO()
    write_outcome_table(out, outcomes, language=language)
    assert out.getvalue().startswith(b"\xef\xbb\xbf")
    text = out.getvalue().decode("utf-8-sig")
    assert text.endswith("\r\n")
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))


def test_each_row_has_a_line_and_each_changed_field_one() -> None:
    header, *lines = table(CREATED, UPDATED, REJECTED)
    assert tuple(header) == COLUMNS
    assert [line[:4] for line in lines] == [
        ["2", "ann", "created", "account_created"],
        ["3", "bob", "updated", "account_updated"],
        ["3", "bob", "updated", "account_updated"],
        ["4", "eve", "rejected", "value_not_email"],
    ]
    assert [line[5:] for line in lines] == [
        ["", "", ""], ["city", "", "Paris; Lyon"], ["description", "a\nb", '"quoted"'], ["", "", ""],
    ]  # fmt: skip
    assert lines[0][4] == "user added"
    assert lines[1][4] == "user changed · password changed"
    assert lines[3][4].startswith("column email: ")


def test_a_simulation_says_what_would_be_done_now() -> None:
    listed = Outcome(2, Action.UPDATED, "account_suspended_for_deletion", {"date": "2026-12-24"}, "ann")
    assert table(listed)[1][4] == "suspended now, deleted on 2026-12-24"
    out = io.BytesIO()
    write_outcome_table(out, [listed, CREATED], language="en", simulated=True)
    assert "would be suspended now, and deleted on 2026-12-24" in out.getvalue().decode()
    assert describe_outcome(CREATED, simulated=True) == describe_outcome(CREATED)


@pytest.mark.parametrize("mark", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d"])
def test_no_cell_is_a_formula(mark: str) -> None:
    evil = f"{mark}HYPERLINK(1)"
    _header, line = table(Outcome(2, Action.UPDATED, "account_updated", {}, evil, (Change(evil, evil, evil),)))
    for cell in (line[1], *line[5:]):
        assert cell.startswith("'")


@pytest.mark.parametrize(
    ("language", "separator"), [("en", ","), ("en-gb", ","), ("fr", ";"), ("de", ";"), ("pt-br", ";"), ("ja", ",")]
)
def test_the_separator_is_the_one_that_spreadsheets_of_the_language_expect(language: str, separator: str) -> None:
    header, line = table(CREATED, language=language, separator=separator)
    assert (len(header), len(line)) == (8, 8)


def test_texts_are_in_the_language_of_the_report_and_codes_stay() -> None:
    _header, line = table(
        partial_outcome(CREATED, [Note("course_unknown", {"column": "course1", "course": "X", "identifier": "id"})])
    )
    assert line[2:4] == ["partial", "course_unknown"]
    assert line[4].startswith("created, but not enrolled: column course1: ")


def test_many_outcomes_are_written_in_order() -> None:
    _header, *lines = table(*(CREATED._replace(line=number) for number in range(2, 2503)))
    assert [int(line[0]) for line in lines] == list(range(2, 2503))


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
