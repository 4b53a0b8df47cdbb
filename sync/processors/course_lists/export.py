"""Samples of the lists of courses that change nothing: what is checked, and resets that reset nothing."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa

from sync.columns.general_options import GeneralOptions
from sync.moodle.db.keyset import fetch_in_parts
from sync.processors.base.export import ExportedRow, Exporter, cell_of
from sync.processors.course_lists.reset_cells import CourseResetCells


class CourseListSampler(Exporter[GeneralOptions]):
    """Courses as the lines of a list, which says in a comment what stands in them.

    Shape: more_cells: what stands behind the course
    """

    shows_people = False
    more_cells: tuple[str, ...] = ()

    def header(self) -> list[str]:
        return ["identifier"]

    def parts(self) -> Iterator[list[ExportedRow]]:
        course = self.moodle.table("course")
        named = course.c[self.options["courseidentifier"]]
        statement = sa.select(course.c.id, named, course.c.shortname).where(*self.courses_of_scope(course))
        for rows in fetch_in_parts(self.moodle, statement, course.c.id):
            yield [ExportedRow(shortname, [cell_of(name), *self.more_cells]) for _id, name, shortname in rows]


class CourseResetSampler(CourseListSampler):
    """Courses of which nothing is to go: every required column says so."""

    _columns = [column.name for column in CourseResetCells.columns if column.required]
    more_cells = tuple("" if name in ("roles", "modules") else "no" for name in _columns)

    def header(self) -> list[str]:
        return [self.options["courseidentifier"], *self._columns]
