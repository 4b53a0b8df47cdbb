"""The one loop over the rows of a chunk, and the one place where a RowError becomes the outcome of its row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from sync.processors.base.errors import RowError
from sync.values import Action, CleanRow, Outcome

RowT = TypeVar("RowT", bound=CleanRow)


def plan_each(
    rows: Iterable[RowT], plan_row: Callable[[RowT], Outcome], subject_of: Callable[[RowT], str]
) -> Iterator[Outcome]:
    """Return what becomes of each row, in file order.

    Shape: plan_row: may raise RowError; subject_of: what the report calls the row, where its outcome doesn't say
    """
    for row in rows:
        try:
            outcome = plan_row(row)
        except RowError as error:
            outcome = rejected(row, error)
        yield outcome if outcome.subject else outcome._replace(subject=subject_of(row))


def rejected(row: CleanRow, error: RowError, subject: str = "") -> Outcome:
    """Return the outcome of a row that can't be carried out."""
    return Outcome(row.line, Action.REJECTED, error.code, error.params, subject)
