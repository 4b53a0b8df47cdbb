"""The columns of a file on the page of a new import: what each becomes, as chosen so far."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import NamedTuple

from django.http import QueryDict
from django.utils.functional import cached_property

from sync.columns.file_columns import ADDED_COLUMNS, Columns
from sync.columns.synonyms import suggestion
from sync.errors import MappingError
from sync.mappings.choices import (
    ColumnChoice,
    choice_of,
    constants_of,
    own_column,
    target_names,
    with_choice,
    with_constants,
)
from sync.mappings.column_mapping import ColumnMapping, read_mapping
from sync.mappings.file_check import FileCheck
from sync.mappings.header_keys import column_keys, fingerprint_of
from sync.web.filters import number_in

# More are on further pages: each has a list of all that it may become.
COLUMNS_SHOWN = 40
# Of more columns than that each of those that are shown would have a list of thousands.
_MOST_LISTED = 120
_LIKELY = 3
_LEAST_ALIKE = 0.6
_LONGEST_COMPARED = 60
# Rows of the table of constants that are still empty.
_EMPTY_CONSTANTS = 1


class ColumnRow(NamedTuple):
    """One column of the file as the page shows it.

    Shape: name: "" where it has none; likely, others: what it may become; used_for: what takes it besides, in words of columns;
    faults: cells that can't be used, of those looked at
    """

    place: int
    name: str
    samples: Sequence[str]
    choice: ColumnChoice
    likely: Sequence[str]
    others: Sequence[str]
    used_for: str
    faults: int

    @property
    def has_more(self) -> bool:
        """Whether there is more to it than what it becomes."""
        return self.choice != ColumnChoice(self.choice.to)


class Missing(NamedTuple):
    """A column that the file must have and hasn't. Shape: names: one, or those of which one is enough"""

    names: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.names[0]


