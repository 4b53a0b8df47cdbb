"""Conditions by which reads are narrowed: courses of a category or by a pattern of their short name, cohorts, users."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from sync.moodle.db.database import MoodleSession

_ESCAPE = "\\"


def courses_within(
    moodle: MoodleSession, course: sa.FromClause, *, category: int | None = None, pattern: str = ""
) -> list[sa.ColumnElement[bool]]:
    """Return the conditions that a course is in a category or below it, and called as a pattern says; never the front page.

    Shape: category: None = anywhere; pattern: of short names, * stands for anything, "" = any
    """
    conditions: list[sa.ColumnElement[bool]] = [course.c.category != 0]
    if category is not None:
        table = moodle.table("course_categories")
        below = table.c.path.like(f"%/{category}/%")
        conditions.append(course.c.category.in_(sa.select(table.c.id).where(sa.or_(table.c.id == category, below))))
    if pattern:
        conditions.append(course.c.shortname.like(_as_like(pattern), escape=_ESCAPE))
    return conditions


def named_by_prefix(column: sa.ColumnElement[Any], prefix: str) -> sa.ColumnElement[bool]:
    """Return the condition that what a column holds begins with a text."""
    return column.like(f"{_escaped(prefix)}%", escape=_ESCAPE)


def _as_like(pattern: str) -> str:
    return _escaped(pattern).replace("*", "%")


def _escaped(text: str) -> str:
    for sign in (_ESCAPE, "%", "_"):
        text = text.replace(sign, _ESCAPE + sign)
    return text
