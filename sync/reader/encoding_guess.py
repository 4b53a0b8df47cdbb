"""Whether a file whose bytes could be written in any encoding of one byte is really Western, and what else it could be.

Every such file can be read as Windows-1252; Greek names come out as "Ðáðáäüðïõëïò" then. So the words with letters outside
ASCII are compared with what is usual in the languages of each encoding: how often which two letters stand side by side
(`letter_pairs.json`). docs/decisions/0026 has the figures.
"""

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

from sync.reader.misread_signs import (
    is_clean,
    is_of_signs,
    is_strange,
    symbols_within_words,
    unlikely_signs,
    wrong_capitals,
)

# "xx": Slavic and Baltic names as far as Western encodings can write them.
_WESTERN = ("fr", "de", "es", "it", "pt", "nl", "sv", "da", "fi", "ga", "is", "ca", "xx")
# Of these not pairs are compared, but letters: they have too many.
_IDEOGRAPHIC = frozenset(("ja", "zh", "zt", "ko"))
# The first bytes of those that are in daily use, in the order of their standard.
_COMMON_IDEOGRAPHS = {
    "ja": ("euc_jp", b"\xa4", b"\xcf"),
    "zh": ("gb2312", b"\xb0", b"\xd7"),
    "zt": ("big5", b"\xa4", b"\xc6"),
    "ko": ("euc_kr", b"\xb0", b"\xc8"),
}
_CENTRAL = ("pl", "cs", "sk", "hu", "ro", "hr", "sl")
_CYRILLIC = ("ru", "uk", "bg")
_BALTIC = ("lt", "lv", "et")
_OTHERS = ("el", "tr", "he", "ar", "fa", "th", "ja", "zh", "zt", "ko", "vi", "hy")

# What a file could be written in besides the Western encoding that it was taken for, with its languages.
_RIVALS: Mapping[str, Sequence[str]] = {
    "Windows-1250": _CENTRAL,
    "Windows-1251": _CYRILLIC,
    "Windows-1253": ("el",),
    "Windows-1254": ("tr",),
    "Windows-1255": ("he",),
    "Windows-1256": ("ar", "fa"),
    "Windows-1257": _BALTIC,
    "Windows-1258": ("vi",),
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
    "CP866": _CYRILLIC,
    "macintosh": _WESTERN,
    "CP850": _WESTERN,
    "CP852": _CENTRAL,
    "mac-latin2": _CENTRAL,
    "mac-cyrillic": _CYRILLIC,
    "CP737": ("el",),
    "mac-greek": ("el",),
    "ISO-8859-4": _BALTIC,
    "ISO-8859-6": ("ar", "fa"),
    "ISO-8859-16": ("ro",),
    "KOI8-U": ("uk",),
    "CP720": ("ar",),
    "CP775": _BALTIC,
    "CP855": _CYRILLIC,
    "CP857": ("tr",),
    "CP862": ("he",),
    "mac-croatian": ("hr", "sl"),
    "mac-iceland": ("is",),
    "mac-romanian": ("ro",),
    "mac-turkish": ("tr",),
    "ArmSCII-8": ("hy",),
}  # fmt: skip
_EVERY = (*_WESTERN, *_CENTRAL, *_CYRILLIC, *_BALTIC, *_OTHERS)
_ALL = {"Windows-1252": _WESTERN, **_RIVALS}

# Logarithms of probabilities. The limits were found by measuring (docs/decisions/0026).
_SEEN_PART = 0.85
_LEAST_WESTERN = -7.8
_LEAST_OF_A_RIVAL = -7.8
_CLEAN_PART = 0.8
_LETTERS_OF_NO_NAME = 2
_TOO_SHORT = -2.0
# More cells than these aren't UTF-8 by accident.
MOST_BY_ACCIDENT = 3
_CERTAINTY_OF_A_CELL = 0.1
_CELLS_FOR_CERTAINTY = 10
# By how much another encoding must be likelier before it is doubted that a file is Western: by less where little speaks.
_MARGIN = 2.0
_MARGIN_OF_A_CELL = 0.0
_CELLS_FOR_MARGIN = 4
_HANDICAPS = {"CP874": 1.0, "CP932": 0.5, "GB18030": 0.5, "CP950": 0.5, "CP949": 0.5, "EUC-JP": 0.5}
_RARE_HANDICAP = 2.0
_UNCLEAN_HANDICAP = 3.0
_IDEOGRAPH_AS_PAIR = 0.8
_RARE_IDEOGRAPH = -2.0
_MOST_OF_A_CELL = 8.0
_MOST_OF_A_COMMON_CELL = 0.5
_MOST_SUPPORT = 2.0
_SYMBOL = -11.0
_WRONG_CASE = -8.0
# A blank, dash or apostrophe where a letter is likelier, and a word without any letter of ASCII.
_UNLIKELY_SIGN = -6.5
_NO_PLAIN_LETTER = -3.0

