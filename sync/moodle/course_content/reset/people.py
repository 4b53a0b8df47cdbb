"""Who leaves a course when it is reset: everybody with certain roles.

Mirrors: what reset_course_userdata() does with `unenrol_users`; spec courses.md section 4.3
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from sync.moodle.courses.courses import Course
from sync.moodle.courses.defaults import enabled_methods
from sync.moodle.db.database import MoodleSession
from sync.moodle.db.writer import Writer
from sync.moodle.enrolments.enrolments import ENABLED, SUSPENDED
from sync.moodle.enrolments.metacourses import follow_in_metacourses
from sync.moodle.enrolments.unenrol_cleanup import leave_groups, unenrol_cleanup
from sync.moodle.files.files import DeletedFiles
from sync.moodle.site import caches

# Stands for people without any role in the course.
NO_ROLE = 0
# Methods that let people be unenrolled by hand, always or once they are suspended.
_UNENROLLING = frozenset(("manual", "self"))
_UNENROLLING_SUSPENDED = frozenset(("cohort", "meta"))

_Row = dict[str, Any]


@dataclass
class UnenrolledByReset:
    """What goes from one course.

    Shape: enrolments: rows of `user_enrolments` with `enrol`; roles: rows of `role_assignments` of those who stay
    """

    enrolments: list[_Row] = field(default_factory=list)
    roles: list[_Row] = field(default_factory=list)

    @property
    def userids(self) -> set[int]:
        return {row["userid"] for row in (*self.enrolments, *self.roles)}

    def without(self, earlier: UnenrolledByReset) -> UnenrolledByReset:
        """Return what goes besides what an earlier reset takes."""
        return UnenrolledByReset(
            [row for row in self.enrolments if row not in earlier.enrolments],
            [row for row in self.roles if row not in earlier.roles],
        )


def fetch_gone(session: MoodleSession, courseid: int, leaving: UnenrolledByReset) -> set[int]:
    """Return who has no enrolment left in a course after a reset. Queries: one; none where nobody leaves"""
    userids = {row["userid"] for row in leaving.enrolments}
    if not userids:
        return set()
    enrol, enrolment = session.table("enrol"), session.table("user_enrolments")
    statement = (
        sa.select(enrolment.c.userid, enrolment.c.id)
        .join(enrol, enrol.c.id == enrolment.c.enrolid)
        .where(enrol.c.courseid == courseid, session.in_clause(enrolment.c.userid, sorted(userids)))
    )
    leave = {row["id"] for row in leaving.enrolments}
    return userids - {userid for userid, rowid in session.fetch(statement) if rowid not in leave}


def fetch_leaving(
    session: MoodleSession, courses: Sequence[Course], roleids: Mapping[int, Sequence[int]]
) -> dict[int, UnenrolledByReset]:
    """Tell who leaves which course. Who has another role there keeps the enrolment and loses the role alone.

    Shape: roleids: courseid -> roles in their order, NO_ROLE among them; courseid -> what goes
    Queries: two; none where no role is named
    """
    named = [course for course in courses if roleids.get(course.id)]
    if not named:
        return {}
    held: dict[tuple[int, int], list[_Row]] = {}
    course_of = {course.contextid: course.id for course in named}
    assignment = session.table("role_assignments")
    for row in session.fetch(
        sa.select(assignment)
        .where(session.in_clause(assignment.c.contextid, list(course_of)))
        .order_by(assignment.c.id)
    ):
        held.setdefault((course_of[row.contextid], row.userid), []).append(dict(row._mapping))
    enrolled: dict[tuple[int, int], list[_Row]] = {}
    for row in _fetch_enrolments(session, [course.id for course in named]):
        enrolled.setdefault((row["courseid"], row["userid"]), []).append(row)
    leaving = {course.id: UnenrolledByReset() for course in named}
    for (courseid, userid), enrolments in sorted(enrolled.items()):
        _choose_leaving(leaving[courseid], enrolments, held.get((courseid, userid), []), roleids[courseid])
    return leaving


def _choose_leaving(
    leaving: UnenrolledByReset, enrolments: Sequence[_Row], roles: Sequence[_Row], roleids: Sequence[int]
) -> None:
    """Go through the roles in turn, as each may be the last one that somebody had."""
    roles = list(roles)
    for roleid in roleids:
        mine = [row for row in roles if row["roleid"] == roleid]
        if not mine and (roleid != NO_ROLE or roles):
            continue
        if len(mine) < len(roles):
            gone = [row for row in mine if row["component"] == ""]
            leaving.roles += gone
            roles = [row for row in roles if row not in gone]
        else:
            leaving.enrolments += enrolments
            return


def _fetch_enrolments(session: MoodleSession, courseids: Collection[int]) -> list[_Row]:
    """Return enrolments by methods that are switched on and let people go."""
    enrol, enrolment = session.table("enrol"), session.table("user_enrolments")
    methods = enabled_methods(session)
    statement = (
        sa.select(enrol.c.enrol, enrol.c.courseid, enrolment)
        .join(enrol, enrol.c.id == enrolment.c.enrolid)
        .where(session.in_clause(enrol.c.courseid, sorted(courseids)), enrol.c.status == ENABLED)
        .where(
            sa.or_(
                enrol.c.enrol.in_(sorted(methods & _UNENROLLING)),
                sa.and_(enrol.c.enrol.in_(sorted(methods & _UNENROLLING_SUSPENDED)), enrolment.c.status == SUSPENDED),
            )
        )
        .order_by(enrolment.c.id)
    )
    return [dict(row._mapping) for row in session.fetch(statement)]


def unenrol_people(writer: Writer, leaving: Mapping[int, UnenrolledByReset], *, now: int) -> DeletedFiles:
    """Delete enrolments and roles, with what people lose by that, inside the caller's transaction.

    Units: now: seconds since epoch
    Queries: constant, whatever the number of people and courses
    """
    roles = [row for each in leaving.values() for row in each.roles]
    enrolments = [row for each in leaving.values() for row in each.enrolments]
    owners = {(f"enrol_{row['enrol']}", row["enrolid"], row["userid"]) for row in enrolments}
    given = _given_by_methods(writer.session, "role_assignments", owners)
    writer.delete_many("role_assignments", sorted([*roles, *given], key=lambda row: row["id"]))
    leave_groups(writer, _given_by_methods(writer.session, "groups_members", owners), now=now)
    columns = writer.session.table("user_enrolments").c.keys()
    writer.delete_many("user_enrolments", [{name: row[name] for name in columns} for row in enrolments])
    files = unenrol_cleanup(writer, {(row["userid"], row["courseid"]) for row in enrolments}, now=now)
    lost = {(userid, courseid) for courseid, each in leaving.items() for userid in each.userids}
    files += follow_in_metacourses(writer, lost, now=now)
    caches.flag_changes(writer, dirty_users={row["userid"] for row in (*roles, *enrolments)})
    return files


def _given_by_methods(session: MoodleSession, table: str, owners: Collection[tuple[str, int, int]]) -> list[_Row]:
    """Return what enrolment methods have given to people by themselves. Shape: owners: (component, itemid, userid)"""
    if not owners:
        return []
    target = session.table(table)
    statement = sa.select(target).where(
        target.c.component.in_(sorted({component for component, _itemid, _userid in owners})),
        session.in_clause(target.c.itemid, sorted({itemid for _component, itemid, _userid in owners})),
    )
    rows = [dict(row._mapping) for row in session.fetch(statement.order_by(target.c.id))]
    return [row for row in rows if (row["component"], row["itemid"], row["userid"]) in owners]
