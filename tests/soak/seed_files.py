"""Files to be damaged: of every file type, in every form that ToolSync reads, and of some that it refuses."""

from __future__ import annotations

import datetime
import io
import random
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple
from xml.sax.saxutils import escape

import openpyxl
from PIL import Image

from sync.columns.column import Column, NumberedColumn, PrefixedColumn
from sync.encodings import ENCODING_LABELS
from sync.processors.pictures.processor import UserPictures
from sync.processors.registry import REGISTRY
from tests.moodle.course_content.backup.archives import backup, tar_gz, zipped
from tests.pictures import picture, zip_of
from tests.reader.hostile_workbooks import hostile_ods, hostile_xlsx, ods_cell, ods_row
from tests.reader.other_workbooks import binary_workbook, ole_file
from tests.real_sites import has_moodle_data, moodle_data

_SEPARATORS = ";;;,,\t|:"
_LINE_ENDS = ("\n", "\n", "\r\n", "\r")
_BOMS = {"UTF-8": b"\xef\xbb\xbf", "UTF-16LE": b"\xff\xfe", "UTF-16BE": b"\xfe\xff", "UTF-32LE": b"\xff\xfe\0\0"}
_CELLS = (
    "", "", "", "0", "1", "2", "u1", "u1", "u2", "u3", "new1", "new2", "admin", "guest", "Ann", "Zoë", "Łukasz", "山田",
    "Γεώργιος", "a@x.org", "u2@x.org", "C1", "C1", "C2", "C3", "G1", "G2", "K1", "K2", "NEW", "student", "teacher", "manual",
    "self", "cohort", "add", "add", "del", "shift", "enable", "members", "all", "yes", "no", "A/B", "A / B", "1700000000",
    "2027-09-01", "31.12.2026", "12/31/2026", "03/04/2026 8:15", "two\nlines", 'says "x"', "a;b,c", "Aa1!aaaa", "<b>bold</b>",
    "en", "Europe/Paris", "GB", "topics", "gadd", "gaddcreate", "x" * 300, " blank ", "007", "#N/A", "1,5", "-", "*",
)  # fmt: skip
_LARGEST_REAL = 40_000


class SeedFile(NamedTuple):
    """A file and what it is. Shape: kind: how it is written, one of SEEDS; key: file type, "" = a course backup"""

    kind: str
    key: str
    name: str
    data: bytes


class Table(NamedTuple):
    """What a file of rows holds. Shape: key: file type"""

    key: str
    rows: list[list[str]]


def table(chance: random.Random) -> Table:
    """Return rows of a file type, with its real header."""
    key = chance.choice([key for key in REGISTRY if key != UserPictures.key])
    columns = REGISTRY[key].columns
    chosen = [column for column in columns if column.required or column.sample or chance.random() < 0.15]
    names = [_name(column, chance) for column in chosen]
    rows = [
        [column.sample if column.sample and chance.random() < 0.3 else chance.choice(_CELLS) for column in chosen]
        for _row in range(chance.choice((1, 2, 3, 5, 8, 13, 40)))
    ]
    return Table(key, rows if columns.headerless else [names, *rows])


def _name(column: Column, chance: random.Random) -> str:
    if isinstance(column, NumberedColumn):
        return column.numbered(column.least + chance.choice((0, 0, 0, 1, 2)))
    if isinstance(column, PrefixedColumn):
        return f"{column.name}dept"
    return chance.choice((column.name, column.name, column.name.upper(), *column.aliases))


def _text_file(chance: random.Random) -> SeedFile:
    key, rows = table(chance)
    separator, end = chance.choice(_SEPARATORS), chance.choice(_LINE_ENDS)
    always_quoted = chance.random() < 0.2
    lines = [separator.join(_quoted(cell, separator, always=always_quoted) for cell in cells) for cells in rows]
    if chance.random() < 0.1:
        lines.insert(0, f"sep={separator}")
    if chance.random() < 0.1:
        lines.insert(chance.randrange(len(lines)), chance.choice(("# remark", "", separator * 3, "(note)")))
    encoding = chance.choice(("UTF-8", "UTF-8", "UTF-8", "Windows-1252", "UTF-16LE", "UTF-16BE", *ENCODING_LABELS))
    data = end.join((*lines, "")).encode(encoding, "replace")
    if encoding in _BOMS and chance.random() < 0.5:
        data = _BOMS[encoding] + data
    return SeedFile("text", key, chance.choice(("in.csv", "in.txt", "in.CSV", "in")), data)


def _quoted(cell: str, separator: str, *, always: bool) -> str:
    needs = always or separator in cell or '"' in cell or "\n" in cell
    return '"' + cell.replace('"', '""') + '"' if needs else cell


@cache
def _real_files() -> tuple[SeedFile, ...]:
    if not has_moodle_data():
        return ()
    found = []
    for path in sorted((moodle_data().parent / "cases").rglob("*")):
        if path.suffix in (".csv", ".zip", ".xlsx", ".txt") and path.stat().st_size < _LARGEST_REAL:
            parts = (*path.parts[::-1], *path.stem.split("_"))
            key = (
                UserPictures.key
                if path.suffix == ".zip"
                else next((part for part in parts if part in REGISTRY), "users")
            )
            found.append(SeedFile("real", key, path.name, path.read_bytes()))
    return tuple(found)


