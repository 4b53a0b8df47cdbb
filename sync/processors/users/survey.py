"""What a file of accounts is looked through for before its first row is used: sets that do nothing, and people named twice."""

from __future__ import annotations

import itertools
import re
from array import array
from collections.abc import Mapping
from functools import cached_property

from sync.columns.survey import FileSurvey
from sync.values import Note, Row

_COURSE = re.compile(r"course([1-9]\d*)")
# Values that belong to one account only.
_UNIQUE = ("idnumber", "email")
_HASH_BITS = 0xFFFF_FFFF_FFFF_FFFF


class UsersSurvey(FileSurvey):
    """Counts what course sets ask for, and remembers in which line each idnumber and address stands first.

    Memory: 12 bytes a row and identity
    """

    def __init__(self, places: Mapping[str, int]) -> None:
        super().__init__(places)
        self._sets = [found[1] for name in places if (found := _COURSE.fullmatch(name)) is not None]
        self._hashes = {name: array("Q") for name in _UNIQUE if name in places}
        self._lines = {name: array("I") for name in _UNIQUE if name in places}
        self.rows_with_course = 0
        self.rows_with_role = 0
        self._names_method = False

    def see(self, row: Row) -> None:
        for name, hashes in self._hashes.items():
            if value := self.cell(row.cells, name):
                hashes.append(_hash(value))
                self._lines[name].append(row.line)
        numbers = [number for number in self._sets if self.cell(row.cells, f"course{number}")]
        if numbers:
            self.rows_with_course += 1
            self.rows_with_role += any(self.cell(row.cells, f"role{number}") for number in numbers)
            self._names_method = self._names_method or any(self.cell(row.cells, f"enrol{number}") for number in numbers)

    def earlier_line(self, name: str, value: str, line: int) -> int:
        """Return the first line that has the same value, 0 where none before `line` has."""
        found = self._first_lines.get(name, {}).get(_hash(value), 0)
        return found if found < line else 0

    @property
    def notes(self) -> list[Note]:
        """Say when no set of the file enrols anybody."""
        if not self.rows_with_course or self._names_method:
            return []
        hint = "course_sets_give_roles" if self.rows_with_role else ""
        return [Note("course_sets_without_method", {"count": self.rows_with_course, "hint": hint})]

    @cached_property
    def _first_lines(self) -> dict[str, dict[int, int]]:
        """The first lines of the values that several rows have: name -> hash -> line."""
        return {name: _first_of_several(hashes, self._lines[name]) for name, hashes in self._hashes.items()}


def _first_of_several(hashes: array[int], lines: array[int]) -> dict[int, int]:
    order = sorted(range(len(hashes)), key=hashes.__getitem__)
    firsts: dict[int, int] = {}
    for before, after in itertools.pairwise(order):
        if hashes[before] == hashes[after]:
            firsts.setdefault(hashes[before], lines[before])
    return firsts


def _hash(value: str) -> int:
    return hash(value.casefold()) & _HASH_BITS
