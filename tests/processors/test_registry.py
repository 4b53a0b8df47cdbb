"""Which file types there are, in which order, and how one is guessed from a file."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import pytest

from sync.errors import DeclarationError
from sync.processors.base.processor import Processor
from sync.processors.registry import REGISTRY, guess_processor, ordered

PROCESSORS = Path(inspect.getfile(Processor)).parent.parent
USER_TYPES = {
    "users": "userimport.csv",
    "users_delete": "userdelete.csv",
    "users_suspend": "usersuspend.csv",
    "users_restore": "userrestore.csv",
}


@pytest.mark.parametrize(("key", "default_filename"), USER_TYPES.items())
def test_the_user_types_are_there_under_the_names_of_old(key: str, default_filename: str) -> None:
    assert REGISTRY[key].key == key
    assert REGISTRY[key].default_filename == default_filename


@pytest.mark.parametrize("key", REGISTRY)
def test_every_type_is_declared_in_full(key: str) -> None:
    processor = REGISTRY[key]
    assert str(processor.label)
    assert str(processor.summary).endswith(".")
    assert processor.default_filename.endswith(".zip" if processor.columns.of_pictures else ".csv")
    assert set(processor.after) <= REGISTRY.keys()
    assert set(processor.columns.one_of) <= {column.name for column in processor.columns}


def test_no_two_types_take_the_same_default_file() -> None:
    names = [processor.default_filename for processor in REGISTRY.values()]
    assert len(names) == len(set(names))


def test_each_type_stands_after_those_it_comes_after() -> None:
    keys = list(REGISTRY)
    for place, processor in enumerate(REGISTRY.values()):
        assert set(processor.after) <= set(keys[:place]), processor.key
    # What a sequence did before its order was computed.
    before = [
        "users", "users_delete", "users_suspend", "users_restore", "userpictures", "courses_reset", "courses_check",
        "courses_delete", "courses", "categories_delete", "courses_meta", "cohorts", "cohort_courses", "groups",
        "enrolments", "groupmembers",
    ]  # fmt: skip
    assert [key for key in keys if key in before] == before


def test_an_order_that_contradicts_itself_or_names_nothing_never_starts() -> None:
    class First(Processor):
        key = "first"
        after: ClassVar[tuple[str, ...]] = ("second",)

    class Second(Processor):
        key = "second"
        after: ClassVar[tuple[str, ...]] = ("first",)

    with pytest.raises(DeclarationError, match="first, second"):
        ordered([First, Second])  # type: ignore[type-abstract] # only what they declare is read
    with pytest.raises(DeclarationError, match="first comes after second, which isn't there"):
        ordered([First])  # type: ignore[type-abstract] # likewise


NAMES = ("username", "firstname", "lastname")


@pytest.mark.parametrize(
    ("names", "filename", "key"),
    [
        (NAMES, "", "users"),
        ((*NAMES, "course1", "profile_field_dept", "_line", "_code", "_reason"), "anything.csv", "users"),
        (("username",), "userdelete.csv", "users_delete"),
        (("username", "idnumber"), "UserSuspend_2025.csv", "users_suspend"),
        (("username", "email"), "userrestore_tryback_20250304-091205.csv", "users_restore"),
        (NAMES, "userrestore.csv", "users_restore"),
    ],
)
def test_a_type_is_guessed_from_header_and_name(names: Sequence[str], filename: str, key: str) -> None:
    assert guess_processor(names, filename) == key


@pytest.mark.parametrize(
    ("names", "filename"),
    [
        (("username",), "people.csv"),
        (("username", "idnumber"), ""),
        (("colour", "size"), "userimport.csv"),
        ((*NAMES, "colour"), "userimport.csv"),
        ((), ""),
    ],
)
def test_deleting_is_never_a_guess_and_a_strange_header_no_type(names: Sequence[str], filename: str) -> None:
    assert guess_processor(names, filename) == ""


def test_errors_of_rows_name_columns_that_a_file_type_of_their_package_has() -> None:
    types: dict[str, list[type[Processor]]] = {}
    for processor in REGISTRY.values():
        types.setdefault(Path(inspect.getfile(processor)).parent.name, []).append(processor)
    named = [
        (path.parent.name, call.args[1].value)
        for path in PROCESSORS.glob("*/*.py")
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "RowError"
        if len(call.args) > 1 and isinstance(call.args[1], ast.Constant) and path.parent.name in types
    ]

    assert len(named) > 50
    assert [name for package, name in named if not any(each.columns.find(str(name)) for each in types[package])] == []
