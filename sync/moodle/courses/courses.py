"""Reads of courses and their contexts."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

import sqlalchemy as sa

from sync.moodle.db.database import MoodleSession
from sync.moodle.db.identifiers import fetch_named
from sync.moodle.db.writer import MAX_KEYS, batched
from sync.moodle.versions import CONTEXT_COURSE


class Course(NamedTuple):
    """A course with its context. Shape: path: ids of the contexts from the system down to the course, "/1/3/50"."""

    id: int
    contextid: int
    path: str
    is_site: bool = False


def fetch_courses(moodle: MoodleSession, identifier: str, values: Collection[str]) -> dict[str, tuple[Course, ...]]:
    """Return the courses that the values name, the site course included; those that Moodle is deleting count as gone.

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
    if "deletioninprogress" in course.c:
        statement = statement.where(sa.func.coalesce(course.c.deletioninprogress, 0) == 0)
    return {
        value: tuple(sorted(Course(row.id, row.contextid, row.path or "", row.category == 0) for row in rows))
        for value, rows in fetch_named(moodle, statement, "course", identifier, values).items()
    }


class CourseNames(NamedTuple):
    """What people call a course."""

    fullname: str
    shortname: str
    idnumber: str


def fetch_course_names(moodle: MoodleSession, ids: Collection[int]) -> dict[int, CourseNames]:
    """Return the names of courses by id.

    Queries: one per 10,000 courses
    """
    course = moodle.table("course")
    names: dict[int, CourseNames] = {}
    for part in batched(sorted(ids), MAX_KEYS):
        statement = sa.select(course.c.id, course.c.fullname, course.c.shortname, course.c.idnumber)
        for row in moodle.fetch(statement.where(moodle.in_clause(course.c.id, part))):
            names[row.id] = CourseNames(row.fullname, row.shortname, row.idnumber)
    return names


# What changes when a course is hidden or shown. Mirrors: course_change_visibility(), update_course()
_VISIBILITY = ("visible", "visibleold", "timemodified", "cacherev")


def fetch_course_visibility(moodle: MoodleSession, ids: Collection[int]) -> dict[int, dict[str, int]]:
    """Return of courses, by id, the columns that change when one is hidden or shown. Queries: one per 10,000 courses"""
    course = moodle.table("course")
    found: dict[int, dict[str, int]] = {}
    for part in batched(sorted(ids), MAX_KEYS):
        statement = sa.select(course.c.id, *(course.c[name] for name in _VISIBILITY))
        for row in moodle.fetch(statement.where(moodle.in_clause(course.c.id, part))):
            found[row.id] = {name: getattr(row, name) for name in _VISIBILITY}
    return found


def visibility_change(present: Mapping[str, int], values: Mapping[str, int], now: int) -> dict[str, int]:
    """Return what is written where a course is hidden or shown; {} when all is so. Mirrors: course_change_visibility()

    Shape: present: as of `fetch_course_visibility`
    Units: now: seconds since epoch
    """
    after = {name: value for name, value in values.items() if present[name] != value}
    return {**after, "timemodified": now, "cacherev": max(present["cacherev"] + 1, now)} if after else {}


def fetch_course_weights(moodle: MoodleSession, ids: Collection[int]) -> dict[int, int]:
    """Return for each course a rough number of the rows that people have left in it: those enrolled times the activities.

    Queries: two per 10,000 courses
    """
    enrol, enrolment, cm = map(moodle.table, ("enrol", "user_enrolments", "course_modules"))
    people: dict[int, int] = {}
    activities: dict[int, int] = {}
    for part in batched(sorted(ids), MAX_KEYS):
        enrolled = (
            sa.select(enrol.c.courseid, sa.func.count())
            .join(enrolment, enrolment.c.enrolid == enrol.c.id)
            .where(moodle.in_clause(enrol.c.courseid, part))
            .group_by(enrol.c.courseid)
        )
        people.update(moodle.fetch(enrolled))
        modules = (
            sa.select(cm.c.course, sa.func.count()).where(moodle.in_clause(cm.c.course, part)).group_by(cm.c.course)
        )
        activities.update(moodle.fetch(modules))
    return {courseid: number * (1 + activities.get(courseid, 0)) for courseid, number in people.items()}
