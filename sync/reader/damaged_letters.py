"""Cells whose letters were damaged before the file came: UTF-8 that a program read in another encoding, and letters lost."""

# ruff: noqa: RUF001 (accents and quotes that look alike)

from __future__ import annotations

import re

from sync.values import Note

# The characters of the bytes 80 to BF, of which the second and later bytes of UTF-8 are.
_WINDOWS_AGAIN = "\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ"
# The same without the quotes and dashes that may follow a capital letter of a name.
_BUT_QUOTES = "\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ•˜™š›œžŸ"
# The same without what may stand behind a small letter anyway.
_BUT_MARKS = "\u0080-\u009f¡-ª¬-º¼-¾€ƒ†‡ˆ‰Š‹ŒŽ™š›œžŸ"
# What é and the like become: read as Windows-1252 or Latin 1 (JosÃ©), Mac (Jos√©), CP850 (Jos├®) and Windows-1250 (JosĂ©).
_SIGNS = (
    (
        (
            rf"Ã[{_WINDOWS_AGAIN}]|Â[\u0080-\u00bf]|[ÄÅ][{_BUT_QUOTES}]|â€|[â-í][{_BUT_MARKS}][{_WINDOWS_AGAIN}]"
            rf"|(?:[ÎÏÐÑØÙÚÛ×][{_WINDOWS_AGAIN}]){{2}}"
        ),
        "cp1252",
    ),
    (r"√[^\s\w]", "mac_roman"),
    (r"├[^\s\w]", "cp850"),
    (r"Ă[^\s\w]|Ă[Ľşťźľ]", "cp1250"),
)
# The first half of à or of a blank that doesn't break, whose second half a program took for a blank: VoilÃ, Ã la carte, 10Â.
_CUT = re.compile(r"(?<=[a-zß-ÿ])[ÃÂ](?=\W|\Z)|(?:\A|(?<=\s))Ã(?=\s+[a-zß-ÿ])")
_CUT_MEANT = {"Ã": "à", "Â": ""}
# Letters of CP850 read as Windows-1252, where such signs never stand: within a word or at its end.
_READ_AS_WINDOWS = re.compile(r"(?<=[^\W\d_])(?:[‚ƒ„ˆ˜‰](?=[^\W\d_]|\Z|[\s,.])|[†‡‹›](?=[^\W\d_])|[“”](?=[a-zß-ÿ]))")
_QUOTES = "“”„"
# Of other scripts, and of Á, Í and Ý, some second halves are characters that nobody sees, and got lost.
_HALVES = re.compile(rf"(?:[ÎÏÐÑØÙÚÛ×][{_WINDOWS_AGAIN}]){{3}}|(?:\A|(?<=[\s'’-]))Ã(?=[A-Za-z]{{2}})")
# The replacement character, and control characters that no text has.
_LOST = "[\ufffd\x01-\x08\x0e-\x1f\x7f-\x9f]"
_SIGN_OF_DAMAGE = re.compile(
    f"[ÃÂÄÅÎÏÐÑØÙÚÛ×â-í√├Ă][^\\x00-\\x7f]|Ã\\s|Ã[A-Za-z]{{2}}|[a-zß-ÿ][ÃÂ]|[^\\W\\d_][‚ƒ„ˆ˜‰†‡‹›“”]|{_LOST}"
).search
_CONTROLS = dict.fromkeys((*range(1, 9), *range(14, 32), 127))
_PATTERNS = tuple((re.compile(sign).search, encoding) for sign, encoding in _SIGNS)
_LOST_LETTER = re.compile(_LOST).search
# Whoever has chosen an encoding has said how such letters are to be read.
ENCODED_TWICE = "cell_encoded_twice"
_MOST_TIMES = 3
_LONGEST_SHOWN = 60


def has_signs_of_damage(text: str) -> bool:
    """Return whether a text has anything that damaged letters have."""
    if text.isascii():
        return not text.isprintable() and len(text.translate(_CONTROLS)) < len(text)
    return _SIGN_OF_DAMAGE(text) is not None


def damaged_letters(text: str) -> Note | None:
    """Return why the letters of a cell can't be those that somebody meant, if so."""
    if text.isascii() and text.isprintable():
        return None
    meant = _read_again(text)
    if meant != text:
        return Note(ENCODED_TWICE, {"value": text[:_LONGEST_SHOWN], "meant": meant[:_LONGEST_SHOWN]})
    if _CUT.search(text):
        meant = _CUT.sub(lambda found: _CUT_MEANT[found[0]], text)
        return Note(ENCODED_TWICE, {"value": text[:_LONGEST_SHOWN], "meant": meant[:_LONGEST_SHOWN]})
    # A text in which quotes open and close may have one beside a letter.
    if _READ_AS_WINDOWS.search(text) and sum(quote in text for quote in _QUOTES) < len(_QUOTES) - 1:
        meant = _READ_AS_WINDOWS.sub(lambda found: found[0].encode("cp1252").decode("cp850"), text)
        return Note("cell_encoded_otherwise", {"value": text[:_LONGEST_SHOWN], "meant": meant[:_LONGEST_SHOWN]})
    if _LOST_LETTER(text) or _HALVES.search(text):
        return Note("cell_letters_lost", {})
    return None


def _read_again(text: str) -> str:
    """Return what a text is that was once UTF-8, and was read in other encodings since; else the text itself."""
    for _time in range(_MOST_TIMES):
        for has_signs, encoding in _PATTERNS:
            if has_signs(text):
                try:
                    text = _bytes(text, encoding).decode()
                except UnicodeError:
                    continue
                break
        else:
            break
    return text


def _bytes(text: str, encoding: str) -> bytes:
    """Return the bytes of a text. Windows-1252 leaves some out, which programs read as control characters then."""
    if encoding != "cp1252":
        return text.encode(encoding)
    return b"".join(char.encode("latin-1" if "\x80" <= char <= "\x9f" else encoding) for char in text)
