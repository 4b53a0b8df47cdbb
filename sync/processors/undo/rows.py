"""Rows of Moodle as they are now, whole sets at a time."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from sync.moodle.db.database import MoodleSession
from sync.moodle.db.writer import MAX_KEYS, batched
from sync.processors.undo.history import is_same
from sync.processors.undo.rules import KEYS_OF_MOODLE

Rows = dict[int, dict[str, Any]]


def fetch_rows(session: MoodleSession, table: str, ids: Collection[int]) -> Rows:
    """Return rows by id. Queries: one per 10,000"""
    target = session.table(table)
    found: Rows = {}
    for part in batched(sorted(ids), MAX_KEYS):
        statement = sa.select(target).where(session.in_clause(target.c.id, part))
        found.update((row.id, dict(row._mapping)) for row in session.fetch(statement))
    return found


def fetch_present(session: MoodleSession, table: str, ids: Collection[int]) -> Rows:
    """Return which rows are there. Shape: id -> id, and of users whether they are deleted. Queries: one per 10,000"""
    target = session.table(table)
    columns = [target.c.id, *([target.c.deleted] if table == "user" else ())]
    found: Rows = {}
    for part in batched(sorted(ids), MAX_KEYS):
        statement = sa.select(*columns).where(session.in_clause(target.c.id, part))
        found.update((row.id, dict(row._mapping)) for row in session.fetch(statement))
    return found


def find_by_values(session: MoodleSession, table: str, wanted: Sequence[Mapping[str, Any]]) -> list[int | None]:
    """Return the ids of rows whose server didn't tell them, None for those that aren't there as they were.

    Shape: wanted: of one table; of rows that are alike the newest are ours
    Queries: one per 10,000 values of the column that tells them apart best
    """
    target = session.table(table)
    names = [name for name in wanted[0] if name in target.c]
    widest = max(names, key=lambda name: len({row[name] for row in wanted if isinstance(row[name], (int, str))}))
    found: list[dict[str, Any]] = []
    for part in batched(sorted({row[widest] for row in wanted if row[widest] is not None}), MAX_KEYS):
        statement = sa.select(target.c.id, *(target.c[name] for name in names))
        rows = session.fetch(statement.where(session.in_clause(target.c[widest], part)).order_by(target.c.id.desc()))
        found += [dict(row._mapping) for row in rows]
    by_value: dict[str, list[dict[str, Any]]] = {}
    for row in found:
        by_value.setdefault(str(row[widest]), []).append(row)
    ids: list[int | None] = []
    for values in wanted:
        alike = by_value.get(str(values[widest]), [])
        match = next((row for row in alike if all(is_same(values[name], row[name]) for name in names)), None)
        if match is not None:
            alike.remove(match)
        ids.append(None if match is None else match["id"])
    return ids


class UniqueKeys:
    """What rows of a table may not share: the unique indexes of the server, and what Moodle itself sees to."""

    def __init__(self, session: MoodleSession) -> None:
        self._session = session
        self._keys: dict[str, list[tuple[str, ...]]] = {}

    def of(self, table: str) -> list[tuple[str, ...]]:
        """Return the sets of columns. Queries: a few for the first use of a table"""
        if table not in self._keys:
            target = self._session.table(table)
            indexes = sa.inspect(self._session.connection).get_indexes(target.name)
            unique = [tuple(filter(None, index["column_names"])) for index in indexes if index["unique"]]
            keys = [*unique, *KEYS_OF_MOODLE.get(table, ())]
            self._keys[table] = [key for key in keys if key != ("id",) and all(name in target.c for name in key)]
        return self._keys[table]

    def fetch_holders(
        self, table: str, key: tuple[str, ...], rows: Sequence[Mapping[str, Any]]
    ) -> dict[tuple[str, ...], set[int]]:
        """Return who holds the values that rows are to have.

        Shape: values as texts, without case -> ids
        Queries: one per 10,000 rows
        """
        target = self._session.table(table)
        wanted = {folded(row, key) for row in rows}
        distinct = {name: {row[name] for row in rows if row[name] is not None} for name in key}
        widest = max(key, key=lambda name: len(distinct[name]))
        holders: dict[tuple[str, ...], set[int]] = {}
        for part in batched(sorted(distinct[widest]), MAX_KEYS):
            statement = sa.select(target.c.id, *(target.c[name] for name in key))
            for row in self._session.fetch(statement.where(self._session.in_clause(target.c[widest], part))):
                values = folded(row._mapping, key)
                if values in wanted:
                    holders.setdefault(values, set()).add(row.id)
        return holders


def folded(row: Mapping[str, Any], key: Sequence[str]) -> tuple[str, ...]:
    """Return the values of some columns as they are compared."""
    return tuple(str(row[name]).casefold() for name in key)
