"""What a reset would take out of each course: rows counted by course, whole sets of courses at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from sync.moodle.course_content.graph.graph import CONTEXT, COURSE, CourseGraph, Link
from sync.moodle.course_content.graph.scope import Scope, inline, paths_to
from sync.moodle.course_content.reset.rules import Rows, condition
from sync.moodle.courses.courses import Course
from sync.moodle.db.database import MoodleSession


@dataclass(frozen=True)
class CourseContexts:
    """Courses and the contexts from them down. Shape: course_of: id of a context -> id of its course"""

    courses: Mapping[int, Course]
    course_of: Mapping[int, int]

    def only(self, courseid: int) -> CourseContexts:
        """Return those of one course."""
        course_of = {contextid: course for contextid, course in self.course_of.items() if course == courseid}
        return CourseContexts({courseid: self.courses[courseid]}, course_of)

    def of(self, courseids: Collection[int]) -> Scope:
        """Return some of the courses."""
        wanted = frozenset(courseids)
        contextids = (contextid for contextid, courseid in self.course_of.items() if courseid in wanted)
        return Scope(tuple(sorted(wanted)), tuple(sorted(contextids)))


def fetch_course_contexts(session: MoodleSession, courses: Sequence[Course]) -> CourseContexts:
    """Find the contexts of courses. Queries: one; none without courses"""
    course_of = {course.contextid: course.id for course in courses}
    context = session.table("context")
    below = [context.c.path.like(f"{course.path}/%") for course in courses if course.path]
    if below:
        for contextid, path in session.fetch(sa.select(context.c.id, context.c.path).where(sa.or_(*below))):
            above = (int(part) for part in path.split("/")[1:])
            course_of[contextid] = next(course_of[part] for part in above if part in course_of)
    return CourseContexts({course.id: course for course in courses}, course_of)


def count_rows(
    session: MoodleSession, graph: CourseGraph, contexts: CourseContexts, rows: Rows, without: Collection[int] = ()
) -> Counter[int]:
    """Count what would go of one table.

    Shape: courseid -> rows; without: people whose rows have gone already
    Queries: one for each way from the table to a course
    """
    found: Counter[int] = Counter()
    if not session.database.has_table(rows.table):
        return found
    for path in paths_to(graph, graph.tables[rows.table]):
        for top, count in session.fetch(_counted(session, contexts, rows, path, without)):
            found[top if path[-1].parent == COURSE else contexts.course_of[top]] += count
    return found


def _counted(
    session: MoodleSession, contexts: CourseContexts, rows: Rows, path: Sequence[Link], without: Collection[int]
) -> sa.Select[tuple[int, int]]:
    table = session.table(rows.table)
    conditions = condition(session, rows)
    if without:
        conditions.append(table.c.userid.not_in(sorted(without)))
    joined: sa.FromClause = table
    below: Any = table
    for link in path:
        conditions += [below.c[column] == value for column, value in link.where]
        if link.parent in (COURSE, CONTEXT):
            ids = contexts.courses if link.parent == COURSE else contexts.course_of
            top = below.c[link.fk]
            return (
                sa.select(top, sa.func.count())
                .select_from(joined)
                .where(top.in_(inline(ids)), *conditions)
                .group_by(top)
            )
        parent = session.table(link.parent).alias()
        joined = joined.join(parent, parent.c[link.parentkey] == below.c[link.fk])
        below = parent
    raise AssertionError(path)
