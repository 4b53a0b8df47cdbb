"""The plan of a chunk of courses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sync.moodle.categories.categories import Category, NewCategory
from sync.processors.base.operations import Operation
from sync.processors.base.plan import Plan
from sync.processors.courses.cli_restore import CliRestore
from sync.processors.courses.fillings import TemplateMerge
from sync.processors.courses.operations import (
    CategoryMove,
    CourseCreation,
    CreateCategories,
    CreateCourses,
    FillCourses,
    MoveCourses,
)
from sync.processors.courses.templates import Template


class CoursesPlan(Plan):
    """Everything that a chunk of a file of courses does. Shape: present: the categories that are there, where others are made"""

    def __init__(self, now: int) -> None:
        super().__init__(now)
        self.present: Sequence[Category] = ()
        self.categories: list[NewCategory] = []
        self.places: list[CourseCreation] = []
        self.moves: list[CategoryMove] = []
        self.fillings: list[TemplateMerge] = []
        self.hand_over: CliRestore | None = None

    def operations(self) -> list[Operation]:
        return [
            CreateCategories(self.categories, self.present),
            MoveCourses(self.moves, self.dirty_contexts),
            self.row_writes,
            # After the changes of others, which may free their names: new rows are read back by them.
            CreateCourses(self.places),
            FillCourses(self.fillings),
        ]

    @property
    def is_empty(self) -> bool:
        # What Moodle itself restores is known only once it has done so.
        return super().is_empty and self.hand_over is None

    @property
    def templates(self) -> Iterator[Template]:
        """Return the templates whose content comes into courses."""
        yield from (place.content.template for place in self.places if place.content)
        yield from (filling.content.template for filling in self.fillings)

    @property
    def changes_order(self) -> bool:
        """Whether the site's order of courses has to be looked at afterwards."""
        return bool(self.places or self.moves or self.hand_over)
