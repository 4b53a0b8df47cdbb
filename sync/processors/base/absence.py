"""Files that declare themselves complete: what they name, and what was done about who is absent from them."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence, Set as AbstractSet
from dataclasses import dataclass, field
from typing import NamedTuple

from sync.values import Note

_HASH_BITS = 0xFFFF_FFFF_FFFF_FFFF
# So many lines are named at most.
LINES_NAMED = 20
# Keys of `Absence.counts` that every file type has: what is done about those who are absent, and whom Moodle's database keeps.
DONE, DELETED, LEFT_REFUSED = "done", "deleted", "refused"


@dataclass
class NamedValues:
    """The values that a file names. A value that isn't among them may, very seldom, be taken for one that is; never otherwise.

    Memory: 8 bytes a value
    """

    _hashes: array[int] = field(default_factory=lambda: array("Q"))
    _is_sorted: bool = True

    def add(self, value: str) -> None:
        self._hashes.append(hash(value) & _HASH_BITS)
        self._is_sorted = False

    def __contains__(self, value: str) -> bool:
        if not self._is_sorted:
            self._hashes = array("Q", sorted(set(self._hashes)))
            self._is_sorted = True
        wanted = hash(value) & _HASH_BITS
        place = bisect_left(self._hashes, wanted)
        return place < len(self._hashes) and self._hashes[place] == wanted


@dataclass
class Absence:
    """What is known so far of who is absent from a file.

    Shape: named: column -> what rows have in it; unread: the first lines of rows of which nobody knows whom they name;
    doubtful: the first lines of rows whose names may be no names -> the name; counts: what became of who is absent -> how many;
    upto: the last Moodle id that was looked at; total: how many are in the scope, None = not counted yet; doubt: why nobody is
    taken for absent, None = nothing speaks against it
    """

    named: dict[str, NamedValues] = field(default_factory=dict)
    unread: list[int] = field(default_factory=list)
    doubtful: dict[int, str] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    upto: int = 0
    total: int | None = None
    doubt: Note | None = None

    def add(self, counts: Mapping[str, int], upto: int) -> None:
        """Add what a part that is done did."""
        self.counts.update(counts)
        self.upto = max(self.upto, upto)

    def add_unread(self, line: int) -> None:
        """Note a row of which nobody knows whom it names."""
        if line not in self.unread and len(self.unread) <= LINES_NAMED:
            self.unread.append(line)

    def add_doubtful(self, line: int, name: str) -> None:
        """Note a row that may name nobody at all."""
        if len(self.doubtful) <= LINES_NAMED:
            self.doubtful[line] = name


def lines_shown(lines: Sequence[int]) -> str:
    """Return lines as people read them, not too many."""
    return ", ".join(map(str, lines[:LINES_NAMED])) + " …" * (len(lines) > LINES_NAMED)


class FileEnd(NamedTuple):
    """The end of a file that is complete.

    Shape: line: of the first outcome that follows, each further one has the next; most: outcomes of one part; doubt: why the
    file may not be whole, None = nothing speaks against it; planned: (code, subject) of what may be done, None = anything
    """

    line: int
    most: int
    doubt: Note | None
    planned: AbstractSet[tuple[str, str]] | None

    def allows(self, code: str, subject: str) -> bool:
        """Whether something is within what was planned."""
        return self.planned is None or (code, subject) in self.planned
