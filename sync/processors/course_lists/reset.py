"""`courses_reset`: take out of courses what people did in them. Spec: courses.md section 4."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping, Sequence, Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Any

from django.utils.translation import gettext_lazy as _

from sync.moodle.course_content.delete.delete import unknown_plugins
from sync.moodle.course_content.graph.graph import load_graph
from sync.moodle.course_content.graph.live_tables import fetch_unknown_tables
from sync.moodle.course_content.reset.reset import CourseReset, ResetFindings, fetch_reset_findings, reset_courses
from sync.moodle.courses.courses import Course, CourseNames, fetch_course_names, fetch_course_weights, fetch_courses
from sync.moodle.db.writer import Writer
from sync.moodle.enrolments.enrolments import fetch_meta_children
from sync.moodle.enrolments.roles import fetch_roles
from sync.processors.base.context import Collected
from sync.processors.base.course_deletion import CHUNK_WEIGHT
from sync.processors.base.errors import RowError
from sync.processors.base.operations import Applied, Operation, Touched
from sync.processors.base.overlay import FoundRows, Table, is_temporary
from sync.processors.base.plan import Plan
from sync.processors.base.planner import plan_each
from sync.processors.base.processor import Processor, SplitChunk
from sync.processors.base.totals import RESET, ChangedIds, Totals, total
from sync.processors.course_lists.course_list import CourseListOptions
from sync.processors.course_lists.export import CourseResetSampler
from sync.processors.course_lists.reset_cells import (
    RESET_IDENTIFIERS,
    CourseResetCells,
    ResetRequest,
    is_on,
    read_cells,
)
from sync.processors.memberships.state import roles_by_shortname
from sync.values import Action, Change, Note, Outcome, partial_outcome

# Only in the overlay: what lines of the file reset in courses.
_RESETS = Table("course reset", ("courseid",), found_by=(("courseid",),))


@dataclass(frozen=True)
class ResetState:
    """What the rows of a chunk mean.

    Shape: asked: line -> what its cells say; found: identifier as typed -> courses; resets: line -> what is to be done, of the
    lines that can be carried out; weights: courseid -> about how many rows; linked: courseid -> the courses that it takes its
    people from, and those that take theirs from it; earlier: resets of lines of earlier chunks, where they aren't carried out
    """

    asked: Mapping[int, ResetRequest | RowError]
    found: Mapping[str, tuple[Course, ...]]
    names: Mapping[int, CourseNames]
    unknown_plugins: Mapping[int, Sequence[str]]
    weights: Mapping[int, int]
    linked: Mapping[int, AbstractSet[int]]
    earlier: FoundRows
    findings: ResetFindings
    now: int


@dataclass(frozen=True)
class ResetCourses(Operation):
    """Take out of courses what was found in them. Expects: the courses; what is new in them goes as well.

    Shape: findings: of all courses that lines name; courseids: of those to be reset, by the line that asks for it
    """

    findings: ResetFindings
    courseids: Mapping[int, int]

    def __bool__(self) -> bool:
        return any(sum(self.findings.counts[courseid].values()) for courseid in self.courseids.values())

    @property
    def lines(self) -> Collection[int]:
        return self.courseids.keys()

    def apply(self, writer: Writer, applied: Applied) -> None:
        findings = self.findings.of([*self.courseids.values()])
        applied.files += reset_courses(writer, load_graph(), findings, now=applied.now)

    def totals(self) -> Totals:
        return total("courses", RESET, len(self._changed))

    def changed_ids(self) -> ChangedIds:
        return {f"courses.{RESET}": self._changed}

    def touched(self) -> Iterator[Touched]:
        return (
            Touched(line, "course", str(courseid))
            for line, courseid in self.courseids.items()
            if not is_temporary(courseid)
        )

    @property
    def _changed(self) -> list[int]:
        return [courseid for courseid in self.courseids.values() if any(self.findings.counts[courseid].values())]


class CoursesResetPlan(Plan):
    """Shape: findings: what lines might take away; courseids: of the courses where they do, by line; resets: courseid -> what its
    lines reset
    """

    def __init__(self, state: ResetState) -> None:
        super().__init__(state.now)
        self.findings = state.findings
        self.courseids: dict[int, int] = {}
        self.resets = self.change(state.earlier)
        self.weight = 0

    def operations(self) -> list[Operation]:
        return [ResetCourses(self.findings, self.courseids)]


@dataclass
class ResetCollected(Collected):
    """Shape: asks_for_logs: whether a row asks for logs to be deleted, which is left to Moodle"""

    asks_for_logs: bool = False


class CoursesResetOptions(CourseListOptions):
    courseidentifier = replace(CourseListOptions.courseidentifier, aliases=("courses_fileresetidentifier",))


class CoursesReset(Processor[CourseResetCells, ResetState, CoursesResetPlan]):
    """Reset courses, each as its line says."""

    key = "courses_reset"
    label = _("Courses: reset")
    summary = _(
        "Take out of courses what people did in them, and the people themselves: attempts, submissions, posts, grades, groups, "
        "enrolments. What teachers made stays."
    )
    default_filename = "resetcourses.csv"
    sampler = CourseResetSampler
    after = ("users",)
    options = CoursesResetOptions
    rows_per_chunk = 100

    collected_type = ResetCollected

    def setup(self, names: Sequence[str]) -> None:
        self.graph = load_graph()
        self.graph.check(self.moodle)
        self.unknown_tables = fetch_unknown_tables(self.moodle, self.graph)
        wanted = self.option_values.courseidentifier
        self.identifier = wanted if wanted in names else next(name for name in RESET_IDENTIFIERS if name in names)
        if self.identifier != wanted:
            self.file_notes.append(Note("identity_taken_from", {"wanted": wanted, "used": self.identifier}))
        self.roles = {name: role.id for name, role in roles_by_shortname(fetch_roles(self.moodle)).items()}

    def fetch(self, rows: Sequence[CourseResetCells]) -> ResetState:
        asked = {row.line: self._asked(row) for row in rows}
        self.collected.asks_for_logs |= any(is_on(row.logs) for row in rows)
        found = fetch_courses(self.moodle, self.identifier, {row.values[self.identifier] for row in rows})
        single = {value: courses[0] for value, courses in found.items() if len(courses) == 1 and not courses[0].is_site}
        courses = list({course.id: course for course in single.values()}.values())
        unknown = unknown_plugins(self.moodle, self.graph, courses)
        resets: dict[int, CourseReset] = {}
        for row in rows:
            course, cells = single.get(row.values[self.identifier]), asked[row.line]
            if course is None or isinstance(cells, RowError) or (cells.is_all and unknown.get(course.id)):
                continue
            resets.setdefault(course.id, CourseReset(course, cells.options, cells.roleids))
        earlier = self.overlay.over(_RESETS, {}, {("courseid",): list(resets)})
        done = {
            courseid: CourseReset(resets[courseid].course, frozenset(row["options"]), tuple(row["roleids"]))
            for courseid, row in earlier.rows.items()
        }
        return ResetState(
            asked,
            found,
            fetch_course_names(self.moodle, [course.id for course in courses]),
            unknown,
            fetch_course_weights(self.moodle, list(resets)),
            self._linked(resets),
            earlier,
            fetch_reset_findings(self.moodle, self.graph, list(resets.values()), done),
            int(time.time()),
        )

    def _linked(self, courseids: Collection[int]) -> dict[int, set[int]]:
        linked: dict[int, set[int]] = {}
        for instance, _course in fetch_meta_children(self.moodle, courseids):
            linked.setdefault(instance.courseid, set()).add(instance.customint1)
            linked.setdefault(instance.customint1, set()).add(instance.courseid)
        return linked

    def _asked(self, row: CourseResetCells) -> ResetRequest | RowError:
        try:
            return read_cells(row, self.roles)
        except RowError as refused:
            return refused

    def plan(self, rows: Sequence[CourseResetCells], state: ResetState) -> CoursesResetPlan:
        plan = CoursesResetPlan(state)
        plan.outcomes = list(
            plan_each(rows, lambda row: self._plan_row(row, plan, state), lambda row: row.values[self.identifier])
        )
        return plan

    def _plan_row(self, row: CourseResetCells, plan: CoursesResetPlan, state: ResetState) -> Outcome:
        subject = row.values[self.identifier]
        cells = state.asked[row.line]
        course = self._course(subject, state)
        if isinstance(cells, RowError):
            raise cells
        if self.unknown_tables:
            raise RowError("moodle_tables_unknown", self.identifier, tables=", ".join(self.unknown_tables))
        if cells.is_all and (plugins := state.unknown_plugins.get(course.id)):
            raise RowError("course_reset_plugins", "modules", plugins=", ".join(plugins))
        plan.weight += state.weights.get(course.id, 0)
        touched = plan.resets.changed().keys()
        is_touched = course.id in touched or not touched.isdisjoint(state.linked.get(course.id, ()))
        if is_touched or (touched and plan.weight > CHUNK_WEIGHT):
            # What an earlier line takes away, this one won't find; nor whom it takes out of a course that people are copied from.
            raise SplitChunk(row.line)
        before = plan.resets.get(course.id) or {"options": (), "roleids": ()}
        options = sorted({*before["options"], *cells.options})
        roleids = [*before["roleids"], *cells.roleids]
        plan.resets.foresee(course.id, {"id": course.id, "options": options, "roleids": roleids}, row.line)
        problems = [Note("course_reset_role_unknown", {"role": role}) for role in cells.unknown_roles]
        plan.courseids[row.line] = course.id
        counts = state.findings.counts[course.id]
        changes = tuple(Change(option, str(count), "0") for option, count in counts.items() if count)
        action, code = (Action.UPDATED, "course_reset") if changes else (Action.UNCHANGED, "course_reset_nothing")
        params = {"fullname": state.names[course.id].fullname}
        outcome = Outcome(row.line, action, code, params, subject, changes)
        return partial_outcome(outcome, problems) if problems else outcome

    def _course(self, value: str, state: ResetState) -> Course:
        found = state.found.get(value, ())
        params: dict[str, Any] = {"identifier": self.identifier, "course": value}
        if not found:
            raise RowError("course_unknown", self.identifier, **params)
        if len(found) > 1:
            raise RowError("course_ambiguous", self.identifier, count=len(found), **params)
        if found[0].is_site:
            raise RowError("course_reset_site", self.identifier, **params)
        return found[0]

    def final_notes(self) -> list[Note]:
        notes = [Note("course_reset_logs", {})] if self.collected.asks_for_logs else []
        return [*super().final_notes(), *notes]
