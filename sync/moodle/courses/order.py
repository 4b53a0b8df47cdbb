"""The order of categories and courses on the whole site, and how many courses each category holds.

Mirrors: fix_course_sortorder() and _fix_course_cats(); leaves out: the rebuilding of contexts
Source: spec courses.md section 1.9
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from sync.moodle.db.database import MoodleSession
from sync.moodle.db.writer import RowChange, Writer

DEFAULT_COURSES_PER_CATEGORY = 10_000
SITE_SORTORDER = 1
CATEGORIES, COURSES = "course_categories", "course"


class _Category(NamedTuple):
    id: int
    parent: int
    sortorder: int
    depth: int
    path: str
    coursecount: int


def courses_per_category(session: MoodleSession) -> int:
    """Return how far apart the sort orders of two categories are: the setting maxcoursesincategory."""
    text = session.config.get("maxcoursesincategory", "")
    return int(text) if text.isdigit() and int(text) else DEFAULT_COURSES_PER_CATEGORY


class Misplaced(NamedTuple):
    """A course or a category that isn't where Moodle would have it. Shape: change: what brings it there"""

    table: str
    change: RowChange


def fix_course_order(writer: Writer, places: Sequence[Misplaced] | None = None) -> None:
    """Bring sortorder, depth, path and coursecount of categories, and sortorder of courses, into Moodle's shape.

    Doing it twice changes nothing.
    Shape: places: only these, None = all
    Queries: two, and the writes where something differs
    """
    found = fetch_misplaced(writer.session) if places is None else places
    for table in (CATEGORIES, COURSES):
        writer.update_many(table, [place.change for place in found if place.table == table])


def fetch_misplaced(session: MoodleSession) -> list[Misplaced]:
    """Return the categories and courses that aren't in Moodle's order. Queries: two"""
    step = courses_per_category(session)
    by_category = _courses_by_category(session)
    changes: list[RowChange] = []
    course_changes: list[RowChange] = []
    for category, after in _walk(_fetch_categories(session), step):
        members = by_category.pop(category.id, [])
        _note(changes, category.id, category._asdict(), {**after, "coursecount": len(members)})
        course_changes += _reorder(members, after["sortorder"], step)
    for courseid, sortorder in by_category.get(0, []):
        _note(course_changes, courseid, {"sortorder": sortorder}, {"sortorder": SITE_SORTORDER})
    return [
        *(Misplaced(CATEGORIES, change) for change in changes),
        *(Misplaced(COURSES, change) for change in course_changes),
    ]


def fetch_name_of(session: MoodleSession, place: Misplaced) -> str:
    """Return what people call a course or a category. Queries: one"""
    table = session.table(place.table)
    name = table.c.shortname if place.table == COURSES else table.c.name
    return next((row[0] for row in session.fetch(sa.select(name).where(table.c.id == place.change.id))), "")


def _fetch_categories(session: MoodleSession) -> list[_Category]:
    table = session.table("course_categories")
    columns = [table.c[name] for name in _Category._fields]
    return [_Category(*row) for row in session.fetch(sa.select(*columns))]


def _courses_by_category(session: MoodleSession) -> dict[int, list[tuple[int, int]]]:
    """Shape: category id (0 = the site course) -> (course id, sortorder)"""
    course = session.table("course")
    courses: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for courseid, category, sortorder in session.fetch(sa.select(course.c.id, course.c.category, course.c.sortorder)):
        courses[category].append((courseid, sortorder))
    return dict(courses)


def _walk(categories: Sequence[_Category], step: int) -> Iterator[tuple[_Category, dict[str, Any]]]:
    """Return the categories in the order of the tree, each with the place that it should have; new ones come last."""
    ids = {category.id for category in categories}
    children: dict[int, list[_Category]] = defaultdict(list)
    for category in categories:
        children[category.parent if category.parent in ids else 0].append(category)
    for siblings in children.values():
        siblings.sort(key=lambda category: (category.sortorder == 0, category.sortorder, category.id), reverse=True)
    waiting = [(category, "") for category in children[0]]
    sortorder = 0
    while waiting:
        category, parent_path = waiting.pop()
        sortorder += step
        # One whose parent is gone stays where it says it is: its contexts say so too.
        path = category.path if category.parent and not parent_path else f"{parent_path}/{category.id}"
        yield category, {"depth": path.count("/"), "path": path, "sortorder": sortorder}
        waiting += [(child, path) for child in children[category.id]]


def _reorder(courses: Sequence[tuple[int, int]], base: int, step: int) -> list[RowChange]:
    """Number the courses of a category from its sort order on; those that come from elsewhere keep their rank."""

    def rank(course: tuple[int, int]) -> tuple[int, int]:
        courseid, sortorder = course
        is_within = base <= sortorder <= base + step
        return (sortorder if is_within else sortorder % step + base), -courseid

    changes: list[RowChange] = []
    for place, (courseid, sortorder) in enumerate(sorted(courses, key=rank), start=1):
        _note(changes, courseid, {"sortorder": sortorder}, {"sortorder": base + place})
    return changes


def _note(changes: list[RowChange], rowid: int, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    differing = [name for name, value in after.items() if before[name] != value]
    if differing:
        changes.append(
            RowChange(rowid, {name: before[name] for name in differing}, {name: after[name] for name in differing})
        )
