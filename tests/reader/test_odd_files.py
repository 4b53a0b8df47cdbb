"""Files as somebody would write them who wants the reader to lose or mix rows: quotes, separators and line ends of every kind."""

from __future__ import annotations

import io
import time

import pytest

from sync.errors import HeaderError
from sync.reader import RowReader, open_rows

HEADER = "username;firstname;lastname;city\n"
KNOWN = {"username", "firstname", "lastname", "city"}


def read(text: str) -> RowReader:
    return open_rows(io.BytesIO(text.encode()), "users.csv", known_names=KNOWN)


def rows_of(text: str) -> list[tuple[int, tuple[str, ...]]]:
    return [(row.line, row.cells) for row in read(text) if row.fault is None and not row.cell_faults]


LAST = ("b", "B", "L", "y")


@pytest.mark.parametrize(
    ("line", "cells"),
    [
        ('a;"He said ""hi ""you"""" there";L;x', ("a", 'He said "hi "you"" there', "L", "x")),
        ('a;"""";"""""";x', ("a", '"', '""', "x")),
        ('a;"La Villa" or "Le Parc";L;x', ("a", '"La Villa" or "Le Parc"', "L", "x")),
        ('a;";";";";x', ("a", ";", ";", "x")),
        ('a;"";"";""', ("a", "", "", "")),
        ('a; "B;C" ;L;x', ("a", "B;C", "L", "x")),
        ('a;"""B""";L;x', ("a", '"B"', "L", "x")),
        ('a;"""B;L;x', ("a", '"""B', "L", "x")),
        ('a;B;L;x"', ("a", "B", "L", 'x"')),
        ('a;"B;L;x', ("a", '"B', "L", "x")),
        ("a;'B';L;x", ("a", "'B'", "L", "x")),
        ("a;“B”;„L“;«x»", ("a", "“B”", "„L“", "«x»")),
        ("a;B;L;x;;;", ("a", "B", "L", "x", "", "", "")),
        ('a;B;L;x;"";""', ("a", "B", "L", "x", "", "")),
        ('a;"B\r\nC\rD\nE";L;x', ("a", "B\r\nC\rD\nE", "L", "x")),
        ("a;B\u2028C;L;x\x0by", ("a", "B\u2028C", "L", "x\x0by")),
        ('"a;B;L"', ("a;B;L",)),
        ('"a;B;L;x";', ("a;B;L;x", "")),
        ('a;"B"C;L;x', ("a", '"B"C', "L", "x")),
        ('a;"C:\\dir\\";L;x', ("a", "C:\\dir\\", "L", "x")),
        ('# he said "no;never\na;B;L;x', ("a", "B", "L", "x")),
        ('"a";"B";"L\n";"x"', ("a", "B", "L", "x")),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_row_is_read_and_the_one_below_it_too(line: str, cells: tuple[str, ...], end: str) -> None:
    text = line if end == "\n" or "\r" in line else line.replace("\n", end)
    found = [row for _line, row in rows_of(HEADER.replace("\n", end) + text + end + "b;B;L;y" + end)]
    assert found == [tuple(cell.replace("\n", end) if "\r" not in cell else cell for cell in cells), LAST]


@pytest.mark.parametrize(
    "lines",
    [
        'a;B;L;"x\nb;B\nc;C;L;z"',
        'a;B;L;"x\nfoo\nbar;baz\nb;B;L;y\nc;C;L;z"',
        'a;"x\n' + "q;r;s;t\n" * 150_000 + 'z";L;x',
        'a;"B\\";C";L',
    ],
    ids=("short row", "texts", "150,000 lines", "an escaped quote before a separator"),
)
def test_what_is_doubtful_is_rejected_and_the_row_below_it_is_read(lines: str) -> None:
    found = list(read(HEADER + lines + "\nb;B;L;y\n"))
    assert found[0].fault is not None or found[0].cell_faults
    assert [row.cells for row in found[1:]] == [LAST]


@pytest.mark.parametrize(
    ("cell", "meant"),
    [
        ('"He said "hi" there"', 'He said "hi" there'),
        ('"Robert "Bob"" ', 'Robert "Bob"'),
        ('""Bob" Lee"', '"Bob" Lee'),
        ('"a 5" screen"', 'a 5" screen'),
    ],
)
def test_quotes_that_are_not_doubled_may_have_others_around_them(cell: str, meant: str) -> None:
    first, second = read(f'{HEADER}"a";{cell};"L";"x"\nb;"""He said ""hi""";L;y\n')
    assert [(place, note.code, note.params["meant"]) for place, note in first.cell_faults.items()] == [
        (1, "cell_in_quotes", meant)
    ]
    assert (second.cells[1], second.cell_faults) == ('"He said "hi"', {})


@pytest.mark.parametrize("last", ['a;B;L;"x', 'a;B;L;"x\n'])
def test_a_quote_open_at_the_end_belongs_to_its_cell(last: str) -> None:
    assert rows_of(HEADER + "b;B;L;y\n" + last) == [(2, LAST), (3, ("a", "B", "L", '"x'))]


@pytest.mark.parametrize(
    ("first", "names"),
    [
        ('username;"first"name;lastname;city', ("username", '"first"name', "lastname", "city")),
        ('username;"firstname;lastname;city', ("username", '"firstname', "lastname", "city")),
        ('username;"first\nname";lastname;city', ("username", "first\nname", "lastname", "city")),
        ("\n\r\n\nusername;firstname;lastname;city", ("username", "firstname", "lastname", "city")),
        (";;;\nusername;firstname;lastname;city", ("username", "firstname", "lastname", "city")),
        ("username;firstname\tlastname;city", ("username", "firstname\tlastname", "city")),
        ("sep=;;\nusername;firstname", ("username", "firstname")),
        ("sep=\t\nusername\tfirstname", ("username", "firstname")),
        ("sep=,\nusername;firstname", ("username;firstname",)),
        ("sep=^\nusername^firstname", ("sep=^",)),
    ],
)
def test_a_header_swallows_no_row(first: str, names: tuple[str, ...]) -> None:
    reader = read(f"{first}\na;B\nb;B;L;y\n")
    assert reader.header.names == names
    assert len(list(reader)) == (3 if names == ("sep=^",) else 2)


@pytest.mark.parametrize("header", [HEADER, HEADER.replace(";", ","), "username;firstname;Remark\n"])
@pytest.mark.parametrize("first", ["sep=", "sep = ;", '""', "List of 2026"])
def test_a_line_above_the_header_is_refused(first: str, header: str) -> None:
    with pytest.raises(HeaderError) as caught:
        read(f"{first}\n{header}a;B;L;x\n")
    assert caught.value.code == "header_below"


def test_byte_order_marks_in_the_middle_lose_no_row() -> None:
    text = HEADER + "a;B;L;x\n\ufeffb;B;L;y\n\ufeffusername;firstname;lastname;city\nc;C;L;z\n"
    assert [row[0] for _line, row in rows_of(text)] == ["a", "\ufeffb", "c"]


@pytest.mark.parametrize("opening", ["\ufeff\ufeff", "sep=;\n\ufeff", "\ufeffsep=;\n\ufeff"])
def test_a_byte_order_mark_too_many_belongs_to_no_name(opening: str) -> None:
    reader = read(f"{opening}{HEADER}a;B;L;x\n")
    assert reader.header.names == ("username", "firstname", "lastname", "city")
    assert [row.cells[0] for row in reader] == ["a"]


@pytest.mark.parametrize("line", ['"a;B;L;x"', '"a;""B"";L;x" ', '"a;"" B;B"";L;x"'])
def test_a_line_that_stands_in_quotes_is_no_cell(line: str) -> None:
    first, second = read(f"{HEADER}{line}\nb;B;L;y\n")
    assert first.fault is not None
    assert (first.fault.code, second.fault) == ("row_in_quotes", None)
    added = f"{HEADER.strip()};_line;_code;_reason\n{line};;;;2;row_in_quotes;…\n"
    (again,) = read(added)
    assert again.fault == first.fault


@pytest.mark.parametrize("header", [HEADER, HEADER.replace(";", ","), "username;firstname;Remark\n"])
def test_a_header_that_stands_in_quotes_is_refused(header: str) -> None:
    with pytest.raises(HeaderError, match="header_in_quotes"):
        read(f'"{header.strip()}"\n"a;B;L;x"\n')


@pytest.mark.parametrize("sign", ["\u200b", "\ufeff", "\u200e", "\u00a0", "\u202f", "\u00ad"])
def test_what_nobody_sees_is_part_of_no_name_of_a_column(sign: str) -> None:
    header = f"{sign}username{sign},firstname,{sign}lastname,city{sign}\n"
    reader = read(f"{header}a,B,L,x\n{header}b,B,L,y\n")
    assert reader.header.names == ("username", "firstname", "lastname", "city")
    assert [row.cells for row in reader] == [("a", "B", "L", "x"), LAST]
    with pytest.raises(HeaderError, match="header_below"):
        read(f"List of 2026\n{header}a,B,L,x\n")


def test_a_separator_is_found_where_only_hidden_signs_stand_in_the_names() -> None:
    assert read("\u200busername;first,name\u200b;\u200blastname\na;B;L\n").dialect.separator == ";"


@pytest.mark.parametrize(
    ("cell", "length"),
    [
        ('"' + 'x""y;\n' * 300_000 + '"', 1_499_999),
        ('"' + "xyz " * 500_000, 2_000_000),
        ('"' + 'x"y' * 600_000, 1_800_001),
    ],
)
def test_a_cell_of_megabytes_with_quotes_is_one_cell_in_no_time(cell: str, length: int) -> None:
    began = time.process_time()
    (first, second) = rows_of(HEADER + f"a;{cell};L;x\nb;B;L;y\n")
    assert (len(first[1][1]), first[1][2:]) == (length, ("L", "x"))
    assert second[1] == LAST
    assert time.process_time() - began < 5
