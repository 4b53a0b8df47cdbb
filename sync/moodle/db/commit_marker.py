"""The commit marker: a mark in Moodle that tells which chunk of a run was the last to be committed.

The mark is written in the transaction of the chunk itself, so after a kill or a lost connection there is no doubt whether the
chunk is in or not, and two workers can't both carry out the same chunk. A worker that takes a run over makes the mark its own
first: whoever was paused (a suspended machine) and wakes up can't commit any more. It is one row of `config_plugins`, gone
when the run is over. See docs/decisions/0004-exactly-once-chunks.md.
"""

from __future__ import annotations

import sqlalchemy as sa

from sync.errors import LeaseLost
from sync.moodle.db.database import MoodleSession
from sync.moodle.db.writer import RowChange, Writer

PLUGIN = "toolsync"


class CommitMarker:
    """The mark of one run.

    Shape: owner: the worker that we are, "" = nobody else can be at work; the mark holds the last line that is committed, the
    worker that committed it, and the worker whose run it is now
    Units: line numbers 1-based; 0 = nothing committed yet
    Raises: MoodleNotAllowed if this Moodle is only read
    """

    def __init__(self, session: MoodleSession, key: str, owner: str = "") -> None:
        session.check_writable()
        self._session = session
        self._name = f"run_{key}"
        self._owner = owner
        self._row = self._read()

    @property
    def last_line(self) -> int:
        return int(self._words[0])

    @property
    def committed_by(self) -> str:
        """The worker that committed the last line, "" when the mark doesn't say."""
        return self._words[1]

    def check_owner(self) -> None:
        """Raises: LeaseLost if the mark belongs to another worker"""
        if self._row is not None and self._words[2] not in ("", self._owner):
            raise LeaseLost(self._name)

    def take_over(self) -> None:
        """Make the mark ours; inside a transaction. From then on, no other worker can commit a chunk of this run.

        One that is in the middle of its commit is waited for.
        """
        self._row = self._read()
        line, committed_by, _owner = self._words
        self._put(" ".join((line, committed_by or "-", self._owner)))

    def check(self) -> None:
        """Read the mark again and hold it until the end of the transaction.

        Raises: LeaseLost if somebody else has moved it since we read it
        """
        found = self._read()
        if (found and found.value) != (self._row and self._row.value):
            raise LeaseLost(self._name)

    def advance(self, line: int) -> None:
        """Move the mark; inside the chunk's transaction.

        Raises: LeaseLost if somebody else has moved it since we read it
        """
        self.check()
        self._put(f"{line} {self._owner} {self._owner}" if self._owner else str(line))

    def committed(self) -> None:
        """Take note that the transaction of the last `advance` was committed. Raises: LeaseLost if we were ousted since"""
        self._row = self._read()
        self.check_owner()

    def clear(self) -> None:
        """Take the mark away: the run is over."""
        if self._row is not None:
            with self._session.transaction():
                Writer(self._session).delete_many("config_plugins", [{"id": self._row.id}])
            self._row = None

    @property
    def _words(self) -> tuple[str, str, str]:
        words = self._row.value.split(" ") if self._row is not None else ["0"]
        line, committed_by, owner = [*words, "", ""][:3]
        return line, committed_by.replace("-", ""), owner

    def _put(self, value: str) -> None:
        writer = Writer(self._session)
        if self._row is None:
            writer.insert_many("config_plugins", [{"plugin": PLUGIN, "name": self._name, "value": value}])
        else:
            writer.update_many("config_plugins", [RowChange(self._row.id, {}, {"value": value})])

    def _read(self) -> sa.Row | None:
        plugins = self._session.table("config_plugins")
        statement = sa.select(plugins.c.id, plugins.c.value).where(
            plugins.c.plugin == PLUGIN, plugins.c.name == self._name
        )
        if self._session.in_transaction:
            statement = statement.with_for_update()
        rows = self._session.fetch(statement)
        return rows[0] if rows else None
