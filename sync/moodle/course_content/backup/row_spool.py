"""Rows of an archive in a SQLite file, so that memory doesn't grow with the archive."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from sync.moodle.course_content.graph.content_source import BATCH_ROWS, Row

# Ids of rows that have none in the XML begin here, above all that a Moodle can have.
_OWN_IDS = 2**62
# Texts of rows may be large: a batch ends after so many characters too.
_BATCH_LENGTH = 16 * 1024**2


class RowSpool:
    """Rows by table and id, and the ids of the files that the content refers to."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.executescript(
            """
            PRAGMA journal_mode = OFF;
            PRAGMA synchronous = OFF;
            CREATE TABLE content (tablename TEXT, id INTEGER, fields TEXT, PRIMARY KEY (tablename, id));
            CREATE TABLE fileref (id INTEGER PRIMARY KEY);
            BEGIN;
            """
        )
        self._own_ids: dict[str, int] = {}
        self._counts: dict[str, int] = {}

    def add(self, table: str, row: Row) -> bool:
        """Keep a row by its `id`; tell whether it is the first with that id."""
        done = self._connection.execute(
            "INSERT OR IGNORE INTO content VALUES (?, ?, ?)",
            (table, row["id"], json.dumps(row, ensure_ascii=False, separators=(",", ":"))),
        )
        if done.rowcount:
            self._counts[table] = self._counts.get(table, 0) + 1
        return bool(done.rowcount)

    def own_id(self, table: str) -> int:
        """Return an id to a row that has none."""
        self._own_ids[table] = self._own_ids.get(table, _OWN_IDS) + 1
        return self._own_ids[table]

    def has(self, table: str, rowid: int) -> bool:
        found = self._connection.execute("SELECT 1 FROM content WHERE tablename = ? AND id = ?", (table, rowid))
        return found.fetchone() is not None

    def refer_to_file(self, fileid: int) -> None:
        self._connection.execute("INSERT OR IGNORE INTO fileref VALUES (?)", (fileid,))

    def is_referred_to(self, fileid: int) -> bool:
        return self._connection.execute("SELECT 1 FROM fileref WHERE id = ?", (fileid,)).fetchone() is not None

    def finish(self) -> None:
        """End writing."""
        self._connection.execute("COMMIT")

    def tables(self) -> set[str]:
        return set(self._counts)

    def batches(self, table: str) -> Iterator[list[Row]]:
        """Return rows by rising id, at most BATCH_ROWS at a time."""
        batch: list[Row] = []
        length = 0
        query = "SELECT fields FROM content WHERE tablename = ? ORDER BY id"
        with closing(self._connection.execute(query, (table,))) as found:
            for (fields,) in found:
                batch.append(json.loads(fields))
                length += len(fields)
                if len(batch) == BATCH_ROWS or length > _BATCH_LENGTH:
                    yield batch
                    batch, length = [], 0
        if batch:
            yield batch

    def close(self) -> None:
        self._connection.close()
