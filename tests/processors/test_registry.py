"""Which file types there are, in which order, and how one is guessed from a file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import pytest

from sync.errors import DeclarationError
from sync.processors.base.processor import Processor
from sync.processors.registry import REGISTRY, check_registry, guess_processor, registry as processors

ACCOUNT_TYPES = {
    "users": "userimport.csv",
    "users_delete": "userdelete.csv",
    "users_suspend": "usersuspend.csv",
    "users_restore": "userrestore.csv",
}


@pytest.mark.parametrize(("key", "default_filename"), ACCOUNT_TYPES.items())
def test_the_account_types_are_there_under_the_names_of_old(key: str, default_filename: str) -> None:
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


def test_the_order_keeps_to_what_each_type_says() -> None:
    check_registry()


def test_an_order_that_contradicts_a_type_never_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    class First(Processor[Any, Any]):
        key = "first"
        after: ClassVar[tuple[str, ...]] = ("users",)

    monkeypatch.setattr(processors, "REGISTRY", {"first": First, **REGISTRY})

    with pytest.raises(DeclarationError, match="first comes after users"):
        check_registry()


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
