"""Which encoding a file is written in, and whether every byte of it belongs to that encoding."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import BinaryIO, NamedTuple

from sync.encodings import MULTI_BYTE, WITH_ZERO_BYTES
from sync.errors import UndecodableFile, UnknownFileType
from sync.reader.dialect import SEPARATORS
from sync.reader.encoding_guess import (
    MOST_BY_ACCIDENT,
    Reading,
    first_words,
    likely_readings,
    readings_unlike_utf_8,
    seven_bit_readings,
)
from sync.reader.row_bytes import ByteSource, line_groups

# A byte order mark says for certain what the file is, so it wins over the option.
_ENCODING_BY_BOM = {
    codecs.BOM_UTF8: "UTF-8",
    codecs.BOM_UTF32_LE: "UTF-32LE",
    codecs.BOM_UTF32_BE: "UTF-32BE",
    codecs.BOM_UTF16_LE: "UTF-16LE",
    codecs.BOM_UTF16_BE: "UTF-16BE",
}

_LONGEST_SEQUENCE = 4
_UTF_8_SEQUENCE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
# Bytes of an encoding of one byte that look like a character of UTF-8 by chance ("É»") are fewer than one in so many.
_BY_CHANCE = 4
_HIGH_BYTES = bytes(range(0x80, 0x100))

# So many different cells say in which encoding they are written; the one of a password is not looked at.
_CELLS_COMPARED = 400
_CELL_END = re.compile(rb'[\t\r\n;,"]+')
_TEXT_CELL_END = re.compile(r"[;,|\t]")
_LONGEST_CELL = 200
_DIGITS = b"0123456789"
# A column of passwords is called so, or nearly so.
_SECRET_NAMES = (b"pass", b"pwd", b"kennwort", b"mot de", b"contrase", b"senha", b"wachtwoord", b"secret")

# What stands before letters outside ASCII in encodings that have only its bytes.
_KOREAN = b"\x1b$)C"
_SEVEN_BIT = {
    b"\x0e": ("ISO-2022-KR",),
    b"\x1b$": ("ISO-2022-JP", "ISO-2022-JP-2004"),
    b"~{": ("HZ",),
    b"+": ("UTF-7",),
}

# Bytes that only Windows-1252 uses for characters.
_WINDOWS_ONLY = bytes(range(0x80, 0xA0))
# Bytes by which ISO-8859-15 differs: the euro sign, and letters where the others have broken bar, diaeresis,
# cedilla and fractions, which don't begin a word. (B4 is left out: the others' acute accent often is an apostrophe.)
_LATIN_9_ONLY = b"\xa4\xa6\xa8\xb8\xbc\xbd\xbe"
_LATIN_9 = re.compile(rb"\xa4|(?<![0-9])[\xa6\xa8\xb8\xbc\xbd\xbe][A-Za-z\xc0-\xff]")


# The separator, and the places of the columns of passwords.
_Secret = tuple[bytes, frozenset[int]]


class FoundEncoding(NamedTuple):
    """The encoding of a file, every byte of which has been tried.

    Shape: words: where it was guessed by the words outside ASCII, the first of them
    """

    encoding: str
    bom: bytes
    detected: bool
    words: tuple[str, ...] = ()


def find_encoding(stream: BinaryIO, wanted: str) -> FoundEncoding:
    """Find the encoding of a file and try every byte of it.

    Shape: wanted: as `normalise_encoding` gives it
    Raises: UndecodableFile, UnknownFileType if there are zero bytes where none can be
    """
    stream.seek(0)
    head = stream.read(4096)
    for bom, encoding in _ENCODING_BY_BOM.items():
        if head.startswith(bom):
            _check(stream, encoding, bom)
            return FoundEncoding(encoding, bom, detected=True)
    if wanted and wanted != "UTF-16":
        _check(stream, wanted)
        return FoundEncoding(wanted, b"", detected=False)
    encoding = _guess_wide(head) or ("UTF-16LE" if wanted else "")
    if not encoding:
        return _find_narrow(stream)
    _check(stream, encoding)
    return FoundEncoding(encoding, b"", detected=not wanted)


def _guess_wide(head: bytes) -> str:
    """Return the UTF-32 or UTF-16 in which the text would have plain letters: other bytes are zero."""
    places = [head[place::4] for place in range(4)]
    if len(head) % 4 == 0 and head:
        zeros = [not place.strip(b"\0") for place in places]
        if zeros in ([False, False, True, True], [False, True, True, True]):
            return "UTF-32LE"
        if zeros[:2] == [True, True] and not zeros[3]:
            return "UTF-32BE"
    even, odd = head[::2].count(0), head[1::2].count(0)
    mostly = len(head) // 2 * 0.4
    if odd > mostly and even < odd / 10:
        return "UTF-16LE"
    if even > mostly and odd < even / 10:
        return "UTF-16BE"
    return ""


def _find_narrow(stream: BinaryIO) -> FoundEncoding:
    """Return UTF-8, or the Western single-byte encoding that fits best.

    Where nothing tells them apart it's Windows-1252, in which all the printable characters of ISO-8859-1 are the same.
    Raises: UndecodableFile if it is UTF-8 but for some bytes, or if its words don't look Western
    """
    offset, is_ascii = _first_undecodable(stream, "UTF-8", b"")
    if offset is None:
        if is_ascii:
            _refuse_doubtful(seven_bit_readings(_seven_bit_cells(stream)))
        else:
            few_cells = list(islice(_telling_cells(stream), MOST_BY_ACCIDENT + 1))
            _refuse_doubtful(readings_unlike_utf_8(few_cells, is_utf_8=True))
        return FoundEncoding("UTF-8", b"", detected=True)
    has_windows = has_latin_9 = False
    sequences = high_bytes = 0
    carried = b""
    for block in ByteSource(stream, "", b"").raw_blocks():
        window = carried + block
        found = _UTF_8_SEQUENCE.findall(window)
        sequences += len(found)
        high_bytes += len(block) - len(block.translate(None, _HIGH_BYTES)) - sum(map(len, found))
        has_windows = has_windows or _holds(window, _WINDOWS_ONLY)
        has_latin_9 = has_latin_9 or (_holds(window, _LATIN_9_ONLY) and _LATIN_9.search(window) is not None)
        carried = block[1 - _LONGEST_SEQUENCE :]
    if sequences * _BY_CHANCE > high_bytes:
        _refuse_doubtful(readings_unlike_utf_8(list(_telling_cells(stream)), is_utf_8=False))
        raise _undecodable(stream, "UTF-8", b"", offset)
    encoding = "ISO-8859-15" if has_latin_9 and not has_windows else "Windows-1252"
    cells = list(_telling_cells(stream))
    readings = likely_readings(cells, encoding)
    if [reading.encoding for reading in readings] != [encoding]:
        _refuse_doubtful(readings)
    _check(stream, encoding)
    return FoundEncoding(encoding, b"", True, first_words(cell.decode(encoding) for cell in cells))


def _refuse_doubtful(readings: Sequence[Reading]) -> None:
    """Ask in which of these readings, if any, the words are right. Raises: UndecodableFile"""
    if readings:
        shown = "; ".join(f"{reading.encoding}: {', '.join(reading.words)}" for reading in readings)
        raise UndecodableFile("encoding_doubtful", readings=shown)


def _telling_cells(stream: BinaryIO) -> Iterator[bytes]:
    """Return different cells that hold bytes outside ASCII, those of passwords left out."""
    known: set[bytes] = set()
    for line, secret in _lines_and_secrets(stream):
        if line.isascii():
            continue
        for cell in _CELL_END.split(_without_secrets(line, secret)):
            # A password on a line of its own, or a cell further, has digits; what tells a language hasn't.
            may_be_secret = secret is not None and _holds(cell, _DIGITS)
            if not cell.isascii() and len(cell) <= _LONGEST_CELL and cell not in known and not may_be_secret:
                known.add(cell)
                yield cell
                if len(known) >= _CELLS_COMPARED:
                    return


def _lines_and_secrets(stream: BinaryIO) -> Iterator[tuple[bytes, _Secret | None]]:
    """Return the lines of a file, and where its header says that passwords are."""
    secret: _Secret | None = None
    is_first = True
    for line in chain.from_iterable(line_groups(ByteSource(stream, "", b"").raw_blocks())):
        if is_first:
            secret = _secret_places(line)
            is_first = not line.strip() or line.lstrip(b'"').lower().startswith((b"#", b"sep="))
        yield line, secret


def _seven_bit_cells(stream: BinaryIO) -> Iterator[tuple[str, str]]:
    """Return encoding and text of the cells of a file of ASCII that hold other letters in an encoding of seven bits."""
    sign = _first_sign(stream)
    if not sign:
        return
    lines = ((line, secret) for line, secret in _lines_and_secrets(stream) if sign in line)
    for line, secret in islice(lines, _CELLS_COMPARED):
        separator, places = secret or (b"", frozenset())
        for encoding in _SEVEN_BIT[sign]:
            text = _decoded_or_lost(line, encoding)
            cells = text.split(separator.decode()) if separator else _TEXT_CELL_END.split(text)
            for place, cell in enumerate(cells):
                may_be_secret = place in places or (secret is not None and any(map(str.isdigit, cell)))
                if not cell.isascii() and len(cell) <= _LONGEST_CELL and not may_be_secret:
                    yield encoding, cell.strip(' "\r\n')


def _first_sign(stream: BinaryIO) -> bytes:
    """Return what the file has of _SEVEN_BIT, b"" for nothing. (No sign is cut in two by the end of a line.)"""
    carried = b""
    occurring: set[bytes] = set()
    for block in ByteSource(stream, "", b"").raw_blocks():
        window = carried + block
        occurring.update(sign for sign in _SEVEN_BIT if sign in window)
        carried = block[-_LONGEST_SEQUENCE:]
    return next((sign for sign in _SEVEN_BIT if sign in occurring), b"")


def _decoded_or_lost(line: bytes, encoding: str) -> str:
    """Return a line as the encoding reads it; the replacement character where it doesn't."""
    if encoding == "ISO-2022-KR" and not line.startswith(_KOREAN):
        line = _KOREAN + line
    try:
        return line.decode(encoding)
    except UnicodeDecodeError:
        return "\ufffd"


