"""How a line of an undo names before-images: "1001:7 1001:12", last line of the chunk and place in its journal."""

from __future__ import annotations

from sync.processors.base.context import ImagePlace


def places_of(entries: str) -> list[ImagePlace]:
    """Return the places of the before-images of one row, in the order of the writes. Raises: ValueError"""
    return [ImagePlace(*map(int, entry.split(":", 1))) for entry in entries.split()]
