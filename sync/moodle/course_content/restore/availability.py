"""Conditions under which activities and sections are available: JSON trees that name other things of the course.

Source: spec course_graph.md section 3; Moodle's core_availability\\tree
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

# The kinds of conditions that hold an id: its name in the condition, the table, and what Moodle writes for what isn't there.
# Source: update_after_restore() of availability_completion, _grade, _group and _grouping, Moodle 4.1 to 5.1
_NAMED = {
    "completion": ("cm", "course_modules", 0),
    "grade": ("id", "grade_items", 0),
    "group": ("id", "groups", -1),
    "grouping": ("id", "groupings", -1),
}
# Conditions of these kinds go where no groups are restored at all. Source: include_after_restore() of the same
_OF_GROUPS = ("group", "grouping")

Find = Callable[[str, int], int | None]


class Copied(NamedTuple):
    """What conditions are rewritten with.

    Shape: find: (table, old id) -> new id, None = not in the copy; with_groups: whether groups are copied, if there are any
    Units: date_offset: seconds
    """

    find: Find
    with_groups: bool
    date_offset: int


def rewritten(text: str, copied: Copied) -> str | None:
    """Return the conditions for a copy. What depends on something that isn't in it stays shut, as it was; None: no conditions"""
    try:
        tree = json.loads(text)
    except ValueError:
        return None
    kept = _node(tree, copied) if isinstance(tree, dict) else None
    return None if kept is None else json.dumps(kept, separators=(",", ":")).replace("/", "\\/")


def _node(node: dict[str, Any], copied: Copied) -> dict[str, Any] | None:
    if "c" not in node:
        return _leaf(node, copied)
    children = [(_node(child, copied), place) for place, child in enumerate(node["c"])]
    kept = [(child, place) for child, place in children if child is not None]
    if node["c"] and not kept:
        return None
    tree = {**node, "c": [child for child, _place in kept]}
    if isinstance(node.get("showc"), list):
        tree["showc"] = [node["showc"][place] for _child, place in kept if place < len(node["showc"])]
    return tree


def _leaf(leaf: dict[str, Any], copied: Copied) -> dict[str, Any] | None:
    kind = leaf.get("type")
    if kind == "date" and isinstance(leaf.get("t"), int):
        return {**leaf, "t": leaf["t"] + copied.date_offset}
    if kind not in _NAMED:
        return leaf
    name, table, missing = _NAMED[kind]
    old = leaf.get(name)
    # None and negative numbers: any group, the activity before.
    if not isinstance(old, int) or old <= 0:
        return leaf
    if kind in _OF_GROUPS and not copied.with_groups:
        return None
    new = copied.find(table, old)
    return {**leaf, name: missing if new is None else new}
