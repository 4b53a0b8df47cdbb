"""Which columns of Moodle name a row, from the graph of the courses: what must be there for it, and what hangs on it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa

from sync.moodle.course_content.graph.graph import CONTEXT, COURSE, CourseGraph, GraphTable, Kind, load_graph
from sync.moodle.db.database import MoodleSession
from sync.moodle.db.writer import MAX_KEYS, batched
from sync.processors.base.overlay import Overlay, Table
from sync.processors.undo.rules import OF_LIVING_USERS, TRACES

USER, CATEGORY, MODULE = "user", "course_categories", "course_modules"
# Which category a course or a category is in.
PARENT_COLUMNS = {COURSE: "category", CATEGORY: "parent"}

_COLUMNS = {
    COURSE: ("course", "courseid"),
    CONTEXT: ("contextid",),
    USER: ("userid",),
    MODULE: ("cm", "cmid", "coursemodule", "coursemoduleid"),
}
_ID_WORDS = frozenset({"id", "id0", "idpos"})
# Rows that keep nothing back: what happened when, and what Moodle makes anew.
_PASSING = (Kind.HISTORY, Kind.TRANSIENT)


class Naming(NamedTuple):
    """A column that holds ids of some table. Shape: where: (column, value) that the row must hold besides"""

    table: str
    column: str
    where: tuple[tuple[str, Any], ...] = ()


# What the graph doesn't say, as it tells of courses only.
_BESIDE = (
    ("cohort", Naming("cohort_members", "cohortid")),
    ("cohort", Naming("enrol", "customint1", (("enrol", "cohort"),))),
    (COURSE, Naming("enrol", "customint1", (("enrol", "meta"),))),
    (CATEGORY, Naming("course_categories", "parent")),
    (CATEGORY, Naming(COURSE, "category")),
    (CONTEXT, Naming("block_instances", "parentcontextid")),
    ("user_info_field", Naming("user_info_data", "fieldid")),
)


@cache
def namings() -> Mapping[str, frozenset[Naming]]:
    """Return the columns that name rows. Shape: table that is named -> columns"""
    graph = load_graph()
    found: dict[str, set[Naming]] = defaultdict(set)
    for table in graph.tables.values():
        # What Moodle leaves of a deleted course says nothing of what came since.
        if table.kind not in _PASSING and table.name not in TRACES and not graph.stays(table):
            for parent, naming in _of_table(table):
                # What belongs to the site isn't put into a course by those who use it.
                if table.kind is not Kind.SITE or parent == USER:
                    found[parent].add(naming)
    for name, columns in graph.site_columns.items():
        if name not in TRACES:
            for parent, naming in _by_column_names(name, columns):
                found[parent].add(naming)
    for parent, naming in _BESIDE:
        found[parent].add(naming)
    return {parent: frozenset(columns) for parent, columns in found.items()}


def needed_rows(table: str, graph: CourseGraph) -> list[list[Naming]]:
    """Return what a row needs to make sense: of each list one must be there. Shape: Naming.table: that of the needed row"""
    known = graph.tables.get(table)
    needed: list[list[Naming]] = []
    links = known.links if known is not None else ()
    # A link by other columns, or only of some rows, tells nothing of a row that is gone.
    if links and all(link.parentkey == "id" and not link.where for link in links):
        needed.append([Naming(link.parent, link.fk) for link in links])
    if table in OF_LIVING_USERS:
        needed.append([Naming(USER, "userid")])
    beside = [Naming(parent, naming.column) for parent, naming in _BESIDE if naming.table == table and not naming.where]
    return needed + [[naming] for naming in beside]


def fetch_references(
    session: MoodleSession, overlay: Overlay, table: str, ids: Collection[int]
) -> Iterator[tuple[Naming, int, int]]:
    """Return who names some rows, as earlier lines of a simulation would leave it.

    Shape: (the column, id of the row that names, id of the row that is named)
    Queries: one for each column that may name them and 10,000 rows
    """
    for naming in sorted(namings().get(table, ()), key=lambda naming: (naming.table, naming.column)):
        if not session.database.has_table(naming.table):
            continue
        target = session.table(naming.table)
        if naming.column not in target.c or any(name not in target.c for name, _value in naming.where):
            continue
        column = target.c[naming.column]
        # Of the same name, but not a number: what an LTI tool calls its course.
        if not isinstance(column.type, (sa.Integer, sa.Numeric)):
            continue
        conditions = [target.c[name] == value for name, value in naming.where]
        for part in batched(sorted(ids), MAX_KEYS):
            statement = sa.select(target.c.id, column).where(session.in_clause(column, part), *conditions)
            found = {rowid: {"id": rowid, naming.column: named} for rowid, named in session.fetch(statement)}
            left = overlay.over(Table(naming.table), found).rows
            yield from (
                (naming, rowid, row[naming.column])
                for rowid, row in found.items()
                if rowid in left and left[rowid][naming.column] == row[naming.column]
            )


def _of_table(table: GraphTable) -> Iterator[tuple[str, Naming]]:
    for link in table.links:
        if link.parentkey == "id":
            yield link.parent, Naming(table.name, link.fk, link.where)
    for reference in table.references:
        if reference.how in _ID_WORDS and reference.to.isidentifier():
            yield reference.to, Naming(table.name, reference.column)
    for column in table.usercolumns:
        yield USER, Naming(table.name, column)
    yield from _by_column_names(table.name, [name for names in _COLUMNS.values() for name in names])


def _by_column_names(table: str, columns: Collection[str]) -> Iterator[tuple[str, Naming]]:
    for parent, names in _COLUMNS.items():
        for name in names:
            if name in columns and parent != table:
                yield parent, Naming(table, name)
