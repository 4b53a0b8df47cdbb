"""Enrolments of a scope for which a file can be complete: those by one method in a set of courses."""

from __future__ import annotations

from collections.abc import Collection, Container
from operator import attrgetter
from typing import Any, NamedTuple

import sqlalchemy as sa

from sync.moodle.db.database import MoodleSession
from sync.moodle.db.id_ranges import next_among
from sync.moodle.enrolments.enrolments import ACTIVE
from sync.moodle.versions import CONTEXT_COURSE


class ScopeCourse(NamedTuple):
    """A course that may be in a scope. Shape: named_by: what it has in the column by which files name courses"""

    id: int
    shortname: str
    category: int
    named_by: str


class EnrolmentOfScope(NamedTuple):
    """An enrolment. Shape: id: of its row; named_by: what the user has in the column by which files name users"""

    id: int
    enrolid: int
    userid: int
    status: int
    courseid: int
    username: str
    named_by: str


def fetch_scope_courses(moodle: MoodleSession, identifier: str) -> dict[int, ScopeCourse]:
    """Return all courses but the front page and those that Moodle is deleting. Queries: one"""
    course, context = moodle.table("course"), moodle.table("context")
    joined = course.join(
        context, sa.and_(context.c.contextlevel == CONTEXT_COURSE, context.c.instanceid == course.c.id)
    )
    columns = (course.c.id, course.c.shortname, course.c.category, course.c[identifier].label("named_by"))
    statement = sa.select(*columns).select_from(joined).where(course.c.category != 0)
    if "deletioninprogress" in course.c:
        statement = statement.where(sa.func.coalesce(course.c.deletioninprogress, 0) == 0)
    rows = moodle.fetch(statement.order_by(course.c.id))
    return {row[0]: ScopeCourse(row[0], row[1], row[2], str(row[3] or "")) for row in rows}


def fetch_method_ids(moodle: MoodleSession, courseids: Collection[int], method: str) -> set[int]:
    """Return the ids of the rows of one method in courses. Queries: one"""
    enrol = moodle.table("enrol")
    statement = sa.select(enrol.c.id).where(enrol.c.enrol == method, moodle.in_clause(enrol.c.courseid, courseids))
    return {enrolid for (enrolid,) in moodle.fetch(statement)}


class EnrolmentsOfScope:
    """Enrolments of users of this site who are neither deleted nor protected.

    Shape: method: its name; protected_ids, hostid: of users; disabled_too: also where the method is switched off; identifier:
    column of `user`; among: only these ids, None = any
    """

    def __init__(
        self, moodle: MoodleSession, courseids: Collection[int], protected_ids: Collection[int], method: str,
        *, hostid: int, disabled_too: bool, identifier: str, among: Container[int] | None = None,
    ) -> None:  # fmt: skip
        self._moodle = moodle
        self._among = among
        self._enrolment, self._user = enrolment, user = moodle.table("user_enrolments"), moodle.table("user")
        self._enrol = enrol = moodle.table("enrol")
        self._named_by = user.c[identifier]
        self._joined = enrolment.join(enrol, enrol.c.id == enrolment.c.enrolid).join(
            user, user.c.id == enrolment.c.userid
        )
        conditions: list[Any] = [
            user.c.deleted == 0,
            user.c.mnethostid == hostid,
            sa.not_(moodle.in_clause(user.c.id, protected_ids)),
            enrol.c.enrol == method,
            moodle.in_clause(enrol.c.courseid, courseids),
        ]
        if not disabled_too:
            conditions.append(enrol.c.status == ACTIVE)
        self._is_meant = sa.and_(*conditions)

    def count(self) -> int:
        """Return how many there are. Queries: one"""
        statement = sa.select(sa.func.count()).select_from(self._joined).where(self._is_meant)
        return int(self._moodle.fetch(statement)[0][0])

    def fetch(self, *, after: int, most: int) -> list[EnrolmentOfScope]:
        """Return the next of them, by rising id. Queries: one, or several where only some ids are meant"""
        if self._among is None:
            return self._page(after, most)
        return next_among(lambda upto: self._page(upto, most), self._among, after, attrgetter("id"))

    def _page(self, after: int, most: int) -> list[EnrolmentOfScope]:
        found, user = self._enrolment, self._user
        columns = (
            found.c.id, found.c.enrolid, found.c.userid, found.c.status, self._enrol.c.courseid, user.c.username,
            self._named_by.label("named_by"),
        )  # fmt: skip
        statement = sa.select(*columns).select_from(self._joined).where(self._is_meant, found.c.id > after)
        rows = self._moodle.fetch(statement.order_by(found.c.id).limit(most))
        return [EnrolmentOfScope(row[0], row[1], row[2], row[3], row[4], row[5], str(row[6] or "")) for row in rows]
