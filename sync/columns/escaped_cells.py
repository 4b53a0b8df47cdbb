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
from sync.columns.placeholders import (
    decimals_taken_off,
    holds_placeholder,
    is_mask,
    is_midnight,
    is_perhaps_day,
    is_perhaps_nothing,
    is_perhaps_placeholder,
    is_placeholder,
    is_truth,
    separators_taken_out,
)
from sync.values import Note

_LONGEST_LIMITED = 2000
_ADDRESSES = re.compile(r"url|template|wwwroot\d*")
# Of a person, and of where somebody lives.
PERSONAL = frozenset((
    "firstname", "lastname", "middlename", "alternatename", "firstnamephonetic", "lastnamephonetic", "city",
))  # fmt: skip
# Every person has them: what stands there for none would be kept for one.
_NAMES_OF_PERSONS = frozenset(("firstname", "lastname"))
_NAMES_READ = _NAMES_OF_PERSONS | {"fullname"}
# What a formula comes to that looks up an empty cell. Nobody has it for a name or a password, and no course for its name.
NOUGHT = "0"
_NEVER_NOUGHT = frozenset(("firstname", "lastname", "username", "password", "fullname"))
# Values of preferences; those that are no yes or no to Moodle are rejected where names of preferences are looked at.
_JUDGED_LATER = frozenset(("value",))
_CATEGORIES = frozenset(("category", "category_path", "parent"))
# Read by people, at any length: descriptions, and names of sections.
_PROSE = frozenset(("description", "cdescription", "summary", "topic"))
# What such cells have somewhere: single characters, which are found fast, and what they stand in.
_SIGN = re.compile(r"[%\\?&=+<\"'’‘`´“”„«»]").search
_BEGINNING = re.compile(
    r"(?:\A|\n)\{?=|%[289A-Fa-f][0-9A-Fa-f]|=[89A-F?]|\\[uxnrt'\"3C-Fc-f]|''|<U\+|&#?\w|\+A[M-P]|\?|(?:\A|\n)['’‘`´“”„«»]\s?(?:[=+\-@]|\w)|(?:\A|\n)\""
).search


# What a spreadsheet would reckon out, parts that a separator has cut as well: with a call, a place, a sheet or a text in it.
# "= Archive =" and "=Archive" are ornaments.
_FORMULA_OF_NAMES = re.compile(
    r"=(?=[^\n]*[(\[!&\"#]|\$?[A-Z]{1,3}\$?\d)[^=\s](?:[^\n]*[^=\n])?|= *(?:[A-Z]{1,3}\d+|[^\W\d_]+\()[^\n]*|\{=[^\n]*\}"
).fullmatch
_PERCENT = re.compile(r"(?:%[C-Fc-f][0-9A-Fa-f](?:%[89ABab][0-9A-Fa-f]){1,3})")
# The same as LDIF and filters of LDAP write it, and in octal digits, as PostgreSQL and Git do.
_BACKSLASHED_BYTES = re.compile(
    r"(?:\\[C-Fc-f][0-9A-Fa-f](?:\\[89ABab][0-9A-Fa-f]){1,3})+|(?:\\3[0-7]{2}(?:\\2[0-7]{2}){1,3})+"
)
_BACKSLASHED_BYTE = re.compile(r"\\([C-Fc-f89ABab][0-9A-Fa-f]|[23][0-7]{2})")
_OCTAL_DIGITS = 3
# Blanks, apostrophes, dashes and the like in names of persons, in which no percentages stand; quotes behind a backslash, and
# doubled, as statements of SQL have them.
_PERCENT_SIGN = re.compile(r"%(2[0789CcDdEe])")
_QUOTE_ESCAPED = re.compile(r"\\(['\"])|(?<=[^\W\d_])'(')(?=[^\W\d_])")
_PRINTABLE = re.compile(r"(?:=[C-F][0-9A-F](?:=[89AB][0-9A-F]){1,3})")
_PRINTABLE_BYTE = re.compile(r"=([0-9A-F]{2})")
_CODE = re.compile(r"\\u[0-9A-Fa-f]{4}|\\x[89A-Fa-f][0-9A-Fa-f]|<U\+[0-9A-Fa-f]{4,6}>")
_BEFORE_DIGITS = re.compile(r"\A(?:\\[ux]|<U\+)")
_LAST_CHARACTER = 0x10FFFF
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z]{2,31}\d{0,2});")
# How workbooks write control characters, and what MySQL makes of them in names of persons, where no backslash stands.
_OFFICE_SIGN = "_x00"
_OFFICE_CODE = re.compile(r"_x00(?:0[9AD]|A0)_")
_BACKSLASHED = re.compile(r"\\[nrt](?![a-z])")
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
# Programs put it before what a spreadsheet would take for a formula.
_FORMULA_MARK = re.compile(rf"{_APOSTROPHE}([=+\-@][^'’‘`´]*)")
_NUMBER_MARK = re.compile(rf"{_APOSTROPHE}([=+\-@]?[\d\s()./-]{{3,}})")
# Texts in quotes that aren't those of CSV files. Groups and courses may be called «TD», nobody is.
_QUOTED_KEY = re.compile(rf"{_APOSTROPHE}([^'’‘`´]+){_APOSTROPHE}")
_QUOTED_PERSON = re.compile(rf"(?:{_APOSTROPHE}|[“”„«»])([^'’‘`´“”„«»]+)(?:{_APOSTROPHE}|[“”„«»])")
# Those of CSV files around a whole name: nobody is called so. In `"Ann" or "Anna"` they are those of two names.
_WITHIN_QUOTES = re.compile(r'"([^"]+|(?:[^"]*[\s(\[/-])?"[^\n]*)"')
_FIRST_OUTSIDE_ASCII = "\x80"
# Signs that ASCII has, and that programs escape only because they mean something else in their own files.
_ESCAPED_SIGNS = frozenset("&'\"")


