"""What a file is when it isn't a command file, told by its first bytes."""

from __future__ import annotations

import codecs
import re

from sync.errors import UnknownFileType

ZIP_MARKS = (b"PK\x03\x04", b"PK\x05\x06")
# What pages and tables of the web begin with.
_HTML = re.compile(
    rb"<(?:!doctype\s{1,9}html|html|head|body|table|meta|title|style|script|div|center|font|p|br|h[1-6])\b",
    re.IGNORECASE,
)
_XML = re.compile(rb"<(?:\?xml|[a-z_][\w.-]{0,60}(?::[\w.-]{1,60})?[\s/>])", re.IGNORECASE)
_COMMENT_AHEAD = re.compile(rb"(?:<!--.{0,2000}?-->\s{0,99}){1,5}", re.DOTALL)
WORKBOOK_SUFFIXES = (".xlsx", ".xlsm", ".ods")

# First bytes -> a name that is the same in every language.
_KINDS = (
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"%PDF-", "PDF"),
    (b"{\\rtf", "RTF"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Excel 97-2003 / Excel + password"),
    (b"\x1f\x8b\x08", "GZIP"),
    (b"7z\xbc\xaf\x27\x1c", "7-Zip"),
    (b"Rar!\x1a\x07", "RAR"),
    (b"\xfd7zXZ\x00", "XZ"),
    (b"SQLite format 3\x00", "SQLite"),
    (b"\x7fELF", "ELF"),
)


def _markup_kind(head: bytes) -> str:
    """Return "HTML" (a remote address that wants a login answers with a page), "XML", "MHTML", "JSON" or ""."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        head = head.decode("utf-16", "ignore").encode()
    text = head.removeprefix(codecs.BOM_UTF8).lstrip()
    if ahead := _COMMENT_AHEAD.match(text):
        text = text[ahead.end() :]
    if text[:13].lower() == b"mime-version:":
        return "MHTML"
    if text[:2] in (b"[{", b'{"', b"{\n", b"{\r"):
        return "JSON"
    if _HTML.match(text):
        return "HTML"
    if _XML.match(text):
        # A page may be XML as well.
        return "HTML" if b"<html" in text[:2000].lower() else "XML"
    return ""


def refuse_other_kinds(head: bytes, filename: str) -> None:
    """Refuse a file whose first bytes say that it is something else.

    Raises: UnknownFileType
    """
    for mark, kind in _KINDS:
        if head.startswith(mark):
            raise UnknownFileType("file_not_csv", kind=kind)
    if kind := _markup_kind(head):
        raise UnknownFileType("file_not_csv", kind=kind)
    if filename.lower().endswith(WORKBOOK_SUFFIXES) and b"\0" in head:
        raise UnknownFileType("workbook_broken")
