"""Whether a file whose bytes could be written in any encoding of one byte is really Western, and what else it could be.

Every such file can be read as Windows-1252; Greek names come out as "Ðáðáäüðïõëïò" then. So the words with letters outside
ASCII are compared with what is usual in the languages of each encoding: how often which two letters stand side by side
(`letter_pairs.json`). docs/decisions/0026 has the figures.
"""

# ruff: noqa: RUF001 (quotes and dashes that look alike)

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

# "xx": Slavic and Baltic names as far as Western encodings can write them.
_WESTERN = ("fr", "de", "es", "it", "pt", "nl", "sv", "da", "fi", "ga", "is", "ca", "xx")
# Of these not pairs are compared, but letters: they have too many.
_IDEOGRAPHIC = frozenset(("ja", "zh", "zt", "ko"))
_CENTRAL = ("pl", "cs", "sk", "hu", "ro", "hr", "sl")
_CYRILLIC = ("ru", "uk", "bg")
_BALTIC = ("lt", "lv", "et")

# What a file could be written in besides the Western encoding that it was taken for, with its languages.
_RIVALS: Mapping[str, Sequence[str]] = {
    "Windows-1250": _CENTRAL,
    "Windows-1251": _CYRILLIC,
    "Windows-1253": ("el",),
    "Windows-1254": ("tr",),
    "Windows-1255": ("he",),
    "Windows-1256": ("ar", "fa"),
    "Windows-1257": _BALTIC,
    "CP874": ("th",),
    "CP932": ("ja",),
    "GB18030": ("zh",),
    "CP950": ("zt",),
    "CP949": ("ko",),
    "EUC-JP": ("ja",),
    "ISO-8859-2": _CENTRAL,
    "ISO-8859-5": _CYRILLIC,
    "ISO-8859-7": ("el",),
    "KOI8-R": ("ru", "bg"),
    "CP866": ("ru", "bg"),
    "macintosh": _WESTERN,
    "CP850": _WESTERN,
    "CP852": _CENTRAL,
    "mac-latin2": _CENTRAL,
    "mac-cyrillic": _CYRILLIC,
    "CP737": ("el",),
    "mac-greek": ("el",),
}  # fmt: skip

# Logarithms of probabilities. The limits were found by measuring (docs/decisions/0026).
_SEEN_PART = 0.85
_LEAST_WESTERN = -7.8
_CERTAINTY_OF_A_CELL = 0.1
_CELLS_FOR_CERTAINTY = 10
_MARGIN = 2.0
_HANDICAPS = {"CP874": 1.0, "CP932": 1.0, "GB18030": 1.0, "CP950": 1.0, "CP949": 1.0, "EUC-JP": 1.0}
_RARE_HANDICAP = 2.0
_MOST_OF_A_CELL = 8.0
_MOST_OF_A_COMMON_CELL = 0.5
_MOST_SUPPORT = 2.0
_SYMBOL = -11.0
_WRONG_CASE = -8.0
# A unit (km², cm³) has fewer letters.
_LETTERS_OF_A_WORD = 3

_WORD = re.compile(r"[^\W\d_ªº²³¹¼½¾]+")
# What may stand beside a letter: apostrophes, dashes, blanks; at the edge of a word also these.
_APART = frozenset("’‘–—\xad\xa0´`·-'")
_AROUND = frozenset("«»“”„‘’‚‹›…°ºª²³¹®™©€§¡¿")
READINGS_SHOWN = 3
_WORDS_SHOWN = 4


class Reading(NamedTuple):
    """What a file says in one encoding. Shape: words: the first with letters outside ASCII"""

    encoding: str
    words: tuple[str, ...]


class _Rival(NamedTuple):
    """What the cells are in one encoding. Shape: gain: by how much it is likelier than the Western one"""

    encoding: str
    gain: float
    mean: float
    texts: tuple[str, ...]


@dataclass(frozen=True)
class _Score:
    """How usual the letters of a text are. Shape: total: sum of logarithms over so many pairs of letters"""

    text: str
    total: float
    pairs: int

    @property
    def mean(self) -> float:
        return self.total / self.pairs if self.pairs else 0.0


def likely_readings(cells: Sequence[bytes], western: str) -> list[Reading]:
    """Return the likeliest readings if it is doubtful that the file is Western, else only that.

    Shape: cells: some with bytes outside ASCII; western: the encoding that the file was taken for
    """
    usual = [_score(cell.decode(western, "replace"), _WESTERN) for cell in cells]
    rivals = [rival for name, languages in _RIVALS.items() if (rival := _rival(cells, usual, name, languages))]
    mean = _mean(usual)
    least = _LEAST_WESTERN + min(len(cells), _CELLS_FOR_CERTAINTY) * _CERTAINTY_OF_A_CELL
    is_doubtful = mean < least or any(rival.gain > _MARGIN for rival in rivals)
    ranked = [_Rival(western, 0.0, mean, tuple(score.text for score in usual))]
    if is_doubtful:
        ranked = sorted([*ranked, *rivals], key=lambda rival: -rival.mean)
    readings: list[Reading] = []
    for rival in ranked:
        words = first_words(rival.texts)
        if words and words not in [known.words for known in readings]:
            readings.append(Reading(rival.encoding, words))
    return readings[:READINGS_SHOWN]


