"""sync.reader.row_splitter"""

from __future__ import annotations

import csv
import io
import time
import tracemalloc

import pytest
from hypothesis import given, strategies as st

from sync.errors import CommandFileError
from sync.reader import row_bytes, row_splitter
from sync.reader.row_bytes import COMMENT, DOUBTFUL, PLAIN, QUOTED, SUSPECT, ByteSource
from sync.reader.row_splitter import PlainRun, RowSplitter

HEADER = b"username;firstname;lastname;city\n"


def split(file: bytes, separator: str = ";") -> list[tuple[int, bytes, int]]:
    source = ByteSource(io.BytesIO(file), "UTF-8", b"")
    return [(row.line, row.raw, row.kind) for row in RowSplitter(source, separator, header_line=1)][1:]


def kinds(file: bytes, separator: str = ";") -> list[tuple[int, int]]:
    return [(line, kind) for line, _raw, kind in split(file, separator)]


@pytest.mark.parametrize("place", range(4))
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("separator", [";", ",", "\t"])
def test_a_cell_of_several_lines_is_one_cell_in_any_column(place: int, end: str, separator: str) -> None:
    cells = ["a", "b", "c", "d"]
    cells[place] = f'"one{end}two ""2""{end}{end}three"'
    row = separator.join(cells)
    file = HEADER.decode().replace(";", separator) + row + end + separator * 3 + "x" + end
    assert split(file.encode(), separator) == [
        (2, row.encode(), QUOTED),
        (2 + row.count("\n" if "\n" in end else "\r") + 1, (separator * 3 + "x").encode(), PLAIN),
    ]


def test_every_cell_may_have_several_lines() -> None:
    row = b'"a\n1";"b\n2";"c\n3";"d\n4"'
    assert split(HEADER + row + b"\ne;f;g;h\n") == [(2, row, QUOTED), (7, b"e;f;g;h", PLAIN)]


@pytest.mark.parametrize("count", [1, 2, 30])
def test_rows_between_two_stray_quotes_stay_rows(count: int) -> None:
    rows = b"".join(b"u%d;F;L;Nantes\n" % number for number in range(count))
    for last in (b'z;F;L;"Le Port\n', b'z;F;L;Le Port"\n'):
        found = split(HEADER + b'a;F;L;"La Villa\n' + rows + last)
        assert [row[0] for row in found] == list(range(2, count + 4))
        assert found[0][1] == b'a;F;L;"La Villa'
        assert {kind for _line, _raw, kind in found} == {PLAIN, QUOTED}


def test_blank_lines_and_a_short_row_between_stray_quotes_change_nothing() -> None:
    rows = b"u1;F;L;x\n\nu2;F;L;x\nu3;F\n# note\nu4;F;L;x\nu5;F;L;x\nu6;F;L;x\nu7;F;L;x\n"
    found = kinds(HEADER + b'a;F;L;"La Villa\n' + rows + b'z;F;L;Le Port"\n')
    assert [line for line, _kind in found] == list(range(2, 13))


@pytest.mark.parametrize("quote", [b'"Ann', b'  "Ann', b'"""Ann'])
def test_a_quote_closed_nowhere_is_a_matter_of_its_own_line(quote: bytes) -> None:
    rows = b"".join(b"u%d;F;L;x\n" % number for number in range(1000))
    found = split(HEADER + b"a;" + quote + b";L;x\n" + rows)
    assert len(found) == 1001
    assert found[0] == (2, b"a;" + quote + b";L;x", QUOTED)


@pytest.mark.parametrize(
    "file",
    [
        # Two columns, or three and one line: that many separators stand in any text.
        b'a;b\nx;"Dear all\nHello; you\nBye; me"\n',
        b'a;b;c\nx;y;"Dear all\nred;green;blue"\n',
        # A text with a blank behind its commas.
        b'a,b,c,d\n1,2,3,"Likes\nred, green, blue, gold\nfour, five, six, seven"\n',
        # One column: every line has the header's number of cells.
        b'a\n"one\ntwo"\n',
        # As many lines look like text as look like rows.
        b'a;b;c;d\n1;2;3;"x\n1;2;3;4\nsome text\nmore"\n',
        # The whole lacks cells that the last line has by itself.
        b'a;b;c;d;e\n1;"2\n1;2;3";4;5\n',
    ],
)
def test_what_may_be_one_row_or_several_is_doubtful(file: bytes) -> None:
    separator = "," if b"," in file else ";"
    assert kinds(file, separator) == [(2, DOUBTFUL)]


