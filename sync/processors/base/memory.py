"""What a simulation would have made so far, kept on disk so that a file of a million rows fits."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Mapping
from typing import Any


class Memory:
    """Facts by kind and key, kept for the length of one run in a private temporary file that vanishes with it.

    A real run never puts anything in, so `get_many` costs nothing there.
    Shape: kinds are names the processor chooses ("account", "username" ...); keys are text; facts are anything JSON holds
    """

    def __init__(self) -> None:
        self._database: sqlite3.Connection | None = None

    @property
    def is_empty(self) -> bool:
        return self._database is None

    def put_many(self, kind: str, facts: Mapping[str, Any]) -> None:
        """Remember facts; a later fact of the same kind and key replaces the earlier one."""
        if not facts:
            return
        if self._database is None:
            self._database = _private_database()
        self._database.executemany(
            "INSERT OR REPLACE INTO fact (kind, name, body) VALUES (?, ?, ?)",
            [(kind, name, json.dumps(body)) for name, body in facts.items()],
        )

    def get_many(self, kind: str, names: Collection[str]) -> dict[str, Any]:
        """Return what is remembered of these keys; unknown keys are absent."""
        if self._database is None or not names:
            return {}
        wanted = json.dumps(list(names))
        rows = self._database.execute(
            "SELECT name, body FROM fact WHERE kind = ? AND name IN (SELECT value FROM json_each(?))", (kind, wanted)
        )
        return {name: json.loads(body) for name, body in rows}

    def get_all(self, kind: str) -> dict[str, Any]:
        """Return everything that is remembered of one kind."""
        if self._database is None:
            return {}
        rows = self._database.execute("SELECT name, body FROM fact WHERE kind = ?", (kind,))
        return {name: json.loads(body) for name, body in rows}

    def close(self) -> None:
        if self._database is not None:
            self._database.close()
            self._database = None


def _private_database() -> sqlite3.Connection:
    # The empty name asks SQLite for a temporary file that is deleted when the connection closes.
    database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
    database.execute("PRAGMA journal_mode = OFF")
    database.execute("PRAGMA synchronous = OFF")
    database.execute("CREATE TABLE fact (kind TEXT, name TEXT, body TEXT, PRIMARY KEY (kind, name)) WITHOUT ROWID")
    return database