def first_words(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the first few texts that hold letters outside ASCII."""
    found = [text.strip() for text in texts if any(not char.isascii() and char.isalpha() for char in text)]
    return tuple(dict.fromkeys(found))[:_WORDS_SHOWN]


def _rival(cells: Sequence[bytes], usual: Sequence[_Score], encoding: str, languages: Sequence[str]) -> _Rival | None:
    """Return what the cells are in another encoding; None when they can't be written in it, or are the same."""
    try:
        texts = [cell.decode(encoding) for cell in cells]
    except UnicodeDecodeError:
        return None
    if all(text == known.text for text, known in zip(texts, usual, strict=True)):
        return None
    scores = [_score(text, languages) for text in texts]
    handicap = _HANDICAPS.get(encoding, 0.0 if encoding.startswith("Windows") else _RARE_HANDICAP)
    gain = support = 0.0
    for score, known in zip(scores, usual, strict=True):
        difference = (score.mean if score.pairs else _SYMBOL) - known.mean
        if score.text == known.text:
            # It can be read either way, but its language may speak for the Western one.
            support += min(0.0, max(-_MOST_OF_A_COMMON_CELL, difference))
        else:
            gain += max(-_MOST_OF_A_CELL, min(_MOST_OF_A_CELL, difference * max(known.pairs, 2)))
    return _Rival(encoding, gain + max(-_MOST_SUPPORT, support) - handicap, _mean(scores) - handicap / 4, tuple(texts))


def _mean(scores: Sequence[_Score]) -> float:
    pairs = sum(score.pairs for score in scores)
    return sum(score.total for score in scores) / pairs if pairs else 0.0


def _score(text: str, languages: Sequence[str]) -> _Score:
    """Return how usual the words of a text are in the languages, each word in the one that it fits best."""
    symbols = _symbols_within_words(text)
    total, pairs = symbols * _SYMBOL, symbols
    for word in _WORD.findall(text):
        if word.isascii():
            continue
        spaced = f" {word.lower()} "
        found = [pair for pair in map("".join, pairwise(spaced)) if not pair.isascii()]
        total += max(sum(_likelihood(language, pair) for pair in found) for language in languages)
        pairs += len(found)
        for before, char in pairwise(word):
            if before.islower() and char.isupper() and not char.isascii():
                total += _WRONG_CASE
    return _Score(text, total, pairs)


def _symbols_within_words(text: str) -> int:
    """Return how many symbols stand where only letters do."""
    count = 0
    for place, char in enumerate(text):
        if char.isascii():
            continue
        before, after = text[max(place - 1, 0) : place], text[place + 1 : place + 2]
        if _is_misplaced(char, text[:place], after):
            count += 1
            continue
        if char in _APART or (char.isalpha() and char not in "ªº"):
            continue
        if _is_mark(char) and (before.isalpha() or _is_mark(before)):
            continue
        is_within = before.isalpha() and after.isalpha()
        is_beside = before.isalpha() or after.isalpha() or not (before + after).isascii()
        count += is_within or (is_beside and char not in _AROUND)
    return count


def _is_misplaced(char: str, before: str, after: str) -> bool:
    """Whether a symbol that may stand beside a letter stands where it can't: ªtefan, Micha³, L—pez."""
    if char in "ªº—":
        return after.isalpha() and (char != "—" or before[-1:].isalpha())
    if char in "²³¹":
        return len(before) >= _LETTERS_OF_A_WORD and before[-_LETTERS_OF_A_WORD:].isalpha()
    return char in "‚„" and before[-1:].isalpha()


def _is_mark(char: str) -> bool:
    """Whether it is an accent or vowel sign of its own, which stands on the letter before it."""
    return bool(char) and unicodedata.category(char).startswith("M")


@cache
def _likelihood(language: str, pair: str) -> float:
    """Return the logarithm of how likely a pair of letters is among those of a language that hold one outside ASCII."""
    counts, letters = _letter_pairs()[language]
    total, all_letters = sum(counts.values()), sum(letters.values())
    unseen = 1.0
    outside = [char for char in pair if not char.isascii()]
    if language in _IDEOGRAPHIC:
        return sum(math.log((letters.get(char, 0) + 0.5) / (all_letters + 1500)) for char in outside) / len(outside)
    for char in outside:
        unseen *= (letters.get(char, 0) + 0.02) / (all_letters + 0.8)
    if len(outside) == 1:
        unseen /= 20
    return math.log(_SEEN_PART * counts.get(pair, 0) / total + (1 - _SEEN_PART) * unseen)


@cache
def _letter_pairs() -> dict[str, tuple[dict[str, int], dict[str, int]]]:
    """Return how often each pair of letters, and each letter outside ASCII, was counted in each language."""
    table = {}
    stored = json.loads(Path(__file__).with_name("letter_pairs.json").read_text(encoding="utf-8"))
    for language, by_count in stored.items():
        counts = {
            pairs[place : place + 2]: int(count)
            for count, pairs in by_count.items()
            for place in range(0, len(pairs), 2)
        }
        letters: dict[str, int] = {}
        for pair, count in counts.items():
            for char in pair:
                if not char.isascii():
                    letters[char] = letters.get(char, 0) + count
        table[language] = (counts, letters)
    return table
