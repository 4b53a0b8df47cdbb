"""A mark in Moodle that tells which chunk of a run was the last to be committed.

The mark is written in the transaction of the chunk itself, so after a kill or a lost connection there is no doubt whether the
chunk is in or not, and two workers can't both carry out the same chunk. It is one row of `config_plugins`, gone when the run
is over. See docs/decisions/0004-exactly-once-chunks.md.
"""

from __future__ import annotations

import sqlalchemy as sa

from sync.errors import LeaseLost
from sync.moodle.database import MoodleSession
from sync.moodle.writer import RowChange, Writer

PLUGIN = "toolsync"


class Fence:
    """The mark of one run. Units: line numbers 1-based; 0 = nothing committed yet."""

    def __init__(self, session: MoodleSession, key: str) -> None:
        self._session = session
        self._name = f"run_{key}"
        self._row = self._read()

    @property
    def last_line(self) -> int:
        return int(self._row.value) if self._row is not None else 0

    def advance(self, line: int) -> None:
        """Move the mark; inside the chunk's transaction.

        Raises: LeaseLost if somebody else has moved it since we read it
        """
        writer = Writer(self._session)
        if self._row is None:
            if self._read() is not None:
                raise LeaseLost(self._name)
            writer.insert_many("config_plugins", [{"plugin": PLUGIN, "name": self._name, "value": str(line)}])
        else:
            if (found := self._read()) is None or found.value != self._row.value:
                raise LeaseLost(self._name)
            writer.update_many("config_plugins", [RowChange(self._row.id, {}, {"value": str(line)})])

    def committed(self) -> None:
        """Take note that the transaction of the last `advance` was committed."""
        self._row = self._read()

    def clear(self) -> None:
        """Take the mark away: the run is over."""
        if self._row is not None:
            with self._session.transaction():
                Writer(self._session).delete_many("config_plugins", [{"id": self._row.id}])
            self._row = None

    def _read(self) -> sa.Row | None:
        plugins = self._session.table("config_plugins")
        statement = sa.select(plugins.c.id, plugins.c.value).where(
            plugins.c.plugin == PLUGIN, plugins.c.name == self._name
        )
        if self._session.in_transaction:
            statement = statement.with_for_update()
        rows = self._session.fetch(statement)
        return rows[0] if rows else None
