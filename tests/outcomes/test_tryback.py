"""The tryback: bytes as they came, with three cells behind, ready to be sent again."""

from __future__ import annotations

import io
from typing import Any

import openpyxl
import pytest

from sync.errors import ToolSyncError
from sync.outcomes.tryback import FORMS, reads_back, write_tryback
from sync.reader import RowReader, open_rows
from sync.values import Action, Outcome

END = ";_line;_code;_reason"


def rejection(line: int, column: str = "email") -> Outcome:
    return Outcome(line, Action.REJECTED, "cell_empty", {"column": column})


def tryback_of(data: bytes, *lines: int, **options: Any) -> bytes:
    out = io.BytesIO()
    written = write_tryback(out, open_rows(io.BytesIO(data), "in.csv", **options), map(rejection, lines), language="en")
    assert written == len(lines)
    return out.getvalue()


def first_read_back(data: bytes, *lines: int, **options: Any) -> bytes:
    """Return the tryback of the first form that is read back, with the options of the file and without; b"" = none is."""

    def opened(content: bytes, asked: dict[str, Any]) -> RowReader:
        names = {"list_names": [], "known_names": [], **options}
        names |= {"encoding": "", "separator": ""} | asked
        return open_rows(io.BytesIO(content), "in.csv", **names)

    for form in FORMS:
        out = io.BytesIO()
        write_tryback(out, opened(data, options), map(rejection, lines), language="en", form=form)
        tryback = out.getvalue()
        if all(reads_back(opened(tryback, asked), opened(data, options), lines) for asked in ({}, options)):
            return tryback
    return b""


def reason(line: int, separator: str = ";") -> str:
    return f"{separator}{line}{separator}cell_empty{separator}column email: The cell is empty. Fill it in."


