"""Users within one chunk: as Moodle has them, and as the rows so far would leave them."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sync.moodle.users.deletion import UserToDelete, md5_of, row_of_deleted
from sync.processors.base.errors import RowError
from sync.processors.base.operations import Operation, Update
from sync.processors.base.overlay import ChangedRows, FoundRows, Values, is_temporary
from sync.processors.base.plan import Plan
from sync.processors.users.operations import AddUserContexts, DeleteUsers, EndSessions
from sync.values import Change, spelling_of

# What is read of every user, whatever the file holds.
KEY_FIELDS = (
    "id", "auth", "deleted", "email", "idnumber", "mnethostid", "password", "picture", "suspended", "timemodified", "username",
)  # fmt: skip
# Begins what stands in the overlay for a password that isn't hashed; no hash of Moodle begins so.
NOT_HASHED = "not hashed$"
_SECRET = secrets.token_bytes(32)


@dataclass(frozen=True, slots=True)
class ClearPassword:
    """A password that is still to be hashed, before the transaction opens. Never shown, never stored."""

    text: str = field(repr=False)

    def in_overlay(self) -> str:
        """Return a digest keyed with a secret of the process, by which a later row of a dry run knows the same password."""
        return NOT_HASHED + hmac.new(_SECRET, self.text.encode(), "sha256").hexdigest()


class ChunkUser:
    """One user of a chunk. Shape: key: its id, temporary when the file makes it"""

    __slots__ = ("_rows", "key")

    def __init__(self, rows: ChangedRows, key: int) -> None:
        self._rows = rows
        self.key = key

    @property
    def values(self) -> Values:
        """The row as it stands now."""
        return self._rows[self.key]

    @property
    def stored(self) -> Values:
        """The row as the chunk found it, {} when the chunk makes it."""
        return self._rows.found(self.key) or {}

    def changes_to(self, new: Mapping[str, Any]) -> list[Change]:
        """Return what would change, field by field; a NULL and an empty text are the same to a file."""
        changes, values = [], self.values
        for name, value in new.items():
            old = values.get(name)
            if old != value and not (old is None and value == ""):
                changes.append(Change(name, "" if old is None else str(old), str(value)))
        return changes


class ChunkUsers:
    """The users that a chunk knows, found by any identity. Usernames are told apart per MNet host."""

    def __init__(self, rows: ChangedRows) -> None:
        self.rows = rows

    def add(self, values: Values, line: int) -> ChunkUser:
        """Make a user."""
        return ChunkUser(self.rows, self.rows.insert(values, line))

    def change(self, user: ChunkUser, values: Mapping[str, Any], line: int) -> None:
        self.rows.update(user.key, values, line)

    def find(self, identity: str, value: Any, hostid: int) -> list[ChunkUser]:
        """Return the users of a host that have this identity value: spelled exactly so, if there are such.

        Several are possible.
        """
        alike = self.find_alike(identity, value, hostid)
        if len(alike) < 2:
            return alike
        wanted = spelling_of(value)
        return [user for user in alike if user.values[identity] == wanted] or alike

    def find_alike(self, identity: str, value: Any, hostid: int) -> list[ChunkUser]:
        """Return all users of a host whose identity value Moodle takes for this one."""
        if identity == "id":
            return [ChunkUser(self.rows, value)] if value in self.rows and not self.rows[value]["deleted"] else []
        keys = self.rows.find(**{identity: value}) if value else []
        return self._of_host(hostid, keys, deleted=0) if keys else []

    def find_deleted(self, username: str, hostid: int) -> ChunkUser | None:
        """Return the deleted user who once had this username, the newest if there are several."""
        found = self._of_host(hostid, self.rows.find(email=md5_of(username)), deleted=1)
        return max(found, key=lambda user: (is_temporary(user.key), abs(user.key)), default=None)

    def is_same(self, identity: str, one: str, other: str) -> bool:
        """Tell whether Moodle takes two values of an identity for the same."""
        return one == other or self.rows.table.folded(identity, one) == self.rows.table.folded(identity, other)

    @staticmethod
    def refuse_other_identity(user: ChunkUser, identity: str) -> None:
        """Raises: RowError where a user found by username only, for nobody has the identity of the row, has another one"""
        present = user.key if identity == "id" else user.values[identity]
        if present:
            username = user.values["username"]
            raise RowError("username_collision", "username", username=username, identity=identity, present=present)

    def _of_host(self, hostid: int, keys: list[int], *, deleted: int) -> list[ChunkUser]:
        rows = self.rows
        return [
            ChunkUser(rows, key)
            for key in keys
            if (row := rows[key])["mnethostid"] == hostid and row["deleted"] == deleted
        ]


class UsersWritePlan(Plan):
    """A plan that may also create, delete and lock out users.

    Shape: new_users: temporary ids of those who are made, they need a context; revived: ids of users who come back, whose
    context may be missing; sessions_ended and tokens_ended: ids of users who lose their sessions, their web service tokens; all
    of them -> the lines that ask for it; deleted: users to delete, by line
    Units: now: seconds since epoch
    """

    def __init__(self, found: FoundRows, now: int) -> None:
        super().__init__(now)
        self.users = ChunkUsers(self.change(found))
        self.new_users: dict[int, tuple[int, ...]] = {}
        self.revived: dict[int, tuple[int, ...]] = {}
        self.deleted: dict[int, UserToDelete] = {}
        self.sessions_ended: dict[int, tuple[int, ...]] = {}
        self.tokens_ended: dict[int, tuple[int, ...]] = {}

    def operations(self) -> list[Operation]:
        return [
            DeleteUsers(self.deleted),
            self.row_writes,
            AddUserContexts(self.new_users, self.revived),
            EndSessions(self.sessions_ended, self.tokens_ended),
        ]

    def let_go_of_rows(self) -> None:
        super().let_go_of_rows()
        self.users = ChunkUsers(self.change(FoundRows(self.users.rows.table)))

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__()
        del state["users"]
        return state

    def revive_user(self, user: ChunkUser, values: Mapping[str, Any], username: str, line: int) -> list[Change]:
        """Take a deleted user up again, and return what changes."""
        values = {"email": "", "idnumber": "", **values, "deleted": 0, "username": username}
        # What Moodle calls who is deleted holds the time of the deletion: a plan and its application would differ.
        stored = {**user.values, "username": ""}
        changes = [Change(name, str(stored.get(name) or ""), str(value)) for name, value in values.items()]
        self.users.change(user, values, line)
        self.revived[user.key] = (line,)
        return changes

    def delete_user(self, user: ChunkUser, line: int) -> None:
        values = user.values
        gone = UserToDelete(**{name: values[name] for name in UserToDelete._fields})
        self.deleted[line] = gone
        # The name may get another second.
        left = row_of_deleted(gone, f"{gone.email or gone.username}.{self.now}", now=self.now)
        self.users.rows.foresee(user.key, {**values, **left}, line)

    def write_users(self) -> None:
        """Turn the net changes of all users into inserts and updates; timemodified follows real changes only.

        A password alone doesn't touch timemodified. Source: effects user_password_change. Who is locked out, or has another
        password now, is logged out everywhere.
        """
        self.users.rows.write(self)
        self.new_users |= {insert.id: insert.lines for insert in self.inserts.get("user", ())}
        updates = self.updates.get("user", [])
        for place, (userid, before, after, lines) in enumerate(updates):
            if after.get("suspended") or "password" in after:
                self.sessions_ended[userid] = lines
            if after.keys() - {"password"}:
                modified = self.users.rows[userid]["timemodified"]
                after["timemodified"] = self.now
                updates[place] = Update(userid, {**before, "timemodified": modified}, after, lines)
