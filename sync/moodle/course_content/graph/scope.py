"""Which rows belong to some courses: conditions for SELECT, by sub-select, so that no list of rows is ever held."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from sync.moodle.course_content.graph.graph import CONTEXT, COURSE, CourseGraph, GraphTable, Link
from sync.moodle.courses.courses import Course
from sync.moodle.db.database import MoodleSession
from sync.moodle.versions import CONTEXT_BLOCK, CONTEXT_COURSE, CONTEXT_MODULE

_PROBES_PER_QUERY = 50


class Scope(NamedTuple):
    """Courses, and all contexts from them down: of activities, of blocks, and of what else hangs below."""

    courseids: tuple[int, ...]
    contextids: tuple[int, ...]


def fetch_scope(session: MoodleSession, courses: Sequence[Course]) -> Scope:
    """Find the contexts of courses, by what they belong to and by their paths: either may be broken.

    Queries: two
    """
    context, cm, block = session.table("context"), session.table("course_modules"), session.table("block_instances")
    courseids = tuple(sorted(course.id for course in courses))
    modules = sa.select(cm.c.id).where(cm.c.course.in_(inline(courseids)))
    selects = [
        sa.select(context.c.id).where(context.c.contextlevel == CONTEXT_COURSE, context.c.instanceid.in_(inline(courseids))),
        sa.select(context.c.id).where(context.c.contextlevel == CONTEXT_MODULE, context.c.instanceid.in_(modules)),
        *(sa.select(context.c.id).where(context.c.path.like(f"{course.path}/%")) for course in courses if course.path),
    ]  # fmt: skip
    found = {contextid for (contextid,) in session.fetch(sa.union(*selects))}
    blocks = sa.select(block.c.id).where(block.c.parentcontextid.in_(inline(found)))
    of_blocks = sa.select(context.c.id).where(context.c.contextlevel == CONTEXT_BLOCK, context.c.instanceid.in_(blocks))
    found.update(contextid for (contextid,) in session.fetch(of_blocks))
    return Scope(courseids, tuple(sorted(found)))


def paths_to(graph: CourseGraph, table: GraphTable) -> Iterator[tuple[Link, ...]]:
    """Return every way from a table up to `course` or `context`."""
    for link in table.links:
        if link.parent in (COURSE, CONTEXT):
            yield (link,)
        else:
            for rest in paths_to(graph, graph.tables[link.parent]):
                yield (link, *rest)


def rows_on_path(session: MoodleSession, name: str, path: Sequence[Link], scope: Scope) -> list[sa.ColumnElement[bool]]:
    """Return the conditions under which rows of a table belong to the scope by this way."""
    link, *rest = path
    table = session.table(name)
    conditions = [table.c[column] == value for column, value in link.where]
    if link.parent in (COURSE, CONTEXT):
        ids = scope.courseids if link.parent == COURSE else scope.contextids
        return [table.c[link.fk].in_(inline(ids)), *conditions]
    parent = session.table(link.parent)
    keys = sa.select(parent.c[link.parentkey]).where(*rows_on_path(session, link.parent, rest, scope))
    return [table.c[link.fk].in_(keys), *conditions]


def fetch_filled(session: MoodleSession, graph: CourseGraph, scope: Scope) -> list[tuple[GraphTable, tuple[Link, ...]]]:
    """Return the tables that hold rows of the scope, each with the way by which, in the order in which they go.

    Queries: one for each step of the graph, whatever the courses hold; a table is asked only where its parent has rows
    """
    filled: set[tuple[str, tuple[Link, ...]]] = set()
    tables = [table for table in graph.of_course() if session.database.has_table(table.name)]
    waiting = [(table.name, path) for table in tables for path in paths_to(graph, table)]
    for step in range(1, max((len(path) for _name, path in waiting), default=0) + 1):
        asked = [
            (name, path)
            for name, path in waiting
            if len(path) == step and (step == 1 or (path[0].parent, path[1:]) in filled)
        ]
        for start in range(0, len(asked), _PROBES_PER_QUERY):
            part = asked[start : start + _PROBES_PER_QUERY]
            probes = [_exists(session, name, path, scope).label(f"p{at}") for at, (name, path) in enumerate(part)]
            answers = session.fetch(sa.select(*probes))[0]
            filled.update(probe for probe, is_filled in zip(part, answers, strict=True) if is_filled)
    return [(table, path) for table in tables for path in paths_to(graph, table) if (table.name, path) in filled]


def inline(ids: Collection[int]) -> sa.BindParameter[Any]:
    """Write ids into the statement itself: as parameters they would be too many for SQLite."""
    return sa.bindparam(
        None, [int(rowid) for rowid in ids], type_=sa.BigInteger(), expanding=True, literal_execute=True
    )


def _exists(session: MoodleSession, name: str, path: Sequence[Link], scope: Scope) -> sa.Exists:
    return sa.exists(sa.select(sa.literal_column("1")).select_from(session.table(name)).where(
        *rows_on_path(session, name, path, scope)
    ))  # fmt: skip
