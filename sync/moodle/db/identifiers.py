"""From the texts that people write in a command file to the rows they mean, whole sets at a time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, TypeVar

import sqlalchemy as sa

from sync.moodle.db.collation import Collation, fetch_collations, holds, ignores_case, normal_form, spellings
from sync.moodle.db.database import MoodleSession
from sync.moodle.db.writer import MAX_KEYS, batched

T = TypeVar("T")
Fold = Callable[[str], str]

# Moodle writes usernames in lower case and compares e-mail addresses so, where the server tells the cases apart.
# Source: user_create_user() and get_complete_user_data() of Moodle
_LOWERED = {("user", "username"), ("user", "email")}

# More digits can't be an id: Moodle's ids are signed 64-bit integers.
_MAX_ID_DIGITS = 18


def fetch_ids(
    moodle: MoodleSession,
    table: str,
    identifier: str,
    values: Collection[str],
    *conditions: sa.ColumnElement[bool],
) -> dict[str, tuple[int, ...]]:
    """Return the ids of the rows that the values name.

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
    statement = statement.add_columns(column.label("named_by"))
    wanted = sorted({*filter(None, values)})
    rows: list[sa.Row[Any]] = []
    if identifier == "id":
        numbers = {value: int(value) for value in wanted if is_id(value)}
        for ids in batched(sorted({*numbers.values()}), MAX_KEYS):
            rows.extend(moodle.fetch(statement.where(moodle.in_clause(column, ids))))
        by_id = {row.named_by: [row] for row in rows}
        return {value: by_id[number] for value, number in numbers.items() if number in by_id}
    for part in batched(wanted, MAX_KEYS):
        rows.extend(moodle.fetch(statement.where(named(moodle, table, identifier, part))))
    if len(wanted) > MAX_KEYS:
        # Two spellings in different parts find the same row.
        rows = list(dict.fromkeys(rows))
    fold = folding(moodle, table, identifier)
    return by_spelling(wanted, ((str(row.named_by), row) for row in rows), fold)


def named(moodle: MoodleSession, table: str, identifier: str, texts: Collection[str]) -> sa.ColumnElement[bool]:
    """Return the condition that a row of a table is one that texts name, as the server or Moodle compares them.

    Queries: as `folding`; one in a session where usernames are wanted of a server that tells capitals from small letters
    """
    column = moodle.table(table).c[identifier]
    collation = _collation_name(moodle, table, identifier)
    if (table, identifier) not in _LOWERED or ignores_case(collation):
        return moodle.in_clause(column, sorted(text for text in spellings(texts) if holds(collation, text)))
    wanted = spellings({*texts, *(text.lower() for text in texts)})
    if identifier == "email":
        return moodle.in_clause(sa.func.lower(column), sorted({text.lower() for text in wanted}))
    # An index serves what is spelled exactly; of those with capitals there are few.
    capitals = {spelled for text in wanted for spelled in moodle.usernames_with_capitals.get(text, ())}
    return moodle.in_clause(column, sorted(wanted | capitals))


def is_id(value: str) -> bool:
    """Tell whether a text can be an id."""
    return value.isascii() and value.isdecimal() and len(value) <= _MAX_ID_DIGITS


def by_spelling(
    wanted: Iterable[str], found: Iterable[tuple[str, T]], fold: Callable[[str], str]
) -> dict[str, list[T]]:
    """Return for each wanted text what was found under it: spelled alike if there is such, else the same when folded."""
    exact: dict[str, list[T]] = {}
    folded: dict[str, list[T]] = {}
    for text, thing in found:
        exact.setdefault(text, []).append(thing)
        folded.setdefault(fold(text), []).append(thing)
    return {text: things for text in wanted if (things := exact.get(text) or folded.get(fold(text)))}


def folding(moodle: MoodleSession, table: str, column: str) -> Fold:
    """Return the function under which two texts become equal when the server takes them for the same in this column.

    MariaDB and MySQL ignore case, accents and blanks at the end in Moodle's usual collations (utf8mb4_unicode_ci ...), so
    Moodle finds the course "Été" under "ete" there; PostgreSQL and SQLite don't. Usernames and addresses Moodle itself
    compares in lower case.
    Queries: two for a table's first column on MariaDB and MySQL, and one where a character is met the first time
    """
    name = _collation_name(moodle, table, column)
    fold: Fold = moodle.collations.setdefault(name, Collation(moodle, name)) if name else normal_form
    if (table, column) not in _LOWERED or ignores_case(name):
        return fold
    return lambda text: fold(text.lower())


def fetch_rows_of_values(
    moodle: MoodleSession, table: str, owner: str, column: str, values_by_fieldid: Mapping[int, Collection[str]]
) -> dict[tuple[int, int], dict[str, Any]]:
    """Return the rows of custom fields that hold these values.

    Shape: owner, column: of `table`; (fieldid, owner's id) -> id and value of the row
    Queries: one per field and 10,000 values
    """
    data = moodle.table(table)
    text = sa.cast(data.c[column], sa.String(1333))
    found: dict[tuple[int, int], dict[str, Any]] = {}
    for fieldid, values in values_by_fieldid.items():
        for part in batched(sorted(values), MAX_KEYS):
            statement = sa.select(data.c.id, data.c[owner], data.c[column]).where(
                data.c.fieldid == fieldid, text.in_(sorted(spellings(part)))
            )
            for rowid, ownerid, value in moodle.fetch(statement):
                found[fieldid, ownerid] = {"id": rowid, column: value}
    return found


def _collation_name(moodle: MoodleSession, table: str, column: str) -> str:
    """Return the collation of a column on MariaDB and MySQL, "" elsewhere."""
    if not moodle.capabilities.folds_texts:
        return ""
    known = moodle.database.collations
    if table not in known:
        known[table] = fetch_collations(moodle, table)
    return known[table].get(column, "")
