"""A live course as the source of content for others: everything in it but what people did."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from sync.moodle.course_content.graph.content_source import BATCH_ROWS, Row, SourceContext, is_content
from sync.moodle.course_content.graph.content_tables import CMS, content_graph
from sync.moodle.course_content.graph.graph import CONTEXT, COURSE, CourseGraph, Kind, Link
from sync.moodle.course_content.graph.scope import fetch_filled, fetch_scope, inline
from sync.moodle.course_content.restore.restored_files import SITE_AREAS
from sync.moodle.course_content.restore.text_links import LiveLinks, fetch_wwwroot
from sync.moodle.courses.courses import Course
from sync.moodle.db.database import MoodleSession
from sync.moodle.db.writer import batched
from sync.moodle.versions import CONTEXT_BLOCK, CONTEXT_COURSE, CONTEXT_MODULE

_MODULE = "mod_"
# About how many rows an activity takes, with its context, its grades and what it consists of.
ROWS_OF_ACTIVITY = 15
# Tables of courses whose rows may lie outside of this one and be used all the same: of the site, of a question bank elsewhere.
_SHARED = frozenset(
    (
        CONTEXT,
        COURSE,
        "scale",
        "grade_outcomes",
        "lti_types",
        "question",
        "question_bank_entries",
        "question_categories",
    )
)


class LiveCourse:
    """The content of a course of the same site."""

    def __init__(self, session: MoodleSession, graph: CourseGraph, course: Course) -> None:
        self.courseid = course.id
        self.with_groups = True
        self.links = LiveLinks(fetch_wwwroot(session))
        self._session = session
        self._graph = graph
        self._content = content_graph(graph)
        self._scope = fetch_scope(session, [course])
        self._paths: dict[str, list[tuple[Link, ...]]] = {}
        for table, path in fetch_filled(session, self._content, self._scope):
            self._paths.setdefault(table.name, []).append(path)

    def tables(self) -> list[str]:
        return list(self._paths)

    def rows(self, table: str) -> Iterator[list[Row]]:
        """Queries: one for the ids, and one for each batch"""
        columns = self._session.table(table).c
        ways = [sa.and_(*self._conditions(table, path)) for path in self._paths.get(table, ())]
        if ways:
            yield from self._batches(table, sa.select(columns.id).where(sa.or_(*ways)))

    def contexts(self) -> dict[int, SourceContext]:
        context = self._session.table(CONTEXT)
        found = self._session.fetch(
            sa.select(context.c.id, context.c.contextlevel, context.c.instanceid).where(
                context.c.id.in_(inline(self._scope.contextids)),
                context.c.contextlevel.in_((CONTEXT_COURSE, CONTEXT_MODULE, CONTEXT_BLOCK)),
            )
        )
        return {rowid: SourceContext(level, instanceid) for rowid, level, instanceid in found}

    def files(self) -> Iterator[list[Row]]:
        files = self._session.table("files")
        areas = {(area.component, area.filearea): area for area in self._graph.file_areas}
        wanted = [files.c.contextid.in_(inline(self._scope.contextids)), *self._files_of_site()]
        for batch in self._batches("files", sa.select(files.c.id).where(sa.or_(*wanted))):
            yield [row for row in batch if is_content(row, areas)]

    def outside(self, table: str, old: int) -> int | None:
        known = self._graph.tables.get(table)
        return old if known is None or known.kind is Kind.SITE or table in _SHARED else None

    def _batches(self, table: str, ids: sa.Select[Any]) -> Iterator[list[Row]]:
        columns = self._session.table(table)
        for part in batched(sorted({rowid for (rowid,) in self._session.fetch(ids)}), BATCH_ROWS):
            found = self._session.fetch(sa.select(columns).where(columns.c.id.in_(inline(part))))
            yield sorted((dict(row._mapping) for row in found), key=lambda row: row["id"])

    def _files_of_site(self) -> Iterator[sa.ColumnElement[bool]]:
        """Files of the scales and outcomes of the course: they hang on the system context."""
        files = self._session.table("files")
        owners = {"scale": "scale", "outcome": "grade_outcomes"}
        for component, filearea in SITE_AREAS:
            owner = self._session.table(owners[filearea])
            ids = sa.select(owner.c.id).where(owner.c.courseid == self.courseid)
            yield sa.and_(files.c.component == component, files.c.filearea == filearea, files.c.itemid.in_(ids))

    def _conditions(self, name: str, path: Sequence[Link]) -> list[sa.ColumnElement[bool]]:
        """As `scope.rows_on_path`, without the rows that people left, at every step."""
        link, *rest = path
        table = self._session.table(name)
        conditions = [table.c[column] == value for column, value in link.where] + self._only_content(name)
        if link.parent in (COURSE, CONTEXT):
            ids = self._scope.courseids if link.parent == COURSE else self._scope.contextids
            return [table.c[link.fk].in_(inline(ids)), *conditions]
        parent = self._session.table(link.parent)
        keys = sa.select(parent.c[link.parentkey]).where(*self._conditions(link.parent, rest))
        return [table.c[link.fk].in_(keys), *conditions]

    def _only_content(self, name: str) -> list[sa.ColumnElement[bool]]:
        table = self._session.table(name)
        graphed = self._content.tables[name]
        conditions = [_CONTENT[name](table)] if name in _CONTENT else []
        if graphed.kind is Kind.ROOT and graphed.area == f"{_MODULE}{name}":
            conditions.append(table.c.id.in_(self._instances(name)))
        return conditions

    def _instances(self, module: str) -> sa.Select[Any]:
        """The activities of a kind that stand in the course: not those that are being deleted, nor orphans."""
        cm, modules = self._session.table(CMS), self._session.table("modules")
        return (
            sa.select(cm.c.instance)
            .join(modules, modules.c.id == cm.c.module)
            .where(cm.c.course == self.courseid, modules.c.name == module, cm.c.deletioninprogress == 0)
        )


def _of_nobody(table: sa.Table) -> sa.ColumnElement[bool]:
    """Overrides for groups; those for people hold a userid."""
    return table.c.userid.is_(None)


# Which rows of the tables that graph.json calls mixed are content.
_CONTENT: Mapping[str, Callable[[sa.Table], sa.ColumnElement[bool]]] = {
    "assign_overrides": _of_nobody,
    "lesson_overrides": _of_nobody,
    "quiz_overrides": _of_nobody,
    "workshop_submissions": lambda table: table.c.example == 1,
    "workshop_assessments": lambda table: table.c.weight == 1,
    "tag_instance": lambda table: table.c.itemtype.not_in(
        ("forum_posts", "glossary_entries", "data_records", "wiki_pages")
    ),
    # Moodle makes those of activities anew; those of people are theirs.
    "event": lambda table: sa.and_(
        table.c.eventtype.in_(("course", "group")),
        sa.func.coalesce(table.c.modulename, "").in_(("", "0")),
    ),
    "course_modules": lambda table: table.c.deletioninprogress == 0,
}


def fetch_content_weights(session: MoodleSession, courseids: Sequence[int]) -> dict[int, int]:
    """Return for each course a rough number of the rows of its content, by its activities and their files.

    Queries: two; none without courses
    """
    if not courseids:
        return {}
    cm, context, files = map(session.table, (CMS, CONTEXT, "files"))
    ours = cm.c.course.in_(inline(courseids))
    activities = session.fetch(sa.select(cm.c.course, sa.func.count()).where(ours).group_by(cm.c.course))
    in_activities = (
        sa.select(cm.c.course, sa.func.count())
        .join(context, sa.and_(context.c.contextlevel == CONTEXT_MODULE, context.c.instanceid == cm.c.id))
        .join(files, files.c.contextid == context.c.id)
        .where(ours)
        .group_by(cm.c.course)
    )
    number_of_files = dict(session.fetch(in_activities))
    return {courseid: ROWS_OF_ACTIVITY * count + number_of_files.get(courseid, 0) for courseid, count in activities}
