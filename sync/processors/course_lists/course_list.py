"""The shape of files that list courses, one on each line and without a header: delete, check."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, TypeVar

from django.utils.translation import gettext_lazy as _

from sync.columns.cells import Cells
from sync.columns.clean import text
from sync.columns.column import About, RequiredColumn
from sync.columns.general_options import GeneralOptions
from sync.columns.options import Choice
from sync.moodle.courses.courses import Course, CourseNames, fetch_course_names
from sync.moodle.db.database import MoodleSession
from sync.processors.base.context import Collected
from sync.processors.base.overlay import Overlay
from sync.processors.base.plan import Plan
from sync.processors.base.processor import Processor
from sync.processors.memberships.named import fetch_named_courses
from sync.values import Action, Note, Outcome


class CourseListCells(Cells):
    """One line. Subclasses say what the lines hold."""

    __slots__ = ()

    identifier = RequiredColumn(text(None), refers=True, about=About.COURSE)


CourseListCellsT = TypeVar("CourseListCellsT", bound=CourseListCells)


class CourseListOptions(GeneralOptions):
    courseidentifier = Choice(
        default="shortname",
        choices={"shortname": "shortname", "idnumber": "idnumber", "id": "id"},
        label=_("Course identifier"),
        help=_("What the lines name a course by."),
    )


class ListedCourses:
    """What the lines of a chunk name.

    Shape: found: value as typed -> courses, several = ambiguous; names, unknown_plugins, weights, visibility: by id
    """

    def __init__(self, moodle: MoodleSession, overlay: Overlay, identifier: str, values: Sequence[str]) -> None:
        self.now = int(time.time())
        self.found: Mapping[str, tuple[Course, ...]] = fetch_named_courses(moodle, overlay, identifier, values)
        self.names: Mapping[int, CourseNames] = fetch_course_names(moodle, self.ids)
        self.unknown_plugins: Mapping[int, Sequence[str]] = {}
        self.weights: Mapping[int, int] = {}
        self.visibility: Mapping[int, Mapping[str, int]] = {}

    @property
    def ids(self) -> list[int]:
        return sorted({course.id for courses in self.found.values() for course in courses})


@dataclass
class ListCollected(Collected):
    """Shape: has_rows: whether the file had any; gone: what was deleted so far, ids and folded values -> line"""

    has_rows: bool = False
    gone: dict[int | str, int] = field(default_factory=dict)


class CourseList(Processor[CourseListCellsT, ListedCourses, Plan]):
    """One line, one course."""

    after = ("users",)
    options: ClassVar[type[CourseListOptions]] = CourseListOptions
    collected_type = ListCollected

    def fetch(self, rows: Sequence[CourseListCellsT]) -> ListedCourses:
        self.collected.has_rows = True
        return ListedCourses(self.moodle, self.overlay, self.identifier, [row.identifier for row in rows])

    def on_skipped(self, rows: Sequence[CourseListCellsT]) -> None:
        self.collected.has_rows = True

    def final_notes(self) -> list[Note]:
        empty = [] if self.collected.has_rows else [Note("list_empty", {})]
        return [*super().final_notes(), *empty]

    @property
    def identifier(self) -> str:
        return self.option_values.courseidentifier


def outcome(row: CourseListCells, action: Action, code: str, *notes: Note, **params: object) -> Outcome:
    """Return what became of a line; its subject is the course as the line names it."""
    return Outcome(row.line, action, code, params, row.identifier, (), notes)
