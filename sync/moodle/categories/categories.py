"""Course categories with their contexts: read, and made."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple, Self

import sqlalchemy as sa

from sync.moodle.db.database import MoodleSession
from sync.moodle.db.writer import Writer
from sync.moodle.site.contexts import NewContext, insert_contexts
from sync.moodle.versions import CONTEXT_COURSECAT


class Category(NamedTuple):
    """A category.

    Shape: parent: 0 at the root; path: of its context, "/1/20"; idnumber: "" when it has none; contextid 0 or path "": its
    context is missing or unfinished, or it isn't in Moodle yet (its id is negative then)
    """

    id: int
    parent: int
    name: str
    idnumber: str
    visible: int
    sortorder: int
    contextid: int
    path: str

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """Return a category from a row that holds its columns, perhaps among others."""
        return cls(*[row[name] for name in cls._fields])

    @property
    def is_damaged(self) -> bool:
        """Whether Moodle has yet to make its context, so that nothing can be put below it."""
        return self.id > 0 and not (self.contextid and self.path)


class NewCategory(NamedTuple):
    """A category to be made.

    Shape: id: by which others are told to be in it, no category's yet; parent: 0 at the root; visibleold: whether it is visible
    once what holds it is; idnumber: of no other category, "" = none; description: HTML; sortorder: where it comes until
    `fix_course_order` numbers all, 0 = last, in the order in which they are made
    """

    id: int
    parent: int
    name: str
    visible: int
    visibleold: int
    idnumber: str = ""
    description: str = ""
    sortorder: int = 0


def fetch_categories(moodle: MoodleSession) -> list[Category]:
    """Return all categories of the site, by sort order. Queries: one"""
    category, context = moodle.table("course_categories"), moodle.table("context")
    joined = category.outerjoin(
        context, sa.and_(context.c.contextlevel == CONTEXT_COURSECAT, context.c.instanceid == category.c.id)
    )
    statement = (
        sa.select(
            category.c.id,
            category.c.parent,
            category.c.name,
            category.c.idnumber,
            category.c.visible,
            category.c.sortorder,
            sa.func.coalesce(context.c.id, 0).label("contextid"),
            context.c.path,
        )
        .select_from(joined)
        .order_by(category.c.sortorder, category.c.id)
    )
    return [
        Category(*row)._replace(idnumber=row.idnumber or "", path=row.path or "") for row in moodle.fetch(statement)
    ]


class CategoryContents(NamedTuple):
    """What is directly in categories, by the category's id.

    Shape: courses: how many, counted; categories: the id of each inner one -> its name, those without a context too; 0 = root
    """

    courses: Mapping[int, int]
    categories: Mapping[int, Mapping[int, str]]

    def is_last(self, categoryid: int, gone: Collection[int]) -> bool:
        """Tell whether a category would be the only one of the site once others are gone."""
        return all(other == categoryid or other in gone for inner in self.categories.values() for other in inner)


def fetch_category_contents(moodle: MoodleSession) -> CategoryContents:
    """Return what is in the categories of the site. Queries: two"""
    category, course = moodle.table("course_categories"), moodle.table("course")
    # Counted anew: course_categories.coursecount may be wrong.
    counted = sa.select(course.c.category, sa.func.count()).group_by(course.c.category)
    inner: dict[int, dict[int, str]] = {}
    for categoryid, parent, name in moodle.fetch(sa.select(category.c.id, category.c.parent, category.c.name)):
        inner.setdefault(parent, {})[categoryid] = name
    return CategoryContents(dict(moodle.fetch(counted)), inner)


def create_categories(
    writer: Writer, new: Sequence[NewCategory], present: Sequence[Category], *, now: int
) -> dict[int, Category]:
    """Make categories, parents first; where they stand in the order is for `fix_course_order` to say.

    Shape: present: those that are there; id of the new category -> the category that was made
    Mirrors: core_course_category::create()
    Queries: a constant number for each level of the tree
    """
    made: dict[int, Category] = {}
    by_id = {category.id: category for category in present}
    by_depth: dict[int, list[NewCategory]] = {}
    parent_of = {c.id: c.parent for c in present} | {c.id: c.parent for c in new}
    for category in new:
        by_depth.setdefault(_depth(category.id, parent_of), []).append(category)
    for depth, level in sorted(by_depth.items()):
        parents = [made.get(category.parent) or by_id.get(category.parent) for category in level]
        rows = [
            {
                "name": category.name,
                "idnumber": category.idnumber or None,
                "description": category.description,
                "descriptionformat": int(bool(category.description)),
                "parent": parent.id if parent else 0,
                "sortorder": category.sortorder,
                "coursecount": 0,
                "visible": category.visible,
                "visibleold": category.visibleold,
                "timemodified": now,
                "depth": depth,
                "path": "",
                "theme": None,
            }
            for category, parent in zip(level, parents, strict=True)
        ]
        ids = _insert(writer, rows)
        system = f"/{writer.session.system_contextid}"
        contexts = insert_contexts(
            writer,
            [
                NewContext(CONTEXT_COURSECAT, categoryid, parent.path if parent else system)
                for categoryid, parent in zip(ids, parents, strict=True)
            ],
        )
        for category, parent, categoryid, context in zip(level, parents, ids, contexts, strict=True):
            made[category.id] = Category(
                categoryid,
                parent.id if parent else 0,
                category.name,
                category.idnumber,
                category.visible,
                0,
                context.id,
                context.path,
            )
    return made


def _insert(writer: Writer, rows: Sequence[dict[str, Any]]) -> list[int]:
    """Insert categories and return their ids. Several of one place may have the same name, where idnumbers tell them apart."""
    ids = [0] * len(rows)
    for key in (("parent", "name"), ("idnumber",)):
        places = [place for place, row in enumerate(rows) if (row["idnumber"] is None) == (key != ("idnumber",))]
        found = writer.insert_many("course_categories", [rows[place] for place in places], key)
        for place, rowid in zip(places, found, strict=True):
            ids[place] = rowid
    return ids


def _depth(categoryid: int, parent_of: Mapping[int, int]) -> int:
    """Return on which level a category is, from 1 on; a circle of parents ends somewhere."""
    depth = 0
    while categoryid in parent_of and depth < len(parent_of):
        depth, categoryid = depth + 1, parent_of[categoryid]
    return depth
