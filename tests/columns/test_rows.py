"""Rows against the columns: every row becomes clean, or gets one rejection."""

from __future__ import annotations

from typing import Any

import pytest

from sync.columns.clean import flag, one_of, text
from sync.columns.column import DefaultColumn, Empty, OptionalColumn, PrefixedColumn, RequiredColumn
from sync.columns.file_columns import Columns
from sync.columns.general_options import GeneralOptions
from sync.columns.header import match_header
from sync.columns.leaving_out import LeavingOut
from sync.columns.options import Choice, Option
from sync.columns.rows import RowCleaner
from sync.processors.registry import REGISTRY
from sync.values import Action, CleanRow, Header, Note, Outcome, Rejection, Row

COLUMNS = (
    RequiredColumn(text(100, lower=True), name="username", stored_in=("user", "username")),
    OptionalColumn(text(120, plain=True), name="city", empty=Empty.CLEARS),
    OptionalColumn(text(2, upper=True), name="country"),
    OptionalColumn(flag(), name="suspended"),
)
NAMES = ("username", "city", "country", "suspended")


def clean(
    *rows: tuple[str, ...],
    names: tuple[str, ...] = NAMES,
    limits: dict[tuple[str, str], int] | None = None,
    **more: Any,
) -> tuple[list[CleanRow], list[Rejection]]:
    columns = Columns(*COLUMNS, **more)
    matched = match_header(columns, Header(1, b"", names, names))
    cleaner = RowCleaner(columns, matched, lambda *column: (limits or {}).get(column))
    return cleaner.clean([Row(line, b"", cells) for line, cells in enumerate(rows, start=2)])


def test_a_row_becomes_values_by_canonical_name() -> None:
    rows, rejections = clean(("Bob.K", "<b>Rome</b>", "it", "yes"))

    assert rows == [CleanRow(2, {"username": "bob.k", "city": "Rome", "country": "IT", "suspended": 1})]
    assert rejections == []


def test_an_empty_cell_clears_or_keeps_as_its_column_says() -> None:
    assert clean(("bob", "", "", ""))[0] == [CleanRow(2, {"username": "bob", "city": ""})]


class DefaultOptions(GeneralOptions):
    defaultcmd = Choice(default="add", choices={"add": "add", "del": "del"})


DEFAULTS = Columns(
    RequiredColumn(text(100), name="name"),
    DefaultColumn(one_of("add", "del"), name="cmd", default=DefaultOptions.defaultcmd),
    DefaultColumn(one_of("group", "grouping"), name="kind", empty=Empty.CLEARS, default="group"),
    DefaultColumn(flag(), name="visible", default=1),
)


def clean_with_defaults(cells: tuple[str, ...], names: tuple[str, ...], **options: Any) -> CleanRow | Rejection:
    matched = match_header(DEFAULTS, Header(1, b"", names, names))
    cleaner = RowCleaner(DEFAULTS, matched, lambda *_column: None, options=DefaultOptions.resolve(options))
    rows, rejections = cleaner.clean([Row(2, b"", cells)])
    return (rows or rejections)[0]


@pytest.mark.parametrize(
    ("cells", "names", "expected"),
    [
        (("Ann",), ("name",), {"cmd": "add", "kind": "group", "visible": 1}),
        (("Ann",), ("name", "cmd", "kind", "visible"), {"cmd": "add", "kind": "group", "visible": 1}),
        (("Ann", "", "", ""), ("name", "cmd", "kind", "visible"), {"cmd": "add", "kind": "", "visible": 1}),
        (("Ann", "del", "grouping", "0"), ("name", "cmd", "kind", "visible"), {"cmd": "del", "kind": "grouping", "visible": 0}),
    ],
)  # fmt: skip
def test_a_row_without_the_cell_has_its_default(
    cells: tuple[str, ...], names: tuple[str, ...], expected: dict[str, Any]
) -> None:
    assert clean_with_defaults(cells, names) == CleanRow(2, {"name": "Ann", **expected})


def test_a_default_may_be_what_an_option_says() -> None:
    row = clean_with_defaults(("Ann",), ("name",), defaultcmd="del")
    assert isinstance(row, CleanRow)
    assert row.values["cmd"] == "del"


def test_a_cell_that_is_left_out_leaves_its_default() -> None:
    row = clean_with_defaults(("Ann", "perhaps"), ("name", "visible"), skipinvalidcells=True)
    assert isinstance(row, CleanRow)
    assert row.values["visible"] == 1

    options = DefaultOptions.resolve({"skipinvalidcells": True})
    outcome = Outcome(2, Action.REJECTED, "value_too_long", {"column": "visible"})
    left = LeavingOut(DEFAULTS, options).without_rejected([CleanRow(2, {"name": "Ann", "visible": 0})], [outcome])
    assert [row.values for row in left] == [{"name": "Ann", "visible": 1}]


@pytest.mark.parametrize("key", REGISTRY)
def test_the_defaults_of_every_file_type_are_what_its_cells_may_hold(key: str) -> None:
    processor = REGISTRY[key]
    for column in processor.columns:
        if isinstance(column.default, Option):
            assert column.default in processor.options.declared
        elif column.default is not None:
            assert column.kind.cleaner()(str(column.default)) == column.default


