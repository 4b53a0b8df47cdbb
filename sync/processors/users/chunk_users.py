"""Accounts within one chunk: as Moodle has them, and as the rows so far would leave them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from sync.moodle.users.deletion import UserToDelete
from sync.processors.base.operations import Operation, Ref
from sync.processors.base.plan import Plan
from sync.processors.users.operations import AddUserContexts, DeleteUsers, EndSessions
from sync.values import Change, spelling_of

# What is read of every account, whatever the file holds.
KEY_FIELDS = (
    "id", "auth", "deleted", "email", "idnumber", "mnethostid", "password", "picture", "suspended", "timemodified", "username",
)  # fmt: skip
_TEXTS = ("username", "idnumber", "email")
IDENTITIES = ("id", "idnumber", "username", "email")

Fold = Callable[[str], str]


class ClearPassword(NamedTuple):
    """A password that is still to be hashed, before the transaction opens. Never shown, never stored."""

    text: str

    def __repr__(self) -> str:
        return "ClearPassword(…)"


class ChunkUser:
    """One account. Shape: key: its id, or a Ref when this chunk creates it; stored: as Moodle has it, {} when new."""

    __slots__ = ("key", "lines", "stored", "values")

    def __init__(self, key: int | Ref, stored: Mapping[str, Any]) -> None:
        self.key = key
        self.stored = stored
        self.values: dict[str, Any] = dict(stored)
        self.lines: list[int] = []

    @property
    def is_new(self) -> bool:
        return self.key.__class__ is Ref

    def changes_to(self, new: Mapping[str, Any]) -> list[Change]:
        """Return what would change, field by field; a NULL and an empty text are the same to a file."""
        changes = []
        for name, value in new.items():
            old = self.values.get(name)
            if old != value and not (old is None and value == ""):
                changes.append(Change(name, "" if old is None else str(old), str(value)))
        return changes

    def difference(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the net change against Moodle: old values and new values of the changed fields."""
        after = {name: value for name, value in self.values.items() if value != self.stored.get(name)}
        return {name: self.stored.get(name) for name in after}, after


class ChunkUsers:
    """The accounts that a chunk knows, found by any identity. Later rows see what earlier ones did.

    Usernames are told apart per MNet host.
    Shape: folds: identity -> what makes texts equal that Moodle takes for the same
    """

    def __init__(self, stored: Iterable[Mapping[str, Any]], *, folds: Mapping[str, Fold]) -> None:
        self.accounts: dict[int | Ref, ChunkUser] = {}
        self._places: dict[tuple[str, str], list[ChunkUser]] = {}
        self._folds = folds
        for values in stored:
            if values["id"] not in self.accounts:
                self.add(ChunkUser(values["id"], values))

    def add(self, account: ChunkUser) -> None:
        self.accounts[account.key] = account
        for place in self._places_of(account):
            self._places.setdefault(place, []).append(account)

    def remove(self, account: ChunkUser) -> None:
        """Take an account out: it is to be deleted."""
        for place in self._places_of(account):
            self._places[place].remove(account)

    def change(self, account: ChunkUser, values: Mapping[str, Any], line: int) -> None:
        """Set values, and keep the account findable."""
        moves = not {"username", "idnumber", "email"}.isdisjoint(values)
        if moves:
            self.remove(account)
        account.values.update(values)
        account.lines.append(line)
        if moves:
            for place in self._places_of(account):
                self._places.setdefault(place, []).append(account)

    def find(self, identity: str, value: Any, hostid: int) -> list[ChunkUser]:
        """Return the accounts of a host that have this identity value: spelled exactly so, if there are such.

        Several are possible.
        """
        alike = self.find_alike(identity, value, hostid)
        wanted = spelling_of(value)
        return [account for account in alike if account.values[identity] == wanted] or alike

    def find_alike(self, identity: str, value: Any, hostid: int) -> list[ChunkUser]:
        """Return all accounts of a host whose identity value Moodle takes for this one."""
        if identity == "id":
            account = self.accounts.get(value)
            return [account] if account is not None else []
        found = self._places.get((identity, self._folds[identity](value)), ()) if value else ()
        return [account for account in found if account.values["mnethostid"] == hostid]

    def is_same(self, identity: str, one: str, other: str) -> bool:
        """Tell whether Moodle takes two values of an identity for the same."""
        return self._folds[identity](one) == self._folds[identity](other)

    def _places_of(self, account: ChunkUser) -> list[tuple[str, str]]:
        values = account.values
        return [(identity, self._folds[identity](values[identity])) for identity in _TEXTS if values[identity]]


class UsersWritePlan(Plan):
    """A plan that may also create, delete and lock out accounts.

    Shape: now: seconds since epoch; new_users: Refs of inserted accounts, they need a context; revived: ids of accounts
    that come back, whose context may be missing; deleted: accounts to delete; sessions_ended and tokens_ended: ids of
    accounts that lose their sessions, their web service tokens; profile_data: (account key, fieldid) -> data that is set;
    preferences: (account key, name) -> value that is set
    """

    def __init__(self, book: ChunkUsers, now: int) -> None:
        super().__init__()
        self.book = book
        self.now = now
        self.new_users: list[Ref] = []
        self.revived: list[int] = []
        self.deleted: list[UserToDelete] = []
        self.sessions_ended: set[int] = set()
        self.tokens_ended: set[int] = set()
        self.profile_data: dict[tuple[int | Ref, int], str] = {}
        self.preferences: dict[tuple[int | Ref, str], str] = {}

    def operations(self) -> list[Operation]:
        return [
            DeleteUsers(self.deleted),
            self.row_writes,
            AddUserContexts(self.new_users, self.revived),
            EndSessions(self.sessions_ended, self.tokens_ended),
        ]

    def delete_user(self, account: ChunkUser) -> None:
        values = account.values
        self.deleted.append(UserToDelete(**{name: values[name] for name in UserToDelete._fields}))

    def write_users(self) -> None:
        """Turn the net changes of all accounts into inserts and updates; timemodified follows real changes only.

        A password alone doesn't touch timemodified. Source: effects user_password_change. Who is locked out, or has another
        password now, is logged out everywhere.
        """
        for account in self.book.accounts.values():
            if not account.lines:
                continue
            if isinstance(account.key, Ref):
                self.insert("user", account.values, *account.lines, key=account.key.key)
                self.new_users.append(account.key)
                continue
            before, after = account.difference()
            if after.keys() - {"password"}:
                before["timemodified"] = account.stored["timemodified"]
                after["timemodified"] = self.now
            if after.get("suspended") or "password" in after:
                self.sessions_ended.add(account.key)
            if after:
                self.update("user", account.key, before, after, *account.lines)
