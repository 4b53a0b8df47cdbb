"""The cells of a row are attributes, each in its own type; mypy finds a name that no column has."""

from __future__ import annotations

from typing import assert_type

import pytest

from sync.columns.cells import Cells
from sync.columns.clean import flag, integer, moodle_time, one_of, text
from sync.columns.column import (
    DefaultColumn,
    Empty,
    NumberedColumn,
    OptionalColumn,
    PrefixedColumn,
    RequiredColumn,
)
from sync.columns.header import match_header
from sync.columns.rows import RowCleaner
from sync.errors import DeclarationError
from sync.processors.registry import REGISTRY
from sync.values import Header, Moment, Row


class SomeCells(Cells, subject="{name}"):
    __slots__ = ()

    name = RequiredColumn(text(100), stored_in="user")
    cmd = DefaultColumn(one_of("add", "del"), default="add")
    kind = DefaultColumn(one_of({"one": 1, "two": 2}), default=2)
    city = OptionalColumn(text(), empty=Empty.CLEARS)
    shown = OptionalColumn(flag())
    start = OptionalColumn(moodle_time())
    groups = NumberedColumn(text(), name="g")
    weights = NumberedColumn(integer(), name="g", suffix="_weight")
    fields = PrefixedColumn(text(), name="field_")


class MoreCells(SomeCells, more=(OptionalColumn(text(), name="quiz"),)):
    __slots__ = ()

    age = OptionalColumn(integer())


def cleaned(names: str, cells: str) -> SomeCells:
    columns = SomeCells.columns
    matched = match_header(columns, Header(1, b"", tuple(names.split(";")), tuple(names.split(";"))))
    cleaner = RowCleaner(columns, matched, lambda *_column: None)
    rows, rejections = cleaner.clean([Row(2, b"", tuple(cells.split(";")))])
    assert rejections == []
    (row,) = rows
    assert isinstance(row, SomeCells)
    return row


def test_a_class_holds_the_declarations_and_a_row_the_values() -> None:
    row = cleaned("name;cmd;kind;city;shown;start", "Ann;del;one;Rome;1;0")

    assert assert_type(row.name, str) == "Ann"
    assert assert_type(row.cmd, str) == "del"
    assert assert_type(row.kind, int) == 1
    assert assert_type(row.city, str | None) == "Rome"
    assert assert_type(row.shown, int | None) == 1
    assert assert_type(row.start, Moment | None) == Moment(0, "0")
    assert assert_type(SomeCells.name, RequiredColumn[str]).limited_by == ("user", "name")
    assert (row.line, row.notes) == (2, ())


def test_a_row_without_a_cell_has_none_or_the_default() -> None:
    row = cleaned("name;cmd;city;shown", "Ann;;;")

    assert (row.cmd, row.kind) == ("add", 2)
    assert (row.city, row.shown, row.start) == ("", None, None)


def test_numbered_cells_are_found_by_their_numbers_in_order() -> None:
    row = cleaned("g10;name;g2;g3;g2_weight", "c;Ann;b;;7")

    assert list(assert_type(row.groups, dict[int, str]).items()) == [(2, "b"), (10, "c")]
    assert row.weights == {2: 7}
    assert (SomeCells.groups.of(row, 10), SomeCells.groups.of(row, 3)) == ("c", None)
    assert SomeCells.groups.numbers(("g10", "g2_weight", "gcmd", "g2", "name")) == [2, 10]


def test_prefixed_cells_are_found_by_their_whole_names() -> None:
    row = cleaned("name;field_shoe;field_hat", "Ann;42;")

    assert assert_type(row.fields, dict[str, str]) == {"field_shoe": "42"}


def test_a_misspelt_cell_is_an_error() -> None:
    row = cleaned("name", "Ann")

    with pytest.raises(AttributeError):
        _ = row.nmae  # type: ignore[attr-defined]
    with pytest.raises(AttributeError):
        _ = SomeCells.nmae  # type: ignore[attr-defined]
    with pytest.raises(TypeError):
        _ = row.name + row.kind  # type: ignore[operator]
    with pytest.raises(AttributeError):
        _ = row.start.text  # type: ignore[union-attr]


def test_what_goes_over_several_columns_names_them_as_attributes() -> None:
    row = cleaned("name;city;shown", "Ann;Rome;")

    assert row.given(SomeCells.name, SomeCells.city, SomeCells.shown) == {"name": "Ann", "city": "Rome"}
    assert [column.of(row) for column in (SomeCells.name, SomeCells.cmd)] == ["Ann", "add"]
    changed = row.replaced({SomeCells.city: None, SomeCells.shown: 0})
    assert (changed.city, changed.shown, changed.name, changed.line) == (None, 0, "Ann", 2)
    assert (row.city, row.shown) == ("Rome", None)


def test_a_class_has_the_columns_of_its_bases_and_those_whose_names_come_from_data() -> None:
    names = [column.name for column in MoreCells.columns]

    assert names == [*(column.name for column in SomeCells.columns), "age", "quiz"]
    assert MoreCells(1, {"name": "Ann", "age": 3, "quiz": "1"}).age == 3


@pytest.mark.parametrize("name", ["line", "values", "notes", "given", "count"])
def test_a_column_takes_no_attribute_that_every_row_has(name: str) -> None:
    with pytest.raises(DeclarationError, match=name):
        type("Taken", (Cells,), {name: OptionalColumn(text())})


@pytest.mark.parametrize("key", REGISTRY)
def test_the_rows_of_every_file_type_are_of_the_class_that_declares_its_columns(key: str) -> None:
    processor = REGISTRY[key]
    row_type = processor.columns.row_type

    assert issubclass(row_type, Cells)
    assert vars(row_type)["columns"] is processor.columns
    assert not hasattr(row_type(1, {}), "__dict__")


def test_nothing_is_kept_in_a_row_beside_its_cells() -> None:
    assert not hasattr(cleaned("name", "Ann"), "__dict__")
