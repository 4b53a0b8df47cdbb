"""Signs by which it shows that the bytes of a text were read in another encoding than the one they are written in."""

# ruff: noqa: RUF001 (quotes and dashes that look alike)

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise

# A unit (km², cm³) has fewer letters.
_LETTERS_OF_A_WORD = 3
# What may stand beside a letter: apostrophes, dashes, blanks; at the edge of a word also these.
_APART = frozenset("’‘–—\xad\xa0´`·-'")
_AROUND = frozenset("«»“”„‘’‚‹›…°ºª²³¹®™©€§¡¿")
_BETWEEN_WORDS = frozenset("’–—\xa0«»“”„")
# Blanks and dashes between small letters; apostrophes too, but for those behind d and u, as French has; signs without letters.
_UNLIKELY = re.compile(
    r"(?<=[^\W\d_])(?:–(?=[a-zß-ÿ]{2})|[\xa0‘](?=[a-zß-ÿ]))|(?<=[^\W\d_]{2}[^\W\d_dDuU])’(?=[a-zß-ÿ]{3})"
    r"|\A[^“”„]*[^\W\d_]”(?!\w)"
    r"|[¢¤¥¦§¨©¬®¯±´µ¶¸¹¼½¾]{2,}"
)

_WORD = re.compile(r"(?:[^\W\d_]|[\u0300-\u036f\u0591-\u05bd\u0610-\u061a\u064b-\u065f\u0730-\u074a\u07a6-\u07b0])+")
# Scripts that stand beside each other in one word.
_TOGETHER = frozenset(("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "KATAKANA-HIRAGANA", "IDEOGRAPHIC", "FULLWIDTH"))
_OF_ANY_SCRIPT = frozenset(("COMBINING", "MODIFIER", "FEMININE", "MASCULINE"))
# Letters of phonetics that languages do without; letters that no word consists of alone; signs that no cell does;
# and accents that are none of any language.
_PHONETIC = re.compile(
    r"(?![əɓɗɛɔɣɖʋɲɪʊ])[\u0250-\u02af]|[\u0312-\u031a\u031c-\u0322\u0332-\u0341\u0343\u0344\u0346-\u035e\u0362-\u036f]"
)
_LONE_LETTER = re.compile(r"[\u0250-\u02af\u0460-\u052f\u0530-\u058f\u0700-\u08ff]")
_LONE_SIGN = re.compile(r"[¤¦§¨¬¯´¸]+")
_CONTROL = re.compile(r"[\x80-\x9f\ufffd\ue000-\uf8ff]")


def wrong_capitals(word: str) -> int:
    """Return how many capital letters outside ASCII stand behind a small letter, or between a capital and a small one."""
    return sum(
        before.islower() or (before.isupper() and after.islower())
        for before, char, after in zip(word, word[1:], f"{word[2:]} ", strict=False)
        if char.isupper() and not char.isascii()
    )


def unlikely_signs(text: str) -> int:
    """Return how many signs that may stand between words stand where a letter is likelier."""
    return len(_UNLIKELY.findall(text)) if not text.isascii() else 0


def symbols_within_words(text: str) -> int:
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
        is_behind_word = len(before) >= _LETTERS_OF_A_WORD and before[-_LETTERS_OF_A_WORD:].isalpha()
        return is_behind_word or (not before.strip() and not after.isascii())
    if char in "\xad«":
        return not before.strip() if char == "\xad" else before[-1:].isalpha() and "»" not in before
    if char in "‹›":
        return before[-1:].isalpha() and not ("‹" in before or "›" in before)
    return (char in "‚„¿¡" and before[-1:].isalpha()) or (char == "™" and after.isalpha())


def _is_mark(char: str) -> bool:
    """Whether it is an accent or vowel sign of its own, which stands on the letter before it."""
    return bool(char) and unicodedata.category(char).startswith("M")


def is_of_signs(text: str) -> bool:
    """Whether a text has no letter or digit of ASCII, and signs where only letters stand."""
    return not any(char.isascii() and char.isalnum() for char in text) and symbols_within_words(text) > 0


def is_strange(text: str) -> bool:
    """Whether hardly anybody writes so: several scripts in one word, a capital behind a small letter, signs without words."""
    if text.isascii():
        return False
    if _CONTROL.search(text) or _PHONETIC.search(text) or _LONE_SIGN.fullmatch(text.strip()):
        return True
    if _LONE_LETTER.fullmatch(text.strip()):
        return True
    return any(
        len(_scripts(word)) > 1 or _has_wrong_capital(word) for word in _WORD.findall(text) if not word.isascii()
    )


def is_clean(text: str) -> bool:
    """Whether a text that isn't all ASCII has nothing that could come from the wrong encoding."""
    is_made_of_letters = all(
        char.isascii() or char.isalpha() or char in _BETWEEN_WORDS or _is_mark(char) for char in text
    )
    return is_made_of_letters and not (is_strange(text) or symbols_within_words(text) or unlikely_signs(text))


def _scripts(word: str) -> set[str]:
    return set(_scripts_of(word)) - _OF_ANY_SCRIPT


def _scripts_of(word: str) -> Iterator[str]:
    for char in word:
        script = "LATIN" if char.isascii() else unicodedata.name(char, "UNASSIGNED").partition(" ")[0]
        yield "CJK" if script in _TOGETHER else script


def _has_wrong_capital(word: str) -> bool:
    return any(before.islower() and char.isupper() and not char.isascii() for before, char in pairwise(word))
