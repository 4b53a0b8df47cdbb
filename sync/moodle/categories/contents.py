"""What a file of categories must know of all of them: how they are described, their courses, and what else they keep."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import sqlalchemy as sa

from sync.moodle.categories.categories import Category
from sync.moodle.db.database import MoodleSession
from sync.moodle.versions import CONTEXT_COURSE, CONTEXT_COURSECAT


class Bank(NamedTuple):
    """How much of what teachers share a category keeps itself."""

    questions: int = 0
    contents: int = 0


def fetch_described_categories(moodle: MoodleSession) -> list[dict[str, Any]]:
    """Return all categories of the site, by sort order.

    Shape: the fields of `Category`, visibleold, description, descriptionformat, timemodified
    Queries: one
    """
    category, context = moodle.table("course_categories"), moodle.table("context")
    joined = category.outerjoin(
        context, sa.and_(context.c.contextlevel == CONTEXT_COURSECAT, context.c.instanceid == category.c.id)
    )
    own = [name for name in Category._fields if name not in ("contextid", "path")]
    statement = (
        sa.select(
            *(category.c[name] for name in (*own, "visibleold", "description", "descriptionformat", "timemodified")),
            sa.func.coalesce(context.c.id, 0).label("contextid"),
            context.c.path,
        )
        .select_from(joined)
        .order_by(category.c.sortorder, category.c.id)
    )
    rows = [dict(row._mapping) for row in moodle.fetch(statement)]
    return [{**row, "idnumber": row["idnumber"] or "", "path": row["path"] or ""} for row in rows]


def fetch_course_places(moodle: MoodleSession) -> list[dict[str, Any]]:
    """Return where all courses but the front page are, and whether they are seen, by sort order.

    Shape: {id, category, visible, visibleold, sortorder, timemodified, contextid, path}; path: of the context, "" without one
    Queries: one
    """
    course, context = moodle.table("course"), moodle.table("context")
    joined = course.outerjoin(
        context, sa.and_(context.c.contextlevel == CONTEXT_COURSE, context.c.instanceid == course.c.id)
    )
    names = ("id", "category", "visible", "visibleold", "sortorder", "timemodified")
    statement = (
        sa.select(
            *(course.c[name] for name in names), sa.func.coalesce(context.c.id, 0).label("contextid"), context.c.path
        )
        .select_from(joined)
        .where(course.c.category != 0)
        .order_by(course.c.sortorder, course.c.id)
    )
    return [{**row._mapping, "path": row.path or ""} for row in moodle.fetch(statement)]


def fetch_banks(moodle: MoodleSession) -> Mapping[int, Bank]:
    """Return what the question banks and content banks of categories hold, by the category's id; absent = nothing.

    Queries: two
    """
    found: dict[int, Bank] = {}
    context = moodle.table("context")
    bank, entry = moodle.table("question_categories"), moodle.table("question_bank_entries")
    questions = entry.join(bank, bank.c.id == entry.c.questioncategoryid).join(
        context, context.c.id == bank.c.contextid
    )
    for categoryid, count in moodle.fetch(_counted(context, questions)):
        found[categoryid] = Bank(questions=count)
    content = moodle.table("contentbank_content")
    contents = content.join(context, context.c.id == content.c.contextid)
    for categoryid, count in moodle.fetch(_counted(context, contents)):
        found[categoryid] = found.get(categoryid, Bank())._replace(contents=count)
    return found


def _counted(context: sa.Table, rows: sa.Join) -> sa.Select[Any]:
    of_category = context.c.contextlevel == CONTEXT_COURSECAT
    return (
        sa.select(context.c.instanceid, sa.func.count())
        .select_from(rows)
        .where(of_category)
        .group_by(context.c.instanceid)
    )