_WORD = re.compile(r"[^\W\d_ªº²³¹¼½¾]+")
READINGS_SHOWN = 3
_BEHIND_LATIN = "\u0250"
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
    few = min(len(cells) - 1, _CELLS_FOR_MARGIN) / _CELLS_FOR_MARGIN
    margin = _MARGIN_OF_A_CELL + few * (_MARGIN - _MARGIN_OF_A_CELL)
    is_doubtful = mean < least or any(rival.gain > margin for rival in rivals)
    if few < 1 and any(symbols_within_words(score.text) for score in usual):
        # Signs where only letters stand, which are letters in another encoding.
        is_doubtful = is_doubtful or any(is_of_signs(score.text) for score in usual) or any(map(_is_plausible, rivals))
    ranked = [_Rival(western, 0.0, mean, tuple(score.text for score in usual))]
    if is_doubtful:
        ranked = _ranked([*ranked, *rivals])
    return _readings(ranked)


def readings_unlike_utf_8(cells: Sequence[bytes], *, is_utf_8: bool) -> list[Reading]:
    """Return the likeliest readings if cells that could be UTF-8 are rather written in another encoding, else none.

    Shape: cells: those with bytes outside ASCII; is_utf_8: every byte of the file belongs to UTF-8
    """
    if not cells or (
        is_utf_8 and (len(cells) > MOST_BY_ACCIDENT or not any(is_strange(_utf_8(cell)) for cell in cells))
    ):
        return []
    unread = [_Score("", 0.0, 0)] * len(cells)
    rivals = [rival for name, languages in _ALL.items() if (rival := _rival(cells, unread, name, languages))]
    ranked = _ranked(filter(_is_plausible, rivals))
    if ranked and is_utf_8:
        ranked.insert(READINGS_SHOWN - 1, _Rival("UTF-8", 0.0, 0.0, tuple(map(_utf_8, cells))))
    return _readings(ranked)


def seven_bit_readings(cells: Iterable[tuple[str, str]]) -> list[Reading]:
    """Return what cells of ASCII say in encodings that write other letters in it, where these are usual letters.

    Shape: cells: encoding and the text that a cell is in it
    """
    texts: dict[str, list[str]] = {}
    for encoding, text in cells:
        # Three letters behind a plus sign may be an ideograph by chance.
        if len(text) > 1 or encoding != "UTF-7":
            texts.setdefault(encoding, []).append(text)
    return _readings(
        _Rival(encoding, 0.0, 0.0, tuple(found))
        for encoding, found in texts.items()
        if sum(map(is_clean, found)) >= _CLEAN_PART * len(found)
        and _mean([_score(text, _EVERY) for text in found]) > _LEAST_OF_A_RIVAL
    )


def _is_plausible(rival: _Rival) -> bool:
    return rival.mean > _LEAST_OF_A_RIVAL and all(map(_is_read, rival.texts))


def _utf_8(cell: bytes) -> str:
    return cell.decode("UTF-8", "replace")


def _is_read(text: str) -> bool:
    return text.isascii() or is_clean(text)


def _ranked(rivals: Iterable[_Rival]) -> list[_Rival]:
    """Return the likeliest first, those behind that hold what nobody writes."""
    return sorted(rivals, key=lambda rival: (not all(map(_is_read, rival.texts)), -_likelihood_of_cells(rival)))