class ImportColumns:
    """What the columns of a file become.

    Shape: sent: the form; start: the mapping to begin with; damage: why the mapping that was sent can't be read
    """

    def __init__(self, columns: Columns, spelled: Sequence[str], sent: QueryDict, start: ColumnMapping) -> None:
        self._columns = columns
        self._spelled = spelled
        self._keys = column_keys(spelled)
        self._own = {key: own_column(columns, name) for key, name in zip(self._keys, spelled, strict=True)}
        self._sent = sent if sent.get("shown_header") == fingerprint_of(spelled) else QueryDict()
        self._start = start
        self.damage: MappingError | None = None

    @property
    def fingerprint(self) -> str:
        """By which the form knows that it is about this header."""
        return fingerprint_of(self._spelled)

    @cached_property
    def mapping(self) -> ColumnMapping:
        """The mapping as the form has it; one that can't be read is `damage`, and the one to begin with stands for it."""
        if "mapping" not in self._sent:
            return self._start
        try:
            mapping = read_mapping(_json(self._text("mapping")))
        except MappingError as error:
            self.damage = error
            return self._start
        return self._edited(mapping)

    def _edited(self, mapping: ColumnMapping) -> ColumnMapping:
        """Return the mapping with what the form says of the columns that it shows."""
        for place in range(self._sent_first, min(self._sent_first + COLUMNS_SHOWN, len(self._keys))):
            key = self._keys[place]
            current = choice_of(mapping, key, self._own[key])
            if (chosen := self._chosen(place, current)) != current:
                mapping = with_choice(mapping, key, self._own[key], chosen)
        mapping = self._with_needed(mapping)
        constants = self._constants()
        return mapping if constants == constants_of(mapping) else with_constants(mapping, constants)

    @property
    def data(self) -> str:
        """The mapping as the form carries it along."""
        return json.dumps(self.mapping.data(), ensure_ascii=False)

    @cached_property
    def first(self) -> int:
        """The first column that is shown."""
        wanted = number_in(self._sent.get("first_column", ""))
        first = self._sent_first if wanted is None else wanted
        return first if first < len(self._keys) else 0

    @property
    def pages(self) -> list[tuple[int, int, int]]:
        """The pages of columns where there are several. Shape: first column from 0, first and last as people count"""
        count = len(self._keys)
        if count <= COLUMNS_SHOWN:
            return []
        return [(at, at + 1, min(at + COLUMNS_SHOWN, count)) for at in range(0, count, COLUMNS_SHOWN)]

    def rows(self, check: FileCheck) -> list[ColumnRow]:
        """Return the columns that are shown."""
        names = target_names(self._columns)
        return [
            self._row(place, check, names) for place in self._shown if self._spelled[place].lower() not in ADDED_COLUMNS
        ]

    @property
    def _near(self) -> range:
        first = max(0, min(self.first - _MOST_LISTED // 2, len(self._keys) - _MOST_LISTED))
        return range(first, min(first + _MOST_LISTED, len(self._keys)))

    @property
    def _shown(self) -> range:
        return range(self.first, min(self.first + COLUMNS_SHOWN, len(self._keys)))

    @property
    def places(self) -> list[tuple[int, str]]:
        """The columns that a missing one may be made from: of very many those around the shown ones. Shape: place, name"""
        return [(place, self._spelled[place]) for place in self._near if self._spelled[place]]

    @property
    def keys(self) -> list[tuple[str, str]]:
        """The columns to join with: of very many those around the ones that are shown. Shape: key, name"""
        near = self._near
        joined = {choice_of(self.mapping, self._keys[at], self._own[self._keys[at]]).joined for at in self._shown}
        return [
            (key, name)
            for place, (key, name) in enumerate(zip(self._keys, self._spelled, strict=True))
            if name and (place in near or key in joined)
        ]

    @property
    def names(self) -> list[str]:
        """What can be the same in every row."""
        return target_names(self._columns)

    @property
    def constants(self) -> list[tuple[int, str, str]]:
        """What is the same in every row, and an empty line. Shape: number, target, value"""
        rows = [*constants_of(self.mapping).items(), *[("", "")] * _EMPTY_CONSTANTS]
        return [(number, target, value) for number, (target, value) in enumerate(rows)]

    @cached_property
    def made(self) -> set[str]:
        """The columns of the file type that rows have."""
        mapping = self.mapping
        stays = {
            own for key, own in self._own.items()
            if own and key not in mapping.left_out and key not in mapping.sources
        }  # fmt: skip
        found = (self._columns.find(step.target) for step in mapping.steps)
        return stays | {column[1] for column in found if column is not None}

    @property
    def missing(self) -> list[Missing]:
        """The columns that the file must have and hasn't."""
        missing = [
            Missing((column.name,)) for column in self._columns if column.required and column.name not in self.made
        ]
        one_of = self._columns.one_of
        return [*missing, Missing(one_of)] if one_of and self.made.isdisjoint(one_of) else missing

    def _text(self, name: str, other: str = "") -> str:
        """Return a field of the form, or another text where it hasn't got that field."""
        return self._sent.get(name, other)

    @property
    def _sent_first(self) -> int:
        return number_in(self._sent.get("shown_first", "")) or 0

    def _row(self, place: int, check: FileCheck, names: Sequence[str]) -> ColumnRow:
        key, name = self._keys[place], self._spelled[place]
        choice = choice_of(self.mapping, key, self._own[key])
        likely = _likely(self._columns, name, names)
        others = [other for other in names if other not in likely]
        known = {*likely, *others}
        likely += [chosen for chosen in (choice.to, choice.also, choice.rest) if chosen and chosen not in known]
        used = [step.target for step in self.mapping.steps if key in step.sources[1:]]
        return ColumnRow(
            place, name, check.samples.get(place, ()), choice, likely, others, ", ".join(used), check.faults[place]
        )

    def _chosen(self, place: int, current: ColumnChoice) -> ColumnChoice:
        """Return what the form says of a column; what it doesn't say stays."""
        sent = {name: self._text(f"{name}_{place}", value) for name, value in current._asdict().items()}
        sent["words"] = "\n".join(sent["words"].split("\r\n")).strip()
        return ColumnChoice(
            **{name: value if name in ("split", "glue") else value.strip() for name, value in sent.items()}
        )

    def _with_needed(self, mapping: ColumnMapping) -> ColumnMapping:
        """Return the mapping with the columns that the file lacked made from those that were chosen for them."""
        for name in (name for name in self._sent if name.startswith("need_") and self._text(name)):
            place = number_in(self._text(name))
            if place is None or place >= len(self._keys):
                continue
            key, target = self._keys[place], name.removeprefix("need_")
            current = choice_of(mapping, key, self._own[key])
            chosen = current._replace(also=target) if current.to else current._replace(to=target)
            mapping = with_choice(mapping, key, self._own[key], chosen)
        return mapping

    def _constants(self) -> dict[str, str]:
        numbers = [name.removeprefix("same_") for name in self._sent if name.startswith("same_")]
        pairs = ((self._text(f"same_{number}"), self._text(f"value_{number}").strip()) for number in numbers)
        return {target: value for target, value in pairs if target and value}


def _likely(columns: Columns, name: str, names: Sequence[str]) -> list[str]:
    """Return what a column of this name probably becomes, the likeliest first."""
    if not name or len(name) > _LONGEST_COMPARED:
        return []
    own, meant = own_column(columns, name), suggestion(columns, name.lower())
    alike = get_close_matches(name.lower(), names, _LIKELY, _LEAST_ALIKE)
    return list(dict.fromkeys(filter(None, (own, meant, *alike))))[:_LIKELY]


def _json(text: str) -> Mapping[str, object]:
    """Raises: MappingError"""
    try:
        found: Mapping[str, object] = json.loads(text)
    except (ValueError, RecursionError):
        raise MappingError("mapping_damaged") from None
    return found
