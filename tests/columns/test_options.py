"""What an administrator may tune."""

from __future__ import annotations

from typing import Any

import pytest

from sync.columns.general_options import DATE_ORDER_OPTION, GENERAL_OPTIONS
from sync.columns.options import Choice, Flag, Options, Text
from sync.errors import DeclarationError, OptionError
from sync.messages import text_of
from sync.processors.registry import REGISTRY

OPTIONS = Options(
    Choice("identity", default="idnumber", choices={"idnumber": "", "username": ""}, aliases=("users_identity",)),
    Flag("rename", aliases=("users_rename",)),
    Flag("protect", default=True),
    Text("role", default="student", max_length=10),
)


def test_without_a_word_everything_is_as_declared() -> None:
    assert dict(OPTIONS.resolve()) == {"identity": "idnumber", "rename": False, "protect": True, "role": "student"}


def test_later_layers_lie_over_earlier_ones() -> None:
    values = OPTIONS.resolve({"identity": "username", "rename": "1"}, {"rename": "0", "role": " teacher "})

    assert (values.identity, values.rename, values.role) == ("username", False, "teacher")
    assert values["identity"] == "username"


def test_the_names_of_the_old_plugin_are_understood() -> None:
    values = OPTIONS.resolve({"users_rename": "on", "users_identity": "username"})

    assert (values.rename, values.identity) == (True, "username")
    assert set(values) == {"identity", "rename", "protect", "role"}


@pytest.mark.parametrize(
    ("value", "meant"),
    [(True, True), ("1", True), ("Yes", True), (1, True), ("", False), ("off", False), (0, False)],
)
def test_a_flag_understands_what_people_write(value: Any, meant: bool) -> None:
    assert OPTIONS.resolve({"rename": value}).rename is meant


@pytest.mark.parametrize(
    ("name", "value", "code", "said"),
    [
        ("colour", "red", "option_unknown", "There is no option “colour”. Options: identity, rename, protect, role."),
        ("rename", "maybe", "option_not_flag", "“maybe” is neither on nor off"),
        ("rename", None, "option_not_flag", "“None”"),
        ("identity", "email", "option_not_choice", "“email” is not possible. Choose one of: idnumber, username."),
        ("identity", "", "option_not_choice", "idnumber, username"),
        ("role", "editingteacher", "option_too_long", "at most 10 characters"),
    ],
)
def test_a_bad_option_is_refused_with_what_would_do(name: str, value: Any, code: str, said: str) -> None:
    with pytest.raises(OptionError) as refused:
        OPTIONS.resolve({name: value})

    assert refused.value.code == code
    assert said in text_of(refused.value.code, refused.value.params)


def test_options_are_frozen() -> None:
    values = OPTIONS.resolve()

    with pytest.raises(TypeError):
        values["rename"] = True
    with pytest.raises(AttributeError):
        _ = values.colour


def test_a_declaration_that_contradicts_itself_never_starts() -> None:
    with pytest.raises(DeclarationError):
        Choice("identity", default="email", choices={"idnumber": ""})
    with pytest.raises(DeclarationError):
        Options(Flag("rename"), Flag("allow", aliases=("rename",)))


@pytest.mark.parametrize("key", REGISTRY)
def test_every_file_type_has_the_general_options_and_their_old_names(key: str) -> None:
    options = REGISTRY[key].options
    assert {option.name for option in GENERAL_OPTIONS} <= {option.name for option in options}
    assert options.resolve({"csvseparator": ","}).separator == ","


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("users", {"primaryidentity": "idnumber", "courseidentifier": "shortname", "createpasswords": False,
                   "sendpasswordtousers": False, "allowrename": False, "protectemails": True, "resurrect": False,
                   "enrolbydefault": False}),
        ("users_delete", {"primaryidentity": "idnumber"}),
        ("users_suspend", {"primaryidentity": "idnumber"}),
        ("users_restore", {"primaryidentity": "idnumber"}),
    ],
)  # fmt: skip
def test_the_options_of_accounts_are_those_of_the_specification(key: str, expected: dict[str, Any]) -> None:
    general = {option.name for option in (*GENERAL_OPTIONS, DATE_ORDER_OPTION)}
    defaults = {name: value for name, value in REGISTRY[key].options.resolve().items() if name not in general}
    assert defaults == expected


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("users_primaryidentity", "primaryidentity"), ("courses_primaryidentity", "courseidentifier"),
        ("users_createpasswords", "createpasswords"), ("users_sendpasswordtousers", "sendpasswordtousers"),
        ("users_allowrename", "allowrename"), ("users_protectemails", "protectemails"), ("users_resurrect", "resurrect"),
    ],
)  # fmt: skip
def test_settings_of_the_old_plugin_keep_their_meaning(old: str, new: str) -> None:
    assert REGISTRY["users"].options.find(old).name == new