def _likelihood_of_cells(rival: _Rival) -> float:
    """Return how likely the cells are, in which an ideograph alone may be a name, but one or two letters hardly are."""
    if rival.encoding in _HANDICAPS:
        return rival.mean
    short = sum(len(text.strip()) <= _LETTERS_OF_NO_NAME for text in rival.texts)
    return rival.mean + _TOO_SHORT * short / len(rival.texts)


def _readings(ranked: Iterable[_Rival]) -> list[Reading]:
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
        texts = [_decoded(cell, encoding) for cell in cells]
    except UnicodeDecodeError:
        return None
    if all(text == known.text for text, known in zip(texts, usual, strict=True)):
        return None
    scores = [_score(text, languages) for text in texts]
    handicap = _HANDICAPS.get(encoding, 0.0 if encoding.startswith("Windows") else _RARE_HANDICAP)
    if encoding in _HANDICAPS and not all(map(_is_read, texts)):
        handicap += _UNCLEAN_HANDICAP
    gain = support = 0.0
    for score, known in zip(scores, usual, strict=True):
        difference = (score.mean if score.pairs else _SYMBOL) - known.mean
        if score.text == known.text:
            # It can be read either way, but its language may speak for the Western one.
            support += min(0.0, max(-_MOST_OF_A_COMMON_CELL, difference))
        else:
            gain += max(-_MOST_OF_A_CELL, min(_MOST_OF_A_CELL, difference * max(known.pairs, 2)))
    return _Rival(encoding, gain + max(-_MOST_SUPPORT, support) - handicap, _mean(scores) - handicap / 4, tuple(texts))


def _decoded(cell: bytes, encoding: str) -> str:
    text = cell.decode(encoding)
    # The accents of Vietnamese are characters of their own there.
    return unicodedata.normalize("NFC", text) if encoding == "Windows-1258" else text


def _mean(scores: Sequence[_Score]) -> float:
    pairs = sum(score.pairs for score in scores)
    return sum(score.total for score in scores) / pairs if pairs else 0.0


def _score(text: str, languages: Sequence[str]) -> _Score:
    """Return how usual the words of a text are in the languages, each word in the one that it fits best."""
    symbols, unlikely = symbols_within_words(text), unlikely_signs(text)
    total, pairs = symbols * _SYMBOL + unlikely * _UNLIKELY_SIGN, symbols + unlikely
    for word in _WORD.findall(text):
        if word.isascii():
            continue
        spaced = f" {word.lower()} "
        found = [pair for pair in map("".join, pairwise(spaced)) if not pair.isascii()]
        total += max(sum(_likelihood(language, pair) for pair in found) for language in languages)
        pairs += len(found)
        total += wrong_capitals(word) * _WRONG_CASE
        if len(word) > 1 and all("\x7f" < char < _BEHIND_LATIN for char in word):
            total += _NO_PLAIN_LETTER * (len(word) - 1)
    return _Score(text, total, pairs)


@cache
def _likelihood(language: str, pair: str) -> float:
    """Return the logarithm of how likely a pair of letters is among those of a language that hold one outside ASCII."""
    counts, letters = _letter_pairs()[language]
    total, all_letters = sum(counts.values()), sum(letters.values())
    unseen = 1.0
    outside = [char for char in pair if not char.isascii()]
    if language in _IDEOGRAPHIC:
        return sum(_ideograph(language, char, letters.get(char, 0), all_letters) for char in outside) / len(outside)
    for char in outside:
        unseen *= (letters.get(char, 0) + 0.02) / (all_letters + 0.8)
    if len(outside) == 1:
        unseen /= 20
    return math.log(_SEEN_PART * counts.get(pair, 0) / total + (1 - _SEEN_PART) * unseen)


def _ideograph(language: str, char: str, count: int, all_letters: int) -> float:
    """Return the logarithm of how likely an ideograph is, which takes two bytes, measured like a pair of letters."""
    likelihood = math.log((count + 0.5) / (all_letters + 1500)) * _IDEOGRAPH_AS_PAIR
    if count:
        return likelihood
    encoding, first, last = _COMMON_IDEOGRAPHS[language]
    lead = char.encode(encoding, "ignore")[:1]
    return likelihood if first <= lead <= last else likelihood + _RARE_IDEOGRAPH


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
