"""Texts of an archive as values of the columns that they are for.

An archive was made on another site, maybe of another version: what doesn't fit a column here is treated as if it weren't there,
so that the column takes its default; nothing that an archive holds can make the database refuse a row for its type or length.
Source: spec backup_format.md sections 2 and 8
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

import sqlalchemy as sa

from sync.moodle.course_content.graph.content_source import Row

_ABSENT = object()
_MOST_DIGITS = 40
# Wider than any integer column of Moodle; smaller ones are told apart by their type.
_LARGEST = 2**63 - 1
_LARGEST_OF = {
    "SMALLINT": 2**15 - 1,
    "TINYINT": 2**7 - 1,
    "MEDIUMINT": 2**23 - 1,
    "INTEGER": 2**31 - 1,
    "INT": 2**31 - 1,
}

# What `references.py` and `restore_content.py` look at.
_TELLING = frozenset((
    "blockname", "component", "criteriatype", "fieldid", "instanceid", "itemmodule", "itemtype", "module", "name", "parent",
    "sectionid", "strategy",
))  # fmt: skip


def typed_row(row: Mapping[str, Any], columns: sa.ColumnCollection[str, sa.Column[Any]]) -> Row:
    """Return the values of a row for the columns that the table has here. What isn't text is taken as it is."""
    new: Row = {}
    for name, text in row.items():
        if name not in columns:
            continue
        value = _typed(text, columns[name]) if text is None or isinstance(text, str) else text
        if value is not _ABSENT:
            new[name] = value
    return new


def with_required(row: Row, columns: sa.ColumnCollection[str, sa.Column[Any]]) -> Row:
    """Fill, of the columns that the row lacks, those that have no default, and those by which rows are told apart."""
    for column in columns:
        if column.name not in row and column.name != "id" and (_is_required(column) or column.name in _TELLING):
            row[column.name] = None if column.nullable else "" if isinstance(column.type, sa.String) else 0
    return row


def _is_required(column: sa.Column[Any]) -> bool:
    return not column.nullable and column.server_default is None


def _typed(text: str | None, column: sa.Column[Any]) -> Any:
    if text is not None and isinstance(column.type, sa.String):
        return text.replace("\0", "")[: column.type.length]
    if text is None or not text.strip():
        return None if column.nullable else _ABSENT
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        return _ABSENT
    return _fitting(number, column.type) if number.is_finite() and number.adjusted() < _MOST_DIGITS else _ABSENT


def _fitting(number: Decimal, kind: sa.types.TypeEngine[Any]) -> Any:
    if isinstance(kind, sa.Integer):
        return int(number) if abs(number) <= _LARGEST_OF.get(type(kind).__name__.upper(), _LARGEST) else _ABSENT
    if isinstance(kind, sa.Float):
        return number if kind.asdecimal else float(number)
    if isinstance(kind, sa.Numeric):
        limit = kind.precision - kind.scale if kind.precision and kind.scale is not None else _MOST_DIGITS
        return number if number.adjusted() < limit else _ABSENT
    return _ABSENT
