"""The header against the declaration: unknown, missing and duplicated columns; the nearest name is offered.

What stands for a header may be a row of a file without one, with a password in it: not all of it is repeated in messages.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from sync.columns.column import Column
from sync.columns.file_columns import ADDED_COLUMNS, Columns
from sync.columns.synonyms import suggestion
from sync.errors import HeaderError
from sync.values import Header

# No column is called like this, passwords are.
_UNUSUAL = re.compile(r"[@#$%^&*=+~!?<>{}|\\]")
_SECRET = re.compile(
    r"pass|pwd|passwd|kennwort|passwor|contrase|mot.?de.?passe|\bmdp\b|secret|token|\bpin\b"
    r"|clave|senha|wachtwoord|losenord|lösenord|adgangskode|salasana|haslo|hasło|heslo|jelsz|parola|sifre|şifre"
    r"|парол|κωδικ|סיסמ|كلمة.?(?:ال)?(?:سر|مرور)|密码|密碼|パスワード|비밀번호",
    re.IGNORECASE,
)
_LONGEST_NAME = 60
# So many unknown names are compared with those that are known, and named.
_NAMES_SHOWN = 20


# The first cell of a row of a flat file (enrol_flatfile), and how many cells it has.
_FLAT_COMMANDS = (("add",), ("del",))
_FLAT_CELLS = (4, 6)


@dataclass(frozen=True)
class MatchedHeader:
    """A header whose every name is understood.

    Shape: fields: (position of the cell, canonical name, column) of what is read; ignored: names that are there and not
    read, as spelled; width: number of header cells, trailing empty ones left out
    """

    line: int
    fields: tuple[tuple[int, str, Column], ...]
    ignored: tuple[str, ...]
    width: int

    @property
    def names(self) -> tuple[str, ...]:
        """The canonical names of what is read, in file order."""
        return tuple(name for _position, name, _column in self.fields)


def match_header(columns: Columns, header: Header, *, lenient: bool = False) -> MatchedHeader:
    """Match the names of a header with the declared columns.

    Shape: lenient: unknown names are ignored instead of refused (option invalidnamesnocheck)
    Raises: HeaderError naming line, columns and remedy
    """
    width = _width(header)
    if columns.flat_names and header.line and _is_flat_row(header, width):
        raise HeaderError("header_flat_file", line=header.line, names=",".join(columns.flat_names[: _FLAT_CELLS[1]]))
    _refuse_contradictions(columns, header)
    fields: list[tuple[int, str, Column]] = []
    ignored: list[str] = []
    unknown: list[int] = []
    for position, name in enumerate(header.names[:width]):
        if position in header.left_out:
            ignored.append(header.spelled[position])
            continue
        if not name:
            raise HeaderError("header_empty_name", line=header.line, place=position + 1)
        found = columns.find(name)
        if found is not None and not found[0].ignored:
            fields.append((position, found[1], found[0]))
        elif found is not None:
            ignored.append(header.spelled[position])
        elif name not in ADDED_COLUMNS:
            unknown.append(position)
    _refuse_duplicates(header, [name for _position, name, _column in fields])
    if unknown and not fields:
        _refuse_no_header(columns, header, unknown)
    if unknown and not lenient:
        _refuse_unknown(columns, header, unknown, {name for _position, name, _column in fields})
    is_header = is_header_line(len(fields), len(unknown))
    ignored.extend(shown_name(header.spelled[position], position, is_header=is_header) for position in unknown)
    _refuse_missing(columns, header, {name for _position, name, _column in fields})
    return MatchedHeader(header.line, tuple(fields), tuple(ignored), width)


def _is_flat_row(header: Header, width: int) -> bool:
    """Whether the line is a row of a flat file of Moodle: operation, role, user, course, start, end."""
    return header.names[:1] in _FLAT_COMMANDS and _FLAT_CELLS[0] <= width <= _FLAT_CELLS[1]


def _width(header: Header) -> int:
    """Spreadsheets leave empty cells at the end of the header: they don't count."""
    width = len(header.names)
    while width and not header.names[width - 1]:
        width -= 1
    return width


def _refuse_duplicates(header: Header, names: list[str]) -> None:
    twice = sorted(name for name, times in Counter(names).items() if times > 1)
    if twice:
        raise HeaderError("header_duplicate_column", line=header.line, columns=", ".join(twice))


