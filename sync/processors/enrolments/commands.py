"""The commands of an enrolments file: add, del, shift, enable, disable. Spec: enrols.md sections 4.2 to 4.5."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sync.moodle.enrolments.enrolments import ACTIVE, SUSPENDED, EnrolInstance
from sync.moodle.enrolments.roles import Role
from sync.processors.base.errors import RowError
from sync.processors.base.overlay import Values
from sync.processors.memberships.course_columns import find_course_role, role_owner
from sync.processors.memberships.enrolment_dates import ShowTime, enrolment_values, reversed_dates
from sync.processors.memberships.enrolment_results import EnrolmentOutcome, EnrolmentRow, EnrolmentTarget, accepted
from sync.processors.memberships.meta_sync import sync_meta_children
from sync.processors.memberships.rows import MembershipRows
from sync.values import Action, Change

# They give a role, and an enrolment where there is none.
GIVING = ("add", "shift")
STATUS_WORDS = {ACTIVE: "active", SUSPENDED: "suspended"}
Command = Callable[[EnrolmentTarget, EnrolmentRow], EnrolmentOutcome]


class EnrolmentCommands:
    """Carries out commands on the rows of a chunk. A command that is refused has done nothing."""

    def __init__(self, rows: MembershipRows, show_time: ShowTime) -> None:
        self.rows = rows
        self._show_time = show_time
        self._role_names = {role.id: role.shortname for role in rows.state.roles.values()}
        self._commands: Mapping[str, Command] = {
            "add": self._add,
            "del": self._delete,
            "shift": self._shift,
            "enable": self._enable,
            "disable": self._disable,
        }

    def check(self, row: EnrolmentRow) -> None:
        """Look at what a row says before anything is done for it. Raises: RowError"""
        if row.cmd in GIVING:
            self._wanted_role(row)
        self._refuse_reversed(row, None)

    def apply_command(self, target: EnrolmentTarget, row: EnrolmentRow) -> EnrolmentOutcome:
        """Carry out the command of a row, with what follows in the meta children of the course. Raises: RowError"""
        done = self._commands[row.cmd](target, row)
        if done.changes:
            sync_meta_children(self.rows, target.userid, target.course, row.line)
        return done

    def _add(self, target: EnrolmentTarget, row: EnrolmentRow) -> EnrolmentOutcome:
        role = self._wanted_role(row)
        self._refuse_barred(target, role)
        is_new = self._enrols(target)
        changes = [*self._enrol(target, row), *self._assign(target, role, row.line)]
        if is_new:
            return EnrolmentOutcome(Action.CREATED, "enrolment_created", tuple(changes))
        if target.instance is None:
            return _done(changes, Action.CREATED, "role_assigned", "role_held_already")
        return _done(changes, Action.UPDATED, "enrolment_updated", "enrolment_unchanged")

    def _delete(self, target: EnrolmentTarget, row: EnrolmentRow) -> EnrolmentOutcome:
        if target.instance is None:
            return self._unassign(target, row)
        if not self.rows.unenrol(target.userid, target.instance, row.line):
            return EnrolmentOutcome(Action.UNCHANGED, "enrolment_missing")
        return EnrolmentOutcome(Action.DELETED, "enrolment_deleted", (Change("enrol", target.instance.enrol, ""),))

    def _shift(self, target: EnrolmentTarget, row: EnrolmentRow) -> EnrolmentOutcome:
        role = self._wanted_role(row)
        self._refuse_barred(target, role)
        is_new = self._enrols(target)
        changes = [*self._enrol(target, row), *self._assign(target, role, row.line)]
        owners = {("", 0), role_owner(target.instance)}
        if target.instance is not None:
            owners.add((f"enrol_{target.instance.enrol}", target.instance.id))
        kept = (role.id, *role_owner(target.instance))
        others = [held for held in self._roles(target) if held != kept and held[1:] in owners]
        changes += self._take_away(target, others, row.line)
        if is_new:
            return EnrolmentOutcome(Action.CREATED, "enrolment_created", tuple(changes))
        return _done(changes, Action.UPDATED, "role_replaced", "role_held_already")

    def _enable(self, target: EnrolmentTarget, row: EnrolmentRow) -> EnrolmentOutcome:
        return self._set_status(target, row, ACTIVE, "enrolment_enabled")

    def _disable(self, target: EnrolmentTarget, row: EnrolmentRow) -> EnrolmentOutcome:
        return self._set_status(target, row, SUSPENDED, "enrolment_disabled")

    def _set_status(self, target: EnrolmentTarget, row: EnrolmentRow, status: int, code: str) -> EnrolmentOutcome:
        """Without a method, all enrolments of the user in the course are meant."""
        instances = self.rows.instances.of_course(target.course.id) if target.instance is None else [target.instance]
        present = [instance for instance in instances if self.rows.enrolment(target.userid, instance.id) is not None]
        if not present:
            return EnrolmentOutcome(Action.UNCHANGED, "enrolment_missing")
        wanted = [(instance, self._values(target, instance, row, status)) for instance in present]
        changes = [
            change for instance, values in wanted for change in self._bring_up(target, instance, values, row.line)
        ]
        return _done(changes, Action.UPDATED, code, "enrolment_unchanged")

    def _enrols(self, target: EnrolmentTarget) -> bool:
        """Tell whether the row makes an enrolment that isn't there yet."""
        return target.instance is not None and self.rows.enrolment(target.userid, target.instance.id) is None

    def _enrol(self, target: EnrolmentTarget, row: EnrolmentRow) -> list[Change]:
        instance = target.instance
        if instance is None:
            return []
        return self._bring_up(target, instance, self._values(target, instance, row, ACTIVE), row.line)

    def _values(
        self, target: EnrolmentTarget, instance: EnrolInstance, row: EnrolmentRow, status: int
    ) -> dict[str, int]:
        """Return what a row says of an enrolment; dates that aren't given stay as they are."""
        self._refuse_reversed(row, self.rows.enrolment(target.userid, instance.id))
        return enrolment_values(status, row.start, row.end)

    def _refuse_reversed(self, row: EnrolmentRow, before: Values | None) -> None:
        """An enrolment that ends before it starts is a slip."""
        if (found := reversed_dates(row.start, row.end, before, self._show_time)) is not None:
            raise RowError("enrolment_dates_reversed", "endtime", start=found.start, end=found.end, hint=found.hint)

    def _bring_up(
        self, target: EnrolmentTarget, instance: EnrolInstance, values: Mapping[str, int], line: int
    ) -> list[Change]:
        """Make an enrolment what the values say; a new one begins now."""
        before = self.rows.enrolment(target.userid, instance.id)
        if not self.rows.enrol(target.userid, instance.id, values, line, timestart=self.rows.now):
            return []
        return self._changes_of(instance, before, values)

    def _changes_of(self, instance: EnrolInstance, before: Values | None, after: Mapping[str, int]) -> list[Change]:
        if before is None:
            return [Change("enrol", "", instance.enrol)]
        changes = []
        if before["status"] != after["status"]:
            changes.append(Change("enrol", STATUS_WORDS[before["status"]], STATUS_WORDS[after["status"]]))
        for column, name in (("starttime", "timestart"), ("endtime", "timeend")):
            if name in after and before[name] != after[name]:
                changes.append(Change(column, self._show_time(before[name]), self._show_time(after[name])))
        return changes

    def _refuse_barred(self, target: EnrolmentTarget, role: Role) -> None:
        """A role that permits to configure the site may stay where it is. Raises: RowError"""
        if role.is_barred and (role.id, *role_owner(target.instance)) not in self._roles(target):
            raise RowError("role_configures_site", "rolename", role=role.shortname)

    def _assign(self, target: EnrolmentTarget, role: Role, line: int) -> list[Change]:
        component, itemid = role_owner(target.instance)
        if self.rows.assign_role(target.userid, target.course, role.id, line, component=component, itemid=itemid):
            return [Change("rolename", "", role.shortname)]
        return []

    def _unassign(self, target: EnrolmentTarget, row: EnrolmentRow) -> EnrolmentOutcome:
        """Take away the role that is named, or all that nobody but people has given; roles above the course stay."""
        free = [held for held in self._roles(target) if held[1] == ""]
        if row.role:
            roleid = self._known_role(row).id
            free = [held for held in free if held[0] == roleid]
        changes = self._take_away(target, free, row.line)
        return _done(changes, Action.DELETED, "roles_taken_away", "role_not_held")

    def _take_away(self, target: EnrolmentTarget, held: Iterable[tuple[int, str, Any]], line: int) -> list[Change]:
        changes = []
        for roleid, component, itemid in held:
            self.rows.unassign_role(target.userid, target.course, roleid, line, component=component, itemid=itemid)
            changes.append(Change("rolename", self._role_names.get(roleid, str(roleid)), ""))
        return changes

    def _roles(self, target: EnrolmentTarget) -> list[tuple[int, str, Any]]:
        return self.rows.roles_of(target.userid, target.course)

    def _wanted_role(self, row: EnrolmentRow) -> Role:
        if not row.role:
            raise RowError("cell_empty", "rolename")
        return accepted(find_course_role(self.rows.state, row.role, "rolename"))

    def _known_role(self, row: EnrolmentRow) -> Role:
        """A role that may not be given in courses may still be taken away there."""
        roles = self.rows.state.roles
        found = roles.get(row.role) or roles.get(row.role.casefold())
        if found is None:
            raise RowError("role_unknown", "rolename", role=row.role)
        return found


def _done(changes: Iterable[Change], action: Action, code: str, otherwise: str) -> EnrolmentOutcome:
    changes = tuple(changes)
    return EnrolmentOutcome(action, code, changes) if changes else EnrolmentOutcome(Action.UNCHANGED, otherwise)
