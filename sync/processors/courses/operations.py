"""What is done to courses and categories beside rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sync.moodle.categories.categories import Category, NewCategory, create_categories
from sync.moodle.course_content.graph.graph import load_graph
from sync.moodle.courses.creation import NewCourse, create_courses
from sync.moodle.db.writer import Writer
from sync.moodle.enrolments.forums import subscribe_to_initial_forums
from sync.moodle.site.contexts import move_contexts
from sync.processors.base.operations import Applied, Operation, Update
from sync.processors.base.totals import CREATED, FILLED, RESET, Totals, total
from sync.processors.courses.fillings import TemplateMerge, fill_courses
from sync.processors.courses.templates import FromTemplate, restore_templates, target_of


class CourseCreation(NamedTuple):
    """A course that is made, its category, and where its content comes from."""

    course: NewCourse
    category: Category
    content: FromTemplate | None = None


class CategoryMove(NamedTuple):
    """A course that changes its category. Shape: update: of its row; path: of its context"""

    update: Update
    path: str
    category: Category


@dataclass
class CreateCategories(Operation):
    """Make categories. Shape: present: those that are there"""

    categories: Sequence[NewCategory]
    present: Sequence[Category]

    def __bool__(self) -> bool:
        return bool(self.categories)

    def apply(self, writer: Writer, applied: Applied) -> None:
        applied.categories = create_categories(writer, self.categories, self.present, now=applied.now)

    def totals(self) -> Totals:
        return total("categories", CREATED, len(self.categories))


@dataclass
class CreateCourses(Operation):
    """Make courses in their categories, with the content of templates, and let the initial forums subscribe their teachers."""

    creations: Sequence[CourseCreation]

    def __bool__(self) -> bool:
        return bool(self.creations)

    def apply(self, writer: Writer, applied: Applied) -> None:
        for course, target, _content in self.creations:
            category = _category(target, applied)
            course.values["category"] = category.id
            course.parent_path = category.path
        new = create_courses(writer, [creation.course for creation in self.creations], now=applied.now)
        filled = [
            (target_of(creation.course, course, creation.content), creation.content)
            for creation, course in zip(self.creations, new, strict=True)
            if creation.content is not None
        ]
        restore_templates(writer, load_graph(), filled, now=applied.now)
        taught = {
            course.id: [(teacher.userid, teacher.roleid) for teacher in creation.course.teachers]
            for creation, course in zip(self.creations, new, strict=True)
            if creation.content is not None and creation.course.teachers
        }
        subscribe_to_initial_forums(writer, taught)

    def totals(self) -> Totals:
        return total("courses", CREATED, len(self.creations))


@dataclass
class MoveCourses(Operation):
    """Move contexts of courses into other categories. The rows of the courses are updated by the operation that follows."""

    moves: Sequence[CategoryMove]
    dirty_contexts: set[str]

    def __bool__(self) -> bool:
        return bool(self.moves)

    def apply(self, writer: Writer, applied: Applied) -> None:
        paths = []
        for update, path, target in self.moves:
            category = _category(target, applied)
            update.after["category"] = category.id
            new_path = f"{category.path}/{path.rpartition('/')[2]}"
            paths.append((path, new_path))
            self.dirty_contexts.add(new_path)
        move_contexts(writer, paths)

    def totals(self) -> Totals:
        # The rows of the courses are counted where they are written.
        return Totals()


@dataclass
class FillCourses(Operation):
    """Bring the content of templates into courses that are there."""

    fillings: Sequence[TemplateMerge]

    def __bool__(self) -> bool:
        return bool(self.fillings)

    def apply(self, writer: Writer, applied: Applied) -> None:
        applied.files += fill_courses(writer, load_graph(), self.fillings, now=applied.now)

    def totals(self) -> Totals:
        replaced = sum(1 for filling in self.fillings if filling.replaces)
        return total("courses", RESET, replaced) + total("courses", FILLED, len(self.fillings) - replaced)


def _category(target: Category, applied: Applied) -> Category:
    return applied.categories.get(target.id, target)
