"""What becomes of courses that are absent from a courses file that is complete: they are hidden or deleted, a part at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sync.columns.rows import ReadCells
from sync.errors import CommandFileError
from sync.moodle.course_content.delete.delete import unknown_plugins
from sync.moodle.course_content.graph.graph import load_graph
from sync.moodle.course_content.graph.live_tables import fetch_unknown_tables
from sync.moodle.courses.courses import fetch_course_visibility, fetch_course_weights, visibility_change
from sync.moodle.courses.placed_courses import PlacedCourse
from sync.processors.base.absence import ABSENT, DELETED, DONE, LEFT, NamedValues, lines_shown
from sync.processors.base.closing import ClosingObject, FileEnd, Verdict, changed_object
from sync.processors.base.context import ProcessorContext
from sync.processors.base.course_deletion import CHUNK_WEIGHT
from sync.processors.base.grace import GraceChange, GraceList, GraceStep
from sync.processors.base.overlay import FoundRows, Table
from sync.processors.courses.absent_scope import AbsentCourseScope
from sync.processors.courses.cells import CourseCells
from sync.processors.courses.options import DELETE, HIDE, CoursesOptions
from sync.processors.courses.plan import CoursesPlan
from sync.processors.courses.state import COURSE_TABLE
from sync.processors.memberships.named import fetch_named_courses
from sync.values import Action, Change, CleanRow, Note, Outcome

_HIDDEN_NOW = {"visible": 0, "visibleold": 0}
_SHORTNAME, _IDNUMBER, _ID = CourseCells.shortname.name, CourseCells.idnumber.name, CourseCells.id.name
_DELETED_CODE, _HIDDEN_CODE = "absent_course_deleted", "absent_course_hidden"
# So many courses are deleted in one part.
_MOST_DELETED = 100
# Key of `Absence.counts`: what can't be deleted.
_FOREIGN = "foreign"


@dataclass
class _Part:
    """Courses that are next.

    Shape: upto: the last id that was looked at; courses: with what becomes of each, and whether that is as planned; left: names
    of those that nobody has planned anything about
    """

    upto: int
    courses: list[tuple[PlacedCourse, str, Verdict]] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    weight: int = 0


class AbsentCourses:
    """Finds the courses of the scope that no row names, and plans what becomes of them."""

    def __init__(
        self, context: ProcessorContext, options: CoursesOptions, courses: Table, categories: Table, grace: GraceList
    ) -> None:
        self._moodle = context.moodle
        self._overlay = context.overlay
        self._options = options
        self._table = courses
        self._grace = grace
        self._absence = context.collected.absence
        self._scope = AbsentCourseScope(context, courses, categories, options)
        self._deletes_now = options.absent == DELETE and not options.gracedays

    def check(self) -> None:
        """Raises: CommandFileError where the scope can't be what is meant, or no course can be deleted"""
        self._scope.check()
        if self._options.absent == DELETE:
            graph = load_graph()
            graph.check(self._moodle)
            if tables := fetch_unknown_tables(self._moodle, graph):
                raise CommandFileError("moodle_tables_unknown", tables=", ".join(tables))

    def note_named(self, rows: Sequence[CourseCells], rejected: Sequence[ReadCells], identifier: str) -> None:
        """Note which courses rows name, those included that are rejected; templates are named, too.

        Queries: three where courses are named by number
        """
        if identifier == _ID:
            self._note_numbers_of_nothing([*rows, *(read.row for read in rejected)])
        for row in rows:
            self._note(row.values)
        for read in rejected:
            if not self._note(read.row.values) or {_SHORTNAME, _IDNUMBER, _ID, identifier} & read.unread:
                self._absence.add_unread(read.row.line)

    def _note_numbers_of_nothing(self, rows: Sequence[CleanRow]) -> None:
        """Note the rows with the number of a course that isn't there, by another name neither: they may mean any."""
        found = {
            name: fetch_named_courses(
                self._moodle, self._overlay, name, {str(row.values[name]) for row in rows if row.values.get(name)}
            )
            for name in (_ID, _SHORTNAME, _IDNUMBER)
        }
        for row in rows:
            if row.values.get(_ID) and not any(str(row.values.get(name)) in found[name] for name in found):
                self._absence.add_unread(row.line)

    def _note(self, values: Mapping[str, Any]) -> bool:
        """Note what a row has for the identities; False when it has nothing."""
        names = [(name, values.get(name)) for name in (_SHORTNAME, _IDNUMBER, _ID)]
        given = [(name, value) for name, value in names if value]
        for name, value in [*given, (_SHORTNAME, values.get(CourseCells.template.name))]:
            if value:
                self._absence.named.setdefault(name, NamedValues()).add(self._folded(name, value))
        return bool(given)

    def _folded(self, name: str, value: Any) -> str:
        return str(value) if name == _ID else str(self._table.folded(name, value))

    def _is_named(self, course: PlacedCourse) -> bool:
        named = self._absence.named
        given = ((_SHORTNAME, course.shortname), (_IDNUMBER, course.idnumber), (_ID, course.id))
        return any(name in named and value and self._folded(name, value) in named[name] for name, value in given)

    def next_plan(self, end: FileEnd, now: int) -> CoursesPlan:
        """Plan the next part; an empty plan when all were looked at, or when the file may not be whole."""
        absence, plan = self._absence, CoursesPlan(now)
        unread = Note("absent_left_unread", {"lines": lines_shown(absence.unread)}) if absence.unread else None
        absence.doubt = unread or end.doubt
        if absence.doubt is not None:
            return plan
        part = self._next_part(end)
        plan.absent, plan.absent_upto = part.counts, part.upto
        plan.absent_left = part.left
        changed = plan.change(FoundRows(self._table, {course.id: course._asdict() for course, *_ in part.courses}))
        visibility = fetch_course_visibility(self._moodle, [course.id for course, *_ in part.courses])
        for line, (course, code, verdict) in enumerate(part.courses, end.line):
            if verdict is Verdict.CHANGED:
                plan.leave_changed([changed_object(ClosingObject(COURSE_TABLE, course.id), line, course.shortname)])
            elif code == _DELETED_CODE:
                self._delete(course, plan, line)
                changed.foresee(course.id, None, line)
            else:
                self._hide(course, code, visibility[course.id], plan, line)
        if not part.courses:
            absence.total = self._scope.count() + absence.counts[DELETED]
        return plan

    def notes(self) -> list[Note]:
        """Say how many were absent, and what became of them."""
        some = "absent_courses_hide" if self._options.absent == HIDE else "absent_courses_delete"
        further = {_FOREIGN: "absent_courses_foreign"}
        return self._absence.notes(some, "absent_courses_none", self._scope.words, further)

    def _next_part(self, end: FileEnd) -> _Part:
        """Return the next courses that no row names and that aren't as they are to be, not too many for one transaction."""
        most = min(end.most, _MOST_DELETED) if self._deletes_now else end.most
        part = _Part(self._absence.upto)
        absent = [each for each in self._scope.fetch() if each.id > part.upto and not self._is_named(each)]
        while absent and len(part.courses) < most:
            some, absent = absent[:most], absent[most:]
            if not self._look_at(some, part, end, most):
                break
        return part

    def _look_at(self, absent: Sequence[PlacedCourse], part: _Part, end: FileEnd, most: int) -> bool:
        """Look at absent courses; False when the part is full before their last."""
        ids = [course.id for course in absent]
        visibility = fetch_course_visibility(self._moodle, ids)
        weights = fetch_course_weights(self._moodle, ids) if self._deletes_now else {}
        plugins = self._unknown_plugins(absent)
        for course in absent:
            code = self._code(course, visible=bool(visibility[course.id]["visible"]))
            verdict = end.verdict(ClosingObject(COURSE_TABLE, course.id), code, course.shortname)
            is_todo = bool(code) and verdict is not Verdict.UNPLANNED and course.id not in plugins
            weight = weights.get(course.id, 0) if is_todo else 0
            if len(part.courses) == most or (part.courses and part.weight + weight > CHUNK_WEIGHT):
                return False
            part.upto = course.id
            part.counts[ABSENT] += 1
            if course.id in plugins:
                part.counts[_FOREIGN] += 1
            elif is_todo:
                part.courses.append((course, code, verdict))
                part.weight += weight
                part.counts[DONE] += verdict is Verdict.DO
                part.counts[DELETED] += verdict is Verdict.DO and code == _DELETED_CODE
            elif code:
                part.counts[LEFT] += 1
                part.left.append(course.shortname)
        return True

    def _unknown_plugins(self, courses: Sequence[PlacedCourse]) -> Mapping[int, Sequence[str]]:
        """Return the courses that can't be deleted, for what is in them. Queries: two; none where nothing is deleted"""
        if not self._deletes_now:
            return {}
        return unknown_plugins(self._moodle, load_graph(), [course.course for course in courses])

    def _code(self, course: PlacedCourse, *, visible: bool) -> str:
        """Return what is to become of an absent course, "" = all is as it is to be."""
        if self._deletes_now:
            return _DELETED_CODE
        if self._options.absent == HIDE or self._grace.find(course.id, {}):
            return _HIDDEN_CODE if visible else ""
        return "absent_course_hidden_for_deletion" if visible else "absent_course_listed_for_deletion"

    def _delete(self, course: PlacedCourse, plan: CoursesPlan, line: int) -> None:
        if self._grace.find(course.id, {}):
            plan.change_grace(GraceChange(GraceStep.DELETED, COURSE_TABLE, course.id, line))
        plan.deletions[line] = course.course
        params = {**self._scope.words, "fullname": course.fullname}
        outcome = Outcome(line, Action.DELETED, _DELETED_CODE, params, course.shortname)
        plan.close(ClosingObject(COURSE_TABLE, course.id), outcome)

    def _hide(self, course: PlacedCourse, code: str, present: Mapping[str, int], plan: CoursesPlan, line: int) -> None:
        params = {**self._scope.words, "fullname": course.fullname}
        after = visibility_change(present, _HIDDEN_NOW, plan.now)
        if after:
            plan.update(COURSE_TABLE, course.id, {name: present[name] for name in after}, after, line)
        if code != _HIDDEN_CODE:
            day = self._grace.records.day_after(self._options.gracedays)
            params["date"] = day
            before = {name: present[name] for name in _HIDDEN_NOW if name in after}
            plan.change_grace(
                GraceChange(
                    GraceStep.LISTED, COURSE_TABLE, course.id, line, course.shortname, course.fullname, day, before
                )
            )
        changes = (Change("visible", "1", "0"),) if "visible" in after else ()
        outcome = Outcome(line, Action.UPDATED, code, params, course.shortname, changes)
        plan.close(ClosingObject(COURSE_TABLE, course.id), outcome)
