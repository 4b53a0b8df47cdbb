"""Courses as a page lists them: found, counted, and who has which role in them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from sync.moodle.db.database import MoodleSession
from sync.moodle.db.writer import MAX_KEYS, batched
from sync.moodle.versions import CONTEXT_COURSE


class CourseSearch(NamedTuple):
    """What a list of courses is narrowed by.

    Shape: text: part of a name or identifier; category: id, its subcategories included; ids: None = not narrowed by them
    """

    text: str = ""
    category: int | None = None
    ids: frozenset[int] | None = None


class ListedCourse(NamedTuple):
    """A course in a list. Shape: category: id."""

    id: int
    fullname: str
    shortname: str
    idnumber: str
    category: int
    visible: bool


class RoleCount(NamedTuple):
    """How many different people hold a role in a course. Shape: name: as the site calls it, else its short name."""

    name: str
    people: int


def count_courses(moodle: MoodleSession, search: CourseSearch) -> int:
    """Return how many courses a search finds. Queries: one"""
    course = moodle.table("course")
    statement = sa.select(sa.func.count()).select_from(course).where(*_conditions(moodle, search))
    return int(moodle.fetch(statement)[0][0])


def fetch_course_list(moodle: MoodleSession, search: CourseSearch, *, start: int, limit: int) -> list[ListedCourse]:
    """Return a part of what a search finds, in Moodle's own order. Queries: one"""
    course = moodle.table("course")
    columns = [course.c[name] for name in ListedCourse._fields]
    statement = sa.select(*columns).where(*_conditions(moodle, search)).order_by(course.c.sortorder, course.c.id)
    rows = moodle.fetch(statement.offset(start).limit(limit))
    return [ListedCourse(*row)._replace(visible=bool(row.visible)) for row in rows]


def fetch_course_ids(moodle: MoodleSession, search: CourseSearch, *, limit: int) -> list[int]:
    """Return the ids of what a search finds, at most `limit`. Queries: one"""
    course = moodle.table("course")
    statement = sa.select(course.c.id).where(*_conditions(moodle, search)).order_by(course.c.sortorder, course.c.id)
    return [row.id for row in moodle.fetch(statement.limit(limit))]


def fetch_role_counts(moodle: MoodleSession, courseids: Sequence[int]) -> dict[int, list[RoleCount]]:
    """Return who is assigned in courses themselves (not above or below): course id -> roles in Moodle's order.

    Queries: one per 10,000 courses
    """
    context, assignment, role = map(moodle.table, ("context", "role_assignments", "role"))
    people = sa.func.count(assignment.c.userid.distinct())
    joined = assignment.join(context, context.c.id == assignment.c.contextid).join(
        role, role.c.id == assignment.c.roleid
    )
    statement = (
        sa.select(context.c.instanceid, role.c.name, role.c.shortname, people)
        .select_from(joined)
        .where(context.c.contextlevel == CONTEXT_COURSE)
        .group_by(context.c.instanceid, role.c.id, role.c.name, role.c.shortname, role.c.sortorder)
        .order_by(role.c.sortorder)
    )
    counts: dict[int, list[RoleCount]] = {}
    for part in batched(courseids, MAX_KEYS):
        for courseid, name, shortname, count in moodle.fetch(statement.where(context.c.instanceid.in_(part))):
            counts.setdefault(courseid, []).append(RoleCount(name or shortname, count))
    return counts


def _conditions(moodle: MoodleSession, search: CourseSearch) -> Collection[sa.ColumnElement[bool]]:
    course = moodle.table("course")
    # The front page is a course of no category.
    conditions: list[sa.ColumnElement[bool]] = [course.c.category != 0]
    if search.text:
        named: list[sa.Column[Any]] = [course.c.fullname, course.c.shortname, course.c.idnumber]
        conditions.append(sa.or_(*(column.icontains(search.text, autoescape=True) for column in named)))
    if search.category is not None:
        category = moodle.table("course_categories")
        below = category.c.path.like(f"%/{search.category}/%")
        subtree = sa.select(category.c.id).where(sa.or_(category.c.id == search.category, below))
        conditions.append(course.c.category.in_(subtree))
    if search.ids is not None:
        conditions.append(course.c.id.in_(search.ids))
    return conditions
