"""Categories and courses: the tree, and the order in which Moodle lists them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from sync.moodle.courses.order import courses_per_category
from sync.moodle.integrity.check import Check, CheckContext, IntegrityLevel, as_text, dangling, lacks


def _on_a_wrong_path(look: CheckContext) -> sa.Select[Any]:
    category, parent = look.table("course_categories"), look.table("course_categories")
    own = sa.literal("/") + as_text(category.c.id)
    path = sa.func.coalesce(parent.c.path, "") + own
    return (
        sa.select(category.c.id)
        .select_from(category.outerjoin(parent, parent.c.id == category.c.parent))
        .where(sa.or_(category.c.path != path, category.c.depth != sa.func.coalesce(parent.c.depth, 0) + 1))
    )


def _wrongly_counted(look: CheckContext) -> sa.Select[Any]:
    category, course = look.table("course_categories"), look.table("course")
    counted = sa.select(course.c.category, sa.func.count().label("courses")).group_by(course.c.category).subquery()
    return (
        sa.select(category.c.id)
        .select_from(category.outerjoin(counted, counted.c.category == category.c.id))
        .where(category.c.coursecount != sa.func.coalesce(counted.c.courses, 0))
    )


def _categories_out_of_order(look: CheckContext) -> Iterator[int]:
    """Each category comes right behind the one that holds it or behind a sister's branch, one step further."""
    category = look.table("course_categories")
    step = courses_per_category(look.session)
    branch: list[int] = []
    found = look.session.fetch(
        sa.select(category.c.id, category.c.parent, category.c.sortorder).order_by(category.c.sortorder, category.c.id)
    )
    ids = {categoryid for categoryid, _parent, _sortorder in found}
    for place, (categoryid, parent, sortorder) in enumerate(found, start=1):
        while branch and branch[-1] != parent:
            branch.pop()
        if sortorder != place * step or (parent in ids and not branch):
            yield categoryid
        branch.append(categoryid)


def _courses_out_of_order(look: CheckContext) -> Iterator[int]:
    """The courses of a category are numbered from its sort order on, without gaps; those without a number aren't looked at."""
    category, course = look.table("course_categories"), look.table("course")
    statement = (
        sa.select(course.c.id, course.c.category, course.c.sortorder, category.c.sortorder)
        .select_from(course.join(category, category.c.id == course.c.category))
        .where(course.c.sortorder != 0)
        .order_by(course.c.category, course.c.sortorder, course.c.id)
    )
    current, place = None, 0
    for courseid, categoryid, sortorder, base in look.stream(statement):
        place = place + 1 if categoryid == current else 1
        current = categoryid
        if sortorder != base + place:
            yield courseid


def _without_order(look: CheckContext) -> sa.Select[Any]:
    course = look.table("course")
    return sa.select(course.c.id).where(course.c.sortorder == 0, course.c.category != 0, *look.courses(course.c.id))


def _without_category(look: CheckContext) -> sa.Select[Any]:
    """The site's front page, the first course of all, is in none."""
    course, category = look.table("course"), look.table("course_categories")
    front_page = sa.select(sa.func.min(look.table("course").c.id)).scalar_subquery()
    return sa.select(course.c.id).where(
        lacks(category, category.c.id == course.c.category), course.c.id != front_page, *look.courses(course.c.id)
    )


CHECKS = (
    dangling("category_parent_missing", "course_categories", "parent", "course_categories", optional=True),
    Check("category_path_wrong", "course_categories", _on_a_wrong_path, of_site=True),
    Check("category_count_wrong", "course_categories", _wrongly_counted, of_site=True),
    Check("category_order_wrong", "course_categories", _categories_out_of_order, of_site=True),
    Check("course_category_missing", "course", _without_category),
    Check("course_order_wrong", "course", _courses_out_of_order, of_site=True),
    # A restore in Moodle leaves this to whoever makes the next course.
    Check("course_not_in_order_yet", "course", _without_order, level=IntegrityLevel.NOTE),
)
