"""sync.reader.csv_rows, through open_rows"""

from __future__ import annotations

import codecs
import csv
import io
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import assume, example, given, strategies as st

from sync.errors import CommandFileError, EmptyFile, HeaderError
from sync.messages import text_of
from sync.processors.users.processor import Users
from sync.reader import Dialect, RowReader, open_rows
from sync.values import Header, Note, Row

KNOWN = {"username", "firstname", "lastname", "cid", "uid", "rolename", "cmd"}


def read(file: bytes | str, **options: Any) -> RowReader:
    content = file if isinstance(file, bytes) else file.encode()
    return open_rows(io.BytesIO(content), "users.csv", known_names=KNOWN, **options)


def cells_of(file: bytes | str, **options: Any) -> list[tuple[str, ...]]:
    return [row.cells for row in read(file, **options)]


def test_g3_mark_line_ends_comments_blanks_and_capitals() -> None:
    file = b"# one\r\n(two)\r\n\r\nUsername; FirstName;lastname\r\n\r\nann; Ann ;Smith\r\n"
    reader = read(codecs.BOM_UTF8 + file)
    assert reader.header == Header(
        4, b"Username; FirstName;lastname", ("username", "firstname", "lastname"), ("Username", "FirstName", "lastname")
    )
    assert reader.dialect == Dialect("UTF-8", ";", "\r\n", codecs.BOM_UTF8, True, True, False)
    assert list(reader) == [Row(6, b"ann; Ann ;Smith", ("ann", "Ann", "Smith"))]
    assert reader.skipped.count == 4


def test_g4_iso_8859_1_is_decoded_once() -> None:
    reader = read(b"username;firstname\nann;Am\xe9lie\n", encoding="ISO-8859-1")
    assert (reader.dialect.encoding, reader.dialect.encoding_detected) == ("ISO-8859-1", False)
    assert list(reader) == [Row(2, b"ann;Am\xe9lie", ("ann", "Amélie"))]


def faults_of(file: bytes | str) -> dict[int, str]:
    return {row.line: row.fault.code for row in read(file) if row.fault}


def test_g11_skipped_lines_are_counted_and_probable_data_is_rejected() -> None:
    reader = read('cid;uid;rolename;cmd\n# note\n(old) x\n"(A)1";u1;student;add\n-C2;u1;student;add\n')
    row, suspect = reader
    assert row.cells == ("(A)1", "u1", "student", "add")
    assert suspect.fault == Note("comment_like_row", {"cell": "-C2"})
    assert reader.skipped.count == 2


def test_skipped_lines_grow_with_the_rows() -> None:
    reader = read("# a\nusername\nann\n# b\nbob\n")
    assert [reader.skipped.count for _row in reader] == [1, 2]


@pytest.mark.parametrize("separator", [";", ",", "\t", "|", ":"])
def test_every_separator_is_detected(separator: str) -> None:
    reader = read(f"username{separator}firstname\nann{separator}Ann\n")
    assert (reader.dialect.separator, reader.dialect.separator_detected) == (separator, True)
    assert [row.cells for row in reader] == [("ann", "Ann")]


def test_names_known_by_a_pattern_speak_for_their_separator() -> None:
    file = io.BytesIO(b"course1,course2;x;y\n")
    reader = open_rows(file, "a.csv", known_name=lambda name: name in ("course1", "course2;x;y"))
    assert reader.dialect.separator == ","


@pytest.mark.parametrize("option", ["|", "pipe"])
def test_a_separator_that_is_set_is_taken(option: str) -> None:
    reader = read("a|b\nc|d;e,f\n", separator=option)
    assert (reader.dialect.separator, reader.dialect.separator_detected) == ("|", False)
    assert [row.cells for row in reader] == [("c", "d;e,f")]


@pytest.mark.parametrize(
    ("header", "found"),
    [("username,firstname", "comma"), ("username;firstname,lastname", "comma"), ('username\t"x"', "tab")],
)
def test_a_header_with_another_separator_than_the_set_one_is_refused(header: str, found: str) -> None:
    with pytest.raises(HeaderError) as caught:
        read(f"\n{header}\nann,Ann\n", separator=";")
    assert caught.value.code == "header_wrong_separator"
    assert caught.value.params == {"line": 2, "found": found, "separator": "semicolon"}
    assert "Line 2" in text_of(caught.value.code, caught.value.params)


