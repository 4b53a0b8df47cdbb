"""What a cell becomes, or what is said of it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, strategies as st

from sync.columns.clean import (
    CellError,
    ValueKind,
    email,
    flag,
    integer,
    moodle_time,
    one_of,
    text,
    without_tags,
)
from sync.values import Spelled


def refused(kind: ValueKind, cell: str) -> tuple[str, dict[str, Any]]:
    with pytest.raises(CellError) as error:
        kind.cleaner()(cell)
    return error.value.code, error.value.params


@pytest.mark.parametrize(
    ("kind", "cell", "value"),
    [
        (text(), "A" * 5000, "A" * 5000),
        (text(3), "äöü", "äöü"),
        (text(lower=True), "Bob.K", "bob.k"),
        (text(2, upper=True), "fr", "FR"),
        (text(3, plain=True), "<b>Bob</b>", "Bob"),
        (integer(), "007", 7),
        (integer(-5), "-5", -5),
        (integer(), "+5", 5),
        (flag(), "Yes", 1),
        (flag(), "OFF", 0),
        *(
            (flag(), word, 1)
            for word in ("WAHR", "Vrai", "VERDADERO", "vero", "VERDADEIRO", "WAAR", "ja", "Sí", "si\u0300", "sim")
        ),
        *(
            (flag(), word, 0)
            for word in ("FALSCH", "faux", "FALSO", "ONWAAR", "Nein", "não", "NEE", "non", "n", "f", "0.0")
        ),
        (flag(), "x", 1),
        (flag(), "t", 1),
        (flag(), "1.0", 1),
        (one_of("add", "del"), "ADD", "add"),
        (one_of({"open": 1, "closed": 0}), "Closed", 0),
        (email(), "Bob.K+x@sub.example.org", "Bob.K+x@sub.example.org"),
        (email(), "root@localhost", "root@localhost"),
        (email(), "no mail", "no mail"),
        (email(), "NO MAIL bob@x.org", "NO MAIL bob@x.org"),
        (email(), "<NOMAIL>", "<NOMAIL>"),
        (email(), "bob@technomail.fr", "bob@technomail.fr"),
    ],
)
def test_a_good_cell_becomes_its_value(kind: ValueKind, cell: str, value: Any) -> None:
    cleaned = kind.cleaner()(cell)
    assert cleaned == value
    assert type(cleaned) in (type(value), Spelled)


@pytest.mark.parametrize(
    ("kind", "cell", "code"),
    [
        (text(3), "äöüß", "value_too_long"),
        (integer(), "ten", "value_not_number"),
        (integer(), "1_000", "value_not_number"),
        (integer(), "١٢", "value_not_number"),
        (integer(), "1.5", "value_not_number"),
        (integer(0, 2), "3", "value_out_of_range"),
        (integer(1), "0", "value_out_of_range"),
        (integer(), "9" * 5000, "value_out_of_range"),
        (flag(), "maybe", "value_not_flag"),
        (flag(), "2", "value_not_flag"),
        (flag(), "o", "value_not_flag"),
        (flag(), "truee", "value_not_flag"),
        (one_of("add", "del"), "drop", "value_not_among"),
        (moodle_time(), "tomorrow", "value_not_time"),
        (moodle_time(), "2025-02-30", "value_not_time"),
        (moodle_time(), "30/02/2025", "value_not_time"),
        (moodle_time(), "2025-01-01T10:00+99:99", "value_not_time"),
        (moodle_time(), "2025-01-01 25:00", "value_not_time"),
        (moodle_time(), "0001-01-01", "value_not_time"),
        (moodle_time(), "9999-12-31", "value_not_time"),
        (moodle_time(), "99999999999", "value_not_time"),
        (moodle_time(), "9" * 5000, "value_not_time"),
        (email(), "bob", "value_not_email"),
        (email(), "bob@", "value_not_email"),
        (email(), "a@b@c.org", "value_not_email"),
        *(
            (email(), cell, "value_not_email")
            for cell in ("brunomaillard", "bob k@nomail.org", "technomail", "nomail@x@y")
        ),
        (email(), "bob k@x.org", "value_not_email"),
        (email(10), "bob@example.org", "value_too_long"),
    ],
)
def test_a_bad_cell_is_refused(kind: ValueKind, cell: str, code: str) -> None:
    assert refused(kind, cell)[0] == code


def test_a_refusal_says_what_would_do() -> None:
    assert refused(text(3), "abcd")[1] == {"length": 4, "limit": 3, "value": "abcd", "hint": "cell_holds"}
    assert refused(integer(0, 2), "3")[1] == {"value": "3", "least": 0, "most": 2}
    assert refused(one_of("add", "del"), "drop")[1] == {"value": "drop", "allowed": "add, del"}


@pytest.mark.parametrize("kind", [integer(), flag(), one_of("add"), moodle_time(), email(10_000)])
def test_a_refusal_repeats_no_more_of_a_cell_than_one_reads(kind: ValueKind) -> None:
    shown = refused(kind, "x" * 5000)[1]["value"]
    assert len(shown) == 100
    assert shown.endswith("…")


def test_the_limit_counts_what_is_left_without_markup() -> None:
    assert text(3, plain=True).cleaner()("<i>abc</i>") == "abc"
    assert refused(text(3, plain=True), "<i>abcd</i>")[0] == "value_too_long"


def test_the_real_column_sets_the_limit_of_texts_only() -> None:
    assert refused(text(100).limited(2), "abc")[1]["limit"] == 2
    assert refused(email(100).limited(2), "a@b")[1]["limit"] == 2
    assert text(100).limited(None) == text(100)
    assert integer().limited(1) == integer()


@pytest.mark.parametrize(
    ("value", "left"),
    [
        ("<b>Bob</b> <i class='x'>K</i>", "Bob K"),
        ("<script>x</script>", "x"),
        ("<!-- note -->Bob", "Bob"),
        ("a < b", "a < b"),
        ("I <3 you", "I <3 you"),
        ("<b", "<b"),
        ("<a<b>c", "c"),
        ("</p>x</", "x</"),
        ("1 > 0 <b>", "1 > 0"),
        ("<<b>>", "<>"),
        ("<1><é>", "<1><é>"),
    ],
)
def test_markup_goes_and_a_lone_angle_stays(value: str, left: str) -> None:
    assert without_tags(value) == left


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (text(), "text"),
        (text(100), "text of at most 100 characters"),
        (integer(0, 2), "whole number from 0 to 2"),
        (flag(), "0 or 1 (no or yes)"),
        (one_of("add", "del"), "add, del"),
        (
            moodle_time(),
            "YYYY-MM-DD, DD/MM/YYYY or DD.MM.YYYY, also with hh:mm:ss, a date in words, or seconds since 1970; 0 = none",
        ),
        (email(), "e-mail address"),
    ],
)
def test_a_kind_says_what_a_cell_may_hold(kind: ValueKind, words: str) -> None:
    assert str(kind.describe()) == words


@given(st.text("<>/!ab1 ", max_size=20))
def test_markup_is_what_the_expression_says_that_would_take_minutes(value: str) -> None:
    assert without_tags(value) == (re.sub(r"</?[A-Za-z!][^>]*>", "", value).strip() if "<" in value else value)
