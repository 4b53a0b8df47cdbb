"""Enrolment methods as a command file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa

from sync.columns.column import OptionalColumn
from sync.moodle.db.keyset import fetch_in_parts
from sync.moodle.enrolments.enrolments import DAY
from sync.processors.base.export import ExportedRow, Exporter, ScopeKind, cell_of
from sync.processors.enrolment_methods.cells import EnrolmentMethodsOptions, MethodCells
from sync.processors.enrolment_methods.settings import COHORT, META, SINGLE, has_setting

# Column of the file -> of `enrol`, and in what it counts there.
_NUMBERS: Mapping[OptionalColumn[Any], tuple[str, int]] = {
    MethodCells.enrolperiod: ("enrolperiod", DAY),
    MethodCells.notifydays: ("expirythreshold", DAY),
    MethodCells.maxenrolled: ("customint3", 1),
    MethodCells.newenrols: ("customint6", 1),
    MethodCells.welcome: ("customint4", 1),
    MethodCells.unenroldays: ("customint2", DAY),
    MethodCells.groupkeys: ("customint1", 1),
}
_STORED = (
    "id", "enrol", "status", "name", "enrolstartdate", "enrolenddate", "expirynotify", "notifyall", "customint1",
)  # fmt: skip


class MethodsExporter(Exporter[EnrolmentMethodsOptions]):
    """Methods with their settings; keys are never exported."""

    scopes = (ScopeKind.CATEGORY, ScopeKind.COURSES)
    shows_people = False

    def header(self) -> list[str]:
        numbers = [column.name for column in _NUMBERS]
        return [
            "course",
            "enrol",
            "source",
            "name",
            "newname",
            "disabled",
            "role",
            "startdate",
            "enddate",
            "notify",
            *numbers,
        ]

    def parts(self) -> Iterator[list[ExportedRow]]:
        enrol, course, role, cohort = map(self.moodle.table, ("enrol", "course", "role", "cohort"))
        parent = course.alias("parent_course")
        joined = (
            enrol.join(course, course.c.id == enrol.c.courseid)
            .outerjoin(role, role.c.id == enrol.c.roleid)
            .outerjoin(cohort, sa.and_(enrol.c.enrol == COHORT, cohort.c.id == enrol.c.customint1))
            .outerjoin(parent, sa.and_(enrol.c.enrol == META, parent.c.id == enrol.c.customint1))
        )
        by, cohorts_by = self.options.courseidentifier, self.options.cohortidentifier
        stored = dict.fromkeys((*_STORED, *(name for name, _unit in _NUMBERS.values())))
        columns = (
            *(enrol.c[name] for name in stored), course.c[by].label("course"), course.c.shortname.label("label"),
            role.c.shortname.label("role"), cohort.c[cohorts_by].label("cohort"), parent.c[by].label("parent"),
        )  # fmt: skip
        statement = sa.select(*columns).select_from(joined).where(*self.courses_of_scope(course))
        for rows in fetch_in_parts(self.moodle, statement, enrol.c.id):
            yield [self._row(row._mapping) for row in rows]

    def _row(self, row: Mapping[str, Any]) -> ExportedRow:
        method, is_single = row["enrol"], row["enrol"] in SINGLE
        name = row["name"] or ""
        cells = [
            cell_of(row["course"]),
            method,
            cell_of(row["cohort"] if method == COHORT else row["parent"]),
            "" if is_single else name,
            name,
            str(int(bool(row["status"]))),
            cell_of(row["role"]) if has_setting(method, MethodCells.role) else "",
            self._date(method, MethodCells.startdate, row["enrolstartdate"]),
            self._date(method, MethodCells.enddate, row["enrolenddate"]),
            str((row["expirynotify"] or 0) + (row["notifyall"] or 0))
            if has_setting(method, MethodCells.notify)
            else "",
        ]
        cells += [_number(method, column, row[stored], unit) for column, (stored, unit) in _NUMBERS.items()]
        return ExportedRow(f"{row['label']} / {method}", cells)

    def _date(self, method: str, column: OptionalColumn[Any], seconds: int | None) -> str:
        return self.time_cell(seconds) if has_setting(method, column) else ""


def _number(method: str, column: OptionalColumn[Any], stored: int | None, unit: int) -> str:
    """Return a number as a cell; none where the method doesn't have it, or where it isn't whole days."""
    if stored is None or not has_setting(method, column) or stored % unit:
        return ""
    # Of days before an end 0 says nothing.
    return "" if column is MethodCells.notifydays and not stored else str(stored // unit)
