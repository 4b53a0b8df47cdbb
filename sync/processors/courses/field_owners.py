"""Custom fields of courses whose values Moodle wants to be unique: the check that profile fields have as well."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from sync.columns.survey import DateSurvey
from sync.moodle.courses.rows import CourseField
from sync.moodle.users.users import SiteRules
from sync.processors.base.errors import RowError
from sync.processors.base.memory import Memory
from sync.processors.courses.field_values import column_of, field_values
from sync.values import CleanRow

# Who holds a value: the id of a course, or the short name of one that an earlier row makes.
Owner = int | str
Owners = Mapping[tuple[int, str], Collection[Owner]]

_TAKEN, _HELD = "course field value", "course field held"


@dataclass(frozen=True)
class UniqueValues:
    """What was read of unique fields. Shape: owners: (fieldid, folded value) -> courses; fold: as the server compares"""

    owners: Owners = field(default_factory=dict)
    fold: Callable[[str], str] = str


class FieldOwners:
    """The unique values of a chunk; later rows see what earlier ones took, and what they gave up for it."""

    def __init__(self, unique: UniqueValues) -> None:
        self._unique = unique
        self._taken: dict[tuple[int, str], set[Owner]] = {}
        self._held: dict[tuple[int, Owner], str] = {}

    def check(self, fields: Sequence[tuple[CourseField, Mapping[str, Any]]], owner: Owner) -> None:
        """Raises: RowError if a value of a row is another course's. Shape: owner: the course of the row"""
        for custom, values in fields:
            text = str(values["value"])
            if not custom.is_unique or text in ("", "0"):
                continue
            folded = self._unique.fold(text)
            owners = {*self._unique.owners.get((custom.id, folded), ()), *self._taken.get((custom.id, folded), ())}
            if any(self._held.get((custom.id, other), folded) == folded for other in owners - {owner}):
                raise RowError("course_field_value_taken", column_of(custom), value=text)

    def take(self, fields: Sequence[tuple[CourseField, Mapping[str, Any]]], owner: Owner) -> None:
        """Note that a row fills its course's fields."""
        for custom, values in fields:
            if custom.is_unique:
                text = self._unique.fold(str(values["value"]))
                self._taken.setdefault((custom.id, text), set()).add(owner)
                self._held[custom.id, owner] = text

    def remember(self, memory: Memory) -> None:
        """Keep what the rows of a simulation took, and what courses have since, for its later chunks."""
        taken = {f"{fieldid} {text}": owners for (fieldid, text), owners in self._taken.items()}
        known = memory.get_many(_TAKEN, list(taken))
        memory.put_many(_TAKEN, {name: list({*owners, *known.get(name, ())}) for name, owners in taken.items()})
        memory.put_many(_HELD, {f"{fieldid} {owner}": text for (fieldid, owner), text in self._held.items()})


def wanted_values(
    rows: Sequence[CleanRow], fields: Mapping[str, CourseField], rules: SiteRules, dates: DateSurvey
) -> dict[int, set[str]]:
    """Return what rows put into unique fields; cells that a field can't take are left to the plan, which rejects them."""
    wanted: dict[int, set[str]] = {}
    for column, custom in fields.items():
        if not custom.is_unique:
            continue
        texts = wanted.setdefault(custom.id, set())
        for row in rows:
            with suppress(RowError, KeyError):
                texts.add(str(field_values(custom, row.values[column], rules, dates.orders_of(column))["value"]))
        texts.discard("")
    return wanted


def with_remembered(
    memory: Memory, owners: Mapping[tuple[int, str], Collection[int]], wanted: Mapping[int, Collection[str]],
    fold: Callable[[str], str],
) -> dict[tuple[int, str], set[Owner]]:  # fmt: skip
    """Return the owners as earlier chunks of a simulation would have left them."""
    merged: dict[tuple[int, str], set[Owner]] = {key: set(ids) for key, ids in owners.items()}
    keys = {f"{fieldid} {fold(text)}": (fieldid, fold(text)) for fieldid, texts in wanted.items() for text in texts}
    for name, taken_by in memory.get_many(_TAKEN, list(keys)).items():
        merged.setdefault(keys[name], set()).update(taken_by)
    held = memory.get_many(_HELD, [f"{fieldid} {owner}" for (fieldid, _text), of in merged.items() for owner in of])
    return {
        (fieldid, text): {owner for owner in of if held.get(f"{fieldid} {owner}", text) == text}
        for (fieldid, text), of in merged.items()
    }
