"""A mapping: what the columns of a file become, as data that can be kept and is checked when it is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sync.columns.header import is_secret_name
from sync.errors import MappingError
from sync.mappings.header_keys import column_keys
from sync.mappings.steps import Constant, Copy, Join, Part, Step, Words

# More than any file has; what is beyond them isn't made by our pages.
STEPS_LIMIT = 5000
_WORDS_LIMIT = 500
_TEXT_LIMIT = 500
# A cell is made of so many others, and of a part that people can count.
_JOINED_LIMIT = 10
_PART_LIMIT = 100


@dataclass(frozen=True)
class ColumnMapping:
    """What becomes of the columns of a file. Those that it doesn't name stay as they are.

    Shape: steps: one for each column that is made; left_out: keys of columns that nobody reads; name, version: under which it
    is kept, "" and 0 = it is of one run alone
    """

    steps: tuple[Step, ...] = ()
    left_out: tuple[str, ...] = ()
    name: str = ""
    version: int = 0

    def __bool__(self) -> bool:
        return bool(self.steps or self.left_out)

    @property
    def title(self) -> str:
        """Name and version as people read them, "" = it has none."""
        return f"{self.name} ({self.version})" if self.name else ""

    @cached_property
    def sources(self) -> frozenset[str]:
        """The columns that a file must have."""
        return frozenset(source for step in self.steps for source in step.sources)

    @cached_property
    def _secret_sources(self) -> frozenset[str]:
        return frozenset(source for step in self.steps if is_secret_name(step.target) for source in step.sources)

    def names_with_secrets(self, names: Sequence[str]) -> list[str]:
        """Return the names of a header, in place of those that become passwords one by which these are known."""
        keys = column_keys(names)
        return ["password" if key in self._secret_sources else name for key, name in zip(keys, names, strict=True)]

    def data(self) -> dict[str, Any]:
        """Return it as JSON holds it; `read_mapping` reads it."""
        return {
            "name": self.name,
            "version": self.version,
            "steps": [_step_data(step) for step in self.steps],
            "left_out": list(self.left_out),
        }


def read_mapping(data: object) -> ColumnMapping:
    """Return the mapping that was kept, or sent. Raises: MappingError where it is none"""
    try:
        found = _mapping_of(data)
    except (AttributeError, KeyError, TypeError, ValueError):
        raise MappingError("mapping_damaged") from None
    return found


def _mapping_of(data: object) -> ColumnMapping:
    if not isinstance(data, Mapping) or len(data["steps"]) > STEPS_LIMIT or len(data["left_out"]) > STEPS_LIMIT:
        raise ValueError
    steps = tuple(map(_step_of, data["steps"]))
    return ColumnMapping(steps, _texts(data["left_out"]), _text(data.get("name", "")), int(data.get("version", 0)))


def _step_data(step: Step) -> dict[str, Any]:
    words = {"words": dict(step.words.pairs), "otherwise": step.words.otherwise} if step.words else {}
    data: dict[str, Any] = {"step": step.kind, "target": step.target, **words}
    match step:
        case Copy():
            data |= {"source": step.source}
        case Part():
            data |= {"source": step.source, "separator": step.separator, "number": step.number, "to_end": step.to_end}
        case Join():
            data |= {"parts": list(step.parts), "separator": step.separator}
        case Constant():
            data |= {"constant": step.constant}
    return data


def _step_of(data: Mapping[str, Any]) -> Step:
    """Return one step. Raises: ValueError, KeyError, TypeError, AttributeError"""
    target, words = _text(data["target"]), _words_of(data)
    match data["step"]:
        case "copy":
            return Copy(target, _text(data["source"]), words=words)
        case "part":
            separator, number = _text(data["separator"]), data["number"]
            if (
                not separator
                or isinstance(number, bool)
                or not isinstance(number, int)
                or not 1 <= number <= _PART_LIMIT
            ):
                raise ValueError
            return Part(target, _text(data["source"]), separator, number, bool(data["to_end"]), words=words)
        case "join":
            parts = _texts(data["parts"])
            if len(parts) > _JOINED_LIMIT or len(set(parts)) < len(parts):
                raise ValueError
            return Join(target, parts, _text(data["separator"]), words=words)
        case "constant":
            return Constant(target, _text(data["constant"]), words=words)
    raise ValueError


def _words_of(data: Mapping[str, Any]) -> Words:
    pairs, otherwise = data.get("words", {}), data.get("otherwise")
    if len(pairs) > _WORDS_LIMIT:
        raise ValueError
    return Words(
        {_text(cell): _text(value) for cell, value in pairs.items()}, None if otherwise is None else _text(otherwise)
    )


def _texts(values: Sequence[object]) -> tuple[str, ...]:
    if isinstance(values, str):
        raise TypeError
    return tuple(map(_text, values))


def _text(value: object) -> str:
    if not isinstance(value, str) or len(value) > _TEXT_LIMIT:
        raise ValueError
    return value
