"""Tell whether our rows are those that Moodle itself would have written.

Two diffs of the same database are compared, the one that Moodle's own call left behind and ours. Rows are told apart by what
they hold. Ids of new rows are no part of that: they are paired, and references to them are compared through the pairs. A
point in time is the same on both sides when it lies within the time of the side's own run, and a password when the clear
text opens it and the format is the same.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count, product
from typing import Any

from sync.moodle.files.files import pathname_hash
from sync.moodle.users.passwords import verify_password
from tests.effects.references import path_table, referenced_table

Row = Mapping[str, Any]
Diff = Mapping[str, Mapping[str, Sequence[Any]]]

# Moodle draws them by lot.
_RANDOM_COLUMNS = frozenset(("stamp", "servicesalt", "uniquehash"))
_UNPAIRED = "<a new "
_TIME = re.compile(r"(?<!\d)\d{10}(?!\d)")
# Ids within texts: what they look like, and whose they are.
_WITHIN_TEXTS = {
    ("task_adhoc", "customdata"): (re.compile(r'(?<="courseid":)\d+'), "course"),
    ("stored_progress", "idnumber"): (re.compile(r"\d+$"), "task_adhoc"),
}
_HASH_FORMAT = re.compile(r"\$2y\$\d\d\$|\$6\$rounds=\d+\$")


@dataclass
class Side:
    """What one side did.

    Shape: labels: (table, id) of a new row -> what stands for it; modules: id -> name
    Units: seconds since epoch
    """

    diff: Diff
    began: int
    ended: int
    labels: dict[tuple[str, int], str] = field(default_factory=dict)
    modules: Mapping[int, str] = field(default_factory=dict)

    def inserted(self, table: str) -> Sequence[Row]:
        return self.diff.get(table, {}).get("inserted", ())

    @property
    def new_ids(self) -> frozenset[tuple[str, int]]:
        return frozenset((table, row["id"]) for table in self.diff for row in self.inserted(table))


@dataclass(frozen=True)
class Difference:
    """One thing that is not as Moodle does it.

    Shape: kind: "inserted", "updated" or "deleted"; side: "missing" (Moodle alone does it), "extra" (we alone do it) or
    "differs"; column: None = the whole row; row: the row at hand, Moodle's where there is one
    """

    table: str
    kind: str
    side: str
    column: str | None
    row: Row
    theirs: Any = None
    ours: Any = None

    def __str__(self) -> str:
        what = f"{self.table}.{self.column}" if self.column else self.table
        if self.side == "differs":
            return f"{self.kind} {what}: Moodle {self.theirs!r}, we {self.ours!r} (row {self.row.get('id')})"
        return f"{self.kind} {what}: {self.side}: {self.theirs if self.side == 'missing' else self.ours!r}"


@dataclass(frozen=True)
class Versions:
    """Which versions of Moodle something is about. Shape: since, before: "5.1"; "" = no limit"""

    since: str = ""
    before: str = ""

    def __contains__(self, version: str) -> bool:
        number = _number(version)
        return (not self.since or number >= _number(self.since)) and (not self.before or number < _number(self.before))


ANY_VERSION = Versions()


def _number(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


@dataclass(frozen=True)
class Allowed:
    """A difference that is meant, and why.

    Shape: columns: None = whole rows; where: values that the row must hold; versions: where it is so
    """

    table: str
    kind: str
    reason: str
    columns: tuple[str, ...] | None = None
    side: str = "missing"
    where: Mapping[str, Any] = field(default_factory=dict)
    versions: Versions = ANY_VERSION

    def covers(self, difference: Difference) -> bool:
        return (
            (self.table, self.kind, self.side) == (difference.table, difference.kind, difference.side)
            and (difference.column is None if self.columns is None else difference.column in self.columns)
            and all(difference.row.get(name) == value for name, value in self.where.items())
        )


def compare(theirs: Side, ours: Side, *, clear_password: str = "", offsets: Sequence[int] = ()) -> list[Difference]:
    """Return everything in which our effect is not Moodle's.

    Shape: clear_password: the one that new hashes must open; offsets: seconds after the run that a time may lie as well
    (the life of a cache flag)
    """
    reading = _Reading(theirs, ours, clear_password, offsets)
    differences: list[Difference] = []
    for table in sorted({*theirs.diff, *ours.diff}):
        differences += _compare_deleted(table, theirs, ours)
        differences += _compare_updated(table, reading)
    return differences + list(_compare_inserted(reading))


def judge(differences: Iterable[Difference], allowed: Iterable[Allowed]) -> tuple[list[Difference], list[Allowed]]:
    """Return the differences that nothing allows, and the allowances that nothing needs."""
    differences, allowed = list(differences), list(allowed)
    unexplained = [difference for difference in differences if not any(entry.covers(difference) for entry in allowed)]
    rotten = [entry for entry in allowed if not any(entry.covers(difference) for difference in differences)]
    return unexplained, rotten


class _Reading:
    """Reads values of both sides so that equal things become equal values."""

    def __init__(self, theirs: Side, ours: Side, clear_password: str, offsets: Sequence[int]) -> None:
        self.theirs = theirs
        self.ours = ours
        self._clear_password = clear_password
        self._offsets = (0, *offsets)
        self._new_ids = {id(side): side.new_ids for side in (theirs, ours)}
        self._numbers = count(1)

    def pair(self, table: str, their_row: Row, our_row: Row) -> None:
        """Take the two rows for the same: from now on references to them are equal."""
        label = f"<{table} {next(self._numbers)}>"
        self.theirs.labels[(table, their_row["id"])] = self.ours.labels[(table, our_row["id"])] = label

    def row(self, side: Side, table: str, row: Row) -> dict[str, Hashable]:
        return {column: self.value(side, table, column, row) for column in row if column != "id"}

    def is_clear(self, side: Side, table: str, row: Row) -> bool:
        """Whether every new row that this one refers to has been paired."""
        return not any(_UNPAIRED in str(value) for value in self.row(side, table, row).values())

    def value(self, side: Side, table: str, column: str, row: Row) -> Hashable:
        value = row[column]
        if value is None or value == "":
            return value
        if column in _RANDOM_COLUMNS:
            return "<random>"
        if target := path_table(table, column, row):
            return "/".join(self._id(side, target, part) for part in str(value).split("/"))
        if target := referenced_table(table, column, row, side.modules):
            return ",".join(self._id(side, target, part) for part in str(value).split(","))
        return self._made_up(side, table, column, row)

    def _made_up(self, side: Side, table: str, column: str, row: Row) -> Hashable:
        """Read a value that is no id: hashes, texts with an id inside, times, and all others."""
        value = row[column]
        if (table, column) == ("files", "pathnamehash"):
            return "<of its place>" if value == pathname_hash(row) else value
        if (table, column) == ("user", "password"):
            return self._password(value)
        if (table, column) in _WITHIN_TEXTS:
            pattern, target = _WITHIN_TEXTS[table, column]
            return pattern.sub(lambda found: self._id(side, target, found.group()), value)
        # Tasks are due a second ago, so that they are carried out at once.
        return self._time(side, value + 1 if column == "nextruntime" else value, column)

    def _id(self, side: Side, table: str, value: str) -> str:
        if not value.isdecimal():
            return value
        known = side.labels.get((table, int(value)))
        if known is not None:
            return known
        return f"{_UNPAIRED}{table}>" if (table, int(value)) in self._new_ids[id(side)] else value

    def _password(self, stored: str) -> str:
        found = _HASH_FORMAT.match(stored)
        if found and self._clear_password and verify_password(self._clear_password, stored):
            return f"<{found.group()} {self._clear_password}>"
        return stored

    def _time(self, side: Side, value: Any, column: str) -> Hashable:
        if column == "cacherev" and value >= side.began:
            # Moodle counts it on with each change of the same second.
            return "<now>"
        if isinstance(value, str):
            return _TIME.sub(lambda found: str(self._moment(side, int(found.group()))), value)
        return self._moment(side, value) if isinstance(value, int) else value

    def _moment(self, side: Side, value: int) -> Hashable:
        for offset in self._offsets:
            if side.began <= value - offset <= side.ended:
                return f"<now+{offset}>" if offset else "<now>"
        return value


def _compare_deleted(table: str, theirs: Side, ours: Side) -> Iterator[Difference]:
    """Rows that were there before have the same id on both sides, and so do those that are gone."""
    their_rows, our_rows = (
        {row["id"]: row for row in side.diff.get(table, {}).get("deleted", ())} for side in (theirs, ours)
    )
    for rowid in sorted(their_rows.keys() - our_rows.keys()):
        yield Difference(table, "deleted", "missing", None, their_rows[rowid], theirs=their_rows[rowid])
    for rowid in sorted(our_rows.keys() - their_rows.keys()):
        yield Difference(table, "deleted", "extra", None, our_rows[rowid], ours=our_rows[rowid])


def _compare_updated(table: str, reading: _Reading) -> Iterator[Difference]:
    their_updates, our_updates = (
        {update["id"]: update for update in side.diff.get(table, {}).get("updated", ())}
        for side in (reading.theirs, reading.ours)
    )
    for rowid in sorted({*their_updates, *our_updates}):
        theirs = their_updates.get(rowid, {"after": {}})["after"]
        ours = our_updates.get(rowid, {"after": {}})["after"]
        row = {"id": rowid, **ours, **theirs}
        for column in sorted({*theirs, *ours}):
            if column not in ours:
                yield Difference(table, "updated", "missing", column, row, theirs=theirs[column])
            elif column not in theirs:
                yield Difference(table, "updated", "extra", column, row, ours=ours[column])
            else:
                their_value = reading.value(reading.theirs, table, column, {**row, **theirs})
                our_value = reading.value(reading.ours, table, column, {**row, **ours})
                if their_value != our_value:
                    yield Difference(table, "updated", "differs", column, row, theirs[column], ours[column])


def _compare_inserted(reading: _Reading) -> Iterator[Difference]:
    for table, their_row, our_row in _paired(reading):
        if our_row is None:
            yield Difference(table, "inserted", "missing", None, their_row or {}, theirs=their_row)
        elif their_row is None:
            yield Difference(table, "inserted", "extra", None, our_row, ours=our_row)
        else:
            their_values = reading.row(reading.theirs, table, their_row)
            our_values = reading.row(reading.ours, table, our_row)
            for column in sorted({*their_values, *our_values}):
                if their_values.get(column) != our_values.get(column):
                    yield Difference(
                        table, "inserted", "differs", column, their_row, their_row.get(column), our_row.get(column)
                    )


def _paired(reading: _Reading) -> list[tuple[str, Row | None, Row | None]]:
    """Find for each new row of Moodle's the one of ours that is the same, or else the one most like it.

    Each pair makes references to it comparable, which tells more rows apart: so the sure ones go first, and each time anew.
    """
    pairs: list[tuple[str, Row | None, Row | None]] = []
    left = {
        table: (list(reading.theirs.inserted(table)), list(reading.ours.inserted(table)))
        for table in sorted({*reading.theirs.diff, *reading.ours.diff})
    }
    while found := _surest(left, reading):
        for table, their_row, our_row in found:
            reading.pair(table, their_row, our_row)
            left[table][0].remove(their_row)
            left[table][1].remove(our_row)
        pairs += found
    for table, (their_rows, our_rows) in left.items():
        pairs += [(table, row, None) for row in their_rows]
        pairs += [(table, None, row) for row in our_rows]
    return pairs


_Rows = tuple[list[Row], list[Row]]
_Pairs = list[tuple[Row, Row]]


def _surest(left: Mapping[str, _Rows], reading: _Reading) -> list[tuple[str, Row, Row]]:
    for choose in (_unmistakable, _alike_and_clear, _equal, _alike):
        found = [(table, *pair) for table, rows in left.items() if all(rows) for pair in choose(table, rows, reading)]
        if found:
            return found if choose is _unmistakable else found[:1]
    return []


def _unmistakable(table: str, rows: _Rows, reading: _Reading) -> _Pairs:
    """Rows that are equal to each other and to no other."""
    return [pairs[0] for pairs in _by_content(table, rows, reading) if len(pairs) == 1]


def _alike_and_clear(table: str, rows: _Rows, reading: _Reading) -> _Pairs:
    """The same as `_alike`, of rows that refer to no new row whose pair isn't known yet."""
    sides = zip((reading.theirs, reading.ours), rows, strict=True)
    clear = tuple([row for row in side_rows if reading.is_clear(side, table, row)] for side, side_rows in sides)
    return _alike(table, (clear[0], clear[1]), reading)


