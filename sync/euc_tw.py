"""The encoding EUC-TW (Taiwan), which Moodle's upload form offers and Python doesn't bring along.

A character is two bytes (plane 1 of CNS 11643), or four: 8E, the plane, and two bytes. `euc_tw.txt` has the characters: a line
for each row of a plane, U+FFFD where there is none.

Source: CNS 11643; the table is what the C library of GNU reads.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

_NONE = "\ufffd"
_FIRST_BYTE = 0xA1
_SHIFT = 0x8E
_FIRST_PLANE = 0xA1
_LONGEST = 4
_CHARACTER = re.compile(rb"[\x00-\x7f]+|[\xa1-\xfe][\xa1-\xfe]|\x8e[\xa1-\xb0][\xa1-\xfe][\xa1-\xfe]")
# What the first bytes of a character that isn't whole yet look like.
_BEGINNING = re.compile(rb"[\xa1-\xfe]|\x8e|\x8e[\xa1-\xb0]|\x8e[\xa1-\xb0][\xa1-\xfe]")


class _Decoder(codecs.BufferedIncrementalDecoder):
    def _buffer_decode(self, data: bytes, errors: str, final: bool) -> tuple[str, int]:  # type: ignore[override]
        return _decode(data, errors, final=final)


class _Encoder(codecs.IncrementalEncoder):
    def encode(self, text: str, final: bool = False) -> bytes:
        return _encode(text, self.errors)[0]


def find_euc_tw(name: str) -> codecs.CodecInfo | None:
    """Return the encoding, for `codecs.register`."""
    if name != "euc_tw":
        return None
    return codecs.CodecInfo(
        name="euc-tw",
        encode=_encode,
        decode=lambda data, errors="strict": _decode(bytes(data), errors, final=True),
        incrementalencoder=_Encoder,
        incrementaldecoder=_Decoder,
    )


def _decode(data: bytes, errors: str, *, final: bool) -> tuple[str, int]:
    """Return the text, and how many bytes it was made of: those of a character that isn't whole are left for later."""
    table = _characters()
    parts: list[str] = []
    place = 0
    while place < len(data):
        found = _CHARACTER.match(data, place)
        char = None if found is None else found[0].decode() if found[0][0] < _SHIFT else table.get(found[0])
        if found is not None and char is not None:
            parts.append(char)
            place = found.end()
        elif not final and _BEGINNING.fullmatch(data, place):
            break
        else:
            error = UnicodeDecodeError("euc-tw", data, place, place + 1, "no character of EUC-TW")
            replacement, place = codecs.lookup_error(errors)(error)
            parts.append(str(replacement))
    return "".join(parts), place


def _encode(text: str, errors: str = "strict") -> tuple[bytes, int]:
    table = _codes()
    parts: list[bytes] = []
    for place, char in enumerate(text):
        code = char.encode() if char.isascii() else table.get(char)
        if code is None:
            error = UnicodeEncodeError("euc-tw", text, place, place + 1, "no character of EUC-TW")
            replacement, _next = codecs.lookup_error(errors)(error)
            code = replacement if isinstance(replacement, bytes) else replacement.encode("ascii")
        parts.append(code)
    return b"".join(parts), len(text)


@cache
def _characters() -> Mapping[bytes, str]:
    table: dict[bytes, str] = {}
    for line in Path(__file__).with_suffix(".txt").read_text(encoding="utf-8").splitlines():
        place, _blank, chars = line.partition(" ")
        plane, row = map(int, place.split("-"))
        prefix = b"" if plane == 1 else bytes((_SHIFT, _FIRST_PLANE + plane - 1))
        for cell, char in enumerate(chars):
            if char != _NONE:
                table[prefix + bytes((_FIRST_BYTE + row - 1, _FIRST_BYTE + cell))] = char
    # Plane 1 may be written with four bytes, too.
    table.update({bytes((_SHIFT, _FIRST_PLANE)) + code: char for code, char in table.items() if len(code) < _LONGEST})
    return table


@cache
def _codes() -> Mapping[str, bytes]:
    """Return how each character is written, in the shortest way."""
    codes: dict[str, bytes] = {}
    for code, char in sorted(_characters().items(), key=lambda pair: len(pair[0])):
        codes.setdefault(char, code)
    return codes
