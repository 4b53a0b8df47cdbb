"""Roles that people have given, as a roles file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from sync.moodle.db.keyset import fetch_in_parts
from sync.moodle.versions import CONTEXT_COURSE, CONTEXT_COURSECAT, CONTEXT_MODULE, CONTEXT_SYSTEM, CONTEXT_USER
from sync.processors.base.export import ExportedRow, Exporter, ScopeKind, cell_of
from sync.processors.roles.cells import ADD
from sync.processors.roles.options import RolesOptions

_WORDS = {
    CONTEXT_SYSTEM: "system",
    CONTEXT_COURSECAT: "category",
    CONTEXT_COURSE: "course",
    CONTEXT_MODULE: "activity",
    CONTEXT_USER: "user",
}


class RolesExporter(Exporter[RolesOptions]):
    """Roles in every context but blocks, those of plugins and enrolment methods left out; of a scope those in its courses."""

    scopes = (ScopeKind.CATEGORY, ScopeKind.COURSES)

    def header(self) -> list[str]:
        return ["cmd", "context", "instance", "userid", "role"]

    def parts(self) -> Iterator[list[ExportedRow]]:
        held = self.moodle.table("role_assignments")
        for rows in fetch_in_parts(self.moodle, self._held(), held.c.id):
            yield [self._row(row) for row in rows]

    def _held(self) -> sa.Select[Any]:
        held, context, role, user = map(self.moodle.table, ("role_assignments", "context", "role", "user"))
        category, course, cm = map(self.moodle.table, ("course_categories", "course", "course_modules"))
        owner, options, level = user.alias("owner"), self.options, context.c.contextlevel
        courseid = sa.case((level == CONTEXT_COURSE, context.c.instanceid), else_=cm.c.course)
        joined = (
            held.join(context, context.c.id == held.c.contextid)
            .join(role, role.c.id == held.c.roleid)
            .join(user, user.c.id == held.c.userid)
            .outerjoin(cm, sa.and_(level == CONTEXT_MODULE, cm.c.id == context.c.instanceid))
            .outerjoin(course, course.c.id == courseid)
            .outerjoin(category, sa.and_(level == CONTEXT_COURSECAT, category.c.id == context.c.instanceid))
            .outerjoin(owner, sa.and_(level == CONTEXT_USER, owner.c.id == context.c.instanceid))
        )
        conditions = [user.c.deleted == 0, held.c.component == "", level.in_(_WORDS)]
        if self.scope.category is not None or self.scope.courses:
            conditions += self.courses_of_scope(course)
        return (
            sa.select(
                held.c.id, level.label("level"), user.c.username, user.c[options.useridentifier].label("userid"),
                role.c[options.roleidentifier].label("role"), cm.c.id.label("activity"),
                course.c[options.courseidentifier].label("course"), course.c.shortname,
                category.c[options.categoryidentifier].label("category"), owner.c[options.useridentifier].label("owner"),
            )
            .select_from(joined)
            .where(*conditions)
        )  # fmt: skip

    def _row(self, row: Any) -> ExportedRow:
        word = _WORDS[row.level]
        instance = "" if row.level == CONTEXT_SYSTEM else cell_of(getattr(row, "owner" if word == "user" else word))
        where = row.shortname if row.level in (CONTEXT_COURSE, CONTEXT_MODULE) else instance
        label = " / ".join(filter(None, (row.username, word, where)))
        return ExportedRow(label, [ADD, word, instance, cell_of(row.userid), cell_of(row.role)])
