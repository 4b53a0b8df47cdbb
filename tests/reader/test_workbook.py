"""sync.reader.workbook, through open_rows"""

from __future__ import annotations

import datetime
import io
import random
from typing import Any

import openpyxl
import pytest
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import Table, TableCell, TableRow
from odf.text import P

from sync.errors import CommandFileError, EmptyFile, HeaderError, UnknownFileType
from sync.reader import RowReader, open_rows
from sync.reader.workbook import cell_text
from sync.values import Note, Row
from tests.open_files import all_closed

DAY = datetime.datetime(2025, 3, 4)  # noqa: DTZ001 - a sheet knows no time zones
MOMENT = DAY.replace(hour=9, minute=12, second=5)


def xlsx(*sheets: list[list[Any]], hidden: int = 0) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for number, rows in enumerate(sheets):
        sheet = book.create_sheet(f"s{number}")
        sheet.sheet_state = "hidden" if number < hidden else "visible"
        for row in rows:
            sheet.append(row)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def ods(rows: list[list[str]], empty_rows_at_end: int = 0) -> bytes:
    document = OpenDocumentSpreadsheet()
    table = Table(name="s0")
    document.spreadsheet.addElement(table)
    for texts in rows:
        row = TableRow()
        for text in texts:
            cell = TableCell(valuetype="string") if text else TableCell()
            if text:
                cell.addElement(P(text=text))
            row.addElement(cell)
        table.addElement(row)
    if empty_rows_at_end:
        row = TableRow(numberrowsrepeated=empty_rows_at_end)
        row.addElement(TableCell(numbercolumnsrepeated=16384))
        table.addElement(row)
    stream = io.BytesIO()
    document.write(stream)
    return stream.getvalue()


def read(file: bytes, filename: str = "users.xlsx") -> RowReader:
    return open_rows(io.BytesIO(file), filename)


def refusal(file: bytes, filename: str = "users.xlsx") -> str:
    with pytest.raises(CommandFileError) as caught:
        read(file, filename)
    return caught.value.code


def test_a_sheet_gives_the_same_rows_as_a_file() -> None:
    file = xlsx(
        [
            ["# people"],
            [],
            ["Username ", "idnumber", "note"],
            ["ann", 123, 'says "x; y"'],
            [None, None, None],
            ["bob", None, None],
            ["-old", "1", "2"],
            ["eve", 7, "a&#44b", None, "stray"],
        ]
    )
    reader = read(file)
    assert (reader.header.line, reader.header.names) == (3, ("username", "idnumber", "note"))
    assert reader.header.raw == b"Username ;idnumber;note"
    assert list(reader) == [
        Row(4, b'ann;123;"says ""x; y"""', ("ann", "123", 'says "x; y"')),
        Row(6, b"bob;;", ("bob", "", "")),
        Row(7, b"-old;1;2", ("-old", "1", "2"), Note("comment_like_row", {"cell": "-ol…"})),
        Row(8, b"eve;7;a&#44b;;stray", ("eve", "7", "a,b", "", "stray")),
    ]
    assert (reader.dialect.encoding, reader.dialect.separator, reader.dialect.is_workbook) == ("UTF-8", ";", True)
    assert reader.skipped.count == 3
    assert reader.bytes_read == len(file)


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        ([" ann", "Ann"], ""),
        ([" ann"], ""),
        (["#N/A", "Ann"], "cell_is_formula_error"),
        (["#NV"], "cell_is_formula_error"),
        (["-ann", "Ann"], "comment_like_row"),
        (["# ann", None, "x"], "comment_like_row"),
        (["# the end"], None),
        (["-----"], None),
    ],
)
def test_a_row_that_begins_like_a_comment_and_ends_with_empty_cells_is_not_passed_over(
    cells: list[str | None], code: str | None
) -> None:
    reader = read(xlsx([["username", "idnumber", "note"], cells, ["bob", "1", "2"]]))
    *found, _bob = reader
    codes = [
        row.fault.code if row.fault else "".join(fault.code for fault in row.cell_faults.values()) for row in found
    ]
    assert codes == ([] if code is None else [code])
    assert reader.skipped.count == (code is None)
    assert all(row.cells[0] == str(cells[0]).strip() for row in found)


def test_raw_rows_read_as_text_give_the_same_cells() -> None:
    reader = read(xlsx([["username", "note"], ["ann", 'two\nlines; "quoted"'], ["", "x"]]))
    rows = list(reader)
    end = reader.dialect.line_end.encode()
    text = reader.dialect.bom + end.join([reader.header.raw, *(row.raw for row in rows)])
    assert [row.cells for row in open_rows(io.BytesIO(text), "a.csv", separator=";")] == [row.cells for row in rows]


