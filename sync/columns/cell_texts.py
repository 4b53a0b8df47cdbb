"""The texts of cells as they are compared: one normal form, and nothing in an identifier that nobody can see."""

from __future__ import annotations

import re
import sys
import unicodedata
from functools import cache

from sync.columns.escaped_cells import EscapedCells, Place
from sync.values import Note

# Zero width, direction marks, soft hyphens, the mark of the byte order.
_INVISIBLE = re.compile("[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
# Marks on one letter are sorted by a way that takes the square of their number. No language has so many (Unicode, UAX 15: 30).
_SHORT, _MARKS = 1000, 31
_JOINERS = ("\u200c", "\u200d")
# Below it are Latin letters, which nothing joins; above it scripts and pictures in which the joiners mean something.
_FIRST_JOINED = "\u0300"


class CellTexts:
    """Brings cells into form, and counts what was taken out. Made once for a run; a row that is read again counts once."""

    def __init__(self) -> None:
        self._escapes = EscapedCells()
        self._columns: set[str] = set()
        self._rows = 0
        self._first = self._last = 0

    def normal(self, text: str, name: str, line: int, *, is_key: bool) -> str:
        """Return the text of a cell in form. Shape: is_key: whether it names something"""
        if len(text) < _SHORT or text.isascii() or _marks_in_a_row().search(text) is None:
            text = unicodedata.normalize("NFC", text)
        if not is_key or _INVISIBLE.search(text) is None:
            return text
        cleaned = without_invisible(text)
        if cleaned != text:
            self._count(name, line)
        return cleaned

    def meant(self, text: str, name: str, line: int, place: Place | None) -> str:
        """Return the text that a cell means. Shape: place: None = as it stands. Raises: CellError"""
        return text if place is None else self._escapes.meant(text, name, line, place)

    @property
    def notes(self) -> list[Note]:
        """What is worth saying about the file."""
        notes = self._escapes.notes
        if self._rows:
            columns = ", ".join(sorted(self._columns))
            notes.append(Note("invisible_characters", {"count": self._rows, "line": self._first, "columns": columns}))
        return notes

    def _count(self, name: str, line: int) -> None:
        self._columns.add(name)
        if line > self._last:
            self._first = self._first or line
            self._rows += 1
            self._last = line


def without_invisible(text: str) -> str:
    """Return a text without the characters that nobody sees; joiners stay within scripts that have a use for them."""
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
