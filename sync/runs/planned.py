"""What was planned for rows, held against what they come to when the plan is applied."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

from sync.columns.clean import shown
from sync.columns.row_secrets import RowSecrets
from sync.values import Action, Change, Outcome, Row

CHANGED_SINCE = "changed_since_plan"

# Rows that do nothing, whatever was planned for them.
_IDLE = (Action.REJECTED, Action.UNCHANGED, Action.SUPERSEDED)


class PlannedRows(NamedTuple):
    """What a stored plan says of some rows. Shape: outcomes: one per row, in line order; writes: any of them changes something"""

    outcomes: Sequence[Outcome]
    writes: bool

    def stale(self, outcomes: Iterable[Outcome]) -> list[int]:
        """Return the lines that would do something now, and not what was planned."""
        planned = {outcome.line: outcome for outcome in self.outcomes}
        return [
            outcome.line
            for outcome in outcomes
            if outcome.action not in _IDLE and not _is_as_planned(outcome, planned.get(outcome.line))
        ]

    def in_place_of(self, lines: Collection[int]) -> list[Outcome]:
        """Return what becomes of stale lines: what was planned where that was nothing, else they are rejected."""
        return [
            outcome
            if outcome.action in _IDLE
            else Outcome(outcome.line, Action.REJECTED, CHANGED_SINCE, {}, outcome.subject)
            for outcome in self.outcomes
            if outcome.line in lines
        ]


def with_new_values(
    outcomes: Iterable[Outcome], rows: Sequence[Row], names: Sequence[str], secrets: RowSecrets
) -> Iterator[Outcome]:
    """Return the outcomes; those of rows that make something with the cells of the row, secrets hidden.

    Shape: names: of the file's columns, in its order
    """
    row_of = {row.line: row for row in rows}
    for outcome in outcomes:
        if not _is_new(outcome):
            yield outcome
            continue
        cells = secrets.shown_row(row_of[outcome.line]).cells
        told = {change.field for change in outcome.changes}
        values = [
            Change(name, "", shown(cell)) for name, cell in zip(names, cells, strict=False) if cell and name not in told
        ]
        yield outcome._replace(changes=(*values, *outcome.changes))


def _is_new(outcome: Outcome) -> bool:
    return Action.CREATED in (outcome.action, outcome.done)


def _is_as_planned(outcome: Outcome, planned: Outcome | None) -> bool:
    """Whether a row comes to what was planned for it. What is new shows its cells in the plan only."""
    if planned is None or (outcome.action, outcome.code, outcome.done) != (planned.action, planned.code, planned.done):
        return False
    if _is_new(outcome):
        return not outcome.changes or set(outcome.changes) <= set(planned.changes)
    return outcome.changes == planned.changes
