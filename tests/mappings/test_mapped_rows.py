"""Mappings change rows, purely: a file goes in, cells of the file type come out."""

from __future__ import annotations

import io
from typing import Any

import pytest

from sync.columns.header import match_header
from sync.columns.row_secrets import RowSecrets
from sync.columns.rows import RowCleaner
from sync.errors import HeaderError, MappingError
from sync.mappings.column_mapping import ColumnMapping, read_mapping
from sync.mappings.header_keys import column_keys, fingerprint_of
from sync.mappings.mapped_rows import RowMapper, known_by, mapped
from sync.mappings.steps import Constant, Copy, Join, Part, Words
from sync.processors.registry import REGISTRY
from sync.reader import RowReader, open_rows
from sync.values import CleanRow, Header, Note, Rejection, Row

USERS = REGISTRY["users"].columns
NAMES = (Copy("username", "login"), Copy("lastname", "nom"), Copy("firstname", "prénom"))


def opened(text: str, mapping: ColumnMapping) -> RowReader:
    reader = open_rows(io.BytesIO(text.encode()), "in.csv", separator=";", known_name=known_by(mapping, USERS))
    return mapped(mapping, USERS, reader)


def cleaned(text: str, *steps: Any, left_out: tuple[str, ...] = ()) -> tuple[list[CleanRow], list[Rejection]]:
    with opened(text, ColumnMapping(tuple(steps), left_out)) as reader:
        cleaner = RowCleaner(USERS, match_header(USERS, reader.header), lambda _table, _column: None)
        return cleaner.clean(list(reader))


