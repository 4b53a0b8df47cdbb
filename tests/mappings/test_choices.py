"""What a person chooses for a column becomes steps, and steps become what the page shows."""

from __future__ import annotations

import pytest

from sync.mappings.choices import (
    ColumnChoice,
    choice_of,
    constants_of,
    guessed_mapping,
    read_words,
    target_names,
    with_choice,
    with_constants,
    without_unknown,
    words_text,
)
from sync.mappings.column_mapping import ColumnMapping
from sync.mappings.steps import Constant, Copy, Join, Part, Words
from sync.processors.registry import REGISTRY

USERS = REGISTRY["users"].columns


@pytest.mark.parametrize(
    "choice",
    [
        ColumnChoice("lastname"),
        ColumnChoice("username", also="idnumber"),
        ColumnChoice("lastname", split=" ", rest="firstname"),
        ColumnChoice("address", joined="ville", glue=", "),
        ColumnChoice("department", words="Femme = F\nHomme = H\n* = X"),
        ColumnChoice("suspended", words=" = 0\nparti = 1"),
    ],
)
def test_a_choice_is_what_the_page_shows_again(choice: ColumnChoice) -> None:
    mapping = with_choice(ColumnMapping(left_out=("x", "ville")), "x", "", choice)
    assert choice_of(mapping, "x", "") == choice
    assert "x" not in mapping.left_out
    nothing = with_choice(mapping, "x", "", ColumnChoice())
    assert (nothing.steps, nothing.left_out) == ((), ("ville", "x"))


def test_a_column_that_is_understood_needs_no_step() -> None:
    mapping = with_choice(ColumnMapping(), "e-mail", "email", ColumnChoice("city"))
    assert mapping.steps == (Copy("city", "e-mail"),)
    assert with_choice(mapping, "e-mail", "email", ColumnChoice("email")) == ColumnMapping()
    assert with_choice(mapping, "e-mail", "email", ColumnChoice()).left_out == ("e-mail",)


def test_the_second_column_of_a_join_isnt_left_out() -> None:
    mapping = with_choice(ColumnMapping(), "rue", "", ColumnChoice("address", joined="ville"))
    assert with_choice(mapping, "ville", "", ColumnChoice()).left_out == ()


def test_another_choice_makes_another_mapping() -> None:
    kept = ColumnMapping((Copy("lastname", "nom"),), (), "Kept", 3)
    assert with_choice(kept, "nom", "", ColumnChoice("firstname")).name == ""
    assert without_unknown(kept, ["nom", "x"]) is kept
    assert without_unknown(kept, ["x"]) == ColumnMapping()


def test_constants_are_replaced_as_a_whole() -> None:
    mapping = with_constants(ColumnMapping((Copy("a", "b"), Constant("auth", "ldap"))), {"city": "Paris"})
    assert (constants_of(mapping), mapping.steps[0]) == ({"city": "Paris"}, Copy("a", "b"))


def test_words_as_a_person_writes_them() -> None:
    words = read_words("Femme = F\r\nHomme=H\n\nno translation\n* = X\n = none")
    assert (dict(words.pairs), words.otherwise) == ({"Femme": "F", "Homme": "H", "": "none"}, "X")
    assert read_words(words_text(words)) == words
    assert not read_words("nothing")
    assert read_words("*=") == Words({}, "")


def test_names_of_other_programs_are_guessed_each_once() -> None:
    mapping = guessed_mapping(USERS, ["Nom", "Prénom", "E-mail", "Courriel", "Anything", "Mot de passe", "_line"])
    assert {step.target: step.sources[0] for step in mapping.steps} == {
        "lastname": "nom", "firstname": "prénom", "email": "e-mail", "password": "mot de passe",
    }  # fmt: skip
    assert mapping.left_out == ("courriel", "anything")


def test_steps_that_the_page_has_no_fields_for_stay() -> None:
    steps = (Part("city", "x", "-", 3), Join("address", ("a", "b", "c"), " "))
    mapping = with_choice(ColumnMapping(steps), "nom", "", ColumnChoice("lastname"))
    assert mapping.steps[:2] == steps


def test_what_columns_may_become() -> None:
    names = target_names(USERS)
    assert {"username", "course1", "cohort1"} <= set(names)
    assert not {"htmleditor", "profile_field_"} & set(names)
