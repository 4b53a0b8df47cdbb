"""Rows of Moodle's tables as a plan leaves them: those that are there, and over them what the plan does.

    Overlay       of a whole file: what the plans of earlier chunks would leave, kept on disk, where they aren't carried out
    FoundRows     of one table: what a chunk begins with, read from Moodle and laid under the overlay
    ChangedRows   the same, and over it what the rows of the chunk do; its difference is what the chunk writes

A processor reads with `overlay.over(table, rows, ...)`, plans on `plan.change(found)` and never asks whether it is simulated.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, NamedTuple, Protocol

from sync.processors.base.overlay_rows import Columns, KeptPlace, KeptRow, Place, RowsInMemory, RowsOnDisk
from sync.processors.base.unsearched_rows import UnsearchedRows

Key = Any
Values = Mapping[str, Any]
Fold = Callable[[str], str]

# Ids of rows that aren't in Moodle yet: lower than anything that a column holds, and exact as a number of JSON. One line may
# enrol everybody of a large cohort or course, in other courses as well.
_FIRST_TEMPORARY_ID = -(10**15)
_IDS_PER_LINE = 10**7
# Of one file, of at most 10^9 lines. Those of several that are planned together are moved apart where they are kept.
_IDS_PER_FILE = 2 * 10**16

# Rows that are held in memory until somebody asks for them: about what a chunk changes.
_MOST_WAITING = 20_000
# Cells that are kept in memory: what several chunks of enrolments change, or some fifteen thousand accounts.
_MOST_CELLS = 600_000


def temporary_id(line: int, number: int) -> int:
    """Return an id for a row that a line of the file makes, unique over all tables. Shape: number: counts them from 0

    Raises: OverflowError for more than ten million rows of one line, whose ids would be those of the next
    """
    if number >= _IDS_PER_LINE:
        raise OverflowError(f"line {line} makes too many rows")
    return _FIRST_TEMPORARY_ID - line * _IDS_PER_LINE - number


def is_temporary(value: object) -> bool:
    """Tell whether a value is the id of a row that isn't in Moodle yet."""
    return value.__class__ is int and value <= _FIRST_TEMPORARY_ID


@dataclass(frozen=True)
class Table:
    """How rows of one table are told apart, and by what later chunks look for them.

    Shape: key: columns of the natural key; a key of one column is the value itself, of several a tuple in this order;
    found_by: sets of columns by which `Overlay.over` may be asked; folds: column -> what makes texts equal that the server takes
    for the same; on_update: columns that follow when another one changes; defaults: what stands in columns that a new row may
    leave to Moodle's server, of those by which rows are looked for
    """

    name: str
    key: tuple[str, ...] = ("id",)
    found_by: tuple[tuple[str, ...], ...] = ()
    folds: Mapping[str, Fold] = field(default_factory=dict)
    on_update: Mapping[str, Any] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)

    def key_of(self, values: Values) -> Key:
        """Return the key of a row that holds its key columns."""
        return values[self.key[0]] if len(self.key) == 1 else tuple(values[name] for name in self.key)

    def columns_of(self, key: Key) -> dict[str, Any]:
        """Return the columns that a key holds."""
        return {self.key[0]: key} if len(self.key) == 1 else dict(zip(self.key, key, strict=True))

    def cells(self, columns: tuple[str, ...], key: Key, values: Values) -> list[Any]:
        """Return what a row holds in these columns."""
        return [self._cell(name, key, values) for name in columns]

    def folded(self, column: str, value: Any) -> Any:
        """Return a value as the server compares it."""
        fold = self.folds.get(column)
        return fold(value) if fold is not None and isinstance(value, str) else value

    def _cell(self, column: str, key: Key, values: Values) -> Any:
        if column in self.key:
            return key if len(self.key) == 1 else key[self.key.index(column)]
        return values[column] if column in values else self.defaults[column]


@dataclass(frozen=True)
class FoundRows:
    """Rows of one table as a chunk finds them. Shape: rows: key -> columns, `id` among them"""

    table: Table
    rows: Mapping[Key, Values] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Values]:
        return iter(self.rows.values())


