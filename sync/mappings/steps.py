"""The steps of a mapping: how one column of the file type comes about from the columns of a file. Plain data.

A step takes the cells of its sources, in their order, and gives the text of one cell. The sources are keys of
`sync.mappings.header_keys`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

from sync.columns.words import folded

SHORTEST_SPLIT = 2


@dataclass(frozen=True)
class Words:
    """Cells that become others: "Femme" -> "F".

    Shape: pairs: cell -> what it becomes, compared without case and accents, "" = an empty cell; otherwise: what every other
    filled cell becomes, None = it stays as it is
    """

    pairs: Mapping[str, str] = field(default_factory=dict)
    otherwise: str | None = None

    @cached_property
    def _by_fold(self) -> dict[str, str]:
        return {folded(cell.strip()): value for cell, value in self.pairs.items()}

    def value_of(self, text: str) -> str:
        found = self._by_fold.get(folded(text))
        if found is not None:
            return found
        return text if self.otherwise is None or not text else self.otherwise

    def __bool__(self) -> bool:
        return bool(self.pairs) or self.otherwise is not None


NO_WORDS = Words()


@dataclass(frozen=True)
class Step(ABC):
    """How a column comes about. Shape: target: name of a column of the file type"""

    kind: ClassVar[str]
    target: str
    words: Words = field(default=NO_WORDS, kw_only=True)

    @property
    @abstractmethod
    def sources(self) -> tuple[str, ...]:
        """The columns of the file that it needs."""

    @abstractmethod
    def text(self, cells: Sequence[str]) -> str:
        """Return the cell, before its words are translated. Shape: cells: of the sources"""

    def value(self, cells: Sequence[str]) -> str:
        """Return the cell. Shape: cells: of the sources"""
        text = self.text(cells)
        return self.words.value_of(text) if self.words else text


@dataclass(frozen=True)
class Copy(Step):
    """The cell as it is."""

    kind = "copy"
    source: str

    @property
    def sources(self) -> tuple[str, ...]:
        return (self.source,)

    def text(self, cells: Sequence[str]) -> str:
        return cells[0]


@dataclass(frozen=True)
class Part(Step):
    """A part of a cell: "LOVELACE Ada" -> "LOVELACE", "Ada".

    Shape: number: 1-based; to_end: with all that stands behind it
    """

    kind = "part"
    source: str
    separator: str
    number: int
    to_end: bool = False

    @property
    def sources(self) -> tuple[str, ...]:
        return (self.source,)

    def text(self, cells: Sequence[str]) -> str:
        parts = cells[0].split(self.separator, self.number - 1 if self.to_end else self.number)
        return parts[self.number - 1].strip() if self.number <= len(parts) else ""


@dataclass(frozen=True)
class Join(Step):
    """Several cells with a separator between them; empty ones are left out."""

    kind = "join"
    parts: tuple[str, ...]
    separator: str = " "

    @property
    def sources(self) -> tuple[str, ...]:
        return self.parts

    def text(self, cells: Sequence[str]) -> str:
        return self.separator.join(filter(None, cells))


@dataclass(frozen=True)
class Constant(Step):
    """The same in every row."""

    kind = "constant"
    constant: str

    @property
    def sources(self) -> tuple[str, ...]:
        return ()

    def text(self, cells: Sequence[str]) -> str:
        return self.constant