@pytest.mark.parametrize(
    ("lines", "kind"),
    [
        # What a tryback adds stands at the end only.
        (b'bob;"a;b;c;d\nx;y";2;cell_empty;Fill it in.\n', QUOTED),
        (b'bob;"1;2;3;4\n5;6";2;cell_empty;"Fill ""it"" in."\n', QUOTED),
        (b'bob;"a;b;c;d\na;b;c;d;e\na;b;c;d;e\na;b;c;d;e\na;b;c;d;e\n";2;cell_empty;Fill it in.;;\n', QUOTED),
        # It stands behind each, or somebody has emptied it.
        (b'bob;"Lyon;2;cell_empty;Fill it in.\nann;Paris";3;cell_empty;Fill it in.\n', PLAIN),
        (b'bob;"Lyon;2;cell_empty;Fill it in.\neve;Bron;;;\nann;Paris";3;cell_empty;Fill it in.\n', PLAIN),
        (b'bob;"Lyon;;;\nann;Paris";3;cell_empty;Fill it in.\n', DOUBTFUL),
        (b'bob;"Lyon;;;\nann;Paris";;;\n', PLAIN),
    ],
)
def test_what_a_tryback_adds_tells_where_its_rows_end(lines: bytes, kind: int) -> None:
    file = b"username;city;_line;_code;_reason\n" + lines + b"zoe;Nantes;9;cell_empty;Fill it in.\n"
    source = ByteSource(io.BytesIO(file), "UTF-8", b"")
    (_header, *rows) = RowSplitter(source, ";", header_line=1, is_tryback=True)
    if kind == PLAIN:
        assert [row.last_line for row in rows] == list(range(2, file.count(b"\n") + 1))
    else:
        assert [(row.raw + b"\n", row.kind) for row in rows[:-1]] == [(lines, kind)]


def test_lines_behind_a_doubtful_row_are_rows() -> None:
    found = split(b'a;b\nx;"Dear all\nHello; you"\ny;z\n')
    assert [(line, kind) for line, _raw, kind in found] == [(2, DOUBTFUL), (4, PLAIN)]


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (b" ann;A;B;C", PLAIN),
        (b" ann;A;B;", PLAIN),
        (b' ann;A;B;"C;D"', QUOTED),
        (b" a remark; with two", COMMENT),
        (b"(ann;A;B;C", SUSPECT),
        (b"#ann;A;B;C", SUSPECT),
        (b"#ann;A;B;C;;;", SUSPECT),
        (b"- a remark", COMMENT),
        (b"[ann;A;B", SUSPECT),
        (b"/ann;A;B;C;D", SUSPECT),
        (b" ann;A;B", SUSPECT),
        (b" ;A;B", SUSPECT),
        (b'-ann;"A";B', SUSPECT),
        (b"-ann;;", COMMENT),
        (b"# 1; 2", COMMENT),
    ],
)
def test_a_comment_with_several_cells_is_not_nothing(line: bytes, kind: int) -> None:
    assert split(HEADER + line + b"\nx;y;z;w\n") == [(2, line, kind), (3, b"x;y;z;w", PLAIN)]


def test_where_blanks_stand_behind_the_separators_of_the_header_comments_with_cells_are_no_sentences() -> None:
    assert kinds(b"a; b; c; d\n- x; y\n") == [(2, SUSPECT)]


def test_a_row_of_several_lines_may_begin_with_a_blank() -> None:
    row = b' ann;A;"B\nb";C'
    assert split(HEADER + row + b"\nx;y;z;w\n") == [(2, row, QUOTED), (4, b"x;y;z;w", PLAIN)]


def test_a_comment_with_a_quote_takes_no_lines() -> None:
    file = HEADER + b'# he said: "no; never\nu1;F;L;x\nu2;F;L;"y"\n'
    assert [line for line, _kind in kinds(file)] == [2, 3, 4]


def test_remarks_in_a_file_of_one_column_are_comments() -> None:
    assert kinds(b"shortname\n( old note )\n(C15\n# old one\n") == [(2, COMMENT), (3, SUSPECT), (4, COMMENT)]


def test_a_cell_of_too_many_lines_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_bytes, "ROW_LIMIT", 1 << 20)
    with pytest.raises(CommandFileError) as caught:
        split(b'h;i\n"' + b"0123456789\n" * 200_000 + b'"\n')
    assert (caught.value.code, caught.value.params["line"]) == ("row_too_long", 2)


def test_a_stray_quote_in_a_long_file_is_not_a_row_that_is_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_bytes, "ROW_LIMIT", 1 << 18)
    found = kinds(HEADER + b'a;F;L;"La Villa\n' + b"u;F;L;Nantes\n" * 25_000)
    assert len(found) == 25_001