# Columns -> values by which rows are looked for; tuples of values where there are several columns.
Wanted = Mapping[tuple[str, ...], Collection[Any]]


class TemporaryIds:
    """Makes ids for the rows that one plan inserts."""

    def __init__(self) -> None:
        self._given: Counter[int] = Counter()

    def new_id(self, line: int) -> int:
        """Return an id for a row that a line of the file makes."""
        self._given[line] += 1
        return temporary_id(line, self._given[line])


class RowWrites(Protocol):
    """What takes the writes of rows: a plan."""

    def insert(self, table: str, values: dict[str, Any], *lines: int, newid: int = 0) -> None: ...

    def update(self, table: str, rowid: int, before: Values, after: dict[str, Any], *lines: int) -> None: ...

    def delete(self, table: str, rowid: int, *lines: int) -> None: ...


class Written(NamedTuple):
    """The keys of rows that come, change and go."""

    inserted: set[Key]
    updated: set[Key]
    deleted: set[Key]


class ChangedRows:
    """Rows of one table as the rows of the chunk so far leave them.

    Only the difference to what was found is written: what one row did and a later one took back leaves no trace.
    Shape: touches: how often a row was put or taken away so far
    """

    def __init__(self, found: FoundRows, ids: TemporaryIds) -> None:
        self.table = found.table
        self.touches = 0
        self._found = found.rows
        self._ids = ids
        self._changed: dict[Key, Values | None] = {}
        self._written_elsewhere: set[Key] = set()
        self._lines: dict[Key, list[int]] = {}
        self._indexes: dict[tuple[str, ...], _Index] = {}

    def __iter__(self) -> Iterator[Key]:
        """Return the keys of all rows as they stand now."""
        yield from (key for key in self._found if key not in self._changed)
        yield from (key for key, values in self._changed.items() if values is not None)

    def get(self, key: Key) -> Values | None:
        """Return a row as it stands now; None when there is no such row."""
        return self._changed[key] if key in self._changed else self._found.get(key)

    def __getitem__(self, key: Key) -> Values:
        values = self._changed[key] if key in self._changed else self._found.get(key)
        if values is None:
            raise KeyError(key)
        return values

    def __contains__(self, key: Key) -> bool:
        return self.get(key) is not None

    def found(self, key: Key) -> Values | None:
        """Return a row as the chunk found it; None for one that it makes."""
        return self._found.get(key)

    def insert(self, values: Values, line: int) -> int:
        """Make a row of a table whose key is its id, and return its temporary id."""
        newid = self._ids.new_id(line)
        self.put(newid, {**values, "id": newid}, line)
        return newid

    def update(self, key: Key, values: Values, line: int) -> None:
        """Change some columns of a row."""
        self.put(key, {**self[key], **values}, line)

    def put(self, key: Key, values: Values, line: int) -> None:
        """Insert a row or replace it; for a row that is there, `values` starts from what `get` returned."""
        if "id" not in values:
            found = self._found.get(key)
            values = {**values, "id": self._ids.new_id(line) if found is None else found["id"]}
        self._change(key, values, line)

    def remove(self, key: Key, line: int) -> None:
        """Delete the row, if it is there."""
        if self.get(key) is not None:
            self._change(key, None, line)

    def foresee(self, key: Key, values: Values | None, line: int) -> None:
        """Note what another operation of the plan makes of a row (None: it goes): found so, but not written from here."""
        self._written_elsewhere.add(key)
        self._change(key, values, line)

    def find(self, **columns: Any) -> list[Key]:
        """Return the keys of the rows, as they stand now, whose columns the server takes for these values."""
        names = tuple(columns)
        index = self._indexes.get(names)
        if index is None:
            index = self._indexes[names] = _Index(self.table, names)
            for key in self:
                index.add(key, self[key])
        return index.keys(columns)

    def find_spelled(self, column: str, text: str, **others: Any) -> list[Key]:
        """Return what `find` does by a text; those alone that are spelled exactly so, if there are any."""
        alike = self.find(**{column: text}, **others)
        return [key for key in alike if self[key][column] == text] or alike

    def lines_of(self, key: Key) -> list[int]:
        """Return the lines of the file that changed a row."""
        return self._lines.get(key, [])

    def changed(self) -> Mapping[Key, Values | None]:
        """Return the rows that were put, those that were taken away as None."""
        return self._changed

    def differing(self) -> Iterable[Key]:
        """Return the keys of the rows that come or go."""
        return (key for key, values in self._changed.items() if (values is None) != (key not in self._found))

    def write(self, plan: RowWrites) -> Written:
        """Plan the inserts, updates and deletes."""
        written = Written(set(), set(), set())
        for key, values in self._changed.items():
            if key in self._written_elsewhere:
                continue
            old, lines = self._found.get(key), self._lines[key]
            if old is None and values is not None:
                row = {**self.table.columns_of(key), **values}
                newid = row.pop("id")
                plan.insert(self.table.name, row, *lines, newid=newid)
                written.inserted.add(key)
            elif old is not None and values is None:
                plan.delete(self.table.name, old["id"], *lines)
                written.deleted.add(key)
            elif old is not None and values is not None and (after := _difference(old, values)):
                if self.table.on_update:
                    after = _difference(old, {**values, **self.table.on_update})
                plan.update(self.table.name, old["id"], {name: old.get(name) for name in after}, after, *lines)
                written.updated.add(key)
        return written

    def _change(self, key: Key, values: Values | None, line: int) -> None:
        old = self.get(key)
        self.touches += 1
        self._changed[key] = values
        self._lines.setdefault(key, []).append(line)
        for index in self._indexes.values():
            index.change(key, old, values)


