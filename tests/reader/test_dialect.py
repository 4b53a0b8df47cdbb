"""sync.reader.dialect"""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given, strategies as st

from sync.encodings import ENCODING_LABELS
from sync.errors import OptionError
from sync.reader import Dialect, encode_cells, normalise_encoding, normalise_separator, open_rows
from sync.reader.cells import split_cells
from sync.reader.dialect import SEPARATORS, decode_entities, guess_separator

KNOWN = {"username", "firstname", "lastname", "time:zone"}


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("", ""),
        ("utf8", "UTF-8"),
        ("UTF-8-sig", "UTF-8"),
        ("utf-16", "UTF-16"),
        ("cp1252", "Windows-1252"),
        ("latin1", "ISO-8859-1"),
        ("iso-8859-15", "ISO-8859-15"),
        *((name, name) for name in ENCODING_LABELS),
    ],
)
def test_an_encoding_is_known_by_all_its_names(typed: str, name: str) -> None:
    assert normalise_encoding(typed) == name


@pytest.mark.parametrize("typed", ["rot13", "klingon"])
def test_an_encoding_we_do_not_read_is_an_option_error(typed: str) -> None:
    with pytest.raises(OptionError) as caught:
        normalise_encoding(typed)
    assert caught.value.code == "option_not_choice"
    assert caught.value.params["option"] == "encoding"


@pytest.mark.parametrize(
    ("typed", "separator"),
    [
        ("", ""),
        ("tab", "\t"),
        ("TAB", "\t"),
        ("\\t", "\t"),
        ("comma", ","),
        ("semicolon", ";"),
        ("Pipe", "|"),
        ("colon", ":"),
        (" ; ", ";"),
        *((separator, separator) for separator in SEPARATORS),
    ],
)
def test_a_separator_is_known_by_its_word_and_its_character(typed: str, separator: str) -> None:
    assert normalise_separator(typed) == separator


@pytest.mark.parametrize("typed", ["x", " ", ";;"])
def test_another_separator_is_an_option_error(typed: str) -> None:
    with pytest.raises(OptionError):
        normalise_separator(typed)


@pytest.mark.parametrize(
    ("header", "separator"),
    [
        ("username;firstname", ";"),
        ("username,firstname", ","),
        ("username\tfirstname", "\t"),
        ("username|firstname", "|"),
        ("username:firstname", ":"),
        ("username", ";"),
        ("a;b;c,username,lastname", ","),
        ("x,y,z;w", ","),
        ("username;firstname,x,y,z", ";"),
        ('"username","first;na;me;x;y",Lastname', ","),
        ("Username ,FIRSTNAME, x;y;z;lastname", ","),
    ],
)
def test_the_separator_is_the_one_that_gives_most_known_names_then_most_names(header: str, separator: str) -> None:
    assert guess_separator(header, KNOWN.__contains__) == separator


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("a&#44b", "a,b"),
        ("a&#44;b", "a,b"),
        ("a&#59b", "a;b"),
        ("a&#59;b", "a;b"),
        ("12&#445", "12,5"),
        # Other letters, whose numbers begin alike.
        ("&#44608;&#48124;", "&#44608;&#48124;"),
        ("&#44;608;", ",608;"),
        ("&#45;", "&#45;"),
    ],
)
def test_entities_stand_for_comma_and_semicolon(typed: str, meant: str) -> None:
    assert decode_entities(typed) == meant


@pytest.mark.parametrize(
    ("row", "cells"),
    [
        ("", [""]),
        (";", ["", ""]),
        ('"";""', ["", ""]),
        ('"a;b";c', ["a;b", "c"]),
        ('"a ""b"" c";d', ['a "b" c', "d"]),
        ('a "b" c;d"', ['a "b" c', 'd"']),
        ('"a" b;c', ['"a" b', "c"]),
        ('"La Villa" rue 5;"Nantes"', ['"La Villa" rue 5', "Nantes"]),
        ('"a" ; "b";c', ["a", "b", "c"]),
        ('"a;b', ['"a', "b"]),
        ('"5" screen";x', ['"5" screen"', "x"]),
        ('"a\r\nb";c', ["a\r\nb", "c"]),
        ('""""', ['"']),
        (' "a;b"', ["a;b"]),
    ],
)
def test_a_cell_that_begins_with_a_quote_is_quoted(row: str, cells: list[str]) -> None:
    assert split_cells(row, ";") == cells


@given(cells=st.lists(st.text(alphabet='ab;,"\n\r\t| ', max_size=6), min_size=1), separator=st.sampled_from(SEPARATORS))
def test_cells_written_by_the_csv_module_are_split_as_they_were(cells: list[str], separator: str) -> None:
    written = io.StringIO(newline="")
    csv.writer(written, delimiter=separator, lineterminator="").writerow(cells)
    assert split_cells(written.getvalue(), separator) == (cells if cells != [""] else [""])


@given(
    cells=st.lists(st.text(alphabet='aé€;,"\n\r\t|:# (-', max_size=6), min_size=1),
    separator=st.sampled_from(SEPARATORS),
    encoding=st.sampled_from(["UTF-8", "UTF-16LE", "UTF-16BE", "Windows-1252", "ISO-8859-15"]),
)
def test_encoded_cells_come_back_when_read(cells: list[str], separator: str, encoding: str) -> None:
    dialect = Dialect(encoding, separator)
    end = "\n".encode(encoding)
    file = b"".join(encode_cells(dialect, row) + end for row in (["h"] * len(cells), cells))
    (row,) = open_rows(io.BytesIO(file), "a.csv", encoding=encoding, separator=separator)
    assert row.cells == tuple(cell.strip() for cell in cells)
    assert row.raw + end == file[-len(row.raw + end) :]


def test_characters_the_encoding_lacks_become_question_marks() -> None:
    assert encode_cells(Dialect("ISO-8859-1", ";"), ["3", "é→", "a;b"]) == b'3;\xe9?;"a;b"'
