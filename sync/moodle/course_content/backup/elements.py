"""The XML of course backups as data: which elements are rows of which tables. Kept in backup_graph.json.

Source: spec backup_format.md; Moodle's backups of 4.1, 4.5 and 5.1
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

# What becomes of a column: see "set" in backup_graph.json.
Fills = Mapping[str, str]
# column -> values, as text; "@table" as in fills
Values = Mapping[str, tuple[str | None, ...]]


# The outermost element of a module's own file.
_INSTANCE = "activity"


@dataclass(frozen=True)
class Further:
    """A row that another one brings along. Shape: condition: a column that must hold something, "" for always"""

    table: str
    fills: Fills
    condition: str = ""


@dataclass(frozen=True)
class Element:
    """What an element stands for. Shape: table: "" for what isn't read; the rest as backup_graph.json explains it"""

    table: str = ""
    fills: Fills = field(default_factory=dict)
    renamed: Mapping[str, str] = field(default_factory=dict)
    only: Values = field(default_factory=dict)
    never: Values = field(default_factory=dict)
    tells: Mapping[str, str] = field(default_factory=dict)
    has_own_id: bool = False
    is_shared: bool = False
    further: Further | None = None


@dataclass
class Node:
    """A place in an XML file. Shape: children: what is known to stand in it"""

    element: Element | None = None
    children: dict[str, Node] = field(default_factory=dict)

    def at(self, path: str) -> Node:
        """Return the node at a path, made where it isn't there: "/course/tags/tag"."""
        node = self
        for name in path.strip("/").split("/"):
            node = node.children.setdefault(name, Node())
        return node


@cache
def load_elements() -> Mapping[str, Node]:
    """Return what stands in each kind of XML file: "groups.xml", "activity/forum.xml"."""
    document = json.loads(files(__package__).joinpath("backup_graph.json").read_text(encoding="utf-8"))
    roots: dict[str, Node] = {}
    for kind, rows in document["files"].items():
        root = roots.setdefault(kind, Node())
        for row in rows:
            path = row["path"]
            for short, long in document["prefixes"].items():
                path = path.replace(short, long)
            root.at(path).element = _element(row)
    return roots


def is_of_module(root: Node) -> bool:
    """Tell whether a kind of file holds the instances of one module."""
    return _INSTANCE in root.children


def known_modules() -> frozenset[str]:
    """Return the modules whose activities can be read."""
    return frozenset(
        kind.removeprefix("activity/").removesuffix(".xml")
        for kind, root in load_elements().items()
        if is_of_module(root)
    )


def _element(row: Mapping[str, Any]) -> Element:
    further = row.get("also")
    return Element(
        table=row.get("table", ""),
        fills=row.get("set", {}),
        renamed=row.get("rename", {}),
        only={name: tuple(values) for name, values in row.get("only", {}).items()},
        never={name: tuple(values) for name, values in row.get("never", {}).items()},
        tells=row.get("tells", {}),
        has_own_id=row.get("own_id", False),
        is_shared=row.get("shared", False),
        further=Further(further["table"], further["set"], further.get("if", "")) if further else None,
    )
