"""What was planned for rows, held against what they come to when the plan is applied."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from sync.columns.clean import LONGEST_VALUE_SHOWN, shown
from sync.columns.row_secrets import RowSecrets
from sync.values import Action, Change, CleanRow, Outcome, Row

CHANGED_SINCE = "changed_since_plan"

# Rows that do nothing, whatever was planned for them.
_IDLE = (Action.REJECTED, Action.UNCHANGED, Action.SUPERSEDED)


# Line -> objects and memberships, "user 5".
Touched = Mapping[int, Sequence[str]]


class PlannedRows(NamedTuple):
    """What a stored plan says of some rows.

    Shape: outcomes: one per row, in line order; touched: as `Plan.touched` has it
    """

    outcomes: Sequence[Outcome]
    touched: Touched = MappingProxyType({})

    def stale(self, outcomes: Iterable[Outcome], touched: Touched) -> list[int]:
        """Return the lines that would do something now, and not what was planned, or not to what was shown.

        Shape: touched: by the lines as they are planned now
        """
        planned = {outcome.line: outcome for outcome in self.outcomes}
        return [
            outcome.line
            for outcome in outcomes
            if outcome.action not in _IDLE
            and (
                not _is_as_planned(outcome, planned.get(outcome.line))
                or _are_others(self.touched.get(outcome.line, ()), touched.get(outcome.line, ()))
            )
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
    outcomes: Iterable[Outcome],
    rows: Sequence[Row],
    clean: Sequence[CleanRow],
    names: Sequence[str],
    secrets: RowSecrets,
) -> Iterator[Outcome]:
    """Return the outcomes; those of rows that make something with the cells of the row as they are meant, secrets hidden.

    Shape: clean: those of the rows that could be read; names: of the file's columns, in its order
    """
    row_of = {row.line: row for row in rows}
    meant = {row.line: row.values for row in clean}
    for outcome in outcomes:
        if not _is_new(outcome):
            yield outcome
            continue
        row, values_of = row_of[outcome.line], meant.get(outcome.line, {})
        told = {change.field for change in outcome.changes}
        values = []
        for name, cell, written in zip(names, secrets.shown_row(row).cells, row.cells, strict=False):
            if cell and name not in told:
                # The text that a cell was read as is without the escapes of another program, for instance.
                value = values_of.get(name) if cell == written else cell
                text = value if type(value) is str else cell
                values.append(Change(name, "", text if len(text) <= LONGEST_VALUE_SHOWN else shown(text)))
        yield outcome._replace(changes=(*values, *outcome.changes))


def _is_new(outcome: Outcome) -> bool:
    return Action.CREATED in (outcome.action, outcome.done)


def _are_others(planned: Iterable[str], now: Iterable[str]) -> bool:
    """Whether a line is about other objects of a kind than it was: none is among both.

    A chunk that is halved may merge what its lines do in another way, so they needn't be the same.
    """
    before, after = _by_table(planned), _by_table(now)
    return any(before[table].isdisjoint(after[table]) for table in before.keys() & after.keys())


def _by_table(objects: Iterable[str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for each in objects:
        found.setdefault(each.partition(" ")[0], set()).add(each)
    return found


def _is_as_planned(outcome: Outcome, planned: Outcome | None) -> bool:
    """Whether a row comes to what was planned for it. What is new shows its cells in the plan only."""
    if planned is None or (outcome.action, outcome.code, outcome.done) != (planned.action, planned.code, planned.done):
        return False
    if _is_new(outcome):
        return not outcome.changes or set(outcome.changes) <= set(planned.changes)
    return outcome.changes == planned.changes
