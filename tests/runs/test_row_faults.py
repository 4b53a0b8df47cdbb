"""A fault of ours that shows with certain rows costs those rows only; one that isn't about rows still ends the run."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

import pytest
from pytest_django import Settings

from sync.columns.rows import RowCleaner
from sync.models import RunFile, RunState
from sync.processors.users.processor import Users
from sync.runs import services
from sync.runs.outcome_store import read_rows
from sync.values import Action
from tests.installation import Installation

HEADER = "username;firstname;lastname;email;password\n"
ROWS = 30
FATAL = frozenset(("user07", "user21"))
SECRET = "Planted-Secret#1"


@pytest.fixture(autouse=True)
def small_chunks(settings: Settings) -> None:
    settings.TOOLSYNC_CHUNK_ROWS = 12


def file_of(rows: int = ROWS) -> str:
    return HEADER + "".join(f"user{n:02d};First;Last;user{n}@x.org;{SECRET}\n" for n in range(rows))


def lay_fault(monkeypatch: pytest.MonkeyPatch, owner: type, method: str, error: BaseException) -> None:
    """Make a method raise whenever what it is given names one of the two users."""
    original = getattr(owner, method)

    def faulty(self: Any, given: Any, *more: Any) -> Any:
        if any(name in FATAL for name in _usernames(given)):
            raise error
        return original(self, given, *more)

    monkeypatch.setattr(owner, method, faulty)


def _usernames(given: Any) -> Iterable[str]:
    if hasattr(given, "inserts"):
        return [insert.values["username"] for insert in given.inserts.get("user", ())]
    if hasattr(given, "cells"):
        return [str(cell) for cell in given.cells]
    return [row.values.get("username") for row in given]


@pytest.mark.parametrize(
    ("owner", "method"),
    [(Users, "fetch"), (Users, "plan"), (Users, "prepare"), (Users, "apply"), (RowCleaner, "_clean")],
)
def test_a_fault_of_ours_costs_the_rows_that_it_shows_with(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, owner: type, method: str
) -> None:  # fmt: skip
    lay_fault(monkeypatch, owner, method, ValueError(f"what is {SECRET}?"))
    with caplog.at_level(logging.ERROR, "sync.runs.pipeline"):
        run = installation.carry_out("/in.csv", file_of() + "odd;;;;\n", storereport=1)

    assert (run.state, run.counts) == (RunState.COMPLETED_WITH_REJECTIONS, {"created": ROWS - 2, "rejected": 3})
    outcomes = list(read_rows(run))
    assert [outcome.line for outcome in outcomes] == list(range(2, ROWS + 3))
    ours = [outcome for outcome in outcomes if outcome.code == "row_internal_error"]
    assert [(outcome.line, outcome.action) for outcome in ours] == [(9, Action.REJECTED), (23, Action.REJECTED)]
    made = {row["username"] for row in installation.moodle.rows("user", firstname="First")}
    assert made == {f"user{n:02d}" for n in range(ROWS)} - FATAL

    numbers = [outcome.params["number"] for outcome in ours]
    report = installation.own_file(run, RunFile.Kind.REPORT)
    needs = report.partition("What needs you")[2]
    assert needs.index("[row_internal_error]") < needs.index("[", needs.index("[row_internal_error]") + 1)
    assert numbers[0] in needs
    tryback = installation.own_file(run, RunFile.Kind.TRYBACK)
    assert all(name in tryback for name in FATAL)
    log = caplog.text
    assert "ValueError" in log
    assert "in faulty" in log
    assert all(number in log for number in numbers)
    assert SECRET not in log


@pytest.mark.parametrize(
    ("error", "code"), [(OSError(28, "No space left on device"), "disk_full"), (MemoryError(), "internal_error")]
)
@pytest.mark.parametrize("method", ["plan", "apply"])
def test_what_isnt_about_rows_ends_the_run_and_costs_no_row(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, method: str, error: Exception, code: str
) -> None:
    run = installation.queue("/in.csv", file_of())
    with monkeypatch.context() as patch:
        lay_fault(patch, Users, method, error)
        ended = services.execute_run(run.pk)
        assert (ended.state, ended.error_code, ended.rows_done) == (RunState.ERRORED, code, 0)
    services.resume_run(ended)
    assert services.execute_run(run.pk).counts == {"created": ROWS}


@pytest.mark.parametrize(
    ("processor", "column", "row"),
    [
        ("courses", "category", "shortname;fullname;category\nN1;New;{}\n"),
        ("courses", "startdate", "shortname;fullname;category;startdate\nN1;New;1;{}\n"),
        ("users", "suspended", "username;firstname;lastname;email;suspended\nnew;A;B;n@x.org;{}\n"),
        ("categories_delete", "categoryid", "categoryid\n{}\n"),
    ],
)
def test_a_number_of_thousands_of_digits_is_a_rejection(
    installation: Installation, processor: str, column: str, row: str
) -> None:
    run = installation.carry_out("/in.csv", row.format("9" * 5000), processor=processor)
    (outcome,) = read_rows(run)
    assert outcome.action is Action.REJECTED
    assert outcome.code != "row_internal_error"
