"""Cells that another program wrote in its own way: escapes (%C3%A9, \\u00e9, &eacute;), letters replaced by question marks,
and the apostrophe by which a spreadsheet is told that digits are a text.

What has one meaning is decoded and noted, but for what names something: that is rejected, as is what has lost letters.
"""

# ruff: noqa: RUF001 (apostrophes that look alike)

from __future__ import annotations

import html
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from enum import Enum
from urllib.parse import unquote_to_bytes

from sync.columns.clean import CellError, TextKind, shown
from sync.columns.column import Column, PrefixedColumn
from sync.columns.header import is_secret_name
from sync.values import Note

_LONGEST_LIMITED = 2000
_ADDRESSES = re.compile(r"url|template|wwwroot\d*|password")
_PERSONAL = frozenset((
    "firstname", "lastname", "middlename", "alternatename", "firstnamephonetic", "lastnamephonetic", "city",
))  # fmt: skip
# What such cells have somewhere: single characters, which are found fast, and what they stand in.
_SIGN = re.compile(r"[%\\?&=+<'’‘`´]").search
_BEGINNING = re.compile(
    r"%[89A-Fa-f][0-9A-Fa-f]|=[89A-F?]|\\[ux]|<U\+|&#?\w|\+A[M-P]|\?|(?:\A|\n)['’‘`´][=+\-@]?[\dA-Za-z]"
).search


_PERCENT = re.compile(r"(?:%[C-Fc-f][0-9A-Fa-f](?:%[89ABab][0-9A-Fa-f]){1,3})")
_PRINTABLE = re.compile(r"(?:=[C-F][0-9A-F](?:=[89AB][0-9A-F]){1,3})")
_PRINTABLE_BYTE = re.compile(r"=([0-9A-F]{2})")
_CODE = re.compile(r"\\u[0-9A-Fa-f]{4}|\\x[89A-Fa-f][0-9A-Fa-f]|<U\+[0-9A-Fa-f]{4,6}>")
_BEFORE_DIGITS = re.compile(r"\A(?:\\[ux]|<U\+)")
_LAST_CHARACTER = 0x10FFFF
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z]{2,31}\d{0,2});")
_SEVEN_BITS = re.compile(r"\+A[M-P][A-Za-z0-9+/]-")
_MAIL_WORD = re.compile(r"=\?[\w-]{3,20}\?[BbQq]\?[^?\s]*\?=")
# One byte of an encoding that isn't named, behind a letter or at the beginning, as in Jos%E9.
_ONE_BYTE = re.compile(r"(?:\A|(?<=[^\W\d_]))%[89A-Fa-f][0-9A-Fa-f](?![0-9A-Fa-f%])|(?<=[a-z])=E[0-9A-F](?=[a-z]|\Z)")
# The semicolon behind it was taken for the separator.
_CUT_ENTITY = re.compile(
    r"&(?:#\d{2,6}|[A-Za-z]{1,8}(?:acute|grave|uml|cedil|circ|tilde|ring|slash|caron)|szlig|(?:ae|oe|AE|OE)lig"
    r"|amp|quot|apos|nbsp|[lr](?:s|d|a)quo|[nm]dash|hellip)\Z"
)
_LOST = re.compile(r"[^\W\d_]\?|\?[^\W\d_]|\?\?")
# A question ends with the sign, but it has several words.
_LOST_WITHIN = re.compile(r"[^\W\d_]\?[^\W\d_]|(?:\A|(?<=\s))\?[^\W\d_]|\A[^\W\d_]+\?\Z")
_APOSTROPHE = "['’‘`´]"
_TEXT_MARK = re.compile(rf"{_APOSTROPHE}([=+\-@]?(?:[A-Za-z]{{1,20}}[-_./]?)?\d[^\s'’‘`´]*){_APOSTROPHE}?")
_NUMBER_MARK = re.compile(rf"{_APOSTROPHE}([=+\-@]?[\d\s()./-]{{3,}})")
_FIRST_OUTSIDE_ASCII = "\x80"
# Signs that ASCII has, and that programs escape only because they mean something else in their own files.
_ESCAPED_SIGNS = frozenset("&'\"")


class Place(Enum):
    """Where a text stands. Shape: KEY: it names something; PERSON: it is a name of a person; FREE: markup, or anything else"""

    KEY = "key"
    PERSON = "person"
    TEXT = "text"
    FREE = "free"


def place_of(name: str, column: Column) -> Place | None:
    """Return how the texts of a column are looked at, None for passwords, addresses and what is no text."""
    if not isinstance(column.kind, TextKind) or _ADDRESSES.fullmatch(name) or is_secret_name(name):
        return None
    if column.is_key:
        return Place.KEY
    if name in _PERSONAL:
        return Place.PERSON
    limit = column.kind.limit
    is_free = isinstance(column, PrefixedColumn) or limit is None or limit > _LONGEST_LIMITED
    return Place.FREE if is_free else Place.TEXT