def test_a_cell_of_nothing_but_markup_is_an_empty_one() -> None:
    columns = Columns(RequiredColumn(text(plain=True), name="street"), OptionalColumn(text(plain=True), name="nick"))
    matched = match_header(columns, Header(1, b"", ("street", "nick"), ("street", "nick")))
    cleaner = RowCleaner(columns, matched, lambda *_column: None)

    assert cleaner.clean([Row(2, b"", ("<b></b>", "x"))])[1] == [Rejection(2, "street", "cell_empty", {}, "<b></b>")]
    assert cleaner.clean([Row(3, b"", ("Bob", "<br>"))])[0] == [CleanRow(3, {"street": "Bob"})]


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("<ann@example.org>", "value_not_email"),
        ("<b> </b>", "value_not_email"),
        ("\u2060\u3164", "value_not_email"),
        ("<NA>", "cell_is_placeholder"),
    ],
)
def test_an_address_is_told_from_others_and_not_from_markup(cell: str, code: str) -> None:
    columns = REGISTRY["users"].columns
    names = ("username", "firstname", "lastname", "email")
    cleaner = RowCleaner(columns, match_header(columns, Header(1, b"", names, names)), lambda *_column: None)

    _rows, rejections = cleaner.clean([Row(2, b"", ("ann", "Ann", "Lee", cell))])

    assert [(rejection.column, rejection.code) for rejection in rejections] == [("email", code)]


def test_a_zero_is_a_value() -> None:
    assert clean(("0", "0", "", "0"))[0] == [CleanRow(2, {"username": "0", "city": "0", "suspended": 0})]


def test_cells_that_a_short_row_lacks_are_absent() -> None:
    assert clean(("bob",))[0] == [CleanRow(2, {"username": "bob"})]


def test_a_required_cell_that_a_short_row_lacks_is_empty() -> None:
    rejections = clean(("Rome",), names=("city", "username"))[1]
    assert rejections == [Rejection(2, "username", "cell_empty", {})]


def test_a_short_row_is_refused_where_every_cell_counts() -> None:
    rejections = clean(("bob",), exact_width=True)[1]
    assert rejections == [Rejection(2, "", "too_few_cells", {"cells": 1, "width": 4})]


def test_cells_beyond_the_header_must_be_empty() -> None:
    rows, rejections = clean(("bob", "", "", "", "", ""), ("cid", "", "", "", "", "more"))

    assert [row.line for row in rows] == [2]
    assert rejections == [Rejection(3, "", "too_many_cells", {"cells": 6, "width": 4})]


@pytest.mark.parametrize("first_is_key", [True, False])
def test_a_row_of_another_width_is_named_by_its_first_cell_if_that_names_anything(first_is_key: bool) -> None:
    names = ("username", "city") if first_is_key else ("city", "username")
    columns = Columns(
        RequiredColumn(text(100), name="username", names=True), OptionalColumn(text(120), name="city"), exact_width=True
    )
    cleaner = RowCleaner(columns, match_header(columns, Header(1, b"", names, names)), lambda *_column: None)

    rejections = cleaner.clean([Row(2, b"", ("one", "two", "three")), Row(3, b"", ("one",))])[1]

    found = [(rejection.code, rejection.subject) for rejection in rejections]
    subject = "one" if first_is_key else ""
    assert found == [("too_many_cells", subject), ("too_few_cells", subject)]


def test_the_real_column_of_moodle_sets_the_limit() -> None:
    rejections = clean(("bobby", "", "", ""), limits={("user", "username"): 4})[1]
    assert rejections == [
        Rejection(
            2, "username", "value_too_long", {"length": 5, "limit": 4, "value": "bobby", "hint": "cell_holds"}, "bobby"
        )
    ]


@pytest.mark.parametrize("order", [("country", "suspended", "username"), ("suspended", "country", "username")])
def test_a_row_gets_one_rejection_for_its_first_cell_at_fault(order: tuple[str, ...]) -> None:
    cells = {"username": "bob", "country": "FRA", "suspended": "maybe"}

    rows, rejections = clean(tuple(cells[name] for name in order), names=order)

    assert rows == []
    assert [rejection.column for rejection in rejections] == [order[0]]


def test_one_bad_row_leaves_the_others_alone() -> None:
    rows, rejections = clean(("bob", "", "", ""), ("", "", "", ""), ("cid", "", "", ""))

    assert [row.line for row in rows] == [2, 4]
    assert [rejection.line for rejection in rejections] == [3]


def test_faults_of_the_reader_reject_the_row_where_they_are_read() -> None:
    columns = Columns(*COLUMNS, PrefixedColumn(text(), name="profile_field_"))
    names = (*NAMES, "profile_field_x")
    cleaner = RowCleaner(columns, match_header(columns, Header(1, b"", names, names)), lambda *_column: None)
    boolean = Note("cell_is_boolean", {"value": "TRUE"})
    cells = ("bob", "Rome", "it", "1", "1")
    faults: list[tuple[Note | None, dict[int, Note], str]] = [
        (Note("quotes_doubtful", {}), {}, "quotes_doubtful"),
        (None, {1: Note("cell_is_formula_error", {"value": "#NV"})}, "cell_is_formula_error"),
        (None, {1: boolean}, "cell_is_boolean"),
        # A yes or no is welcome where one is wanted, or may be.
        (None, {3: boolean, 4: boolean}, ""),
        # A cell behind the header isn't read.
        (None, {9: boolean}, ""),
    ]
    rows = [Row(line, b"", cells, fault, places) for line, (fault, places, _code) in enumerate(faults, start=2)]

    clean_rows, rejections = cleaner.clean(rows)

    assert [rejection.code for rejection in rejections] == [code for _fault, _places, code in faults if code]
    assert rejections[1].column == "city"
    assert len(clean_rows) == 2
