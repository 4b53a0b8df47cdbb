"""Which header names mean which column."""

from __future__ import annotations

from typing import Any

import pytest

from sync.columns.clean import flag, text
from sync.columns.column import (
    Column,
    DefaultColumn,
    Empty,
    NumberedColumn,
    OptionalColumn,
    PrefixedColumn,
    RequiredColumn,
)
from sync.columns.file_columns import Columns
from sync.errors import DeclarationError

COLUMNS = Columns(
    OptionalColumn(text(), name="cmd", aliases=("gcmd",)),
    NumberedColumn(text(), name="course"),
    NumberedColumn(text(), name="teacher", suffix="_role"),
    NumberedColumn(text(), name="section", least=0),
    PrefixedColumn(text(), name="profile_field_"),
    OptionalColumn(text(), name="htmleditor", ignored=True),
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
    assert COLUMNS.plain_names == ("cmd", "course1", "teacher1_role", "section0", "profile_field_")


@pytest.mark.parametrize(
    "columns",
    [
        (OptionalColumn(text(), name="a"), OptionalColumn(text(), name="a")),
        (OptionalColumn(text(), name="a"), OptionalColumn(text(), name="b", aliases=("a",))),
        (NumberedColumn(text(), name="a"), NumberedColumn(text(), name="a")),
    ],
)
def test_a_name_can_be_declared_once(columns: tuple[Column, ...]) -> None:
    with pytest.raises(DeclarationError):
        Columns(*columns)


@pytest.mark.parametrize(
    "column",
    [
        OptionalColumn(text(), name="a", required=True, filled=True),
        OptionalColumn(flag(), name="a", empty=Empty.CLEARS),
        DefaultColumn(flag(), name="a", default=0, empty=Empty.CLEARS),
    ],
)
def test_a_column_that_contradicts_itself_never_starts(column: Column[Any]) -> None:
    with pytest.raises(DeclarationError):
        Columns(column)


@pytest.mark.parametrize("more", [{"one_of": ("a", "b")}, {"flat_names": ("b", "a")}, {"subject": "{a} / {b}"}])
def test_what_a_file_type_says_of_its_columns_names_some(more: dict[str, Any]) -> None:
    with pytest.raises(DeclarationError, match="there is no column b"):
        Columns(OptionalColumn(text(), name="a"), **more)


def test_a_required_column_must_be_filled_and_others_need_not() -> None:
    assert (RequiredColumn(text(), name="a").required, RequiredColumn(text(), name="a").filled) == (True, True)
    assert (OptionalColumn(text(), name="a").required, OptionalColumn(text(), name="a").filled) == (False, False)
    assert not OptionalColumn(text(), name="a", required=True).filled
