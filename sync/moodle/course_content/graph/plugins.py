"""Tables of third-party activities and question types, from the description that each plugin brings: db/install.xml.

For developers who make a plugin known: nothing of ToolSync reads such descriptions by itself.
A table belongs to the activity when a foreign key leads from it to the activity's own table, by however many steps.
Source: Moodle's XMLDB; docs/adding-a-plugin.md
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple
from xml.etree import ElementTree as ET

from sync.errors import DeclarationError
from sync.moodle.course_content.graph.graph import COURSE, CourseGraph, GraphTable, Kind, Link

_MODULE, _QUESTION_TYPE = "mod_", "qtype_"
_USER_COLUMNS = frozenset(("userid", "user", "authorid", "reviewerid"))


class _Described(NamedTuple):
    """A table of a description. Shape: keys: column -> (table, column) that it refers to."""

    name: str
    columns: frozenset[str]
    keys: Mapping[str, tuple[str, str]]


def with_description(graph: CourseGraph, xml: str) -> CourseGraph:
    """Return the graph with the tables of one plugin.

    Raises: DeclarationError
    """
    plugin, tables = _read(xml)
    if plugin.startswith(_MODULE):
        root = plugin.removeprefix(_MODULE)
        if COURSE not in next((table.columns for table in tables if table.name == root), ()):
            raise DeclarationError(f"{plugin}: no table {root} with a column {COURSE}")
        return graph.with_tables(_linked(graph, plugin, tables, root))
    if plugin.startswith(_QUESTION_TYPE):
        return graph.with_tables(_linked(graph, plugin, tables), [plugin.removeprefix(_QUESTION_TYPE)])
    raise DeclarationError(f"{plugin} is neither an activity nor a question type")


def _read(xml: str) -> tuple[str, list[_Described]]:
    """Return the plugin ("mod_x") and its tables."""
    if "<!DOCTYPE" in xml or "<!ENTITY" in xml:
        raise DeclarationError("an install.xml defines no entities")
    try:
        document = ET.fromstring(xml)  # noqa: S314 (an administrator's file; entities were refused)
    except ET.ParseError as error:
        raise DeclarationError(f"install.xml can't be read: {error}") from error
    path = document.get("PATH", "").strip("/").split("/")
    kinds = {("mod",): _MODULE, ("question", "type"): _QUESTION_TYPE}
    if document.tag != "XMLDB" or len(path) < 3 or tuple(path[:-2]) not in kinds:
        raise DeclarationError(f"install.xml of an unknown kind of plugin: {'/'.join(path)}")
    return kinds[tuple(path[:-2])] + path[-2], [_described(table) for table in document.iter("TABLE")]


def _described(table: ET.Element) -> _Described:
    keys = {
        key.get("FIELDS", ""): (key.get("REFTABLE", ""), key.get("REFFIELDS", "id"))
        for key in table.iter("KEY")
        if key.get("TYPE", "").startswith("foreign")
    }
    return _Described(table.get("NAME", ""), frozenset(field.get("NAME", "") for field in table.iter("FIELD")), keys)


def _linked(graph: CourseGraph, plugin: str, tables: list[_Described], root: str = "") -> Iterator[GraphTable]:
    """Return the tables in the order in which each finds its parent.

    Raises: DeclarationError when a table has no way to the activity or the question
    """
    parents = {"question"} if not root else set()
    waiting = {table.name: table for table in tables}
    if root:
        yield GraphTable(root, plugin, Kind.ROOT, (Link(COURSE, COURSE),))
        parents.add(root)
        del waiting[root]
    while waiting:
        found = {
            name: (column, *target)
            for name, table in waiting.items()
            for column, target in table.keys.items()
            if target[0] in parents
        }
        if not found:
            raise DeclarationError(
                f"{plugin}: no foreign key leads from {', '.join(sorted(waiting))} to {root or 'question'}"
            )
        for name, (column, parent, parentkey) in found.items():
            is_user = bool(_USER_COLUMNS & waiting.pop(name).columns) or (
                parent in graph.tables and graph.tables[parent].kind is Kind.USER
            )
            yield GraphTable(name, plugin, Kind.USER if is_user else Kind.CONTENT, (Link(column, parent, parentkey),))
        parents |= found.keys()
