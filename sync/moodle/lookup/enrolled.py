"""Who is enrolled in a course, or in a cohort, narrowed and in order as callers of web services ask."""

from __future__ import annotations

from typing import Any, NamedTuple

import sqlalchemy as sa

from sync.moodle.courses.courses import fetch_courses
from sync.moodle.db.database import MoodleSession
from sync.moodle.enrolments.roles import fetch_permissions, is_allowed
from sync.moodle.lookup.full_users import active_now

# Values of `sort_by`; as the site does = by last name, then first name.
SORTS = ("id", "firstname", "lastname", "siteorder")


class UserQuery(NamedTuple):
    """Which users are wanted, and in which order.

    Shape: capability, groupid: only those who have it, who are in it; start, most: of the list, most 0 = all
    """

    capability: str = ""
    groupid: int = 0
    only_active: bool = False
    sort_by: str = "id"
    descending: bool = False
    start: int = 0
    most: int = 0


def fetch_enrolled_ids(moodle: MoodleSession, courseid: int, query: UserQuery) -> list[int]:
    """Return the ids of users who are enrolled in a course; in the front page everybody is.

    Mirrors: get_enrolled_sql(); of a capability it looks at the roles in the course and above, with prohibitions
    Queries: at most four
    """
    user, enrolment, enrol = map(moodle.table, ("user", "user_enrolments", "enrol"))
    statement = sa.select(user.c.id).where(user.c.deleted == 0, user.c.id != _guestid(moodle))
    (course,) = fetch_courses(moodle, "id", {str(courseid)})[str(courseid)]
    if not course.is_site:
        enrolled = sa.select(enrolment.c.userid).select_from(enrolment.join(enrol, enrol.c.id == enrolment.c.enrolid))
        enrolled = enrolled.where(enrol.c.courseid == courseid)
        statement = statement.where(
            user.c.id.in_(enrolled.where(*active_now(enrolment, enrol)) if query.only_active else enrolled)
        )
    if query.groupid:
        member = moodle.table("groups_members")
        statement = statement.where(user.c.id.in_(sa.select(member.c.userid).where(member.c.groupid == query.groupid)))
    if query.capability:
        statement = statement.where(user.c.id.in_(_holders(moodle, query.capability, course.path)))
    return _ids(moodle, statement, query)


def fetch_member_ids(moodle: MoodleSession, cohortid: int, query: UserQuery) -> list[int]:
    """Return the ids of the members of a cohort. Queries: one"""
    user, member = map(moodle.table, ("user", "cohort_members"))
    statement = (
        sa.select(user.c.id)
        .select_from(member.join(user, user.c.id == member.c.userid))
        .where(member.c.cohortid == cohortid, user.c.deleted == 0)
    )
    return _ids(moodle, statement, query)


def _ids(moodle: MoodleSession, statement: sa.Select[Any], query: UserQuery) -> list[int]:
    user = moodle.table("user")
    names = ("lastname", "firstname", "id") if query.sort_by == "siteorder" else (query.sort_by, "id")
    columns = [user.c[name] for name in dict.fromkeys(names)]
    statement = statement.order_by(*(column.desc() if query.descending else column for column in columns))
    if query.most:
        statement = statement.limit(query.most)
    return [row.id for row in moodle.fetch(statement.offset(query.start) if query.start else statement)]


def _holders(moodle: MoodleSession, capability: str, path: str) -> sa.Select[Any]:
    """Return the statement for users whose roles in the contexts of a path allow a capability there."""
    contextids = [int(part) for part in path.split("/") if part]
    permissions = fetch_permissions(moodle, capability, contextids)
    allowed = [roleid for roleid, of_role in permissions.items() if is_allowed(of_role, path)]
    held = moodle.table("role_assignments")
    return sa.select(held.c.userid).where(held.c.contextid.in_(contextids), held.c.roleid.in_(allowed))


def _guestid(moodle: MoodleSession) -> int:
    text = moodle.config.get("siteguest", "")
    return int(text) if text.isdecimal() else 0
