"""The plan of a chunk of courses."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from sync.moodle.categories.categories import Category, NewCategory
from sync.moodle.courses.courses import Course
from sync.processors.base.category_paths import CreateCategories
from sync.processors.base.course_deletion import DeleteCourses
from sync.processors.base.operations import Operation
from sync.processors.base.plan import Plan
from sync.processors.courses.cli_restore import RestoreByMoodle
from sync.processors.courses.fillings import TemplateMerge
from sync.processors.courses.operations import (
    CategoryMove,
    CourseCreation,
    CreateCourses,
    FillCourses,
    MoveCourses,
)
from sync.processors.courses.templates import Template


class CoursesPlan(Plan):
    """Everything that a chunk of a file of courses does.

    Shape: present: the categories that are there, where others are made; categories: to be made -> lines; creations, moves,
    fillings, deletions: by line; by_moodle: a row whose course Moodle makes, which has a chunk to itself
    """

    def __init__(self, now: int) -> None:
        super().__init__(now)
        self.present: Sequence[Category] = ()
        self.categories: dict[NewCategory, Collection[int]] = {}
        self.creations: dict[int, CourseCreation] = {}
        self.moves: dict[int, CategoryMove] = {}
        self.fillings: dict[int, TemplateMerge] = {}
        self.deletions: dict[int, Course] = {}
        self.by_moodle: RestoreByMoodle | None = None

    def operations(self) -> list[Operation]:
        return [
            DeleteCourses(self.deletions),
            CreateCategories(self.categories, self.present),
            MoveCourses(self.moves),
            self.row_writes,
            # After the changes of others, which may free their names: new rows are read back by them.
            CreateCourses(self.creations),
            FillCourses(self.fillings),
            *([self.by_moodle] if self.by_moodle else []),
        ]

    @property
    def templates(self) -> Iterator[Template]:
        """Return the templates whose content comes into courses."""
        yield from (creation.content.template for creation in self.creations.values() if creation.content)
        yield from (filling.content.template for filling in self.fillings.values())

    @property
    def changes_order(self) -> bool:
        """Whether the site's order of courses has to be looked at afterwards."""
        return bool(self.creations or self.moves or self.by_moodle or self.deletions)