def test_a_header_of_one_column_needs_no_separator() -> None:
    assert cells_of("username\nann\n", separator=";") == cells_of("username\nann\n") == [("ann",)]


@pytest.mark.parametrize(
    ("file", "cells"),
    [
        ("username,firstname\nann,a&#44b\n", ("ann", "a,b")),
        ("username,firstname\nann,a&#44;b&#59;c\n", ("ann", "a,b;c")),
        ("username;firstname\nann;a&#59b&#44;c\n", ("ann", "a;b,", "c")),
        ("username;firstname\nann;a&#59;b\n", ("ann", "a;", "b")),
        ('username;firstname\nann;"a&#59;b"\n', ("ann", "a;b")),
    ],
)
def test_entities_are_decoded_after_the_split(file: str, cells: tuple[str, ...]) -> None:
    assert cells_of(file) == [cells]


def test_short_and_long_rows_keep_the_cells_they_have() -> None:
    assert cells_of("username;firstname\nann\nbob;Bob;;x\n") == [("ann",), ("bob", "Bob", "", "x")]


def test_a_cell_of_several_lines_keeps_its_bytes_and_its_place() -> None:
    reader = read(b'username;firstname\r\nann;"A\r\n# nn\r\n"\r\nbob;Bob\r\n')
    assert list(reader) == [
        Row(2, b'ann;"A\r\n# nn\r\n"', ("ann", "A\r\n# nn")),
        Row(5, b"bob;Bob", ("bob", "Bob")),
    ]


def test_utf_16_rows_keep_their_bytes() -> None:
    file = codecs.BOM_UTF16_LE + 'username;firstname\r\nann;"Amé\r\nlie€😀"\r\n'.encode("utf-16-le")
    reader = read(file)
    assert (reader.dialect.encoding, reader.dialect.line_end) == ("UTF-16LE", "\r\n")
    assert reader.header.raw == "username;firstname".encode("utf-16-le")
    assert list(reader) == [Row(2, 'ann;"Amé\r\nlie€😀"'.encode("utf-16-le"), ("ann", "Amé\r\nlie€😀"))]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_the_line_end_is_that_of_the_header(end: str) -> None:
    assert read(f"username{end}ann{end}").dialect.line_end == end


def test_a_header_without_rows_is_no_fault_of_the_reader() -> None:
    reader = read("username;firstname")
    assert (reader.dialect.line_end, list(reader)) == ("\n", [])


def test_a_line_may_be_long() -> None:
    long = "x" * 3_000_000
    assert cells_of(f'username;firstname\n{long};"{long}"\n') == [(long, long)]


def test_columns_of_a_tryback_are_ordinary_cells() -> None:
    reader = read("username;_line;_code;_reason\nann;3;x;y\n")
    assert reader.header.names == ("username", "_line", "_code", "_reason")
    assert [row.cells for row in reader] == [("ann", "3", "x", "y")]


@pytest.mark.parametrize("file", [b"", codecs.BOM_UTF8, codecs.BOM_UTF16_LE])
def test_an_empty_file_is_refused(file: bytes) -> None:
    with pytest.raises(EmptyFile) as caught:
        read(file)
    assert caught.value.code == "file_empty"


@pytest.mark.parametrize(
    ("last_line", "code"),
    [(b"Am\xe9lie;\xc3\xa9\n", "byte_undecodable"), (b"\0\n", "file_binary")],
)
def test_a_file_that_is_bad_at_its_end_never_starts(last_line: bytes, code: str) -> None:
    with pytest.raises(CommandFileError) as caught:
        read(b"username;firstname\n" + b"bob;Bob\n" * 300_000 + last_line)
    assert caught.value.code == code
    assert text_of(code, caught.value.params) != code