@pytest.mark.parametrize(
    "line",
    [
        b'u;F;L;"x\n',
        b'"u;F;L;x\n',
        b'u";F;"L;x\n',
        b'u;"";"";""\n',
        b'"u;"F;"L;"x\n',
        b'";"\n',
        b'u;F;L;"x""y\n',
        b'x";"y\n',
        b'"x";"y\n',
    ],
)
def test_time_grows_with_the_file_and_not_faster(line: bytes) -> None:
    def seconds(count: int) -> float:
        file = HEADER + b'a;F;L;"open\n' + line * count
        began = time.process_time()
        split(file)
        return time.process_time() - began

    small = min(seconds(4_000) for _try in range(3))
    large = min(seconds(32_000) for _try in range(2))
    assert large < 40 * max(small, 0.02)


def test_memory_does_not_grow_with_the_rows_between_stray_quotes() -> None:
    # One stray quote at each end.
    file = io.BytesIO(HEADER + b'a;F;L;"La Villa\n' + b"user;Firstname;Lastname;Nantes\n" * 20_000 + b'z;F;L;x"\n')
    tracemalloc.start()
    rows = sum(1 for _row in RowSplitter(ByteSource(file, "UTF-8", b""), ";", header_line=1))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert rows == 20_003
    assert peak < 16 << 20


@given(
    rows=st.lists(st.lists(st.text(alphabet='ab;" \n', max_size=5), min_size=5, max_size=5), max_size=6),
)
def test_rows_of_the_csv_module_are_found_or_doubtful_but_never_others(rows: list[list[str]]) -> None:
    written = [io.StringIO(newline="") for _row in rows]
    for out, row in zip(written, rows, strict=True):
        csv.writer(out, delimiter=";", lineterminator="", quoting=csv.QUOTE_ALL).writerow(["k", *row])
    file = "1;2;3;4;5;6\n" + "".join(out.getvalue() + "\n" for out in written)
    found = split(file.encode())
    whole = {out.getvalue().encode() for out in written}
    if not any(kind == DOUBTFUL for _line, _raw, kind in found):
        assert {raw for _line, raw, _kind in found} == whole


def assert_every_line_is_of_one_row(file: bytes) -> None:
    physical = file.splitlines(keepends=True)
    expected_line = 1
    for row in RowSplitter(ByteSource(io.BytesIO(file), "UTF-8", b""), ";", header_line=1):
        assert row.line == expected_line
        raw = b"".join(physical[row.line - 1 : row.last_line])
        assert row.raw == raw.rstrip(b"\r\n")
        expected_line = row.last_line + 1
    assert expected_line == len(physical) + 1


@pytest.mark.parametrize(
    "file",
    [b'h;h\n "(#\r"\r;(;"\r\r\r\n\r', b'h\r#a\r\n "\r";ab(\r"\r \r', b'h;h;h\nba\r "\n; " \r"\r\n"#\rb\r;;b"\r\r\n'],
)
def test_lines_that_are_looked_at_once_more_keep_their_ends(file: bytes) -> None:
    assert_every_line_is_of_one_row(file)


@given(
    lines=st.lists(st.text(alphabet='aab;;"" #(\r', max_size=10), max_size=14),
    width=st.integers(1, 4),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_every_line_belongs_to_exactly_one_row(lines: list[str], width: int, end: str) -> None:
    file = "".join(line + end for line in ["h" + ";h" * (width - 1), *lines]).encode()
    assert_every_line_is_of_one_row(file)


@pytest.mark.parametrize("length", [1, 2, 3])
@given(
    lines=st.lists(st.sampled_from(["a;b", "c;d;e", '"f', 'g"', '"h;i";j', "", ";", "# k", " l;m", "n;"]), max_size=14)
)
def test_lines_are_the_same_rows_however_many_are_looked_at_together(length: int, lines: list[str]) -> None:
    file = "".join(line + "\n" for line in ["1;2", *lines]).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(row_splitter, "_LINES_OF_A_RUN", length)
        short = split(file)
    assert short == split(file)


def test_plain_rows_come_many_at_once() -> None:
    rows = b"".join(b"u%d;F;L;x\n" % number for number in range(10_000))
    parts = list(
        RowSplitter(
            ByteSource(io.BytesIO(HEADER + rows + b'z;"F";L;x\n' + rows), "UTF-8", b""), ";", header_line=1
        ).parts()
    )
    runs = [part for part in parts if isinstance(part, PlainRun)]
    assert sum(len(run.raws) for run in runs) > 18_000
    assert len(parts) < 1_600
