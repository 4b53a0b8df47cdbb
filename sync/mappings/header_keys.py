"""By what the columns of a file are told apart, and files of the same header are known again."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections import Counter
from collections.abc import Sequence

from sync.columns.cell_texts import without_invisible
from sync.columns.file_columns import ADDED_COLUMNS


def column_keys(names: Sequence[str]) -> tuple[str, ...]:
    """Return a key for each column: its name in one form; the second of two columns of a name has its number behind it.

    A column without a name has that of its place, "(3)".
    """
    seen: Counter[str] = Counter()
    keys = []
    for place, name in enumerate(names, start=1):
        key = _normal(name) or f"({place})"
        seen[key] += 1
        keys.append(key if seen[key] == 1 else f"{key} ({seen[key]})")
    return tuple(keys)


def own_names(names: Sequence[str]) -> list[str]:
    """Return the names of a header without those that a tryback adds, and without the empty ones at its end."""
    own = [name for name in names if name.lower() not in ADDED_COLUMNS]
    while own and not own[-1]:
        own.pop()
    return own


def fingerprint_of(names: Sequence[str]) -> str:
    """Return what headers have in common that are the same, in any case; in any order where no name stands there twice."""
    keys = column_keys(own_names(names))
    is_order_free = len({_normal(name) for name in own_names(names)}) == len(keys)
    text = json.dumps(sorted(keys) if is_order_free else list(keys), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _normal(name: str) -> str:
    return " ".join(unicodedata.normalize("NFC", without_invisible(name)).casefold().split())
