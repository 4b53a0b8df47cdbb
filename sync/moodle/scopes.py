"""Parts of a site, categories or cohorts, and how many rows of Moodle's tables belong to each: live, or among given ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, NamedTuple

import sqlalchemy as sa

from sync.errors import OptionError
from sync.moodle.db.database import MoodleSession
from sync.moodle.db.writer import MAX_KEYS, batched
from sync.moodle.users.scopes import fetch_cohorts_by_prefix
from sync.moodle.versions import CONTEXT_COURSE, CONTEXT_COURSECAT, CONTEXT_MODULE


class SitePart(NamedTuple):
    """A part of a site: a category with all below it, or cohorts. Shape: categoryids, cohortids: one of them is empty"""

    categoryids: frozenset[int] = frozenset()
    cohortids: frozenset[int] = frozenset()


class _Joined(NamedTuple):
    """How the rows of a table come to a category or cohort. Shape: rowid, placeid: columns; source: what is joined"""

    rowid: sa.ColumnElement[int]
    placeid: sa.ColumnElement[int]
    source: sa.FromClause


def fetch_category_part(moodle: MoodleSession, name: str) -> SitePart:
    """Return a category and all below it. Shape: name: its idnumber, or else its number

    Raises: OptionError where no category has it, or several have
    Queries: one
    """
    category = moodle.table("course_categories")
    rows = moodle.fetch(sa.select(category.c.id, category.c.parent, category.c.idnumber))
    return SitePart(categoryids=category_and_below([(row[0], row[1], row[2] or "") for row in rows], name))


def category_and_below(rows: Collection[tuple[int, int, str]], name: str) -> frozenset[int]:
    """Return the ids of a category and of all below it.

    Shape: rows: id, parent, idnumber; name: an idnumber, or else a number
    Raises: OptionError where no category has it, or several have
    """
    found = [rowid for rowid, _parent, idnumber in rows if idnumber and idnumber == name]
    if len(found) > 1:
        raise OptionError("scope_category_ambiguous", name=name, count=len(found))
    if not found:
        found = [rowid for rowid, _parent, _idnumber in rows if str(rowid) == name]
    if not found:
        raise OptionError("scope_category_unknown", name=name)
    inner: dict[int, list[int]] = {}
    for rowid, parent, _idnumber in rows:
        inner.setdefault(parent, []).append(rowid)
    categoryids = set[int]()
    while found:
        rowid = found.pop()
        # A damaged tree may have circles.
        if rowid not in categoryids:
            categoryids.add(rowid)
            found += inner.get(rowid, ())
    return frozenset(categoryids)


def fetch_cohort_part(moodle: MoodleSession, prefix: str) -> SitePart:
    """Return the cohorts whose idnumber begins with a text. Raises: OptionError where there are none. Queries: one"""
    cohortids = fetch_cohorts_by_prefix(moodle, prefix)
    if not cohortids:
        raise OptionError("scope_cohorts_unknown", name=prefix)
    return SitePart(cohortids=frozenset(cohortids))


def fetch_row_counts(moodle: MoodleSession, tables: Iterable[str]) -> dict[str, int]:
    """Return how many rows tables have; of `user` those that aren't deleted. Queries: one for each table"""
    counts: dict[str, int] = {}
    for name in tables:
        table = moodle.table(name)
        statement = sa.select(sa.func.count()).select_from(table)
        if name == "user":
            statement = statement.where(table.c.deleted == 0)
        counts[name] = int(moodle.fetch(statement)[0][0])
    return counts


def fetch_part_counts(moodle: MoodleSession, part: SitePart, tables: Iterable[str]) -> dict[str, int]:
    """Return how many rows of tables are in a part of the site. Queries: one for each table"""
    counts: dict[str, int] = {}
    for table in tables:
        joined = _joined(moodle, table)
        placeids = part.categoryids or part.cohortids
        statement = sa.select(sa.func.count(joined.rowid.distinct())).select_from(joined.source)
        counts[table] = int(moodle.fetch(statement.where(moodle.in_clause(joined.placeid, placeids)))[0][0])
    return counts


