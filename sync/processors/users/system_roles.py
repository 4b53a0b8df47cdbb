"""Roles of the whole site, assigned to the user of a row and taken away, as Moodle's own upload of users does."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sync.moodle.enrolments.roles import Role
from sync.processors.memberships.results import NOTHING, SetResult
from sync.processors.memberships.rows import MembershipRows
from sync.processors.memberships.state import MembershipState
from sync.processors.users.cells import UserCells
from sync.values import Change, Note

# Before a short name: the role is taken away.
_AWAY = "-"


class SystemRoleCell(NamedTuple):
    """A cell sysrole1, sysrole2 ... that isn't empty."""

    column: str
    text: str


def system_role_cells(row: UserCells, numbers: Iterable[int]) -> list[SystemRoleCell]:
    """Return the cells of a row that name roles of the whole site. Shape: numbers: of all such columns of the file"""
    column = UserCells.system_roles
    return [SystemRoleCell(column.numbered(number), text) for number in numbers if (text := column.of(row, number))]


class SystemRoles:
    """Assigns roles in the context of the site, or takes them away, on the rows of a chunk."""

    def __init__(self, rows: MembershipRows) -> None:
        self._rows = rows

    def would_change(self, user: int, cell: SystemRoleCell) -> bool:
        """Whether a cell would assign a role to a user, or take one away."""
        role, is_away = self._wanted(cell)
        return isinstance(role, Role) and self._rows.holds_system_role(user, role.id) is is_away

    def apply(self, user: int, cell: SystemRoleCell, line: int) -> SetResult:
        """Do what a cell says. A role that a file may not give can be taken away, and whoever has it keeps it."""
        role, is_away = self._wanted(cell)
        if isinstance(role, Note):
            return SetResult(problems=(role,))
        if self._rows.holds_system_role(user, role.id) is not is_away:
            return NOTHING
        if is_away:
            self._rows.unassign_role_in(user, self._rows.state.system_contextid, role.id, line)
            return SetResult(changes=(Change(cell.column, role.shortname, ""),))
        if code := _refusal(role):
            return SetResult(problems=(Note(code, {"column": cell.column, "role": role.shortname}),))
        self._rows.assign_role_in(user, self._rows.state.system_contextid, role.id, line)
        return SetResult(changes=(Change(cell.column, "", role.shortname),))

    def _wanted(self, cell: SystemRoleCell) -> tuple[Role | Note, bool]:
        """Return the role, or what is wrong with the cell, and whether the role goes."""
        is_away = cell.text.startswith(_AWAY)
        # A short name that begins so itself can't be given this way; Moodle reads it as we do.
        name = cell.text.removeprefix(_AWAY).strip()
        return _find_role(self._rows.state, name) or Note(
            "role_unknown", {"column": cell.column, "role": name}
        ), is_away


def _find_role(state: MembershipState, name: str) -> Role | None:
    return state.roles.get(name) or state.roles.get(name.casefold())


def _refusal(role: Role) -> str:
    """Return the code of why no file gives this role for the whole site, "" where one may."""
    if not role.in_system:
        return "role_not_for_system"
    if role.is_barred:
        return "role_configures_site"
    return "role_hands_out_roles" if role.is_barred_in_system else ""