def _without_secrets(line: bytes, secret: _Secret | None) -> bytes:
    if secret is None:
        return line
    separator, places = secret
    return separator.join(cell for place, cell in enumerate(line.split(separator)) if place not in places)


def _secret_places(header: bytes) -> _Secret | None:
    """Return the separator and the places of the columns of passwords, if the line is a header that has any."""
    for separator in SEPARATORS:
        names = header.lower().split(separator.encode())
        places = frozenset(place for place, name in enumerate(names) if any(secret in name for secret in _SECRET_NAMES))
        if places and len(names) > 1:
            return separator.encode(), places
    return None


def _holds(window: bytes, wanted: bytes) -> bool:
    return len(window.translate(None, wanted)) < len(window)


def _check(stream: BinaryIO, encoding: str, bom: bytes = b"") -> None:
    """Try every byte of the file.

    Raises: UndecodableFile naming the first that doesn't belong to the encoding
    """
    offset, _is_ascii = _first_undecodable(stream, encoding, bom)
    if offset is not None:
        raise _undecodable(stream, encoding, bom, offset)


def _first_undecodable(stream: BinaryIO, encoding: str, bom: bytes) -> tuple[int | None, bool]:
    """Return the offset behind the byte order mark of the first byte that doesn't belong, and whether all is ASCII.

    Raises: UnknownFileType if there is a zero byte: no text has any
    """
    decoder = codecs.getincrementaldecoder(encoding)()
    is_wide = encoding in WITH_ZERO_BYTES
    offset = 0
    is_ascii = True
    for block in ByteSource(stream, encoding, bom).raw_blocks():
        if not is_wide and b"\0" in block:
            raise UnknownFileType("file_binary")
        pending = decoder.getstate()[0]
        if not pending and encoding not in MULTI_BYTE and block.isascii():
            offset += len(block)
            continue
        is_ascii = False
        try:
            text = decoder.decode(block)
        except UnicodeDecodeError as error:
            return offset - len(pending) + error.start, is_ascii
        if is_wide and "\0" in text:
            raise UnknownFileType("file_binary")
        offset += len(block)
    pending = decoder.getstate()[0]
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return offset - max(len(pending), 1), is_ascii
    return offset - len(pending) if pending else None, is_ascii


def _undecodable(stream: BinaryIO, encoding: str, bom: bytes, offset: int) -> UndecodableFile:
    """Say where the byte stands: line and character, both counted from 1."""
    # What stands before was read without fault, but may end within a character.
    decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder(encoding)("replace"), translate=True)
    line, character, left = 1, 1, max(0, min(offset, stream.seek(0, io.SEEK_END) - len(bom) - 1))
    blocks = ByteSource(stream, encoding, bom).raw_blocks()
    for block in blocks:
        text = decoder.decode(block[:left])
        line += text.count("\n")
        character = len(text) - text.rfind("\n") if "\n" in text else character + len(text)
        if left < len(block):
            return UndecodableFile(
                "byte_undecodable", line=line, column=character, byte=f"0x{block[left]:02X}", encoding=encoding
            )
        left -= len(block)
    raise AssertionError("the offset lies behind the end of the file")
