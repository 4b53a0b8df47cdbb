"""One course as Moodle has it: what it is, how people come into it, and its groups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import sqlalchemy as sa

from sync.moodle.categories.categories import Category
from sync.moodle.courses.listing import RoleCount, fetch_role_counts
from sync.moodle.db.database import MoodleSession
from sync.moodle.lookup.users import MOST_ROWS

_IDENTITY = (
    "id", "shortname", "fullname", "idnumber", "category", "format", "visible", "startdate", "enddate", "timecreated",
    "timemodified",
)  # fmt: skip
_META, _COHORT = "meta", "cohort"


class CourseMethod(NamedTuple):
    """An enrolment method of a course.

    Shape: name: of its own, "" = none; role: short name of the one that it gives, "" = none; linked: the course or the cohort
    from which it takes people; linked_course: id of that course, None = none
    """

    method: str
    name: str
    is_on: bool
    role: str
    people: int
    suspended: int
    linked: str
    linked_course: int | None


class CourseGroup(NamedTuple):
    """A group of a course. Shape: people: how many members"""

    id: int
    name: str
    idnumber: str
    people: int


class LinkedCourse(NamedTuple):
    """A course that takes its people from another one."""

    id: int
    shortname: str
    fullname: str
    is_on: bool


class CourseDetails(NamedTuple):
    """What Moodle has of a course. Shape: course: column -> value; lists: MOST_ROWS each"""

    course: Mapping[str, Any]
    methods: list[CourseMethod]
    roles: list[RoleCount]
    groups: list[CourseGroup]
    followers: list[LinkedCourse]

    @property
    def names(self) -> tuple[str, ...]:
        """By what files may name the course, but for Moodle's own number."""
        return tuple(name for key in ("shortname", "idnumber") if (name := self.course[key]))


def fetch_course_details(moodle: MoodleSession, courseid: int) -> CourseDetails | None:
    """Return one course; None when there is none. The front page is none. Queries: five"""
    course = moodle.table("course")
    rows = moodle.fetch(
        sa.select(*(course.c[name] for name in _IDENTITY)).where(course.c.id == courseid, course.c.category != 0)
    )
    if not rows:
        return None
    return CourseDetails(
        dict(rows[0]._mapping),
        _fetch_methods(moodle, courseid),
        fetch_role_counts(moodle, [courseid]).get(courseid, []),
        _fetch_groups(moodle, courseid),
        _fetch_followers(moodle, courseid),
    )


def category_place(categories: Mapping[int, Category], category: int) -> list[Category]:
    """Return the categories on the way to one, the outermost first. Shape: categories: by id"""
    place: list[Category] = []
    while (found := categories.get(category)) is not None and found not in place:
        place.append(found)
        category = found.parent
    return place[::-1]


def _fetch_methods(moodle: MoodleSession, courseid: int) -> list[CourseMethod]:
    enrol, enrolment, role = map(moodle.table, ("enrol", "user_enrolments", "role"))
    course, cohort = map(moodle.table, ("course", "cohort"))
    people = sa.select(
        enrolment.c.enrolid, sa.func.count().label("people"), sa.func.sum(enrolment.c.status).label("off")
    )
    counted = (
        people.select_from(enrolment.join(enrol, enrol.c.id == enrolment.c.enrolid))
        .where(enrol.c.courseid == courseid)
        .group_by(enrolment.c.enrolid)
        .subquery()
    )
    joined = (
        enrol.outerjoin(counted, counted.c.enrolid == enrol.c.id)
        .outerjoin(role, role.c.id == enrol.c.roleid)
        .outerjoin(course, sa.and_(enrol.c.enrol == _META, course.c.id == enrol.c.customint1))
        .outerjoin(cohort, sa.and_(enrol.c.enrol == _COHORT, cohort.c.id == enrol.c.customint1))
    )
    statement = (
        sa.select(
            enrol.c.enrol, enrol.c.name, enrol.c.status, role.c.shortname, counted.c.people, counted.c.off,
            sa.func.coalesce(course.c.shortname, cohort.c.name, ""), course.c.id,
        )
        .select_from(joined)
        .where(enrol.c.courseid == courseid)
        .order_by(enrol.c.sortorder, enrol.c.id)
        .limit(MOST_ROWS)
    )  # fmt: skip
    return [
        CourseMethod(method, name or "", not off, role or "", int(people or 0), int(suspended or 0), linked, linked_id)
        for method, name, off, role, people, suspended, linked, linked_id in moodle.fetch(statement)
    ]


def _fetch_groups(moodle: MoodleSession, courseid: int) -> list[CourseGroup]:
    group, member = map(moodle.table, ("groups", "groups_members"))
    statement = (
        sa.select(group.c.id, group.c.name, group.c.idnumber, sa.func.count(member.c.id))
        .select_from(group.outerjoin(member, member.c.groupid == group.c.id))
        .where(group.c.courseid == courseid)
        .group_by(group.c.id, group.c.name, group.c.idnumber)
        .order_by(group.c.name, group.c.id)
        .limit(MOST_ROWS)
    )
    return [CourseGroup(*row) for row in moodle.fetch(statement)]


def _fetch_followers(moodle: MoodleSession, courseid: int) -> list[LinkedCourse]:
    enrol, course = map(moodle.table, ("enrol", "course"))
    statement = (
        sa.select(course.c.id, course.c.shortname, course.c.fullname, enrol.c.status)
        .select_from(enrol.join(course, course.c.id == enrol.c.courseid))
        .where(enrol.c.enrol == _META, enrol.c.customint1 == courseid)
        .order_by(course.c.shortname, course.c.id)
        .limit(MOST_ROWS)
    )
    return [LinkedCourse(*row)._replace(is_on=not row.status) for row in moodle.fetch(statement)]
