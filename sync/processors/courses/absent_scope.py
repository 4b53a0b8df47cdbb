"""The scope of a courses file that is complete."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.functional import cached_property

from sync.columns.words import is_match
from sync.errors import CommandFileError
from sync.moodle.categories.categories import fetch_categories
from sync.moodle.courses.placed_courses import PlacedCourse, fetch_placed_courses
from sync.moodle.scopes import category_and_below
from sync.processors.base.context import CreatedRows, ProcessorContext
from sync.processors.base.overlay import Table, is_temporary
from sync.processors.courses.options import CATEGORY, CREATED, NO_SCOPE, PATTERN, CoursesOptions
from sync.processors.courses.state import COURSE_TABLE

_HINTS = {
    NO_SCOPE: "", CATEGORY: "absent_courses_of_category", PATTERN: "absent_courses_of_pattern",
    CREATED: "absent_courses_of_ours",
}  # fmt: skip
# Of a course: id, category, short name -> whether it is in the scope.
_IsMeant = Callable[[int, int, str], bool]


class AbsentCourseScope:
    """Courses in a category or below it, whose short names fit a pattern, or that ToolSync created."""

    def __init__(self, context: ProcessorContext, courses: Table, categories: Table, options: CoursesOptions) -> None:
        self._moodle = context.moodle
        self._overlay = context.overlay
        self._records = context.records
        self._courses = courses
        self._categories = categories
        self._kind = options.absentscope
        self._name = options.absentname
        self._may_be_all = options.absentall
        self._fault = options.fault()

    @cached_property
    def words(self) -> dict[str, Any]:
        """Return what names the scope in texts."""
        since = {"since": self._created.since} if self._kind == CREATED else {}
        return {"name": self._name, "hint": _HINTS[self._kind], **since}

    @property
    def _created(self) -> CreatedRows:
        return self._records.created(COURSE_TABLE)

    def check(self) -> None:
        """Raises: CommandFileError where the scope isn't named, is no course, or is all of them. Queries: two"""
        if self._fault is not None:
            raise CommandFileError(self._fault.code, **self._fault.params)
        if self._kind == CREATED and not self._created.ids:
            raise CommandFileError("absent_created_nothing")
        found, everything = self.fetch(), fetch_placed_courses(self._moodle)
        if not found:
            raise CommandFileError("absent_courses_scope_empty", **self.words)
        if len(found) == len(everything) and not self._may_be_all:
            raise CommandFileError("absent_courses_scope_all", count=len(found), **self.words)

    def fetch(self) -> list[PlacedCourse]:
        """Return the courses of the scope as Moodle has them, by rising id. Raises: CommandFileError. Queries: two at most"""
        is_meant = self._is_meant()
        return [
            course
            for course in fetch_placed_courses(self._moodle)
            if is_meant(course.id, course.category, course.shortname)
        ]

    def count(self) -> int:
        """Return how many courses are in the scope: now, or once what was planned so far is carried out."""
        is_meant, ids = self._is_meant(), {course.id for course in self.fetch()}
        for courseid, values in self._overlay.each_change(self._courses):
            if values is not None and is_meant(courseid, values["category"], values["shortname"]):
                ids.add(courseid)
            else:
                ids.discard(courseid)
        return len(ids)

    def _is_meant(self) -> _IsMeant:
        if self._kind == CREATED:
            created = self._created.ids
            return lambda courseid, _category, _shortname: is_temporary(courseid) or courseid in created
        if self._kind == PATTERN:
            return lambda _courseid, _category, shortname: is_match(shortname, self._name)
        categories = self._category_ids()
        return lambda _courseid, category, _shortname: category in categories

    def _category_ids(self) -> frozenset[int]:
        found: Mapping[Any, Any] = {each.id: each._asdict() for each in fetch_categories(self._moodle)}
        rows = self._overlay.over(self._categories, found, everything=True).rows
        # A number is taken for none: once an idnumber of digits is gone, it would be that of another category.
        count = sum(row["idnumber"] == self._name for row in rows.values())
        if count != 1:
            raise CommandFileError("absent_category_unclear", name=self._name, count=count)
        return category_and_below(
            [(row["id"], row["parent"], row["idnumber"] or "") for row in rows.values()], self._name
        )