class Place(Enum):
    """Where a text stands.

    Shape: KEY: it names something; CATEGORY: it names one that is there, by number or name: what looks like a number is
    rejected where that is looked up, unless one is called so; PERSON: it is a name of a person; PROSE: markup; FREE: anything,
    yes and no as well; HIDDEN: a password
    """

    KEY = "key"
    CATEGORY = "category"
    PERSON = "person"
    TEXT = "text"
    PROSE = "prose"
    FREE = "free"
    HIDDEN = "hidden"


_KEYS = (Place.KEY, Place.CATEGORY)
# Where 0 is a text that somebody reads, or by which something is known; fields of the site may want a number.
_WITHOUT_NOUGHT = (Place.KEY, Place.PERSON, Place.TEXT)
_MAY_BE_NOUGHT = _JUDGED_LATER | {"timezone"}
_NAMING = (*_KEYS, Place.PERSON)
_UNLIMITED = (Place.PROSE, Place.FREE)


def place_of(name: str, column: Column, *, is_text: bool = False) -> Place | None:
    """Return how the texts of a column are looked at, None for addresses, keys and what is no text.

    Shape: is_text: it is a field of the site, and wants a text
    """
    if name == "password":
        return Place.HIDDEN
    if not isinstance(column.kind, TextKind) or _ADDRESSES.fullmatch(name) or is_secret_name(name):
        return None
    if column.is_key:
        return Place.CATEGORY if name in _CATEGORIES and not column.names else Place.KEY
    if name in PERSONAL:
        return Place.PERSON
    limit = column.kind.limit
    if is_text or column.name in _PROSE:
        return Place.PROSE
    is_free = isinstance(column, PrefixedColumn) or limit is None or limit > _LONGEST_LIMITED
    return Place.FREE if is_free else Place.TEXT


def is_without_nought(name: str, place: Place) -> bool:
    """Return whether 0 in a column is worth a look: there it is seldom meant."""
    is_text = place in _WITHOUT_NOUGHT and name not in _MAY_BE_NOUGHT
    return is_text or name in _NEVER_NOUGHT or name in _PROSE


def may_be_escaped(cells: Sequence[str]) -> bool:
    """Return whether a row is to be looked at cell by cell."""
    text = "\n".join(cells)
    if _SIGN(text) is not None and _BEGINNING(text) is not None:
        return True
    return _OFFICE_SIGN in text or holds_placeholder(cells, text)


