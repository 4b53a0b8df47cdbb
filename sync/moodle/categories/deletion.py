"""Delete course categories that hold no course and no category, whole sets at a time.

Mirrors: core_course_category::delete_full() of Moodle 4.1 to 5.1; leaves out: events, logs
Source: spec courses.md section 6; effect category_delete_empty
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from sync.moodle.categories.categories import Category
from sync.moodle.course_content.delete.delete import delete_contexts
from sync.moodle.course_content.graph.graph import CourseGraph
from sync.moodle.course_content.graph.scope import inline
from sync.moodle.courses.courses import Course
from sync.moodle.db.database import MoodleSession
from sync.moodle.db.writer import RowChange, Writer
from sync.moodle.files.files import DeletedFiles, pathname_hash
from sync.moodle.versions import CONTEXT_BLOCK

# What moves up to the category that stays: table, what its rows must hold besides. Moodle moves the cohorts only, and loses
# what goes with them; competencies it leaves on a context that isn't there any more.
_MOVED: tuple[tuple[str, Mapping[str, str]], ...] = (
    ("cohort", {}),
    ("customfield_data", {}),  # of cohorts
    ("files", {"component": "cohort"}),
    ("competency_framework", {}),
    ("competency_template", {}),
)
# What goes by the category itself, not by its context.
_OF_THE_CATEGORY = (
    ("event", "categoryid"),
    ("event_subscriptions", "categoryid"),
    ("tool_recyclebin_category", "categoryid"),
)
_DEFAULT_FOR_REQUESTS = "defaultrequestcategory"


def delete_empty_categories(
    writer: Writer, graph: CourseGraph, categories: Sequence[Category], *, now: int
) -> DeletedFiles:
    """Delete categories inside the caller's transaction; return the files that are to be seen to after the commit.

    The caller knows that they hold nothing, and that others stay. The order of these is left to `sync.moodle.courses.order`.
    Shape: categories: inner ones before those that hold them
    Units: now: seconds since epoch
    Queries: constant in the number of categories
    """
    ids = [category.id for category in categories]
    _move_up(writer, categories)
    for table, column in _OF_THE_CATEGORY:
        if writer.session.database.has_table(table):
            writer.delete_where(table, column, ids)
    places = [Course(category.id, category.contextid, category.path) for category in categories]
    files = delete_contexts(writer, graph, places, _context_ids(writer.session, categories), now=now)
    writer.delete_where("course_categories", "id", ids)
    _mend_default_for_requests(writer, ids)
    return files


def unknown_question_types(
    session: MoodleSession, graph: CourseGraph, categories: Sequence[Category]
) -> dict[int, list[str]]:
    """Return the types of the questions kept in categories ("qtype_x") whose tables the graph doesn't know.

    Shape: category id -> names in alphabetical order; absent = everything is known
    Queries: one
    """
    bank, entry, version, question = map(
        session.table, ("question_categories", "question_bank_entries", "question_versions", "question")
    )
    categoryid_by_context = {category.contextid: category.id for category in categories}
    statement = (
        sa.select(bank.c.contextid, question.c.qtype)
        .join(entry, entry.c.questioncategoryid == bank.c.id)
        .join(version, version.c.questionbankentryid == entry.c.id)
        .join(question, question.c.id == version.c.questionid)
        .where(bank.c.contextid.in_(inline(categoryid_by_context)))
        .where(question.c.qtype.not_in(sorted(graph.question_types)))
        .distinct()
    )
    found: dict[int, list[str]] = {}
    for contextid, name in sorted(map(tuple, session.fetch(statement))):
        found.setdefault(categoryid_by_context[contextid], []).append(f"qtype_{name}")
    return found


def _context_ids(session: MoodleSession, categories: Sequence[Category]) -> list[int]:
    """The contexts of the categories and of the blocks on their pages; not by path: a course moved away may have kept it."""
    context, block = session.table("context"), session.table("block_instances")
    own = [category.contextid for category in categories]
    blocks = sa.select(block.c.id).where(block.c.parentcontextid.in_(inline(own)))
    statement = sa.select(context.c.id).where(context.c.contextlevel == CONTEXT_BLOCK, context.c.instanceid.in_(blocks))
    return sorted([*own, *(contextid for (contextid,) in session.fetch(statement))])


def _move_up(writer: Writer, categories: Sequence[Category]) -> None:
    """Return what doesn't go with a category to the nearest one above that stays, or to the site."""
    session = writer.session
    contextids = {category.contextid for category in categories}
    home: dict[int, int] = {}
    for category in categories:
        above = [int(part) for part in category.path.split("/")[1:-1]]
        staying = (contextid for contextid in reversed(above) if contextid not in contextids)
        home[category.contextid] = next(staying, session.system_contextid)
    for name, where in _MOVED:
        table = session.table(name)
        conditions = [table.c[column] == value for column, value in where.items()]
        found = session.fetch(sa.select(table).where(table.c.contextid.in_(inline(home)), *conditions))
        rows = sorted((dict(row._mapping) for row in found), key=lambda row: row["id"])
        writer.update_many(name, [_moved(row, home[row["contextid"]]) for row in rows])


def _moved(row: Mapping[str, Any], contextid: int) -> RowChange:
    after: dict[str, Any] = {"contextid": contextid}
    if "pathnamehash" in row:
        after["pathnamehash"] = pathname_hash({**row, **after})
    return RowChange(row["id"], {name: row[name] for name in after}, after)


def _mend_default_for_requests(writer: Writer, gone: Sequence[int]) -> None:
    """Have courses that people ask for go into the first category of the site, if they went into one that is gone."""
    session = writer.session
    config, category = session.table("config"), session.table("course_categories")
    setting = session.fetch(sa.select(config.c.id, config.c.value).where(config.c.name == _DEFAULT_FOR_REQUESTS))
    if setting and setting[0].value in map(str, gone):
        first = session.fetch(sa.select(sa.func.min(category.c.id)).where(category.c.parent == 0))[0][0]
        change = RowChange(setting[0].id, {"value": setting[0].value}, {"value": str(first)})
        writer.update_many("config", [change])
