"""What a file is when it isn't a command file, told by its first bytes."""

from __future__ import annotations

from sync.errors import UnknownFileType

ZIP_MARKS = (b"PK\x03\x04", b"PK\x05\x06")
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


def refuse_other_kinds(head: bytes, filename: str) -> None:
    """Refuse a file whose first bytes say that it is something else.

    Raises: UnknownFileType
    """
    for mark, kind in _KINDS:
        if head.startswith(mark):
            raise UnknownFileType("file_not_csv", kind=kind)
    # A remote address that wants a login answers with a page.
    if head.lstrip()[:14].lower().startswith((b"<!doctype html", b"<html")):
        raise UnknownFileType("file_not_csv", kind="HTML")
    if filename.lower().endswith(WORKBOOK_SUFFIXES) and b"\0" in head:
        raise UnknownFileType("workbook_broken")
