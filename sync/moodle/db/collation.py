"""Which texts a database server takes for the same, told without asking it about each."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

import sqlalchemy as sa

if TYPE_CHECKING:
    from sync.moodle.db.database import MoodleSession

# Collations in which every character counts for itself. In those of a language two may count as one ("aa" as "å").
_BY_CHARACTER = re.compile(
    r"utf8(mb[34])?_((general|unicode|unicode_520)(_nopad)?_ci|0900_ai_ci|uca1400(_nopad)?_ai_ci)"
)
_UNICODE = re.compile(r"utf8(mb[34])?_")
_ASCII = "".join(map(chr, range(32, 127)))
# Stands before a weight that no character of ASCII has.
_MARK = "\ue000"
_CHARACTERS_AT_ONCE = 500


class Collation:
    """One collation of MariaDB or MySQL; it asks the server once for each character beyond ASCII.

    Shape: gives for a text another one; two are equal when the server takes the texts for the same. Normal forms of Unicode
    are always the same.
    """

    def __init__(self, moodle: MoodleSession, name: str) -> None:
        self.name = name
        self._moodle = moodle
        self._charset = name.partition("_")[0]
        self._ignores_case = ignores_case(name)
        self._by_character = _BY_CHARACTER.fullmatch(name) is not None
        self._letters = {letter: letter.lower() for letter in _ASCII}
        self._of_weight: dict[str, str] = {}
        self._texts: dict[str, str] = {}
        self._pads: bool | None = None

    def __call__(self, text: str) -> str:
        if not self._ignores_case:
            folded = normal_form(text)
        elif self._by_character and text.isascii() and text.isprintable():
            folded = text.lower()
        elif self._by_character:
            self.learn((text,))
            folded = "".join(map(self._letters.__getitem__, unicodedata.normalize("NFC", text)))
        else:
            return self._weight_of(text)
        # A blank at the end counts for nothing where the collation pads.
        return folded.rstrip(" ") if folded.endswith(" ") and self.pads else folded

    def _weight_of(self, text: str) -> str:
        """Return the sort key of a text that characters alone don't make up."""
        self.learn((text, " "))
        weight, blank = self._texts[unicodedata.normalize("NFC", text)], self._texts[" "]
        while self.pads and blank and weight.endswith(blank):
            weight = weight.removesuffix(blank)
        return weight

    @property
    def pads(self) -> bool:
        """Whether blanks at the end count for nothing, as in most collations."""
        if self._pads is None:
            ((same,),) = self._moodle.ask(sa.text(f"SELECT {self._of('a')} = {self._of('a ')}"))
            self._pads = bool(same)
        return self._pads

    def learn(self, texts: Iterable[str]) -> None:
        """Ask the server about what is new in texts. Queries: one per 500 characters that are met the first time"""
        normal = {unicodedata.normalize("NFC", text) for text in texts}
        if not self._by_character:
            new = normal - self._texts.keys()
            self._texts |= self._weights_of(new)
            return
        unknown = set().union(*normal) - self._letters.keys()
        if unknown and not self._of_weight:
            self._of_weight = {weight: letter.lower() for letter, weight in self._weights_of(_ASCII).items()}
        for letter, weight in self._weights_of(unknown).items():
            units = (weight[start : start + 4] for start in range(0, len(weight), 4))
            self._letters[letter] = "".join(self._of_weight.get(unit, _MARK + unit) for unit in units)

    def _weights_of(self, texts: Collection[str]) -> dict[str, str]:
        """Return the sort keys of texts, in hexadecimal; of those that the column can't hold, the texts themselves."""
        weights = {text: _MARK + text for text in texts if not holds(self.name, text)}
        asked = [text for text in texts if text not in weights]
        for start in range(0, len(asked), _CHARACTERS_AT_ONCE):
            part = asked[start : start + _CHARACTERS_AT_ONCE]
            wanted = ", ".join(f"HEX(WEIGHT_STRING({self._of(f':t{n}')}))" for n in range(len(part)))
            (row,) = self._moodle.ask(sa.text(f"SELECT {wanted}"), {f"t{n}": text for n, text in enumerate(part)})
            weights.update(zip(part, map(str, row), strict=True))
        return weights

    def _of(self, text: str) -> str:
        """Return the SQL of a text in this collation."""
        literal = text if text.startswith(":") else f"'{text}'"
        return f"CONVERT({literal} USING {self._charset}) COLLATE {self.name}"


def fetch_collations(moodle: MoodleSession, table: str) -> dict[str, str]:
    """Return the collations of a table's columns: column -> name. Queries: one"""
    rows = moodle.ask(
        sa.text(
            "SELECT column_name, collation_name FROM information_schema.columns"
            " WHERE table_schema = DATABASE() AND table_name = :name AND collation_name IS NOT NULL"
        ),
        {"name": moodle.database.prefix + table},
    )
    return {str(column): str(collation) for column, collation in rows}


def ignores_case(collation: str) -> bool:
    """Tell whether texts may differ in case, and more, and be the same in a collation of Unicode."""
    return collation.endswith("_ci") and _UNICODE.match(collation) is not None


def holds(collation: str, text: str) -> bool:
    """Tell whether a column of this collation can hold a text; nothing in it can be the same otherwise.

    Known of the older character sets of Unicode, which have no place for emoji.
    """
    is_short = _UNICODE.match(collation) is not None and not collation.startswith("utf8mb4")
    return not is_short or max(text, default="") <= "\uffff"


def normal_form(text: str) -> str:
    """Return a text in the normal form of Unicode in which most people's keyboards write."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def spellings(texts: Iterable[str]) -> set[str]:
    """Return texts in both normal forms: a server that compares exactly finds one of them only."""
    texts = set(texts)
    further = [text for text in texts if not text.isascii()]
    return texts.union(*({unicodedata.normalize(form, text) for text in further} for form in ("NFC", "NFD")))
