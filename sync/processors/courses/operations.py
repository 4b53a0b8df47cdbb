"""What is done to courses and categories beside rows."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from sync.moodle.categories.categories import Category
from sync.moodle.course_content.graph.graph import load_graph
from sync.moodle.courses.creation import NewCourse, create_courses
from sync.moodle.db.writer import Writer
from sync.moodle.enrolments.forums import subscribe_to_initial_forums
from sync.moodle.site.contexts import move_contexts
from sync.processors.base.operations import Applied, Operation, Touched, resolved
from sync.processors.base.overlay import is_temporary
from sync.processors.base.totals import CREATED, FILLED, RESET, ChangedIds, Totals, total
from sync.processors.courses.fillings import TemplateMerge, fill_courses
from sync.processors.courses.templates import FromTemplate, restore_templates, target_of


class CourseCreation(NamedTuple):
    """A course that is made, its category, and where its content comes from."""

    course: NewCourse
    category: Category
    content: FromTemplate | None = None

    def placed(self, applied: Applied) -> NewCourse:
        """Return the course in its category, which may have been made just now."""
        values = resolved(self.course.values, applied.ids)
        return replace(self.course, values=values, parent_path=_category(self.category, applied).path)


class CategoryMove(NamedTuple):
    """A course that changes its category. Shape: path: of the context of the course"""

    path: str
    category: Category


@dataclass(frozen=True)
class CreateCourses(Operation):
    """Make courses in their categories, with the content of templates, and let the initial forums subscribe their teachers.

    Expects: short names and idnumbers that are free, categories and templates that are there or made before.
    Shape: creations: by the line that asks for it
    """

    creations: Mapping[int, CourseCreation]

    def __bool__(self) -> bool:
        return bool(self.creations)

    @property
    def lines(self) -> Collection[int]:
        return self.creations.keys()

    def apply(self, writer: Writer, applied: Applied) -> None:
        creations = self.creations.values()
        new = create_courses(writer, [creation.placed(applied) for creation in creations], now=applied.now)
        filled = [
            (target_of(creation.course, course, creation.content), creation.content)
            for creation, course in zip(creations, new, strict=True)
            if creation.content is not None
        ]
        restore_templates(writer, load_graph(), filled, now=applied.now)
        taught = {
            course.id: [(teacher.userid, teacher.roleid) for teacher in creation.course.teachers]
            for creation, course in zip(creations, new, strict=True)
            if creation.content is not None and creation.course.teachers
        }
        subscribe_to_initial_forums(writer, taught)

    def totals(self) -> Totals:
        return total("courses", CREATED, len(self.creations))


@dataclass(frozen=True)
class MoveCourses(Operation):
    """Move contexts of courses into other categories. The rows of the courses are updated by the operation that follows.

    Expects: the contexts where they were, categories that are there or made before.
    Shape: moves: by the line that asks for it
    """

    moves: Mapping[int, CategoryMove]

    def __bool__(self) -> bool:
        return bool(self.moves)

    @property
    def lines(self) -> Collection[int]:
        return self.moves.keys()

    def apply(self, writer: Writer, applied: Applied) -> None:
        paths = {
            path: f"{_category(category, applied).path}/{path.rpartition('/')[2]}"
            for path, category in self.moves.values()
        }
        move_contexts(writer, [*paths.items()])
        applied.dirty_contexts.update(paths.values())

    def totals(self) -> Totals:
        # The rows of the courses are counted where they are written.
        return Totals()


@dataclass(frozen=True)
class FillCourses(Operation):
    """Bring the content of templates into courses that are there.

    Expects: the courses and the templates; where content is replaced, whatever is in the courses by then.
    Shape: fillings: by the line that asks for it
    """

    fillings: Mapping[int, TemplateMerge]

    def __bool__(self) -> bool:
        return bool(self.fillings)

    @property
    def lines(self) -> Collection[int]:
        return self.fillings.keys()

    def apply(self, writer: Writer, applied: Applied) -> None:
        applied.files += fill_courses(writer, load_graph(), [*self.fillings.values()], now=applied.now)

    def totals(self) -> Totals:
        replaced = len(self._replaced)
        return total("courses", RESET, replaced) + total("courses", FILLED, len(self.fillings) - replaced)

    def changed_ids(self) -> ChangedIds:
        return {f"courses.{RESET}": self._replaced}

    def touched(self) -> Iterator[Touched]:
        return (
            Touched(line, "course", str(filling.course.id))
            for line, filling in self.fillings.items()
            if not is_temporary(filling.course.id)
        )

    @property
    def _replaced(self) -> list[int]:
        return [filling.course.id for filling in self.fillings.values() if filling.replaces]


def _category(target: Category, applied: Applied) -> Category:
    return applied.categories.get(target.id, target)
