"""One user as Moodle has them: who it is, and in which courses, roles, groups and cohorts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import sqlalchemy as sa

from sync.moodle.db.database import MoodleSession
from sync.moodle.versions import CONTEXT_COURSE, CONTEXT_COURSECAT

# A page isn't for more.
MOST_ROWS = 500
_IDENTITY = (
    "id", "username", "idnumber", "email", "firstname", "lastname", "auth", "suspended", "confirmed", "institution",
    "department", "city", "country", "lang", "timecreated", "lastaccess",
)  # fmt: skip


class UserEnrolment(NamedTuple):
    """An enrolment of a user.

    Shape: method: its plugin; name: that the method has in the course, "" = none of its own; is_active: neither the enrolment nor
    the method is switched off
    Units: starts, ends: seconds since epoch, 0 = no bound
    """

    courseid: int
    shortname: str
    fullname: str
    method: str
    name: str
    is_active: bool
    starts: int
    ends: int


class UserRole(NamedTuple):
    """A role that a user has. Shape: level: of the context; place: course or category, "" = elsewhere; component: "" = by hand"""

    role: str
    level: int
    instanceid: int
    place: str
    component: str


class UserGroup(NamedTuple):
    """A group that a user is in."""

    id: int
    name: str
    idnumber: str
    courseid: int
    shortname: str


class UserCohort(NamedTuple):
    """A cohort that a user is in."""

    id: int
    name: str
    idnumber: str


class UserDetails(NamedTuple):
    """What Moodle has of a user. Shape: user: column -> value; profile: name of a custom field -> value; lists: MOST_ROWS each"""

    user: Mapping[str, Any]
    profile: list[tuple[str, str]]
    enrolments: list[UserEnrolment]
    roles: list[UserRole]
    groups: list[UserGroup]
    cohorts: list[UserCohort]

    @property
    def full_name(self) -> str:
        return f"{self.user['firstname']} {self.user['lastname']}"

    @property
    def names(self) -> tuple[str, ...]:
        """By what files may name the user, but for Moodle's own number."""
        return tuple(name for key in ("username", "idnumber", "email") if (name := self.user[key]))


def fetch_user_details(moodle: MoodleSession, userid: int) -> UserDetails | None:
    """Return one user; None when there is none, or it was deleted. Queries: six"""
    user = moodle.table("user")
    rows = moodle.fetch(
        sa.select(*(user.c[name] for name in _IDENTITY)).where(user.c.id == userid, user.c.deleted == 0)
    )
    if not rows:
        return None
    return UserDetails(
        dict(rows[0]._mapping),
        _fetch_profile(moodle, userid),
        _fetch_enrolments(moodle, userid),
        _fetch_roles(moodle, userid),
        _fetch_groups(moodle, userid),
        _fetch_cohorts(moodle, userid),
    )


def _fetch_profile(moodle: MoodleSession, userid: int) -> list[tuple[str, str]]:
    data, field = map(moodle.table, ("user_info_data", "user_info_field"))
    joined = data.join(field, field.c.id == data.c.fieldid)
    statement = sa.select(field.c.shortname, data.c.data).select_from(joined).where(data.c.userid == userid)
    return [(name, value) for name, value in moodle.fetch(statement.order_by(field.c.shortname)) if value]


def _fetch_enrolments(moodle: MoodleSession, userid: int) -> list[UserEnrolment]:
    enrolment, enrol, course = map(moodle.table, ("user_enrolments", "enrol", "course"))
    joined = enrolment.join(enrol, enrol.c.id == enrolment.c.enrolid).join(course, course.c.id == enrol.c.courseid)
    statement = (
        sa.select(
            course.c.id, course.c.shortname, course.c.fullname, enrol.c.enrol, enrol.c.name, enrolment.c.status,
            enrol.c.status, enrolment.c.timestart, enrolment.c.timeend,
        )
        .select_from(joined)
        .where(enrolment.c.userid == userid)
        .order_by(course.c.shortname, enrol.c.sortorder, enrolment.c.id)
        .limit(MOST_ROWS)
    )  # fmt: skip
    return [
        UserEnrolment(courseid, shortname, fullname, method, name or "", not (off or method_off), starts, ends)
        for courseid, shortname, fullname, method, name, off, method_off, starts, ends in moodle.fetch(statement)
    ]


def _fetch_roles(moodle: MoodleSession, userid: int) -> list[UserRole]:
    assignment, role, context = map(moodle.table, ("role_assignments", "role", "context"))
    course, category = map(moodle.table, ("course", "course_categories"))
    joined = (
        assignment.join(role, role.c.id == assignment.c.roleid)
        .join(context, context.c.id == assignment.c.contextid)
        .outerjoin(course, sa.and_(context.c.contextlevel == CONTEXT_COURSE, course.c.id == context.c.instanceid))
        .outerjoin(
            category, sa.and_(context.c.contextlevel == CONTEXT_COURSECAT, category.c.id == context.c.instanceid)
        )
    )
    statement = (
        sa.select(
            role.c.shortname, context.c.contextlevel, context.c.instanceid,
            sa.func.coalesce(course.c.shortname, category.c.name, ""), assignment.c.component,
        )
        .select_from(joined)
        .where(assignment.c.userid == userid)
        .order_by(context.c.contextlevel, role.c.sortorder, assignment.c.id)
        .limit(MOST_ROWS)
    )  # fmt: skip
    return [UserRole(*row) for row in moodle.fetch(statement)]


def _fetch_groups(moodle: MoodleSession, userid: int) -> list[UserGroup]:
    member, group, course = map(moodle.table, ("groups_members", "groups", "course"))
    joined = member.join(group, group.c.id == member.c.groupid).join(course, course.c.id == group.c.courseid)
    statement = (
        sa.select(group.c.id, group.c.name, group.c.idnumber, course.c.id, course.c.shortname)
        .select_from(joined)
        .where(member.c.userid == userid)
        .order_by(course.c.shortname, group.c.name, group.c.id)
        .limit(MOST_ROWS)
    )
    return [UserGroup(*row) for row in moodle.fetch(statement)]


def _fetch_cohorts(moodle: MoodleSession, userid: int) -> list[UserCohort]:
    member, cohort = map(moodle.table, ("cohort_members", "cohort"))
    joined = member.join(cohort, cohort.c.id == member.c.cohortid)
    statement = sa.select(cohort.c.id, cohort.c.name, sa.func.coalesce(cohort.c.idnumber, "")).select_from(joined)
    rows = moodle.fetch(statement.where(member.c.userid == userid).order_by(cohort.c.name).limit(MOST_ROWS))
    return [UserCohort(*row) for row in rows]