def test_progress_is_told_in_bytes() -> None:
    file = b"username;firstname\n" + b"bob;Bob\n" * 500_000
    reader = read(file)
    seen = [reader.bytes_read]
    seen += [reader.bytes_read for row in reader if row.line in (2, 400_000)]
    assert 0 < seen[0] <= seen[1] < seen[2] <= len(file)
    assert reader.bytes_read == len(file)


def has_lines_like_rows(row: list[str], separator: str, quoting: Literal[0, 1]) -> bool:
    """Whether more than one line of a row, as it is written, has the separators of a whole row."""
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=separator, lineterminator="", quoting=quoting).writerow(row)
    return sum(line.count(separator) >= len(row) - 1 for line in text.getvalue().splitlines()) > 1


@example(rows=[["k", "", "a\r;;", ";;"]], separator=";", style=("\r\n", csv.QUOTE_MINIMAL), codec="utf-8")
@given(
    rows=st.lists(
        st.lists(st.text(alphabet='abé€;,"\n\r\t| ', max_size=6), min_size=3, max_size=3).map(lambda row: ["k", *row])
    ),
    separator=st.sampled_from([";", ",", "\t", "|", ":"]),
    # Python before 3.13 leaves a line end unquoted in a cell when it isn't the one between the rows.
    style=st.sampled_from(
        [("\r\n", csv.QUOTE_MINIMAL), ("\n", csv.QUOTE_ALL), ("\r\n", csv.QUOTE_ALL), ("\r", csv.QUOTE_ALL)]
    ),
    codec=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-be"]),
)
def test_what_the_csv_module_writes_is_read_back(
    rows: list[list[str]], separator: str, style: tuple[str, Literal[0, 1]], codec: str
) -> None:
    end, quoting = style
    # Decision 25: lines of a row that have as many cells as the header each may be taken for rows.
    assume(not any(has_lines_like_rows(row, separator, quoting) for row in rows))
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=separator, lineterminator=end, quoting=quoting)
    writer.writerows([["username", "firstname", "lastname", "x"], *rows])
    file = text.getvalue().encode(codec)
    reader = read(file)
    read_rows = list(reader)
    assert [row.cells for row in read_rows] == [tuple(cell.strip() for cell in row) for row in rows]
    assert reader.skipped.count == 0
    line_end = end.encode(reader.dialect.encoding)
    raws = [reader.header.raw, *(row.raw for row in read_rows)]
    assert reader.dialect.bom + b"".join(raw + line_end for raw in raws) == file
    expected_line = 2
    for row in read_rows:
        assert row.line == expected_line
        expected_line += len(io.StringIO(row.raw.decode(reader.dialect.encoding), newline=None).readlines())


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "users.csv"
    description = "Amélie; Charlotte " * 30
    plain, quoted = f"user;{description[:9]},{'x' * 500}\n".encode(), f'"user";"{description}"\n'.encode()
    with path.open("wb") as file:
        file.write(b"username;firstname\n")
        file.writelines((plain + quoted) * 100 for _block in range(200))
    assert path.stat().st_size > 20 << 20
    with path.open("rb") as file:
        tracemalloc.start()
        row_count = sum(1 for _row in open_rows(file, "users.csv", known_names=KNOWN))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert row_count == 40_000
    assert peak < 8 << 20


@pytest.mark.parametrize(
    "line", ["a" * 70_000, "a;" * 6_000, 'a;"' + "x\n" * 40_000 + '"'], ids=("one name", "many names", "a long cell")
)
def test_a_line_that_is_too_long_for_a_header_is_refused(line: str) -> None:
    with pytest.raises(HeaderError) as caught:
        open_rows(io.BytesIO(f"# names\n{line}\nann\n".encode()), "a.csv")
    assert (caught.value.code, caught.value.params["line"]) == ("header_too_long", 2)


def test_a_header_of_megabytes_takes_no_time() -> None:
    started = time.process_time()
    with pytest.raises(HeaderError):
        open_rows(io.BytesIO(b"a," * 4_000_000), "a.csv", known_name=Users.columns.knows)
    assert time.process_time() - started < 3


