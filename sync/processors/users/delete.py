"""`users_delete`: delete the accounts of a list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from sync.columns.column import Columns
from sync.processors.users.chunk_users import IDENTITIES, ChunkUser, UsersWritePlan
from sync.processors.users.user_list import IDENTITY_COLUMNS, NAME_COLUMNS, UserList, UserListState, outcome_for
from sync.values import Action, CleanRow, Note, Outcome


class UsersDelete(UserList):
    """Delete accounts, with everything that Moodle deletes along with them. Spec: users.md section 6."""

    key = "users_delete"
    label = _("Users: delete")
    summary = _("Delete the users of a list, with their enrolments, memberships, grades and files.")
    default_filename = "userdelete.csv"
    after = ("users",)
    deletes = True
    columns = Columns(*IDENTITY_COLUMNS, *NAME_COLUMNS, one_of=IDENTITIES)

    def plan_account(self, row: CleanRow, account: ChunkUser, plan: UsersWritePlan, state: UserListState) -> Outcome:
        self.refuse_protected(account)
        self.refuse_unknown_tables()
        plan.book.remove(account)
        plan.delete_user(account)
        note = Note("account_deleted_id", {"id": account.key})
        return outcome_for(row, account, Action.DELETED, "account_deleted", (), note)

    def plan_missing(
        self, row: CleanRow, revivable: Mapping[str, Any] | None, plan: UsersWritePlan, state: UserListState
    ) -> Outcome:
        username = row.values.get("username", "")
        if revivable is not None or any(deleted.username == username for deleted in plan.deleted):
            return Outcome(row.line, Action.UNCHANGED, "account_already_deleted", {}, username)
        raise self.unknown(row)
