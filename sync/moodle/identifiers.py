"""From the texts that people write in a command file to the rows they mean, whole sets at a time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any, TypeVar

import sqlalchemy as sa

from sync.moodle.database import MoodleSession
from sync.moodle.writer import MAX_KEYS, slices

T = TypeVar("T")

# More digits can't be an id: Moodle's ids are signed 64-bit integers.
_MAX_ID_DIGITS = 18


def fetch_ids(
    moodle: MoodleSession,
    table: str,
    identifier: str,
    values: Collection[str],
    *conditions: sa.ColumnElement[bool],
) -> dict[str, tuple[int, ...]]:
    """Give the ids of the rows that the values name.

    Shape: identifier: id, idnumber, shortname, username, email or name; values as typed -> rising ids; absent =
    unknown, several ids = ambiguous
    Queries: one per 10,000 values
    """
    target = moodle.table(table)
    found = fetch_named(moodle, sa.select(target.c.id).where(*conditions), table, identifier, values)
    return {value: tuple(sorted(int(row.id) for row in rows)) for value, rows in found.items()}


def fetch_named(
    moodle: MoodleSession, statement: sa.Select[Any], table: str, identifier: str, values: Collection[str]
) -> dict[str, list[sa.Row[Any]]]:
    """Run a SELECT over `table` for the rows that the values name.

    Shape: values as typed -> rows; absent = unknown. An exact spelling goes before one that only the server's collation
    takes for the same. Each row has one column more at its end, the identifier.
    Queries: one per 10,000 values
    """
    column = moodle.table(table).c[identifier]
    wanted: dict[str, Any] = {value: value for value in values if value}
    if identifier == "id":
        wanted = {value: int(value) for value in wanted if is_id(value)}
    rows: list[sa.Row[Any]] = []
    for part in slices(sorted(set(wanted.values())), MAX_KEYS):
        rows.extend(moodle.fetch(statement.add_columns(column.label("named_by")).where(moodle.among(column, part))))
    fold = str if identifier == "id" else folding(moodle, table, identifier)
    by_text = by_spelling({str(text) for text in wanted.values()}, ((str(row.named_by), row) for row in rows), fold)
    return {value: by_text[str(text)] for value, text in wanted.items() if str(text) in by_text}


def is_id(value: str) -> bool:
    """Tell whether a text can be an id."""
    return value.isascii() and value.isdecimal() and len(value) <= _MAX_ID_DIGITS


def by_spelling(
    wanted: Iterable[str], found: Iterable[tuple[str, T]], fold: Callable[[str], str]
) -> dict[str, list[T]]:
    """Give for each wanted text what was found under it: spelled alike if there is such, else the same when folded."""
    exact: dict[str, list[T]] = {}
    folded: dict[str, list[T]] = {}
    for text, thing in found:
        exact.setdefault(text, []).append(thing)
        folded.setdefault(fold(text), []).append(thing)
    return {text: things for text in wanted if (things := exact.get(text) or folded.get(fold(text)))}


def folding(moodle: MoodleSession, table: str, column: str) -> Callable[[str], str]:
    """Give the function under which two texts become equal when the server takes them for the same in this column.

    MariaDB and MySQL ignore case in Moodle's usual collations (utf8mb4_unicode_ci ...), so Moodle finds the course "C1"
    under "c1" there; PostgreSQL and SQLite don't.
    """
    if moodle.connection.dialect.name not in ("mysql", "mariadb"):
        return str
    reflected = moodle.table(table)
    collation = getattr(reflected.c[column].type, "collation", None) or _table_collation(reflected)
    return str if collation.endswith(("_bin", "_cs")) else str.casefold


def _table_collation(table: sa.Table) -> str:
    return str(table.kwargs.get("mysql_collate") or table.kwargs.get("mariadb_collate") or "")
