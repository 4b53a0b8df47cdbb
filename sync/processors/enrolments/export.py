"""Enrolments as an enrolments file: a row for each role that comes with one."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from operator import attrgetter
from typing import Any

import sqlalchemy as sa

from sync.moodle.db.keyset import fetch_ids_in_parts
from sync.moodle.enrolments.enrolments import ACTIVE, ENABLED, METHODS_WITH_FREE_ROLES, SELF_SYNCED_METHODS
from sync.moodle.versions import CONTEXT_COURSE
from sync.processors.base.export import ExportedRow, Exporter, ScopeKind, cell_of
from sync.processors.enrolments.methods import GUEST
from sync.processors.enrolments.options import EnrolmentsOptions


class EnrolmentsExporter(Exporter[EnrolmentsOptions]):
    """Enrolments by methods that a file may name, with their dates.

    `add` where one is active and brings a role, `enable` where it brings none, `disable` where it is suspended.
    """

    scopes = (ScopeKind.CATEGORY, ScopeKind.COURSES)
    checked_with = {EnrolmentsOptions.flatfile: False}

    def header(self) -> list[str]:
        return ["cmd", "cid", "uid", "rolename", "enrol", "starttime", "endtime"]

    def parts(self) -> Iterator[list[ExportedRow]]:
        enrolment, enrol, course, user = map(self.moodle.table, ("user_enrolments", "enrol", "course", "user"))
        joined = (
            enrolment.join(enrol, enrol.c.id == enrolment.c.enrolid)
            .join(course, course.c.id == enrol.c.courseid)
            .join(user, user.c.id == enrolment.c.userid)
        )
        conditions = [user.c.deleted == 0, enrol.c.enrol.not_in(self._barred()), *self.courses_of_scope(course)]
        if not self.options.enableenrolondisabled:
            conditions.append(enrol.c.status == ENABLED)
        meant = sa.select(enrolment.c.id).select_from(joined).where(*conditions)
        for ids in fetch_ids_in_parts(self.moodle, meant, enrolment.c.id):
            rows = self.moodle.fetch(self._with_roles(joined).where(self.moodle.in_clause(enrolment.c.id, ids)))
            self.moodle.release()
            yield [row for _id, found in groupby(rows, attrgetter("enrolment")) for row in self._rows(list(found))]

    def _barred(self) -> frozenset[str]:
        return frozenset({GUEST}) if self.options.allowsyncedmethods else SELF_SYNCED_METHODS

    def _with_roles(self, joined: sa.Join) -> sa.Select[Any]:
        """Return the statement that gives each enrolment once for each role that comes with it, once where none does."""
        enrolment, enrol, course, user = map(self.moodle.table, ("user_enrolments", "enrol", "course", "user"))
        context, assignment, role = map(self.moodle.table, ("context", "role_assignments", "role"))
        is_free = enrol.c.enrol.in_(METHODS_WITH_FREE_ROLES)
        owner = sa.case((is_free, ""), else_=sa.literal("enrol_", sa.String) + enrol.c.enrol)
        with_roles = joined.outerjoin(
            context, sa.and_(context.c.contextlevel == CONTEXT_COURSE, context.c.instanceid == course.c.id)
        ).outerjoin(
            assignment.join(role, role.c.id == assignment.c.roleid),
            sa.and_(
                assignment.c.contextid == context.c.id, assignment.c.userid == user.c.id, assignment.c.component == owner,
                sa.or_(is_free, assignment.c.itemid == enrol.c.id),
            ),
        )  # fmt: skip
        return (
            sa.select(
                enrolment.c.id.label("enrolment"), enrolment.c.status, enrolment.c.timestart, enrolment.c.timeend,
                enrol.c.enrol.label("method"), course.c[self.options.courseidentifier].label("cid"),
                user.c[self.options.useridentifier].label("uid"), role.c.shortname.label("rolename"),
                course.c.shortname, user.c.username,
            )
            .select_from(with_roles)
            .order_by(enrolment.c.id, role.c.sortorder)
        )  # fmt: skip

    def _rows(self, found: list[Any]) -> Iterator[ExportedRow]:
        """Return the rows of one enrolment. Shape: found: one for each of its roles"""
        first = found[0]
        is_active = first.status == ACTIVE
        roles = [row.rolename for row in found if row.rolename] if is_active else []
        command = ("add" if roles else "enable") if is_active else "disable"
        dates = (self.time_cell(first.timestart), self.time_cell(first.timeend))
        for role in dict.fromkeys(roles or [""]):
            cells = [command, cell_of(first.cid), cell_of(first.uid), role, first.method, *dates]
            yield ExportedRow(f"{first.username} / {first.shortname}", cells)