def count_in_parts(
    moodle: MoodleSession, parts: Mapping[str, SitePart], table: str, rowids: Collection[int]
) -> Counter[str]:
    """Return how many of the rows are in each of the parts that rows of the table can be in. Queries: one per 10,000 rows

    Shape: parts: by any name
    """
    joined = _joined(moodle, table)
    places = {name: _placeids(part, table) for name, part in parts.items()}
    wanted = frozenset().union(*places.values())
    found: dict[str, set[int]] = {name: set() for name in places}
    for some in batched(sorted(rowids) if wanted else [], MAX_KEYS):
        statement = (
            sa.select(joined.rowid, joined.placeid)
            .select_from(joined.source)
            .where(moodle.in_clause(joined.rowid, some), moodle.in_clause(joined.placeid, wanted))
        )
        for rowid, placeid in moodle.fetch(statement):
            for name, placeids in places.items():
                if placeid in placeids:
                    found[name].add(rowid)
    return Counter({name: len(ids) for name, ids in found.items() if ids})


def _placeids(part: SitePart, table: str) -> frozenset[int]:
    return part.categoryids if table in _BY_CATEGORY else part.cohortids


def _joined(moodle: MoodleSession, table: str) -> _Joined:
    return (_BY_CATEGORY.get(table) or _BY_COHORT[table])(moodle)


def _categories(moodle: MoodleSession) -> _Joined:
    category = moodle.table("course_categories")
    return _Joined(category.c.id, category.c.id, category)


def _courses(moodle: MoodleSession) -> _Joined:
    course = moodle.table("course")
    return _Joined(course.c.id, course.c.category, course)


def _of_course(name: str, column: str = "courseid") -> Callable[[MoodleSession], _Joined]:
    def joined(moodle: MoodleSession) -> _Joined:
        table, course = moodle.table(name), moodle.table("course")
        return _Joined(table.c.id, course.c.category, table.join(course, course.c.id == table.c[column]))

    return joined


def _within(name: str, column: str, outer: str) -> Callable[[MoodleSession], _Joined]:
    """Return how rows of a table join that belong to a row of another one, which belongs to a course."""

    def joined(moodle: MoodleSession) -> _Joined:
        table, holder, course = moodle.table(name), moodle.table(outer), moodle.table("course")
        source = table.join(holder, holder.c.id == table.c[column]).join(course, course.c.id == holder.c.courseid)
        return _Joined(table.c.id, course.c.category, source)

    return joined


def _roles(moodle: MoodleSession) -> _Joined:
    """Roles in a category, in its courses and in their activities."""
    role, context, course, cm = map(moodle.table, ("role_assignments", "context", "course", "course_modules"))
    is_module = sa.and_(context.c.contextlevel == CONTEXT_MODULE, cm.c.id == context.c.instanceid)
    courseid = sa.case((context.c.contextlevel == CONTEXT_COURSE, context.c.instanceid), else_=cm.c.course)
    categoryid = sa.case((context.c.contextlevel == CONTEXT_COURSECAT, context.c.instanceid), else_=course.c.category)
    source = (
        role.join(context, context.c.id == role.c.contextid)
        .outerjoin(cm, is_module)
        .outerjoin(course, course.c.id == courseid)
    )
    return _Joined(role.c.id, categoryid, source)


def _cohorts(moodle: MoodleSession) -> _Joined:
    cohort = moodle.table("cohort")
    return _Joined(cohort.c.id, cohort.c.id, cohort)


def _members(moodle: MoodleSession) -> _Joined:
    member = moodle.table("cohort_members")
    return _Joined(member.c.id, member.c.cohortid, member)


def _users(moodle: MoodleSession) -> _Joined:
    user, member = moodle.table("user"), moodle.table("cohort_members")
    source = user.join(member, sa.and_(member.c.userid == user.c.id, user.c.deleted == 0))
    return _Joined(user.c.id, member.c.cohortid, source)


_BY_CATEGORY: dict[str, Callable[[MoodleSession], Any]] = {
    "course_categories": _categories,
    "course": _courses,
    "enrol": _of_course("enrol"),
    "groups": _of_course("groups"),
    "user_enrolments": _within("user_enrolments", "enrolid", "enrol"),
    "groups_members": _within("groups_members", "groupid", "groups"),
    "role_assignments": _roles,
}
_BY_COHORT: dict[str, Callable[[MoodleSession], Any]] = {
    "cohort": _cohorts,
    "cohort_members": _members,
    "user": _users,
}
