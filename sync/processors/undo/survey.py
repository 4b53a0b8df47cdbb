"""What all lines of an undo name, known before the first is carried out: which rows the run made, changed and took away."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterator, Mapping

from sync.columns.survey import FileSurvey
from sync.processors.undo.history import NetChange
from sync.values import Row

_AT_A_TIME = 1000


class UndoSurvey(FileSurvey):
    """Keeps the lines in a private temporary file, so that an undo of a million rows fits."""

    def __init__(self, places: Mapping[str, int]) -> None:
        super().__init__(places)
        # The empty name asks SQLite for a temporary file that is deleted when the connection closes.
        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.execute(
            "CREATE TABLE line (number INTEGER PRIMARY KEY, change TEXT, name TEXT, id INTEGER, places TEXT)"
        )
        self._database.execute("CREATE INDEX line_by_row ON line (name, change, id)")
        self._waiting: list[tuple[int, str, str, int | None, str]] = []

    def see(self, row: Row) -> None:
        rowid = self.cell(row.cells, "id")
        self._waiting.append((
            row.line,
            self.cell(row.cells, "change"),
            self.cell(row.cells, "table"),
            int(rowid) if rowid.isascii() and rowid.isdigit() else None,
            self.cell(row.cells, "entries"),
        ))  # fmt: skip
        if len(self._waiting) >= _AT_A_TIME:
            self._keep()

    def tables(self, change: NetChange) -> set[str]:
        """Return the tables of which the run made, changed or took away rows."""
        self._keep()
        found = self._database.execute("SELECT DISTINCT name FROM line WHERE change = ?", (change.value,))
        return {name for (name,) in found}

    def ids_among(self, change: NetChange, table: str, ids: Collection[int]) -> set[int]:
        """Return those of the rows that the run made, changed or took away."""
        self._keep()
        found = self._database.execute(
            "SELECT id FROM line WHERE name = ? AND change = ? AND id IN (SELECT value FROM json_each(?))",
            (table, change.value, json.dumps(list(ids))),
        )
        return {rowid for (rowid,) in found}

    def changed_later(self, table: str, ids: Collection[int], line: int) -> dict[int, str]:
        """Return the rows among these that lines behind this one change back. Shape: id -> entries"""
        self._keep()
        found = self._database.execute(
            "SELECT id, places FROM line WHERE name = ? AND change = 'update' AND number > ?"
            " AND id IN (SELECT value FROM json_each(?))",
            (table, line, json.dumps(list(ids))),
        )
        return dict(found.fetchall())

    def lines_of_deleted(self, table: str, ids: Collection[int]) -> dict[int, int]:
        """Return the lines of rows that the run took away. Shape: id -> line"""
        self._keep()
        found = self._database.execute(
            "SELECT id, number FROM line WHERE name = ? AND change = 'delete' AND id IN (SELECT value FROM json_each(?))",
            (table, json.dumps(list(ids))),
        )
        return dict(found.fetchall())

    def has_unknown_ids(self, table: str) -> bool:
        """Return whether the run made rows of a table whose ids the server didn't tell."""
        self._keep()
        statement = "SELECT 1 FROM line WHERE name = ? AND change = 'insert' AND id IS NULL LIMIT 1"
        return self._database.execute(statement, (table,)).fetchone() is not None

    def new_rows(self, table: str, at_a_time: int) -> Iterator[dict[int, str]]:
        """Return the rows of a table that the run made and whose ids are known, some at a time. Shape: id -> entries"""
        self._keep()
        last = 0
        statement = "SELECT id, places FROM line WHERE name = ? AND change = 'insert' AND id > ? ORDER BY id LIMIT ?"
        while found := dict(self._database.execute(statement, (table, last, at_a_time)).fetchall()):
            yield found
            last = max(found)

    def _keep(self) -> None:
        if self._waiting:
            self._database.executemany("INSERT INTO line VALUES (?, ?, ?, ?, ?)", self._waiting)
            self._waiting = []
