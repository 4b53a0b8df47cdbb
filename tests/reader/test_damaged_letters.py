"""Letters that were damaged before the file came."""

# ruff: noqa: RUF001 (accents and quotes that look alike)

from __future__ import annotations

import io

import pytest

from sync.reader import open_rows
from sync.reader.damaged_letters import damaged_letters
from sync.values import Note


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("JosÃ©", "José"),
        ("GroÃŸ MÃ¼ller", "Groß Müller"),
        ("JOSÃ\x89", "JOSÉ"),
        ("Dâ€™Arcy", "D’Arcy"),
        ("Å\x81ukasz", "Łukasz"),
        ("Ð˜Ð²Ð°Ð½", "Иван"),
        ("JosÃƒÂ©", "José"),
        ("Î‘Î½Î½Î±", "Αννα"),
        ("é™ˆä¼Ÿ", "陈伟"),
        ("Jos├®", "José"),
        ("Jos√©", "José"),
        ("JosĂ©", "José"),
        ("VoilÃ", "Voilà"),
        ("VoilÃ tout", "Voilà tout"),
        ("Ã la carte", "à la carte"),
        ("Jean Â Paul 10, caféÂ", "Jean Â Paul 10, café"),
    ],
)
def test_utf_8_that_was_read_in_another_encoding_is_seen(text: str, meant: str) -> None:
    fault = damaged_letters(text)
    assert fault == (Note("cell_encoded_twice", {"value": text, "meant": meant}) if meant else None)


@pytest.mark.parametrize("text", ["Ãlvaro", "Maria Ãngeles", "ÃLVARO", "ÐœÐ°Ñ€Ð¸Ñ", "Ù…Ø­Ù…Ø¯Ø"])
def test_utf_8_of_which_halves_of_letters_are_lost_is_seen(text: str) -> None:
    assert damaged_letters(text) == Note("cell_letters_lost", {})


@pytest.mark.parametrize(
    "text",
    [
        "IRMÃ", "AMANHÃ E", "Ã", "Smith†", "“a”b”c", "„Haus“chen", "Kurs„Eins“", "the “Great”ly",
        "l’été…", "‚Zitat‘", "Tom ‚Rex‘ Ax", "Moodle™", "»a«",
        "JOÃO", "SÃO PAULO", "“JOSÓ”", "CAFÉ’S", "BLÅ’S", "Â", "Âge d’or – été…", "MÃE ©", "Łódź", "Иван", "café»", "√2",
        "MÃES", "L’ÃO", "créé", "«Café…»", "Noël–été", "Øé", "Ñandú", "ĂLAȘ", "ÀÉÎ ©", "l’Â – x", "line\nbreak\tñ", "Ǻ",
    ],
)  # fmt: skip
def test_letters_of_many_languages_are_in_order(text: str) -> None:
    assert damaged_letters(text) is None


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("Jos‚", "José"), ("Ren‚e", "Renée"), ("Fran‡ois", "François"), ("Tˆte", "Tête"), ("G”ttingen", "Göttingen"),
        ("C“te", "Côte"), ("No‰l", "Noël"), ("B„cker", "Bäcker"),
    ],
)  # fmt: skip
def test_letters_of_dos_that_were_read_as_those_of_windows_are_seen(text: str, meant: str) -> None:
    assert damaged_letters(text) == Note("cell_encoded_otherwise", {"value": text, "meant": meant})


def test_a_cell_that_was_cut_or_read_otherwise_rejects_its_row() -> None:
    data = "shortname;fullname\nA;VoilÃ\nB;Ã la carte\nC;Fran‡ois\nD;Jos‚\n".encode()
    faults = [row.cell_faults[1].code for row in open_rows(io.BytesIO(data), "in.csv")]
    assert faults == [*["cell_encoded_twice"] * 2, *["cell_encoded_otherwise"] * 2]


@pytest.mark.parametrize("text", ["Jos\ufffd", "Jos\x82", "\x1b$BB@O:", "a\x7fb"])
def test_signs_of_lost_letters_are_seen(text: str) -> None:
    assert damaged_letters(text) == Note("cell_letters_lost", {})


def test_only_the_damaged_cell_is_at_fault() -> None:
    data = "username;firstname;lastname\nann;JosÃ©;García\nbob;Zoé;O’Neil\n".encode()
    first, second = open_rows(io.BytesIO(data), "in.csv")
    assert {place: fault.code for place, fault in first.cell_faults.items()} == {1: "cell_encoded_twice"}
    assert not second.cell_faults
