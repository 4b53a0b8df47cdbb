"""Courses for which a file of courses can be complete."""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa

from sync.moodle.courses.courses import Course
from sync.moodle.db.database import MoodleSession
from sync.moodle.versions import CONTEXT_COURSE


class PlacedCourse(NamedTuple):
    """A course with what tells whether it is in a scope, and whether a file names it."""

    id: int
    shortname: str
    idnumber: str
    fullname: str
    category: int
    contextid: int
    path: str

    @property
    def course(self) -> Course:
        return Course(self.id, self.contextid, self.path)


def fetch_placed_courses(moodle: MoodleSession) -> list[PlacedCourse]:
    """Return all courses by rising id, but the front page, those without a context and those that Moodle is deleting.

    Queries: one
    """
    course, context = moodle.table("course"), moodle.table("context")
    joined = course.join(
        context, sa.and_(context.c.contextlevel == CONTEXT_COURSE, context.c.instanceid == course.c.id)
    )
    names = ("id", "shortname", "idnumber", "fullname", "category")
    statement = (
        sa.select(*(course.c[name] for name in names), context.c.id.label("contextid"), context.c.path)
        .select_from(joined)
        .where(course.c.category != 0, context.c.path.is_not(None))
        .order_by(course.c.id)
    )
    if "deletioninprogress" in course.c:
        statement = statement.where(sa.func.coalesce(course.c.deletioninprogress, 0) == 0)
    return [PlacedCourse(*row) for row in moodle.fetch(statement)]