def test_doubled_quotes_take_no_memory() -> None:
    file = b'a;b\n"' + b'""' * 300_000 + b'";x\n'
    tracemalloc.start()
    ((quotes, x),) = (row.cells for row in open_rows(io.BytesIO(file), "a.csv"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (len(quotes), x) == (300_000, "x")
    assert peak < 15 * len(file)


def test_a_comment_that_looks_like_a_row_is_not_repeated() -> None:
    (row,) = read("password;username\n#Hunter2-abc;ann\n")
    assert row.fault is not None
    assert row.fault.params == {"cell": "#Hu…"}


@pytest.mark.parametrize(
    ("file", "line"),
    [
        (b"sep=;\r\nusername;firstname\r\nann;A,B\r\n", 2),
        (b'"sep=;"\nusername;firstname\nann;A,B\n', 2),
        (b"SEP=;\nusername;firstname\nann;A,B\n", 2),
        (codecs.BOM_UTF8 + b"sep=;\nusername;firstname\nann;A,B\n", 2),
        (codecs.BOM_UTF16_LE + "sep=;\nusername;firstname\nann;A,B\n".encode("utf-16-le"), 2),
        (b"# note\n username;firstname\nann;A,B\n", 2),
        (b'  "username" ; "firstname"\nann;A,B\n', 1),
    ],
)
def test_what_stands_above_or_before_the_header_is_passed_over(file: bytes, line: int) -> None:
    reader = read(file)
    assert (reader.header.line, reader.header.names) == (line, ("username", "firstname"))
    assert [row.cells for row in reader] == [("ann", "A,B")]
    assert reader.skipped.count == line - 1


@pytest.mark.parametrize(
    "again", ["username;firstname", "\ufeffUsername;FIRSTNAME", "# username;firstname", "username ; firstname;;"]
)
def test_the_header_once_more_is_passed_over(again: str) -> None:
    reader = read(f"username;firstname\nann;A\n{again}\nbob;B\n")
    assert [(row.cells, row.fault) for row in reader] == [(("ann", "A"), None), (("bob", "B"), None)]
    assert reader.skipped.count == 1


@pytest.mark.parametrize(
    ("again", "is_passed_over"),
    [
        ("username", True), ("username;;;", True), ("Username;_line;_code;_reason", True),
        ("username;3;row_under_other_header;Line 2 is another header.", False),
        ("username;firstname;3;row_under_other_header;Line 2 is another header.", False),
    ],
)  # fmt: skip
def test_a_row_of_a_tryback_is_no_header_though_its_cells_are_column_names(again: str, is_passed_over: bool) -> None:
    reader = read(f"username;_line;_code;_reason\nann;2;account_unknown;No\n{again}\n")
    assert [row.cells[0] for row in reader][1:] == ([] if is_passed_over else ["username"])


def test_names_of_columns_are_possible_values() -> None:
    assert faults_of("username;firstname\nann;username\nfirstname;Ann\nuid;Ann\n") == {}


def test_rows_below_another_header_have_no_columns() -> None:
    assert faults_of("username;firstname\nann;A\nusername;lastname\nbob;B\n\neve;E\n") == dict.fromkeys(
        (3, 4, 6), "row_under_other_header"
    )


def test_rows_below_another_header_with_a_name_that_is_unknown_have_no_columns() -> None:
    header = "username;firstname;lastname;uid"
    assert faults_of(f"{header}\nann;A;B;1\nusername;lastname;firstname;Student number\nbob;B;C;2\n") == dict.fromkeys(
        (3, 4), "row_under_other_header"
    )
    # These stand where the header has them, so that the rows below are what they seem.
    assert faults_of(f"{header}\nusername;First name;lastname;uid\nbob;B;C;2\n") == {}


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("#N/A;x", "cell_is_formula_error"),
        ("#n/a;x", "cell_is_formula_error"),
        ("#N/A", "cell_is_formula_error"),
        ("#REF!;x;y;z", "cell_is_formula_error"),
        ("ann;#¡DIV/0!", "cell_is_formula_error"),
        ("ann;#ERROR!", "cell_is_formula_error"),
        ("ann;#Fehler!", "cell_is_formula_error"),
        ("ann;#Deleted", "cell_is_formula_error"),
        ("#Gelöscht;x", "cell_is_formula_error"),
        ("ann;#Supprimé", "cell_is_formula_error"),
        ("#MULTIVALEUR;x", "cell_is_formula_error"),
        ("ann;#erroneous", ""),
        ("ann;#ССЫЛКА!", "cell_is_formula_error"),
        ("ann;Err:508", "cell_is_formula_error"),
        ("ann;-1,5E-05", "cell_is_rounded"),
        ("ann;2.0260901000000000E+07", "cell_is_rounded"),
        ("ann;2.026E7", "cell_is_rounded"),
        ("ann;2,026E7", "cell_is_rounded"),
        ("ann;2.03E07", "cell_is_rounded"),
        ("ann;2.02609015E7", "cell_is_rounded"),
        ("ann;1.234567890123456e18", "cell_is_rounded"),
        ("ann;2.1E3", ""),
        ("ann;1234567890123450000", "cell_lost_digits"),
        ("ann;=SVERWEIS(A1;B:C;2)", ""),
        ('ann;"=SUM(A1;B2)"', "cell_is_formula"),
        ("ann;#1", ""),
        ("ann;1e10", ""),
        ("ann;= x", ""),
        ('ann;=LOWER(A2)&"@x.org"', "cell_is_formula"),
        ("ann;=A2&B2", "cell_is_formula"),
        ("ann;=+$C$4", "cell_is_formula"),
        ("ann;='My sheet'!A2", "cell_is_formula"),
        ("ann;=Zählenwenn(A)", "cell_is_formula"),
        ("ann;=Abc", ""),
        ("ann;########", "cell_too_narrow"),
        ("ann;##", ""),
        ("ann;NULL", "cell_is_null"),
        ("ann;(null)", "cell_is_null"),
        ("ann;Null", ""),
        ("ann;NULLA", ""),
        ('ann;"An\\"n"', "cell_quotes_escaped"),
        ('ann;"An"n"', "cell_in_quotes"),
        ('ann;"An"n', ""),
        ("ann;a\\b", ""),
        ("ann;123456789012345678", ""),
    ],
)
def test_cells_of_spreadsheets_are_faults(line: str, code: str) -> None:
    (row,) = read(f"username;firstname\n{line}\n")
    assert [fault.code for fault in row.cell_faults.values()] == ([code] if code else [])


