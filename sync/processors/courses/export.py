"""Courses as a courses file: their settings and their category, without sections, people and content."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

import sqlalchemy as sa

from sync.moodle.categories.categories import Category, fetch_categories
from sync.moodle.courses.rows import fetch_format_options
from sync.moodle.db.identifiers import is_id
from sync.moodle.db.keyset import fetch_in_parts
from sync.processors.base.export import ExportedRow, Exporter, ScopeKind, cell_of
from sync.processors.courses.cell_reader import DATES, PLAIN_COLUMNS
from sync.processors.courses.cells import CourseCells
from sync.processors.courses.options import CoursesOptions

# When a course was made and changed is no setting of it.
_TIMES = frozenset(("timecreated", "timemodified"))
_DISPLAY = "coursedisplay"


class CoursesExporter(Exporter[CoursesOptions]):
    """Courses but the front page and those that Moodle is deleting."""

    scopes = (ScopeKind.CATEGORY, ScopeKind.COURSES)
    shows_people = False
    checked_with = {CoursesOptions.forceupdate: True, CoursesOptions.protectcategory: False}

    def header(self) -> list[str]:
        return [*self._columns(), "category", "format", _DISPLAY]

    def parts(self) -> Iterator[list[ExportedRow]]:
        course, columns = self.moodle.table("course"), self._columns()
        wanted = (course.c.id, course.c.category, course.c.format, course.c.shortname)
        conditions = self.courses_of_scope(course)
        if "deletioninprogress" in course.c:
            conditions.append(sa.func.coalesce(course.c.deletioninprogress, 0) == 0)
        statement = sa.select(*wanted, *(course.c[name].label(f"cell_{name}") for name in columns)).where(*conditions)
        for rows in fetch_in_parts(self.moodle, statement, course.c.id):
            options = fetch_format_options(self.moodle, [row.id for row in rows], (_DISPLAY,))
            yield [self._row(row._mapping, columns, options) for row in rows]

    def _columns(self) -> list[str]:
        names = [column.name for column in PLAIN_COLUMNS if column.name not in _TIMES]
        if self.options.courseidentifier == CourseCells.id.name:
            names.insert(0, CourseCells.id.name)
        return [name for name in names if name in self.moodle.table("course").c]

    def _row(self, row: Mapping[str, Any], columns: list[str], options: Mapping[Any, tuple[int, str]]) -> ExportedRow:
        cells = [self._cell(name, row[f"cell_{name}"]) for name in columns]
        _rowid, display = options.get((row["id"], row["format"], _DISPLAY), (0, ""))
        return ExportedRow(
            row["shortname"], [*cells, self._category_cells.get(row["category"], ""), row["format"], display]
        )

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