def _equal(table: str, rows: _Rows, reading: _Reading) -> _Pairs:
    """Two of several rows that are all equal: any will do."""
    return [pairs[0] for pairs in _by_content(table, rows, reading)]


def _alike(table: str, rows: _Rows, reading: _Reading) -> _Pairs:
    """The two rows with the most columns in common, more than half of them."""
    best, pairs = 0.5, []
    for their_row in rows[0]:
        their_values = reading.row(reading.theirs, table, their_row)
        for our_row in rows[1]:
            our_values = reading.row(reading.ours, table, our_row)
            columns = {*their_values, *our_values}
            share = sum(their_values.get(name) == our_values.get(name) for name in columns) / len(columns)
            if share > best:
                best, pairs = share, [(their_row, our_row)]
    return pairs


def _by_content(table: str, rows: _Rows, reading: _Reading) -> Iterator[_Pairs]:
    contents: tuple[dict[Hashable, list[Row]], ...] = (defaultdict(list), defaultdict(list))
    for side, content, side_rows in zip((reading.theirs, reading.ours), contents, rows, strict=True):
        for row in side_rows:
            content[frozenset(reading.row(side, table, row).items())].append(row)
    for key in contents[0].keys() & contents[1].keys():
        # Of three equal rows against two any two will do.
        yield list(product(contents[0][key], contents[1][key]))
