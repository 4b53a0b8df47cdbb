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
from sync.processors.base.processor import SplitChunk
from sync.processors.courses.field_values import column_of, field_values
from sync.values import CleanRow

# Who holds a value: the id of a course, or the short name of one that an earlier row makes.
Owner = int | str
Owners = Mapping[tuple[int, str], Collection[Owner]]


@dataclass(frozen=True)
class UniqueValues:
    """What was read of unique fields. Shape: owners: (fieldid, folded value) -> courses; fold: as the server compares"""

    owners: Owners = field(default_factory=dict)
    fold: Callable[[str], str] = str


class FieldOwners:
    """The unique values of a chunk; later rows see what earlier ones took."""

    def __init__(self, unique: UniqueValues) -> None:
        self._unique = unique
        self.taken: dict[tuple[int, str], Owner] = {}

    def check(
        self,
        fields: Sequence[tuple[CourseField, Mapping[str, Any]]],
        owner: Owner,
        updated: Collection[Owner],
        line: int,
    ) -> None:
        """Look whether the values of a row are another course's. Raises: RowError; SplitChunk where that may have changed

        Shape: owner: the course of the row; updated: courses that earlier rows change
        """
        for custom, values in fields:
            text = str(values["value"])
            if not custom.is_unique or text in ("", "0"):
                continue
            key = (custom.id, self._unique.fold(text))
            others = set(self._unique.owners.get(key, ())) - {owner}
            if others.intersection(updated):
                raise SplitChunk(line)
            if others or self.taken.get(key, owner) != owner:
                raise RowError("course_field_value_taken", column_of(custom), value=text)

    def take(self, fields: Sequence[tuple[CourseField, Mapping[str, Any]]], owner: Owner) -> None:
        """Note that a row fills its course's fields."""
        for custom, values in fields:
            if custom.is_unique:
                self.taken[custom.id, self._unique.fold(str(values["value"]))] = owner

    def remember(self, memory: Memory) -> None:
        """Keep what the rows of a simulation took, for its later chunks."""
        memory.put_many(
            "course field value", {f"{fieldid} {text}": owner for (fieldid, text), owner in self.taken.items()}
        )


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
    """Return the owners with those of earlier chunks of a simulation."""
    merged: dict[tuple[int, str], set[Owner]] = {key: set(ids) for key, ids in owners.items()}
    keys = {f"{fieldid} {fold(text)}": (fieldid, fold(text)) for fieldid, texts in wanted.items() for text in texts}
    for name, owner in memory.get_many("course field value", list(keys)).items():
        merged.setdefault(keys[name], set()).add(owner)
    return merged
