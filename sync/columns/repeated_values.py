"""In which line each value that belongs to one thing only stands first: whoever is told that it is taken wants to know where."""

from __future__ import annotations

import itertools
from array import array
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import ClassVar

from sync.columns.survey import FileSurvey
from sync.values import Action, Outcome, Row

_HASH_BITS = 0xFFFF_FFFF_FFFF_FFFF
# That something has the value of a cell already.
_TAKEN = "_taken"
_TAKEN_CODES = frozenset(("username_collision",))
# What an outcome says that isn't a rejection -> how it goes on.
_FOUND_CODES = {"course_exists": "named_in_earlier_line"}


class RepeatedValues(FileSurvey):
    """Remembers lines of values. Override `unique`, and `scope` where values are unique within something only.

    Shape: unique: canonical names of columns, with an underscore at their end the beginnings of such; scope: a column
    Memory: 12 bytes a row and column
    """

    unique: ClassVar[tuple[str, ...]] = ()
    scope: ClassVar[str] = ""

    def __init__(self, places: Mapping[str, int]) -> None:
        super().__init__(places)
        beginnings = tuple(name for name in self.unique if name.endswith("_"))
        names = [name for name in places if name in self.unique or (beginnings and name.startswith(beginnings))]
        self._hashes = {name: array("Q") for name in names}
        self._lines = {name: array("I") for name in names}

    def see(self, row: Row) -> None:
        """Look at one row."""
        within = self.within(row)
        for name, hashes in self._hashes.items():
            if value := self.cell(row.cells, name):
                hashes.append(_hash(value, within))
                self._lines[name].append(row.line)

    def earlier_line(self, name: str, value: str, line: int, within: str = "") -> int:
        """Return the first line that has the same value in a column, 0 where none before `line` has."""
        found = self._first_lines.get(name, {}).get(_hash(value, within), 0)
        return found if found < line else 0

    def within(self, row: Row) -> str:
        """Return what the values of a row are unique in, "" = everything."""
        return self.cell(row.cells, self.scope) if self.scope else ""

    @cached_property
    def _first_lines(self) -> dict[str, dict[int, int]]:
        """The first lines of the values that several rows have: name -> hash -> line."""
        return {name: _first_of_several(hashes, self._lines[name]) for name, hashes in self._hashes.items()}


def with_earlier_lines(found: FileSurvey | None, outcomes: Iterable[Outcome], rows: Iterable[Row]) -> list[Outcome]:
    """Return outcomes in which "taken" and "exists" are followed by the line of the file that has the same value."""
    outcomes = list(outcomes)
    if isinstance(found, RepeatedValues) and any(map(_hint, outcomes)):
        row_of = {row.line: row for row in rows}
        outcomes = [_with_line(found, each, row_of[each.line]) if _hint(each) else each for each in outcomes]
    return outcomes


def _hint(outcome: Outcome) -> str:
    """Return the code of the sentence about an earlier line that an outcome could have, "" = none."""
    if outcome.params.get("hint"):
        return ""
    if outcome.code in _FOUND_CODES:
        return _FOUND_CODES[outcome.code]
    is_about_it = outcome.code.endswith(_TAKEN) or outcome.code in _TAKEN_CODES
    return "value_in_earlier_line" if outcome.action is Action.REJECTED and is_about_it else ""


def _with_line(found: RepeatedValues, outcome: Outcome, row: Row) -> Outcome:
    name = str(outcome.params.get("column") or outcome.params.get("key", ""))
    value = found.cell(row.cells, name)
    earlier = found.earlier_line(name, value, row.line, found.within(row)) if value else 0
    if not earlier:
        return outcome
    return outcome._replace(params={**outcome.params, "earlier": earlier, "hint": _hint(outcome)})


def _hash(value: str, within: str) -> int:
    return hash((within.casefold(), value.casefold())) & _HASH_BITS


def _first_of_several(hashes: array[int], lines: array[int]) -> dict[int, int]:
    order = sorted(range(len(hashes)), key=hashes.__getitem__)
    firsts: dict[int, int] = {}
    for before, after in itertools.pairwise(order):
        if hashes[before] == hashes[after]:
            firsts.setdefault(hashes[before], lines[before])
    return firsts
