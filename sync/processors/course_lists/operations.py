"""What is done to listed courses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sync.moodle.course_content.delete.delete import delete_courses
from sync.moodle.course_content.graph.graph import load_graph
from sync.moodle.course_content.reset.reset import ResetFindings, reset_courses
from sync.moodle.courses.courses import Course
from sync.moodle.db.writer import Writer
from sync.processors.base.operations import Applied, Operation


@dataclass
class DeleteCourses(Operation):
    """Delete courses with everything in them."""

    courses: Sequence[Course]

    def __bool__(self) -> bool:
        return bool(self.courses)

    def apply(self, writer: Writer, applied: Applied) -> None:
        applied.files += delete_courses(writer, load_graph(), self.courses, now=applied.now)


@dataclass
class ResetCourses(Operation):
    """Take out of courses what was found in them."""

    findings: ResetFindings

    def __bool__(self) -> bool:
        return any(sum(counts.values()) for counts in self.findings.counts.values())

    def apply(self, writer: Writer, applied: Applied) -> None:
        applied.files += reset_courses(writer, load_graph(), self.findings, now=applied.now)
