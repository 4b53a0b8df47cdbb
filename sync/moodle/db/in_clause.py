"""Conditions over many values, written so that the values cost the drivers little."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

from sync.moodle.db.dialects import Capabilities


class _Numbers(sa.ColumnElement[int]):
    """Whole numbers that stand in the statement itself. A statement with them isn't kept compiled: there is one of it."""

    inherit_cache = False
    type = sa.BigInteger()

    def __init__(self, numbers: Collection[int]) -> None:
        self.sql = f"({','.join(map(str, numbers))})"


@compiles(_Numbers)
def _write_numbers(element: _Numbers, _compiler: SQLCompiler, **_options: Any) -> str:
    return element.sql


def in_clause(server: Capabilities, column: sa.ColumnElement[Any], values: Collection[Any]) -> sa.ColumnElement[bool]:
    """Tell whether a column holds one of the values: `column.in_(values)`, several times as fast with thousands of them.

    A parameter for each value costs the client more than the row that it finds. Whole numbers are written out; texts go
    as one array where the server takes one.
    """
    if not values:
        return sa.false()
    if all(value.__class__ is int for value in values):
        return column.op("IN", is_comparison=True)(_Numbers(values))
    if server.takes_text_arrays and all(value.__class__ is str for value in values):
        # The dialect takes long to load, and no other server needs it.
        from sqlalchemy.dialects.postgresql import ARRAY

        return column == sa.any_(sa.bindparam(None, list(values), ARRAY(sa.Text())))
    return column.in_(values)
