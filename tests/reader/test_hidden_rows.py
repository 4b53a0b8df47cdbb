"""Rows of a sheet that its filter doesn't show are rows all the same; the report says that they were read."""

from __future__ import annotations

import io

import openpyxl
import pytest

from sync.reader import open_rows
from sync.values import Note
from tests.reader.hostile_workbooks import hostile_ods, ods_cell, ods_row


def notes_of(content: bytes, filename: str) -> tuple[int, list[Note]]:
    """Return how many rows are read, and what is said of hidden ones."""
    with open_rows(io.BytesIO(content), filename, known_name=lambda name: name == "username") as reader:
        count = sum(1 for _row in reader)
        return count, [note for note in reader.notes if note.code == "sheet_rows_hidden"]


def xlsx(*, rows: tuple[int, ...] = (), column: str = "", beyond: bool = False, other: bool = False) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    for cell in ("username", "u1", "u2", "u3"):
        sheet.append([cell, "x" if cell != "username" else ""])
    for row in rows:
        sheet.row_dimensions[row].hidden = True
    if column:
        sheet.column_dimensions[column].hidden = True
    if beyond:
        sheet.row_dimensions[50].hidden = True
    if other:
        second = book.create_sheet("Other")
        second.append(["note"])
        second.row_dimensions[1].hidden = True
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (xlsx(rows=(3, 4)), {"count": 2, "line": 3}),
        (xlsx(rows=(2,), column="B", other=True), {"count": 1, "line": 2}),
        (xlsx(column="B"), None),
        (xlsx(beyond=True), None),
        (xlsx(other=True), None),
        (xlsx(), None),
    ],
)
def test_hidden_rows_of_an_xlsx_are_counted(content: bytes, said: dict[str, int] | None) -> None:
    assert notes_of(content, "users.xlsx") == (3, [Note("sheet_rows_hidden", said)] if said else [])


@pytest.mark.parametrize("visibility", ["filter", "collapse"])
def test_hidden_rows_of_an_ods_are_counted(visibility: str) -> None:
    hidden = ods_row(ods_cell("u2"), 3).replace(
        "<table:table-row ", f'<table:table-row table:visibility="{visibility}" '
    )
    empty = f'<table:table-row table:visibility="{visibility}"><table:table-cell/></table:table-row>'
    content = hostile_ods(ods_row(ods_cell("u1"), 2) + hidden + empty + ods_row(ods_cell("u3")))
    assert notes_of(content, "users.ods") == (6, [Note("sheet_rows_hidden", {"count": 3, "line": 4})])
