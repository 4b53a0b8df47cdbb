"""The only place that writes to Moodle. It keeps the before-image of every row that it changes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby
from typing import Any, NamedTuple, TypeVar

import sqlalchemy as sa

from sync.errors import MoodleRefused
from sync.moodle.db.database import MoodleSession, translated_errors
from sync.moodle.db.dialects import InsertForm
from sync.moodle.db.inserts import insert_from_arrays, insert_with_numbers
from sync.moodle.db.spool import Spool

# How many values one statement may carry: SQLite allows 32,766 variables, MariaDB and PostgreSQL more.
MAX_PARAMETERS = 30_000
MAX_KEYS = 10_000
# How many values of new rows one statement may carry.
MAX_VALUES = 200_000
# How many characters of text: MariaDB takes statements of 16 MB, and drops the connection over a longer one. A character
# may take four bytes.
MAX_CHARACTERS = 2_000_000
# Before-images in memory: those of new and of changed rows hold what the plan holds as well, those of deleted rows whole rows.
IMAGES_IN_MEMORY = 60_000
_WEIGHT_OF_DELETED = 6

T = TypeVar("T")


class RowChange(NamedTuple):
    """A change of one row. Shape: before and after hold the same columns, the changed ones only."""

    id: int
    before: Mapping[str, Any]
    after: Mapping[str, Any]


class BeforeImage(NamedTuple):
    """What one write replaced.

    Shape: kind: "insert" (after: the values that were named; id: None where the server didn't tell it), "complete" (after:
    values set on a row of the same transaction's inserts), "update" (row: old values of the changed columns, after: the new
    ones) or "delete" (row: the whole row); lines: of the file that asked for it, () = nobody knows which of several
    """

    kind: str
    table: str
    id: int | None
    row: Mapping[str, Any]
    after: Mapping[str, Any]
    lines: tuple[int, ...] = ()


# Tells which lines of a file asked for a write.
LinesOf = Callable[[BeforeImage], tuple[int, ...]]


class Writer:
    """Set-based writes on one session; use inside `session.transaction()`.

    Table names are Moodle's, without prefix. All methods raise MoodleRefused or MoodleUnavailable.
    """

    def __init__(self, session: MoodleSession) -> None:
        self.session = session
        self.before_images: Spool[BeforeImage] = Spool(IMAGES_IN_MEMORY)
        self._lines_of: LinesOf | None = None

    @contextmanager
    def asked_by(self, lines_of: LinesOf) -> Iterator[None]:
        """Note with each write in here which lines of the file asked for it."""
        before, self._lines_of = self._lines_of, lines_of
        try:
            yield
        finally:
            self._lines_of = before

    def insert_many(self, table: str, rows: Sequence[Mapping[str, Any]], key: Sequence[str] = ()) -> list[int]:
        """Insert rows that name the same columns, and give their ids in the same order.

        Shape: key: columns that tell the new rows apart (a natural key; it need not be a declared index). Without a key,
        ids are given (in no particular order) where the server returns them, else the list is empty.
        Queries: one, and one per 10,000 rows to read the ids where the server doesn't return them (MySQL)
        """
        if not rows:
            return []
        target = self.session.table(table)
        returned: list[int] = []
        for part in portions(rows, lambda row: row, max(1, MAX_VALUES // len(rows[0]))):
            returned += self._insert(target, part, is_ordered=bool(key))
        if key and not returned:
            returned = self._ids_of(target, rows, key)
        # Ids rise in the order in which one connection inserts; with a key they are in the order of the rows already.
        ids = returned if key else sorted(returned)
        self._note_inserts(table, ids or [None] * len(rows), rows)
        return returned

    def insert_in_order(self, table: str, rows: Sequence[Mapping[str, Any]]) -> list[int]:
        """Insert rows that name the same columns and that nothing else tells apart; give their ids in the same order.

        Raises: MoodleRefused when the ids can't be told for certain (somebody else wrote the table just now, on MySQL)
        Queries: one, and two to read the ids where the server doesn't return them (MySQL)
        """
        if not rows:
            return []
        target = self.session.table(table)
        highest = None if self._returns_ids else self._highest_id(target)
        ids: list[int] = []
        for part in portions(rows, lambda row: row, max(1, MAX_VALUES // len(rows[0]))):
            ids += self._insert(target, part, is_ordered=False)
        if highest is not None:
            # With as many new rows as we have inserted, all of them are ours.
            found = self.session.fetch(sa.select(target.c.id).where(target.c.id > highest))
            ids = [rowid for (rowid,) in found]
        # Ids rise in the order in which one connection inserts.
        ids.sort()
        if len(ids) != len(rows):
            raise MoodleRefused("moodle_refused", reason=f"{target.name}: new rows could not be read back")
        self._note_inserts(table, ids, rows)
        return ids

    def update_many(self, table: str, changes: Iterable[RowChange]) -> None:
        """Update rows by id. Rows that change the same columns to the same values share one statement.

        Queries: one per set of columns and some 1,000 rows, more where they hold long texts
        """
        ordered = sorted(changes, key=_shape_of)
        for _shape, same_columns in groupby(ordered, key=_shape_of):
            batch = list(same_columns)
            columns = list(batch[0].after)
            if _all_alike(batch):
                for ids in batched([change.id for change in batch], MAX_KEYS):
                    self._execute(self._update_alike(table, batch[0].after, ids))
            else:
                for part in _statements(batch, columns):
                    self._execute(self._update_each(table, columns, part))
            self._note(BeforeImage("update", table, change.id, change.before, change.after) for change in batch)

    def delete_many(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Delete rows that have been read whole (each holds `id`)."""
        target = self.session.table(table)
        for ids in batched([row["id"] for row in rows], MAX_KEYS):
            self._execute(sa.delete(target).where(self.session.in_clause(target.c.id, ids)))
        images = (BeforeImage("delete", table, row["id"], row, {}) for row in rows)
        self._note(images, weight=_WEIGHT_OF_DELETED)

    def delete_where(
        self, table: str, column: str, values: Collection[Any], *conditions: sa.ColumnElement[bool]
    ) -> list[dict[str, Any]]:
        """Delete every row whose column holds one of the values, and give the rows that went, by rising id.

        Queries: two per 10,000 values; one when there is nothing to delete
        """
        target = self.session.table(table)
        gone: list[dict[str, Any]] = []
        for part in batched(list(values), MAX_KEYS):
            rows = self.session.fetch(
                sa.select(target).where(self.session.in_clause(target.c[column], part), *conditions)
            )
            gone.extend(dict(row._mapping) for row in rows)
        gone.sort(key=lambda row: row["id"])
        self.delete_many(table, gone)
        return gone

    def complete_where(self, table: str, values: Mapping[str, Any], left: Mapping[int, Mapping[str, Any]]) -> None:
        """Set the same SQL expressions on rows that were inserted in this transaction.

        Shape: left: id -> what the expressions make of the row
        """
        target = self.session.table(table)
        for part in batched(list(left), MAX_KEYS):
            self._execute(sa.update(target).where(self.session.in_clause(target.c.id, part)).values(dict(values)))
        self._note_completions(table, left)

    def complete_many(self, table: str, values_by_id: Mapping[int, Mapping[str, Any]]) -> None:
        """Set values, the same columns each, on rows that were inserted in this transaction (the insert is what is undone).

        Queries: one per some 1,000 rows
        """
        changes = [RowChange(rowid, {}, values) for rowid, values in values_by_id.items()]
        if changes:
            columns = list(changes[0].after)
            for part in _statements(changes, columns):
                self._execute(self._update_each(table, columns, part))
            self._note_completions(table, values_by_id)

    def _note_inserts(self, table: str, ids: Sequence[int | None], rows: Sequence[Mapping[str, Any]]) -> None:
        self._note(BeforeImage("insert", table, rowid, {}, row) for rowid, row in zip(ids, rows, strict=True))

    def _note_completions(self, table: str, values_by_id: Mapping[int, Mapping[str, Any]]) -> None:
        self._note(BeforeImage("complete", table, rowid, {}, values) for rowid, values in values_by_id.items())

    def _note(self, images: Iterable[BeforeImage], *, weight: int = 1) -> None:
        if (lines_of := self._lines_of) is not None:
            images = (image._replace(lines=lines_of(image)) for image in images)
        self.before_images.extend(images, weight=weight)

    def _insert(self, target: sa.Table, rows: Sequence[Mapping[str, Any]], *, is_ordered: bool) -> list[int]:
        """Insert rows, and give their ids if the server can return them (in the order of the rows, if asked)."""
        connection, server = self.session.connection, self.session.capabilities
        with translated_errors():
            if server.insert_form is InsertForm.ARRAYS:
                return sorted(connection.scalars(insert_from_arrays(target, rows)))
            if server.insert_form is InsertForm.NUMBERS:
                statement, texts = insert_with_numbers(target, rows, connection.dialect)
                inserted = connection.exec_driver_sql(statement, texts)
                return sorted(inserted.scalars()) if server.returns_ids else []
            # Where it costs more, the server would insert row by row to keep the order.
            if server.returns_ids and (server.orders_returned_ids or not is_ordered):
                returning = sa.insert(target).returning(target.c.id, sort_by_parameter_order=is_ordered)
                return list(connection.scalars(returning, list(rows)))
            connection.execute(sa.insert(target), list(rows))
        return []

    @property
    def _returns_ids(self) -> bool:
        return self.session.capabilities.returns_ids

    def _highest_id(self, target: sa.Table) -> int:
        return int(self.session.fetch(sa.select(sa.func.coalesce(sa.func.max(target.c.id), 0)))[0][0])

    def _execute(self, statement: sa.Executable, params: Any = None) -> None:
        with translated_errors():
            self.session.connection.execute(statement, params)

    def _ids_of(self, target: sa.Table, rows: Sequence[Mapping[str, Any]], key: Sequence[str]) -> list[int]:
        """Read the ids of rows just inserted, by natural key."""
        columns = [target.c[name] for name in key]
        # The column with the most distinct values narrows the search; the others, where constant, go in as they are.
        distinct = {name: {row[name] for row in rows} for name in key}
        widest = max(key, key=lambda name: len(distinct[name]))
        narrow = [target.c[name].in_(distinct[name]) for name in key if name != widest and len(distinct[name]) <= 500]
        id_by_key: dict[tuple[Any, ...], int] = {}
        for part in batched(list(distinct[widest]), MAX_KEYS):
            statement = sa.select(target.c.id, *columns).where(self.session.in_clause(target.c[widest], part), *narrow)
            # Rows that were there before may share a key that isn't unique: the newest, highest id is ours.
            for rowid, *values in self.session.fetch(statement.order_by(target.c.id)):
                id_by_key[tuple(values)] = rowid
        try:
            return [id_by_key[tuple(row[name] for name in key)] for row in rows]
        except KeyError as error:
            raise MoodleRefused("moodle_refused", reason=f"{target.name}: a new row could not be read back") from error

    def _update_alike(self, table: str, after: Mapping[str, Any], ids: Sequence[int]) -> sa.Update:
        target = self.session.table(table)
        return sa.update(target).where(self.session.in_clause(target.c.id, ids)).values(dict(after))

    def _update_each(self, table: str, columns: Sequence[str], changes: Sequence[RowChange]) -> sa.Update:
        """One UPDATE for many rows: SET c = CASE id WHEN … THEN … END, understood by every server that Moodle runs on."""
        target = self.session.table(table)
        constant = {
            name: changes[0].after[name] for name in columns if len({change.after[name] for change in changes}) == 1
        }
        values: dict[str, Any] = dict(constant)
        for name in columns:
            if name not in constant:
                column = target.c[name]
                cases = {
                    change.id: sa.cast(change.after[name], column.type)
                    if change.after[name] is None
                    else sa.literal(change.after[name], column.type)
                    for change in changes
                }
                values[name] = sa.case(cases, value=target.c.id, else_=column)
        return (
            sa.update(target)
            .where(self.session.in_clause(target.c.id, [change.id for change in changes]))
            .values(values)
        )


def batched(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Cut a sequence into parts of at most `size`."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def portions(items: Sequence[T], values_of: Callable[[T], Mapping[str, Any]], most: int) -> Iterator[Sequence[T]]:
    """Cut a sequence into parts of at most `most` items, whose texts together fit into one statement."""
    start = characters = 0
    for at, item in enumerate(items):
        size = sum(len(value) for value in values_of(item).values() if isinstance(value, str))
        if at > start and (at - start >= most or characters + size > MAX_CHARACTERS):
            yield items[start:at]
            start, characters = at, 0
        characters += size
    if start < len(items):
        yield items[start:]


def _statements(changes: Sequence[RowChange], columns: Sequence[str]) -> Iterator[Sequence[RowChange]]:
    """Cut changes of the same columns into the parts that one UPDATE can carry."""
    return portions(changes, lambda change: change.after, max(1, MAX_PARAMETERS // (2 * len(columns) + 1)))


def _shape_of(change: RowChange) -> tuple[str, ...]:
    return tuple(sorted(change.after))


def _all_alike(changes: Sequence[RowChange]) -> bool:
    first = changes[0].after
    return all(change.after == first for change in changes)
