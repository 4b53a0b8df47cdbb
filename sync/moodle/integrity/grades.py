"""The gradebook: items belong to activities and categories of their own course, and categories stand in one tree."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import sqlalchemy as sa

from sync.moodle.integrity.check import Check, CheckContext, as_text, dangling, lacks


def _in_a_foreign_category(look: CheckContext) -> sa.Select[Any]:
    item, category = look.table("grade_items"), look.table("grade_categories")
    is_its_own = (category.c.id == item.c.categoryid, category.c.courseid == item.c.courseid)
    return sa.select(item.c.id).where(
        item.c.categoryid.is_not(None), lacks(category, *is_its_own), *look.courses(item.c.courseid)
    )


def _of_no_category(look: CheckContext) -> sa.Select[Any]:
    """Totals of a course are those of its uppermost category, totals of a category those of another one."""
    item, category = look.table("grade_items"), look.table("grade_categories")
    is_uppermost = category.c.parent.is_(None)
    is_of_type = sa.or_(
        sa.and_(item.c.itemtype == "course", is_uppermost), sa.and_(item.c.itemtype == "category", ~is_uppermost)
    )
    is_its_own = (category.c.id == item.c.iteminstance, category.c.courseid == item.c.courseid, is_of_type)
    return sa.select(item.c.id).where(
        item.c.itemtype.in_(("course", "category")), lacks(category, *is_its_own), *look.courses(item.c.courseid)
    )


def _of_no_activity(look: CheckContext, module: str) -> sa.Select[Any]:
    item, activity = look.table("grade_items"), look.table(module)
    is_its_own = (activity.c.id == item.c.iteminstance, activity.c.course == item.c.courseid)
    return sa.select(item.c.id).where(
        item.c.itemtype == "mod", item.c.itemmodule == module, lacks(activity, *is_its_own),
        *look.courses(item.c.courseid),
    )  # fmt: skip


def _of_no_module(look: CheckContext) -> sa.Select[Any]:
    item = look.table("grade_items")
    unknown = sa.or_(item.c.itemmodule.is_(None), item.c.itemmodule.not_in(sorted(look.modules)))
    return sa.select(item.c.id).where(item.c.itemtype == "mod", unknown, *look.courses(item.c.courseid))


def _on_a_wrong_path(look: CheckContext) -> sa.Select[Any]:
    category, parent = look.table("grade_categories"), look.table("grade_categories")
    path = sa.func.coalesce(parent.c.path, "/") + as_text(category.c.id) + sa.literal("/")
    wrong = (
        category.c.path.is_(None),
        category.c.path != path,
        category.c.depth != sa.func.coalesce(parent.c.depth, 0) + 1,
        sa.and_(category.c.parent.is_not(None), parent.c.id.is_(None)),
        category.c.courseid != parent.c.courseid,
    )
    joined = category.outerjoin(parent, parent.c.id == category.c.parent)
    return sa.select(category.c.id).select_from(joined).where(sa.or_(*wrong), *look.courses(category.c.courseid))


def _second_uppermost(look: CheckContext) -> sa.Select[Any]:
    later, earlier = look.table("grade_categories"), look.table("grade_categories")
    same = sa.and_(earlier.c.courseid == later.c.courseid, earlier.c.parent.is_(None), earlier.c.id < later.c.id)
    return sa.select(later.c.id).select_from(later.join(earlier, same)).where(
        later.c.parent.is_(None), *look.courses(later.c.courseid)
    )  # fmt: skip


def checks_of_modules(look: CheckContext) -> Iterator[Check]:
    """Return the checks that are made for each type of activity of the site."""
    for module in look.modules:
        yield Check("grade_item_instance_missing", "grade_items", partial(_of_no_activity, module=module))


CHECKS = (
    dangling("grade_item_course_missing", "grade_items", "courseid", "course", course="courseid"),
    dangling("grade_category_course_missing", "grade_categories", "courseid", "course", course="courseid"),
    Check("grade_item_category_wrong", "grade_items", _in_a_foreign_category, ("grade_categories",)),
    Check("grade_item_instance_missing", "grade_items", _of_no_category, ("grade_categories",)),
    Check("grade_item_instance_missing", "grade_items", _of_no_module),
    dangling("grade_item_scale_missing", "grade_items", "scaleid", "scale", course="courseid", optional=True),
    Check("grade_category_path_wrong", "grade_categories", _on_a_wrong_path),
    Check("grade_category_second_root", "grade_categories", _second_uppermost),
    dangling("grade_without_item", "grade_grades", "itemid", "grade_items"),
)
