"""What no undo does, as no file does: change protected users, or give roles that configure the site. Spec: docs/decisions/0020

Memberships of protected people, and any role within a course, come back with what they belong to.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sync.moodle.db.database import MoodleSession
from sync.moodle.enrolments.roles import Role, fetch_roles
from sync.moodle.users.users import SiteRules
from sync.moodle.versions import CONTEXT_COURSE, CONTEXT_SYSTEM
from sync.processors.undo.history import NetChange, is_same
from sync.processors.undo.owners import Ownership
from sync.processors.undo.references import USER
from sync.processors.undo.rows import fetch_rows
from sync.values import Note

if TYPE_CHECKING:
    from sync.processors.undo.state import UndoLine, UndoState

_ROLES = "role_assignments"
# Rows that tell how their user logs in, or who it is.
_OF_USERS = frozenset({
    "external_tokens", "user_info_data", "user_password_resets", "user_preferences", "user_private_key",
})  # fmt: skip
# Nobody is locked out, whatever the operator allows.
_LOCKS_OUT = ("username", "suspended", "deleted")


class Protection:
    """Finds the lines that no undo carries out."""

    def __init__(self, session: MoodleSession, ownership: Ownership) -> None:
        self._session = session
        self._ownership = ownership
        self._rules = SiteRules(session)
        self._rules.read_protected()
        self._roles: Mapping[int, Role] = {role.id: role for role in fetch_roles(session)}

    def unprotected(self, table: str, ids: Collection[int]) -> set[int]:
        """Return the rows among these whose names may change. Shape: ids: of a table"""
        return set(ids) - self._rules.protected_ids if table == USER else set(ids)

    def refusals(self, state: UndoState, by_table: Mapping[str, Sequence[UndoLine]]) -> Iterator[tuple[UndoLine, Note]]:
        """Return the lines that aren't carried out, and why. Queries: one, two where there are such"""
        found = {line.line: (line, userid) for line, userid in self._of_protected(state, by_table)}
        levels = self._levels(state, by_table.get(_ROLES, ()))
        for line in by_table.get(_ROLES, ()):
            if line.line in found or not (row := _changing(state, line)):
                continue
            level = levels.get(row["contextid"], CONTEXT_COURSE)
            if level == CONTEXT_SYSTEM and row["userid"] in self._rules.untouchable_ids:
                found[line.line] = line, row["userid"]
            elif line.history.change is not NetChange.INSERT and (code := self._barred(row["roleid"], level)):
                yield line, Note(code, {"role": self._roles[row["roleid"]].shortname})
        users = fetch_rows(self._session, USER, {userid for _line, userid in found.values()}) if found else {}
        for line, userid in found.values():
            name = users[userid]["username"] if userid in users else line.history.before.get("username", str(userid))
            yield line, Note("account_protected", {"username": name})

    def _of_protected(
        self, state: UndoState, by_table: Mapping[str, Sequence[UndoLine]]
    ) -> Iterator[tuple[UndoLine, int]]:
        """Return the lines that would change somebody protected, and who that is."""
        for table, lines in by_table.items():
            new = [line.id for line in lines if line.history.change is NetChange.INSERT and line.id is not None]
            owners = self._ownership.owners_of(table, new)
            for line in lines:
                row = _changing(state, line)
                if not row:
                    continue
                if table == USER and self._is_refused(line, row):
                    yield line, row["id"]
                elif table in _OF_USERS and row["userid"] in self._rules.untouchable_ids:
                    yield line, row["userid"]
                else:
                    # What the run made for a user whom it made stays with that user.
                    kept = (owner.id for owner in owners.get(line.id or 0, ()) if owner.table == USER)
                    userid = next((userid for userid in kept if userid in self._rules.protected_ids), None)
                    if userid is not None:
                        yield line, userid

    def _is_refused(self, line: UndoLine, row: Mapping[str, Any]) -> bool:
        if row["id"] in self._rules.untouchable_ids:
            return True
        is_back = line.history.change is NetChange.UPDATE
        locks_out = not is_back or any(
            name in line.history.columns and (name == "username" or line.history.before[name]) for name in _LOCKS_OUT
        )
        return row["id"] in self._rules.protected_ids and locks_out

    def _barred(self, roleid: int, level: int) -> str:
        """Return the code of why no file gives a role on a level, "" where one may, or where it comes back with a course."""
        role = self._roles.get(roleid)
        if role is None or level >= CONTEXT_COURSE:
            return ""
        if role.is_barred:
            return "role_configures_site"
        return "role_hands_out_roles" if level == CONTEXT_SYSTEM and role.is_barred_in_system else ""

    def _levels(self, state: UndoState, lines: Sequence[UndoLine]) -> dict[int, int]:
        """Return the levels of the contexts of roles; those of contexts that aren't there are left out."""
        contextids = {row["contextid"] for line in lines if (row := _changing(state, line))}
        rows = fetch_rows(self._session, "context", contextids) if contextids else {}
        return {contextid: row["contextlevel"] for contextid, row in rows.items()}


def _changing(state: UndoState, line: UndoLine) -> dict[str, Any]:
    """Return the row of a line as it is, or as it comes back; nothing where the undo wouldn't change it."""
    live, history = state.live(line), line.history
    if history.change is NetChange.DELETE:
        return {} if live is not None else dict(history.before)
    if live is None or history.change is NetChange.NOTHING:
        return {}
    if history.change is NetChange.INSERT:
        return live
    changes = [name for name in history.columns if name in live and is_same(live[name], history.left[name])]
    return {**live, **{name: history.before[name] for name in changes}} if changes else {}
