"""What a simulation remembers of courses and categories that earlier chunks would have made or changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sync.moodle.categories.categories import Category
from sync.moodle.course_content.graph.content_tables import SECTIONS
from sync.moodle.course_content.restore.inventory import Inventory
from sync.moodle.courses.creation import NewCourse
from sync.moodle.courses.rows import CourseRow
from sync.processors.base.memory import Memory
from sync.processors.courses.fillings import TemplateMerge
from sync.processors.courses.planner import CoursesPlanner
from sync.processors.courses.state import CoursesState
from sync.processors.courses.templates import Template

Named = Mapping[str, Mapping[str, Sequence[CourseRow]]]

_NAMES = ("shortname", "idnumber")


def recall_courses(
    memory: Memory,
    named: Named,
    texts: Mapping[str, Collection[str]],
    folds: Mapping[str, Callable[[str], str]],
) -> dict[str, dict[str, Sequence[CourseRow]]]:
    """Put what is remembered over what was read. Shape: as `sync.moodle.courses.rows.fetch_course_rows`"""
    merged = {name: dict(by_text) for name, by_text in named.items()}
    ids = {str(course["id"]) for by_text in named.values() for courses in by_text.values() for course in courses}
    changed = memory.get_many("course id", sorted(ids))
    for name, by_text in merged.items():
        for text, courses in by_text.items():
            new = [changed.get(str(course["id"]), course) for course in courses]
            by_text[text] = [course for course in new if name == "id" or folds[name](course[name]) == folds[name](text)]
    for name in _NAMES:
        wanted: dict[str, list[str]] = {}
        for text in texts.get(name, ()):
            wanted.setdefault(folds[name](text), []).append(text)
        for key, course in memory.get_many(f"course {name}", wanted).items():
            merged[name] |= {text: [course] for text in wanted[key]}
    return merged


def recall_categories(memory: Memory, present: Sequence[Category]) -> list[Category]:
    return [*present, *(Category(*values) for values in memory.get_all("category").values())]


def recall_inventories(memory: Memory, found: Mapping[int, Inventory]) -> dict[int, Inventory]:
    """Put what would have come into courses over what was read."""
    return {**found, **_remembered_inventories(memory, found)}


def recall_templates(memory: Memory, templates: Mapping[str, Template]) -> dict[str, Template]:
    """Put what would have come into the courses that are templates over what was read of them."""
    courses = {template.courseid for template in templates.values() if template.courseid}
    remembered = _remembered_inventories(memory, courses)
    return {
        text: replace(template, inventory=remembered[template.courseid])
        if template.courseid in remembered
        else template
        for text, template in templates.items()
    }


def _remembered_inventories(memory: Memory, courseids: Collection[int]) -> dict[int, Inventory]:
    remembered = memory.get_many("course content", list(map(str, courseids)))
    return {
        int(courseid): Counter({(kind, name): count for kind, name, count in content})
        for courseid, content in remembered.items()
    }


def _content_of(filling: TemplateMerge, state: CoursesState) -> Inventory:
    """Return what is in a course once a template has come into it."""
    content = filling.content.template.inventory
    return content if filling.replaces else state.inventories[filling.course.id] + content


def _content_of_new(course: NewCourse) -> Inventory:
    """Return what is in a course that is made without a template."""
    news = [("forum", course.news["name"])] if course.news else []
    return Counter([*news, *((SECTIONS, row["name"]) for row in course.sections.values() if row.get("name"))])


def recall_said(memory: Memory, courseids: Collection[int]) -> dict[int, dict[str, str]]:
    """Return what earlier rows have said of courses. Shape: courseid -> column -> cell"""
    found = memory.get_many("course cells", list(map(str, courseids)))
    return {int(courseid): cells for courseid, cells in found.items()}


def remember_courses(memory: Memory, planner: CoursesPlanner, state: CoursesState) -> None:
    """Keep courses and categories under negative ids, which no row of Moodle has."""
    plan = planner.plan
    lowest = memory.get_many("lowest course id", ["id"]).get("id", 0)
    by_names: dict[tuple[str, ...], Category] = {}
    for new in plan.categories:
        lowest -= 1
        parent = by_names[new.parent].id if isinstance(new.parent, tuple) else new.parent
        by_names[new.names] = Category(lowest, parent, new.names[-1], "", new.visible, 0, 0, "")
    memory.put_many("category", {str(category.id): category for category in by_names.values()})
    inventories = {filling.course.id: _content_of(filling, state) for filling in plan.fillings}
    courses = list(planner.book.updated.values())
    memory.put_many("course id", {str(course["id"]): course for course in courses})
    for place in plan.places:
        lowest -= 1
        courses.append({"enddate": 0, **place.course.values, "id": lowest, "category": -1, "contextid": 0, "path": ""})
        inventories[lowest] = place.content.template.inventory if place.content else _content_of_new(place.course)
    memory.put_many(
        "course content",
        {str(courseid): [[*what, n] for what, n in found.items()] for courseid, found in inventories.items()},
    )
    memory.put_many("lowest course id", {"id": lowest})
    said = {
        str(course["id"]): {**state.said.get(course["id"], {}), **_texts(planner.given[course["shortname"]])}
        for course in courses
        if course["shortname"] in planner.given
    }
    memory.put_many("course cells", said)
    planner.field_owners.remember(memory)
    for name in _NAMES:
        memory.put_many(f"course {name}", {state.folds[name](c[name]): c for c in courses if c.get(name)})


def _texts(cells: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in cells.items()}
