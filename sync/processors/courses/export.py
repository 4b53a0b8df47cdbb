"""Courses as a courses file: settings, category, custom fields and the two methods; no sections, people and content."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from django.utils.functional import cached_property

from sync.columns.clean import CellError
from sync.columns.dates import DAY_FIRST
from sync.moodle.categories.categories import Category, fetch_categories
from sync.moodle.courses.rows import CourseField, fetch_course_fields, fetch_field_data, fetch_format_options
from sync.moodle.db.identifiers import is_id
from sync.moodle.db.keyset import fetch_ids_in_parts, fetch_in_parts
from sync.moodle.enrolments.enrolments import ENABLED
from sync.processors.base.course_fields import field_cell, field_values, says_the_same
from sync.processors.base.errors import RowError
from sync.processors.base.export import ExportedRow, Exporter, ScopeKind, cell_of
from sync.processors.courses.cell_reader import DATES, PLAIN_COLUMNS
from sync.processors.courses.cells import CourseCells
from sync.processors.courses.options import CoursesOptions

# When a course was made and changed is no setting of it.
_TIMES = frozenset(("timecreated", "timemodified"))
_DISPLAY = "coursedisplay"
_METHODS = (CourseCells.self.name, CourseCells.guest.name)


class CoursesExporter(Exporter[CoursesOptions]):
    """Courses but the front page and those that Moodle is deleting."""

    scopes = (ScopeKind.CATEGORY, ScopeKind.COURSES)
    shows_people = False
    checked_with = {CoursesOptions.forceupdate: True, CoursesOptions.protectcategory: False}

    def header(self) -> list[str]:
        fields = [f"{CourseCells.custom_fields.name}{custom.shortname.lower()}" for custom in self._fields]
        return [*self._columns(), "category", "format", _DISPLAY, *_METHODS, *fields]

    def parts(self) -> Iterator[list[ExportedRow]]:
        course, columns = self.moodle.table("course"), self._columns()
        wanted = (course.c.id, course.c.category, course.c.format, course.c.shortname)
        cells = (course.c[name].label(f"cell_{name}") for name in columns)
        statement = sa.select(*wanted, *cells).where(*self._conditions())
        for rows in fetch_in_parts(self.moodle, statement, course.c.id):
            ids = [row.id for row in rows]
            options = fetch_format_options(self.moodle, ids, (_DISPLAY,))
            methods, data = (
                self._methods_of(ids),
                fetch_field_data(self.moodle, ids, [field.id for field in self._fields]),
            )
            yield [
                ExportedRow(
                    row.shortname,
                    [
                        *(self._cell(name, row._mapping[f"cell_{name}"]) for name in columns),
                        self._category_cells.get(row.category, ""),
                        row.format,
                        options.get((row.id, row.format, _DISPLAY), (0, ""))[1],
                        *(str(int(methods.get((row.id, method), False))) for method in _METHODS),
                        *(self._field_cell(field, data[field.id, row.id]) for field in self._fields),
                    ],
                )
                for row in rows
            ]

    def _conditions(self) -> list[sa.ColumnElement[bool]]:
        course = self.moodle.table("course")
        conditions = self.courses_of_scope(course)
        if "deletioninprogress" in course.c:
            conditions.append(sa.func.coalesce(course.c.deletioninprogress, 0) == 0)
        return conditions

    def _methods_of(self, courseids: Sequence[int]) -> dict[tuple[int, str], bool]:
        """Return whether methods are switched on. Shape: (courseid, method) -> of the first of several. Queries: one"""
        enrol = self.moodle.table("enrol")
        of_courses = (self.moodle.in_clause(enrol.c.courseid, courseids), enrol.c.enrol.in_(_METHODS))
        statement = sa.select(enrol.c.courseid, enrol.c.enrol, enrol.c.status).where(*of_courses)
        found: dict[tuple[int, str], bool] = {}
        for courseid, method, status in self.moodle.fetch(statement.order_by(enrol.c.sortorder, enrol.c.id)):
            found.setdefault((courseid, method), status == ENABLED)
        return found

    @cached_property
    def _fields(self) -> list[CourseField]:
        """The custom fields whose cells mean what every course of the scope has stored: an empty cell would store something, too.

        Queries: one, and two for each 5,000 courses
        """
        fields = {field.id: field for field in fetch_course_fields(self.moodle).values()}
        ids = sa.select(self.moodle.table("course").c.id).where(*self._conditions())
        for courseids in fetch_ids_in_parts(self.moodle, ids, self.moodle.table("course").c.id):
            data = fetch_field_data(self.moodle, courseids, list(fields))
            fields = {
                fieldid: field
                for fieldid, field in fields.items()
                if all(self._is_said(field, data.get((fieldid, courseid))) for courseid in courseids)
            }
        return list(fields.values())

    def _is_said(self, field: CourseField, stored: Mapping[str, Any] | None) -> bool:
        """Whether a cell says just what is stored."""
        if stored is None:
            return False
        try:
            meant = field_values(field, self._field_cell(field, stored), self.rules, DAY_FIRST)
        except (RowError, CellError):
            return False
        return says_the_same(field, stored, meant, self.rules)

    def _field_cell(self, field: CourseField, stored: Mapping[str, Any]) -> str:
        return field_cell(field, stored, self.time_cell)

    def _columns(self) -> list[str]:
        names = [column.name for column in PLAIN_COLUMNS if column.name not in _TIMES]
        if self.options.courseidentifier == CourseCells.id.name:
            names.insert(0, CourseCells.id.name)
        return [name for name in names if name in self.moodle.table("course").c]

    def _cell(self, name: str, value: Any) -> str:
        return self.time_cell(value) if name in DATES else cell_of(value)

    @cached_property
    def _category_cells(self) -> dict[int, str]:
        """Return how the file names each category, "" = it can't, and the course stays where it is. Queries: one"""
        categories = {category.id: category for category in fetch_categories(self.moodle)}
        if self.options.categoryidentifier == "idnumber":
            return {category.id: category.idnumber for category in categories.values()}
        taken = Counter((category.parent, category.name.strip().casefold()) for category in categories.values())
        return {category.id: _path_or_number(category, categories, taken) for category in categories.values()}


def _path_or_number(category: Category, categories: Mapping[int, Category], taken: Mapping[Any, int]) -> str:
    """Return the path of a category, and its number where the path could mean another one."""
    names: list[str] = []
    place: Category | None = category
    while place is not None and len(names) <= len(categories):
        name = place.name
        if name != name.strip() or taken[place.parent, name.casefold()] > 1 or "/" in name or "\\" in name:
            return str(category.id)
        names.append(name)
        place = categories.get(place.parent)
    path = "/".join(reversed(names))
    return str(category.id) if is_id(path) else path
