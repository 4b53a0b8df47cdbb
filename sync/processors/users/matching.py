"""Which user a row of a users file means. Spec: users.md section 4"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sync.moodle.users.users import SiteRules
from sync.processors.base.errors import RowError
from sync.processors.users.cells import UserCells
from sync.processors.users.chunk_users import ChunkUser, ChunkUsers
from sync.processors.users.options import UsersOptions


class UserMatcher:
    """Finds users in a chunk, by the identity that was chosen. Shape: names: the columns of the file"""

    def __init__(self, users: ChunkUsers, rules: SiteRules, options: UsersOptions, names: Collection[str]) -> None:
        self.users = users
        self.rules = rules
        self.options = options
        self.names = names

    def find(self, row: UserCells, hostid: int) -> ChunkUser | None:
        """Return the user whom a row means; None when the row makes a new one. Raises: RowError"""
        username = row.username
        if self.options.allowrename and row.oldusername is not None:
            return self._find_renamed(row, row.oldusername, hostid)
        identity = self.options.primaryidentity
        value = row.values.get(identity, "")
        if identity == "username" or value == "":
            return self._one("username", username, hostid)
        found = self._one(identity, value, hostid)
        if found:
            if not self.users.is_same("username", found.values["username"], username):
                raise RowError("username_differs", "username", username=username, present=found.values["username"])
            return found
        if identity == "id":
            raise RowError("account_unknown", "id", identity="id", value=value)
        by_username = self._one("username", username, hostid)
        if by_username:
            self.users.refuse_other_identity(by_username, identity)
        return by_username

    def _one(self, identity: str, value: Any, hostid: int, column: str = "") -> ChunkUser | None:
        """Return the one user whom a value names, None without one. Raises: RowError when it may mean several"""
        found = self.users.find(identity, value, hostid)
        if len(found) > 1:
            raise RowError("account_ambiguous", column or identity, value=value, count=len(found))
        return found[0] if found else None

    def _differing(self, row: UserCells, user: ChunkUser) -> dict[str, str]:
        """Return the primary identity of a row and of a user where they show two people, as values of a message."""
        identity = self.options.primaryidentity
        given = row.values.get(identity) or ""
        present: Any = user.key if identity == "id" else user.values[identity]
        if identity == "username" or not given or not present:
            return {}
        is_same = given == present if identity == "id" else self.users.is_same(identity, given, present)
        return {} if is_same else {"identity": identity, "present": str(present), "given": str(given)}

    def _find_renamed(self, row: UserCells, oldusername: str, hostid: int) -> ChunkUser | None:
        username = row.username
        source = self._one("username", oldusername, hostid, "oldusername")
        if not source:
            target = self._one("username", username, hostid)
            if target is None:
                raise RowError("rename_source_missing", "oldusername", username=oldusername)
            if differing := self._differing(row, target):
                raise RowError(
                    "rename_source_missing", "oldusername", username=oldusername, target=target.values["username"],
                    hint="rename_target_is_another", **differing,
                )  # fmt: skip
            # The same file again: the user already has the new name.
            return target
        if differing := self._differing(row, source):
            raise RowError("rename_of_another", "oldusername", username=source.values["username"], **differing)
        if any(target.key != source.key for target in self.users.find_alike("username", username, hostid)):
            raise RowError("rename_target_exists", "username", username=username, oldusername=oldusername)
        renames = not self.users.is_same("username", source.values["username"], username)
        if renames and source.key in self.rules.protected_ids:
            raise RowError("account_protected", "oldusername", username=oldusername)
        return source

    def new_username(self, row: UserCells, user: ChunkUser) -> str:
        """Return the username that a user is to have: the present one, unless the row renames it.

        That the file spells it in another way than Moodle does is no renaming.
        """
        present: str = user.values["username"]
        renamed_from = row.oldusername if self.options.allowrename else None
        if renamed_from is not None and self.users.is_same("username", present, renamed_from):
            return row.username
        return present if self.users.is_same("username", present, row.username) else row.username

    def find_to_delete(self, row: UserCells) -> ChunkUser | None:
        """Return the user whom a row wants deleted, found as for an update; None when there is none. Raises: RowError"""
        wanted = self.options.primaryidentity
        identity = wanted if wanted in self.names else "username"
        value = row.values.get(identity, "")
        if value == "":
            raise RowError("identity_empty", identity, identity=identity)
        hostid = row.mnethostid or self.rules.mnethostid
        found = self._one(identity, value, hostid)
        if found is None and identity != "username" and (found := self._one("username", row.username, hostid)):
            self.users.refuse_other_identity(found, identity)
        if found is None:
            return None
        if found.key in self.rules.protected_ids:
            raise RowError("account_protected", identity, username=found.values["username"])
        if not self.users.is_same("username", present := found.values["username"], row.username):
            raise RowError(
                "identities_differ", "username", identity=identity, value=value, username=present, other="username",
                present=present, given=row.username,
            )  # fmt: skip
        return found

    def check_unique(self, user: ChunkUser | None, hostid: int, new_values: Mapping[str, Any]) -> None:
        """Check that no other user has the idnumber, or the address where the site wants that unique. Raises: RowError"""
        own = user.key if user is not None else None
        if idnumber := new_values.get("idnumber"):
            others = [other for other in self.users.find_alike("idnumber", idnumber, hostid) if other.key != own]
            if others:
                owner = others[0].values["username"]
                raise RowError("idnumber_taken", "idnumber", idnumber=idnumber, owner=owner)
        new_email = new_values.get("email", "")
        if "@" in new_email and not self.rules.allows_same_email:
            if user is not None and user.values["email"] == new_email:
                return
            others = [other for other in self.users.find_alike("email", new_email, hostid) if other.key != own]
            if others:
                raise RowError("email_taken", "email", email=new_email, owner=others[0].values["username"])
