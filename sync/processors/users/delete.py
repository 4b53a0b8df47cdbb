"""`users_delete`: delete the users of a list, at once or after days of grace during which they are suspended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from sync.columns.general_options import GraceDays
from sync.processors.base.errors import RowError
from sync.processors.base.grace import GraceChange, GraceStep, GraceTask, Listed, values_back
from sync.processors.users.chunk_users import ChunkUser, UsersWritePlan
from sync.processors.users.options import UserListOptions
from sync.processors.users.state import USER_TABLE
from sync.processors.users.user_list import (
    NAME_FIELDS,
    UserList,
    UserListCells,
    UserListState,
    outcome_for,
)
from sync.values import Action, Note, Outcome


class UsersDeleteOptions(UserListOptions):
    gracedays = GraceDays(
        help=_(
            "The users are suspended now and deleted after so many days, unless a users file names them again or somebody "
            "takes them off the list of deletions. 0: they are deleted at once."
        ),
    )


class UsersDelete(UserList[UserListCells]):
    """Delete users, with everything that Moodle deletes along with them. Spec: users.md section 6."""

    key = "users_delete"
    label = _("Users: delete")
    summary = _("Delete the users of a list, with their enrolments, memberships, grades and files.")
    default_filename = "userdelete.csv"
    after = ("users",)
    deletes = True
    options: ClassVar[type[UsersDeleteOptions]] = UsersDeleteOptions
    extra_fields = NAME_FIELDS

    def plan_user(self, row: UserListCells, user: ChunkUser, plan: UsersWritePlan, state: UserListState) -> Outcome:
        listed = self.grace.find(user.key, plan.grace)
        if self.grace.task and listed is None:
            return outcome_for(row, user, Action.UNCHANGED, "grace_not_listed")
        if self.grace.task is GraceTask.END and listed:
            return self._take_off(row, user, listed, plan)
        if self.grace.task is GraceTask.DELETE and listed:
            self._refuse_another_name(row, user, listed, plan)
        self.refuse_protected(user)
        self.refuse_unknown_tables()
        if self.option_values.gracedays:
            return self._already_listed(row, user, listed) if listed else self._list(row, user, plan)
        note = Note("account_deleted_id", {"id": user.key})
        outcome = outcome_for(row, user, Action.DELETED, "account_deleted", (), note)
        if listed:
            plan.change_grace(_change(GraceStep.DELETED, row, user.key))
        plan.delete_user(user, row.line)
        return outcome

    def plan_missing(
        self, row: UserListCells, revivable: ChunkUser | None, plan: UsersWritePlan, state: UserListState
    ) -> Outcome:
        if self.grace.task and row.id is not None:
            plan.change_grace(_change(GraceStep.GONE, row, row.id))
            return Outcome(row.line, Action.UNCHANGED, "grace_gone", {}, row.username or "")
        if revivable is None:
            raise self.unknown(row)
        return Outcome(row.line, Action.UNCHANGED, "account_already_deleted", {}, row.username or "")

    def _list(self, row: UserListCells, user: ChunkUser, plan: UsersWritePlan) -> Outcome:
        """Suspend a user, and put it on the list of deletions."""
        day = self.grace.records.day_after(self.option_values.gracedays)
        changes = user.changes_to({"suspended": 1})
        before = {"suspended": user.values["suspended"]} if changes else {}
        label = " ".join(str(user.values[name] or "") for name in NAME_FIELDS).strip()
        change = _change(GraceStep.LISTED, row, user.key)
        plan.change_grace(change._replace(name=user.values["username"], label=label, day=day, before=before))
        if changes:
            plan.users.change(user, {"suspended": 1}, row.line)
        code = "account_suspended_for_deletion" if changes else "account_listed_for_deletion"
        return _with_params(outcome_for(row, user, Action.UPDATED, code, changes), {"date": day})

    def _already_listed(self, row: UserListCells, user: ChunkUser, listed: Listed) -> Outcome:
        if listed.line:
            outcome = outcome_for(row, user, Action.UNCHANGED, "grace_listed_before")
            return _with_params(outcome, {"line": listed.line})
        return _with_params(outcome_for(row, user, Action.UNCHANGED, "grace_waits"), {"date": listed.day})

    def _take_off(self, row: UserListCells, user: ChunkUser, listed: Listed, plan: UsersWritePlan) -> Outcome:
        """Take a user off the list, and undo what the grace did."""
        values = values_back(listed, user.values)
        changes = user.changes_to(values)
        if changes:
            plan.users.change(user, values, row.line)
        plan.change_grace(_change(GraceStep.ENDED, row, user.key))
        return outcome_for(row, user, Action.UPDATED, "grace_ended", changes)

    def _refuse_another_name(self, row: UserListCells, user: ChunkUser, listed: Listed, plan: UsersWritePlan) -> None:
        """Raises: RowError where the user is called otherwise than when it was put on the list"""
        present = user.values["username"]
        if present != listed.name:
            plan.change_grace(_change(GraceStep.HELD, row, user.key))
            raise RowError("grace_identity_changed", "username", listed=listed.name, present=present)


def _change(step: GraceStep, row: UserListCells, userid: int) -> GraceChange:
    return GraceChange(step, USER_TABLE, userid, row.line)


def _with_params(outcome: Outcome, params: Mapping[str, Any]) -> Outcome:
    return outcome._replace(params=params)
