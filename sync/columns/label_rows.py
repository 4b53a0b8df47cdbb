"""A row of labels: what stands below the header of some templates, or above the rows of another file that was joined, and says
what the columns hold. It is no row, and nothing is to be made that is called so.
"""

from __future__ import annotations

from collections.abc import Sequence

from sync.columns.column import Column
from sync.columns.synonyms import plain_name, words_for

_LONGEST = 60
# One cell may hold such a word by chance; two do where somebody tries a file with a user "First Last".
_LEAST = 2
_LEAST_BEHIND_A_KEY = 3
# So many of the first cells are looked at before all of them.
_FIRST = 2
# People put what a cell must hold behind its name: "Username (required)".
_REMARK = "("


class LabelRows:
    """Finds the rows of labels of one file. Shape: fields: position of the cell, canonical name, column"""

    def __init__(self, fields: Sequence[tuple[int, str, Column]]) -> None:
        self._words = {position: frozenset(words_for(name, column.aliases)) for position, name, column in fields}
        self._first = sorted(self._words)[:_FIRST]
        self._beginnings = {word[:1] for position in self._first for word in self._words[position]}

    def is_one(self, cells: Sequence[str]) -> bool:
        """Return whether most cells that are read, and two at least, are names of their columns, and none has an @.

        Where the first cell is no such name, three at least are, and the first cell has no digit.
        """
        count = len(cells)
        # Nearly all rows end here.
        for position in self._first:
            if position < count and ((first := cells[position][:1].lower()) in self._beginnings or first > "\x7f"):
                break
        else:
            return False
        if not any(position < count and self._is_label(position, cells[position]) for position in self._first):
            return False
        filled = [position for position in self._words if position < count and cells[position]]
        found = sum(self._is_label(position, cells[position]) for position in filled)
        key = min(filled)
        if not self._is_label(key, cells[key]) and (found < _LEAST_BEHIND_A_KEY or any(map(str.isdigit, cells[key]))):
            return False
        return found >= _LEAST and 2 * found > len(filled) and not any("@" in cells[place] for place in filled)

    def _is_label(self, position: int, cell: str) -> bool:
        return len(cell) <= _LONGEST and plain_name(cell.partition(_REMARK)[0]) in self._words[position]
