"""Workbooks that ask for more memory or time than they are given; none of it is taken from the process that reads them."""

from __future__ import annotations

import io
import os
import resource
import struct
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from sync.errors import CommandFileError, UnknownFileType
from sync.reader import open_rows, workbook_process
from sync.reader.workbook_process import SheetReadOnce, read_sheet
from tests.reader.hostile_workbooks import (
    hostile_ods,
    hostile_xlsx,
    ods_cell,
    ods_row,
    xlsx_with_a_full_sheet_behind,
)
from tests.reader.other_workbooks import binary_workbook, ole_file
from tests.reader.test_workbook import xlsx

MB = 1_000_000
LAST_PLACE = "XFD1048576"


def one_cell(attributes: str) -> str:
    return f'<row r="2"><c {attributes} t="str"><v>x</v></c></row>'


TOO_LARGE: dict[str, Callable[[], bytes]] = {
    "plain": lambda: hostile_xlsx([one_cell(f'r="{LAST_PLACE}"')]),
    "single quotes": lambda: hostile_xlsx([one_cell(f"r='{LAST_PLACE}'")]),
    "blanks": lambda: hostile_xlsx([one_cell(f'r = "{LAST_PLACE}"')]),
    "lower case": lambda: hostile_xlsx([one_cell(f'r="{LAST_PLACE.lower()}"')]),
    "greater-than in an attribute": lambda: hostile_xlsx([one_cell(f'x=">" r="{LAST_PLACE}"')]),
    "another suffix": lambda: hostile_xlsx([one_cell(f'r="{LAST_PLACE}"')], suffix="dat"),
    "a place that no sheet has": lambda: hostile_xlsx([one_cell('r="ZZZZZZ4294967295"')]),
    "narrow and long": lambda: hostile_xlsx([one_cell('r="T1048576"')]),
    "shared strings": lambda: hostile_xlsx(['<row><c t="s"><v>1</v></c></row>'] * 1000, shared="x" * MB),
    "one cell of 300 MB": lambda: hostile_xlsx(['<row r="2"><c t="str"><v>', *["x" * MB] * 300, "</v></c></row>"]),
    "repeated cells": lambda: hostile_ods(ods_row(ods_cell("x" * 10_000, 1000), 1000)),
    "repeated blanks": lambda: hostile_ods(ods_row(ods_cell('a<text:s text:c="2000000000"/>b'))),
    "repeated rows": lambda: hostile_ods(ods_row(ods_cell("TESTCOURSE1"), 2_147_483_648)),
}


def refusal(file: bytes) -> str:
    with pytest.raises(CommandFileError) as caught:
        list(open_rows(io.BytesIO(file), "users.xlsx"))
    return caught.value.code


@pytest.mark.parametrize("name", TOO_LARGE)
def test_a_workbook_that_asks_for_much_is_refused(name: str) -> None:
    file = TOO_LARGE[name]()
    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    assert refusal(file) == "workbook_too_large"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 10 * 1024
    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    "file",
    [
        hostile_ods(ods_row(ods_cell("x", 16384), 1048576)),
        hostile_ods(ods_row(ods_cell("x", 4_000_000_000), 4_000_000_000)),
        hostile_xlsx(["<c " * MB]),
        hostile_xlsx(['<row r="2"><c t="str"><v>', *["&#120;" * MB] * 10, *["x" * MB] * 30, "</v></c></row>"]),
        hostile_xlsx([], sheets=20_000)[:-100],
    ],
)
def test_a_workbook_that_cannot_be_read_is_refused(file: bytes) -> None:
    assert refusal(file) in ("workbook_broken", "workbook_too_large", "row_too_long")


