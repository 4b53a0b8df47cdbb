"""Outcomes are found without opening every part."""

from __future__ import annotations

from collections.abc import Collection

import pytest
from pytest_django import Settings

from sync.models import ChunkIndex, RunChunk, SyncRun
from sync.runs import outcome_search
from sync.runs.outcome_search import (
    OutcomeFilter,
    Place,
    find_outcomes,
    run_codes,
    run_columns,
    run_reasons,
    wanted_rows,
)
from sync.runs.outcome_store import read_rows_of_part
from sync.values import Outcome
from tests.installation import Installation

HEADER = "username;firstname;lastname;email\n"
# Lines 2 to 24; every third row is rejected. In chunks of five rows.
FILE = HEADER + "".join(f"user{n};First;Last;{'no' if n % 3 == 2 else f'u{n}@x.org'}\n" for n in range(23))
ALL, REJECTED = [*range(2, 25)], [*range(4, 25, 3)]


@pytest.fixture
def run(installation: Installation, settings: Settings) -> SyncRun:
    settings.TOOLSYNC_CHUNK_ROWS = 5
    return installation.carry_out("/in.csv", FILE, simulate=True)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The last lines of the parts that are opened."""
    parts: list[int] = []

    def noted(chunk: RunChunk, numbers: Collection[int]) -> dict[int, Outcome]:
        parts.append(chunk.last_line)
        return read_rows_of_part(chunk, numbers)

    monkeypatch.setattr(outcome_search, "read_rows_of_part", noted)
    return parts


@pytest.mark.parametrize("per_page", [1, 7, 100])
@pytest.mark.parametrize(
    ("wanted", "lines"),
    [
        (OutcomeFilter(), ALL),
        (OutcomeFilter(action="rejected"), REJECTED),
        (OutcomeFilter(code="value_not_email"), REJECTED),
        (OutcomeFilter(action="rejected", code="value_not_email", column="email"), REJECTED),
        (OutcomeFilter(action="deleted"), []),
        (OutcomeFilter(text="USER1"), [3, *range(12, 22)]),
        (OutcomeFilter(text="17"), [17, 19]),
        (OutcomeFilter(text="user1", action="rejected"), [13, 16, 19]),
    ],
)
def test_the_pages_hold_every_row_once_in_both_directions(
    run: SyncRun, per_page: int, wanted: OutcomeFilter, lines: list[int]
) -> None:
    found, page = [], find_outcomes(run, wanted, per_page=per_page)
    pages = [page]
    while page.after is not None:
        page = find_outcomes(run, wanted, per_page=per_page, after=page.after)
        pages.append(page)
    found = [outcome.line for page in pages for outcome in page.outcomes]
    assert found == lines
    back = [page.outcomes]
    while page.before is not None:
        page = find_outcomes(run, wanted, per_page=per_page, before=page.before)
        back.append(page.outcomes)
    assert [outcome.line for outcomes in reversed(back) for outcome in outcomes] == lines
    assert [outcome.line for outcome in wanted_rows(run, wanted)] == lines
    assert page.total in (None, len(lines))


@pytest.mark.parametrize(
    ("wanted", "parts"),
    [
        (OutcomeFilter(), [6, 11]),
        (OutcomeFilter(text="user22"), [24]),
        (OutcomeFilter(text="nobody at all"), []),
        (OutcomeFilter(text="12"), [16]),
        (OutcomeFilter(text="user1", action="rejected"), [16, 21]),
        (OutcomeFilter(case="0" * 16), []),
        (OutcomeFilter(column="idnumber"), []),
    ],
)
def test_only_the_parts_that_may_hold_it_are_opened(
    run: SyncRun, opened: list[int], wanted: OutcomeFilter, parts: list[int]
) -> None:
    find_outcomes(run, wanted, per_page=5)
    assert opened == parts


def test_a_page_begins_behind_its_place(run: SyncRun, opened: list[int]) -> None:
    page = find_outcomes(run, after=Place(11, 2), per_page=2)
    assert [outcome.line for outcome in page.outcomes] == [10, 11]
    assert opened == [11, 16]


def test_reasons_columns_and_codes_are_those_of_the_whole_run(run: SyncRun, opened: list[int]) -> None:
    (reason,) = run_reasons(run)
    assert (reason.action, reason.code, reason.column, reason.count) == ("rejected", "value_not_email", "email", 7)
    (case,) = reason.alike
    assert (case.rows, case.line, case.params["value"]) == (7, 4, "no")
    assert [o.line for o in wanted_rows(run, OutcomeFilter(case=case.key))] == REJECTED
    assert run_columns(run)["email"] == 23
    assert dict(run_codes(run)) == {"account_created": 16, "value_not_email": 7}
    assert len(opened) == 5, "the rows of the case, nothing else"


def test_runs_from_before_there_were_indexes_are_searched_as_well(run: SyncRun) -> None:
    ChunkIndex.objects.all().delete()
    (reason,) = run_reasons(run)
    assert reason.count == 7
    wanted = OutcomeFilter(text="user22", case=reason.alike[0].key)
    assert find_outcomes(run, wanted).outcomes == []
    assert [outcome.line for outcome in find_outcomes(run, OutcomeFilter(text="user20")).outcomes] == [22]