@pytest.mark.parametrize(
    ("encoding", "bom"),
    [
        ("UTF-8", b""),
        ("UTF-8", b"\xef\xbb\xbf"),
        ("UTF-16LE", b"\xff\xfe"),
        ("UTF-16BE", b"\xfe\xff"),
        ("Windows-1252", b""),
        ("ISO-8859-15", b""),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_encoding_byte_order_mark_and_line_end_are_those_of_the_file(encoding: str, bom: bytes, end: str) -> None:
    lines = ["username;city", "bob;Lyon", "zoé;Nîmes", "eve;Œuf"]
    data = bom + "".join(line + end for line in lines).encode(encoding)
    wanted = "".join(text + end for text in (lines[0] + END, lines[2] + reason(3), lines[3] + reason(4)))
    assert tryback_of(data, 3, 4, encoding=encoding) == bom + wanted.encode(encoding)


@pytest.mark.parametrize("separator", [";", ",", "\t", "|", ":"])
def test_the_separator_is_that_of_the_file(separator: str) -> None:
    header = separator.join(("username", "city"))
    data = f"{header}\nbob{separator}Lyon\n".encode()
    text = tryback_of(data, 2, separator=separator).decode()
    names, row = text.splitlines()
    assert names.split(separator)[2:] == ["_line", "_code", "_reason"]
    # A reason that holds the separator stands in quotes.
    again = next(iter(open_rows(io.BytesIO(text.encode()), "in.csv", separator=separator)))
    assert again.cells[:4] == ("bob", "Lyon", "2", "cell_empty")
    assert row.startswith(f"bob{separator}Lyon{separator}2{separator}cell_empty{separator}")


def test_failed_lines_are_untouched_byte_for_byte() -> None:
    odd = b'bob  ;"Ly;on ""x""";"two\r\nlines"; '
    data = b"username;city;about;email\r\n" + odd + b"\r\nann;a;b;c\r\n"
    assert (
        tryback_of(data, 2)
        == b"username;city;about;email" + END.encode() + b"\r\n" + odd + reason(2).encode() + b"\r\n"
    )


def test_comments_and_good_lines_are_left_out() -> None:
    data = b"# people\nusername;email\n\nann;\n# note\nbob;\neve;e@x.org\n"
    assert tryback_of(data, 6).decode().splitlines() == ["username;email" + END, "bob;" + reason(6)]


def test_a_short_row_is_filled_up_so_that_the_cells_stand_under_their_columns() -> None:
    data = b"username;email;city\nbob\n"
    assert tryback_of(data, 2).decode().splitlines() == ["username;email;city" + END, "bob;;" + reason(2)]


def test_a_row_with_too_many_cells_shows_them_all() -> None:
    data = b"username;email\nbob;b@x.org;more\n"
    assert tryback_of(data, 2).decode().splitlines()[1] == "bob;b@x.org;more" + reason(2)


def test_empty_columns_at_the_end_make_room_for_the_three() -> None:
    data = b"username;email;;\nbob;;;\nann\n"
    assert tryback_of(data, 2, 3).decode().splitlines() == [
        "username;email" + END,
        "bob;" + reason(2),
        "ann;" + reason(3),
    ]


@pytest.mark.parametrize("tail", ["", ";;"])
def test_a_tryback_that_fails_again_does_not_get_the_three_cells_twice(tail: str) -> None:
    first = f'username;email{END}{tail}\nbob  ;"a;b";7;value_not_email;some reason{tail}\nann;\nmax;;9\n'.encode()
    assert tryback_of(first, 2, 3, 4).decode().splitlines() == [
        "username;email" + END,
        'bob  ;"a;b"' + reason(2),
        "ann;" + reason(3),
        "max;" + reason(4),
    ]


def test_a_line_that_is_not_in_the_file_is_not_passed_over_in_silence() -> None:
    with pytest.raises(ToolSyncError):
        tryback_of(b"username;email\nbob;\n", 3)


def test_a_reason_is_one_line() -> None:
    data = b"username;email\nbob;\n"
    out = io.BytesIO()
    bad = Outcome(2, Action.REJECTED, "value_not_among", {"column": "email", "value": "a\nb", "allowed": "x, y"})
    write_tryback(out, open_rows(io.BytesIO(data), "in.csv"), [bad], language="en")
    assert len(out.getvalue().splitlines()) == 2


# The quote of the second line is closed nowhere because of those of the third, which isn't in the tryback.
STRAY_QUOTES = 'username;email;city\nbob;;"Paris\nann;a@x.org;"Le" Port\neve;1;2;3;4;5;6;7;Lyon"\n'


@pytest.mark.parametrize("separator", [";", ",", "\t", "|", ":"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16LE", "Windows-1252", "Shift_JIS", "ISO-2022-JP"])
def test_a_quote_that_ends_nowhere_swallows_no_row_of_the_tryback(separator: str, end: str, encoding: str) -> None:
    data = STRAY_QUOTES.replace(";", separator).replace("\n", end).encode(encoding)
    options = {"encoding": encoding, "separator": separator, "known_names": ["username", "email", "city"]}
    assert first_read_back(data, 2, 4, **options)


def test_only_a_cell_whose_quote_ends_nowhere_is_put_in_quotes() -> None:
    data = STRAY_QUOTES.replace(';;"', ';"b ""x""";  "').encode()
    assert first_read_back(data, 2, 4).splitlines() == [
        b"username;email;city" + END.encode(),
        b'bob;"b ""x""";"  ""Paris"' + reason(2).encode(),
        b'eve;1;2;3;4;5;6;7;Lyon"' + reason(4).encode(),
    ]


@pytest.mark.parametrize("first", ['"c1', 'add,student,u1,"c1'])
def test_a_quote_that_ends_nowhere_swallows_no_comment_of_a_list(first: str) -> None:
    names = ["op", "role", "user", "course"][: first.count(",") + 1]
    data = f'{first}\nadd,"s" s,u2,c2\nc3"\n'.encode()
    assert first_read_back(data, 1, 3, list_names=names)


@pytest.mark.parametrize(
    "cell",
    ["a;b;c;d\nx;y", "1;2;3;4\n5;6", "a ;;; \n;", "a;b;c;d" + "\na;b;c;d;e" * 9 + "\nx"],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_lines_of_a_cell_are_no_rows_though_they_are_as_wide_as_those_of_the_tryback(cell: str, end: str) -> None:
    data = f'username;email\nbob;"{cell}"\nann;\n'.replace("\n", end).encode()
    lines = [row.line for row in open_rows(io.BytesIO(data), "in.csv")]
    assert first_read_back(data, *lines)


def test_a_workbook_becomes_csv_that_spreadsheets_open() -> None:
    book = openpyxl.Workbook()
    for row in (("username", "email", "city"), ("bob", "", "Lyon; Bron"), ("zoé", "", None)):
        book.active.append(row)
    data = io.BytesIO()
    book.save(data)
    text = tryback_of(data.getvalue(), 2, 3)
    assert text.startswith(b"\xef\xbb\xbf")
    assert text.decode("utf-8-sig").splitlines() == [
        "username;email;city" + END,
        'bob;;"Lyon; Bron"' + reason(2),
        "zoé;;" + reason(3),
    ]


@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16LE", "Windows-1252"])
def test_a_list_has_the_reasons_as_comments_and_no_header(encoding: str) -> None:
    data = "Zoé; one\r\nB\r\nC\r\n".encode(encoding)
    reader = open_rows(io.BytesIO(data), "in.csv", encoding=encoding, list_names=["identifier"])
    out = io.BytesIO()

    write_tryback(out, reader, [rejection(1), rejection(3)], language="en")

    lines = out.getvalue().decode(encoding).split("\r\n")
    assert lines[1::2] == ["Zoé; one", "C"]
    assert [line.split(":")[0] for line in lines[0::2]] == ["# 1, cell_empty", "# 3, cell_empty", ""]
