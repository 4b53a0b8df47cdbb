"""Workbooks in formats that ToolSync doesn't read: Excel's binary ones, and those with a password."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Sequence

OLE_MARK = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_RELATIONSHIPS = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
# The numbers of records. Source: [MS-XLSB] 2.3
_SHEET_BEGINS, _SHEET_ENDS, _BOOK_BEGINS, _BOOK_ENDS, _SHEETS_BEGIN, _SHEETS_END, _DATA_BEGINS, _DATA_ENDS = (
    129, 130, 131, 132, 143, 144, 145, 146,
)  # fmt: skip
_ROW, _CELL_TEXT, _SIZE, _SHEET = 0, 6, 148, 156


def ole_file(content: bytes = b"") -> bytes:
    """Return the beginning of a compound file: an .xls, or an .xlsx with a password."""
    header = OLE_MARK + bytes(16) + struct.pack("<5H", 0x3E, 3, 0xFFFE, 9, 6) + bytes(10) + struct.pack("<2I", 1, 1)
    return header.ljust(512, b"\xff") + content.ljust(4096, b"\0")


def binary_workbook(rows: Sequence[Sequence[str]]) -> bytes:
    """Return an .xlsb of these cells."""
    width = max(map(len, rows))
    sheet = [
        _record(_SHEET_BEGINS),
        _record(_SIZE, struct.pack("<4I", 0, len(rows) - 1, 0, width - 1)),
        _record(_DATA_BEGINS),
    ]
    for number, cells in enumerate(rows):
        sheet.append(_record(_ROW, struct.pack("<2IHH4xI", number, 0, 300, 0, 0)))
        sheet += [_record(_CELL_TEXT, struct.pack("<2I", place, 0) + _text(cell)) for place, cell in enumerate(cells)]
    sheet += [_record(_DATA_ENDS), _record(_SHEET_ENDS)]
    about = _record(_SHEET, struct.pack("<2I", 0, 1) + _text("rId1") + _text("s"))
    book = (_record(_BOOK_BEGINS), _record(_SHEETS_BEGIN), about, _record(_SHEETS_END), _record(_BOOK_ENDS))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("docProps/app.xml", "<Properties/>")
        archive.writestr("xl/workbook.bin", b"".join(book))
        archive.writestr(
            "xl/_rels/workbook.bin.rels",
            f'<Relationships xmlns="{_RELATIONSHIPS}"><Relationship Id="rId1" Type="{_OFFICE}/worksheet" '
            'Target="worksheets/sheet1.bin"/></Relationships>',
        )
        archive.writestr("xl/worksheets/sheet1.bin", b"".join(sheet))
        archive.writestr("xl/theme/theme1.xml", "<theme/>")
    return out.getvalue()


def _record(kind: int, content: bytes = b"") -> bytes:
    head = bytes([kind]) if kind < 0x80 else bytes([kind & 0x7F | 0x80, kind >> 7])
    size, length = len(content), b""
    while True:
        size, low = size >> 7, size & 0x7F
        length += bytes([low | 0x80 if size else low])
        if not size:
            return head + length + content


def _text(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")
