"""What each row of a file of custom fields does, as if the rows were carried out in file order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sync.columns.dates import DateOrders
from sync.moodle.courses.courses import Course
from sync.moodle.courses.rows import CourseField
from sync.moodle.users.users import SiteRules
from sync.processors.base.course_fields import check_unique, field_cell, field_values, says_the_same
from sync.processors.base.errors import RowError
from sync.processors.base.overlay import FoundRows
from sync.processors.base.plan import Plan
from sync.processors.base.planner import plan_each
from sync.processors.custom_fields.cells import FieldCells
from sync.processors.memberships.course_columns import find_course
from sync.processors.memberships.enrolment_results import accepted
from sync.processors.memberships.state import MembershipState
from sync.values import Action, Change, Outcome


@dataclass(frozen=True)
class FieldsState:
    """Everything read for one chunk.

    Shape: courses_named: texts of the file -> courses; courses: with when they were changed last; fields: short name in lower
    case -> field; data: what they hold; orders: of day and month in cells; extras: columns that every row of
    `customfield_data` needs here
    """

    now: int
    identifier: str
    courses_named: Mapping[str, tuple[Course, ...]]
    courses: FoundRows
    fields: Mapping[str, CourseField]
    data: FoundRows
    rules: SiteRules
    orders: DateOrders
    extras: Mapping[str, Any]


class FieldsPlanner:
    """Plans one chunk; later rows see what earlier ones did."""

    def __init__(self, state: FieldsState) -> None:
        self.state = state
        self.plan = Plan(state.now)
        self.data = self.plan.change(state.data)
        self.courses = self.plan.change(state.courses)
        self._named = MembershipState(course_identifier=state.identifier, courses_named=state.courses_named)

    def plan_rows(self, rows: Sequence[FieldCells]) -> Plan:
        self.plan.outcomes.extend(plan_each(rows, self._plan_row, lambda row: f"{row.course} / {row.field}"))
        self.data.write(self.plan)
        self.courses.write(self.plan)
        return self.plan

    def _plan_row(self, row: FieldCells) -> Outcome:
        course = accepted(find_course(self._named, row.course, "course"))
        field = self.state.fields.get(row.field)
        if field is None:
            raise RowError("custom_field_unknown", "field", field=row.field)
        values = self._values(field, row.value or "", course)
        key = (field.id, course.id)
        old = self.data.get(key)
        if old is not None and says_the_same(field, old, values, self.state.rules):
            return Outcome(row.line, Action.UNCHANGED, "custom_field_unchanged", {})
        self._store(key, course, values, row.line)
        self._touch(course, row.line)
        changes = (Change(field.shortname, self._shown(field, old) if old else "", self._shown(field, values)),)
        if old is None:
            return Outcome(row.line, Action.CREATED, "custom_field_filled", {}, changes=changes)
        return Outcome(row.line, Action.UPDATED, "custom_field_updated", {}, changes=changes)

    def _values(self, field: CourseField, text: str, course: Course) -> dict[str, Any]:
        """Return the columns that hold a value. Raises: RowError"""
        if field.is_required and not text:
            raise RowError("course_field_required", "value", field=field.shortname)
        try:
            values = field_values(field, text, self.state.rules, self.state.orders)
            check_unique(self.data, [(field, values)], course.id)
        except RowError as error:
            error.params["column"] = "value"
            raise
        return values

    def _shown(self, field: CourseField, stored: Mapping[str, Any]) -> str:
        """Return what is stored as a cell says it: a choice by its name, a date on the clock of the site."""
        return field_cell(field, stored, self.state.rules.shown_time)

    def _store(self, key: tuple[int, int], course: Course, values: Mapping[str, Any], line: int) -> None:
        """Mirrors: core_customfield\\data_controller::instance_form_save()"""
        now = self.state.now
        if key in self.data:
            self.data.update(key, {**values, "timemodified": now}, line)
        else:
            stamps = {"timecreated": now, "timemodified": now}
            self.data.put(key, {"contextid": course.contextid, **self.state.extras, **stamps, **values}, line)

    def _touch(self, course: Course, line: int) -> None:
        """Note that the course has changed, as Moodle's form of courses does; it is read anew then."""
        row = self.courses.get(course.id)
        if row is not None and "cacherev" in row:
            now = self.state.now
            found = self.courses.found(course.id) or row
            values = {"timemodified": now, "cacherev": max(found["cacherev"] + 1, now)}
            self.courses.update(course.id, values, line)
