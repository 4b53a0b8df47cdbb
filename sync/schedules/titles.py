"""What feeds and file types are called where people read of them."""

from __future__ import annotations

from sync.models import Schedule, SequenceRun
from sync.processors.registry import REGISTRY


def title_of(shown: Schedule | SequenceRun) -> str:
    """Return the name of a schedule or of one of its starts: its own, or the first and the last file type."""
    if shown.name:
        return shown.name
    ends = dict.fromkeys((shown.processors[0], shown.processors[-1]))
    return " … ".join(map(file_type_label, ends))


def file_type_label(key: str) -> str:
    """Return the label of a file type; its key when the file type is gone."""
    return str(REGISTRY[key].label) if key in REGISTRY else key
