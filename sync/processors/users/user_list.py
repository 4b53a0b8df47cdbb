"""The shape of files that list users: delete, suspend, restore. One row names one user."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from django.utils.translation import gettext_lazy as _

from sync.columns.cells import Cells
from sync.columns.clean import email, integer, text
from sync.columns.column import About, Empty, OptionalColumn
from sync.columns.words import folded
from sync.moodle.course_content.graph.graph import load_graph
from sync.moodle.course_content.graph.live_tables import fetch_unknown_tables
from sync.moodle.users.users import SiteRules
from sync.processors.base.errors import RowError
from sync.processors.base.grace import GraceChange, GraceList, GraceStep
from sync.processors.base.overlay import FoundRows
from sync.processors.base.planner import plan_each
from sync.processors.base.processor import Processor
from sync.processors.memberships.named import IDENTITIES, users_table
from sync.processors.users.chunk_users import KEY_FIELDS, ChunkUser, ChunkUsers, UsersWritePlan
from sync.processors.users.options import UserListOptions
from sync.processors.users.state import USER_TABLE
from sync.processors.users.tables import fetch_users
from sync.values import Action, Change, Note, Outcome

_NAME_HELP = _("Checked: a user with another name is left alone.")


class UserListCells(Cells, one_of=IDENTITIES):
    """A user who is there, or was. Names are there to check who is meant; users_restore may also store them."""

    # fmt: off
    __slots__ = ()

    username = OptionalColumn(text(100, lower=True), refers=True, about=About.USER, sample="ada.lovelace")
    idnumber = OptionalColumn(text(255), empty=Empty.CLEARS, refers=True, about=About.USER, sample="A-1815")
    email = OptionalColumn(email(), refers=True, about=About.USER)
    id = OptionalColumn(integer(1), refers=True, help=_("Moodle's own number."))
    firstname = OptionalColumn(text(100, plain=True), stored_in="user", decides=True, help=_NAME_HELP)
    lastname = OptionalColumn(text(100, plain=True), stored_in="user", decides=True, help=_NAME_HELP)


PERSON_NAMES = (UserListCells.firstname, UserListCells.lastname)
NAME_FIELDS = tuple(column.name for column in PERSON_NAMES)
# Beside the one by which users are found they show who is meant; addresses change, and Moodle's may be the older one.
_SHOWING = (UserListCells.username, UserListCells.idnumber, UserListCells.id)
# What another user has shows that this one isn't meant.
_OF_OTHERS = (UserListCells.idnumber, UserListCells.email)
_TEXTS = ("username", "idnumber")
_IDENTITIES: Mapping[str, OptionalColumn[Any]] = {
    column.name: column
    for column in (UserListCells.username, UserListCells.idnumber, UserListCells.email, UserListCells.id)
}

UserListCellsT = TypeVar("UserListCellsT", bound=UserListCells)


@dataclass(frozen=True)
class UserListState:
    """Shape: users: those that the rows may mean, with deleted ones who once had the username"""

    rules: SiteRules
    now: int
    users: FoundRows


class UserList(Processor[UserListCellsT, UserListState, UsersWritePlan]):
    """One row, one user: found by the primary identity, then passed to `plan_user`.

    Shape: deletes: users may be deleted; compares: the other identifiers of a row must be those of the user
    """

    options: ClassVar[type[UserListOptions]] = UserListOptions
    plans_are_data = True
    extra_fields: tuple[str, ...] = ()
    deletes: ClassVar[bool] = False
    compares: ClassVar[bool] = True

    def setup(self, names: Sequence[str]) -> None:
        self.names = frozenset(names)
        self.rules = SiteRules(self.moodle, fetch_unknown_tables(self.moodle, load_graph()) if self.deletes else ())
        self.rules.read_protected()
        self.users_table = users_table(self.moodle)
        self.identity = self._identity_in_use(names)
        self.grace = GraceList.read(USER_TABLE, self.context.grace, self.collected.grace)
        given = (name for name in NAME_FIELDS if name in names)
        self.fields = tuple(dict.fromkeys((*KEY_FIELDS, *self.extra_fields, *given)))

    def fetch(self, rows: Sequence[UserListCellsT]) -> UserListState:
        def lookup(column: OptionalColumn[Any]) -> set[Any]:
            return {value for row in rows if (value := column.of(row))}

        columns = {self.identity, UserListCells.username, *(_OF_OTHERS if self.compares else ())}
        identities = {column.name: lookup(column) for column in columns if column.name in self.names}
        return UserListState(
            rules=self.rules,
            now=int(time.time()),
            users=fetch_users(
                self.moodle, self.overlay, self.users_table, self.fields, identities, hostids=(self.rules.mnethostid,),
                identity=self.identity.name, former=lookup(UserListCells.username),
            ),
        )  # fmt: skip

    def plan(self, rows: Sequence[UserListCellsT], state: UserListState) -> UsersWritePlan:
        plan = UsersWritePlan(state.users, state.now)
        plan.outcomes.extend(plan_each(rows, lambda row: self._plan_row(row, plan, state), self._subject))
        plan.write_users()
        return plan

    @abstractmethod
    def plan_user(self, row: UserListCellsT, user: ChunkUser, plan: UsersWritePlan, state: UserListState) -> Outcome:
        """Plan a row whose user is there."""

    @abstractmethod
    def plan_missing(
        self, row: UserListCellsT, revivable: ChunkUser | None, plan: UsersWritePlan, state: UserListState
    ) -> Outcome:
        """Plan a row whose user isn't there; `revivable` is a deleted user who once had the username."""

    def end_grace(self, outcome: Outcome, user: ChunkUser, plan: UsersWritePlan) -> Outcome:
        """Take a user whom a row lets in off the list of deletions; return the outcome of the row with that."""
        if not self.grace.find(user.key, plan.grace):
            return outcome
        plan.change_grace(GraceChange(GraceStep.ENDED, USER_TABLE, user.key, outcome.line))
        note = Note("grace_ended_by_file", {})
        if outcome.action is Action.UNCHANGED:
            outcome = outcome._replace(action=Action.UPDATED, code="grace_ended")
        return outcome._replace(notes=(*outcome.notes, note))

    def unknown(self, row: UserListCells) -> RowError:
        identity = self.identity
        return RowError("account_unknown", identity.name, identity=identity.name, value=identity.of(row))

    def _refuse_another_person(self, row: UserListCells, user: ChunkUser) -> None:
        """Raises: RowError where the names of a row aren't those of the user, apart from case, accents and blanks"""
        given = row.given(*PERSON_NAMES)
        if not given:
            return
        stored = {name: str(user.values[name] or "") for name in given}
        if any(_as_heard(stored[name]) != _as_heard(given[name]) for name in given):
            raise RowError(
                "account_of_another_person", next(iter(given)), username=user.values["username"],
                present=" ".join(stored.values()), given=" ".join(given.values()),
            )  # fmt: skip

    def _refuse_other_identities(self, row: UserListCells, user: ChunkUser, plan: UsersWritePlan) -> None:
        """Raises: RowError where a row names one user by one identifier and another by the next"""
        for column in _SHOWING:
            given, present = column.of(row), user.key if column is UserListCells.id else user.values[column.name]
            if column is self.identity or not given or not present:
                continue
            is_same = (
                plan.users.is_same(column.name, str(given), str(present)) if column.name in _TEXTS else given == present
            )
            if not is_same:
                raise self._differing(row, user, column, present)
        for column in _OF_OTHERS:
            given = None if column is self.identity else column.of(row)
            holders = plan.users.find_alike(column.name, given, self.rules.mnethostid) if given else []
            if holders and all(holder.key != user.key for holder in holders):
                raise self._differing(row, user, column, user.values[column.name] or "")

    def _differing(self, row: UserListCells, user: ChunkUser, column: OptionalColumn[Any], present: object) -> RowError:
        return RowError(
            "identities_differ", column.name, identity=self.identity.name, value=self.identity.of(row),
            username=user.values["username"], other=column.name, present=present, given=column.of(row),
        )  # fmt: skip

    def refuse_protected(self, user: ChunkUser) -> None:
        """Nobody is locked out: guest, site administrators and the operator stay as they are. Raises: RowError"""
        self._refuse_one_of(self.rules.protected_ids, user)

    def refuse_unknown_tables(self) -> None:
        """Nobody is deleted while rows of his might stay. Raises: RowError"""
        if self.rules.unknown_tables:
            raise RowError("moodle_tables_unknown", self.identity.name, tables=", ".join(self.rules.unknown_tables))

    def refuse_untouchable(self, user: ChunkUser) -> None:
        """Nor is anything else of them changed, unless the operator allows it. Raises: RowError"""
        self._refuse_one_of(self.rules.untouchable_ids, user)

    def _refuse_one_of(self, ids: Collection[int], user: ChunkUser) -> None:
        if user.key in ids:
            raise RowError("account_protected", self.identity.name, username=user.values["username"])

    def _identity_in_use(self, names: Sequence[str]) -> OptionalColumn[Any]:
        wanted = self.option_values.primaryidentity
        if wanted in names:
            return _IDENTITIES[wanted]
        if UserListCells.username.name in names:
            return UserListCells.username
        present = next(identity for identity in IDENTITIES if identity in names)
        self.file_notes.append(Note("identity_taken_from", {"wanted": wanted, "used": present}))
        return _IDENTITIES[present]

    def _found_by_username(self, username: str, users: ChunkUsers) -> list[ChunkUser]:
        """Return who has the username where nobody has the identity of the row: as for updates, who has none in Moodle.

        Raises: RowError
        """
        found = users.find(UserListCells.username.name, username, self.rules.mnethostid)
        for user in found:
            users.refuse_other_identity(user, self.identity.name)
        return found

    def _subject(self, row: UserListCells) -> str:
        return row.username or str(self.identity.of(row) or "")

    def _plan_row(self, row: UserListCellsT, plan: UsersWritePlan, state: UserListState) -> Outcome:
        value, identity = self.identity.of(row), self.identity.name
        if value in (None, ""):
            raise RowError("identity_empty", identity, identity=identity)
        hostid = state.rules.mnethostid
        found = plan.users.find(identity, value, hostid)
        if not found and row.username and self.compares and not self.grace.task:
            found = self._found_by_username(row.username, plan.users)
        if len(found) > 1:
            raise RowError("account_ambiguous", identity, value=value, count=len(found))
        if found:
            # Of the list of deletions rows mean their number; whether the name is still that of the list is looked at by itself.
            if self.compares and not self.grace.task:
                self._refuse_other_identities(row, found[0], plan)
            self._refuse_another_person(row, found[0])
            return self.plan_user(row, found[0], plan, state)
        revivable = plan.users.find_deleted(row.username, hostid) if row.username else None
        return self.plan_missing(row, revivable, plan, state)


def _as_heard(name: str) -> str:
    """Return a name as people compare it: without case, accents, hyphens and doubled blanks."""
    return " ".join(folded(name).replace("-", " ").replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").split())


def outcome_for(
    row: UserListCells, user: ChunkUser, action: Action, code: str, changes: Sequence[Change] = (), *notes: Note
) -> Outcome:
    return Outcome(row.line, action, code, {}, user.values["username"], tuple(changes), notes)
