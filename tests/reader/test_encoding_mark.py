"""sync.reader.encoding_mark"""

from __future__ import annotations

import io
from typing import Any

import pytest

from sync.encodings import ENCODING_LABELS
from sync.reader import Dialect, open_rows
from sync.reader.encoding_mark import Mark, mark_of, read_mark

KNOWN = {"username", "firstname"}
NAMED = [name for name in ENCODING_LABELS if name != "UTF-16"]


@pytest.mark.parametrize("name", NAMED)
@pytest.mark.parametrize("separator", [";", "|", ""])
def test_a_mark_says_how_its_file_is_written(name: str, separator: str) -> None:
    mark = mark_of(Dialect(name, separator, "\r\n"))
    found = read_mark(io.BytesIO(mark + "x".encode(name)))
    # Those whose characters have several bytes each are told by a byte order mark.
    assert found == Mark("" if name.startswith(("UTF-16", "UTF-32")) else name, separator)


def test_a_mark_wins_over_options_and_guesses() -> None:
    file = mark_of(Dialect("Windows-1253", "|", "\n")) + "username|firstname\na;b|Γεώργιος\n".encode("cp1253")
    various: list[dict[str, Any]] = [
        {},
        {"encoding": "UTF-8"},
        {"separator": ";"},
        {"encoding": "Windows-1252", "separator": ","},
    ]
    for options in various:
        reader = open_rows(io.BytesIO(file), "a.csv", known_names=KNOWN, **options)
        assert [row.cells for row in reader] == [("a;b", "Γεώργιος")]
        assert (reader.header.line, reader.skipped.count) == (2, 1)


@pytest.mark.parametrize("bom", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_file_that_was_saved_in_another_encoding_is_read_in_that(bom: str) -> None:
    file = mark_of(Dialect("Windows-1252", ";", "\n")) + "username;firstname\nann;É»\n".encode("cp1252")
    saved = file.decode("cp1252").encode(bom)
    assert [row.cells for row in open_rows(io.BytesIO(saved), "a.csv", known_names=KNOWN)] == [("ann", "É»")]


def test_a_spreadsheet_may_put_separators_behind_it() -> None:
    file = mark_of(Dialect("Windows-1253", ";", "")) + ";;;\r\nusername;firstname\r\na;Γιώργος\r\n".encode("cp1253")
    assert [row.cells for row in open_rows(io.BytesIO(file), "a.csv", known_names=KNOWN)] == [("a", "Γιώργος")]


@pytest.mark.parametrize(
    "line", [b"# ToolSync encoding=Klingon separator=comma check=x\n", b"# ToolSync\n", b"# ToolSync encoding=UTF-8\n"]
)
def test_what_is_no_mark_is_a_comment(line: bytes) -> None:
    file = line + b"username,firstname\nann,Ann\n"
    assert [row.cells for row in open_rows(io.BytesIO(file), "a.csv", known_names=KNOWN)] == [("ann", "Ann")]
