"""What an administrator may tune."""

from __future__ import annotations

from typing import Any

import pytest

from sync.columns.general_options import DateOrderOptions, GeneralOptions
from sync.columns.options import Choice, Flag, Number, Option, Options, Text
from sync.errors import DeclarationError, OptionError
from sync.messages import text_of
from sync.processors.registry import REGISTRY


class SomeOptions(Options):
    dead = frozenset({"users_dead"})

    identity = Choice(default="idnumber", choices={"idnumber": "", "username": ""}, aliases=("users_identity",))
    rename = Flag(aliases=("users_rename",))
    protect = Flag(default=True)
    role = Text(default="student", max_length=10)


def test_without_a_word_everything_is_as_declared() -> None:
    assert dict(SomeOptions.resolve()) == {"identity": "idnumber", "rename": False, "protect": True, "role": "student"}


def test_later_layers_lie_over_earlier_ones() -> None:
    values = SomeOptions.resolve({"identity": "username", "rename": "1"}, {"rename": "0", "role": " teacher "})

    assert (values.identity, values.rename, values.role) == ("username", False, "teacher")
    assert values["identity"] == "username"


def test_the_names_of_the_old_plugin_are_understood() -> None:
    values = SomeOptions.resolve({"users_rename": "on", "users_identity": "username"})

    assert (values.rename, values.identity) == (True, "username")
    assert set(values) == {"identity", "rename", "protect", "role"}


@pytest.mark.parametrize(
    ("value", "meant"),
    [(True, True), ("1", True), ("Yes", True), (1, True), ("", False), ("off", False), (0, False)],
)
def test_a_flag_understands_what_people_write(value: Any, meant: bool) -> None:
    assert SomeOptions.resolve({"rename": value}).rename is meant


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
        SomeOptions.resolve({name: value})

    assert refused.value.code == code
    assert said in text_of(refused.value.code, refused.value.params)


class CountedOptions(Options):
    days = Number(most=365)
    tries = Number(default=3, most=9)


@pytest.mark.parametrize(("value", "meant"), [("30", 30), (30, 30), (" 007 ", 7), ("", 0), (None, 0), ("365", 365)])
def test_a_number_is_understood_as_forms_shell_and_stored_options_have_it(value: Any, meant: int) -> None:
    assert CountedOptions.resolve({"days": value}).days == meant
    assert CountedOptions.resolve({}).tries == 3


@pytest.mark.parametrize("value", ["366", "-1", "3.5", "ten", "²", "9" * 5000, True])
def test_what_is_no_number_of_the_range_is_refused(value: Any) -> None:
    with pytest.raises(OptionError) as refused:
        CountedOptions.resolve({"days": value})

    assert refused.value.code == "option_not_number"
    assert "whole number from 0 to 365" in text_of(refused.value.code, refused.value.params)


def test_a_number_whose_default_is_out_of_range_never_starts() -> None:
    with pytest.raises(DeclarationError):

        class _Bad(Options):
            days = Number(default=400, most=365)


def test_options_are_frozen() -> None:
    values = SomeOptions.resolve()

    with pytest.raises(AttributeError):
        values.rename = True
    with pytest.raises(AttributeError):
        _ = values.colour  # type: ignore[attr-defined]
    assert values.rename is False


def test_a_class_holds_the_declarations_and_its_instances_the_values() -> None:
    assert [option.name for option in SomeOptions.declared] == ["identity", "rename", "protect", "role"]
    assert SomeOptions.rename.aliases == ("users_rename",)
    assert SomeOptions({"rename": True}).rename is True


def test_other_values_make_another_instance() -> None:
    values = SomeOptions.resolve({"role": "teacher"})

    assert values.replaced({SomeOptions.protect: False}) == SomeOptions({"role": "teacher", "protect": False})
    assert values.protect is True


def test_dead_settings_are_kept_and_have_no_say() -> None:
    values = SomeOptions.resolve({"users_dead": "1", "rename": True})

    assert values["users_dead"] == "1"
    assert "users_dead" not in {option.name for option in SomeOptions.declared}


def test_what_a_class_declares_stands_before_what_its_bases_do() -> None:
    class MoreOptions(SomeOptions):
        colour = Flag()
        protect = Flag(default=False)

    assert [option.name for option in MoreOptions.declared] == ["colour", "protect", "identity", "rename", "role"]
    assert (MoreOptions().protect, SomeOptions().protect) == (False, True)


def test_a_declaration_that_contradicts_itself_never_starts() -> None:
    with pytest.raises(DeclarationError):

        class _WithoutItsDefault(Options):
            identity = Choice(default="email", choices={"idnumber": ""})

    with pytest.raises(DeclarationError):

        class _TwiceTheSameName(Options):
            rename = Flag()
            allow = Flag(aliases=("rename",))


@pytest.mark.parametrize("key", REGISTRY)
def test_every_option_of_a_file_type_is_an_attribute_of_its_values(key: str) -> None:
    options = REGISTRY[key].options
    declared = {name for base in options.__mro__ for name, value in vars(base).items() if isinstance(value, Option)}

    values = options.resolve()

    assert declared == {option.name for option in options.declared} == set(values)
    for option in options.declared:
        assert getattr(options, option.name) is option
        assert getattr(values, option.name) == option.default == option.clean(option.default)


@pytest.mark.parametrize("key", REGISTRY)
def test_every_file_type_has_the_general_options_and_their_old_names(key: str) -> None:
    options = REGISTRY[key].options
    assert set(GeneralOptions.declared) <= set(options.declared)
    assert options.resolve({"csvseparator": ","}).separator == ","


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("users", {"primaryidentity": "idnumber", "courseidentifier": "shortname", "createpasswords": False,
                   "sendpasswordtousers": False, "allowrename": False, "protectemails": True, "resurrect": False,
                   "enrolbydefault": False, "absent": "keep", "absentscope": "none", "absentname": "", "absentall": False,
                   "gracedays": 0}),
        ("users_delete", {"primaryidentity": "idnumber", "gracedays": 0}),
        ("users_suspend", {"primaryidentity": "idnumber"}),
        ("users_restore", {"primaryidentity": "idnumber"}),
    ],
)  # fmt: skip
def test_the_options_of_users_are_those_of_the_specification(key: str, expected: dict[str, Any]) -> None:
    general = {option.name for option in DateOrderOptions.declared}
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