def with_part(file: bytes, name: str, content: bytes) -> bytes:
    """Return a workbook with another part, or other content of one."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(file)) as archive, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as changed:
        for part in archive.namelist():
            if part != name:
                changed.writestr(part, archive.read(part))
        changed.writestr(name, content)
    return out.getvalue()


@pytest.mark.parametrize("filename", ["users.xlsb", "users.xlsx", "users.csv"])
def test_a_binary_workbook_is_refused_as_one(filename: str) -> None:
    with pytest.raises(UnknownFileType) as caught:
        open_rows(io.BytesIO(binary_workbook([["username"], ["007"]])), filename)
    assert (caught.value.code, caught.value.params) == ("file_not_csv", {"kind": "Excel (.xlsb)"})


@pytest.mark.parametrize("filename", ["users.xls", "users.xlsx", "users.ods", "users.csv"])
def test_an_old_workbook_or_one_with_a_password_is_refused_as_one(filename: str) -> None:
    with pytest.raises(UnknownFileType) as caught:
        open_rows(io.BytesIO(ole_file(b"EncryptedPackage")), filename)
    assert (caught.value.code, caught.value.params) == ("file_not_csv", {"kind": "Excel 97-2003 / Excel + password"})


def test_an_ods_with_a_password_is_refused_as_one() -> None:
    manifest = (
        b"<manifest:manifest><manifest:file-entry><manifest:encryption-data/></manifest:file-entry></manifest:manifest>"
    )
    file = with_part(hostile_ods(ods_row(ods_cell("ann"))), "META-INF/manifest.xml", manifest)
    assert refusal(with_part(file, "content.xml", bytes(range(256)))) == "workbook_encrypted"


def test_a_zip_with_a_password_is_refused_as_one() -> None:
    file = bytearray(hostile_xlsx([one_cell('r="A2"')]))
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        file[file.index(mark) + place] |= 1
    assert refusal(bytes(file)) == "workbook_encrypted"


SHEET, BOOK, STRINGS = "xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/sharedStrings.xml"
ENTITIES = (
    b'<!DOCTYPE a [<!ENTITY a "' + b"x" * 1000 + b'">'
    + b"".join(b'<!ENTITY %c "%s">' % (letter + 1, b"&%c;" % letter * 20) for letter in range(97, 105)) + b"]>"
)  # fmt: skip
# What stands in a part, and what is put into its place.
READ_ANYWAY: dict[str, tuple[str, bytes, bytes]] = {
    "merged cells": (SHEET, b"</worksheet>", b'<mergeCell ref="A1:XFD1048576"/>' * 200_000 + b"</worksheet>"),
    "conditional formats": (SHEET, b"</worksheet>", b'<cfRule type="x"/>' * 200_000 + b"</worksheet>"),
    "dimension": (SHEET, b"<sheetData>", b'<dimension ref="A1:XFD1048576"/><sheetData>'),
    "far dimension": (SHEET, b"<sheetData>", b'<dimension ref="A1:ZZZZZZ99999999999"/><sheetData>'),
    "defined names": (BOOK, b"</workbook>", b'<definedName name="n">s1!$A$1</definedName>' * 50_000 + b"</workbook>"),
    "external links": (BOOK, b"</workbook>", b'<externalReference r:id="rId1"/>' * 50_000 + b"</workbook>"),
    "strings": (STRINGS, b"</sst>", b"<si><t>x</t></si>" * 300_000 + b"</sst>"),
    "strings of many parts": (STRINGS, b"</sst>", b"<si>" + b"<r><t>x</t></r>" * 300_000 + b"</si></sst>"),
    "nested strings": (STRINGS, b"</sst>", b"<si>" * 300_000 + b"</si>" * 300_000 + b"</sst>"),
    "nested elements": (SHEET, b"</sheetData>", b"<a>" * 300_000 + b"</a>" * 300_000 + b"</sheetData>"),
}
REFUSED: dict[str, tuple[str, bytes, bytes]] = {
    "entities": (SHEET, b"<worksheet", ENTITIES + b"<worksheet"),
    "entities of a name": (BOOK, b"<workbook", ENTITIES + b"<workbook"),
    "count of strings": (STRINGS, b"<sst ", b'<sst count="4000000000" uniqueCount="4000000000" '),
    "no dimension": (SHEET, b"<sheetData>", b'<dimension ref=""/><sheetData>'),
}


def changed(part: str, old: bytes, new: bytes) -> bytes:
    file = hostile_xlsx([one_cell('r="A2"')])
    with zipfile.ZipFile(io.BytesIO(file)) as archive:
        content = archive.read(part)
    assert old in content
    content = content.replace(old, new)
    return with_part(
        file, part, content.replace(b"<v>x<", b"<v>&i;<").replace(b'"s1"', b'"&i;"') if b"DOCTYPE" in new else content
    )


@pytest.mark.parametrize("name", READ_ANYWAY)
def test_what_says_nothing_of_cells_takes_little_time(name: str) -> None:
    file = changed(*READ_ANYWAY[name])
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime, time.process_time()
    assert [row.cells for row in open_rows(io.BytesIO(file), "users.xlsx")] == [("x",)]
    assert time.process_time() - started < 1
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before < 5


@pytest.mark.parametrize("name", REFUSED)
def test_what_would_unfold_is_refused(name: str) -> None:
    assert refusal(changed(*REFUSED[name])) in ("workbook_broken", "workbook_too_large")


def test_a_sheet_behind_thousands_of_empty_ones_is_read() -> None:
    rows = read_sheet(io.BytesIO(xlsx_with_a_full_sheet_behind(3_000)), is_meant=True)
    assert [head.name for head in rows.heads] == ["s3001"]
    assert list(rows) == [["username"]]


def test_a_part_that_lies_beyond_every_file_is_damaged_and_not_large() -> None:
    content = hostile_xlsx([])
    start, end = content.index(b"PK\x01\x02"), content.index(b"PK\x05\x06")
    length = 46 + int.from_bytes(content[start + 28 : start + 30], "little")
    entry, extra = bytearray(content[start : start + length]), struct.pack("<HHQ", 1, 8, 2**64 - 1)
    entry[30:32] = len(extra).to_bytes(2, "little")
    entry[42:46] = b"\xff" * 4
    directory, rest = bytes(entry) + extra + content[start + length : end], bytearray(content[end:])
    rest[12:16] = len(directory).to_bytes(4, "little")
    assert refusal(content[:start] + directory + bytes(rest)) == "workbook_broken"


def test_a_long_tag_takes_no_time() -> None:
    file = hostile_xlsx(['<row r="2"><c ', " " * 4 * MB, 'r="A2" t="str"><v>ann</v></c></row>'])
    started = time.monotonic()
    assert [row.cells for row in open_rows(io.BytesIO(file), "users.xlsx")] == [("ann",)]
    assert time.monotonic() - started < 5


def test_half_a_million_blank_rows_take_no_time() -> None:
    file = hostile_xlsx(['<row r="500000"><c r="A500000" t="str"><v>ann</v></c></row>'])
    # Some machines are half as fast as others, and a machine at work as one at rest.
    started = time.process_time()
    assert sum(number & 1 for number in range(5_000_000)) == 2_500_000
    counted = time.process_time()
    (row,) = open_rows(io.BytesIO(file), "users.xlsx")
    assert (row.line, row.cells) == (500_000, ("ann",))
    assert time.process_time() - counted < 14 * (counted - started)


def test_a_long_row_is_named() -> None:
    file = hostile_xlsx(['<row r="2"><c t="str"><v>', *["x" * MB] * 17, "</v></c></row>"])
    with pytest.raises(CommandFileError) as caught:
        open_rows(io.BytesIO(file), "users.xlsx")
    assert (caught.value.code, caught.value.params) == ("row_too_long", {"line": 2, "limit": 16})


def programs() -> list[str]:
    """Return the state of each program of ours that reads a workbook; one that ended unread has no command line any more."""
    children = Path(f"/proc/{os.getpid()}/task/{threading.get_native_id()}/children").read_text().split()
    states = {pid: Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] for pid in children}
    commands = {pid: Path(f"/proc/{pid}/cmdline").read_text() for pid in children}
    return [states[pid] for pid in children if states[pid] == "Z" or "workbook_program" in commands[pid]]


@pytest.mark.parametrize("limit", [{"seconds": 1}, {"clock_factor": 0}, {"output": 0, "output_per_byte": 1}])
def test_time_and_output_are_limited(limit: dict[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook_process, "LIMITS", replace(workbook_process.LIMITS, **limit))
    before = programs()
    assert refusal(hostile_ods(ods_row(ods_cell("x"), 1_000_000) * 2)) == "workbook_too_large"
    # Nothing is left of the process, neither running nor as an entry that waits to be read.
    assert programs() == before


def test_a_large_file_is_not_even_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    file = hostile_xlsx([])
    monkeypatch.setattr(workbook_process, "LIMITS", replace(workbook_process.LIMITS, packed=len(file) - 1))
    assert refusal(file) == "workbook_too_large"


def test_reading_a_small_workbook_starts_at_once() -> None:
    file = hostile_xlsx([one_cell('r="A2"')])

    def seconds() -> float:
        started = time.monotonic()
        list(open_rows(io.BytesIO(file), "users.xlsx"))
        return time.monotonic() - started

    assert min(seconds() for _try in range(3)) < 0.5


def test_the_process_itself_never_loads_what_reads_workbooks(tmp_path: Path) -> None:
    path = tmp_path / "users.xlsx"
    path.write_bytes(hostile_xlsx([one_cell('r="A2"')]))
    program = (
        "import sys; from sync.reader import open_rows; "
        f"rows = list(open_rows(open({str(path)!r}, 'rb'), 'users.xlsx')); "
        "sys.exit(len(rows) != 1 or 'python_calamine' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False, cwd=Path.cwd()).returncode == 0


def test_the_program_gets_nothing_of_our_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SECRET_KEY", "hunter2")
    seen = tmp_path / "seen"
    spy = tmp_path / "python"
    spy.write_text(f'#!/bin/sh\n/usr/bin/env > "{seen}"\nexec "{sys.executable}" "$@"\n')
    spy.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(spy))
    list(open_rows(io.BytesIO(hostile_xlsx([one_cell('r="A2"')])), "users.xlsx"))
    assert "hunter2" not in seen.read_text()


def test_a_sheet_that_is_read_once_is_read_again_for_another_choice() -> None:
    book = io.BytesIO(xlsx([["a"], ["1"]], [["b"], ["2"]]))
    with SheetReadOnce() as read:
        first = list(read(book, is_meant=True))
        same = list(read(io.BytesIO(b"nothing is read of this"), is_meant=True))
        other = list(read(book, is_meant=True, choose=lambda _heads: 1))

    assert first == same == [["a"], ["1"]]
    assert other == [["b"], ["2"]]
