"""What many rows of a file have in common, said once at the top of the report: how many they are, and the first line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sync.columns.repeated_values import RepeatedValues
from sync.columns.survey import FileSurvey
from sync.values import Action, Note, Outcome

_IDLE = (Action.REJECTED, Action.UNCHANGED, Action.SUPERSEDED)


def counted_rows(lines: Mapping[str, Iterable[int]]) -> dict[str, tuple[int, int, int]]:
    """Return how many rows of a chunk something is to be said of, the first and the last of them. Shape: code -> count, lines"""
    ordered = {code: sorted(found) for code, found in lines.items()}
    return {code: (len(found), found[0], found[-1]) for code, found in ordered.items() if found}


def noted_lines(outcomes: Sequence[Outcome], codes: Mapping[str, str]) -> dict[str, list[int]]:
    """Return the lines whose outcomes have a note. Shape: codes: of what is said of the file -> of the note"""
    noted = {note.code for outcome in outcomes for note in outcome.notes}
    return {
        code: [each.line for each in outcomes if any(note.code == of_rows for note in each.notes)]
        for code, of_rows in codes.items()
        if of_rows in noted
    }


@dataclass
class RowCounts:
    """Adds up what is counted in chunks. These come in the order of the file; one that comes again counts once."""

    _rows: dict[str, tuple[int, int, int]] = field(default_factory=dict)

    def add(self, counted: Mapping[str, Sequence[int]]) -> None:
        """Add the rows of a chunk. Shape: as of `counted_rows`"""
        for code, (count, first, last) in counted.items():
            before, earliest, latest = self._rows.get(code, (0, first, 0))
            if first > latest:
                self._rows[code] = (before + count, earliest, last)

    @property
    def notes(self) -> list[Note]:
        """What is to be said of the whole file."""
        return [Note(code, {"count": count, "line": first}) for code, (count, first, _last) in self._rows.items()]


def changed_lines(outcomes: Iterable[Outcome]) -> set[int]:
    """Return the lines that change something."""
    return {outcome.line for outcome in outcomes if outcome.action not in _IDLE}


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
