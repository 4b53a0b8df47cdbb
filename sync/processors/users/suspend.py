"""`users_suspend`: suspend the users of a list, or make them active again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from django.utils.translation import gettext_lazy as _

from sync.columns.clean import flag
from sync.columns.column import OptionalColumn
from sync.processors.base.row_counts import noted_lines
from sync.processors.memberships.named import IDENTITIES
from sync.processors.users.chunk_users import ChunkUser, UsersWritePlan
from sync.processors.users.export import SuspendedUsersSampler
from sync.processors.users.user_list import UserList, UserListCells, UserListState, outcome_for
from sync.values import Action, Note, Outcome


class UserSuspendCells(UserListCells, one_of=IDENTITIES):
    """A user who is to be suspended, or active again."""

    # fmt: off
    __slots__ = ()

    suspended = OptionalColumn(flag(), decides=True,
                               help=_("1 suspends the user, 0 makes the user active again, an empty cell leaves the user as he "
                                      "is. A file without this column suspends everybody of the list."))


class UsersSuspend(UserList[UserSuspendCells]):
    """Suspend users: they can't log in, their sessions end, their enrolments stay. Spec: users.md section 7."""

    key = "users_suspend"
    label = _("Users: suspend")
    summary = _("Suspend the users of a list and end their sessions; enrolments stay as they are.")
    default_filename = "usersuspend.csv"
    sampler = SuspendedUsersSampler
    after = ("users",)

    def plan_user(self, row: UserSuspendCells, user: ChunkUser, plan: UsersWritePlan, state: UserListState) -> Outcome:
        suspended = row.suspended
        if suspended is None:
            if UserSuspendCells.suspended.name in self.names:
                note = Note("suspended_empty", {})
                return outcome_for(row, user, Action.UNCHANGED, "account_unchanged", (), note)
            suspended = 1
        changes = user.changes_to({"suspended": suspended})
        if not changes:
            outcome = outcome_for(row, user, Action.UNCHANGED, "account_unchanged")
            return outcome if suspended else self.end_grace(outcome, user, plan)
        self.refuse_untouchable(user)
        if suspended:
            self.refuse_protected(user)
        plan.users.change(user, {"suspended": suspended}, row.line)
        code = "account_suspended" if suspended else "account_reactivated"
        outcome = outcome_for(row, user, Action.UPDATED, code, changes)
        return outcome if suspended else self.end_grace(outcome, user, plan)

    def count_outcomes(self, outcomes: Sequence[Outcome]) -> Mapping[str, Iterable[int]]:
        return noted_lines(outcomes, {"suspended_empty_in_rows": "suspended_empty"})

    def plan_missing(
        self, row: UserSuspendCells, revivable: ChunkUser | None, plan: UsersWritePlan, state: UserListState
    ) -> Outcome:
        raise self.unknown(row)
