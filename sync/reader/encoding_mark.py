"""A first line by which a tryback says how it is written, where that can't be told from its rows.

    # ToolSync encoding=Windows-1253 separator=semicolon check=Ω

It is a comment to everybody else. The character behind "check" is written as the file is, so it shows whether somebody has
saved the file in another encoding since; then the mark isn't believed.
"""

from __future__ import annotations

import codecs
import re
from typing import BinaryIO, NamedTuple

from sync.encodings import ENCODING_LABELS
from sync.reader.dialect import SEPARATOR_NAMES, Dialect

_MARK = re.compile(rb"# ToolSync encoding=([A-Za-z0-9_-]{1,30}) separator=([a-z]{1,20}) check=([^\r\n]{0,60})")
# What a spreadsheet may put behind it when it saves the file.
_BEHIND = b';,|:\t" '
_CHECKS = "éłжΩשعกあ中한"
_NO_SEPARATOR = "none"
# A byte order mark says all about the encoding.
_BOMS = {
    "UTF-32LE": codecs.BOM_UTF32_LE,
    "UTF-32BE": codecs.BOM_UTF32_BE,
    "UTF-16LE": codecs.BOM_UTF16_LE,
    "UTF-16BE": codecs.BOM_UTF16_BE,
}
_SEPARATORS = {name: separator for separator, name in SEPARATOR_NAMES.items()}


class Mark(NamedTuple):
    """What a mark says.

    Shape: encoding: "" where it isn't to be believed, or a byte order mark says it; separator: "" = there is none, or no mark
    """

    encoding: str = ""
    separator: str = ""


def mark_of(dialect: Dialect) -> bytes:
    """Return the beginning of a file that is written so: its byte order mark and its mark."""
    bom = dialect.bom or _BOMS.get(dialect.encoding, b"")
    separator = SEPARATOR_NAMES.get(dialect.separator, _NO_SEPARATOR)
    text = f"# ToolSync encoding={dialect.encoding} separator={separator} check="
    if dialect.encoding in _BOMS:
        return bom + (text + dialect.line_end).encode(dialect.encoding)
    return bom + text.encode("ascii") + _check(dialect.encoding) + dialect.line_end.encode("ascii")


def read_mark(stream: BinaryIO) -> Mark:
    """Return what the mark of a file says, if it has one. Leaves the stream somewhere else."""
    stream.seek(0)
    head = stream.read(1000)
    wide = next((name for name, bom in _BOMS.items() if head.startswith(bom)), "")
    if wide:
        head = head[len(_BOMS[wide]) :].decode(wide, "ignore").encode()
    found = _MARK.match(head.removeprefix(codecs.BOM_UTF8))
    if found is None:
        return Mark()
    encoding, separator = found[1].decode(), _SEPARATORS.get(found[2].decode(), "")
    check = found[3].rstrip(_BEHIND)
    if wide or encoding not in ENCODING_LABELS:
        return Mark("", separator)
    if check == _check(encoding):
        return Mark(encoding, separator)
    is_saved_as_utf_8 = check == _check(encoding).decode(encoding).encode()
    return Mark("UTF-8" if is_saved_as_utf_8 else "", separator)


def _check(encoding: str) -> bytes:
    """Return a character as the encoding writes it; ASCII has none."""
    for char in _CHECKS:
        try:
            return char.encode(encoding)
        except UnicodeEncodeError:
            continue
    return b""
