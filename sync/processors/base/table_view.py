"""Rows of one Moodle table as a chunk leaves them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from sync.processors.base.operations import Ref
from sync.processors.base.plan import Plan

UserKey = int | Ref
Key = tuple[Any, ...]
Values = dict[str, Any]


class Written(NamedTuple):
    """The users whose rows of one table are new, change, or go."""

    inserted: set[UserKey]
    updated: set[UserKey]
    deleted: set[UserKey]


class TableView:
    """Rows of one table by natural key: those read from Moodle, and over them what the rows of the chunk did so far.

    Only the difference between the two is written, so what one row did and a later one took back leaves no trace.
    Shape: key_columns: the natural key, in the order of the keys; rows: key -> id and other columns;
    on_update: columns that follow when another one changes; touches: how often a row was put or taken away so far
    """

    def __init__(
        self,
        table: str,
        key_columns: tuple[str, ...],
        rows: Mapping[Key, Values],
        on_update: Mapping[str, Any] | None = None,
    ) -> None:
        self.table = table
        self.key_columns = key_columns
        self._rows = rows
        self._on_update = on_update or {}
        self._changed: dict[Key, Values | None] = {}
        self._lines: dict[Key, list[int]] = {}
        self._indexes: dict[tuple[int, ...], dict[Key, dict[Key, None]]] = {}
        self._user_place = key_columns.index("userid")
        self.touches = 0

    def get(self, key: Key) -> Values | None:
        """Return a row as it stands now; None when there is no such row."""
        return self._changed[key] if key in self._changed else self._rows.get(key)

    def put(self, key: Key, values: Values, line: int) -> None:
        """Make the row be so; for a row that is there, `values` starts from what `get` gave."""
        self._change(key, values, line)
        for places, index in self._indexes.items():
            index.setdefault(_part(key, places), {})[key] = None

    def remove(self, key: Key, line: int) -> None:
        """Take the row away, if it is there."""
        if self.get(key) is None:
            return
        self._change(key, None, line)
        for places, index in self._indexes.items():
            del index[_part(key, places)][key]

    def find(self, **part: Any) -> Collection[Key]:
        """Return the keys of the rows, as they stand now, that have these values in these columns of the key."""
        places = tuple(self.key_columns.index(name) for name in part)
        index = self._indexes.get(places)
        if index is None:
            index = self._indexes[places] = {}
            for key in (*self._rows, *self._changed):
                if self.get(key) is not None:
                    index.setdefault(_part(key, places), {})[key] = None
        return tuple(index.get(tuple(part.values()), ()))

    def changed(self) -> Iterable[tuple[Key, Values | None]]:
        """Return the rows that were put, and those that were taken away as None."""
        return self._changed.items()

    def differing(self) -> Iterable[Key]:
        """Return the keys of the rows that come or go."""
        return (key for key, values in self._changed.items() if (values is None) != (key not in self._rows))

    def write(self, plan: Plan) -> Written:
        """Plan the inserts, updates and deletes, and tell which users they are about."""
        written = Written(set(), set(), set())
        for key, values in self._changed.items():
            old = self._rows.get(key)
            lines, user = self._lines[key], key[self._user_place]
            if old is None and values is not None:
                plan.insert(self.table, {**dict(zip(self.key_columns, key, strict=True)), **values}, *lines)
                written.inserted.add(user)
            elif old is not None and values is None:
                plan.delete(self.table, old["id"], *lines)
                written.deleted.add(user)
            elif old is not None and values is not None and _differ(old, values):
                after = {name: value for name, value in {**values, **self._on_update}.items() if old.get(name) != value}
                plan.update(self.table, old["id"], {name: old.get(name) for name in after}, after, *lines)
                written.updated.add(user)
        return written

    def _change(self, key: Key, values: Values | None, line: int) -> None:
        self.touches += 1
        self._changed[key] = values
        self._lines.setdefault(key, []).append(line)


def _part(key: Key, places: tuple[int, ...]) -> Key:
    return tuple(key[place] for place in places)


def _differ(old: Values, values: Values) -> bool:
    return any(old.get(name) != value for name, value in values.items())
