"""The first rows of a file, for the person who is about to run it."""

from __future__ import annotations

import io
from typing import Any

from sync.processors.registry import REGISTRY
from sync.web.preview import ROWS_SHOWN, Preview, preview_file
from tests.open_files import all_closed
from tests.reader.test_workbook import xlsx


def preview(*rows: list[Any]) -> Preview:
    options: dict[str, Any] = {"encoding": "", "separator": "", "invalidnamesnocheck": False}
    content = xlsx([*rows])
    return preview_file(io.BytesIO(content), "in.xlsx", len(content), REGISTRY["courses_meta"], options)


def test_a_preview_closes_the_workbook_of_which_it_reads_the_beginning() -> None:
    with all_closed():
        found = preview(["master", "meta"], *(["C1", f"M{number}"] for number in range(ROWS_SHOWN * 2)))
    assert (len(found.rows), found.trouble) == (ROWS_SHOWN, "")


def test_a_preview_closes_a_workbook_without_a_header() -> None:
    with all_closed():
        assert preview(["# a comment"], ["# another"]).trouble


def test_of_very_many_columns_the_first_are_shown_and_the_others_counted() -> None:
    names = ["username", "firstname", "lastname", *(f"more{number}" for number in range(297))]
    content = f"{';'.join(names)}\n{';'.join('x' for _name in names)}\n".encode()
    options = {"encoding": "", "separator": "", "invalidnamesnocheck": True}
    found = preview_file(io.BytesIO(content), "in.csv", len(content), REGISTRY["users"], options)
    assert (found.names_shown[-1], len(found.cells_shown[0][1]), found.cells_hidden) == ("more96", 100, 200)
