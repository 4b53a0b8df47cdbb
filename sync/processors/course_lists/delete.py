"""`courses_delete`: delete the courses of a list, at once or after days of grace during which they are hidden."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from sync.columns.clean import text
from sync.columns.column import About, RequiredColumn
from sync.columns.general_options import GraceDays
from sync.moodle.course_content.delete.delete import unknown_plugins
from sync.moodle.course_content.graph.graph import load_graph
from sync.moodle.course_content.graph.live_tables import fetch_unknown_tables
from sync.moodle.courses.courses import Course, fetch_course_visibility, fetch_course_weights
from sync.moodle.courses.order import Misplaced
from sync.moodle.db.identifiers import folding
from sync.processors.base.after_commit import AfterCommit
from sync.processors.base.course_deletion import CHUNK_WEIGHT, DeleteCourses
from sync.processors.base.grace import GraceChange, GraceList, GraceStep
from sync.processors.base.operations import Applied, FixCourseOrder, Operation
from sync.processors.base.overlay import FoundRows
from sync.processors.base.plan import Plan
from sync.processors.base.processor import SplitChunk
from sync.processors.course_lists.course_list import (
    CourseList,
    CourseListCells,
    CourseListOptions,
    ListedCourses,
    outcome,
)
from sync.processors.course_lists.grace import TABLE, CourseGrace
from sync.processors.memberships.named import courses_table
from sync.values import Action, Note, Outcome


class CoursesDeletePlan(Plan):
    """Shape: courses: to be deleted, with the value and the line that name each; weight: of them all; fixes_order: bring the
    others in order, or only these places.
    """

    def __init__(self, now: int, *, fixes_order: bool = False, places: Sequence[Misplaced] | None = None) -> None:
        super().__init__(now)
        self.courses: dict[int, tuple[Course, str, int]] = {}
        self.weight = 0
        self.fixes_order = fixes_order
        self.places = places

    def operations(self) -> list[Operation]:
        courses = {line: course for course, _value, line in self.courses.values()}
        return [DeleteCourses(courses), self.row_writes, FixCourseOrder(self.fixes_order, self.places)]


class CoursesDeleteOptions(CourseListOptions):
    courseidentifier = replace(CourseListOptions.courseidentifier, aliases=("courses_filedeleteidentifier",))
    gracedays = GraceDays(
        help=_(
            "The courses are hidden now and deleted after so many days, unless a courses file names them again or somebody "
            "takes them off the list of deletions. 0: they are deleted at once."
        ),
    )


class CourseDeleteCells(CourseListCells, headerless=True):
    """A course that is to go."""

    # fmt: off
    __slots__ = ()

    identifier = RequiredColumn(text(None), refers=True, about=About.COURSE, sample="TESTCOURSE1",
                                help=_("The whole line. In quotes where it begins like a comment."))


class CoursesDelete(CourseList[CourseDeleteCells]):
    """Delete courses, with everything that is in them. Spec: courses.md section 2."""

    key = "courses_delete"
    label = _("Courses: delete")
    summary = _(
        "Delete the courses of a list, with their activities, enrolments, grades and files. Moodle's recycle bin gets no copy."
    )
    default_filename = "deletecourses.csv"
    options: ClassVar[type[CoursesDeleteOptions]] = CoursesDeleteOptions
    rows_per_chunk = 100

    def setup(self, names: Sequence[str]) -> None:
        self.graph = load_graph()
        self.graph.check(self.moodle)
        self.unknown_tables = fetch_unknown_tables(self.moodle, self.graph)
        self.fold = folding(self.moodle, "course", self.identifier) if self.identifier != "id" else str
        self.file_notes.append(Note("course_deletion_final", {}))
        self.grace = GraceList.read(TABLE, self.context.grace, self.collected.grace)
        self.courses = courses_table(self.moodle)

    def fetch(self, rows: Sequence[CourseDeleteCells]) -> ListedCourses:
        state = super().fetch(rows)
        courses = [found[0] for found in state.found.values() if len(found) == 1]
        state.unknown_plugins = unknown_plugins(self.moodle, self.graph, courses)
        state.weights = fetch_course_weights(self.moodle, [course.id for course in courses])
        if self.option_values.gracedays or self.grace.task:
            state.visibility = fetch_course_visibility(self.moodle, [course.id for course in courses])
        return state

    def plan(self, rows: Sequence[CourseDeleteCells], state: ListedCourses) -> CoursesDeletePlan:
        plan = CoursesDeletePlan(state.now)
        grace = CourseGrace(self.grace, plan, state)
        plan.outcomes = [self._plan_row(row, plan, state, grace) for row in rows]
        self._foresee(plan, state)
        return plan

    def _foresee(self, plan: CoursesDeletePlan, state: ListedCourses) -> None:
        """Let later chunks and files find the courses no more."""
        named = {courseid: {"id": courseid, **names._asdict()} for courseid, names in state.names.items()}
        courses = plan.change(FoundRows(self.courses, named))
        for courseid, (_course, _value, line) in plan.courses.items():
            courses.foresee(courseid, None, line)

    def _plan_row(
        self, row: CourseDeleteCells, plan: CoursesDeletePlan, state: ListedCourses, grace: CourseGrace
    ) -> Outcome:
        value = row.identifier
        found = state.found.get(value, ())
        if (line := self._line_of_deletion(value, found, plan)) is not None:
            return outcome(row, Action.UNCHANGED, "course_deleted_before", line=line)
        if self.grace.task and (done := grace.plan_row(row, found)) is not None:
            return done
        if refusal := self._refusal(found, state):
            code, params = refusal
            return outcome(row, Action.REJECTED, code, identifier=self.identifier, course=value, **params)
        (course,) = found
        if days := self.option_values.gracedays:
            return grace.put_on(row, course, days)
        plan.weight += state.weights.get(course.id, 0)
        if plan.courses and plan.weight > CHUNK_WEIGHT:
            raise SplitChunk(row.line)
        if self.grace.find(course.id, plan.grace):
            plan.change_grace(GraceChange(GraceStep.DELETED, TABLE, course.id, row.line))
        plan.courses[course.id] = (course, value, row.line)
        return outcome(row, Action.DELETED, "course_deleted", fullname=state.names[course.id].fullname)

    def _line_of_deletion(self, value: str, found: Sequence[Course], plan: CoursesDeletePlan) -> int | None:
        """Return the earlier line that deletes the same course, None when there is none."""
        if not found:
            return self.collected.gone.get(self.fold(value))
        if len(found) == 1 and found[0].id in plan.courses:
            return plan.courses[found[0].id][2]
        return self.collected.gone.get(found[0].id) if len(found) == 1 else None

    def _refusal(self, found: Sequence[Course], state: ListedCourses) -> tuple[str, dict[str, Any]] | None:
        """Return code and parameters where a line can't be carried out."""
        if not found:
            return "course_delete_unknown", {}
        if len(found) > 1:
            return "course_ambiguous", {"count": len(found)}
        if found[0].is_site:
            return "course_delete_site", {}
        if self.unknown_tables:
            return "moodle_tables_unknown", {"tables": ", ".join(self.unknown_tables)}
        if plugins := state.unknown_plugins.get(found[0].id):
            return "course_plugins_unknown", {"plugins": ", ".join(plugins)}
        return None

    def owed_after_commit(self, plan: Plan, applied: Applied) -> AfterCommit:
        owed = super().owed_after_commit(plan, applied)
        owed.gone = self._deleted_by(plan)
        return owed

    def collect(self, owed: AfterCommit) -> None:
        super().collect(owed)
        self.collected.gone.update(owed.gone)

    def final_plan(self, places: Sequence[Misplaced] | None = None) -> CoursesDeletePlan | None:
        if self.sees_to_order:
            return CoursesDeletePlan(int(time.time()), fixes_order=True, places=places)
        return None

    @property
    def sees_to_order(self) -> bool:
        return bool(self.collected.gone)

    def _deleted_by(self, plan: Plan) -> dict[int | str, int]:
        assert isinstance(plan, CoursesDeletePlan)  # noqa: S101
        gone: dict[int | str, int] = {}
        for course, value, line in plan.courses.values():
            gone[course.id] = gone[self.fold(value)] = line
        return gone
