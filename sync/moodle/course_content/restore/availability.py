"""Conditions under which activities and sections are available: JSON trees that name other things of the course.

Source: spec course_graph.md section 3; Moodle's core_availability\\tree
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

# The kinds of conditions that hold an id: its name in the condition, and the table.
_NAMED = {
    "completion": ("cm", "course_modules"),
    "grade": ("id", "grade_items"),
    "group": ("id", "groups"),
    "grouping": ("id", "groupings"),
}

Find = Callable[[str, int], int | None]


def rewritten(text: str, find: Find, date_offset: int) -> str | None:
    """Return the conditions for a copy; those about something that isn't in the copy go. None when none are left.

    Shape: find: (table, old id) -> new id, None = not in the copy
    """
    try:
        tree = json.loads(text)
    except ValueError:
        return None
    kept = _node(tree, find, date_offset) if isinstance(tree, dict) else None
    return None if kept is None else json.dumps(kept, separators=(",", ":")).replace("/", "\\/")


def _node(node: dict[str, Any], find: Find, date_offset: int) -> dict[str, Any] | None:
    if "c" not in node:
        return _leaf(node, find, date_offset)
    children = [(_node(child, find, date_offset), place) for place, child in enumerate(node["c"])]
    kept = [(child, place) for child, place in children if child is not None]
    if node["c"] and not kept:
        return None
    tree = {**node, "c": [child for child, _place in kept]}
    if isinstance(node.get("showc"), list):
        tree["showc"] = [node["showc"][place] for _child, place in kept if place < len(node["showc"])]
    return tree


def _leaf(leaf: dict[str, Any], find: Find, date_offset: int) -> dict[str, Any] | None:
    kind = leaf.get("type")
    if kind == "date" and isinstance(leaf.get("t"), int):
        return {**leaf, "t": leaf["t"] + date_offset}
    if kind not in _NAMED:
        return leaf
    name, table = _NAMED[kind]
    old = leaf.get(name)
    # None and negative numbers: any group, the activity before.
    if not isinstance(old, int) or old <= 0:
        return leaf
    new = find(table, old)
    return None if new is None else {**leaf, name: new}
