"""What each row of a roles file does: add, del, shift, as if the rows were carried out in file order."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sync.moodle.enrolments.roles import Role
from sync.moodle.versions import CONTEXT_SYSTEM
from sync.processors.base.errors import RowError
from sync.processors.base.plan import Plan
from sync.processors.base.planner import plan_each
from sync.processors.memberships.enrolment_results import accepted
from sync.processors.memberships.meta_sync import sync_meta_children
from sync.processors.memberships.names import NamedUsers, find_user
from sync.processors.memberships.rows import MembershipRows
from sync.processors.memberships.state import MembershipState
from sync.processors.roles.cells import ALL_ROLES, DELETE, SHIFT, RoleCells
from sync.processors.roles.options import RolesOptions
from sync.processors.roles.places import PlaceFinder, RolePlace, RolePlaces
from sync.values import Action, Change, Outcome

# Source: role_assign() of Moodle, which wants a component with its type
_COMPONENT = re.compile(r"[a-z]+_[a-z0-9_]*[a-z0-9]")


@dataclass(frozen=True)
class RolesState:
    """Everything read for one chunk.

    Shape: roles: by what the option says, in lower case too; levels: roleid -> levels of contexts in which it may be given;
    protected: users who get and lose no role of the whole site, and in whose own contexts nobody gets one; guestid: 0 = there is
    none
    Units: now: seconds since epoch
    """

    now: int
    users: NamedUsers
    places: RolePlaces
    memberships: MembershipState
    roles: Mapping[str, Role]
    levels: Mapping[int, frozenset[int]]
    protected: frozenset[int]
    guestid: int


class _Target(NamedTuple):
    """Who, and where. Shape: name: of the user, as the row has it; instance: of the place"""

    userid: int
    place: RolePlace
    component: str
    name: str
    instance: str


class RolesPlanner:
    """Plans one chunk; a row that is rejected has done nothing."""

    def __init__(self, state: RolesState, options: RolesOptions) -> None:
        self.state = state
        self.options = options
        self.plan = Plan(state.now)
        self.rows = MembershipRows(state.memberships, self.plan, now=state.now)
        self._finder = PlaceFinder(state.places, state.users, state.memberships, options)
        self._names = {role.id: role.shortname for role in state.roles.values()}

    def plan_rows(self, rows: Sequence[RoleCells]) -> Plan:
        self.plan.outcomes.extend(plan_each(rows, self._plan_row, lambda row: f"{row.userid} / {row.role}"))
        self.rows.finish()
        return self.plan

    def _plan_row(self, row: RoleCells) -> Outcome:
        place = self._finder.find(row)
        userid = accepted(find_user(self.state.users, self.options.useridentifier, row.userid, "userid"))
        if row.component and not _COMPONENT.fullmatch(row.component):
            raise RowError("role_component_invalid", "component", value=row.component)
        target = _Target(userid, place, row.component or "", row.userid, row.instance or "")
        role = self._role(row)
        outcome = self._take(target, role, row.line) if row.cmd == DELETE else self._give(target, role, row)
        if outcome.changes and place.course is not None:
            sync_meta_children(self.rows, userid, place.course, row.line)
        return outcome

    def _role(self, row: RoleCells) -> Role | None:
        """Return the role of a row; None for all of them. Raises: RowError"""
        if row.role == ALL_ROLES:
            if row.cmd != DELETE:
                raise RowError("role_all_only_taken", "role")
            return None
        role = self.state.roles.get(row.role) or self.state.roles.get(row.role.casefold())
        if role is None:
            raise RowError("role_unknown", "role", role=row.role)
        return role

    def _take(self, target: _Target, role: Role | None, line: int) -> Outcome:
        """Take away a role, or all, of what has the component of the row."""
        held = [each for each in self._held(target) if role is None or each[0] == role.id]
        changes = self._unassign(target, held, line)
        if not changes:
            return Outcome(line, Action.UNCHANGED, "role_not_held", {})
        return Outcome(line, Action.DELETED, "roles_taken_away", {}, "", tuple(changes))

    def _give(self, target: _Target, role: Role | None, row: RoleCells) -> Outcome:
        assert role is not None  # noqa: S101 (only a row that takes away may be without)
        wanted = (role.id, target.component, 0)
        is_new = wanted not in self._held(target)
        others = [each for each in self._held(target) if each[0] != role.id] if row.cmd == SHIFT else []
        if is_new:
            self._refuse(target, role)
            self._assign(target, role, row.line)
        changes = [*([Change("role", "", role.shortname)] if is_new else []), *self._unassign(target, others, row.line)]
        if others:
            return Outcome(row.line, Action.UPDATED, "role_replaced", {}, "", tuple(changes))
        if not is_new:
            return Outcome(row.line, Action.UNCHANGED, "role_held_already", {})
        return Outcome(row.line, Action.CREATED, "role_assigned", {}, "", tuple(changes))

    def _held(self, target: _Target) -> list[tuple[int, str, Any]]:
        """Return what the user holds there of the component. Shape: (roleid, component, itemid)"""
        held = self.rows.roles_in(target.userid, target.place.contextid)
        return [each for each in held if each[1] == target.component]

    def _assign(self, target: _Target, role: Role, line: int) -> None:
        course = target.place.course
        if course is not None:
            self.rows.assign_role(target.userid, course, role.id, line, component=target.component)
        else:
            contextid = target.place.contextid
            self.rows.assign_role_in(target.userid, contextid, role.id, line, component=target.component)

    def _unassign(self, target: _Target, held: Iterable[tuple[int, str, Any]], line: int) -> list[Change]:
        held = list(held)
        if held:
            self._refuse_protected(target)
        changes = []
        for roleid, component, itemid in held:
            contextid = target.place.contextid
            self.rows.unassign_role_in(target.userid, contextid, roleid, line, component=component, itemid=itemid)
            changes.append(Change("role", self._names.get(roleid, str(roleid)), ""))
        return changes

    def _refuse(self, target: _Target, role: Role) -> None:
        """Raises: RowError where no file gives this role to this user there"""
        self._refuse_protected(target)
        level = target.place.level
        if level not in self.state.levels.get(role.id, ()):
            raise RowError("role_not_for_context", "role", role=role.shortname)
        if role.is_barred:
            raise RowError("role_configures_site", "role", role=role.shortname)
        if level == CONTEXT_SYSTEM and role.is_barred_in_system:
            raise RowError("role_hands_out_roles", "role", role=role.shortname)

    def _refuse_protected(self, target: _Target) -> None:
        """Raises: RowError for roles of protected users in the whole site, over them, and for any of the guest's"""
        if target.place.userid in self.state.protected:
            raise RowError("account_protected", "instance", username=target.instance)
        is_protected = target.place.level == CONTEXT_SYSTEM and target.userid in self.state.protected
        if is_protected or target.userid == self.state.guestid:
            raise RowError("account_protected", "userid", username=target.name)