def _real_file(chance: random.Random) -> SeedFile:
    return chance.choice(_real_files() or (_text_file(chance),))


def _xlsx_file(chance: random.Random) -> SeedFile:
    key, rows = table(chance)
    if chance.random() < 0.2:
        lines = [
            f'<row><c t="s"><v>1</v></c><c t="str"><v>{chance.choice(("x", "&amp;", "7"))}</v></c></row>'
        ] * chance.randint(1, 9)
        return SeedFile("xlsx", key, "in.xlsx", hostile_xlsx(lines, shared="ann", sheets=chance.choice((1, 1, 3))))
    book = openpyxl.Workbook()
    sheet: Any = book.active
    for cells in rows:
        sheet.append([_value(cell, chance) for cell in cells])
    for row in sheet.iter_rows():
        for cell in row:
            if chance.random() < 0.1:
                cell.number_format = chance.choice(
                    ("00000", "0.00", '"ID"0000', "dd/mm/yyyy", "[h]:mm", "@", "# ##0", "0%")
                )
    if chance.random() < 0.3:
        book.create_sheet("second").append(rows[0])
        book.create_sheet("hidden").sheet_state = "hidden"
    if chance.random() < 0.2:
        sheet.merge_cells("A1:B2")
        sheet["A3"].comment = openpyxl.comments.Comment("note", "me")
    out = io.BytesIO()
    book.save(out)
    return SeedFile("xlsx", key, chance.choice(("in.xlsx", "in.xlsm", "in.csv")), out.getvalue())


def _value(cell: str, chance: random.Random) -> object:
    if cell.isdecimal() and len(cell) < 16:
        return int(cell)
    values = (
        7,
        0.1,
        1e20,
        True,
        datetime.date(2027, 9, 1),
        datetime.time(9, 2),
        datetime.timedelta(hours=30),
        "=1/0",
        '="x"',
        "#REF!",
    )
    return chance.choice(values) if chance.random() < 0.1 else cell


def _ods_file(chance: random.Random) -> SeedFile:
    key, rows = table(chance)
    lines = ("".join(ods_cell(escape(cell), chance.choice((1, 1, 1, 2))) for cell in cells) for cells in rows)
    return SeedFile(
        "ods", key, "in.ods", hostile_ods("".join(ods_row(line, chance.choice((1, 1, 3))) for line in lines))
    )


def _binary_workbook(chance: random.Random) -> SeedFile:
    key, rows = table(chance)
    return SeedFile("xlsb", key, chance.choice(("in.xlsb", "in.xlsx", "in.csv")), binary_workbook(rows))


def _ole_file(chance: random.Random) -> SeedFile:
    key, rows = table(chance)
    return SeedFile(
        "xls", key, chance.choice(("in.xls", "in.xlsx", "in.csv")), ole_file("\n".join(map(";".join, rows)).encode())
    )


def _picture_zip(chance: random.Random) -> SeedFile:
    stems = [f"{chance.choice(('', 'a/', 'é/'))}{chance.choice(('u1', 'u2', 'new', 'zoë'))}" for _stem in range(3)]
    pictures = {f"{stem}{place}.png": _picture(chance) for place, stem in enumerate(stems)}
    pictures["u1.png"] = _picture(chance)
    return SeedFile("pictures", UserPictures.key, "in.zip", zip_of(pictures))


def _picture(chance: random.Random) -> bytes:
    width, height = chance.randint(1, 200), chance.randint(1, 200)
    exif = Image.Exif()
    exif[0x0112] = chance.randint(0, 9)
    frames: dict[str, Any] = {
        "save_all": True,
        "append_images": [Image.new("L", (width, height), colour) for colour in range(4)],
    }
    ways: tuple[Callable[[], bytes], ...] = (
        lambda: picture(width, height, "JPEG", progressive=True),
        lambda: picture(width, height, "JPEG", exif=exif),
        lambda: picture(width, height, "GIF", 3, "P", transparency=3),
        lambda: picture(width, height, "GIF", 9, "L", **frames),
        lambda: picture(width, height, "PNG", 9, "L", **frames),
        lambda: picture(width, height, "PNG", 40_000, "I;16"),
        lambda: picture(width, height, chance.choice(("PNG", "WEBP", "TIFF", "BMP", "JPEG"))),
    )
    return chance.choice(ways)()


def _course_backup(chance: random.Random) -> SeedFile:
    return SeedFile("backup", "", "backup.mbz", chance.choice((tar_gz, zipped))(backup()))


# Kind -> makes one; and how often it is taken.
SEEDS: Mapping[str, tuple[Callable[[random.Random], SeedFile], int]] = {
    "text": (_text_file, 40),
    "real": (_real_file, 20),
    "xlsx": (_xlsx_file, 14),
    "ods": (_ods_file, 10),
    "xlsb": (_binary_workbook, 3),
    "xls": (_ole_file, 2),
    "pictures": (_picture_zip, 8),
    "backup": (_course_backup, 3),
}


def seed_file(chance: random.Random) -> SeedFile:
    """Return a file of any kind."""
    makers, weights = zip(*SEEDS.values(), strict=True)
    maker: Callable[[random.Random], SeedFile] = chance.choices(makers, weights)[0]
    return maker(chance)
