"""Workbooks written by hand: small files that ask for much."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONSHIPS = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_OPEN = "urn:oasis:names:tc:opendocument:xmlns"
_ODS_TYPE = "application/vnd.oasis.opendocument.spreadsheet"
_TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>'
)


def hostile_xlsx(rows: Iterable[str], *, shared: str = "", suffix: str = "xml", sheets: int = 1) -> bytes:
    """Return an xlsx of these <row> elements below a header; every sheet is the same part.

    Shape: shared: the second of the shared strings
    """
    sheet = f"worksheets/sheet1.{suffix}"
    parts: dict[str, Iterable[str]] = {
        "[Content_Types].xml": [_TYPES],
        "_rels/.rels": [_relationships([("rId1", "officeDocument", "xl/workbook.xml")])],
        "xl/workbook.xml": [
            f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>',
            *(f'<sheet name="s{number}" sheetId="{number}" r:id="rId{number}"/>' for number in range(1, sheets + 1)),
            "</sheets></workbook>",
        ],
        "xl/_rels/workbook.xml.rels": [
            _relationships(
                [
                    *((f"rId{number}", "worksheet", sheet) for number in range(1, sheets + 1)),
                    ("rIdS", "sharedStrings", "sharedStrings.xml"),
                ]
            )
        ],
        "xl/sharedStrings.xml": [f'<sst xmlns="{_MAIN}"><si><t>-</t></si><si><t>', shared, "</t></si></sst>"],
        f"xl/{sheet}": [
            f'<worksheet xmlns="{_MAIN}"><sheetData>',
            '<row r="1"><c r="A1" t="str"><v>username</v></c></row>',
            *rows,
            "</sheetData></worksheet>",
        ],
    }
    return _zip(parts)


def xlsx_with_a_full_sheet_behind(count: int) -> bytes:
    """Return an xlsx whose first sheets, so many, are empty; the last has a header and one row."""
    with zipfile.ZipFile(io.BytesIO(hostile_xlsx([], sheets=count + 1))) as archive:
        parts = {name: archive.read(name).decode() for name in archive.namelist()}
    full, relations = "worksheets/sheet1.xml", "xl/_rels/workbook.xml.rels"
    before, _full, behind = parts[relations].rpartition(full)
    parts[relations] = before.replace(full, "worksheets/sheet2.xml") + full + behind
    parts["xl/worksheets/sheet2.xml"] = f'<worksheet xmlns="{_MAIN}"><sheetData/></worksheet>'
    return _zip({name: [part] for name, part in parts.items()})


def hostile_ods(rows: str) -> bytes:
    """Return an ods of these table rows below a header."""
    manifest = (
        f'<manifest:manifest xmlns:manifest="{_OPEN}:manifest:1.0">'
        '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/></manifest:manifest>'
    )
    content = (
        f'<office:document-content xmlns:office="{_OPEN}:office:1.0" xmlns:table="{_OPEN}:table:1.0" '
        f'xmlns:text="{_OPEN}:text:1.0"><office:body><office:spreadsheet><table:table table:name="s">'
        f"{ods_row(ods_cell('username'))}{rows}"
        "</table:table></office:spreadsheet></office:body></office:document-content>"
    )
    return _zip({"mimetype": [_ODS_TYPE], "META-INF/manifest.xml": [manifest], "content.xml": [content]})


def ods_row(cells: str, repeated: int = 1) -> str:
    return f'<table:table-row table:number-rows-repeated="{repeated}">{cells}</table:table-row>'


def ods_cell(text: str, repeated: int = 1) -> str:
    attributes = f'office:value-type="string" table:number-columns-repeated="{repeated}"'
    return f"<table:table-cell {attributes}><text:p>{text}</text:p></table:table-cell>"


def _relationships(targets: Iterable[tuple[str, str, str]]) -> str:
    inside = "".join(
        f'<Relationship Id="{id_}" Type="{_OFFICE}/{kind}" Target="{path}"/>' for id_, kind, path in targets
    )
    return f'<Relationships xmlns="{_RELATIONSHIPS}">{inside}</Relationships>'


def _zip(parts: dict[str, Iterable[str]]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, pieces in parts.items():
            with archive.open(name, "w") as part:
                for piece in pieces:
                    part.write(piece.encode())
    return out.getvalue()
