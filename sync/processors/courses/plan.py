"""The plan of a chunk of courses, and its carrying out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sync.moodle.categories.categories import Category, NewCategory, create_categories
from sync.moodle.course_content.graph.graph import CourseGraph
from sync.moodle.courses.creation import NewCourse, create_courses
from sync.moodle.db.writer import Writer
from sync.moodle.enrolments.forums import subscribe_to_initial_forums
from sync.moodle.site.contexts import move_contexts
from sync.processors.base.plan import Plan, Update
from sync.processors.base.processor import write_plan
from sync.processors.courses.cli_restore import CliRestore
from sync.processors.courses.fillings import TemplateMerge, fill_courses
from sync.processors.courses.templates import FromTemplate, Template, restore_templates, target_of

Target = Category | NewCategory


class CourseCreation(NamedTuple):
    """A course that is made, its category, and where its content comes from."""

    course: NewCourse
    category: Target
    content: FromTemplate | None = None


class CategoryMove(NamedTuple):
    """A course that changes its category. Shape: update: of its row; path: of its context"""

    update: Update
    path: str
    category: Target


class CoursesPlan(Plan):
    """Everything that a chunk of a file of courses does. Shape: present: the categories that are there"""

    def __init__(self, now: int, present: Sequence[Category]) -> None:
        super().__init__(now)
        self.present = present
        self.categories: list[NewCategory] = []
        self.places: list[CourseCreation] = []
        self.moves: list[CategoryMove] = []
        self.fillings: list[TemplateMerge] = []
        self.hand_over: CliRestore | None = None

    @property
    def is_empty(self) -> bool:
        return super().is_empty and not self.places and not self.fillings and self.hand_over is None

    @property
    def templates(self) -> Iterator[Template]:
        """Return the templates whose content comes into courses."""
        yield from (place.content.template for place in self.places if place.content)
        yield from (filling.content.template for filling in self.fillings)

    @property
    def changes_order(self) -> bool:
        """Whether the site's order of courses has to be looked at afterwards."""
        return bool(self.places or self.moves or self.hand_over)


def write_courses_plan(plan: CoursesPlan, writer: Writer, graph: CourseGraph) -> None:
    """Carry out a plan: categories, new courses, moves, then everything about courses that are there,
    and last what comes into them."""
    made = create_categories(writer, plan.categories, plan.present, now=plan.now)

    def find(target: Target) -> Category:
        return made[target.names] if isinstance(target, NewCategory) else target

    for course, target, _content in plan.places:
        category = find(target)
        course.values["category"] = category.id
        course.parent_path = category.path
    new = create_courses(writer, [place.course for place in plan.places], now=plan.now)
    filled = [
        (target_of(place.course, course, place.content), place.content)
        for place, course in zip(plan.places, new, strict=True)
        if place.content is not None
    ]
    restore_templates(writer, graph, filled, now=plan.now)
    taught = {
        course.id: [(teacher.userid, teacher.roleid) for teacher in place.course.teachers]
        for place, course in zip(plan.places, new, strict=True)
        if place.content is not None and place.course.teachers
    }
    subscribe_to_initial_forums(writer, taught)
    paths = []
    for update, path, target in plan.moves:
        category = find(target)
        update.after["category"] = category.id
        new_path = f"{category.path}/{path.rpartition('/')[2]}"
        paths.append((path, new_path))
        plan.dirty_contexts.add(new_path)
    move_contexts(writer, paths)
    write_plan(plan, writer)
    plan.files += fill_courses(writer, graph, plan.fillings, now=plan.now)
