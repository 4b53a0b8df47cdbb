"""Users as a users file, without passwords."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import sqlalchemy as sa

from sync.moodle.courses.scopes import named_by_prefix
from sync.moodle.db.keyset import fetch_in_parts
from sync.moodle.users.users import ProfileField, fetch_profile_data, fetch_profile_fields
from sync.processors.base.export import ExportedRow, Exporter, ScopeKind, cell_of
from sync.processors.users.cells import UserCells
from sync.processors.users.options import UserListOptions, UsersOptions
from sync.processors.users.planner import PLAIN_FIELDS

_NAMES = ("username", "firstname", "lastname", "email", "idnumber")
# Kinds of custom fields whose values a cell can hold as they are stored; the others have shapes of their own.
_FIELD_KINDS = frozenset(("text", "textarea", "checkbox", "menu"))


class UsersExporter(Exporter[UsersOptions]):
    """The users of this site who are neither deleted nor guests."""

    scopes = (ScopeKind.AUTH, ScopeKind.COHORTS)
    checked_with = {UsersOptions.protectemails: False}

    def header(self) -> list[str]:
        return [*self._columns(), *(f"{UserCells.profile_fields.name}{field.shortname}" for field in self._fields())]

    def parts(self) -> Iterator[list[ExportedRow]]:
        user, columns, fields = self.moodle.table("user"), self._columns(), self._fields()
        statement = sa.select(user.c.id, *(user.c[name] for name in columns)).where(*self._conditions())
        for rows in fetch_in_parts(self.moodle, statement, user.c.id):
            data = fetch_profile_data(self.moodle, [row[0] for row in rows], [field.id for field in fields])
            yield [
                ExportedRow(
                    row[1 + columns.index("username")],
                    [*map(cell_of, row[1:]), *(cell_of(data[row[0], field.id]["data"]) for field in fields)],
                )
                for row in rows
            ]

    def _columns(self) -> list[str]:
        names = [*_NAMES, *(column.name for column in PLAIN_FIELDS if column.name not in _NAMES)]
        if self.options.primaryidentity == UserCells.id.name:
            names.insert(0, UserCells.id.name)
        return [name for name in names if name in self.moodle.table("user").c]

    def _conditions(self) -> list[sa.ColumnElement[bool]]:
        user = self.moodle.table("user")
        conditions: list[sa.ColumnElement[bool]] = [
            user.c.deleted == 0, user.c.mnethostid == self.rules.mnethostid, user.c.username != "guest",
        ]  # fmt: skip
        if self.scope.auth:
            conditions.append(user.c.auth == self.scope.auth)
        if self.scope.cohorts:
            member, cohort = map(self.moodle.table, ("cohort_members", "cohort"))
            joined = member.join(cohort, cohort.c.id == member.c.cohortid)
            among = sa.select(member.c.userid).select_from(joined)
            conditions.append(user.c.id.in_(among.where(named_by_prefix(cohort.c.idnumber, self.scope.cohorts))))
        return conditions

    def _fields(self) -> list[ProfileField]:
        """Return the custom fields in which every user of the scope has something stored.

        An empty cell would store an empty value for the others. Queries: three; none again
        """
        if self._known_fields is None:
            fields = [field for field in fetch_profile_fields(self.moodle).values() if field.datatype in _FIELD_KINDS]
            users, stored = self._count_stored()
            self._known_fields = [field for field in fields if users and stored.get(field.id) == users]
        return self._known_fields

    _known_fields: list[ProfileField] | None = None

    def _count_stored(self) -> tuple[int, dict[int, int]]:
        user, data = map(self.moodle.table, ("user", "user_info_data"))
        conditions: Any = self._conditions()
        (counted,) = self.moodle.fetch(sa.select(sa.func.count()).select_from(user).where(*conditions))
        per_field = (
            sa.select(data.c.fieldid, sa.func.count())
            .select_from(data.join(user, user.c.id == data.c.userid))
            .where(*conditions)
            .group_by(data.c.fieldid)
        )
        return int(counted[0]), {fieldid: int(count) for fieldid, count in self.moodle.fetch(per_field)}


class _UserListSampler(Exporter[UserListOptions]):
    """A list of users with whom nothing happens. Shape: suspended: what they are"""

    suspended: ClassVar[int]

    def header(self) -> list[str]:
        return [UserCells.username.name]

    def parts(self) -> Iterator[list[ExportedRow]]:
        user = self.moodle.table("user")
        meant = (user.c.deleted == 0, user.c.username != "guest", user.c.suspended == self.suspended)
        statement = sa.select(user.c.id, user.c.username).where(user.c.mnethostid == self.rules.mnethostid, *meant)
        for rows in fetch_in_parts(self.moodle, statement, user.c.id):
            yield [ExportedRow(username, [username]) for _id, username in rows]


class ActiveUsersSampler(_UserListSampler):
    """Users who are active, for the list of those who are to be so."""

    suspended = 0


class SuspendedUsersSampler(_UserListSampler):
    """Users who are suspended, for the list of those who are to be so."""

    suspended = 1
