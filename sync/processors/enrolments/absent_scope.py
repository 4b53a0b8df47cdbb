"""The scope of an enrolments file that is complete: courses, and the one method whose enrolments are meant."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from django.utils.functional import cached_property

from sync.columns.words import is_match
from sync.errors import CommandFileError
from sync.moodle.categories.categories import fetch_categories
from sync.moodle.db.database import MoodleSession
from sync.moodle.db.identifiers import folding
from sync.moodle.enrolments.scopes import EnrolmentsOfScope, ScopeCourse, fetch_method_ids, fetch_scope_courses
from sync.moodle.users.users import SiteRules
from sync.processors.base.absence import NamedValues, fold_id
from sync.processors.base.context import CreatedRows, Records
from sync.processors.enrolments.options import CATEGORY, CREATED, NAMED, NO_SCOPE, PATTERN, EnrolmentsOptions
from sync.processors.memberships.state import ENROLMENTS

_HINTS = {
    NO_SCOPE: "", NAMED: "absent_scope_named_courses", PATTERN: "absent_scope_pattern", CATEGORY: "absent_scope_category",
    CREATED: "absent_scope_created_enrolments",
}  # fmt: skip


class CourseScope:
    """Courses that the file names, whose short names fit a pattern, or that are in a category or below it.

    All courses where the scope is what we made.
    """

    def __init__(self, moodle: MoodleSession, records: Records, options: EnrolmentsOptions, rules: SiteRules) -> None:
        self._moodle = moodle
        self._records = records
        self._options = options
        self._rules = rules
        self.method = options.absentmethod.lower()
        self.is_created = options.absentscope == CREATED

    @cached_property
    def words(self) -> dict[str, Any]:
        """Return what names the scope in texts."""
        since = {"since": self._created.since} if self.is_created else {}
        hint = _HINTS[self._options.absentscope]
        return {"name": self._options.absentname, "method": self.method, "hint": hint, **since}

    @property
    def _created(self) -> CreatedRows:
        return self._records.created(ENROLMENTS.name)

    def check(self) -> None:
        """Raises: CommandFileError where the scope isn't named, is no course, or is all of them. Queries: two"""
        options = self._options
        is_by_name = options.absentscope in (PATTERN, CATEGORY)
        if (fault := options.fault()) is not None:
            raise CommandFileError(fault.code, **fault.params)
        if self.is_created and not self._created.ids:
            raise CommandFileError("absent_created_nothing")
        if is_by_name:
            everything = fetch_scope_courses(self._moodle, options.courseidentifier)
            found = self.courses(NamedValues())
            if not found:
                raise CommandFileError("absent_courses_missing", **self.words)
            if len(found) == len(everything) and not options.absentall:
                raise CommandFileError("absent_courses_all", **self.words)

    def courses(self, named: NamedValues) -> dict[int, ScopeCourse]:
        """Return the courses of the scope; of those that the file names none whose name several have.

        Shape: named: folded, by the course identifier
        Queries: one, two for a category
        """
        courses, name = fetch_scope_courses(self._moodle, self._options.courseidentifier), self._options.absentname
        if self._options.absentscope == NAMED:
            texts = {courseid: self.fold(course.named_by) for courseid, course in courses.items()}
            alike = Counter(texts.values())
            return {
                courseid: courses[courseid] for courseid, text in texts.items() if alike[text] == 1 and text in named
            }
        if self.is_created:
            return courses
        if self._options.absentscope == PATTERN:
            return {courseid: course for courseid, course in courses.items() if is_match(course.shortname, name)}
        categories = self._categories(name)
        return {courseid: course for courseid, course in courses.items() if course.category in categories}

    def enrolments(self, courses: Mapping[int, ScopeCourse]) -> EnrolmentsOfScope:
        """Return the enrolments in courses as Moodle has them."""
        return EnrolmentsOfScope(
            self._moodle, courses.keys(), self._rules.protected_ids, self.method,
            hostid=self._rules.mnethostid, disabled_too=self._options.enableenrolondisabled,
            identifier=self._options.useridentifier,
            among=self._created.ids if self.is_created else None,
        )  # fmt: skip

    def enrolids(self, courses: Mapping[int, ScopeCourse]) -> set[int]:
        """Return the ids of the methods in courses that are meant. Queries: one"""
        return fetch_method_ids(self._moodle, courses.keys(), self.method)

    @property
    def fold(self) -> Callable[[str], str]:
        """What makes the names of courses equal that the server takes for the same."""
        return self._folding("course", self._options.courseidentifier)

    @property
    def fold_user(self) -> Callable[[str], str]:
        """The same of users."""
        return self._folding("user", self._options.useridentifier)

    def _folding(self, table: str, identifier: str) -> Callable[[str], str]:
        if identifier == "id":
            return fold_id
        fold = folding(self._moodle, table, identifier)
        return lambda text: str(fold(text))

    def _categories(self, idnumber: str) -> set[int]:
        """Return the ids of the one category with an idnumber, and of all below it; none where several have it."""
        categories = fetch_categories(self._moodle)
        found = [category.id for category in categories if category.idnumber == idnumber]
        wanted = set(found) if len(found) == 1 else set[int]()
        size = -1
        while size < len(wanted):
            size = len(wanted)
            wanted |= {category.id for category in categories if category.parent in wanted}
        return wanted
