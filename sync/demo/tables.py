"""Rows for the tables of the demo Moodle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

PREFIX = "mdl_"
SYSTEM_ID, SYSTEM_PATH = 1, "/1"
ADMIN_ID = 2
DAY = 86_400


class Context(NamedTuple):
    """A context. Shape: path: "/1/12/15", ends with its own id"""

    id: int
    path: str


class Tables:
    """Inserts rows, sets at a time, and counts their ids itself.

    Units: now, began: seconds since epoch; began is when the demo's school opened
    """

    def __init__(self, connection: Connection, now: int) -> None:
        self._connection = connection
        self.now = now
        self.began = now - 200 * DAY
        self.made = {"timecreated": self.began, "timemodified": self.began}

    def next_id(self, table: str) -> int:
        target = sa.table(PREFIX + table, sa.column("id"))
        return int(self._connection.execute(sa.select(sa.func.coalesce(sa.func.max(target.c.id), 0) + 1)).scalar_one())

    def add(self, table: str, rows: Sequence[Mapping[str, Any]]) -> list[int]:
        """Insert rows that name the same columns, and give their ids in the same order."""
        if not rows:
            return []
        first = self.next_id(table)
        numbered = [{"id": first + place, **row} for place, row in enumerate(rows)]
        self.insert(table, numbered)
        return [row["id"] for row in numbered]

    def insert(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert rows that bring their ids."""
        target = sa.table(PREFIX + table, *(sa.column(name) for name in rows[0]))
        self._connection.execute(sa.insert(target), list(rows))

    def add_contexts(self, level: int, parents: Sequence[tuple[int, str]]) -> list[Context]:
        """Insert contexts. Shape: parents: (instance id, path of the parent context)."""
        first = self.next_id("context")
        contexts = [Context(first + place, f"{path}/{first + place}") for place, (_id, path) in enumerate(parents)]
        self.insert("context", [
            {
                "id": context.id, "contextlevel": level, "instanceid": instanceid, "path": context.path,
                "depth": context.path.count("/"), "locked": 0,
            }
            for context, (instanceid, _path) in zip(contexts, parents, strict=True)
        ])  # fmt: skip
        return contexts

    def set_where(self, table: str, where: Mapping[str, Any], values: Mapping[str, Any]) -> None:
        """Set values on the rows that have others."""
        target = sa.table(PREFIX + table, *(sa.column(name) for name in {**where, **values}))
        conditions = [target.c[name] == value for name, value in where.items()]
        self._connection.execute(sa.update(target).where(*conditions).values(dict(values)))
