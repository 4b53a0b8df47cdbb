"""The courses that the rows of a chunk name: as Moodle has them, and as the rows so far leave them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from sync.columns.repeated_values import RepeatedValues
from sync.moodle.courses.rows import CourseRow
from sync.moodle.db.identifiers import is_id
from sync.processors.base.errors import RowError
from sync.processors.base.overlay import ChangedRows, is_temporary
from sync.processors.courses.cells import CourseCells

_UNIQUE = (CourseCells.shortname.name, CourseCells.idnumber.name)


class CourseSurvey(RepeatedValues):
    """The first line of each value that only one course may have."""

    unique = (*_UNIQUE, CourseCells.custom_fields.name)


def courses_named(courses: ChangedRows, identifier: str, text: str) -> list[CourseRow]:
    """Return the courses that a text names; those spelled exactly so go before others that the server takes for the same."""
    if identifier == "id":
        keys = [int(text)] if is_id(text) and int(text) in courses else []
    else:
        keys = courses.find_spelled(identifier, text)
    return [cast(CourseRow, courses[key]) for key in keys]


def find_course(courses: ChangedRows, identifier: str, text: str, column: str) -> CourseRow | None:
    """Return the course that a text names. Raises: RowError when there are several"""
    found = courses_named(courses, identifier, text)
    if len(found) > 1:
        raise RowError("course_ambiguous", column, course=text, identifier=identifier, count=len(found))
    return found[0] if found else None


def check_names(courses: ChangedRows, values: Mapping[str, Any], courseid: int | None = None) -> None:
    """Short name and idnumber belong to one course only, on the site and in the file.

    Shape: courseid: of the course that the row gives them to; None: of one that it makes
    Raises: RowError
    """
    for name in _UNIQUE:
        text = values.get(name)
        if text and any(other["id"] != courseid for other in courses_named(courses, name, text)):
            raise RowError(f"course_{name}_taken", name, value=text)


def check_context(course: CourseRow, column: str) -> None:
    """Nothing can be done about a course without a context. Raises: RowError; not for one that an earlier row makes"""
    if not is_temporary(course["id"]) and not (course["contextid"] and course["path"]):
        raise RowError("course_without_context", column, course=course["shortname"])
