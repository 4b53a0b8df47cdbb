"""How a command file is written: encoding, separator, line end; guessed, shown, overridable."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sync.encodings import ENCODING_LABELS, find_encoding_name
from sync.errors import OptionError
from sync.reader.cells import quoted, split_cells

# In the order of preference when the header speaks for several.
SEPARATORS = (";", ",", "\t", "|", ":")
SEPARATOR_NAMES = {";": "semicolon", ",": "comma", "\t": "tab", "|": "pipe", ":": "colon"}

# A line that begins with one of these is a comment. Files made for tool_sync rely on every one of them.
COMMENT_MARKS = "([-#/ "

_SEPARATORS_BY_NAME = {name: separator for separator, name in SEPARATOR_NAMES.items()} | {"\\t": "\t"}
# Of a header, to find its separator.
_LENGTH_COMPARED = 64 << 10
_NAMES_COMPARED = 300

# Some programs leave the semicolon out; where more digits follow that end in one, it is another letter (&#44608;).
_ENTITY = re.compile(r"&#(44|59)(?!\d{1,3};);?")


# Zero width, direction marks, soft hyphens, the mark of the byte order: no column has them in its name.
_UNSEEN = re.compile("[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufe00-\ufe0f\ufeff]")
_ODD_BLANK = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")


@dataclass(frozen=True)
class Dialect:
    """How one command file is written.

    Shape: encoding: one of ENCODING_LABELS, not UTF-16; bom: the byte order mark that the file begins with, b"" = none;
    line_end: that of the header line. A workbook has the dialect in which its rows are written as text
    """

    encoding: str
    separator: str
    line_end: str = "\n"
    bom: bytes = b""
    encoding_detected: bool = True
    separator_detected: bool = True
    is_workbook: bool = False


def normalise_encoding(name: str) -> str:
    """Return the name we use for an encoding: one of ENCODING_LABELS ("UTF-16": either byte order), or "" for "detect".

    Raises: OptionError if we don't read this encoding
    """
    if not name:
        return ""
    try:
        return find_encoding_name(name)
    except LookupError:
        raise OptionError(
            "option_not_choice", option="encoding", value=name, choices=", ".join(ENCODING_LABELS)
        ) from None


def normalise_separator(name: str) -> str:
    """Return the separator that a name ("tab", "comma" ...) or the character itself stands for; "" for "detect".

    Raises: OptionError if it isn't one of SEPARATORS
    """
    if not name or name in SEPARATORS:
        return name
    word = name.strip().lower()
    separator = _SEPARATORS_BY_NAME.get(word, word)
    if separator not in SEPARATORS:
        choices = ", ".join(SEPARATOR_NAMES.values())
        raise OptionError("option_not_choice", option="separator", value=name, choices=choices)
    return separator


def header_name(text: str) -> str:
    """Return the name of a column as it is compared: trimmed, in lower case, without what nobody sees in it."""
    if not text.isascii():
        text = unicodedata.normalize("NFC", _ODD_BLANK.sub(" ", _UNSEEN.sub("", text)))
    return text.strip().lower()


def guess_separator(header_text: str, is_known: Callable[[str], bool]) -> str:
    """Return the separator that splits the header into most known names; among equals, into most names.

    Its beginning decides: each name is compared with all columns, and this may be a row of megabytes.
    """
    beginning = header_text[:_LENGTH_COMPARED]

    def score(separator: str) -> tuple[int, int]:
        names = [header_name(cell) for cell in split_cells(beginning, separator)[:_NAMES_COMPARED]]
        return len({name for name in names if is_known(name)}), len(names)

    return max(SEPARATORS, key=score)


def decode_entities(text: str) -> str:
    """Replace `&#44` and `&#59`, with or without a semicolon behind, by the comma and the semicolon they stand for.

    Called after the split: in a file separated by semicolons the one behind `&#59` ends the cell.
    """
    return _ENTITY.sub(lambda match: chr(int(match[1])), text)


def encode_cells(dialect: Dialect, cells: Sequence[str], *, is_comment: bool = False) -> bytes:
    """Write cells as one row, without line end; characters that the encoding lacks become "?".

    The first cell is also quoted when the row would be taken for a comment or a blank line without, and isn't one.
    """
    texts = [quoted(cell) if _needs_quotes(cell, dialect.separator) else cell for cell in cells]
    if not is_comment and cells and (cells[0].startswith(tuple(COMMENT_MARKS)) or not any(map(str.strip, cells))):
        texts[0] = quoted(cells[0])
    return dialect.separator.join(texts).encode(dialect.encoding, errors="replace")


def _needs_quotes(cell: str, separator: str) -> bool:
    return separator in cell or '"' in cell or "\n" in cell or "\r" in cell
