"""sync.reader.file_kind"""

from __future__ import annotations

import codecs
import gzip
import io
import zipfile

import pytest
from PIL import Image

from sync.errors import UnknownFileType
from sync.reader import open_rows


def png() -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (3, 3)).save(stream, "PNG")
    return stream.getvalue()


def zipped() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("users.csv", "username\n")
    return stream.getvalue()


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        (png(), "PNG"),
        (zipped(), "ZIP"),
        (gzip.compress(b"username\n", mtime=0), "GZIP"),
        (b"%PDF-1.7\n1 0 obj", "PDF"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500), "Excel 97-2003 / Excel + password"),
        (b"\n <!DOCTYPE html>\n<title>Log in</title>", "HTML"),
        (b"<table><tr><td>username</td></tr></table>", "HTML"),
        (b"<!-- made by the registry -->\n<TABLE border=1>", "HTML"),
        (b'<?xml version="1.0"?>\n<html xmlns="http://www.w3.org/1999/xhtml">', "HTML"),
        (codecs.BOM_UTF16_LE + "<meta charset=utf-16><table>".encode("utf-16-le"), "HTML"),
        (b'<?xml version="1.0"?>\n<?mso-application progid="Excel.Sheet"?>', "XML"),
        (codecs.BOM_UTF8 + b'<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"/>', "XML"),
        (b"<enterprise>\n<person>", "XML"),
        (b"MIME-Version: 1.0\nX-Document-Type: Workbook", "MHTML"),
        (b'{"users": []}', "JSON"),
        (b'[{"username": "ann"}]', "JSON"),
    ],
)
def test_a_file_named_csv_that_is_something_else_is_called_by_its_name(file: bytes, kind: str) -> None:
    with pytest.raises(UnknownFileType) as caught:
        open_rows(io.BytesIO(file), "users.csv")
    assert caught.value.code == "file_not_csv"
    assert caught.value.params == {"kind": kind}


@pytest.mark.parametrize("file", [b"<b;c\n1;2\n", b"username;<\nann;x\n", b"a < b;c\n"])
def test_a_header_may_hold_signs(file: bytes) -> None:
    assert open_rows(io.BytesIO(file), "users.csv").header.line == 1


def test_a_workbook_without_its_beginning_is_broken() -> None:
    with pytest.raises(UnknownFileType) as caught:
        open_rows(io.BytesIO(b"\x14\0\x08" + zipped()[6:]), "Users.XLSX")
    assert caught.value.code == "workbook_broken"


def test_text_named_as_a_workbook_is_read_as_text() -> None:
    (row,) = open_rows(io.BytesIO(b"username\nann\n"), "users.xlsx")
    assert row.cells == ("ann",)
