"""`users_delete`: delete the users of a list."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from sync.processors.users.chunk_users import ChunkUser, UsersWritePlan
from sync.processors.users.user_list import UserList, UserListCells, UserListState, outcome_for
from sync.values import Action, CleanRow, Note, Outcome


class UsersDelete(UserList[UserListCells]):
    """Delete users, with everything that Moodle deletes along with them. Spec: users.md section 6."""

    key = "users_delete"
    label = _("Users: delete")
    summary = _("Delete the users of a list, with their enrolments, memberships, grades and files.")
    default_filename = "userdelete.csv"
    after = ("users",)
    deletes = True

    def plan_user(self, row: CleanRow, user: ChunkUser, plan: UsersWritePlan, state: UserListState) -> Outcome:
        self.refuse_protected(user)
        self.refuse_unknown_tables()
        note = Note("account_deleted_id", {"id": user.key})
        outcome = outcome_for(row, user, Action.DELETED, "account_deleted", (), note)
        plan.delete_user(user, row.line)
        return outcome

    def plan_missing(
        self, row: CleanRow, revivable: ChunkUser | None, plan: UsersWritePlan, state: UserListState
    ) -> Outcome:
        if revivable is None:
            raise self.unknown(row)
        return Outcome(row.line, Action.UNCHANGED, "account_already_deleted", {}, row.values["username"])
