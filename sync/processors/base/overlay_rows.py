"""Where the rows of an overlay are kept: in memory while they are few, else in a private temporary file.

    RowsInMemory   about what two chunks change; most files are no longer
    RowsOnDisk     any number

Both have the same methods and answer alike, but for the order of rows: that of the file, or that of their keys as texts.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping
from decimal import Decimal
from itertools import count
from json.encoder import encode_basestring_ascii
from typing import Any, NamedTuple

Key = Any
Columns = tuple[str, ...]
# What a row holds in some columns, as the server compares them.
Place = tuple[Hashable, ...]
Body = Mapping[str, Any] | None


class KeptRow(NamedTuple):
    """A row as a chunk would leave it. Shape: rowid: its id, temporary where Moodle hasn't it yet; body: None = it goes"""

    key: Key
    rowid: int
    body: Body


class KeptPlace(NamedTuple):
    """By what a row is found, or was."""

    columns: Columns
    place: Place
    key: Key


# What JSON hands back as it was.
_PLAIN = frozenset({int, str, float, bool, type(None)})


# Characters that take about as much memory as a cell does.
_CHARACTERS_OF_A_CELL = 64


def cells_of(bodies: Iterable[Body]) -> int:
    """Return how many cells rows take in memory; a long text counts as many."""
    kept = [body for body in bodies if body]
    long = sum([len(cell) // _CHARACTERS_OF_A_CELL for body in kept for cell in body.values() if cell.__class__ is str])
    return sum(map(len, kept)) + long


class RowsInMemory:
    """Shape: cells: of all rows that are kept; a long text counts as many"""

    def __init__(self) -> None:
        self.cells = 0
        self._numbers = count()
        self._rows: dict[str, dict[Key, tuple[int, KeptRow]]] = {}
        self._places: dict[tuple[str, Columns], dict[Place, dict[Key, None]]] = {}

    def put(self, table: str, rows: Iterable[KeptRow], places: Iterable[KeptPlace]) -> None:
        """Keep rows, in place of what was kept of them, and by what else they are found from now on."""
        kept = self._rows.setdefault(table, {})
        for row in rows:
            number = kept[row.key][0] if row.key in kept else next(self._numbers)
            kept[row.key] = (number, row._replace(body=as_json(row.body)))
            self.cells += cells_of([row.body])
        for columns, place, key in places:
            self._places.setdefault((table, columns), {}).setdefault(place, {})[key] = None

    def bodies(self, table: str, keys: Collection[Key]) -> dict[Key, KeptRow]:
        """Return those of the rows that are kept."""
        kept = self._rows.get(table, {})
        found = sorted(kept[key] for key in keys if key in kept) if kept else ()
        return {row.key: row for _number, row in found}

    def keys_at(self, table: str, columns: Columns, places: Iterable[Place]) -> set[Key]:
        """Return the keys of rows that once were found at one of these places."""
        kept = self._places.get((table, columns), {})
        return {key for place in places for key in kept.get(place, ())}

    def each(self, table: str) -> Iterator[KeptRow]:
        """Return all rows of a table."""
        return (row for _number, row in [*self._rows.get(table, {}).values()])

    def on_disk(self) -> RowsOnDisk:
        """Return all of it where there is room for any number."""
        disk = RowsOnDisk()
        for table in self._rows:
            disk.put(table, self.each(table), ())
        for (table, columns), kept in self._places.items():
            disk.put(table, (), (KeptPlace(columns, place, key) for place, keys in kept.items() for key in keys))
        return disk

    def close(self) -> None:
        self._rows, self._places = {}, {}


class RowsOnDisk:
    """The same in a private temporary file, which vanishes with the run, so that a file of a million rows fits."""

    def __init__(self) -> None:
        # The empty name asks SQLite for a temporary file that is deleted when the connection closes.
        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.execute(
            "CREATE TABLE row (name TEXT, key TEXT, id INTEGER, body TEXT, PRIMARY KEY (name, key)) WITHOUT ROWID"
        )
        self._database.execute(
            "CREATE TABLE place (name TEXT, columns TEXT, value TEXT, key TEXT,"
            " PRIMARY KEY (name, columns, value, key)) WITHOUT ROWID"
        )

    def put(self, table: str, rows: Iterable[KeptRow], places: Iterable[KeptPlace]) -> None:
        self._database.executemany(
            "INSERT OR REPLACE INTO row (name, key, id, body) VALUES (?, ?, ?, ?)",
            ((table, _dumped(key), rowid, None if body is None else _dumped_body(body)) for key, rowid, body in rows),
        )
        self._database.executemany(
            "INSERT OR IGNORE INTO place (name, columns, value, key) VALUES (?, ?, ?, ?)",
            ((table, ",".join(columns), _dumped_list(place), _dumped(key)) for columns, place, key in places),
        )

    def bodies(self, table: str, keys: Collection[Key]) -> dict[Key, KeptRow]:
        rows = self._database.execute(
            "SELECT key, id, body FROM row WHERE name = ? AND key IN (SELECT value FROM json_each(?))",
            (table, json.dumps([_dumped(key) for key in keys])),
        )
        found = map(_loaded_row, rows)
        return {row.key: row for row in found}

    def keys_at(self, table: str, columns: Columns, places: Iterable[Place]) -> set[Key]:
        rows = self._database.execute(
            "SELECT DISTINCT key FROM place WHERE name = ? AND columns = ? AND value IN (SELECT value FROM json_each(?))",
            (table, ",".join(columns), json.dumps([_dumped_list(place) for place in places])),
        )
        return {_loaded(key) for (key,) in rows}

    def each(self, table: str) -> Iterator[KeptRow]:
        return map(_loaded_row, self._database.execute("SELECT key, id, body FROM row WHERE name = ?", (table,)))

    def close(self) -> None:
        self._database.close()


def _planned(value: Any) -> Any:
    """Return what stands in the overlay for a value that JSON doesn't hold: a password that isn't hashed yet, a grade."""
    return str(value) if isinstance(value, Decimal) else value.in_overlay()


_dumped_body: Callable[[Any], str] = json.JSONEncoder(default=_planned).encode


def as_json(body: Body) -> Body:
    """Return a body as it would come back from JSON."""
    return body and {
        name: cell if cell.__class__ in _PLAIN else json.loads(_dumped_body(cell)) for name, cell in body.items()
    }


def _dumped(key: Key) -> str:
    return _dumped_list(key) if isinstance(key, tuple) else _dumped_cell(key)


def _dumped_list(cells: Iterable[Any]) -> str:
    return f"[{', '.join(map(_dumped_cell, cells))}]"


def _dumped_cell(cell: Any) -> str:
    """Return what `json.dumps` does, which takes ten times as long for a single number or text."""
    if cell.__class__ is int:
        return str(cell)
    return encode_basestring_ascii(cell) if cell.__class__ is str else json.dumps(cell)


def _loaded(key: str) -> Key:
    value = json.loads(key)
    return tuple(value) if isinstance(value, list) else value


def _loaded_row(row: tuple[str, int, str | None]) -> KeptRow:
    key, rowid, body = row
    return KeptRow(_loaded(key), rowid, json.loads(body) if body else None)
