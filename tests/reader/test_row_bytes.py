"""sync.reader.row_bytes"""

from __future__ import annotations

import io

import pytest
from hypothesis import given, strategies as st

from sync.errors import CommandFileError, EmptyFile, HeaderError
from sync.reader import row_bytes
from sync.reader.row_bytes import BLANK, COMMENT, PLAIN, QUOTED, ByteSource, find_header_line, line_groups
from sync.reader.row_splitter import RowSplitter


def rows_of(file: bytes, header_line: int = 1) -> list[tuple[int, bytes, int]]:
    source = ByteSource(io.BytesIO(file), "UTF-8", b"")
    return [(row.line, row.raw, row.kind) for row in RowSplitter(source, ";", header_line=header_line)]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_every_line_end_is_known(end: bytes) -> None:
    file = end.join([b"a;b", b"", b"1;2", b'"x' + end + b'y";3', b"4;5"])
    assert rows_of(file) == [
        (1, b"a;b", PLAIN),
        (2, b"", BLANK),
        (3, b"1;2", PLAIN),
        (4, b'"x' + end + b'y";3', QUOTED),
        (6, b"4;5", PLAIN),
    ]


def test_line_ends_may_be_mixed() -> None:
    assert [row[:2] for row in rows_of(b"a\nb\r\nc\rd")] == [(1, b"a"), (2, b"b"), (3, b"c"), (4, b"d")]


def test_other_characters_that_python_calls_line_ends_are_not() -> None:
    file = "a\x0bb\x0cc\x1cd\x85e\u2028f".encode()
    assert rows_of(file) == [(1, file, PLAIN)]


@pytest.mark.parametrize("mark", list("([-#/ "))
def test_a_line_that_begins_with_a_mark_is_a_comment(mark: str) -> None:
    assert [row[2] for row in rows_of(f'h\n{mark}x;"y\nz'.encode())] == [PLAIN, COMMENT, PLAIN]


def test_a_quoted_first_cell_and_the_lines_of_a_cell_are_never_comments() -> None:
    file = b'"(A)1";x;y\nu;"one\n# two\n\n(three";y\n# note\n'
    assert rows_of(file) == [
        (1, b'"(A)1";x;y', QUOTED),
        (2, b'u;"one\n# two\n\n(three";y', QUOTED),
        (6, b"# note", COMMENT),
    ]


@pytest.mark.parametrize("line", [b"", b" ", b"\t", b";;;", b" ; ;"])
def test_a_line_of_nothing_but_separators_and_blanks_is_skipped(line: bytes) -> None:
    assert rows_of(line + b"\nx", header_line=2)[0][2] in (BLANK, COMMENT)


@pytest.mark.parametrize(
    "row",
    [b'a;"b""";c', b'a"b;"c"', b'"a"b";c', b'"";"a""";""', b'a;"b" "c;d', b'"a";"b\nc";"d\ne"', b'a;"""\n""";b"'],
)
def test_a_row_ends_where_its_quotes_are_closed(row: bytes) -> None:
    assert rows_of(row + b"\nnext") == [(1, row, QUOTED), (2 + row.count(b"\n"), b"next", PLAIN)]


@given(
    lines=st.lists(st.text(alphabet='ab;" #\u20ac', max_size=8)),
    ends=st.lists(st.sampled_from(["\n", "\r\n", "\r"]), min_size=1),
    size=st.integers(1, 7),
    encoding=st.sampled_from(["UTF-8", "UTF-16LE", "UTF-16BE"]),
)
def test_physical_lines_make_up_the_file_wherever_blocks_end(
    lines: list[str], ends: list[str], size: int, encoding: str
) -> None:
    text = "".join(line + ends[index % len(ends)] for index, line in enumerate(lines))
    file = text.encode()
    blocks = (file[start : start + size] for start in range(0, len(file), size))
    found = [line for group in line_groups(blocks) for line in group]
    assert found == file.splitlines(keepends=True)
    assert b"".join(ByteSource(io.BytesIO(text.encode(encoding)), encoding, b"").blocks()) == file


def test_a_line_without_end_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_bytes, "ROW_LIMIT", 3 << 20)
    blocks_read = 0

    def endless() -> object:
        nonlocal blocks_read
        yield b"h\n"
        while True:
            blocks_read += 1
            yield b"x" * (1 << 20)

    with pytest.raises(CommandFileError) as caught:
        for _lines in line_groups(endless()):  # type: ignore[arg-type]
            pass
    assert (caught.value.code, caught.value.params) == ("row_too_long", {"line": 2, "limit": 3})
    assert blocks_read == 4


def test_the_header_is_the_first_line_that_says_something() -> None:
    source = ByteSource(io.BytesIO(b"# note\n\n;;\n,,\n(x)\nusername;a\r\nann"), "UTF-8", b"")
    assert find_header_line(source) == (6, b"username;a\r\n")


@pytest.mark.parametrize("file", [b"\n", b"\r\n \n", b"# a\n(b)\n;;;\n"])
def test_a_file_of_blanks_and_comments_has_no_header(file: bytes) -> None:
    with pytest.raises(HeaderError) as caught:
        find_header_line(ByteSource(io.BytesIO(file), "UTF-8", b""))
    assert caught.value.code == "file_without_header"


def test_a_file_of_nothing_is_empty() -> None:
    with pytest.raises(EmptyFile) as caught:
        find_header_line(ByteSource(io.BytesIO(b""), "UTF-8", b""))
    assert caught.value.code == "file_empty"
