"""Reads of some rows at a time, each behind the last row of the one before: bounded in memory, without an open cursor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from sync.moodle.db.database import MoodleSession

_ROWS_AT_ONCE = 5000


def fetch_in_parts(
    moodle: MoodleSession, statement: sa.Select[Any], key: sa.ColumnElement[Any], *, most: int = _ROWS_AT_ONCE
) -> Iterator[Sequence[Any]]:
    """Return the rows of a SELECT in parts, by rising key, whose values are the first column. Shape: key: unique in the result

    Queries: one per part, and one that finds that there is no more
    """
    last = 0
    while rows := moodle.fetch(statement.where(key > last).order_by(key).limit(most)):
        moodle.release()
        yield rows
        last = rows[-1][0]
        if len(rows) < most:
            return


def fetch_ids_in_parts(
    moodle: MoodleSession, statement: sa.Select[Any], key: sa.ColumnElement[Any], *, most: int = _ROWS_AT_ONCE
) -> Iterator[list[int]]:
    """Return the keys of a SELECT in parts, by rising key, for reads that give several rows for each."""
    for rows in fetch_in_parts(moodle, statement.with_only_columns(key), key, most=most):
        yield [row[0] for row in rows]


def comes_behind(key: sa.Column[Any], order: sa.Column[Any], last: int) -> sa.ColumnElement[bool]:
    """Return the condition that a row comes behind another one, as the server compares; behind one that is gone, all do.

    Shape: key: id of the table; order: column of it by which its rows go, then by id; last: id of the other row
    """
    last_row = key.table.alias("last_row")
    place = sa.select(last_row.c[order.name]).where(last_row.c.id == last).scalar_subquery()
    return sa.or_(place.is_(None), order > place, sa.and_(order == place, key > last))
