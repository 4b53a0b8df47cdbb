"""A zip of pictures as rows."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from sync.errors import UnknownFileType
from sync.reader import open_rows, picture_zip
from sync.reader.picture_zip import PictureRefused, holds_pictures
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
