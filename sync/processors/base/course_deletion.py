"""Courses that are deleted, with everything in them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from sync.moodle.course_content.delete.delete import delete_courses
from sync.moodle.course_content.graph.graph import load_graph
from sync.moodle.courses.courses import Course
from sync.moodle.db.writer import Writer
from sync.processors.base.operations import Applied, Operation, Touched
from sync.processors.base.overlay import is_temporary
from sync.processors.base.totals import DELETED, ChangedIds, Totals, total

# A chunk ends before so many rows of user data, by rough estimate: one transaction, during which Moodle's users wait.
CHUNK_WEIGHT = 50_000


@dataclass(frozen=True)
class DeleteCourses(Operation):
    """Delete courses with everything in them. Expects: the courses, with whatever is in them by then.

    Shape: courses: by the line that asks for it
    """

    courses: Mapping[int, Course]

    def __bool__(self) -> bool:
        return bool(self.courses)

    @property
    def lines(self) -> Collection[int]:
        return self.courses.keys()

    def apply(self, writer: Writer, applied: Applied) -> None:
        applied.files += delete_courses(writer, load_graph(), [*self.courses.values()], now=applied.now)

    def totals(self) -> Totals:
        return total("courses", DELETED, len(self.courses))

    def changed_ids(self) -> ChangedIds:
        return {f"courses.{DELETED}": [course.id for course in self.courses.values()]}

    def touched(self) -> Iterator[Touched]:
        return (
            Touched(line, "course", str(course.id))
            for line, course in self.courses.items()
            if not is_temporary(course.id)
        )
