"""What many rows of a file have in common, said once at the top of the report: how many they are, and the first line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sync.columns.repeated_values import RepeatedValues
from sync.columns.survey import FileSurvey
from sync.values import Action, Note, Outcome


@dataclass
class _Rows:
    """Shape: first, last: lines"""

    count: int = 0
    first: int = 0
    last: int = 0


class RowCounts:
    """Counts rows by the code of what is said of them. Chunks come in the order of the file; one that comes again counts once."""

    def __init__(self) -> None:
        self._rows: dict[str, _Rows] = {}

    def add(self, note: str, lines: Iterable[int]) -> None:
        """Count the rows of a chunk of which this is to be said. Shape: note: its code"""
        for line in sorted(lines):
            rows = self._rows.setdefault(note, _Rows())
            if line > rows.last:
                rows.first = rows.first or line
                rows.last = line
                rows.count += 1

    @property
    def notes(self) -> list[Note]:
        """What is to be said of the whole file."""
        return [Note(code, {"count": rows.count, "line": rows.first}) for code, rows in self._rows.items()]


def lines_set_again(
    found: FileSurvey | None, outcomes: Iterable[Outcome], column: str, cells: Iterable[tuple[int, str, str]]
) -> set[int]:
    """Return the lines of a chunk that change what an earlier row of the file names too, to be counted as set_again_in_rows.

    Shape: column: whose values the survey remembers; cells: line, cell, and what the cell is unique in
    """
    if not isinstance(found, RepeatedValues):
        return set()
    changed = {outcome.line for outcome in outcomes if outcome.action in (Action.UPDATED, Action.DELETED)}
    return {line for line, cell, within in cells if line in changed and found.earlier_line(column, cell, line, within)}