def values(text: str, *steps: Any, left_out: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    rows, rejections = cleaned(text, *steps, left_out=left_out)
    assert rejections == []
    return [{name: row.values[name] for name in sorted(row.values) if name != "mnethostid"} for row in rows]


def refused(text: str, *steps: Any, left_out: tuple[str, ...] = ()) -> str:
    with pytest.raises(MappingError) as caught:
        opened(text, ColumnMapping(tuple(steps), left_out))
    return caught.value.code


def test_each_kind_of_step_makes_its_cell() -> None:
    found = values(
        "Login;Nom complet;Rue;Ville;Genre;Fax\nada;LOVELACE Ada King;1, Park;London;Femme;9\n",
        Copy("username", "login"), Part("lastname", "nom complet", " ", 1),
        Part("firstname", "nom complet", " ", 2, to_end=True), Join("address", ("rue", "ville"), ", "),
        Copy("department", "genre", words=Words({"femme": "F", "Homme": "H"})), Constant("country", "GB"),
        left_out=("fax",),
    )  # fmt: skip
    assert found == [{
        "address": "1, Park, London", "country": "GB", "department": "F", "firstname": "Ada King", "lastname": "LOVELACE",
        "username": "ada",
    }]  # fmt: skip


@pytest.mark.parametrize(
    ("otherwise", "cell", "becomes"),
    [(None, "Autre", "Autre"), ("X", "Autre", "X"), ("X", "", ""), (None, "FEMME", "F"), ("X", "homme", "H")],
)
def test_words_that_nobody_translated(otherwise: str | None, cell: str, becomes: str) -> None:
    words = Words({"Femme": "F", "Homme": "H"}, otherwise)
    found = values(f"Login;Nom;Prénom;Genre\na;B;C;{cell}\n", *NAMES, Copy("department", "genre", words=words))
    assert found[0].get("department") == becomes


def test_lines_and_bytes_stay_those_of_the_file() -> None:
    with opened("Login;Nom;Prénom\n# a remark\nada;Łęcka;Ada\n", ColumnMapping(NAMES)) as reader:
        [row] = reader
        assert (row.line, row.raw, reader.header.raw.strip()) == (
            3,
            "ada;Łęcka;Ada".encode(),
            "Login;Nom;Prénom".encode(),
        )
        assert dict(zip(reader.header.names, row.cells, strict=True)) == {
            "username": "ada", "lastname": "Łęcka", "firstname": "Ada",
        }  # fmt: skip


def test_a_row_that_ends_early_clears_nothing_that_it_had_no_cell_for() -> None:
    header, *steps = "Login;Nom;Prénom;Ville;Bureau", *NAMES, Copy("city", "ville"), Copy("department", "bureau")
    whole, short = values(f"{header}\na;B;C;;\na;B;C\n", *reversed(steps))
    assert (whole.get("department"), "department" in short) == ("", False)


def test_a_row_with_a_cell_too_many_is_rejected_in_numbers_of_the_file() -> None:
    _rows, [rejection] = cleaned("Login;Nom;Prénom;Fax\na;B;C;1;2\n", *NAMES, left_out=("fax",))
    assert (rejection.code, rejection.params) == ("too_many_cells", {"cells": 5, "width": 4})


def test_what_is_wrong_with_a_cell_goes_with_it() -> None:
    _rows, [rejection] = cleaned("Fax;Nom;Prénom;Login\n1;#REF!;C;a\n", *NAMES, left_out=("fax",))
    assert (rejection.column, rejection.code) == ("lastname", "cell_is_formula_error")


def test_doubtful_quotes_are_told_at_their_column() -> None:
    names = ("Nom", "Fax", "Prénom", "Login")
    header = Header(1, b"", tuple(map(str.lower, names)), names)
    mapper = RowMapper(ColumnMapping((Constant("auth", "ldap"), *NAMES), ("fax",)), USERS, header)
    fault = Note("quotes_doubtful", {"first": 2, "last": 3, "cells": 3, "place": 2, "value": '"C'})
    row = mapper.row(Row(2, b"", ("B", "1", "C\n3;4"), fault))
    assert row.fault is not None
    assert mapper.header.names[row.fault.params["place"]] == "firstname"


def test_columns_that_are_known_and_not_mentioned_stay() -> None:
    assert values("Login;Nom;Prénom;city\na;B;C;Paris\n", *NAMES)[0]["city"] == "Paris"


def test_a_column_that_nobody_mentions_is_unknown_as_ever() -> None:
    with pytest.raises(HeaderError):
        cleaned("Login;Nom;Prénom;Autre\na;B;C;D\n", *NAMES)


def test_a_known_column_can_be_left_out() -> None:
    assert "deleted" not in values("Login;Nom;Prénom;deleted\na;B;C;1\n", *NAMES, left_out=("deleted",))[0]


def test_equal_names_are_told_apart_by_number_and_empty_ones_by_place() -> None:
    assert column_keys(["Co\u200bde", "Libellé", "code", "", "CODE "]) == (
        "code",
        "libellé",
        "code (2)",
        "(4)",
        "code (3)",
    )
    found = values(
        "Login;Nom;Prénom;Code;;Code\na;B;C;1;x;2\n", *NAMES, Copy("idnumber", "code (2)"), left_out=("code", "(5)")
    )
    assert found[0]["idnumber"] == "2"


def test_passwords_of_a_column_that_is_left_out_stay_hidden() -> None:
    with opened(
        "Login;Nom;Prénom;Mot de passe\na;Secret-12;C;Secret-12\n", ColumnMapping(NAMES, ("mot de passe",))
    ) as reader:
        [row] = reader
        assert "Secret-12" not in RowSecrets(reader.header.names).shown_row(row).cells


def test_what_can_not_be_mapped() -> None:
    header = "Login;Nom;Prénom;Mail;Mot de passe\n"
    assert refused(header, *NAMES, Copy("email", "courriel")) == "mapping_source_missing"
    assert refused(header, *NAMES, Copy("shoesize", "mail")) == "mapping_target_unknown"
    assert refused(header, *NAMES, Copy("lastname", "mail")) == "mapping_two_for_one"
    assert refused("email;" + header, *NAMES, Copy("email", "mail")) == "mapping_two_for_one"
    assert refused(header, *NAMES, Copy("city", "mot de passe")) == "mapping_shows_secret"
    assert refused(header, *NAMES, Constant("password", "Welcome-1")) == "mapping_holds_secret"


def test_a_mapping_is_data() -> None:
    mapping = ColumnMapping(
        (*NAMES, Part("city", "x", "-", 2, to_end=True), Join("address", ("y", "z"), " "), Constant("auth", "ldap"),
         Copy("department", "g", words=Words({"Femme": "F"}, ""))),
        ("fax",), "Apogée", 3,
    )  # fmt: skip
    assert read_mapping(mapping.data()) == mapping


DAMAGED: tuple[Any, ...] = (
    None, [], {}, {"steps": [], "left_out": "abc"}, {"steps": [{"step": "eval", "target": "x"}], "left_out": []},
    {"steps": [{"step": "copy", "target": "x"}], "left_out": []}, {"steps": 3, "left_out": []},
    {"steps": [{"step": "part", "target": "x", "source": "y", "separator": "", "number": 1, "to_end": False}], "left_out": []},
    {"steps": [{"step": "part", "target": "x", "source": "y", "separator": "-", "number": 0, "to_end": False}], "left_out": []},
    {"steps": [{"step": "constant", "target": "x", "constant": "y" * 1000}], "left_out": []},
    {"steps": [{"step": "copy", "target": "x", "source": "y", "words": {"a": 1}}], "left_out": []},
)  # fmt: skip


@pytest.mark.parametrize("data", DAMAGED)
def test_damaged_data_is_refused(data: Any) -> None:
    with pytest.raises(MappingError):
        read_mapping(data)


def test_files_of_one_header_are_known_again() -> None:
    one = fingerprint_of(["Login", "Nom", "Prénom"])
    assert fingerprint_of(["NOM", "login ", "Prénom", "", ""]) == one
    assert fingerprint_of(["Login", "Nom", "Prénom", "_mapping", "_line", "_code", "_reason"]) == one
    assert fingerprint_of(["\ufeffLogin", "Nom\u200b", "Pré\u00adnom"]) == one
    assert fingerprint_of(["Login", "Nom"]) != one
    # Where a name stands there twice, its place tells which is meant.
    assert fingerprint_of(["Code", "Code", "Nom"]) != fingerprint_of(["Nom", "Code", "Code"])


def test_four_hundred_columns() -> None:
    names = [f"Colonne {number}" for number in range(397)]
    text = f"Login;Nom;Prénom;{';'.join(names)}\na;B;C;{';'.join('x' * 397)}\n"
    found = values(text, *NAMES, left_out=tuple(column_keys(names)))
    assert found[0]["lastname"] == "B"


@pytest.mark.parametrize(
    "step",
    [
        {"step": "join", "target": "city", "parts": [str(n) for n in range(11)], "separator": " "},
        {"step": "join", "target": "city", "parts": ["a", "a"], "separator": " "},
        {"step": "part", "target": "city", "source": "a", "separator": " ", "number": 101, "to_end": True},
    ],
)
def test_a_cell_is_made_of_few_others(step: dict[str, Any]) -> None:
    with pytest.raises(MappingError):
        read_mapping({"steps": [step], "left_out": []})


def test_a_column_that_becomes_a_password_is_hidden_under_any_name() -> None:
    mapping = ColumnMapping((Copy("password", "pw"), Join("city", ("town", "pw"))))
    assert mapping.names_with_secrets(["Login", "PW", "Town"]) == ["Login", "password", "Town"]
