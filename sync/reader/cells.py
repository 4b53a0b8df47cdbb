"""Where the cells of a row begin and end.

A cell is quoted (RFC 4180) when a quote is its first character, blanks left out, and nothing but blanks stands between
the quote that ends it and the next separator or the end of the row. Every other quote is an ordinary character.

No expression here steps back (they are possessive), so the time grows with the text and not faster.
"""

from __future__ import annotations

import re
from functools import cache
from itertools import islice
from typing import NamedTuple

# No file has so many columns. Each cell of a row of megabytes would take a hundred bytes.
CELL_LIMIT = 5000
# Stands where a line is one cell: no text holds it.
NO_SEPARATOR = "\x1f"
# What may stand before the quote of a quoted cell; the separator is in no cell.
_BLANKS = " \t"
# Nothing, or what a quote opens behind.
_BEFORE_QUOTES = ("", " ", "\t", "\u00a0", "(", "[", "/", "-")


class BytePatterns(NamedTuple):
    """The expressions that look for the cells of a physical line, on its bytes.

    Shape: is_closed: matches the whole of the usual line with quotes, which has no quote within its cells; opens: matches
    from the beginning of a cell when a quoted cell goes on behind the end of the line; ends: matches from within a quoted
    cell to its end, in group 1 when a separator follows, in group 2 at the end of the line; quote: from within a quoted cell
    to the first quote that isn't doubled; cell: one cell and the separator behind it
    """

    is_closed: re.Pattern[bytes]
    opens: re.Pattern[bytes]
    ends: re.Pattern[bytes]
    quote: re.Pattern[bytes]
    cell: re.Pattern[bytes]


def split_cells(text: str, separator: str) -> list[str]:
    """Return the cells of the text of one whole row (quoted cells may hold line ends), not yet trimmed.

    Of a row of more than CELL_LIMIT cells the last one is all the rest, unless that is empty.
    """
    if '"' not in text:
        cells = text.split(separator, CELL_LIMIT)
        if len(cells) > CELL_LIMIT and not cells[-1].strip(f" {separator}"):
            cells.pop()
        return cells
    pattern = _text_cell(separator)
    if len(text) < CELL_LIMIT:
        return [quoted.replace('""', '"') if quoted else plain for quoted, plain in pattern.findall(text)]
    found = islice(pattern.finditer(text), CELL_LIMIT)
    cells, end = [], 0
    for match in found:
        cells.append(match[1].replace('""', '"') if match[1] else match[2] or "")
        end = match.end()
    if rest := text[end:].strip(f' \r\n"{separator}'):
        cells.append(rest)
    return cells


def quote_open_cells(text: str, separator: str) -> str:
    """Return the text of one whole row with quotes around each cell that begins with a quote and isn't a quoted one.

    Such a cell would be another where text with quotes is written behind it. The cells that are read are the same.
    """
    parts, end = [], 0
    for found in _text_cell(separator).finditer(text):
        plain = found[2]
        if plain is not None and plain.lstrip(_BLANKS).startswith('"'):
            parts += [text[end : found.start(2)], quoted(plain)]
            end = found.end()
    return "".join(parts) + text[end:]


def quotes_around_quotes(text: str, separator: str) -> dict[int, str]:
    """Return place -> what is probably meant, of the cells in quotes in which other quotes aren't doubled (`"Bob "B" Lee"`).

    The quotes of `"La Villa" or "Le Parc"` are those of two words.
    """
    return {
        place: meant
        for place, found in enumerate(_text_cell(separator).finditer(text))
        if found[2] is not None and (meant := within_quotes(found[2]))
    }


def within_quotes(cell: str) -> str:
    """Return what stands in the quotes around a text, where quotes are in it and these are around all of it; "" where not."""
    text = cell.strip()
    inner = text[1:-1]
    first = inner.find('"')
    if first < 0 or not text.startswith('"') or not text.endswith('"') or '\\"' in text:
        return ""
    is_opening = inner[:first][-1:] in _BEFORE_QUOTES
    return inner.strip() if is_opening or inner.count('"') % 2 else ""


def quoted(cell: str) -> str:
    """Return the cell between quotes, those within it doubled."""
    return '"' + cell.replace('"', '""') + '"'


def end_of_cell(text: str, separator: str, number: int) -> int:
    """Return where the cell of this number (1-based) ends; the end of the text when there are fewer."""
    for count, found in enumerate(_text_cell(separator).finditer(text), start=1):
        if count == number:
            return found.end()
    return len(text)


def count_cells(row: bytes, separator: str) -> tuple[int, int]:
    """Return how many cells a row has, and how many up to the last that holds anything (at least 1)."""
    mark = separator.encode()
    nothing = b" \t\r\n\v\f" + mark
    if b'"' not in row:
        return row.count(mark) + 1, row.rstrip(nothing).count(mark) + 1
    count = filled = position = 0
    for found in byte_patterns(separator).cell.finditer(row):
        count += 1
        if found[1] is not None or row[position : found.end()].strip(nothing):
            filled = count
        position = found.end()
        if not found[0].endswith(mark):
            break
    return count, max(filled, 1)


@cache
def byte_patterns(separator: str) -> BytePatterns:
    mark, blanks, quoted = _parts(separator)
    quoted = quoted.replace("(", "(?:", 1)
    closed = rf'(?>{blanks}"[^"]*"{blanks}|[^"{mark}]*)'
    opening = rf'{blanks}"[^"]*+(?:""[^"]*+)*+\Z'
    cell = rf"(?>{quoted}|(?!{opening})[^{mark}]*+)"
    to_quote = r'[^"]*+(?:""[^"]*+)*+"'
    sources = (
        rf"{closed}(?>{mark}{closed})*+[\r\n]*+\Z",
        rf"(?:{cell}{mark})*+{opening}",
        rf"{to_quote}{blanks}(?:({mark})|([\r\n]*+\Z))",
        to_quote,
        rf"(?:({quoted})|[^{mark}]*+)(?:{mark}|[\r\n]*+\Z)",
    )
    return BytePatterns(*(re.compile(source.encode()) for source in sources))


@cache
def _text_cell(separator: str) -> re.Pattern[str]:
    """Return the pattern of one cell: the text between its quotes, or plain text."""
    mark, _blanks, quoted = _parts(separator)
    return re.compile(rf"(?:\A|{mark})(?:{quoted}|([^{mark}]*+))")


def _parts(separator: str) -> tuple[str, str, str]:
    """Return the sources of separator, blanks and a quoted cell."""
    mark = re.escape(separator)
    blanks = "[ ]*+" if separator == "\t" else r"[ \t]*+"
    return mark, blanks, rf'{blanks}"([^"]*+(?:""[^"]*+)*+)"{blanks}(?={mark}|[\r\n]*+\Z)'