class _Index:
    """Keys of rows by what stands in some columns."""

    def __init__(self, table: Table, names: tuple[str, ...]) -> None:
        self._table = table
        self._place = _place_in(names, table.folds)
        self._beside_key = [name for name in names if name not in table.key]
        self._needs_key = len(self._beside_key) < len(names)
        self._has_no_defaults = table.defaults.keys().isdisjoint(names)
        self._keys: dict[Hashable, dict[Key, None]] = {}

    def keys(self, columns: Values) -> list[Key]:
        return list(self._keys.get(self._place(columns), ()))

    def add(self, key: Key, values: Values) -> None:
        self._keys.setdefault(self._place_of(key, values), {})[key] = None

    def change(self, key: Key, old: Values | None, new: Values | None) -> None:
        if old is not None and new is not None and all(old.get(name) == new.get(name) for name in self._beside_key):
            return
        if old is not None:
            del self._keys[self._place_of(key, old)][key]
        if new is not None:
            self.add(key, new)

    def _place_of(self, key: Key, values: Values) -> Hashable:
        if not self._needs_key and self._has_no_defaults:
            return self._place(values)
        return self._place({**self._table.defaults, **values, **self._table.columns_of(key)})


class _Folded(dict[Any, Any]):
    """Values of one column as the server compares them; each text is folded once."""

    def __init__(self, fold: Fold | None) -> None:
        super().__init__()
        self._fold = fold

    def __missing__(self, cell: Any) -> Any:
        folded = self[cell] = self._fold(cell) if self._fold is not None and isinstance(cell, str) else cell
        return folded


def _place_in(names: tuple[str, ...], folds: Mapping[str, Fold]) -> Callable[[Values], Hashable]:
    """Return the function that tells by what a row is found in an index over these columns."""
    if folds.keys().isdisjoint(names):
        return itemgetter(*names)
    columns = [(name, _Folded(folds.get(name))) for name in names]
    if len(columns) == 1:
        ((only, folded),) = columns
        return lambda values: folded[values[only]]
    return lambda values: tuple([folded[values[name]] for name, folded in columns])


