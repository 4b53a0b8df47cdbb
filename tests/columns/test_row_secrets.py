"""Passwords of a row in what is said of it: which are known, which are guessed, and what stays readable."""

from __future__ import annotations

import pytest

from sync.columns.clean import shown
from sync.columns.row_secrets import HIDDEN, RowSecrets, looks_like_password
from sync.values import Action, Change, Note, Outcome, Row

NAMES = ("username", "email", "password")


def hidden(outcome: Outcome, *cells: str, names: tuple[str, ...] = NAMES) -> Outcome:
    (found,) = RowSecrets(names).hide([outcome], [Row(outcome.line, b"", cells)])
    return found


def rejected(subject: str, **params: object) -> Outcome:
    return Outcome(2, Action.REJECTED, "value_not_email", params, subject)


@pytest.mark.parametrize("name", ["password", "Kennwort", "mot de passe", "Contraseña", "senha", "пароль", "密码"])
def test_what_a_password_column_holds_is_said_nowhere(name: str) -> None:
    outcome = Outcome(
        2, Action.UPDATED, "account_updated", {"near": ["x", "abc"]}, "kim", (Change("city", "ABC", "new"),),
        (Note("cell_left_out", {"value": "abc"}),),
    )  # fmt: skip
    found = hidden(outcome, "kim", "k@x.org", "abc", names=("username", "email", name))
    assert found.params == {"near": ["x", HIDDEN]}
    assert found.changes == (Change("city", HIDDEN, "new"),)
    assert found.notes == (Note("cell_left_out", {"value": HIDDEN}),)


def test_a_long_password_is_found_within_other_text_and_when_it_was_cut() -> None:
    assert hidden(rejected("kim", value="is LongEnough1 here"), "kim", "", "longenough1").params == {"value": HIDDEN}
    long = "a" * 300
    assert hidden(rejected("kim", value=long[:99] + "…"), "kim", "", long).params == {"value": HIDDEN}


def test_a_password_in_another_column_is_guessed_from_its_signs_where_the_file_has_passwords() -> None:
    outcome = rejected("Geheim#12", value="Geheim#12", column="email", limit=3)
    found = hidden(outcome, "Geheim#12", "Geheim#12", "kim@x.org")
    assert (found.subject, found.params) == (HIDDEN, {"value": HIDDEN, "column": "email", "limit": 3})
    assert hidden(outcome, "Geheim#12", "x", names=("username", "email")) == outcome


@pytest.mark.parametrize(
    "line", ["kim,k@x.org,geheim", "kim;k@x.org;Long Enough 1", "kim|k@x.org|" + "Ab1" * 99, "a\tb\tc"]
)
def test_a_whole_line_in_one_cell_is_said_nowhere(line: str) -> None:
    found = hidden(rejected(shown(line), value=shown(line)), line)
    assert (found.subject, found.params) == (HIDDEN, {"value": HIDDEN})
    assert RowSecrets(NAMES).shown_row(Row(2, b"", (line,))).cells == (HIDDEN,)
    assert hidden(rejected("kim"), "kim", "a@x.org").subject == "kim"
    assert hidden(rejected("King, Kim"), "King, Kim", "a@x.org", "abc").subject == "King, Kim"


def test_that_a_password_is_the_username_is_not_told_by_hiding_it() -> None:
    assert hidden(rejected("kim", value="no address"), "kim", "no address", "kim").subject == "kim"


@pytest.mark.parametrize(
    "text", ["kim.kay1", "kim@x", "2001-01-01", "Europe/Pariss", "D'Arcy-Kay", "Kim Kay 1!", "Ab1!"]
)
def test_names_addresses_dates_and_zones_stay_readable(text: str) -> None:
    assert not looks_like_password(text)


def test_a_row_on_a_page_hides_passwords_and_cells_too_many() -> None:
    row = RowSecrets(NAMES).shown_row(Row(2, b"", ("kim", "Geheim-12", "abc", "further", "")))
    assert row.cells == ("kim", HIDDEN, HIDDEN, HIDDEN, "")
    within = RowSecrets(NAMES).shown_row(Row(2, b"", ("kim", "mailto geheim-12!", "Geheim-12")))
    assert within.cells == ("kim", HIDDEN, HIDDEN)
    plain = Row(2, b"", ("kim", "Geheim-12"))
    assert RowSecrets(("username", "email")).shown_row(plain) == plain
