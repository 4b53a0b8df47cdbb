"""The column `template` of courses that are there already: its content is added to theirs, or takes its place.

Source: spec courses.md section 1.3, option templatemode
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from sync.moodle.course_content.delete.clear_content import empty_courses
from sync.moodle.course_content.graph.content_source import CourseTarget
from sync.moodle.course_content.graph.graph import CourseGraph
from sync.moodle.courses.courses import Course, fetch_courses
from sync.moodle.db.writer import Writer
from sync.moodle.files.files import DeletedFiles
from sync.processors.courses.templates import FromTemplate, restore_templates


class TemplateMerge(NamedTuple):
    """Content for a course that is there. Shape: replaces: what is in it goes first"""

    course: Course
    content: FromTemplate
    replaces: bool


def fill_courses(writer: Writer, graph: CourseGraph, fillings: Sequence[TemplateMerge], *, now: int) -> DeletedFiles:
    """Bring content into existing courses, and return the deleted files of what it replaces, for after the commit."""
    if not fillings:
        return DeletedFiles()
    # The same transaction may have moved them.
    found = fetch_courses(writer.session, "id", [str(filling.course.id) for filling in fillings])
    courses = {course.id: course for (course,) in found.values()}
    emptied = [courses[filling.course.id] for filling in fillings if filling.replaces]
    files = empty_courses(writer, graph, emptied, now=now) if emptied else DeletedFiles()
    wanted = []
    for filling in fillings:
        course, how = courses[filling.course.id], filling.content
        target = CourseTarget(course.id, course.contextid, course.path, how.date_offset, is_filled=True)
        wanted.append((replace(target, is_emptied=filling.replaces), how))
    restore_templates(writer, graph, wanted, now=now)
    return files
