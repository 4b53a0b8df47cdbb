"""What a run did to one row on the whole, from the before-images of all its writes, and how values are compared."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple

from sync.moodle.db.writer import BeforeImage
from sync.processors.base.context import ImagePlace

Values = Mapping[str, Any]
# Moodle keeps grades with five digits after the point.
_CLOSE = 0.000_005


class NetChange(StrEnum):
    """What became of a row over a whole run."""

    INSERT = "insert"
    UPDATE = "update"
    DELETE = "delete"
    NOTHING = "nothing"

    @classmethod
    def named(cls) -> list[str]:
        """Return the changes that a line may name."""
        return [cls.INSERT.value, cls.UPDATE.value, cls.DELETE.value]

    @classmethod
    def of(cls, kinds: Sequence[str]) -> NetChange:
        """Return the change that the kinds of before-images of one row make together, in the order of the writes."""
        is_new, is_gone = kinds[0] == "insert", kinds[-1] == "delete"
        if is_new:
            return cls.NOTHING if is_gone else cls.INSERT
        if is_gone:
            return cls.DELETE
        return cls.NOTHING if set(kinds) == {"complete"} else cls.UPDATE


class RowHistory(NamedTuple):
    """One row before and after a run.

    Shape: before: its values before the run, of a changed row those of the changed columns, of a deleted row all; left: what
    the run left in it, as far as it named the columns
    """

    change: NetChange
    before: Values
    left: Values

    @property
    def columns(self) -> list[str]:
        """The columns that a changed row has otherwise after the run."""
        return [name for name in self.before if name in self.left and not is_same(self.before[name], self.left[name])]


def history_of(images: Sequence[BeforeImage]) -> RowHistory:
    """Return what the writes of one row come to. Shape: images: at least one, in the order of the writes"""
    before: dict[str, Any] = {}
    left: dict[str, Any] = {}
    is_new = images[0].kind == "insert"
    for image in images:
        if image.kind == "insert":
            # Journals of earlier versions hold the values of rows without an id in `row`.
            left = {**image.row, **image.after}
            continue
        if not is_new:
            before = {**image.row, **before}
        left = {} if image.kind == "delete" else {**left, **image.after}
    return RowHistory(NetChange.of([image.kind for image in images]), before, left)


def places_of(entries: str) -> list[ImagePlace]:
    """Return the places of the before-images of one row, in the order of the writes, as a line of an undo names them.

    Shape: entries: "1001:7 1001:12", last line of the chunk and place in its journal
    Raises: ValueError
    """
    return [ImagePlace(*map(int, entry.split(":", 1))) for entry in entries.split()]


def is_same(one: Any, other: Any) -> bool:
    """Tell whether two values are the same to Moodle's server, which may hold a text for a number and round it."""
    if one == other:
        return True
    if one is None or other is None:
        return False
    if _is_number(one) and _is_number(other):
        return math.isclose(one, other, rel_tol=1e-12, abs_tol=_CLOSE)
    return str(one) == str(other)


def differing(values: Values, live: Values) -> list[str]:
    """Return the columns in which a row isn't as these values say; those that it hasn't are left out."""
    return [name for name, value in values.items() if name in live and not is_same(value, live[name])]


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float, Decimal))
