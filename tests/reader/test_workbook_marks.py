"""sync.reader.workbook_marks, through open_rows: what a sheet shows, and cells that can't be what somebody meant."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from typing import Any

import openpyxl
import pytest
from odf.number import Number, NumberStyle
from odf.office import Annotation
from odf.opendocument import OpenDocumentSpreadsheet
from odf.style import Style
from odf.table import CoveredTableCell, Table, TableCell, TableRow
from odf.text import P

from sync.errors import CommandFileError
from sync.reader import RowReader, open_rows
from sync.reader.workbook_marks import number_mark
from sync.values import Note

KNOWN = {"username", "firstname", "lastname", "idnumber"}


def book(*sheets: tuple[str, Sequence[Sequence[Any]]], formats: dict[str, str] | None = None) -> bytes:
    workbook = openpyxl.Workbook()
    workbook.remove(workbook.active)
    for name, rows in sheets:
        sheet = workbook.create_sheet(name)
        for row in rows:
            sheet.append(row)
        for place, code in (formats or {}).items():
            sheet[place].number_format = code
    out = io.BytesIO()
    workbook.save(out)
    return out.getvalue()


def altered(file: bytes, changes: dict[str, tuple[bytes, bytes]]) -> bytes:
    """Return a workbook with another text in some parts. Shape: changes: name of the part -> old text, new text"""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(file)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            before, after = changes.get(name, (b"", b""))
            text = old.read(name)
            assert before in text
            new.writestr(name, text.replace(before, after) if before else text)
    return out.getvalue()


def read(file: bytes) -> RowReader:
    return open_rows(io.BytesIO(file), "users.xlsx", known_names=KNOWN)


HEAD = ["username", "firstname", "lastname", "idnumber"]


def row_of(*cells: Any, formats: dict[str, str] | None = None) -> Any:
    (row,) = read(book(("s", [HEAD, list(cells)]), formats=formats))
    return row


@pytest.mark.parametrize(
    ("number", "code", "shown"),
    [
        (45, "00000", "00045"),
        (123456, "00000", "123456"),
        (45, '"ID"0000', "ID0045"),
        (4512, "00\\-00", "45-12"),
        (45, "0", "45"),
        (45, "#,##0", "45"),
        (45, "0.00", "45"),
        (45, '0.00" €"', "45"),
        (45, "General", "45"),
        (45, "@", "45"),
        (20260000, "0.00E+00", "20260000"),
        (0, "000", "000"),
        (45, '"STU"General', "STU45"),
        (45, "\\0\\0General", "0045"),
        (0, '"ID"General', "ID0"),
        (4512, "##-##", "45-12"),
        (123456, "###\\-###", "123-456"),
        (12345, "# ##0", "12345"),
        (12345, 'General" €"', "12345"),
        (45, "0-", "45"),
    ],
)
def test_a_number_is_read_as_its_format_shows_it_when_that_says_more(number: int, code: str, shown: str) -> None:
    row = row_of("a", "A", "B", number, formats={"D2": code})
    assert row.cells[3] == shown
    assert row.raw.endswith(f";{shown}".encode())
    assert row.cell_faults == {}


@pytest.mark.parametrize(("value", "code"), [("45.5", "00000"), ("-45", "00000"), ("45", "000,000"), ("4.5", '"K"0')])
def test_what_is_shown_in_no_plain_way_is_a_fault(value: str, code: str) -> None:
    mark = number_mark(value, code)
    assert mark is not None
    assert mark["code"] == "cell_shown_otherwise"


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("=1/0", "cell_without_result"),
        (1234567890123456, "cell_lost_digits"),
        (1.5e20, "cell_lost_digits"),
        ("#NV", "cell_is_formula_error"),
        ("#N/A", "cell_is_formula_error"),
        (True, "cell_is_boolean"),
        ("2.03E+07", "cell_is_rounded"),
    ],
)
def test_a_cell_that_nobody_meant_is_a_fault(value: Any, code: str) -> None:
    row = row_of("a", "A", "B", value)
    assert row.cell_faults[3].code == code


@pytest.mark.parametrize(
    ("value", "code", "is_otherwise"),
    [
        (45, '"STU"@', True),
        ("45", '"STU"@', True),
        ("ann", '@"@example.org"', True),
        ("ann", '0;-0;0;"U-"@', True),
        (45, '0;-0;0;"U-"@', False),
        ("ann", '@" "', False),
        ("", '"STU"@', False),
    ],
)
def test_a_text_to_which_a_format_adds_something_is_a_fault(value: Any, code: str, is_otherwise: bool) -> None:
    row = row_of("a", "A", value, "B", formats={"C2": code})
    expected = {2: Note("cell_shown_otherwise", {"value": str(value)})} if is_otherwise else {}
    assert row.cell_faults == expected


MERGED: list[list[Any]] = [
    HEAD,
    ["a", "A", "B", 7],
    ["b", None, "C", None],
    ["c", "D", None, 9],
    [None, None, None, None],
]


def merged_faults(areas: Sequence[str], rows: Sequence[Sequence[Any]] = MERGED) -> dict[int, dict[int, str]]:
    """Return line -> place -> the text that covers a cell there."""
    workbook = openpyxl.load_workbook(io.BytesIO(book(("s", rows))))
    for area in areas:
        workbook.active.merge_cells(area)
    out = io.BytesIO()
    workbook.save(out)
    faults = {row.line: row.cell_faults for row in read(out.getvalue())}
    return {
        line: {place: fault.params["value"] for place, fault in found.items() if fault.code == "cell_is_merged"}
        for line, found in faults.items()
    }


def test_a_cell_below_or_beside_the_one_it_is_merged_with_is_a_fault() -> None:
    assert merged_faults(["B2:B3", "D2:D3", "B4:C5"]) == {2: {}, 3: {1: "A", 3: "7"}, 4: {2: "D"}}


def test_merged_cells_that_take_nothing_from_a_row_are_none_of_its_faults() -> None:
    assert merged_faults(["A5:D5"], [*MERGED[:4], ["# the end"]]) == {2: {}, 3: {}, 4: {}}
    # One that is empty itself, and a row that is two lines high.
    assert merged_faults(["B3:B4"], [*MERGED[:3], ["c", None, "E", 1]]) == {2: {}, 3: {}, 4: {}}
    assert merged_faults(["A4:A5", "B4:B5", "C4:C5", "D4:D5"]) == {2: {}, 3: {}, 4: {}}


def test_merged_cells_of_ods_are_seen() -> None:
    document = OpenDocumentSpreadsheet()
    table = Table(name="s")
    for texts in (HEAD, ["a", "A", "B", "1"], ["b", "", "C", "2"], ["c", "", "D", "3"], ["d", "E", "F", "4"]):
        row = TableRow()
        for text in texts:
            spans = {"numberrowsspanned": 3, "numbercolumnsspanned": 1} if text == "A" else {}
            cell = TableCell(valuetype="string", **spans) if text else CoveredTableCell()
            cell.addElement(P(text=text))
            row.addElement(cell)
        table.addElement(row)
    document.spreadsheet.addElement(table)
    out = io.BytesIO()
    document.write(out)
    rows = list(open_rows(io.BytesIO(out.getvalue()), "users.ods"))
    expected = {1: Note("cell_is_merged", {"value": "A"})}
    assert [row.cell_faults for row in rows] == [{}, expected, expected, {}]


def test_a_fault_in_the_last_cells_of_the_last_row_is_seen() -> None:
    row = row_of("a", "A", "=X1", "=Y1")
    assert {place: fault.code for place, fault in row.cell_faults.items()} == dict.fromkeys(
        (2, 3), "cell_without_result"
    )


def test_an_empty_result_is_empty() -> None:
    file = book(("s", [HEAD, ["a", "A", "B", '=IF(1,"",1)']]))
    (row,) = read(altered(file, {"xl/worksheets/sheet1.xml": (b'<c r="D2"><f>', b'<c r="D2" t="str"><f>')}))
    assert (row.cells, row.cell_faults) == (("a", "A", "B", ""), {})


@pytest.mark.parametrize(("is_calculated", "fault"), [(False, "cell_without_result"), (True, None)])
def test_a_nought_of_a_program_that_does_not_calculate_is_no_result(is_calculated: bool, fault: str | None) -> None:
    file = book(("s", [HEAD, ["a", "A", "B", "=40+2"]]))
    file = altered(file, {"xl/worksheets/sheet1.xml": (b"</f><v />", b"</f><v>0</v>")})
    # openpyxl doesn't calculate either, and says so.
    uncalculated = b'fullCalcOnLoad="1"'
    file = altered(file, {"xl/workbook.xml": (uncalculated, b"" if is_calculated else uncalculated)})
    (row,) = read(file)
    assert (row.cell_faults[3].code if row.cell_faults else None) == fault


def test_rows_with_gaps_are_marked_where_they_are() -> None:
    rows: list[list[Any]] = [HEAD, [], ["a", "A", "B", 7], [None, None, None, None], ["b", "A", "B", 8]]
    found = list(read(book(("s", rows), formats={"D3": "000", "D5": "0000"})))
    assert [(row.line, row.cells[3]) for row in found] == [(3, "007"), (5, "0008")]


def ods(shown: str, value: str, comment: str = "", **more: str) -> bytes:
    document = OpenDocumentSpreadsheet()
    number = NumberStyle(name="N")
    number.addElement(Number(minintegerdigits=5))
    document.automaticstyles.addElement(number)
    document.automaticstyles.addElement(Style(name="c", family="table-cell", datastylename="N"))
    table = Table(name="s")
    for texts in (HEAD, ["a", "A", "B"]):
        row = TableRow()
        for text in texts:
            cell = TableCell(valuetype="string")
            cell.addElement(P(text=text))
            row.addElement(cell)
        if texts is not HEAD:
            cell = TableCell(valuetype="float", value=value, stylename="c", **more)
            if comment:
                note = Annotation()
                note.addElement(P(text=comment))
                cell.addElement(note)
            cell.addElement(P(text=shown))
            row.addElement(cell)
        table.addElement(row)
    document.spreadsheet.addElement(table)
    out = io.BytesIO()
    document.write(out)
    return out.getvalue()


@pytest.mark.parametrize(("shown", "value", "cell"), [("42", "42", "42"), ("00045", "45", "00045")])
def test_a_comment_on_a_cell_of_ods_is_no_part_of_it(shown: str, value: str, cell: str) -> None:
    (row,) = open_rows(io.BytesIO(ods(shown, value, comment="see mail of 3 May")), "users.ods")
    assert row.cells[3] == cell


@pytest.mark.parametrize(
    ("shown", "value", "cell"),
    [("00045", "45", "00045"), ("ID45", "45", "ID45"), ("45", "45", "45"), ("45.00", "45", "45"), ("1,234", "1234", "1234"),
     ("2.03E+07", "20260000", "20260000"), ("45-12", "4512", "45-12")],
)  # fmt: skip
def test_ods_shows_what_it_holds(shown: str, value: str, cell: str) -> None:
    (row,) = open_rows(io.BytesIO(ods(shown, value)), "users.ods")
    assert row.cells[3] == cell


@pytest.mark.parametrize("shown", ["#N/A", "#DIV/0!", "Err:502"])
def test_an_error_that_a_cell_without_text_shows_is_a_fault(shown: str) -> None:
    file = ods_with_text(shown)
    (row,) = open_rows(io.BytesIO(file), "users.ods")
    assert row.cell_faults[3].code == "cell_is_formula_error"


def ods_with_text(shown: str) -> bytes:
    document = OpenDocumentSpreadsheet()
    table = Table(name="s")
    for texts in (HEAD, ["a", "A", "B"]):
        row = TableRow()
        for text in texts:
            cell = TableCell(valuetype="string")
            cell.addElement(P(text=text))
            row.addElement(cell)
        table.addElement(row)
    failed = TableCell(valuetype="string", stringvalue="", formula="of:=NA()")
    failed.addElement(P(text=shown))
    row.addElement(failed)
    document.spreadsheet.addElement(table)
    out = io.BytesIO()
    document.write(out)
    return out.getvalue()


def test_a_header_may_begin_with_a_blank() -> None:
    reader = read(book(("s", [[" username ", *HEAD[1:]], ["a", "A", "B", "7"]])))
    assert reader.header.names == tuple(HEAD)
    assert [row.line for row in reader] == [2]


def test_ods_loses_digits_too() -> None:
    (row,) = open_rows(io.BytesIO(ods("1.23E+16", "12345678901234567")), "users.ods")
    assert row.cell_faults[3].code == "cell_lost_digits"


def test_the_sheet_with_a_header_is_read_and_said() -> None:
    notes: tuple[str, list[list[Any]]] = ("Notes", [["For the office"], ["x", 1]])
    data: tuple[str, list[list[Any]]] = ("Data", [HEAD, ["a", "A", "B", 7]])
    for sheets, others in ((([notes, data]), "Notes"), (([data, notes]), "Notes")):
        reader = read(book(*sheets))
        assert [row.cells[0] for row in reader] == ["a"]
        assert [(note.code, note.params) for note in reader.notes] == [
            ("sheet_chosen", {"sheet": "Data", "others": others})
        ]


def test_one_sheet_needs_no_note() -> None:
    assert read(book(("Data", [HEAD, ["a"]]), ("Empty", []))).notes == []


def test_several_sheets_with_a_header_are_refused() -> None:
    with pytest.raises(CommandFileError) as caught:
        read(book(("One", [HEAD, ["a"]]), ("Two", [["Students"], HEAD, ["b"]])))
    assert (caught.value.code, caught.value.params) == ("workbook_of_sheets", {"sheets": "One, Two"})


def test_a_title_above_the_header_is_named() -> None:
    with pytest.raises(CommandFileError) as caught:
        read(book(("s", [["Students of 2026"], HEAD, ["a", "A", "B", 1]])))
    assert (caught.value.code, caught.value.params) == ("header_below", {"line": 1, "found": 2})


def test_a_header_in_a_comment_is_named() -> None:
    with pytest.raises(CommandFileError) as caught:
        read(book(("s", [[f"#{HEAD[0]}", *HEAD[1:]], ["a", "A", "B", 1]])))
    assert (caught.value.code, caught.value.params) == ("header_in_comment", {"line": 1, "mark": "#"})


def test_an_unknown_column_hides_no_sheet_and_no_header() -> None:
    reader = read(book(("Read me", [["Made by hand"]]), ("Data", [[*HEAD, "Remark"], ["a"]])))
    assert reader.header.names == (*HEAD, "remark")
    with pytest.raises(CommandFileError) as caught:
        read(book(("Data", [["Made by hand"], [*HEAD, "Remark"], ["a"]])))
    assert (caught.value.code, caught.value.params["found"]) == ("header_below", 2)
    with pytest.raises(CommandFileError, match="workbook_of_sheets"):
        read(book(("One", [HEAD, ["a"]]), ("Two", [[*HEAD, "Remark"], ["b"]])))
