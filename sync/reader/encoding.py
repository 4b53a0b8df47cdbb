"""Which encoding a file is written in, and whether every byte of it belongs to that encoding."""

from __future__ import annotations

import codecs
import io
import re
from typing import BinaryIO, NamedTuple

from sync.errors import UndecodableFile, UnknownFileType
from sync.reader.dialect import UTF_16
from sync.reader.row_bytes import Source

# A byte order mark says for certain what the file is, so it wins over the option.
_ENCODING_BY_BOM = {codecs.BOM_UTF8: "UTF-8", codecs.BOM_UTF16_LE: "UTF-16LE", codecs.BOM_UTF16_BE: "UTF-16BE"}

_LONGEST_SEQUENCE = 4

# Bytes that only Windows-1252 uses for characters.
_WINDOWS_ONLY = bytes(range(0x80, 0xA0))
# Bytes by which ISO-8859-15 differs: the euro sign, and letters where the others have broken bar, diaeresis,
# cedilla and fractions, which don't begin a word. (B4 is left out: the others' acute accent often is an apostrophe.)
_LATIN_9_ONLY = b"\xa4\xa6\xa8\xb8\xbc\xbd\xbe"
_LATIN_9 = re.compile(rb"\xa4|(?<![0-9])[\xa6\xa8\xb8\xbc\xbd\xbe][A-Za-z\xc0-\xff]")


class FoundEncoding(NamedTuple):
    """The encoding of a file, every byte of which has been tried."""

    encoding: str
    bom: bytes
    detected: bool


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
    if encoding:
        _check(stream, encoding)
    else:
        encoding = _find_narrow(stream)
    return FoundEncoding(encoding, b"", detected=not wanted)


def _guess_wide(head: bytes) -> str:
    """Give the UTF-16 in which the text would have plain letters: every other byte of those is zero."""
    even, odd = head[::2].count(0), head[1::2].count(0)
    mostly = len(head) // 2 * 0.4
    if odd > mostly and even < odd / 10:
        return "UTF-16LE"
    if even > mostly and odd < even / 10:
        return "UTF-16BE"
    return ""


def _find_narrow(stream: BinaryIO) -> str:
    """Give UTF-8, or the single-byte encoding of a file that holds no UTF-8 at all."""
    offset = _first_undecodable(stream, "UTF-8", b"")
    if offset is None:
        return "UTF-8"
    encoding = _single_byte_encoding(stream)
    if not encoding:
        raise _undecodable(stream, "UTF-8", b"", offset)
    _check(stream, encoding)
    return encoding


def _single_byte_encoding(stream: BinaryIO) -> str:
    """Give the single-byte encoding that fits best; "" if there are characters of UTF-8 in the file.

    Where nothing tells them apart it's Windows-1252, in which all the printable characters of ISO-8859-1 are the same.
    (charset-normalizer was tried: it gives ISO-8859-15 and Windows-1252 the same marks.)
    """
    has_windows = has_latin_9 = False
    carried = b""
    for block in Source(stream, "", b"").raw_blocks():
        window = carried + block
        if not window.decode("UTF-8", "ignore").isascii():
            return ""
        has_windows = has_windows or _holds(window, _WINDOWS_ONLY)
        has_latin_9 = has_latin_9 or (_holds(window, _LATIN_9_ONLY) and _LATIN_9.search(window) is not None)
        carried = block[1 - _LONGEST_SEQUENCE :]
    return "ISO-8859-15" if has_latin_9 and not has_windows else "Windows-1252"


def _holds(window: bytes, wanted: bytes) -> bool:
    return len(window.translate(None, wanted)) < len(window)


def _check(stream: BinaryIO, encoding: str, bom: bytes = b"") -> None:
    """Try every byte of the file.

    Raises: UndecodableFile naming the first that doesn't belong to the encoding
    """
    offset = _first_undecodable(stream, encoding, bom)
    if offset is not None:
        raise _undecodable(stream, encoding, bom, offset)


def _first_undecodable(stream: BinaryIO, encoding: str, bom: bytes) -> int | None:
    """Give the offset behind the byte order mark of the first byte that doesn't belong to the encoding.

    Raises: UnknownFileType if there is a zero byte: no text has any
    """
    decoder = codecs.getincrementaldecoder(encoding)()
    is_wide = encoding in UTF_16
    offset = 0
    for block in Source(stream, encoding, bom).raw_blocks():
        if not is_wide and b"\0" in block:
            raise UnknownFileType("file_binary")
        pending = decoder.getstate()[0]
        if not pending and not is_wide and block.isascii():
            offset += len(block)
            continue
        try:
            text = decoder.decode(block)
        except UnicodeDecodeError as error:
            return offset - len(pending) + error.start
        if is_wide and "\0" in text:
            raise UnknownFileType("file_binary")
        offset += len(block)
    return offset - len(decoder.getstate()[0]) if decoder.getstate()[0] else None


def _undecodable(stream: BinaryIO, encoding: str, bom: bytes, offset: int) -> UndecodableFile:
    """Say where the byte stands: line and character, both counted from 1."""
    decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder(encoding)(), translate=True)
    line, character, left = 1, 1, offset
    blocks = Source(stream, encoding, bom).raw_blocks()
    for block in blocks:
        text = decoder.decode(block[:left], final=left <= len(block))
        line += text.count("\n")
        character = len(text) - text.rfind("\n") if "\n" in text else character + len(text)
        if left < len(block):
            return UndecodableFile(
                "byte_undecodable", line=line, column=character, byte=f"0x{block[left]:02X}", encoding=encoding
            )
        left -= len(block)
    raise AssertionError("the offset lies behind the end of the file")
