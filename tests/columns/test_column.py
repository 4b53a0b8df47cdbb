"""Which header names mean which column."""

from __future__ import annotations

import pytest

from sync.columns.clean import text
from sync.columns.column import Column, Columns, NumberedColumn, PrefixedColumn
from sync.errors import DeclarationError

COLUMNS = Columns(
    Column("cmd", text(), aliases=("gcmd",)),
    NumberedColumn("course", text()),
    NumberedColumn("teacher", text(), suffix="_role"),
    NumberedColumn("section", text(), least=0),
    PrefixedColumn("profile_field_", text()),
    Column("htmleditor", text(), ignored=True),
)


@pytest.mark.parametrize(
    ("name", "canonical"),
    [
        ("cmd", "cmd"),
        ("gcmd", "cmd"),
        ("course1", "course1"),
        ("course12", "course12"),
        ("teacher2_role", "teacher2_role"),
        ("section0", "section0"),
        ("profile_field_dept", "profile_field_dept"),
        ("htmleditor", "htmleditor"),
    ],
)
def test_a_name_means_a_column(name: str, canonical: str) -> None:
    found = COLUMNS.find(name)
    assert found is not None
    assert found[1] == canonical
    assert COLUMNS.knows(name)


@pytest.mark.parametrize(
    "name",
    [
        "", "gender", "weekend", "course", "course0", "course01", "xcourse1", "course1x", "course1, course2 …",
        "teacher1", "profile_field_", "user_profile_dept",
    ],
)  # fmt: skip
def test_a_name_that_only_looks_like_one_is_unknown(name: str) -> None:
    assert COLUMNS.find(name) is None
    assert not COLUMNS.knows(name)


@pytest.mark.parametrize("name", ["_line", "_code", "_reason"])
def test_the_columns_of_a_tryback_are_known_and_mean_nothing(name: str) -> None:
    assert COLUMNS.knows(name)
    assert COLUMNS.find(name) is None


def test_misspelt_names_are_compared_with_what_is_read() -> None:
    assert COLUMNS.plain_names == ["cmd", "course1", "teacher1_role", "section0", "profile_field_"]


@pytest.mark.parametrize(
    "columns",
    [
        (Column("a", text()), Column("a", text())),
        (Column("a", text()), Column("b", text(), aliases=("a",))),
        (NumberedColumn("a", text()), NumberedColumn("a", text())),
    ],
)
def test_a_name_can_be_declared_once(columns: tuple[Column, ...]) -> None:
    with pytest.raises(DeclarationError):
        Columns(*columns)


def test_a_required_column_must_be_filled_unless_it_says_otherwise() -> None:
    assert Column("a", text(), required=True).must_be_filled
    assert not Column("a", text()).must_be_filled
    assert not Column("a", text(), required=True, filled=False).must_be_filled
