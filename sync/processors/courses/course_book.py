"""The courses that the rows of a chunk name: as Moodle has them, and as the rows so far would leave them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sync.columns.repeated_values import RepeatedValues
from sync.moodle.courses.rows import CourseRow
from sync.processors.base.errors import RowError
from sync.processors.base.processor import SplitChunk

_UNIQUE = ("shortname", "idnumber")


class CourseSurvey(RepeatedValues):
    """Where what belongs to one course only stands first in the file."""

    unique = ("shortname", "idnumber", "customfield_")


class CourseBook:
    """Who bears which name.

    Shape: named: identifier -> text -> rows of `course` with contextid and path; folds: identifier -> what makes texts equal that
    the server takes for so; updated: courseid -> row as it will be
    """

    def __init__(
        self, named: Mapping[str, Mapping[str, Sequence[CourseRow]]], folds: Mapping[str, Callable[[str], str]]
    ) -> None:
        self.updated: dict[int, CourseRow] = {}
        self._named = named
        self._folds = folds
        # Names that rows have given -> courseid, 0 for a course that they make.
        self._claimed: dict[tuple[str, str], int] = {}

    def find(self, identifier: str, text: str, column: str) -> CourseRow | None:
        """Return the course that a text names in Moodle. Raises: RowError when there are several"""
        found = self._rows(identifier, text)
        if len(found) > 1:
            raise RowError("course_ambiguous", column, course=text, identifier=identifier, count=len(found))
        return found[0] if found else None

    def claim(self, values: Mapping[str, Any], courseid: int) -> None:
        """Note the names that a row gives to a course; 0 = one that it makes."""
        for name in _UNIQUE:
            if values.get(name):
                self._claimed[self._key(name, values[name])] = courseid

    def is_claimed(self, identifier: str, text: str) -> bool:
        """Tell whether an earlier row of the chunk gives this name to a course."""
        return self._key(identifier, text) in self._claimed

    def is_made(self, identifier: str, text: str) -> bool:
        """Tell whether an earlier row of the chunk makes the course of this name."""
        return identifier != "id" and self._claimed.get(self._key(identifier, text)) == 0

    def is_same(self, one: str, other: str) -> bool:
        """Tell whether the server takes two short names for the same."""
        return self._key("shortname", one) == self._key("shortname", other)

    def check_names(self, values: Mapping[str, Any], courseid: int, line: int) -> None:
        """Short name and idnumber belong to one course only, on the site and in the file. Raises: SplitChunk, RowError"""
        for name in _UNIQUE:
            text = values.get(name)
            if not text:
                continue
            others = {other["id"] for other in self._rows(name, text)} - {courseid}
            if self.updated.keys() & others:
                # An earlier row may have freed it.
                raise SplitChunk(line)
            claimed = self._claimed.get(self._key(name, text))
            # Two that are made are both 0, and aren't the same.
            if others or (claimed is not None and (claimed != courseid or not courseid)):
                raise RowError(f"course_{name}_taken", name, value=text)

    def _rows(self, identifier: str, text: str) -> Sequence[CourseRow]:
        return self._named.get(identifier, {}).get(text, ())

    def _key(self, identifier: str, text: str) -> tuple[str, str]:
        return identifier, self._folds[identifier](text)


def check_context(course: CourseRow, column: str) -> None:
    """Nothing can be done about a course without a context. Raises: RowError; not for a simulation's, which isn't in Moodle"""
    if course["id"] > 0 and not (course["contextid"] and course["path"]):
        raise RowError("course_without_context", column, course=course["shortname"])
