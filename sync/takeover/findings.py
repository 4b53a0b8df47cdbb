"""What a take-over finds: each thing that the plugin has left, and what becomes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sync.messages import text_of


class Fate(StrEnum):
    """What becomes of something that the plugin has left."""

    # Would be, or was, set.
    SET = "set"
    # Is so already.
    SAME = "same"
    # Was set otherwise here, which stays.
    KEPT = "kept"
    # Isn't taken over; the text says why.
    LEFT = "left"


class Part(StrEnum):
    """What kind of thing it is."""

    OPTION = "option"
    SOURCE = "source"
    FILE = "file"
    SCHEDULE = "schedule"
    RETENTION = "retention"
    OTHER = "other"


@dataclass(frozen=True)
class TakenItem:
    """One thing that the plugin has left.

    Shape: name: as the plugin calls it; subject: keys of file types, or the path of a file; value: as it is here
    afterwards, without secrets; code, params: of sync.messages, why or how, "" = there is nothing to say
    """

    part: Part
    fate: Fate
    name: str
    subject: str = ""
    value: str = ""
    code: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)

    @property
    def said(self) -> str:
        return text_of(self.code, self.params) if self.code else ""


def counts_of(items: Sequence[TakenItem]) -> dict[str, int]:
    """Return how many items have each fate."""
    return {fate.value: sum(item.fate is fate for item in items) for fate in Fate}
