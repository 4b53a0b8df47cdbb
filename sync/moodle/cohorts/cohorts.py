"""Reads of cohorts and their members."""

from __future__ import annotations

from collections.abc import Collection, Container
from operator import attrgetter
from typing import Any, NamedTuple

import sqlalchemy as sa

from sync.moodle.db.database import MoodleSession
from sync.moodle.db.id_ranges import next_among
from sync.moodle.db.identifiers import named
from sync.moodle.db.user_rows import UserRows, fetch_user_rows

# What a file may change in a cohort, and what tells which one it is.
_COLUMNS = ("id", "contextid", "name", "idnumber", "description", "component", "visible", "timemodified")


class Cohort(NamedTuple):
    """A cohort. Shape: contextid: the system's or a category's; idnumber: '' when it has none."""

    id: int
    contextid: int
    name: str
    idnumber: str


class CohortMember(NamedTuple):
    """A membership. Shape: id: of its row; named_by: what the user has in the column by which files name users"""

    id: int
    cohortid: int
    userid: int
    username: str
    named_by: str


def fetch_cohorts(
    moodle: MoodleSession, names: Collection[str], idnumbers: Collection[str], ids: Collection[int] = ()
) -> dict[int, dict[str, Any]]:
    """Return every cohort that has one of these names, idnumbers or ids, wherever it is.

    Shape: id -> {id, contextid, name, idnumber (None without one), description, component, visible, timemodified}, by rising id
    Queries: one; none when nothing is asked for
    """
    if not (names or idnumbers or ids):
        return {}
    cohort = moodle.table("cohort")
    statement = sa.select(*(cohort.c[name] for name in _COLUMNS)).where(
        sa.or_(
            named(moodle, "cohort", "name", names),
            named(moodle, "cohort", "idnumber", idnumbers),
            moodle.in_clause(cohort.c.id, ids),
        )
    )
    return {row.id: dict(row._mapping) for row in moodle.fetch(statement.order_by(cohort.c.id))}


def fetch_all_cohorts(moodle: MoodleSession) -> dict[int, dict[str, Any]]:
    """Return every cohort, as `fetch_cohorts` does. Queries: one"""
    cohort = moodle.table("cohort")
    statement = sa.select(*(cohort.c[name] for name in _COLUMNS)).order_by(cohort.c.id)
    return {row.id: dict(row._mapping) for row in moodle.fetch(statement)}


class MembersOfCohorts:
    """Members of cohorts who are users of this site, and neither deleted nor protected.

    Shape: protected_ids, hostid: of users; identifier: column of `user`; among: only these ids, None = any
    """

    def __init__(
        self, moodle: MoodleSession, cohortids: Collection[int], protected_ids: Collection[int], identifier: str,
        *, hostid: int, among: Container[int] | None = None,
    ) -> None:  # fmt: skip
        self._moodle = moodle
        self._among = among
        self._member, self._user = member, user = moodle.table("cohort_members"), moodle.table("user")
        self._named_by = user.c[identifier]
        self._joined = member.join(user, user.c.id == member.c.userid)
        self._is_meant = sa.and_(
            user.c.deleted == 0,
            user.c.mnethostid == hostid,
            sa.not_(moodle.in_clause(user.c.id, protected_ids)),
            moodle.in_clause(member.c.cohortid, cohortids),
        )

    def count(self) -> int:
        """Return how many memberships there are. Queries: one"""
        statement = sa.select(sa.func.count()).select_from(self._joined).where(self._is_meant)
        return int(self._moodle.fetch(statement)[0][0])

    def fetch(self, *, after: int, most: int) -> list[CohortMember]:
        """Return the next memberships, by rising id. Queries: one, or several where only some ids are meant"""
        if self._among is None:
            return self._page(after, most)
        return next_among(lambda upto: self._page(upto, most), self._among, after, attrgetter("id"))

    def _page(self, after: int, most: int) -> list[CohortMember]:
        member, user = self._member, self._user
        columns = (member.c.id, member.c.cohortid, member.c.userid, user.c.username, self._named_by.label("named_by"))
        statement = sa.select(*columns).select_from(self._joined).where(self._is_meant, member.c.id > after)
        rows = self._moodle.fetch(statement.order_by(member.c.id).limit(most))
        return [CohortMember(row[0], row[1], row[2], row[3], str(row[4] or "")) for row in rows]


def fetch_cohort_members(
    moodle: MoodleSession, cohortids: Collection[int], userids: Collection[int] | None
) -> UserRows:
    """Return which of these users belong to which of these cohorts.

    Shape: (cohortid, userid) -> {id}
    """
    return fetch_user_rows(moodle, "cohort_members", key=("cohortid", "userid"), in_clause=cohortids, userids=userids)


def count_cohort_members(moodle: MoodleSession, cohortids: Collection[int]) -> dict[int, int]:
    """Return how many members cohorts have; those without any are absent. Queries: one; none without cohorts"""
    if not cohortids:
        return {}
    member = moodle.table("cohort_members")
    statement = sa.select(member.c.cohortid, sa.func.count()).where(member.c.cohortid.in_(cohortids))
    return {row[0]: row[1] for row in moodle.fetch(statement.group_by(member.c.cohortid))}


def fetch_deleted_members(moodle: MoodleSession, cohortids: Collection[int]) -> set[int]:
    """Return the members that are deleted users; Moodle enrols none of them. Queries: one; none without cohorts"""
    if not cohortids:
        return set()
    member, user = moodle.table("cohort_members"), moodle.table("user")
    joined = member.join(user, sa.and_(user.c.id == member.c.userid, user.c.deleted == 1))
    statement = sa.select(member.c.userid).select_from(joined).where(member.c.cohortid.in_(cohortids))
    return {userid for (userid,) in moodle.fetch(statement)}


def fetch_dependent_rows(moodle: MoodleSession, cohortids: Collection[int]) -> dict[int, list[tuple[str, int]]]:
    """Return what goes with cohorts beside their members and enrolment methods.

    Shape: cohort id -> (table, row id)
    Queries: two; none without cohorts
    """
    if not cohortids:
        return {}
    found: dict[int, list[tuple[str, int]]] = {}
    template = moodle.table("competency_templatecohort")
    for rowid, cohortid in moodle.fetch(
        sa.select(template.c.id, template.c.cohortid).where(template.c.cohortid.in_(cohortids))
    ):
        found.setdefault(cohortid, []).append(("competency_templatecohort", rowid))
    data, custom, category = map(moodle.table, ("customfield_data", "customfield_field", "customfield_category"))
    of_cohorts = (
        sa.select(data.c.id, data.c.instanceid)
        .join(custom, custom.c.id == data.c.fieldid)
        .join(category, category.c.id == custom.c.categoryid)
        .where(category.c.component == "core_cohort", category.c.area == "cohort", data.c.instanceid.in_(cohortids))
    )
    for rowid, cohortid in moodle.fetch(of_cohorts):
        found.setdefault(cohortid, []).append(("customfield_data", rowid))
    return found


def fetch_self_enrolment_gates(moodle: MoodleSession, cohortids: Collection[int]) -> dict[int, int]:
    """Return in how many courses self enrolment is open to the members of a cohort only. Queries: one; none without cohorts"""
    if not cohortids:
        return {}
    enrol = moodle.table("enrol")
    statement = (
        sa.select(enrol.c.customint5, sa.func.count())
        .where(enrol.c.enrol == "self", enrol.c.customint5.in_(cohortids))
        .group_by(enrol.c.customint5)
    )
    return {int(cohortid): int(count) for cohortid, count in moodle.fetch(statement)}
