"""Users and courses are found by parts of their names and identifiers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from sync.moodle.db.database import MoodleSession

USER_NAMES = ("username", "firstname", "lastname", "email", "idnumber")
COURSE_NAMES = ("shortname", "fullname", "idnumber")
# More words than a name has only cost time.
_MOST_WORDS = 6


class FoundUser(NamedTuple):
    """A user that a search has found."""

    id: int
    username: str
    firstname: str
    lastname: str
    email: str
    idnumber: str
    auth: str
    suspended: bool


class FoundCourse(NamedTuple):
    """A course that a search has found."""

    id: int
    shortname: str
    fullname: str
    idnumber: str
    visible: bool


def search_users(moodle: MoodleSession, text: str, *, most: int) -> list[FoundUser]:
    """Return users of whom each word of a text is part of a name or identifier, by last name; none for no words. Queries: one"""
    user = moodle.table("user")
    conditions = [user.c.deleted == 0, *_word_conditions([user.c[name] for name in USER_NAMES], text)]
    if len(conditions) == 1:
        return []
    statement = sa.select(*(user.c[name] for name in FoundUser._fields)).where(*conditions)
    rows = moodle.fetch(statement.order_by(user.c.lastname, user.c.firstname, user.c.id).limit(most))
    return [FoundUser(*row)._replace(suspended=bool(row.suspended)) for row in rows]


def search_courses(moodle: MoodleSession, text: str, *, most: int) -> list[FoundCourse]:
    """Return courses of which each word of a text is part of a name or identifier, by short name. Queries: one"""
    course = moodle.table("course")
    conditions = [course.c.category != 0, *_word_conditions([course.c[name] for name in COURSE_NAMES], text)]
    if len(conditions) == 1:
        return []
    statement = sa.select(*(course.c[name] for name in FoundCourse._fields)).where(*conditions)
    rows = moodle.fetch(statement.order_by(course.c.shortname, course.c.id).limit(most))
    return [FoundCourse(*row)._replace(visible=bool(row.visible)) for row in rows]


def _word_conditions(columns: Sequence[sa.Column[Any]], text: str) -> list[sa.ColumnElement[bool]]:
    """Return a condition for each word of a text: it is part of what one of the columns holds, in any case."""
    return [word_condition(columns, word) for word in text.split()[:_MOST_WORDS]]


def word_condition(columns: Sequence[sa.ColumnElement[Any]], word: str) -> sa.ColumnElement[bool]:
    """Return the condition that a word is part of what one of the columns holds, in any case of letters."""
    return sa.or_(*(column.icontains(word, autoescape=True) for column in columns))
