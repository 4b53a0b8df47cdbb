"""Groups, groupings and members of groups as command files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from sync.moodle.db.keyset import fetch_in_parts
from sync.processors.base.export import ExportedRow, Exporter, ScopeKind, cell_of
from sync.processors.groups.cells import GROUP, GROUPING
from sync.processors.groups.options import GroupMembersOptions, GroupsOptions

_COURSE_SCOPES = (ScopeKind.CATEGORY, ScopeKind.COURSES)


class GroupsExporter(Exporter[GroupsOptions]):
    """Groupings, then groups: a row for each grouping that a group is in and that has an idnumber, one where there is none."""

    scopes = _COURSE_SCOPES
    shows_people = False

    def header(self) -> list[str]:
        return ["type", "courseid", "name", "idnumber", "updateid", "description", "selfgrouping", "grouping"]

    def parts(self) -> Iterator[list[ExportedRow]]:
        grouping, group = map(self.moodle.table, ("groupings", "groups"))
        for rows in fetch_in_parts(self.moodle, self._objects(grouping), grouping.c.id):
            yield [self._row(GROUPING, row, self.options.groupingidentifier, "") for row in rows]
        for rows in fetch_in_parts(self.moodle, self._objects(group), group.c.id):
            bindings = self._groupings_of([row.id for row in rows])
            yield [
                self._row(GROUP, row, self.options.groupidentifier, grouping)
                for row in rows
                for grouping in bindings.get(row.id, [""])
            ]

    def _objects(self, table: sa.Table) -> sa.Select[Any]:
        course = self.moodle.table("course")
        columns = (table.c.id, table.c.name, table.c.idnumber, table.c.description, course.c.shortname)
        named = course.c[self.options.courseidentifier].label("courseid")
        joined = table.join(course, course.c.id == table.c.courseid)
        return sa.select(*columns, named).select_from(joined).where(*self.courses_of_scope(course))

    def _groupings_of(self, groupids: Sequence[int]) -> dict[int, list[str]]:
        binding, grouping = map(self.moodle.table, ("groupings_groups", "groupings"))
        statement = (
            sa.select(binding.c.groupid, grouping.c.idnumber)
            .select_from(binding.join(grouping, grouping.c.id == binding.c.groupingid))
            .where(self.moodle.in_clause(binding.c.groupid, groupids), grouping.c.idnumber != "")
            .order_by(binding.c.groupid, grouping.c.id)
        )
        found: dict[int, list[str]] = {}
        for groupid, idnumber in self.moodle.fetch(statement):
            found.setdefault(groupid, []).append(idnumber)
        return found

    def _row(self, kind: str, row: Any, identifier: str, grouping: str) -> ExportedRow:
        names = (row.name, cell_of(row.idnumber), cell_of(getattr(row, identifier)), cell_of(row.description))
        cells = [kind, cell_of(row.courseid), *names, "0", grouping]
        return ExportedRow(f"{row.shortname} / {row.name}", cells)


class GroupMembersExporter(Exporter[GroupMembersOptions]):
    """Members of groups."""

    scopes = _COURSE_SCOPES

    def header(self) -> list[str]:
        return ["cmd", "courseid", "groupid", "userid"]

    def parts(self) -> Iterator[list[ExportedRow]]:
        member, group, course, user = map(self.moodle.table, ("groups_members", "groups", "course", "user"))
        joined = (
            member.join(group, group.c.id == member.c.groupid)
            .join(course, course.c.id == group.c.courseid)
            .join(user, user.c.id == member.c.userid)
        )
        options = self.options
        statement = (
            sa.select(
                member.c.id, course.c[options.courseidentifier], group.c[options.groupidentifier],
                user.c[options.useridentifier], course.c.shortname, group.c.name, user.c.username,
            )
            .select_from(joined)
            .where(user.c.deleted == 0, *self.courses_of_scope(course))
        )  # fmt: skip
        for rows in fetch_in_parts(self.moodle, statement, member.c.id):
            yield [
                ExportedRow(f"{username} / {shortname} / {name}", ["add", *map(cell_of, named)])
                for _id, *named, shortname, name, username in rows
            ]
