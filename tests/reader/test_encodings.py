"""sync.encodings: every encoding that can be chosen is read, and written in the tryback."""

# ruff: noqa: SIM905 (letters that look alike; a list of words)

from __future__ import annotations

import codecs
import io

import pytest

from sync.columns.general_options import GeneralOptions
from sync.encodings import ENCODING_LABELS, find_encoding_name
from sync.errors import CommandFileError, OptionError
from sync.outcomes.tryback import write_tryback
from sync.reader import RowReader, open_rows
from sync.values import Action, Outcome

# What PHP 8.1 to 8.3 lists (mb_list_encodings), as Moodle's form writes it; forms of transport and UTF7-IMAP left out.
_NAMES = """
UCS-4 UCS-4BE UCS-4LE UCS-2 UCS-2BE UCS-2LE UTF-32 UTF-32BE UTF-32LE UTF-16 UTF-16BE UTF-16LE UTF-8 UTF-7 ASCII
EUC-JP
SJIS EUCJP-WIN EUC-JP-2004 SJIS-MOBILE#DOCOMO SJIS-MOBILE#KDDI SJIS-MOBILE#SOFTBANK SJIS-MAC SJIS-2004 UTF-8-MOBILE#DOCOMO
UTF-8-MOBILE#KDDI-A UTF-8-MOBILE#KDDI-B UTF-8-MOBILE#SOFTBANK CP932 SJIS-WIN CP51932 JIS ISO-2022-JP ISO-2022-JP-MS GB18030
WINDOWS-1252 WINDOWS-1254 ISO-8859-1 ISO-8859-2 ISO-8859-3 ISO-8859-4 ISO-8859-5 ISO-8859-6 ISO-8859-7 ISO-8859-8 ISO-8859-9
ISO-8859-10 ISO-8859-13 ISO-8859-14 ISO-8859-15 ISO-8859-16 EUC-CN CP936 HZ EUC-TW BIG-5 CP950 EUC-KR UHC ISO-2022-KR WINDOWS-1251
CP866 KOI8-R KOI8-U ARMSCII-8 CP850
ISO-2022-JP-2004 ISO-2022-JP-MOBILE#KDDI CP50220 CP50221 CP50222 7BIT 8BIT WINDOWS-1250 WINDOWS-1253
WINDOWS-1255 WINDOWS-1256 WINDOWS-1257 WINDOWS-1258 WINDOWS-31J TIS-620 MACINTOSH LATIN1 GB18030-2022
"""
MOODLE_NAMES = _NAMES.split()

ALPHABETS = tuple("Amélie Łukasz Žydrūnas Ayşe Ольга Γεώργιος דוד محمد Անի สมชาย 山田能ソ 王小明 김철수 Ann".split(" "))


@pytest.mark.parametrize("name", MOODLE_NAMES)
def test_every_encoding_of_moodles_form_can_be_chosen(name: str) -> None:
    option = GeneralOptions.encoding
    assert option.clean(name) in ENCODING_LABELS
    assert option.clean(name.lower()) == option.clean(name)


@pytest.mark.parametrize("name", ["EBCDIC", "rot13", "hex", "idna", "utf-99", "BASE64", "UTF7-IMAP"])
def test_another_name_is_refused(name: str) -> None:
    option = GeneralOptions.encoding
    with pytest.raises(OptionError):
        option.clean(name)
    with pytest.raises(LookupError):
        find_encoding_name(name)


def read(file: bytes, encoding: str) -> RowReader:
    return open_rows(io.BytesIO(file), "users.csv", encoding=encoding, known_names={"username", "firstname", "note"})


@pytest.mark.parametrize("separator", [";", "|", "\t"])
@pytest.mark.parametrize("name", ENCODING_LABELS)
def test_rows_and_tryback_in_every_encoding(name: str, separator: str) -> None:
    written = next(word for word in ALPHABETS if word.encode(name, "ignore").decode(name) == word)
    text = f'username;firstname;note\na;{written};"x;y ""{written}"""\nb;{written};{written}\n'.replace(";", separator)
    file = text.encode(name)
    reader = read(file, name)
    quoted = f'x{separator}y "{written}"'
    assert [row.cells for row in reader] == [("a", written, quoted), ("b", written, written)]
    out = io.BytesIO()
    rejected = [Outcome(3, Action.REJECTED, "cell_empty", {"column": "note"}, written)]
    write_tryback(out, read(file, name), rejected, language="en")
    again = read(out.getvalue(), reader.dialect.encoding)
    assert [row.cells[:3] for row in again] == [("b", written, written)]


@pytest.mark.parametrize("name", ENCODING_LABELS)
@pytest.mark.parametrize(
    "file", [b"username\n~{#\n", b"username\n\x1b$B#\n", b"username\n+A\n", b"username\n\x81", b"username\n\x8e\xa1;\n"]
)
def test_bytes_that_do_not_belong_are_named_in_every_encoding(name: str, file: bytes) -> None:
    code = ""
    try:
        rows = list(read(file, name))
    except CommandFileError as error:
        code, rows = error.code, []
    assert code in ("", "byte_undecodable", "file_binary", "header_too_long", "file_without_header")
    assert all(row.cells for row in rows)


def test_euc_tw_has_two_and_four_bytes() -> None:
    text = "王小明;峯淼\n堃a𠀀"
    data = text.encode("euc-tw")
    assert data.decode("euc-tw") == text
    assert {len(char.encode("euc-tw")) for char in "王a𠀀"} == {1, 2, 4}
    decoder = codecs.getincrementaldecoder("euc-tw")()
    assert (
        "".join(decoder.decode(data[place : place + 1], place + 1 == len(data)) for place in range(len(data))) == text
    )
    with pytest.raises(UnicodeDecodeError) as caught:
        b"ab\xc5".decode("euc-tw")
    assert caught.value.start == 2
    assert "a😀".encode("euc-tw", "replace") == b"a?"