def _refuse_contradictions(columns: Columns, header: Header) -> None:
    """Refuse names that mean something else in a header of Moodle's own tools, also where unknown names are ignored."""
    names = set(header.names)
    for (*others, name), code in columns.contradictions.items():
        if name in names and (found := names.intersection(others)):
            raise HeaderError(code, line=header.line, columns=", ".join(sorted(found)))


def _codes_of_elsewhere(columns: Columns, names: Iterable[str]) -> list[str]:
    """Return the codes of what is to be said of columns of Moodle's own tools, each once."""
    codes = (code for name in names for start, code in columns.elsewhere.items() if name.startswith(start))
    return list(dict.fromkeys(codes))


def _refuse_no_header(columns: Columns, header: Header, positions: list[int]) -> None:
    """Refuse a line in which no name is known. It may be a row with a password: only names that can be guessed are repeated."""
    guessed = [position for position in positions[:_NAMES_SHOWN] if suggestion(columns, header.names[position])]
    if guessed:
        _refuse_unknown(columns, header, guessed, set())
    raise HeaderError("header_without_known_column", line=header.line, known=", ".join(columns.plain_names))


def _refuse_unknown(columns: Columns, header: Header, positions: list[int], names: set[str]) -> None:
    """Refuse unknown names, each with what it was probably meant as, and say in the same message what is missing."""
    elsewhere = [
        header.names[position] for position in positions if _codes_of_elsewhere(columns, [header.names[position]])
    ]
    meant = {
        position: suggestion(columns, header.names[position]) if header.names[position] not in elsewhere else ""
        for position in positions[:_NAMES_SHOWN]
    }
    guessed = sum(map(bool, meant.values())) + sum(header.names[position] in elsewhere for position in meant)
    is_header = is_header_line(len(names) + guessed, len(positions) - guessed)
    shown = ", ".join(
        f"{header.spelled[position]} → {near}"
        if near
        else shown_name(header.spelled[position], position, is_header=is_header)
        for position, near in meant.items()
    )
    if len(positions) > _NAMES_SHOWN:
        shown += " …"
    missing = _missing(columns, names | set(meant.values()))
    hints = [*_codes_of_elsewhere(columns, elsewhere), *(["header_also_missing"] if missing else [])]
    params = {"line": header.line, "columns": shown, "hint": hints, "missing": missing}
    if any(meant.values()):
        raise HeaderError("header_unknown_column_near", **params)
    raise HeaderError("header_unknown_column", **params, known=", ".join(columns.plain_names))


def _missing(columns: Columns, names: set[str]) -> str:
    """Return the columns that the header needs and hasn't got, "" when it has all."""
    missing = [column.name for column in columns if column.required and column.name not in names]
    if columns.one_of and not names.intersection(columns.one_of):
        missing.append(" / ".join(columns.one_of))
    return ", ".join(missing)


def _refuse_missing(columns: Columns, header: Header, names: set[str]) -> None:
    missing = [column.name for column in columns if column.required and column.name not in names]
    if missing:
        others = [
            position for position, name in enumerate(header.names[: _width(header)]) if columns.find(name) is None
        ]
        is_header = is_header_line(_width(header) - len(others), len(others))
        found = ", ".join(
            shown_name(name, position, is_header=is_header) if position in others else name
            for position, name in enumerate(header.spelled[: _width(header)])
        )
        raise HeaderError("header_missing_column", line=header.line, columns=", ".join(missing), found=found)
    if columns.one_of and not names.intersection(columns.one_of):
        raise HeaderError("header_missing_identity", line=header.line, columns=", ".join(columns.one_of))


def shown_name(spelled: str, position: int, *, is_header: bool) -> str:
    """Return a name that nobody knows as a message may say it; the number of the column where it may be a value.

    Shape: position: from 0; is_header: whether most other names of the line are known
    """
    is_name = (
        is_header and len(spelled) <= _LONGEST_NAME and not _UNUSUAL.search(spelled) and any(map(str.isalpha, spelled))
    )
    return spelled if is_name else f"({position + 1})"


def is_header_line(known: int, unknown: int) -> bool:
    """Return whether a line of so many known and unknown names is a header, and not a row in which one word is a name."""
    return known >= unknown


def is_secret_name(name: str) -> bool:
    """Return whether the cells under such a name are passwords, whatever the file type says of it."""
    return _SECRET.search(name) is not None
