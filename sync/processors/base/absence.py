"""Files that declare themselves complete: what they name, and what was done about who is absent from them."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sync.moodle.db.identifiers import is_id
from sync.processors.base.closing import NAMES_LISTED, listed
from sync.values import Note

_HASH_BITS = 0xFFFF_FFFF_FFFF_FFFF
# So many lines are named at most.
LINES_NAMED = 20
# Keys of `Absence.counts` that every file type has: who is absent, of these what is done, whom nobody has planned anything about,
# whom Moodle's database keeps, and whom rows may mean that name what isn't there.
ABSENT, DONE, DELETED, LEFT, LEFT_REFUSED, UNSURE = "absent", "done", "deleted", "left", "refused", "unsure"
# Keys of `Absence.unsure`.
_USERS, _PLACES = "users", "places"


class NamedPair(NamedTuple):
    """A user whom a row names with a course or a cohort.

    Shape: place, user: as the server compares them; is_place_there, is_user_there: whether Moodle has it; takes_away: the row
    says that the user is to be gone
    """

    line: int
    place: str
    user: str
    is_place_there: bool
    is_user_there: bool
    takes_away: bool = False

    @property
    def key(self) -> str:
        return pair_key(self.place, self.user)


def pair_key(place: str, user: str) -> str:
    """Return by what a user in a course or a cohort is found among those that are named."""
    return f"{place}\0{user}"


def fold_id(text: str) -> str:
    """Return Moodle's own number as a file may write it, with zeros before it as well, as Moodle has it."""
    return str(int(text)) if is_id(text) else text


# Why nobody is taken for absent from a file that says it is complete.
ABSENCE_DOUBTS = frozenset({
    "absent_left_tryback", "absent_left_empty", "absent_left_short", "absent_left_trouble", "absent_left_unread",
    "absent_left_nobody",
})  # fmt: skip


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
    counts: what became of who is absent -> how many; upto: the last Moodle id that was looked at; total: how many are in the
    scope, None = not counted yet; doubt: why nobody is taken for absent, None = nothing speaks against it; left: the first of
    those that nobody has planned anything about; unsure: what rows name besides a user or a place that isn't there: all of it
    may be meant; unsure_lines: the first lines of such rows
    """

    named: dict[str, NamedValues] = field(default_factory=dict)
    unread: list[int] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    upto: int = 0
    total: int | None = None
    doubt: Note | None = None
    left: list[str] = field(default_factory=list)
    unsure: dict[str, NamedValues] = field(default_factory=dict)
    unsure_lines: list[int] = field(default_factory=list)

    def add(self, counts: Mapping[str, int], upto: int, left: Sequence[str]) -> None:
        """Add what a part that is done did."""
        self.counts.update(counts)
        self.upto = max(self.upto, upto)
        self.left += left[: NAMES_LISTED + 1 - len(self.left)]

    def notes(
        self, some: str, nobody: str, words: Mapping[str, str], further: Mapping[str, str] | None = None
    ) -> list[Note]:  # fmt: skip
        """Say how many were absent, what became of them, and who was left because nobody has planned anything about them.

        Shape: some, nobody: codes where somebody was absent, and where nobody was; words: what the scope is called; further: key
        of `counts` -> code that tells of it
        """
        if self.doubt is not None:
            return [self.doubt]
        if self.total is None:
            return []
        counts = self.counts
        params = {"count": counts[ABSENT], "done": counts[DONE], "total": self.total, **words}
        found = []
        if counts[UNSURE]:
            found.append(Note("absent_left_unsure", {"count": counts[UNSURE], "lines": lines_shown(self.unsure_lines)}))
        found.append(Note(some if counts[ABSENT] else nobody, params))
        if counts[LEFT]:
            found.append(Note("absent_left_changed", {"count": counts[LEFT], "names": listed(self.left)}))
        return found + [Note(code, {"count": counts[key]}) for key, code in (further or {}).items() if counts[key]]

    def add_unread(self, line: int) -> None:
        """Note a row of which nobody knows whom it names."""
        if line not in self.unread and len(self.unread) <= LINES_NAMED:
            self.unread.append(line)

    def add_pairs(self, what: str, pairs: Iterable[NamedPair]) -> None:
        """Note whom rows name with a place. Shape: what: key of `named`"""
        named = self.named.setdefault(what, NamedValues())
        for pair in pairs:
            named.add(pair.key)
            if pair.takes_away or (pair.is_place_there and pair.is_user_there):
                continue
            if not (pair.is_place_there or pair.is_user_there):
                # It may mean anybody, anywhere.
                self.add_unread(pair.line)
                continue
            kind, value = (_PLACES, pair.place) if pair.is_place_there else (_USERS, pair.user)
            self.unsure.setdefault(kind, NamedValues()).add(value)
            if pair.line not in self.unsure_lines and len(self.unsure_lines) <= LINES_NAMED:
                self.unsure_lines.append(pair.line)

    def is_unsure(self, place: str, user: str) -> bool:
        """Tell whether a row may mean this user here, as it names one of the two, and another that isn't there."""
        return any(
            kind in self.unsure and value in self.unsure[kind] for kind, value in ((_PLACES, place), (_USERS, user))
        )


def lines_shown(lines: Sequence[int]) -> str:
    """Return lines as people read them, not too many."""
    return ", ".join(map(str, lines[:LINES_NAMED])) + " …" * (len(lines) > LINES_NAMED)
