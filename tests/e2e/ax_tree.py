"""What a screen reader is given of a page: the accessibility tree as Chromium computes it, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from playwright.sync_api import Page

CONTROLS = frozenset(
    (
        "button", "link", "textbox", "searchbox", "combobox", "listbox", "checkbox", "radio", "spinbutton", "slider", "switch",
        "menuitem", "tab", "option", "DisclosureTriangle", "progressbar", "ProgressIndicator", "Date", "DateTime", "InputTime",
    )
)  # fmt: skip
_ROWS, _CELLS = ("row",), ("cell", "gridcell", "rowheader", "columnheader")


class AxNode:
    """A node of the tree. Shape: name: as it is read out"""

    def __init__(self, raw: dict[str, Any]) -> None:
        self.role = str(raw.get("role", {}).get("value", ""))
        self.name = " ".join(str(raw.get("name", {}).get("value", "")).split())
        self.is_ignored = bool(raw.get("ignored"))
        self.properties = {entry["name"]: entry["value"].get("value") for entry in raw.get("properties", ())}
        self.children: list[AxNode] = []
        self.child_ids: list[str] = raw.get("childIds", [])

    def walk(self) -> Iterator[AxNode]:
        """Return the node and all below it, in the order in which they are read."""
        yield self
        for child in self.children:
            yield from child.walk()

    def below(self, roles: tuple[str, ...], *, within: str = "table") -> list[AxNode]:
        """Return the nodes of some roles, but for those of a table in a table."""
        found: list[AxNode] = []
        for child in self.children:
            if child.role in roles:
                found.append(child)
            elif child.role != within:
                found += child.below(roles, within=within)
        return found


def tree_of(page: Page) -> AxNode:
    """Return the root of the tree of a page."""
    session = page.context.new_cdp_session(page)
    raw: list[dict[str, Any]] = session.send("Accessibility.getFullAXTree")["nodes"]
    session.detach()
    nodes = {entry["nodeId"]: AxNode(entry) for entry in raw}
    for node in nodes.values():
        node.children = [nodes[child] for child in node.child_ids if child in nodes]
    return nodes[raw[0]["nodeId"]]


def faults_of(root: AxNode) -> list[str]:
    """Return what somebody who hears the page would miss."""
    nodes = [node for node in root.walk() if not node.is_ignored]
    return [*_unnamed(nodes), *_heading_faults(nodes), *_landmark_faults(nodes), *_table_faults(nodes)]


def live_regions(root: AxNode) -> list[AxNode]:
    """Return the parts whose changes are read out."""
    return [
        node for node in root.walk() if node.properties.get("live") in ("polite", "assertive") and not node.is_ignored
    ]


def _unnamed(nodes: list[AxNode]) -> Iterator[str]:
    for node in nodes:
        if node.role in CONTROLS and not node.name:
            yield f"{node.role} without a name: {node.properties}"


def _heading_faults(nodes: list[AxNode]) -> Iterator[str]:
    headings = [(int(node.properties.get("level", 0)), node.name) for node in nodes if node.role == "heading"]
    if [level for level, _name in headings].count(1) != 1:
        yield f"not one heading of the first level: {headings}"
    for (before, _above), (level, name) in zip([(0, ""), *headings], headings, strict=False):
        if level > before + 1:
            yield f"heading “{name}” of level {level} comes after one of level {before}"
        if not name:
            yield f"heading of level {level} without a text"


def _landmark_faults(nodes: list[AxNode]) -> Iterator[str]:
    if sum(node.role == "main" for node in nodes) != 1:
        yield "not one main part"
    navigations = [node.name for node in nodes if node.role == "navigation"]
    if "" in navigations or len(set(navigations)) != len(navigations):
        yield f"navigations that can't be told apart: {navigations}"


def _table_faults(nodes: list[AxNode]) -> Iterator[str]:
    for table in (node for node in nodes if node.role in ("table", "grid")):
        if not table.name:
            yield "table without a name"
        rows = [row.below(_CELLS) for row in table.below(_ROWS)]
        heads = [cell for row in rows for cell in row if cell.role == "columnheader"]
        if not heads:
            yield f"table “{table.name}” without column headers"
        for cell in heads:
            if not cell.name:
                yield f"column of the table “{table.name}” without a name"
        for row in rows:
            # One cell alone goes over all columns: it says that there is nothing.
            if len(row) not in (1, len(heads)):
                yield f"row of the table “{table.name}” with {len(row)} cells under {len(heads)} headers"
