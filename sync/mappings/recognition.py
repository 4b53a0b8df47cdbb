"""Which file type a header belongs to, how sure that is, and from which names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import NamedTuple

from sync.columns.file_columns import ADDED_COLUMNS, Columns
from sync.columns.synonyms import suggestion

# A name that only resembles a column, or is what other programs call it.
_WORTH_OF_A_GUESS = 0.8
# Nobody is ever certain.
MOST_SURE = 99
# Each name is compared with all columns of all types.
_NAMES_COMPARED = 60


class Recognised(NamedTuple):
    """A file type that a file may be of. Shape: percent: how sure; names: of the header, by which it is told, as spelled"""

    key: str
    percent: int
    names: tuple[str, ...]


class _Fit(NamedTuple):
    """How well a header fits a type.

    Shape: score: 0 to 1; required: how many of the columns that it must have are there; is_named: its file is called so
    """

    key: str
    score: float
    required: int
    is_named: bool
    names: tuple[str, ...]

    @property
    def rank(self) -> tuple[float, int, bool]:
        return round(self.score, 3), self.required, self.is_named


def recognise(spelled: Sequence[str], filename: str, types: Mapping[str, tuple[Columns, str]]) -> list[Recognised]:
    """Return the file types that a header may belong to, the likeliest first; nothing where no name says anything.

    Types that fit equally well share how sure it is. Lists without a header are told by the name of their file alone.
    Shape: spelled: the names of the header; types: key -> columns and usual name of its files
    """
    names = [name for name in spelled if name and name.lower() not in ADDED_COLUMNS][:_NAMES_COMPARED]
    fits = [_fit(key, columns, names, _is_called(filename, usual)) for key, (columns, usual) in types.items()]
    fits = sorted((fit for fit in fits if fit.score), key=lambda fit: fit.rank, reverse=True)
    equals = [sum(fit.rank == other.rank for other in fits) for fit in fits]
    return [
        Recognised(fit.key, min(MOST_SURE, round(100 * fit.score / equal)), fit.names)
        for fit, equal in zip(fits, equals, strict=True)
    ]


def likeliest(found: Sequence[Recognised]) -> str:
    """Return the key of the type that is taken without asking, "" where several are as likely: deleting is never a guess."""
    if not found or (len(found) > 1 and found[0].percent <= MOST_SURE / 2 and found[0].percent == found[1].percent):
        return ""
    return found[0].key


def _fit(key: str, columns: Columns, names: Sequence[str], is_named: bool) -> _Fit:
    if columns.headerless:
        return _Fit(key, 0.5 if is_named and not columns.of_pictures else 0.0, 0, is_named, ())
    known = {name: found[1] for name in names if (found := columns.find(name.lower())) is not None}
    near = {name: meant for name in names if name not in known and (meant := suggestion(columns, name.lower()))}
    canonical = {*known.values(), *near.values()}
    required = [column.name for column in columns if column.required]
    present = sum(name in canonical for name in required)
    if not names or not canonical or (columns.one_of and canonical.isdisjoint(columns.one_of)):
        return _Fit(key, 0.0, 0, is_named, ())
    share = (len(known) + _WORTH_OF_A_GUESS * len(near)) / len(names)
    has_required = (1 + present) / (1 + len(required))
    return _Fit(key, share * has_required, present, is_named, tuple(name for name in names if name in {*known, *near}))


def _is_called(filename: str, usual: str) -> bool:
    return PurePath(filename).stem.lower().startswith(PurePath(usual).stem.lower())
