"""The texts of cells as they are compared: one normal form, and nothing in a name that nobody can see, nor an end of a line."""

from __future__ import annotations

import html
import re
import sys
import unicodedata
from functools import cache
from typing import Any

from sync.columns.clean import EmailKind, without_tags
from sync.columns.column import Column
from sync.columns.escaped_cells import PERSONAL, EscapedCells, Place
from sync.values import Note

# Zero width, direction marks, soft hyphens, the mark of the byte order.
_INVISIBLE = re.compile("[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
# Tabs and ends of lines, which people don't see in a name either, with the blanks beside them.
_BREAKS = re.compile("(?<![ \u00a0])[ \u00a0]*+[\t-\r\x1c-\x1f\x85\u2028\u2029][\\s\x1c-\x1f\x85]*+")
# What nobody can tell from a blank or a hyphen: a word processor puts them there so that no line ends.
_LOOK_ALIKE = re.compile("[\u00a0\u2000-\u200a\u2011\u202f\u205f]")
# Besides what names something, Moodle's own forms take these in one line.
_NAMES = (PERSONAL - {"city"}) | {"fullname", "cname", "name"}
_OF_ONE_LINE = PERSONAL | _NAMES | {"department", "institution", "address", "phone1", "phone2"}
# Marks on one letter are sorted by a way that takes the square of their number. No language has so many (Unicode, UAX 15: 30).
_SHORT, _MARKS = 1000, 31
_JOINERS = ("\u200c", "\u200d")
# Below it are Latin letters, which nothing joins; above it scripts and pictures in which the joiners mean something.
_FIRST_JOINED = "\u0300"
# What no font shows, although it is no blank: fillers of Hangul, an empty pattern of Braille, joiners of marks, selectors.
_BLANK_SIGNS = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")
_BLANK_CATEGORIES = frozenset(("Cc", "Cf", "Zs", "Zl", "Zp"))
# &amp;nbsp; is one in another.
_MOST_ENTITIES = 3


class CellTexts:
    """Brings cells into form, and counts what was taken out. Made once for a run; a row that is read again counts once."""

    def __init__(self) -> None:
        self._escapes = EscapedCells()
        self._hidden = _Rows()
        self._look_alike = _Rows()

    def normal(self, text: str, name: str, line: int, *, is_of_one_line: bool, is_key: bool = False) -> str:
        """Return the text of a cell in form. Shape: is_key: Moodle knows something by it, so that its blanks count"""
        if len(text) < _SHORT or text.isascii() or _marks_in_a_row().search(text) is None:
            text = unicodedata.normalize("NFC", text)
        if not is_of_one_line or (text.isprintable() and text.isascii()):
            return text
        cleaned = _BREAKS.sub(" ", without_invisible(text))
        if cleaned != text:
            self._hidden.count(name, line)
        if is_key and _LOOK_ALIKE.search(cleaned):
            self._look_alike.count(name, line)
        return cleaned

    def meant(self, text: str, name: str, line: int, place: Place | None) -> str:
        """Return the text that a cell means. Shape: place: None = as it stands. Raises: CellError"""
        return text if place is None else self._escapes.meant(text, name, line, place)

    @property
    def notes(self) -> list[Note]:
        """What is worth saying about the file."""
        notes = self._escapes.notes
        for code, rows in (("invisible_characters", self._hidden), ("look_alike_characters", self._look_alike)):
            if rows.number:
                notes.append(Note(code, {"count": rows.number, "line": rows.first, "columns": rows.columns}))
        return notes


class _Rows:
    """Counts rows in which something was found. A row that is read again counts once."""

    def __init__(self) -> None:
        self._columns: set[str] = set()
        self.number = 0
        self.first = self._last = 0

    @property
    def columns(self) -> str:
        return ", ".join(sorted(self._columns))

    def count(self, name: str, line: int) -> None:
        self._columns.add(name)
        if line > self._last:
            self.first = self.first or line
            self.number += 1
            self._last = line


def is_of_one_line(name: str, column: Column[Any]) -> bool:
    """Return whether the texts of a column name something or somebody, so that they have one line and nothing hidden."""
    return column.is_key or name in _OF_ONE_LINE


def is_name(name: str, column: Column[Any]) -> bool:
    """Return whether something or somebody is called by the texts of a column, or is to be.

    By an address as well, of which what it is says more: `<ann@example.org>` is none, although a page wouldn't show it.
    """
    return (column.is_key and not isinstance(column.kind, EmailKind)) or name in _NAMES


def may_be_unseen(text: str) -> bool:
    """Return whether a text has to be looked at: nearly all begin with a letter or digit that is seen."""
    first = text[:1]
    return first != "" and not (first.isalnum() and first < _FIRST_JOINED)


def is_unseen(text: str) -> bool:
    """Return whether nothing of a text is seen in a page: it holds but markup, blanks and characters without width."""
    text = without_tags(text)
    for _round in range(_MOST_ENTITIES):
        if "&" not in text:
            break
        text = without_tags(html.unescape(text))
    return all(unicodedata.category(sign) in _BLANK_CATEGORIES or _BLANK_SIGNS.match(sign) for sign in text)


def unseen_shown(text: str) -> str:
    """Return a text of which nothing is seen, with the numbers of its characters."""
    signs = (
        sign if sign.isprintable() and not _BLANK_SIGNS.match(sign) else f"[U+{ord(sign):04X}]" for sign in text[:50]
    )
    return "".join(signs)


def is_in_form(text: str) -> bool:
    """Return whether `normal` would leave a text as it is, as it does with nearly all."""
    return text.isascii() and text.isprintable()


def without_invisible(text: str) -> str:
    """Return a text without the characters that nobody sees; joiners stay within scripts that have a use for them."""
    if _INVISIBLE.search(text) is None:
        return text
    kept = [
        sign
        for place, sign in enumerate(text)
        if not _INVISIBLE.match(sign) or (sign in _JOINERS and _is_between_joined(text, place))
    ]
    return "".join(kept).strip()


def _is_between_joined(text: str, place: int) -> bool:
    beside = (text[place - 1 : place], text[place + 1 : place + 2])
    return all(sign >= _FIRST_JOINED and not _INVISIBLE.match(sign) for sign in beside)


@cache
def _marks_in_a_row() -> re.Pattern[str]:
    """Return the pattern of more marks on one letter than any text has."""
    marks = "".join(sign for sign in map(chr, range(sys.maxunicode + 1)) if unicodedata.combining(sign))
    return re.compile(f"[{marks}]{{{_MARKS}}}")
