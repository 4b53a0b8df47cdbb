"""Command files made from a choice of courses: of those to delete, of those to reset. Source: spec courses.md section 7"""

from __future__ import annotations

import io
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from django.utils import timezone

from sync.columns.describe import SAMPLE_SEPARATOR
from sync.commandfiles.naming import chosen_name
from sync.models import CommandFile, MoodleSite
from sync.moodle.courses.courses import fetch_courses
from sync.moodle.courses.listing import CourseSearch, ListedCourse, fetch_course_list
from sync.moodle.db.database import MoodleSession
from sync.reader.dialect import Dialect, encode_cells, normalise_separator
from sync.runs.options import find_processor, resolve_options
from sync.runs.services import receive_for_run


class CourseFile(NamedTuple):
    """A command file in the making. Shape: courses: lines that name one; left_out: courses that no line can name."""

    name: str
    identifier: str
    content: bytes
    courses: int
    left_out: list[ListedCourse]


def make_course_file(
    moodle: MoodleSession, site: MoodleSite, processor: str, courseids: Collection[int], cells: Mapping[str, str]
) -> CourseFile:
    """Write a line for each course, as the file type reads it with the options that are stored for it.

    Shape: cells: column -> what stands in it on every line; none for a list
    Queries: one, and one per 10,000 courses
    """
    file_type, options = find_processor(processor), resolve_options(site, processor)
    identifier, encoding = options["courseidentifier"], options.encoding or "UTF-8"
    search = CourseSearch(ids=frozenset(courseids))
    chosen = fetch_course_list(moodle, search, start=0, limit=len(courseids))
    named, left_out = _split(moodle, chosen, identifier, encoding)
    rows = [[name, *cells.values()] for name in named]
    if not file_type.columns.headerless:
        rows.insert(0, [identifier, *cells])
    separator = normalise_separator(options.separator) or SAMPLE_SEPARATOR
    content = _written(rows, separator).encode(encoding)
    name = chosen_name(file_type.default_filename, timezone.now())
    return CourseFile(name, identifier, content, len(named), left_out)


def keep_course_file(site: MoodleSite, processor: str, file: CourseFile, *, user: Any) -> CommandFile:
    """Put the file among those that were handed in for runs of its type."""
    return receive_for_run(site, io.BytesIO(file.content), file.name, processor, user)


def _split(
    moodle: MoodleSession, courses: Sequence[ListedCourse], identifier: str, encoding: str
) -> tuple[list[str], list[ListedCourse]]:
    """Tell the names that mean just one course from the courses without such a name."""
    names = {course.id: str(getattr(course, identifier)) for course in courses}
    found = fetch_courses(moodle, identifier, set(names.values()))
    named: list[str] = []
    left_out: list[ListedCourse] = []
    for course in courses:
        name = names[course.id]
        if len(found.get(name, ())) == 1 and _survives(name, encoding):
            named.append(name)
        else:
            left_out.append(course)
    return named, left_out


def _survives(name: str, encoding: str) -> bool:
    """Tell whether a name comes back from a file as it is: cells are trimmed, and an encoding may lack characters."""
    return name == name.strip() == name.encode(encoding, errors="replace").decode(encoding)


def _written(rows: Sequence[Sequence[str]], separator: str) -> str:
    dialect = Dialect("UTF-8", separator)
    return "".join(encode_cells(dialect, row).decode() + "\n" for row in rows)
