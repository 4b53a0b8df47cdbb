"""Files without a header: lists."""

from __future__ import annotations

import io

import openpyxl
import pytest

from sync.reader import RowReader, open_rows
from sync.values import Row


def opened(data: bytes, *names: str, separator: str = "", filename: str = "in.csv") -> RowReader:
    return open_rows(io.BytesIO(data), filename, list_names=names, separator=separator)


def cells(data: bytes, *names: str, separator: str = "") -> list[tuple[str, ...]]:
    return [row.cells for row in opened(data, *names, separator=separator)]


def test_the_first_line_is_a_row_and_the_header_has_the_given_names() -> None:
    reader = opened(b"# comment\nC1\n\nC2\n", "identifier")

    assert (reader.header.line, reader.header.names) == (0, ("identifier",))
    assert list(reader) == [Row(2, b"C1", ("C1",)), Row(4, b"C2", ("C2",))]


@pytest.mark.parametrize(
    ("line", "cell"), [("a;b,c:d", "a;b,c:d"), ('"(x)"', "(x)"), ('"a""b"', 'a"b'), ("a\t", "a"), ("ends;", "ends;")]
)
def test_one_cell_is_the_whole_line(line: str, cell: str) -> None:
    assert cells(line.encode(), "identifier") == [(cell,)]
    assert opened(line.encode(), "identifier").dialect.separator == ""


@pytest.mark.parametrize("separator", [";", ",", "\t", "|", ":"])
def test_several_cells_have_the_separator_of_the_first_line_and_further_ones_are_passed_over(separator: str) -> None:
    text = "C1;Maths\nC2;b;c\nC3\n".replace(";", separator)

    assert cells(text.encode(), "identifier", "description") == [("C1", "Maths"), ("C2", "b"), ("C3",)]


def test_a_separator_that_is_set_goes_before_what_is_found() -> None:
    assert cells(b"C1;x,Maths\n", "identifier", "description", separator=",") == [("C1;x", "Maths")]


@pytest.mark.parametrize("data", [b"", b"\n \n", b"# nothing\n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_an_empty_list(data: bytes) -> None:
    assert cells(data, "identifier") == []


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_encodings_are_found_as_in_other_files(encoding: str) -> None:
    assert cells("Zoé\nGâteau\n".encode(encoding), "identifier") == [("Zoé",), ("Gâteau",)]


def test_a_sheet_may_be_a_list() -> None:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    assert sheet is not None
    for row in (("C1", "Maths", "more"), (42, None, None)):
        sheet.append(row)
    out = io.BytesIO()
    workbook.save(out)

    rows = list(opened(out.getvalue(), "identifier", "description", filename="in.xlsx"))

    assert [row.cells for row in rows] == [("C1", "Maths"), ("42", "")]
    assert [row.line for row in rows] == [1, 2]
