"""Characters that turn the direction of text, shown instead of obeyed: with them a name reads as another than it is."""

from __future__ import annotations

# Embeddings, overrides, isolates and marks of the bidirectional algorithm (UAX 9).
_CONTROLS = (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
_MARKS = {control: f"[U+{control:04X}]" for control in _CONTROLS}
_SIGNS = tuple(map(chr, _CONTROLS))


def with_direction_marks(text: str) -> str:
    """Return a text in which each such character stands as "[U+202E]"."""
    return text.translate(_MARKS) if any(sign in text for sign in _SIGNS) else text