@pytest.mark.parametrize(
    ("cell", "meant"),
    [
        ('="0012"', "0012"),
        ('"=""0012"""', "0012"),
        ('=""', ""),
        ("\\N", ""),
        ("\\n", "\\n"),
        ('="a""b"', 'a"b'),
        ("N", "N"),
        ("2.0260901E7", "20260901"),
        ("1.788217201e9", "1788217201"),
    ],
)
def test_cells_of_spreadsheets_and_databases_are_decoded(cell: str, meant: str) -> None:
    assert cells_of(f"username;firstname\nann;{cell}\n") == [("ann", meant)]


@pytest.mark.parametrize("separator", [";", "\t"])
@pytest.mark.parametrize("blank", [" ", "\t", "\v", "\f", "\x1c", "\x85", "\xa0", "\u2003", "\u3000"])
def test_blanks_around_cells_are_cut_off(blank: str, separator: str) -> None:
    if blank == separator:
        return
    file = (
        "username;firstname\n" + "".join(f"u{number};A\n" for number in range(10)) + f"v;{blank}B{blank}\nw{blank};C\n"
    )
    assert cells_of(file.replace(";", separator))[10:] == [("v", "B"), ("w", "C")]


@pytest.mark.parametrize("cell", ["a=b", "C#", "x#y=z", "http://x.org/?a=b#c"])
def test_signs_within_a_cell_are_ordinary(cell: str) -> None:
    assert cells_of(f"username;firstname\nann;{cell}\n") == [("ann", cell)]


def test_an_odd_cell_among_many_rows_is_found() -> None:
    rows = [f"u{number};A" for number in range(2_000)]
    rows[700] = 'u700;="007"'
    rows[1_300] = "u1300;#N/A"
    rows[1_500] = "username;firstname"
    found = list(read("username;firstname\n" + "\n".join(rows)))
    assert len(found) == 1_999
    assert found[700].cells == ("u700", "007")
    assert [row.line for row in found if row.cell_faults] == [1_302]


