"""Cohorts with their members, and cohorts in courses, as command files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from sync.moodle.courses.scopes import named_by_prefix
from sync.moodle.db.keyset import fetch_in_parts
from sync.moodle.enrolments.enrolments import ENABLED
from sync.moodle.versions import CONTEXT_COURSECAT, CONTEXT_SYSTEM
from sync.processors.base.export import ExportedRow, Exporter, ScopeKind, cell_of
from sync.processors.cohorts.cells import COHORT
from sync.processors.cohorts.options import CohortCoursesOptions, CohortsOptions

_COHORTS_AT_ONCE = 200


class CohortsExporter(Exporter[CohortsOptions]):
    """Cohorts: a row for each with all that it is, then one for each of its members with no more than its name."""

    scopes = (ScopeKind.COHORTS,)

    def header(self) -> list[str]:
        first = ["cid"] if self.options.cohortidentifier == "id" else []
        return ["cmd", *first, "cidnumber", "cname", "cdescription", "ccatcontext", "visible", "userid"]

    def parts(self) -> Iterator[list[ExportedRow]]:
        cohort, context = map(self.moodle.table, ("cohort", "context"))
        statement = (
            sa.select(
                cohort.c.id, cohort.c.idnumber, cohort.c.name, cohort.c.description, cohort.c.visible,
                context.c.contextlevel, context.c.instanceid,
            )
            .select_from(cohort.join(context, context.c.id == cohort.c.contextid))
            .where(context.c.contextlevel.in_((CONTEXT_SYSTEM, CONTEXT_COURSECAT)))
        )  # fmt: skip
        if self.scope.cohorts:
            statement = statement.where(named_by_prefix(cohort.c.idnumber, self.scope.cohorts))
        for rows in fetch_in_parts(self.moodle, statement, cohort.c.id, most=_COHORTS_AT_ONCE):
            yield [self._cohort(row) for row in rows]
            yield from self._members({row.id: row for row in rows})

    def _cohort(self, row: Any) -> ExportedRow:
        category = "0" if row.contextlevel == CONTEXT_SYSTEM else str(row.instanceid)
        told = [cell_of(row.description), category, str(row.visible), ""]
        return ExportedRow(row.name, [*self._names(row), *told])

    def _names(self, row: Any) -> list[str]:
        first = [str(row.id)] if self.options.cohortidentifier == "id" else []
        return ["add", *first, cell_of(row.idnumber), row.name]

    def _members(self, cohorts: dict[int, Any]) -> Iterator[list[ExportedRow]]:
        member, user = map(self.moodle.table, ("cohort_members", "user"))
        statement = (
            sa.select(member.c.id, member.c.cohortid, user.c[self.options.useridentifier], user.c.username)
            .select_from(member.join(user, user.c.id == member.c.userid))
            .where(user.c.deleted == 0, self.moodle.in_clause(member.c.cohortid, cohorts))
        )
        for rows in fetch_in_parts(self.moodle, statement, member.c.id):
            yield [
                ExportedRow(
                    f"{cohorts[cohortid].name} / {username}",
                    [*self._names(cohorts[cohortid]), "", "", "", cell_of(named)],
                )
                for _id, cohortid, named, username in rows
            ]


class CohortCoursesExporter(Exporter[CohortCoursesOptions]):
    """Enrolments of cohorts in courses that are switched on."""

    scopes = (ScopeKind.CATEGORY, ScopeKind.COURSES, ScopeKind.COHORTS)
    shows_people = False
    # What Moodle hasn't brought up to date yet is no matter of the links.
    checked_with = {CohortCoursesOptions.followenrolments: False}

    def header(self) -> list[str]:
        return ["cmd", "course", "cohort", "role", "enrol"]

    def parts(self) -> Iterator[list[ExportedRow]]:
        enrol, course, cohort, role = map(self.moodle.table, ("enrol", "course", "cohort", "role"))
        options = self.options
        joined = (
            enrol.join(course, course.c.id == enrol.c.courseid)
            .join(cohort, cohort.c.id == enrol.c.customint1)
            .join(role, role.c.id == enrol.c.roleid)
        )
        conditions = [enrol.c.enrol == COHORT, enrol.c.status == ENABLED, *self.courses_of_scope(course)]
        if self.scope.cohorts:
            conditions.append(named_by_prefix(cohort.c.idnumber, self.scope.cohorts))
        columns = (
            course.c[options.courseidentifier], cohort.c[options.cohortidentifier], role.c[options.roleidentifier],
            course.c.shortname, cohort.c.name,
        )  # fmt: skip
        statement = sa.select(enrol.c.id, *columns).select_from(joined).where(*conditions)
        for rows in fetch_in_parts(self.moodle, statement, enrol.c.id):
            yield [_link(row) for row in rows]


def _link(row: Sequence[Any]) -> ExportedRow:
    _id, course, cohort, role, shortname, name = row
    return ExportedRow(f"{name} → {shortname}", ["add", *map(cell_of, (course, cohort, role)), COHORT])
