"""Rows of one Moodle table as a chunk leaves them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from sync.processors.plan import Plan, Ref

UserKey = int | Ref
Key = tuple[Any, ...]
Values = dict[str, Any]


class Written(NamedTuple):
    """The users whose rows of one table are new, and those whose rows change."""

    inserted: set[UserKey]
    updated: set[UserKey]


class TableView:
    """Rows of one table by natural key: those read from Moodle, and over them what the rows of the chunk did so far.

    Only the difference between the two is written, so what one row did and a later one took back leaves no trace.
    Shape: key_columns: the natural key, in the order of the keys; rows: key -> id and other columns;
    on_update: columns that follow when another one changes
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
        self._changed: dict[Key, Values] = {}
        self._lines: dict[Key, list[int]] = {}
        self._user_place = key_columns.index("userid")

    def get(self, key: Key) -> Values | None:
        """Give a row as it stands now; None when there is no such row."""
        return self._changed[key] if key in self._changed else self._rows.get(key)

    def put(self, key: Key, values: Values, line: int) -> None:
        """Make the row be so; for a row that is there, `values` starts from what `get` gave."""
        self._changed[key] = values
        self._lines.setdefault(key, []).append(line)

    def changed(self) -> Iterable[tuple[Key, Values]]:
        """Give the rows that were put."""
        return self._changed.items()

    def write(self, plan: Plan) -> Written:
        """Plan the inserts and updates, and tell which users they are about."""
        written = Written(set(), set())
        for key, values in self._changed.items():
            old = self._rows.get(key)
            if old is None:
                plan.insert(self.table, {**dict(zip(self.key_columns, key, strict=True)), **values}, *self._lines[key])
                written.inserted.add(key[self._user_place])
            elif any(old[name] != value for name, value in values.items()):
                after = {name: value for name, value in {**values, **self._on_update}.items() if old[name] != value}
                plan.update(self.table, old["id"], {name: old[name] for name in after}, after, *self._lines[key])
                written.updated.add(key[self._user_place])
        return written
