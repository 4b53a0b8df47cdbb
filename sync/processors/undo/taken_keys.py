"""Names that only one row may have: who holds what a row of an undo is to have again, and whether the holder gives it back.

Two rows may have exchanged theirs, or many in a ring, and stand in different parts of the undo. Then the first of them can't have
its name back before the last has left it: so all of them get theirs back in the part in which the first one stands (*ahead*), in
one transaction, and their own lines find it done.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sync.moodle.db.writer import RowChange
from sync.processors.undo.history import NetChange, RowHistory, is_same
from sync.processors.undo.rows import Rows, UniqueKeys, folded
from sync.processors.undo.rules import is_filled

Row = Mapping[str, Any]


class KeptKey(NamedTuple):
    """What a row can't become again: another one holds it. Shape: columns: of the key; holder: its id"""

    columns: tuple[str, ...]
    holder: int


class ComingRow(NamedTuple):
    """A row as it is to be. Shape: line: that asks for it, 0 = of a later part; live: None where it comes back; after: whole"""

    line: int
    live: Row | None
    after: Row

    def moves(self, key: Collection[str]) -> bool:
        """Whether a key is to be another one than it is."""
        return self.live is None or any(not is_same(self.live[name], self.after[name]) for name in key)


@dataclass
class KeysFound:
    """Shape: kept: line -> what it can't become again; ahead: id of a row of a later part -> what changes back now"""

    kept: dict[int, KeptKey] = field(default_factory=dict)
    ahead: dict[int, RowChange] = field(default_factory=dict)


class _Wish(NamedTuple):
    """A row wants a key that others hold."""

    wanting: int
    columns: tuple[str, ...]
    holders: frozenset[int]


def coming_row(line: int, history: RowHistory, live: Row | None) -> ComingRow | None:
    """Return a row as an undo is to leave it; None where it doesn't come and isn't changed back."""
    if history.change is NetChange.DELETE and live is None:
        return ComingRow(line, None, history.before)
    if history.change is NetChange.UPDATE and live is not None:
        return ComingRow(line, live, {**live, **{name: history.before[name] for name in mine(history, live)}})
    return None


def mine(history: RowHistory, live: Row) -> list[str]:
    """Return the columns of a changed row that are as the run left them."""
    return [name for name in history.columns if name in live and is_same(live[name], history.left[name])]


class TakenKeys:
    """Finds who holds the keys that rows of one table are to have again.

    Shape: later: returns the rows of later parts among some ids, with their histories; fetch: returns rows by id; stays: of ids
    those whose rows are there and hold what they hold
    """

    def __init__(
        self,
        table: str,
        keys: UniqueKeys,
        *,
        later: Callable[[Collection[int]], Mapping[int, RowHistory]],
        fetch: Callable[[Collection[int]], Rows],
        stays: Callable[[Collection[int]], set[int]],
    ) -> None:
        self._table = table
        self._keys = keys
        self._later = later
        self._fetch = fetch
        self._stays = stays
        self._coming: dict[int, ComingRow] = {}
        self._wishes: list[_Wish] = []

    def find(self, coming: Mapping[int, ComingRow]) -> KeysFound:
        """Return which rows can't come as they are to be, and which of later parts change back with them.

        Queries: for each key one, and three more for each link of the longest chain of rows of later parts
        """
        self._coming, self._wishes = dict(coming), []
        new = set(self._coming)
        while new:
            holders = {holder for wish in self._note_wishes(new) for holder in wish.holders}
            new = self._bring_ahead(holders - self._coming.keys())
        blocked = self._blocked()
        found = KeysFound()
        for wish in self._wishes:
            row = self._coming[wish.wanting]
            if wish.wanting in blocked and row.line and row.line not in found.kept:
                staying = [each for each in wish.holders if not self._leaves(each, wish, blocked)]
                if staying:
                    found.kept[row.line] = KeptKey(wish.columns, min(staying))
        for rowid in self._needed(coming.keys() - blocked):
            found.ahead[rowid] = _change_of(rowid, self._coming[rowid])
        return found

    def _note_wishes(self, rowids: Collection[int]) -> list[_Wish]:
        """Note which keys some rows want that others hold; return these wishes."""
        noted: list[_Wish] = []
        for key in self._keys.of(self._table):
            moved = {
                rowid: row.after
                for rowid in rowids
                if (row := self._coming[rowid]).moves(key) and all(is_filled(name, row.after.get(name)) for name in key)
            }
            if not moved:
                continue
            held = self._keys.fetch_holders(self._table, key, list(moved.values()))
            others = {rowid: held.get(folded(row, key), set()) - {rowid} for rowid, row in moved.items()}
            stays = self._stays({holder for found in others.values() for holder in found})
            noted += [_Wish(rowid, key, frozenset(found & stays)) for rowid, found in others.items() if found & stays]
        self._wishes += noted
        return noted

    def _bring_ahead(self, rowids: Collection[int]) -> set[int]:
        """Take up rows of later parts whose keys, texts all of them, are to change back; return these."""
        histories = self._later(rowids) if rowids else {}
        rows = self._fetch(histories) if histories else {}
        names = {name for key in self._keys.of(self._table) for name in key}
        new: set[int] = set()
        for rowid, live in rows.items():
            back = {name: histories[rowid].before[name] for name in mine(histories[rowid], live) if name in names}
            if back and all(isinstance(live[name], str) for name in back):
                self._coming[rowid] = ComingRow(0, live, {**live, **back})
                new.add(rowid)
        return new

    def _leaves(self, holder: int, wish: _Wish, blocked: Collection[int]) -> bool:
        """Whether a holder gives up what another row wants."""
        row = self._coming.get(holder)
        if row is None or holder in blocked or row.live is None:
            return False
        return folded(row.after, wish.columns) != folded(self._coming[wish.wanting].after, wish.columns)

    def _blocked(self) -> set[int]:
        """Return the rows that can't come: who holds what they want stays, or can't leave itself."""
        blocked: set[int] = set()
        is_going_on = True
        while is_going_on:
            more = {
                wish.wanting
                for wish in self._wishes
                if wish.wanting not in blocked and not all(self._leaves(each, wish, blocked) for each in wish.holders)
            }
            blocked |= more
            is_going_on = bool(more)
        return blocked

    def _needed(self, rowids: Iterable[int]) -> set[int]:
        """Return the rows of later parts that have to leave what these rows want, and what those want in turn."""
        wanted: dict[int, set[int]] = {}
        for wish in self._wishes:
            wanted.setdefault(wish.wanting, set()).update(wish.holders)
        needed: set[int] = set()
        waiting = list(rowids)
        while waiting:
            for holder in wanted.get(waiting.pop(), ()):
                if not self._coming[holder].line and holder not in needed:
                    needed.add(holder)
                    waiting.append(holder)
        return needed


def _change_of(rowid: int, row: ComingRow) -> RowChange:
    live = row.live or {}
    names = [name for name in live if not is_same(live[name], row.after[name])]
    return RowChange(rowid, {name: live[name] for name in names}, {name: row.after[name] for name in names})
