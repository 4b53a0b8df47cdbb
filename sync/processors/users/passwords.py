"""Passwords in a users file, the preferences that go with them, and the mails that tell them.

Spec: users.md sections 4.6 and 5.4
"""

from __future__ import annotations

from django.utils.translation import gettext as _

from sync.columns.clean import is_no_mail
from sync.moodle.users import passwords
from sync.processors.base.plan import Mail
from sync.processors.users.cells import UserCells
from sync.processors.users.chunk_users import ChunkUser, ClearPassword, UsersWritePlan
from sync.processors.users.options import UsersOptions
from sync.processors.users.state import RowResult, UsersState
from sync.values import Note

# In files of Moodle's uploader this password means that its owner must choose another one at the first login.
CHANGE_ME = "changeme"


class UserPasswords:
    """The passwords of one chunk; the last row about a user decides."""

    def __init__(self, state: UsersState, options: UsersOptions, plan: UsersWritePlan) -> None:
        self._state = state
        self._options = options
        self._plan = plan
        self._preferences = plan.change(state.preferences)
        self._mails: dict[int, Mail] = {}

    def set(self, result: RowResult, user: ChunkUser, row: UserCells) -> None:
        """Plan what a row says about the password of its user."""
        wanted = self._wanted(user, row, creates=result.creates)
        if wanted is None:
            return
        if self._asks_for_change(wanted, row) and self.prefer(user, "auth_forcepasswordchange", "1", result.line):
            result.touch()
            result.notes.append(Note("password_to_be_changed", {}))
        if isinstance(wanted, ClearPassword):
            if user.values["password"] != wanted:
                self._store(result, user, wanted)
                self._given(result, user, wanted.text)
            return
        self._store(result, user, wanted)
        if wanted == passwords.TO_BE_GENERATED:
            if self.prefer(user, "create_password", "1", result.line):
                result.touch()
        elif (row.password, wanted) in self._state.verified:
            # Whatever earlier rows wanted, the last one wants what is there.
            self._mails.pop(user.key, None)

    def would_change(self, user: ChunkUser, row: UserCells) -> bool:
        """Whether a row would change the password of its user, or have Moodle make one."""
        wanted = self._wanted(user, row)
        if wanted == passwords.TO_BE_GENERATED and self._preference(user, "create_password") != "1":
            return True
        if self._asks_for_change(wanted, row) and self._preference(user, "auth_forcepasswordchange") != "1":
            return True
        return wanted is not None and wanted != user.values["password"]

    def present(self, user: ChunkUser) -> str:
        """Return the hash of the password that a user has, "" where Moodle is still to make one."""
        stored = user.values["password"]
        return "" if stored == passwords.TO_BE_GENERATED else stored

    def have_made(self, user: ChunkUser, line: int) -> None:
        """Have Moodle make a password for a new user, who then changes it."""
        auth = user.values["auth"]
        if auth != "nologin" and self._state.rules.keeps_passwords(auth):
            self.prefer(user, "create_password", "1", line)
            self.prefer(user, "auth_forcepasswordchange", "1", line)

    def prefer(self, user: ChunkUser, name: str, value: str, line: int) -> bool:
        """Plan a preference; return False when the user has it already."""
        key = (user.key, name)
        stored = self._preferences.get(key) or {}
        if stored.get("value") == value:
            return False
        self._preferences.put(key, {**stored, "value": value}, line)
        return True

    def delete(self, user: ChunkUser, line: int) -> None:
        """Take note that a user goes, and the preferences with it."""
        for key in self._preferences.find(userid=user.key):
            self._preferences.foresee(key, None, line)

    def write(self) -> None:
        """Put into the plan what the rows have wanted in the end."""
        written = self._preferences.write(self._plan)
        self._plan.changed_preferences |= {userid for userid, _name in written.inserted | written.updated}
        self._plan.mails.extend(self._mails.values())

    def _asks_for_change(self, wanted: str | ClearPassword | None, row: UserCells) -> bool:
        """Whether a row holds the password that the user has to change."""
        if row.password != CHANGE_ME:
            return False
        return isinstance(wanted, ClearPassword) or (CHANGE_ME, wanted) in self._state.verified

    def _preference(self, user: ChunkUser, name: str) -> str | None:
        return (self._preferences.get((user.key, name)) or {}).get("value")

    def _wanted(self, user: ChunkUser, row: UserCells, *, creates: bool = False) -> str | ClearPassword | None:
        """Return what a row wants to be stored as password; None when it leaves it as it is.

        Shape: creates: the row makes the user
        """
        cell = row.password
        if cell is None:
            return None
        auth = user.values["auth"]
        if cell == passwords.NO_PASSWORD:
            return cell
        if not self._state.rules.keeps_passwords(auth):
            return passwords.NOT_CACHED if cell or creates else None
        if auth == "nologin":
            return None
        if cell == "":
            is_without = user.values["password"] in ("", passwords.TO_BE_GENERATED)
            return passwords.TO_BE_GENERATED if is_without else None
        stored: str = user.stored.get("password", "")
        return stored if (cell, stored) in self._state.verified else ClearPassword(cell)

    def _store(self, result: RowResult, user: ChunkUser, value: str | ClearPassword) -> None:
        if user.values["password"] == value:
            return
        self._plan.users.change(user, {"password": value}, result.line)
        if not result.creates:
            result.touch()
            result.notes.append(Note("password_changed", {}))

    def _given(self, result: RowResult, user: ChunkUser, clear: str) -> None:
        if user.values["auth"] == "manual" and (result.creates or self._state.rules.password_expires):
            self.prefer(user, "auth_manual_passwordupdatetime", str(self._state.now), result.line)
        address = user.values["email"]
        if self._options.sendpasswordtousers and "@" in address and not is_no_mail(address):
            mail = _password_mail(self._state.rules.site_name, user.values["username"], address, clear)
            self._mails[user.key] = mail


def _password_mail(site: str, username: str, address: str, clear: str) -> Mail:
    subject = _("Your username and password for %(site)s") % {"site": site}
    body = _(
        "These are your username and password for %(site)s.\n\nUsername: %(username)s\nPassword: %(password)s\n\nPlease "
        "change the password after your first login.\n"
    ) % {"site": site, "username": username, "password": clear}
    return Mail(address, subject, body)