class EscapedCells:
    """Brings cells into the text that is meant, and counts those. Made once for a run; a row that is read again counts once."""

    def __init__(self) -> None:
        self._columns: dict[str, set[str]] = defaultdict(set)
        self._rows: dict[str, int] = defaultdict(int)
        self._first: dict[str, tuple[int, str]] = {}
        self._last: dict[str, int] = defaultdict(int)

    def meant(self, text: str, name: str, line: int, place: Place) -> str:
        """Return the text that a cell means. Raises: CellError"""
        if place is Place.HIDDEN:
            return _secret(text)
        self._look_for_placeholder(text, name, line, place)
        if place in _NAMING and _FORMULA_OF_NAMES(text) is not None:
            raise CellError("cell_is_formula")
        if place in _UNLIMITED:
            # Markup has escapes of its own, and programs may be what it is about.
            if _decoded(text, are_entities_read=False) != text:
                self._count("cells_perhaps_escaped", name, line, text)
            return text
        if _CUT_ENTITY.search(text):
            raise CellError("cell_entity_cut", value=shown(text))
        if found := (_TEXT_MARK if place in _KEYS else _NUMBER_MARK).fullmatch(text):
            self._count("text_marks_taken_out", name, line, text)
            return found[1].lstrip("=") if found[1][:1] == "=" else found[1]
        if found := _FORMULA_MARK.fullmatch(text):
            self._count("text_marks_taken_out", name, line, text)
            return self.meant(found[1], name, line, place)
        decoded = _decoded(text, is_person=place is Place.PERSON)
        if decoded != text:
            return self._escaped(text, decoded, name, line, place)
        _refuse_foreign_signs(text, place)
        if "?" in text:
            self._look_for_lost(text, name, line, place)
        return text

    def _escaped(self, text: str, decoded: str, name: str, line: int, place: Place) -> str:
        """Return what a text with escapes means. Raises: CellError where it names something"""
        is_ascii = all(sign in text for sign in decoded if sign >= _FIRST_OUTSIDE_ASCII)
        if place is not Place.PERSON and is_ascii and _OFFICE_CODE.search(text) is None:
            # Moodle's own names may be stored so.
            self._count("cells_perhaps_escaped", name, line, text)
            return text
        if place in _KEYS or not decoded.isprintable():
            raise CellError("cell_is_escaped", value=shown(text), meant=shown(decoded))
        self._count("escapes_decoded", name, line, text)
        return decoded

    def _look_for_placeholder(self, text: str, name: str, line: int, place: Place) -> None:
        """Look for what a program writes in place of a value. Raises: CellError where it would become the name of something"""
        if text == NOUGHT:
            self._look_at_nought(name, line, place)
        elif place in _KEYS or name in _NAMES_OF_PERSONS:
            if is_placeholder(text, of_person=place is Place.PERSON):
                raise CellError("cell_is_placeholder", value=shown(text))
            if place is Place.KEY and (meant := decimals_taken_off(text)):
                raise CellError("cell_is_decimal", value=shown(text), meant=shown(meant))
            if place is Place.KEY:
                self._look_for_day(text, name, line)
                if separators_taken_out(text):
                    self._count("cells_perhaps_grouped", name, line, text)
            if is_perhaps_nothing(text):
                self._count("cells_perhaps_placeholders", name, line, text)
        if is_perhaps_placeholder(text, is_free=place in _UNLIMITED):
            self._count("cells_perhaps_placeholders", name, line, text)
        elif place is not Place.FREE and name not in _JUDGED_LATER and is_truth(text, of_person=place is Place.PERSON):
            # Fields of any kind stand in free columns: there the word may be what is wanted.
            self._count("cells_perhaps_truth", name, line, text)

    def _look_at_nought(self, name: str, line: int, place: Place) -> None:
        """Count 0 in place of a text. Raises: CellError where nothing and nobody is called so"""
        if name in _NEVER_NOUGHT and (place in _KEYS or name in _NAMES_READ):
            raise CellError("cell_is_placeholder", value=NOUGHT)
        if is_without_nought(name, place):
            self._count("cells_perhaps_nought", name, line, NOUGHT)

    def _look_for_day(self, text: str, name: str, line: int) -> None:
        """Look for what became of an identifier such as 1-3 or MAR2. Raises: CellError"""
        if is_midnight(text):
            raise CellError("cell_is_midnight", value=shown(text))
        if is_perhaps_day(text):
            self._count("cells_perhaps_days", name, line, text)

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