class Overlay:
    """What the plans of earlier chunks would leave of Moodle's rows, for the length of one run, or of the plan of a bundle.

    Where chunks are carried out as they are planned nothing is kept here, and `over` costs nothing. What is kept is brought into
    a form that can be searched when somebody asks for a row of it: those of most files are never asked for.
    Shape: told: how often a row of it was found
    """

    def __init__(self) -> None:
        self._rows: RowsInMemory | RowsOnDisk = RowsInMemory()
        self._unsearched: UnsearchedRows | None = UnsearchedRows(_MOST_CELLS)
        self._tables: set[str] = set()
        self._waiting: list[ChangedRows] = []
        self._file = 0
        self.told = 0

    def begin_file(self, number: int) -> None:
        """Say which of several files is planned on this overlay: its lines make ids of their own. Shape: number: from 1"""
        self._write()
        self._file = number

    @property
    def spans_files(self) -> bool:
        """Whether several files are planned on it."""
        return self._file > 0

    def holds(self, table: str) -> bool:
        """Whether earlier chunks would change rows of a table."""
        return table in self._tables

    def over(
        self,
        table: Table,
        rows: Mapping[Key, Values],
        wanted: Wanted | None = None,
        *,
        keys: Collection[Key] = (),
        everything: bool = False,
    ) -> FoundRows:
        """Return rows that were read as earlier chunks would leave them, with those that they would make.

        Shape: rows: key -> columns, `id` among them; wanted: columns -> values (tuples where there are several columns) by which
        rows are looked for that aren't there, each one of `table.found_by`; keys: of further such rows; everything: all rows
        that are kept of the table
        """
        if not self._tables:
            return FoundRows(table, rows)
        merged = dict(rows)
        kept = (
            self.changes(table)
            if everything
            else self._kept(table, {*rows, *keys, *self.keys_found(table, wanted or {})})
        )
        for key, values in kept.items():
            if values is None:
                merged.pop(key, None)
            else:
                # Another file type may have read fewer columns.
                merged[key] = {**merged[key], **values} if key in merged else values
        return FoundRows(table, merged)

    def keys_found(self, table: Table, wanted: Wanted) -> set[Key]:
        """Return the keys of rows that once were found by one of these values; some may be so in Moodle that must be read.

        Shape: wanted: as `over` takes it
        """
        if not self.holds(table.name):
            return set()
        self._write()
        found: set[Key] = set()
        for names, values in wanted.items():
            place_of = _place_by(table, names)
            places = [place_of(value if len(names) > 1 else (value,)) for value in values]
            if self._unsearched is not None and self._unsearched.may_hold_at(table.name, names, places):
                self._make_searchable()
            found |= self._rows.keys_at(table.name, names, places)
        self.told += len(found)
        return found

    def changes(self, table: Table) -> dict[Key, Values | None]:
        """Return all rows of a table that earlier chunks would make or change, None for those that they would take away."""
        return dict(self.each_change(table))

    def each_change(self, table: Table) -> Iterator[tuple[Key, Values | None]]:
        """Return the same one by one."""
        self._write()
        self._make_searchable()
        for key, _rowid, body in self._rows.each(table.name):
            self.told += 1
            yield key, body

    def changed_among(self, table: Table, keys: Collection[Key]) -> set[Key]:
        """Return those of the rows that earlier chunks would make, change or take away."""
        return set(self._kept(table, keys))

    def balance(self, table: Table, column: str, values: Collection[Any]) -> Counter[Any]:
        """Return by how many rows each value of a key's column grows, or shrinks (a negative number), against Moodle."""
        balance: Counter[Any] = Counter()
        for value in values if self._tables else ():
            keys = self.keys_found(table, {(column,): [value]})
            for row in self._bodies(table, keys).values():
                balance[value] += int(row.body is not None) - int(not is_temporary(row.rowid))
        return balance

    def keep(self, rows: ChangedRows) -> None:
        """Keep the rows as a chunk would leave them."""
        if rows.changed():
            self._tables.add(rows.table.name)
            self._waiting.append(rows)
            if sum(len(each.changed()) for each in self._waiting) > _MOST_WAITING:
                self._write()

    def _write(self) -> None:
        waiting, self._waiting = self._waiting, []
        for rows in waiting:
            self._write_rows(rows)

    def _write_rows(self, rows: ChangedRows) -> None:
        table, changed = rows.table, rows.changed()
        earlier = self._bodies(table, changed)
        kept: list[KeptRow] = []
        states: list[tuple[Key, Values]] = []
        for key, values in changed.items():
            found = rows.found(key)
            known = values if values is not None else found
            if known is None:
                # Made and taken away in one chunk.
                continue
            rowid = earlier[key].rowid if key in earlier else self._kept_id(known["id"])
            kept.append(KeptRow(self._kept_key(key), rowid, None if values is None else self._kept_values(values)))
            states += [(key, state) for state in (found, values) if state is not None]
        places = [place for names in table.found_by for place in self._places(table, names, states)]
        if self._unsearched is not None:
            self._unsearched.put(table.name, kept, places)
        else:
            self._put(table.name, kept, places)

    def _places(self, table: Table, names: Columns, states: Iterable[tuple[Key, Values]]) -> list[KeptPlace]:
        place_of = _place_by(table, names)
        if self._file or not table.defaults.keys().isdisjoint(names) or not set(names).isdisjoint(table.key):
            return [
                KeptPlace(names, place_of(self._cells(table, names, key, state)), self._kept_key(key))
                for key, state in states
            ]
        return [KeptPlace(names, place_of([state[name] for name in names]), key) for key, state in states]

    def _make_searchable(self) -> None:
        """Bring the rows into a form that can be searched: somebody asks for one of them."""
        if self._unsearched is None:
            return
        unsearched, self._unsearched = self._unsearched, None
        for table, rows, places in unsearched:
            self._put(table, rows, places)

    def _put(self, table: str, rows: Sequence[KeptRow], places: Sequence[KeptPlace]) -> None:
        self._rows.put(table, rows, places)
        if isinstance(self._rows, RowsInMemory) and self._rows.cells > _MOST_CELLS:
            self._rows = self._rows.on_disk()

    def close(self) -> None:
        self._waiting = []
        self._rows.close()
        self._rows, self._unsearched = RowsInMemory(), None

    def _kept_id(self, value: Any) -> Any:
        """Return a value, a temporary id of the file that is planned moved to where no other file has any."""
        is_own = self._file and is_temporary(value) and value > _FIRST_TEMPORARY_ID - _IDS_PER_FILE
        return value - self._file * _IDS_PER_FILE if is_own else value

    def _kept_key(self, key: Key) -> Key:
        if not self._file:
            return key
        return tuple(map(self._kept_id, key)) if isinstance(key, tuple) else self._kept_id(key)

    def _kept_values(self, values: Values) -> Values:
        return {name: self._kept_id(value) for name, value in values.items()} if self._file else values

    def _cells(self, table: Table, names: tuple[str, ...], key: Key, values: Values) -> list[Any]:
        cells = table.cells(names, key, values)
        return [self._kept_id(cell) for cell in cells] if self._file else cells

    def _kept(self, table: Table, keys: Collection[Key]) -> dict[Key, Values | None]:
        return {key: row.body for key, row in self._bodies(table, keys).items()}

    def _bodies(self, table: Table, keys: Collection[Key]) -> dict[Key, KeptRow]:
        if not keys or not self.holds(table.name):
            return {}
        self._write()
        if self._unsearched is not None and self._unsearched.may_hold(table.name, keys):
            self._make_searchable()
        bodies = self._rows.bodies(table.name, keys)
        self.told += len(bodies)
        return bodies


def _place_by(table: Table, names: Columns) -> Callable[[Iterable[Any]], Place]:
    """Return the function that tells at which place of these columns a row with some cells is."""
    folds = [table.folds.get(name) for name in names]
    if not any(folds):
        return tuple
    return lambda cells: tuple(
        [
            fold(cell) if fold is not None and isinstance(cell, str) else cell
            for fold, cell in zip(folds, cells, strict=True)
        ]
    )


def _difference(old: Values, values: Values) -> dict[str, Any]:
    return {name: value for name, value in values.items() if old.get(name) != value}
