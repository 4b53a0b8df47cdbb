"""Contexts: each belongs to something that is there, and its path leads through the context that holds it."""

from __future__ import annotations

from functools import partial
from typing import Any

import sqlalchemy as sa

from sync.moodle.integrity.check import Check, CheckContext, IntegrityLevel, as_text, dangling, lacks
from sync.moodle.versions import (
    CONTEXT_BLOCK,
    CONTEXT_COURSE,
    CONTEXT_COURSECAT,
    CONTEXT_MODULE,
    CONTEXT_SYSTEM,
    CONTEXT_USER,
)

_TABLES = {
    CONTEXT_USER: "user",
    CONTEXT_COURSECAT: "course_categories",
    CONTEXT_COURSE: "course",
    CONTEXT_MODULE: "course_modules",
    CONTEXT_BLOCK: "block_instances",
}


def _without_instance(look: CheckContext) -> sa.CompoundSelect[Any]:
    selects = []
    for level, name in _TABLES.items():
        context, instance = look.table("context"), look.table(name)
        selects.append(
            sa.select(context.c.id).where(
                context.c.contextlevel == level,
                lacks(instance, instance.c.id == context.c.instanceid),
                *look.contexts(context.c.id),
            )
        )
    return sa.union_all(*selects)


def _without_context(look: CheckContext, level: int) -> sa.Select[Any]:
    instance, context = look.table(_TABLES[level]), look.table("context")
    wanted = sa.select(instance.c.id).where(
        lacks(context, context.c.contextlevel == level, context.c.instanceid == instance.c.id)
    )
    if level == CONTEXT_COURSE:
        return wanted.where(*look.courses(instance.c.id))
    if level == CONTEXT_MODULE:
        return wanted.where(*look.courses(instance.c.course))
    if level == CONTEXT_BLOCK:
        return wanted.where(*look.contexts(instance.c.parentcontextid))
    return wanted


def _on_a_wrong_path(look: CheckContext) -> sa.CompoundSelect[Any]:
    return sa.union_all(_wrong_system(look), *(_wrong_below(look, level) for level in _TABLES))


def _wrong_system(look: CheckContext) -> sa.Select[Any]:
    context = look.table("context")
    own = sa.literal("/") + as_text(context.c.id)
    return sa.select(context.c.id).where(
        context.c.contextlevel == CONTEXT_SYSTEM, _differs(context, own, sa.literal(1)), *look.contexts(context.c.id)
    )


def _wrong_below(look: CheckContext, level: int) -> sa.Select[Any]:
    """Select the contexts of a level whose path isn't their parent's and their own id."""
    context, parent, instance = look.table("context"), look.table("context"), look.table(_TABLES[level])
    joined = context.join(instance, instance.c.id == context.c.instanceid).join(
        parent, _is_parent(look, level, parent, instance)
    )
    wrong = _differs(context, parent.c.path + sa.literal("/") + as_text(context.c.id), parent.c.depth + 1)
    return (
        sa.select(context.c.id)
        .select_from(joined)
        .where(context.c.contextlevel == level, wrong, *look.contexts(context.c.id))
    )


def _is_parent(
    look: CheckContext, level: int, parent: sa.FromClause, instance: sa.FromClause
) -> sa.ColumnElement[bool]:
    """Return the condition under which a context holds another one, by what that one belongs to."""
    if level == CONTEXT_USER:
        return parent.c.id == look.session.system_contextid
    if level == CONTEXT_BLOCK:
        return parent.c.id == instance.c.parentcontextid
    if level == CONTEXT_MODULE:
        return sa.and_(parent.c.contextlevel == CONTEXT_COURSE, parent.c.instanceid == instance.c.course)
    # In category 0 are the uppermost categories and the front page; the context of the system has instance 0 as well.
    holder = instance.c.parent if level == CONTEXT_COURSECAT else instance.c.category
    holding = sa.case((holder == 0, CONTEXT_SYSTEM), else_=CONTEXT_COURSECAT)
    return sa.and_(parent.c.contextlevel == holding, parent.c.instanceid == holder)


def _differs(
    context: sa.FromClause, path: sa.ColumnElement[str], depth: sa.ColumnElement[int]
) -> sa.ColumnElement[bool]:
    return sa.or_(context.c.path.is_(None), context.c.path != path, context.c.depth != depth)


CHECKS = (
    Check("context_instance_missing", "context", _without_instance),
    Check("context_path_wrong", "context", _on_a_wrong_path),
    Check("context_missing", "course_categories", partial(_without_context, level=CONTEXT_COURSECAT), of_site=True),
    Check("context_missing", "course", partial(_without_context, level=CONTEXT_COURSE)),
    # Moodle makes those of activities and blocks when it first asks for them: an API or an upgrade leaves some without.
    Check(
        "context_not_made", "course_modules", partial(_without_context, level=CONTEXT_MODULE), level=IntegrityLevel.NOTE
    ),
    Check(
        "context_not_made", "block_instances", partial(_without_context, level=CONTEXT_BLOCK), level=IntegrityLevel.NOTE
    ),
    dangling("block_place_missing", "block_instances", "parentcontextid", "context"),
)
