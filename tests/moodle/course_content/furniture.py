"""One row in every table of the graph, hung on a course."""

from __future__ import annotations

from itertools import count
from typing import Any

from sync.moodle.course_content.graph.graph import CONTEXT, COURSE, Link, load_graph
from sync.moodle.schemas import SchemaColumn, load_schema
from tests.moodle_sites import MoodleSite

_NUMBERS = count(1)
# Graphs know neither the activity of a course module nor the type of a question: these are known everywhere.
_FIXED: dict[str, dict[str, Any]] = {"question": {"qtype": "truefalse"}, "course_modules": {"deletioninprogress": 0}}


def furnish(site: MoodleSite, courseid: int, contextid: int) -> dict[str, list[int]]:
    """Put a row into every table, by every way in which it can belong to the course; return their ids."""
    graph, schema = load_graph(), load_schema(site.version)
    site_module = site.one("modules", name="page")["id"]
    ids: dict[str, list[int]] = {COURSE: [courseid], CONTEXT: [contextid]}
    for name in reversed(graph.delete_order):
        table = graph.tables[name]
        if name not in schema.tables:
            continue
        for link in table.links:
            if link.parent in ids:
                row = {**_FIXED.get(name, {}), **dict(link.where)}
                if name == "course_modules":
                    row["module"] = site_module
                ids.setdefault(name, []).append(_hang(site, name, link, ids[link.parent][0], row))
    return ids


def _hang(site: MoodleSite, name: str, link: Link, parentid: int, row: dict[str, Any]) -> int:
    if link.parentkey == "id":
        return insert(site, name, {**row, link.fk: parentid})
    rowid = insert(site, name, row)
    site.execute(
        f"UPDATE {{{link.parent}}} SET {link.parentkey} = :rowid WHERE id = :parent", rowid=rowid, parent=parentid
    )
    return rowid


def insert(site: MoodleSite, name: str, values: dict[str, Any]) -> int:
    """Insert a row; columns that must have a value or be unique get one that no other row has."""
    number, table = next(_NUMBERS), load_schema(site.version).tables[name]
    unique = {column for index in table.indexes if index.unique for column in index.columns}
    row = {
        column.name: _value(column, number)
        for column in table.columns
        if column.name != "id" and (column.name in unique or (not column.nullable and column.default is None))
    }
    return site.insert(name, **{**row, **values})


def _value(column: SchemaColumn, number: int) -> str | int:
    if column.type in ("char", "text"):
        return f"x{number}"[: column.size or 9]
    # No site has rows of these ids: who is named so isn't there, on any site and however many rows were made before.
    return number % 100 if column.size == 1 else 10_000 + number % 20_000
