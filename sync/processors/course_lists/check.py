"""`courses_check`: tell which courses of a list are there. Writes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from django.utils.translation import gettext_lazy as _

from sync.columns.clean import text
from sync.columns.column import About, OptionalColumn, RequiredColumn
from sync.processors.base.plan import Plan
from sync.processors.course_lists.course_list import (
    CourseList,
    CourseListCells,
    CourseListOptions,
    ListedCourses,
    outcome,
)
from sync.processors.course_lists.export import CourseListSampler
from sync.values import Action, Note, Outcome


class CoursesCheckOptions(CourseListOptions):
    courseidentifier = replace(
        CourseListOptions.courseidentifier, aliases=("courses_existfileidentifier", "courses_fileexistidentifier")
    )


class CourseCheckCells(CourseListCells, headerless=True):
    """A course that may be there."""

    # fmt: off
    __slots__ = ()

    identifier = RequiredColumn(text(None), refers=True, about=About.COURSE, sample="TESTCOURSE1",
                                help=_("The first cell of the line."))
    description = OptionalColumn(text(None), sample="Test course",
                                 help=_("What you know the course as; repeated in the report where it is missing. Further "
                                        "cells are ignored."))


class CoursesCheck(CourseList[CourseCheckCells]):
    """Say for each line whether there is such a course, and which. Spec: courses.md section 3."""

    key = "courses_check"
    label = _("Courses: check")
    summary = _("Tell which courses of a list are in Moodle and which are not. Changes nothing.")
    default_filename = "courses.csv"
    sampler = CourseListSampler
    options = CoursesCheckOptions

    def plan(self, rows: Sequence[CourseCheckCells], state: ListedCourses) -> Plan:
        plan = Plan()
        plan.outcomes = [self._check(row, state) for row in rows]
        return plan

    def _check(self, row: CourseCheckCells, state: ListedCourses) -> Outcome:
        found = state.found.get(row.identifier, ())
        if len(found) > 1:
            ids = ", ".join(str(course.id) for course in found)
            note = Note("course_check_ids", {"ids": ids})
            return outcome(
                row, Action.UNCHANGED, "course_check_ambiguous", note, identifier=self.identifier, count=len(found)
            )
        if not found:
            note = Note("course_check_described", {"description": row.description or ""})
            return outcome(row, Action.UNCHANGED, "course_check_missing", note, identifier=self.identifier)
        note = Note("course_check_names", state.names[found[0].id]._asdict())
        return outcome(row, Action.UNCHANGED, "course_check_found", note)
