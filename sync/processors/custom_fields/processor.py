"""`custom_fields`: what custom fields of courses hold, one value a row."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress

from django.utils.translation import gettext_lazy as _

from sync.columns.dates import DateOrders
from sync.columns.placeholders import is_truth
from sync.columns.repeated_values import RepeatedValues
from sync.moodle.courses.rows import (
    fetch_course_fields,
    fetch_course_revisions,
    fetch_field_data,
    fetch_rows_of_field_values,
)
from sync.moodle.db.identifiers import folding
from sync.moodle.users.users import SiteRules
from sync.processors.base.course_fields import FIELD_TABLE, TEXT_KINDS, field_data_table, field_extras, field_values
from sync.processors.base.errors import RowError
from sync.processors.base.overlay import FoundRows, Table, is_temporary
from sync.processors.base.plan import Plan
from sync.processors.base.processor import Processor
from sync.processors.base.row_counts import changed_lines, lines_set_again
from sync.processors.custom_fields.cells import CustomFieldsOptions, FieldCells
from sync.processors.custom_fields.export import FieldsExporter
from sync.processors.custom_fields.planner import FieldsPlanner, FieldsState
from sync.processors.memberships.named import fetch_named_courses


class FieldsSurvey(RepeatedValues):
    """The first line of each field of a course."""

    unique = (FieldCells.field.name,)
    scope = FieldCells.course.name


class CustomFields(Processor[FieldCells, FieldsState, Plan]):
    """Values of custom fields of courses."""

    key = "custom_fields"
    label = _("Courses: custom fields")
    summary = _("Fill custom fields of courses, one value a row.")
    default_filename = "customfields.csv"
    file_survey = FieldsSurvey
    after = ("courses",)
    options = CustomFieldsOptions
    exporter = FieldsExporter

    def setup(self, names: Sequence[str]) -> None:
        self.rules = SiteRules(self.moodle)
        self.fields = fetch_course_fields(self.moodle)
        self.extras = field_extras(self.moodle)
        has_unique = any(field.is_unique for field in self.fields.values())
        self.data = field_data_table({"value": folding(self.moodle, FIELD_TABLE, "value")} if has_unique else {})
        self.orders = self.survey.dates.orders_of(FieldCells.value.name)

    def fetch(self, rows: Sequence[FieldCells]) -> FieldsState:
        identifier = self.option_values.courseidentifier
        named = fetch_named_courses(self.moodle, self.overlay, identifier, {row.course for row in rows})
        courseids = {course.id for found in named.values() for course in found}
        present = [courseid for courseid in courseids if not is_temporary(courseid)]
        revisions = fetch_course_revisions(self.moodle, present)
        return FieldsState(
            now=int(time.time()),
            identifier=identifier,
            courses_named=named,
            courses=self.overlay.over(Table("course"), revisions),
            fields=self.fields,
            data=self._fetch_data(rows, courseids, present),
            rules=self.rules,
            orders=self.orders,
            extras=self.extras,
        )

    def _fetch_data(self, rows: Sequence[FieldCells], courseids: set[int], present: Sequence[int]) -> FoundRows:
        """Return what the fields of the rows hold for their courses, and who holds values that have to be unique."""
        fields = [self.fields[name] for name in {row.field for row in rows} if name in self.fields]
        unique = self._wanted_unique(rows, self.orders)
        found = {
            **fetch_rows_of_field_values(self.moodle, unique),
            **fetch_field_data(self.moodle, present, [field.id for field in fields]),
        }
        values = [(fieldid, value) for fieldid, held in unique.items() for value in held]
        return self.overlay.over(self.data, found, {("fieldid", "value"): values, ("instanceid",): courseids})

    def _wanted_unique(self, rows: Sequence[FieldCells], orders: DateOrders) -> dict[int, set[str]]:
        wanted: dict[int, set[str]] = {}
        for row in rows:
            field = self.fields.get(row.field)
            if field is not None and field.is_unique and row.value:
                with suppress(RowError):
                    value = field_values(field, row.value, self.rules, orders)["value"]
                    wanted.setdefault(field.id, set()).add(str(value))
        return wanted

    def plan(self, rows: Sequence[FieldCells], state: FieldsState) -> Plan:
        plan = FieldsPlanner(state).plan_rows(rows)
        truths = {row.line for row in rows if self._is_text(row) and is_truth(row.value or "")}
        cells = ((row.line, row.field, row.course) for row in rows)
        plan.counted = {
            "custom_field_truth_in_rows": truths & changed_lines(plan.outcomes),
            "set_again_in_rows": lines_set_again(self.survey.found, plan.outcomes, FieldCells.field.name, cells),
        }
        return plan

    def _is_text(self, row: FieldCells) -> bool:
        field = self.fields.get(row.field)
        return field is not None and field.kind in TEXT_KINDS