def _secret(text: str) -> str:
    """Return a password. Raises: CellError for what all the people of a file would have for one"""
    if is_placeholder(text, of_person=False) or is_mask(text) or is_perhaps_nothing(text) or text == NOUGHT:
        raise CellError("cell_is_placeholder", value="…")
    if _FORMULA_MARK.fullmatch(text):
        raise CellError("password_after_apostrophe")
    return text


def _refuse_foreign_signs(text: str, place: Place) -> None:
    """Refuse what has one meaning in the files of another program only. Raises: CellError"""
    if place is Place.PERSON and _BACKSLASHED.search(text):
        meant = " ".join(_BACKSLASHED.sub(" ", text).split())
        raise CellError("cell_is_escaped", value=shown(text), meant=shown(meant))
    if found := _ONE_BYTE.search(text):
        meant = bytes.fromhex(found[0][1:]).decode("cp1252", "replace")
        raise CellError("cell_is_escaped", value=shown(text), meant=shown(text.replace(found[0], meant)))
    if place is Place.PERSON and (found := _WITHIN_QUOTES.fullmatch(text)):
        raise CellError("cell_in_quotes", value=shown(text), meant=shown(found[1].strip()))
    quoted = {Place.PERSON: _QUOTED_PERSON, Place.KEY: _QUOTED_KEY, Place.CATEGORY: _QUOTED_KEY}.get(place)
    # What is wrong with an address in apostrophes is said where addresses are read.
    if quoted is not None and "@" not in text and (found := quoted.fullmatch(text)):
        raise CellError("cell_quoted_otherwise", value=shown(text), meant=shown(found[1].strip()))


def _decoded(text: str, *, are_entities_read: bool = True, is_person: bool = False) -> str:
    """Return a text without the escapes of other programs, the text itself where there are none with one meaning."""
    if _MAIL_WORD.search(text):
        try:
            text = str(make_header(decode_header(text)))
        except (HeaderParseError, LookupError, UnicodeError, ValueError):
            return text
    if _PERCENT.search(text):
        text = _as_utf_8(text, unquote_to_bytes)
    elif is_person:
        text = _PERCENT_SIGN.sub(lambda found: chr(int(found[1], 16)), text)
    if _BACKSLASHED_BYTES.search(text):
        text = _as_utf_8(text, _from_backslashed)
    if _PRINTABLE.search(text):
        text = _as_utf_8(text, _from_printable)
    if is_person:
        text = _QUOTE_ESCAPED.sub(lambda found: found[1] or found[2], text)
    text = _SEVEN_BITS.sub(lambda found: found[0].encode().decode("utf-7"), text)
    text = _CODE.sub(_of_code, text)
    if _OFFICE_CODE.search(text):
        text = " ".join(_OFFICE_CODE.sub(" ", text).split())
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


def _from_backslashed(text: str) -> bytes:
    return b"".join(
        bytes((int(part, 8 if len(part) == _OCTAL_DIGITS else 16),)) if place % 2 else part.encode()
        for place, part in enumerate(_BACKSLASHED_BYTE.split(text))
    )


def _of_code(found: re.Match[str]) -> str:
    number = int(_BEFORE_DIGITS.sub("", found[0]).rstrip(">"), 16)
    sign = chr(number) if number <= _LAST_CHARACTER else "<"
    return found[0] if sign == "<" else sign


def _of_entity(found: re.Match[str]) -> str:
    sign = html.unescape(found[0])
    return sign if sign >= _FIRST_OUTSIDE_ASCII or sign in _ESCAPED_SIGNS else found[0]
