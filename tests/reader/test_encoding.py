"""sync.reader.encoding"""

from __future__ import annotations

import codecs
import io

import pytest

from sync.errors import UndecodableFile, UnknownFileType
from sync.reader.encoding import FoundEncoding, find_encoding
from sync.reader.row_bytes import BLOCK_SIZE

TEXT = "username;firstname\nann;Amélie\n"


def find(file: bytes, wanted: str = "") -> FoundEncoding:
    return find_encoding(io.BytesIO(file), wanted)


@pytest.mark.parametrize(
    ("file", "encoding", "bom"),
    [
        (b"username\nann\n", "UTF-8", b""),
        (TEXT.encode(), "UTF-8", b""),
        (codecs.BOM_UTF8 + TEXT.encode(), "UTF-8", codecs.BOM_UTF8),
        (codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le"), "UTF-16LE", codecs.BOM_UTF16_LE),
        (codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), "UTF-16BE", codecs.BOM_UTF16_BE),
        (TEXT.encode("utf-16-le"), "UTF-16LE", b""),
        (TEXT.encode("utf-16-be"), "UTF-16BE", b""),
        (TEXT.encode("utf-32-le"), "UTF-32LE", b""),
        (TEXT.encode("utf-32-be"), "UTF-32BE", b""),
        ("名;姓\n王;小明\n".encode("utf-32-le"), "UTF-32LE", b""),
        (codecs.BOM_UTF32_LE + TEXT.encode("utf-32-le"), "UTF-32LE", codecs.BOM_UTF32_LE),
        (codecs.BOM_UTF32_BE + TEXT.encode("utf-32-be"), "UTF-32BE", codecs.BOM_UTF32_BE),
        ("name\nÉlodie\nRené\nZoé\nHélène\n«CAFÉ»\n".encode("cp1252"), "Windows-1252", b""),
        (TEXT.encode("cp1252"), "Windows-1252", b""),
        ("name\n10 € “œuvre”\n".encode("cp1252"), "Windows-1252", b""),
        ("name\n10 €\n".encode("iso-8859-15"), "ISO-8859-15", b""),
        ("name\nœuvre de Šimon\n".encode("iso-8859-15"), "ISO-8859-15", b""),
        ("name\n2½ l d\xb4eau, ½ h\n".encode("cp1252"), "Windows-1252", b""),
    ],
)
def test_the_encoding_is_detected(file: bytes, encoding: str, bom: bytes) -> None:
    assert find(file)[:3] == (encoding, bom, True)


@pytest.mark.parametrize(
    ("wanted", "file"),
    [
        ("UTF-8", TEXT.encode()),
        ("Windows-1252", TEXT.encode()),
        ("ISO-8859-1", TEXT.encode("latin-1")),
        ("ISO-8859-15", b"\xa4"),
        ("UTF-16LE", TEXT.encode("utf-16-le")),
    ],
)
def test_an_encoding_that_is_set_is_taken(wanted: str, file: bytes) -> None:
    assert find(file, wanted) == FoundEncoding(wanted, b"", detected=False)


@pytest.mark.parametrize(("codec", "encoding"), [("utf-16-le", "UTF-16LE"), ("utf-16-be", "UTF-16BE")])
def test_utf_16_that_is_set_finds_the_byte_order(codec: str, encoding: str) -> None:
    assert find(TEXT.encode(codec), "UTF-16").encoding == encoding


def test_a_guess_says_by_which_words() -> None:
    assert find(TEXT.encode("cp1252")).words == ("Amélie",)
    assert find(TEXT.encode()).words == ()


def test_a_byte_order_mark_wins_over_the_option() -> None:
    assert find(codecs.BOM_UTF8 + TEXT.encode(), "ISO-8859-1") == FoundEncoding("UTF-8", codecs.BOM_UTF8, True)


@pytest.mark.parametrize(
    ("file", "wanted", "where"),
    [
        (TEXT.encode("latin-1"), "UTF-8", (2, 7, "0xE9", "UTF-8")),
        (b"h\r\nok\r\nJos\xe9;\xc3\xa9\r\n", "", (3, 4, "0xE9", "UTF-8")),
        (b"h\r\xc3\xa9\xc3\xa9\xff", "", (2, 3, "0xFF", "UTF-8")),
        (b"h\nab\xc3", "UTF-8", (2, 3, "0xC3", "UTF-8")),
        (b"h\na\x81", "Windows-1252", (2, 2, "0x81", "Windows-1252")),
        (b"\xff\xfeh\0\n\0\0\xd8x\0", "", (2, 1, "0x00", "UTF-16LE")),
        (b"\xff\xfeh\0\n\0x", "", (2, 1, "0x78", "UTF-16LE")),
        (b"\xef\xbb\xbfh\nx\xe9", "", (2, 2, "0xE9", "UTF-8")),
    ],
)
def test_a_byte_that_does_not_belong_is_named(file: bytes, wanted: str, where: tuple[int, int, str, str]) -> None:
    with pytest.raises(UndecodableFile) as caught:
        find(file, wanted)
    assert caught.value.code == "byte_undecodable"
    params = caught.value.params
    assert (params["line"], params["column"], params["byte"], params["encoding"]) == where


@pytest.mark.parametrize("shift", range(-3, 3))
def test_blocks_may_end_anywhere(shift: int) -> None:
    padding = b"x" * (BLOCK_SIZE + shift - 2) + b"\r\n"
    assert find(padding + "€é\n".encode()).encoding == "UTF-8"
    assert find(padding + "abc\xe9\n".encode("latin-1")).encoding == "Windows-1252"
    with pytest.raises(UndecodableFile) as caught:
        find(padding + "€é".encode() + b"\xff\n")
    assert (caught.value.params["line"], caught.value.params["column"]) == (2, 3)


@pytest.mark.parametrize(
    ("file", "wanted"),
    [
        (b"a;b\n\0\n", ""),
        (b"a;b\nc\0\n", "ISO-8859-1"),
        ("a;b\n\0\n".encode("utf-16"), ""),
        (b"a" * BLOCK_SIZE + b"\0", ""),
    ],
)
def test_a_zero_byte_is_no_text(file: bytes, wanted: str) -> None:
    with pytest.raises(UnknownFileType) as caught:
        find(file, wanted)
    assert caught.value.code == "file_binary"
