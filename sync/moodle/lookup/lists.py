"""What of Moodle has an identifier that files may name, listed by a few columns, searched, and paged by keyset."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

import sqlalchemy as sa

from sync.moodle.db.database import MoodleSession
from sync.moodle.db.keyset import comes_behind
from sync.moodle.lookup.search import word_condition
from sync.moodle.versions import CONTEXT_COURSECAT


class Listed(StrEnum):
    """What there are lists of."""

    ROLES = "roles"
    CATEGORIES = "categories"
    COURSES = "courses"
    COHORTS = "cohorts"
    GROUPS = "groups"
    USER_FIELDS = "user_fields"
    COURSE_FIELDS = "course_fields"


class ListedRow(NamedTuple):
    """A row of a list. Shape: id: Moodle's number; cells: in the order of the columns of the list, "" = it has none"""

    id: int
    cells: tuple[str, ...]


class ListPage(NamedTuple):
    """A part of a list. Shape: following: id behind which the next part begins, None = this is the last"""

    rows: list[ListedRow]
    following: int | None


class _List(NamedTuple):
    """How a list is read. Shape: source: what is selected from; key: its id; order: by what it goes, columns: what it shows"""

    source: sa.FromClause
    key: sa.Column[Any]
    order: sa.Column[Any]
    columns: Sequence[sa.ColumnElement[Any]]
    conditions: Sequence[sa.ColumnElement[bool]] = ()


# The columns of each list, by the names that Moodle gives them; `category`, `course`: what it belongs to.
LIST_COLUMNS: dict[Listed, tuple[str, ...]] = {
    Listed.ROLES: ("shortname", "name"),
    Listed.CATEGORIES: ("name", "idnumber"),
    Listed.COURSES: ("shortname", "fullname", "idnumber"),
    Listed.COHORTS: ("name", "idnumber", "category"),
    Listed.GROUPS: ("name", "idnumber", "course"),
    Listed.USER_FIELDS: ("shortname", "name", "datatype"),
    Listed.COURSE_FIELDS: ("shortname", "name", "type"),
}


def fetch_list(moodle: MoodleSession, kind: Listed, *, text: str = "", after: int | None = None, most: int) -> ListPage:
    """Return a part of a list. Shape: text: part of what its columns hold; after: id of the last row before. Queries: one"""
    found = _LISTS[kind](moodle)
    conditions = [*found.conditions, *(word_condition(found.columns, word) for word in text.split()[:6])]
    if after is not None:
        conditions.append(comes_behind(found.key, found.order, after))
    statement = sa.select(found.key, *found.columns).select_from(found.source).where(*conditions)
    rows = moodle.fetch(statement.order_by(found.order, found.key).limit(most + 1))
    shown = [ListedRow(row[0], tuple("" if cell is None else str(cell) for cell in row[1:])) for row in rows[:most]]
    return ListPage(shown, shown[-1].id if len(rows) > most else None)


def _roles(moodle: MoodleSession) -> _List:
    role = moodle.table("role")
    return _List(role, role.c.id, role.c.sortorder, (role.c.shortname, role.c.name))


def _categories(moodle: MoodleSession) -> _List:
    category = moodle.table("course_categories")
    return _List(category, category.c.id, category.c.sortorder, (category.c.name, category.c.idnumber))


def _courses(moodle: MoodleSession) -> _List:
    course = moodle.table("course")
    columns = (course.c.shortname, course.c.fullname, course.c.idnumber)
    return _List(course, course.c.id, course.c.shortname, columns, (course.c.category != 0,))


def _cohorts(moodle: MoodleSession) -> _List:
    cohort, context, category = map(moodle.table, ("cohort", "context", "course_categories"))
    joined = cohort.join(context, context.c.id == cohort.c.contextid).outerjoin(
        category, sa.and_(context.c.contextlevel == CONTEXT_COURSECAT, category.c.id == context.c.instanceid)
    )
    return _List(joined, cohort.c.id, cohort.c.name, (cohort.c.name, cohort.c.idnumber, category.c.name))


def _groups(moodle: MoodleSession) -> _List:
    group, course = map(moodle.table, ("groups", "course"))
    joined = group.join(course, course.c.id == group.c.courseid)
    return _List(joined, group.c.id, group.c.name, (group.c.name, group.c.idnumber, course.c.shortname))


def _user_fields(moodle: MoodleSession) -> _List:
    field = moodle.table("user_info_field")
    return _List(field, field.c.id, field.c.shortname, (field.c.shortname, field.c.name, field.c.datatype))


def _course_fields(moodle: MoodleSession) -> _List:
    field, category = map(moodle.table, ("customfield_field", "customfield_category"))
    joined = field.join(category, category.c.id == field.c.categoryid)
    of_courses = (category.c.component == "core_course", category.c.area == "course")
    return _List(joined, field.c.id, field.c.shortname, (field.c.shortname, field.c.name, field.c.type), of_courses)


_LISTS: dict[Listed, Callable[[MoodleSession], _List]] = {
    Listed.ROLES: _roles,
    Listed.CATEGORIES: _categories,
    Listed.COURSES: _courses,
    Listed.COHORTS: _cohorts,
    Listed.GROUPS: _groups,
    Listed.USER_FIELDS: _user_fields,
    Listed.COURSE_FIELDS: _course_fields,
}
