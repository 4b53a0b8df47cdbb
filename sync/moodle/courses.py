"""Reads of courses and their contexts."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import sqlalchemy as sa

from sync.moodle.database import MoodleSession
from sync.moodle.identifiers import fetch_named

CONTEXT_COURSE = 50


class Course(NamedTuple):
    """A course with its context. Shape: path: ids of the contexts from the system down to the course, "/1/3/50"."""

    id: int
    contextid: int
    path: str
    is_site: bool = False


def fetch_courses(moodle: MoodleSession, identifier: str, values: Collection[str]) -> dict[str, tuple[Course, ...]]:
    """Give the courses that the values name, the site course included.

    Shape: values as typed -> courses by rising id; absent = unknown, several = ambiguous
    Queries: one per 10,000 values
    """
    course, context = moodle.table("course"), moodle.table("context")
    joined = course.join(
        context, sa.and_(context.c.contextlevel == CONTEXT_COURSE, context.c.instanceid == course.c.id)
    )
    statement = sa.select(course.c.id, course.c.category, context.c.id.label("contextid"), context.c.path).select_from(
        joined
    )
    return {
        value: tuple(sorted(Course(row.id, row.contextid, row.path or "", row.category == 0) for row in rows))
        for value, rows in fetch_named(moodle, statement, "course", identifier, values).items()
    }