@pytest.mark.parametrize("cell", [b"", b'""', b'"x"', b"x"])
def test_a_row_of_millions_of_cells_takes_no_memory(cell: bytes) -> None:
    file = b"username;firstname\nann;" + b";".join([cell] * (6_000_000 // (len(cell) + 1))) + b"\nbob;Bob\n"
    tracemalloc.start()
    try:
        reader = open_rows(io.BytesIO(file), "users.csv")
        rows = [(row.line, len(row.cells), row.cells[0], any(row.cells[2:])) for row in reader]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert rows == [(2, 5001 if b"x" in cell else 5000, "ann", b"x" in cell), (3, 2, "bob", False)]
    assert peak < 45_000_000


@pytest.mark.parametrize("line", ["#username;firstname", "# username", "(username;Firstname;"])
def test_a_header_in_a_comment_is_named(line: str) -> None:
    with pytest.raises(HeaderError) as caught:
        read(f"\n{line}\nann;Ann\n")
    assert (caught.value.code, caught.value.params) == ("header_in_comment", {"line": 2, "mark": line[0]})


@pytest.mark.parametrize("end", ["\x1a", "\n\x1a", "\n\x1a\x1a\x1a"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_the_mark_of_dos_at_the_end_belongs_to_no_row(end: str, encoding: str) -> None:
    reader = read(f"username;firstname\nann;Zoé{end}".encode(encoding))
    assert [row.cells for row in reader] == [("ann", "Zoé")]
    assert reader.notes == [Note("end_mark_left_out", {})]


def test_the_same_mark_within_the_file_is_a_fault_of_its_cell() -> None:
    reader = read("username;firstname\nann\x1a;Ann\nbob;Bob\n")
    first, second = reader
    assert (first.cell_faults[0].code, second.cell_faults) == ("cell_letters_lost", {})
    assert reader.notes == []


def test_rows_behind_a_blank_are_noted_and_of_a_list_rejected_as_such() -> None:
    reader = read("username\nann\n bob\n carl\n")
    assert [row.cells for row in reader] == [("ann",), ("bob",), ("carl",)]
    assert reader.notes == [Note("rows_after_blank", {"count": 2, "line": 3})]
    listed = open_rows(io.BytesIO(b"C1\n C2\n"), "in.csv", list_names=("identifier",))
    assert [row.fault for row in listed] == [None, Note("row_begins_with_blank", {})]


def test_comments_with_several_cells_are_rows_that_are_rejected_or_sentences_that_are_noted() -> None:
    header = "username;firstname;lastname;email;phone1\n"
    rows = " ann;Ann;Lee;a@x.org\n-joe;Joe;Lo;j@x.org\n"
    reader = read(header + rows + "# made by hand; leave it\n# a comment\n# username;firstname;lastname;email;phone1\n")
    assert [(row.line, row.fault) for row in reader] == [
        (2, Note("comment_like_row", {"cell": " an…"})), (3, Note("comment_like_row", {"cell": "-jo…"})),
    ]  # fmt: skip
    assert reader.skipped.count == 3
    assert reader.notes == [Note("comments_with_cells", {"count": 1, "lines": "4"})]


def test_a_file_that_is_opened_once_more_gives_the_same_without_a_look_at_all_of_it() -> None:
    text = b"username;firstname\n# a comment\nann;Ann\n\nbob;Bob\x1a"
    looked: list[int] = []

    def look(_header: Header) -> Callable[[Row], None]:
        return lambda row: looked.append(row.line)

    def told(reader: RowReader) -> tuple[object, ...]:
        rows = list(reader)
        return rows, reader.header, reader.notes, reader.skipped.count, reader.rows_expected, reader.bytes_read

    first = read(text, look=look)
    again = read(text, whole=first.whole)

    assert looked == [3, 5]
    assert told(again) == told(first)
    assert [note.code for note in again.notes] == ["end_mark_left_out"]