def test_an_ods_sheet_is_read() -> None:
    reader = read(ods([["username", "note"], ["", ""], ["ann", "é"]], empty_rows_at_end=1_000_000), "users.ods")
    assert list(reader) == [Row(3, "ann;é".encode(), ("ann", "é"))]


def test_a_workbook_is_known_by_its_content() -> None:
    assert [row.cells for row in read(xlsx([["username"], ["ann"]]), "users.csv")] == [("ann",)]
    assert [row.cells for row in read(ods([["username"], ["ann"]]), "users.csv")] == [("ann",)]


def test_the_sheet_is_the_first_visible_one_that_is_not_empty() -> None:
    file = xlsx([["hidden"], ["x"]], [], [["username"], ["ann"]], [["other"], ["y"]], hidden=1)
    assert [row.cells for row in read(file)] == [("ann",)]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (123.0, "123"),
        (0.1 + 0.2, "0.3"),
        (-1.5, "-1.5"),
        (1e20, "100000000000000000000"),
        (1e-7, "0.0000001"),
        (7, "7"),
        (True, "1"),
        (False, "0"),
        (" 007 ", " 007 "),
        (datetime.date(2025, 3, 4), "2025-03-04"),
        (DAY, "2025-03-04"),
        (MOMENT, "2025-03-04 09:12:05"),
        (MOMENT - datetime.timedelta(microseconds=100), "2025-03-04 09:12:05"),
        (datetime.time(9, 2, 5), "09:02:05"),
        (datetime.timedelta(hours=30, seconds=5), "30:00:05"),
    ],
)
def test_a_value_is_written_as_a_person_would(value: Any, text: str) -> None:
    assert cell_text(value) == text


def test_values_of_a_real_sheet() -> None:
    (row,) = read(xlsx([["a", "b", "c", "d", "e"], [3, 2.5, True, DAY, MOMENT]]))
    assert row.cells == ("3", "2.5", "1", "2025-03-04", "2025-03-04 09:12:05")


def test_a_workbook_without_content_is_empty() -> None:
    with pytest.raises(EmptyFile):
        read(xlsx([]))


def test_a_workbook_of_comments_has_no_header() -> None:
    with pytest.raises(HeaderError):
        read(xlsx([["# a"], [" "], ["(b)"]]))


@pytest.mark.parametrize("filename", ["users.xlsx", "users.csv"])
@pytest.mark.parametrize("part", [0.1, 0.5, 0.99])
def test_a_truncated_workbook_is_broken(part: float, filename: str) -> None:
    file = xlsx([["username"], ["ann"]])
    assert refusal(file[: int(len(file) * part)], filename) == "workbook_broken"


def test_a_damaged_workbook_is_read_or_refused_but_nothing_else() -> None:
    whole = xlsx([["username", "note"], *([f"u{number}", "x"] for number in range(50))])
    chance = random.Random(1)
    codes = set()
    for _try in range(40):
        file = bytearray(whole)
        for _byte in range(5):
            file[chance.randrange(4, len(file))] = chance.randrange(256)
        try:
            list(read(bytes(file)))
        except UnknownFileType as error:
            codes.add(error.code)
    assert "workbook_broken" in codes


def test_a_stray_cell_in_the_last_corner_does_not_kill_the_process() -> None:
    book = openpyxl.Workbook()
    book.active["A1"] = "username"
    book.active["XFD1048576"] = "x"
    stream = io.BytesIO()
    book.save(stream)
    assert refusal(stream.getvalue()) == "workbook_too_large"


def test_formatting_far_away_is_not_content() -> None:
    book = openpyxl.Workbook()
    book.active.append(["username"])
    book.active.append(["ann"])
    book.active["XFD1048576"].font = openpyxl.styles.Font(bold=True)
    stream = io.BytesIO()
    book.save(stream)
    assert [row.cells for row in read(stream.getvalue())] == [("ann",)]


def test_a_workbook_is_closed_at_the_end_of_the_block_or_where_it_can_not_be_used() -> None:
    with all_closed(), read(xlsx([["username"], ["ann"], ["bob"]])) as reader:
        assert next(iter(reader)).cells == ("ann",)
    with all_closed(), pytest.raises(HeaderError):
        read(xlsx([["# a comment"], ["# another"]]))