def may_be_escaped(cells: Sequence[str]) -> bool:
    """Return whether a row is to be looked at cell by cell."""
    text = "\n".join(cells)
    return _SIGN(text) is not None and _BEGINNING(text) is not None


class EscapedCells:
    """Brings cells into the text that is meant, and counts those. Made once for a run; a row that is read again counts once."""

    def __init__(self) -> None:
        self._columns: dict[str, set[str]] = defaultdict(set)
        self._rows: dict[str, int] = defaultdict(int)
        self._first: dict[str, tuple[int, str]] = {}
        self._last: dict[str, int] = defaultdict(int)

    def meant(self, text: str, name: str, line: int, place: Place) -> str:
        """Return the text that a cell means. Raises: CellErro"""
        if place is Place.FREE:
            # Markup has escapes of its own, and programs may be what it is about.
            if _decoded(text, are_entities_read=False) != text:
                self._count("cells_perhaps_escaped", name, line, text)
            return text
        if _CUT_ENTITY.search(text):
            raise CellError("cell_entity_cut", value=shown(text))
        if found := (_TEXT_MARK if place is Place.KEY else _NUMBER_MARK).fullmatch(text):
            self._count("text_marks_taken_out", name, line, text)
            return found[1].lstrip("=") if found[1][:1] == "=" else found[1]
        decoded = _decoded(text)
        if decoded != text:
            is_ascii = all(sign in text for sign in decoded if sign >= _FIRST_OUTSIDE_ASCII)
            if place is not Place.PERSON and is_ascii:
                # Moodle's own names may be stored so.
                self._count("cells_perhaps_escaped", name, line, text)
                return text
            if place is Place.KEY or not decoded.isprintable():
                raise CellError("cell_is_escaped", value=shown(text), meant=shown(decoded))
            self._count("escapes_decoded", name, line, text)
            return decoded
        if found := _ONE_BYTE.search(text):
            meant = bytes.fromhex(found[0][1:]).decode("cp1252", "replace")
            raise CellError("cell_is_escaped", value=shown(text), meant=shown(text.replace(found[0], meant)))
        if "?" in text:
            self._look_for_lost(text, name, line, place)
        return text

    def _look_for_lost(self, text: str, name: str, line: int, place: Place) -> None:
        if place is Place.PERSON and _LOST.search(text):
            raise CellError("cell_letters_replaced", value=shown(text))
        if _LOST_WITHIN.search(text):
            self._count("letters_perhaps_replaced", name, line, text)

    @property
    def notes(self) -> list[Note]:
        """What is worth saying about the file."""
        return [
            Note(
                code,
                {"count": count, "line": self._first[code][0], "value": self._first[code][1],
                 "columns": ", ".join(sorted(self._columns[code]))},
            )
            for code, count in self._rows.items()
        ]  # fmt: skip

    def _count(self, code: str, name: str, line: int, text: str) -> None:
        self._columns[code].add(name)
        if line > self._last[code]:
            self._first.setdefault(code, (line, shown(text)))
            self._rows[code] += 1
            self._last[code] = line


def _decoded(text: str, *, are_entities_read: bool = True) -> str:
    """Return a text without the escapes of other programs, the text itself where there are none with one meaning."""
    if _MAIL_WORD.search(text):
        try:
            text = str(make_header(decode_header(text)))
        except (HeaderParseError, LookupError, UnicodeError, ValueError):
            return text
    if _PERCENT.search(text):
        text = _as_utf_8(text, unquote_to_bytes)
    if _PRINTABLE.search(text):
        text = _as_utf_8(text, _from_printable)
    text = _SEVEN_BITS.sub(lambda found: found[0].encode().decode("utf-7"), text)
    text = _CODE.sub(_of_code, text)
    if any("\ud800" <= sign <= "\udfff" for sign in text):
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return _ENTITY.sub(_of_entity, text) if are_entities_read else text


def _as_utf_8(text: str, read: Callable[[str], bytes]) -> str:
    try:
        return read(text).decode()
    except UnicodeError:
        return text


def _from_printable(text: str) -> bytes:
    return b"".join(
        bytes.fromhex(part) if place % 2 else part.encode() for place, part in enumerate(_PRINTABLE_BYTE.split(text))
    )


def _of_code(found: re.Match[str]) -> str:
    number = int(_BEFORE_DIGITS.sub("", found[0]).rstrip(">"), 16)
    sign = chr(number) if number <= _LAST_CHARACTER else "<"
    return found[0] if sign == "<" else sign


def _of_entity(found: re.Match[str]) -> str:
    sign = html.unescape(found[0])
    return sign if sign >= _FIRST_OUTSIDE_ASCII or sign in _ESCAPED_SIGNS else found[0]
