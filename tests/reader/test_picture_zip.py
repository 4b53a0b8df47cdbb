"""A zip of pictures as rows."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from sync.errors import UnknownFileType
from sync.outcomes.picture_tryback import write_picture_tryback
from sync.reader import open_rows, picture_zip
from sync.reader.picture_zip import DIRECTORY_LIMIT, ENTRY_LIMIT, PictureRefused, PictureZip, holds_pictures
from sync.values import Action, Outcome
from tests.pictures import picture, zip_of


def test_rows_come_in_the_order_of_their_paths_and_their_pictures_when_asked_for() -> None:
    stream = io.BytesIO(zip_of({"b/x.png": b"2", "a/z.png": b"1", "B.png": b"0", "b/": b""}))
    reader = open_rows(stream, "p.zip", of_pictures=True)

    seen = []
    for row in reader:
        seen.append((row.line, row.raw, row.cells))
        assert reader.bytes_read <= len(stream.getvalue())

    assert seen == [(1, b"", ("B.png",)), (2, b"", ("a/z.png",)), (3, b"", ("b/x.png",))]
    assert reader.bytes_read == len(stream.getvalue())
    assert reader.pictures is not None
    assert [reader.pictures.content_of(line) for line in (3, 1, 2)] == [b"2", b"0", b"1"]


def test_names_of_macos_and_windows_are_read_as_people_see_them() -> None:
    reader = open_rows(io.BytesIO(zip_of({"e\u0301ric.png": b"", "class\\ann.png": b""})), "p.zip", of_pictures=True)
    assert [row.cells[0] for row in reader] == ["class/ann.png", "éric.png"]


@pytest.mark.parametrize(
    ("limit", "code"), [("ENTRY_LIMIT", "zip_too_many"), ("UNPACKED_LIMIT", "zip_too_large")]
)  # fmt: skip
def test_a_zip_that_holds_too_much_is_refused_before_it_is_unpacked(
    limit: str, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picture_zip, limit, 1)
    with pytest.raises(UnknownFileType) as refused:
        open_rows(io.BytesIO(zip_of({"a.png": b"xx", "b.png": b"xx"})), "p.zip", of_pictures=True)
    assert refused.value.code == code


@pytest.mark.parametrize("path", ["/a.png", "../a.png", "x/../../a.png", "C:/a.png", "\\a.png"])
def test_a_path_that_leads_out_is_not_read(path: str) -> None:
    reader = open_rows(io.BytesIO(zip_of({path: picture()})), "p.zip", of_pictures=True)
    assert reader.pictures is not None
    with pytest.raises(PictureRefused, match="picture_outside"):
        reader.pictures.content_of(1)


def test_only_a_zip_with_a_picture_in_it_is_one_of_pictures(tmp_path: Path) -> None:
    assert holds_pictures(io.BytesIO(zip_of({"class/Ann.JPEG": b""})))
    for content in (b"a;b\n1;2\n", zip_of({"a.csv": b""}), zip_of({"__MACOSX/._a.png": b"", ".png": b""})):
        assert not holds_pictures(io.BytesIO(content))


def packed_zip(pictures: dict[str, bytes]) -> io.BytesIO:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in pictures.items():
            archive.writestr(path, content)
    return out


def code_of(stream: io.BytesIO) -> str:
    with pytest.raises(UnknownFileType) as refused:
        open_rows(stream, "p.zip", of_pictures=True)
    return refused.value.code


def test_a_zip_that_would_grow_to_many_times_its_size_is_refused() -> None:
    assert code_of(packed_zip({f"{number}.png": bytes(19_000_000) for number in range(11)})) == "zip_too_large"


def test_entries_that_share_their_bytes_are_refused() -> None:
    content = packed_zip({"a.png": picture()}).getvalue()
    start = content.index(b"PK\x01\x02")
    end = content.index(b"PK\x05\x06")
    entry, rest = content[start:end], bytearray(content[end:])
    for place in (8, 10):
        rest[place : place + 2] = (9).to_bytes(2, "little")
    rest[12:16] = (9 * len(entry)).to_bytes(4, "little")
    directory = b"".join(entry.replace(b"a.png", b"%d.png" % number) for number in range(9))
    assert code_of(io.BytesIO(content[:start] + directory + bytes(rest))) == "zip_broken"


def test_a_long_directory_is_not_taken_into_memory() -> None:
    content = packed_zip({"a.png": b""}).getvalue()
    start, end = content.index(b"PK\x01\x02"), content.index(b"PK\x05\x06")
    rest = bytearray(content[end:])
    directory = content[start:end] * (DIRECTORY_LIMIT // (end - start) + 1)
    rest[12:16] = len(directory).to_bytes(4, "little")
    stream = io.BytesIO(content[:start] + directory + bytes(rest))
    tracemalloc.start()
    assert not holds_pictures(stream)
    assert code_of(stream) == "zip_directory_too_large"
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()


def test_so_many_pictures_as_are_taken_do_not_fill_the_memory() -> None:
    content = packed_zip({f"class/{number}.png": b"" for number in range(1_000)}).getvalue()
    tracemalloc.start()
    assert holds_pictures(io.BytesIO(content))
    assert tracemalloc.get_traced_memory()[1] * ENTRY_LIMIT // 1_000 < 150 << 20
    tracemalloc.stop()
    start, end = content.index(b"PK\x01\x02"), content.index(b"PK\x05\x06")
    directory, rest = content[start:end] * (ENTRY_LIMIT // 1_000 + 1), bytearray(content[end:])
    rest[12:16] = len(directory).to_bytes(4, "little")
    stream = io.BytesIO(content[:start] + directory + bytes(rest))
    tracemalloc.start()
    assert not holds_pictures(stream)
    assert code_of(stream) == "zip_too_many"
    assert tracemalloc.get_traced_memory()[1] < 10 << 20
    tracemalloc.stop()


def test_a_directory_that_is_shown_twice_is_measured_where_it_is_read() -> None:
    """`zipfile` believes the end of a zip64, which stands before the other one."""
    content = packed_zip({"a.png": b""}).getvalue()
    start, end = content.index(b"PK\x01\x02"), content.index(b"PK\x05\x06")
    directory = content[start:end] * (ENTRY_LIMIT + 1)
    large = struct.pack("<4sQHHLLQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, 9, 9, len(directory), start)
    place = struct.pack("<4sLQL", b"PK\x06\x07", 0, start + len(directory), 1)
    assert code_of(io.BytesIO(content[:start] + directory + large + place + content[end:])) == "zip_too_many"


def resized(content: bytes, size: int) -> bytes:
    """Return a zip of one picture that says the picture has another size."""
    changed = bytearray(content)
    changed[22:26] = size.to_bytes(4, "little")
    entry = content.index(b"PK\x01\x02")
    changed[entry + 24 : entry + 28] = size.to_bytes(4, "little")
    return bytes(changed)


@pytest.mark.parametrize(
    ("method", "code"),
    [
        (zipfile.ZIP_DEFLATED, "picture_damaged"),
        (zipfile.ZIP_BZIP2, "picture_method"),
        (zipfile.ZIP_LZMA, "picture_method"),
    ],
)
def test_a_picture_that_lies_about_its_size_is_not_unpacked_beyond_it(method: int, code: str) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        archive.writestr("a.png", bytes(20_000_000))
    pictures = PictureZip(io.BytesIO(resized(out.getvalue(), 1000)))
    del out
    tracemalloc.start()
    with pytest.raises(PictureRefused, match=code):
        pictures.content_of(1)
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()


def test_a_picture_that_lies_beyond_every_file_is_damaged() -> None:
    content = packed_zip({"a.png": picture()}).getvalue()
    start, end = content.index(b"PK\x01\x02"), content.index(b"PK\x05\x06")
    entry, extra = bytearray(content[start:end]), struct.pack("<HHQ", 1, 8, 2**64 - 1)
    entry[30:32] = len(extra).to_bytes(2, "little")
    entry[42:46] = b"\xff" * 4
    rest = bytearray(content[end:])
    rest[12:16] = (len(entry) + len(extra)).to_bytes(4, "little")
    pictures = PictureZip(io.BytesIO(content[:start] + bytes(entry) + extra + bytes(rest)))
    with pytest.raises(PictureRefused, match="picture_damaged"):
        pictures.content_of(1)


def test_a_tryback_is_never_much_larger_than_its_zip() -> None:
    stream = packed_zip({f"{number}.png": bytes(9_000_000) for number in range(10)})
    pictures, out = PictureZip(stream), io.BytesIO()
    rejected = [Outcome(line, Action.REJECTED, "picture_unreadable", {}) for line in pictures.paths]
    assert write_picture_tryback(out, pictures, rejected, language="en") == 10
    assert len(out.getvalue()) < 2 * len(stream.getvalue()) + 2000
    with zipfile.ZipFile(out) as tryback:
        assert tryback.read("3.png") == bytes(9_000_000)


def test_pictures_of_one_path_are_both_in_the_tryback() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a.png", b"one")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("a.png", b"two")
    pictures, out = PictureZip(stream), io.BytesIO()
    rejected = [Outcome(line, Action.REJECTED, "picture_unreadable", {}) for line in pictures.paths]
    assert write_picture_tryback(out, pictures, rejected, language="en") == 2
    with zipfile.ZipFile(out) as tryback:
        assert tryback.namelist()[:2] == ["a.png", "a.png"]
