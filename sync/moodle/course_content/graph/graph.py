"""Moodle's course tables as data: what belongs to a course, through which column, and in which order it goes.

A table belongs to the course through `parent` and `fk`: its rows are those whose fk holds the parent row's id. The parents
`course` and `context` (the contexts from the course down to its activities and blocks) are where every chain ends.
Source: Moodle's schema of the captured releases; docs/decisions/0010-courses-as-data.md
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cache, cached_property
from graphlib import TopologicalSorter
from importlib.resources import files
from typing import Any, NamedTuple

from sync.errors import MoodleSchemaError
from sync.moodle.db.database import MoodleSession

COURSE, CONTEXT = "course", "context"
_MODULE = "mod_"
# Columns that name a course, a user, a context or an activity, whatever the table.
TELLING_COLUMNS = frozenset(
    ("contextid", "cm", "cmid", "course", "courseid", "coursemodule", "coursemoduleid", "userid")
)


class Kind(StrEnum):
    """What the rows of a table are; graph.json explains each."""

    ROOT = "root"
    CONTENT = "content"
    USER = "user"
    MIXED = "mixed"
    TRANSIENT = "transient"
    HISTORY = "history"
    SITE = "site"
    CONTEXT = "context"
    FILES = "files"


class Link(NamedTuple):
    """How rows belong to a parent row.

    Shape: where: (column, value) that the rows must hold besides; is_copied: the rows go into a copy of the parent
    """

    fk: str
    parent: str
    parentkey: str = "id"
    where: tuple[tuple[str, Any], ...] = ()
    is_copied: bool = True


class Reference(NamedTuple):
    """A column that holds ids of another table. Shape: how: a word that graph.json explains; to: "" = depends."""

    column: str
    to: str
    how: str


@dataclass(frozen=True)
class GraphTable:
    """One table.

    Shape: area: "core", "core_question" or the plugin, "mod_quiz"; links: the ways by which rows belong to a course, () for
    tables of the site; is_kept: Moodle keeps the rows of a deleted course; userdata: SQL that selects the user rows of a
    mixed table; dates: columns that move with the course; usercolumns: who made or changed a row
    """

    name: str
    area: str
    kind: Kind
    links: tuple[Link, ...] = ()
    references: tuple[Reference, ...] = ()
    is_kept: bool = False
    is_copied: bool = True
    userdata: str = ""
    dates: tuple[str, ...] = ()
    usercolumns: tuple[str, ...] = ()


class GraphFileArea(NamedTuple):
    """Files that belong to rows. Shape: itemid: the table whose id it is, "0" for none; context: where they hang."""

    component: str
    filearea: str
    context: str
    itemid: str
    is_userdata: bool


@dataclass(frozen=True)
class CourseGraph:
    """All tables, by name.

    Shape: question_types: those whose tables are known, or that have none; site_columns: table -> columns that name a course,
    a user, a context or an activity without making the row a part of it
    """

    tables: Mapping[str, GraphTable]
    question_types: frozenset[str]
    file_areas: Sequence[GraphFileArea] = field(default=(), repr=False)
    site_columns: Mapping[str, frozenset[str]] = field(default_factory=dict, repr=False)

    @cached_property
    def modules(self) -> frozenset[str]:
        """The activities whose tables are known."""
        return frozenset(
            table.name for table in self.tables.values() if table.kind is Kind.ROOT and table.area.startswith(_MODULE)
        )

    @cached_property
    def delete_order(self) -> tuple[str, ...]:
        """The tables that belong to a course, children before their parents."""
        parents = {
            table.name: sorted({link.parent for link in table.links} - {COURSE, CONTEXT, table.name})
            for table in self.tables.values()
            if table.links
        }
        return tuple(reversed(tuple(TopologicalSorter(parents).static_order())))

    @cached_property
    def levels(self) -> Mapping[str, int]:
        """How many steps a table is away from course and context, by the shortest way."""
        levels = {COURSE: 0, CONTEXT: 0}
        for name in reversed(self.delete_order):
            levels[name] = 1 + min(levels[link.parent] for link in self.tables[name].links)
        return levels

    def of_course(self) -> Iterator[GraphTable]:
        """Return the tables whose rows go with a course, in the order in which they go."""
        for name in self.delete_order:
            table = self.tables[name]
            if table.kind not in (Kind.HISTORY, Kind.SITE) and not self.stays(table):
                yield table

    def with_tables(self, tables: Iterable[GraphTable], question_types: Iterable[str] = ()) -> CourseGraph:
        """Return the graph with the tables of further plugins."""
        added = {table.name: table for table in tables}
        return replace(self, tables={**self.tables, **added}, question_types=self.question_types.union(question_types))

    def knows(self, name: str) -> bool:
        """Return whether a table is named here."""
        return name in self.tables or name in self.site_columns

    def names_in(self, name: str) -> frozenset[str]:
        """Return the columns of a table that are accounted for: all of those whose rows go with a course."""
        table = self.tables.get(name)
        if table is not None and (table.links or table.kind is not Kind.SITE):
            return TELLING_COLUMNS
        named = {*table.usercolumns, *(reference.column for reference in table.references)} if table else set()
        return self.site_columns.get(name, frozenset()) | named

    def check(self, session: MoodleSession) -> None:
        """Hold the columns that tie the tables together against the real ones.

        Raises: MoodleSchemaError naming the first that isn't there
        """
        present = [table for table in self.of_course() if session.database.has_table(table.name)]
        session.database.load_tables([table.name for table in present], session.connection)
        for table in present:
            for name in {name for link in table.links for name in (link.fk, *dict(link.where))}:
                if name not in session.table(table.name).c:
                    raise MoodleSchemaError("moodle_column_missing", table=table.name, column=name)

    def stays(self, table: GraphTable) -> bool:
        """Return whether Moodle leaves the rows of a table, or of its parents, when their course is deleted."""
        return table.is_kept or any(
            link.parent in self.tables and link.parent != table.name and self.stays(self.tables[link.parent])
            for link in table.links[:1]
        )


@cache
def load_graph() -> CourseGraph:
    """Read the graph of Moodle's own tables."""
    document = json.loads(files(__package__).joinpath("graph.json").read_text(encoding="utf-8"))
    return CourseGraph(
        {row["table"]: _table(row) for row in document["tables"]},
        frozenset(document["question_types"]),
        tuple(
            GraphFileArea(
                row["component"], row["filearea"], row["context"], str(row["itemid"]), bool(row.get("userdata", False))
            )
            for row in document["fileareas"]
        ),
        {name: frozenset(columns) for name, columns in document["sitecolumns"].items()},
    )


def _table(row: Mapping[str, Any]) -> GraphTable:
    links = [row, *row.get("also", ())] if "fk" in row else []
    return GraphTable(
        name=row["table"],
        area=row["area"],
        kind=Kind(row["kind"]),
        links=tuple(
            Link(
                link["fk"],
                link["parent"],
                link.get("parentkey", "id"),
                tuple(link.get("where", {}).items()),
                is_copied=link is row or "copy" not in link,
            )
            for link in links
        ),
        references=tuple(
            Reference(reference["column"], reference["to"] or "", reference["how"]) for reference in row.get("refs", ())
        ),
        is_kept=row.get("delete") == "keep",
        is_copied=row.get("copy") is None,
        userdata=row.get("userdata", ""),
        dates=tuple(row.get("dates", ())),
        usercolumns=tuple(row.get("usercolumns", ())),
    )
