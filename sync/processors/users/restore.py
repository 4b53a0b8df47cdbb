"""`users_restore`: restore deleted users, and let suspended ones in again."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from sync.processors.base.errors import RowError
from sync.processors.users.chunk_users import ChunkUser, UsersWritePlan
from sync.processors.users.export import ActiveUsersSampler
from sync.processors.users.user_list import (
    NAME_FIELDS,
    PERSON_NAMES,
    UserList,
    UserListCells,
    UserListState,
    outcome_for,
)
from sync.values import Action, Note, Outcome


class UsersRestore(UserList[UserListCells]):
    """Restore users. What deletion took away (roles, enrolments, memberships) can't come back. Spec: users.md section 8."""

    key = "users_restore"
    label = _("Users: restore")
    summary = _(
        "Make suspended users active again and bring deleted ones back; roles and enrolments can't be recovered."
    )
    default_filename = "userrestore.csv"
    sampler = ActiveUsersSampler
    after = ("users_delete", "users_suspend")
    extra_fields = NAME_FIELDS
    # Some of them are to be stored.
    compares = False

    def plan_user(self, row: UserListCells, user: ChunkUser, plan: UsersWritePlan, state: UserListState) -> Outcome:
        changes = user.changes_to({"suspended": 0})
        if not changes:
            return self.end_grace(outcome_for(row, user, Action.UNCHANGED, "account_unchanged"), user, plan)
        self.refuse_untouchable(user)
        plan.users.change(user, {"suspended": 0}, row.line)
        return self.end_grace(outcome_for(row, user, Action.UPDATED, "account_reactivated", changes), user, plan)

    def plan_missing(
        self, row: UserListCells, revivable: ChunkUser | None, plan: UsersWritePlan, state: UserListState
    ) -> Outcome:
        if revivable is None or row.username is None:
            raise self.unknown(row)
        self._refuse_taken(row, plan, state)
        # Moodle's list of administrators may still name this user.
        if revivable.key in self.rules.untouchable_ids:
            raise RowError("account_protected", self.identity.name, username=row.username)
        given = row.given(UserListCells.email, UserListCells.idnumber, *PERSON_NAMES)
        changes = plan.revive_user(revivable, given, row.username, row.line)
        if revivable.values["email"]:
            self._ask_for_password(revivable, plan, state, row.line)
        note = Note("account_restored_without_memberships", {})
        return outcome_for(row, revivable, Action.UPDATED, "account_resurrected", changes, note)

    def _refuse_taken(self, row: UserListCells, plan: UsersWritePlan, state: UserListState) -> None:
        """The username or idnumber may belong to somebody else by now."""
        taken = ((UserListCells.username, "username_taken"), (UserListCells.idnumber, "idnumber_taken"))
        for column, code in taken:
            value, identity = column.of(row) or "", column.name
            others = plan.users.find_alike(identity, value, state.rules.mnethostid)
            if others:
                owner = others[0].values["username"]
                raise RowError(code, identity, **{identity: value, "owner": owner})

    def _ask_for_password(self, user: ChunkUser, plan: UsersWritePlan, state: UserListState, line: int) -> None:
        """Let Moodle's own task make and mail a password."""
        if state.rules.keeps_passwords(user.values["auth"]) and user.values["auth"] != "nologin":
            # Deletion removed all preferences of the user, so this one can't be there.
            plan.insert("user_preferences", {"userid": user.key, "name": "create_password", "value": "1"}, line)
            plan.changed_preferences.add(user.key)
