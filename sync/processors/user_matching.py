"""Which account a row of a users file means. Spec: users.md section 4"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sync.columns.options import OptionValues
from sync.moodle.users import SiteRules
from sync.processors.accounts import Account, AccountBook, RowRefused


class AccountMatcher:
    """Finds accounts in a book, by the identity that was chosen. Shape: names: the columns of the file"""

    def __init__(self, book: AccountBook, rules: SiteRules, options: OptionValues, names: Collection[str]) -> None:
        self.book = book
        self.rules = rules
        self.options = options
        self.names = names

    def find(self, values: Mapping[str, Any], hostid: int) -> Account | None:
        """Give the account that a row means; None when it is to be made. Raises: RowRefused"""
        username = values["username"]
        if self.options.allowrename and "oldusername" in values:
            return self._find_renamed(values["oldusername"], username, hostid)
        identity = self.options.primaryidentity
        value = values.get(identity, "")
        by_username = self.book.find("username", username, hostid)
        if identity == "username" or value == "":
            return by_username[0] if by_username else None
        found = self.book.find(identity, value, hostid)
        if len(found) > 1:
            raise RowRefused("account_ambiguous", identity, value=value, count=len(found))
        if found:
            if found[0].values["username"] != username:
                raise RowRefused("username_differs", "username", username=username, present=found[0].values["username"])
            return found[0]
        if identity == "id":
            raise RowRefused("account_unknown", "id", identity="id", value=value)
        if by_username and by_username[0].values[identity]:
            raise RowRefused(
                "username_collision", "username", username=username, identity=identity,
                present=by_username[0].values[identity],
            )  # fmt: skip
        return by_username[0] if by_username else None

    def _find_renamed(self, oldusername: str, username: str, hostid: int) -> Account | None:
        source = self.book.find("username", oldusername, hostid)
        target = self.book.find("username", username, hostid)
        if not source:
            # The same file again: the account already has its new name.
            if target:
                return target[0]
            raise RowRefused("rename_source_missing", "oldusername", username=oldusername)
        if target and target[0] is not source[0]:
            raise RowRefused("rename_target_exists", "username", username=username, oldusername=oldusername)
        if source[0].key in self.rules.protected_ids:
            raise RowRefused("account_protected", "oldusername", username=oldusername)
        return source[0]

    def find_to_delete(self, values: Mapping[str, Any]) -> Account | None:
        """Give the account that a row wants deleted; None when there is none. Raises: RowRefused"""
        wanted = self.options.primaryidentity
        identity = wanted if wanted in self.names else "username"
        value = values.get(identity, "")
        if value == "":
            raise RowRefused("identity_empty", identity, identity=identity)
        found = self.book.find(identity, value, values.get("mnethostid", self.rules.mnethostid))
        if len(found) > 1:
            raise RowRefused("account_ambiguous", identity, value=value, count=len(found))
        if found and found[0].key in self.rules.protected_ids:
            raise RowRefused("account_protected", identity, username=found[0].values["username"])
        return found[0] if found else None

    def check_unique(self, account: Account | None, hostid: int, new_values: Mapping[str, Any]) -> None:
        """Idnumbers, and addresses where the site wants it, belong to one account only. Raises: RowRefused"""
        if idnumber := new_values.get("idnumber"):
            others = [other for other in self.book.find("idnumber", idnumber, hostid) if other is not account]
            if others:
                owner = others[0].values["username"]
                raise RowRefused("idnumber_taken", "idnumber", idnumber=idnumber, owner=owner)
        new_email = new_values.get("email", "")
        if "@" in new_email and not self.rules.allows_same_email:
            if account is not None and account.values["email"] == new_email:
                return
            others = [other for other in self.book.find("email", new_email, hostid) if other is not account]
            if others:
                raise RowRefused("email_taken", "email", email=new_email, owner=others[0].values["username"])
