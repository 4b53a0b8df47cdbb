"""`user_preferences`: what users prefer, one preference a row."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa
from django.utils.translation import gettext_lazy as _

from sync.columns.cells import Cells
from sync.columns.clean import one_of, text
from sync.columns.column import About, DefaultColumn, Empty, OptionalColumn, RequiredColumn
from sync.columns.general_options import GeneralOptions, UserIdentifier
from sync.columns.repeated_values import RepeatedValues
from sync.moodle.db.keyset import fetch_in_parts
from sync.moodle.users.users import SiteRules, fetch_auths, fetch_preferences
from sync.processors.base.errors import RowError
from sync.processors.base.export import ExportedRow, Exporter, ScopeKind, cell_of
from sync.processors.base.overlay import ChangedRows, FoundRows, Table, is_temporary
from sync.processors.base.plan import Plan
from sync.processors.base.planner import plan_each
from sync.processors.base.processor import Processor
from sync.processors.base.row_counts import changed_lines, lines_set_again
from sync.processors.base.totals import CREATED, DELETED, PREFERENCES, UPDATED, ChangedIds, Totals
from sync.processors.memberships.enrolment_results import accepted
from sync.processors.memberships.named import fetch_named_users, users_table
from sync.processors.memberships.names import find_user
from sync.processors.user_preferences.names import (
    FORCED_CHANGE,
    check_preference,
    is_of_users,
    is_settable,
    is_word_for_truth,
)
from sync.values import Action, Change, Outcome

SET, UNSET = "set", "unset"
_GUEST = "guest"
_TABLE = Table("user_preferences", ("userid", "name"), (("userid",),))
# Source: set_user_preference() of Moodle's lib/moodlelib.php
MAX_VALUE = 1333


class UserPreferencesOptions(GeneralOptions):
    useridentifier = UserIdentifier(
        help=_("What the column user holds."),
    )


class PreferenceCells(Cells, subject="{user} / {name}"):
    """A preference of a user."""

    # fmt: off
    __slots__ = ()

    cmd = DefaultColumn(one_of(SET, UNSET), default=SET, sample=SET,
                        help=_("set: the user gets the value; unset: nothing is stored any more, and Moodle does as for "
                               "everybody."))
    user = RequiredColumn(text(255), aliases=("username", "userid"), refers=True, about=About.USER, sample="ada.lovelace",
                          help=_("The user."))
    name = RequiredColumn(text(255), stored_in="user_preferences", aliases=("preference",), refers=True, sample="htmleditor",
                          help=_("The name of the preference. What guards users or holds secrets can't be set: passwords, "
                                 "keys, tokens, logins, addresses of notifications; auth_forcepasswordchange can, of users who "
                                 "are able to change a password."))
    value = OptionalColumn(text(MAX_VALUE), empty=Empty.CLEARS, decides=True, sample="textarea",
                           help=_("What is stored; set needs it, though it may be empty."))


@dataclass(frozen=True)
class PreferencesState:
    """Everything read for one chunk.

    Shape: named: texts of the file -> ids of users; preferences: of these users; bound: ids of those who can't change a password
    in Moodle -> the plugin by which they log in
    """

    now: int
    named: Mapping[str, tuple[int, ...]]
    preferences: FoundRows
    protected: frozenset[int] = frozenset()
    bound: Mapping[int, str] = field(default_factory=dict)


class PreferencesExporter(Exporter[UserPreferencesOptions]):
    """Preferences that a file may set, of users of this site."""

    scopes = (ScopeKind.AUTH,)

    def header(self) -> list[str]:
        return ["user", "name", "value"]

    def parts(self) -> Iterator[list[ExportedRow]]:
        preference, user = self.moodle.table("user_preferences"), self.moodle.table("user")
        conditions = [user.c.deleted == 0, user.c.mnethostid == self.rules.mnethostid, user.c.username != _GUEST]
        if self.scope.auth:
            conditions.append(user.c.auth == self.scope.auth)
        named = user.c[self.options.useridentifier].label("named")
        statement = (
            sa.select(preference.c.id, named, user.c.username, preference.c.name, preference.c.value)
            .select_from(preference.join(user, user.c.id == preference.c.userid))
            .where(*conditions)
        )
        for rows in fetch_in_parts(self.moodle, statement, preference.c.id):
            yield [
                ExportedRow(f"{username} / {name}", [cell_of(user_cell), name, cell_of(value)])
                for _id, user_cell, username, name, value in rows
                if is_settable(name)
            ]


class PreferencesPlan(Plan):
    """What becomes of preferences; these are counted, as the file is about them."""

    def totals(self) -> Totals:
        writes: Mapping[str, Mapping[str, Sequence[object]]] = {
            CREATED: self.inserts,
            UPDATED: self.updates,
            DELETED: self.deletes,
        }
        counted = {f"{PREFERENCES}.{action}": len(tables.get(_TABLE.name, ())) for action, tables in writes.items()}
        return super().totals() + Totals(counted)

    def changed_ids(self) -> ChangedIds:
        changed = {
            f"{PREFERENCES}.{UPDATED}": [update.id for update in self.updates.get(_TABLE.name, ())],
            f"{PREFERENCES}.{DELETED}": [delete.id for delete in self.deletes.get(_TABLE.name, ())],
        }
        return {**super().changed_ids(), **{kind: ids for kind, ids in changed.items() if ids}}


class PreferencesSurvey(RepeatedValues):
    """The first line of each preference of a user."""

    unique = (PreferenceCells.name.name,)
    scope = PreferenceCells.user.name


class UserPreferences(Processor[PreferenceCells, PreferencesState, PreferencesPlan]):
    """Preferences of users, as far as these are nobody's secrets."""

    key = "user_preferences"
    label = _("Users: preferences")
    summary = _("Set and unset preferences of users, one a row.")
    default_filename = "userpreferences.csv"
    file_survey = PreferencesSurvey
    after = ("users",)
    options = UserPreferencesOptions
    exporter = PreferencesExporter

    def setup(self, names: Sequence[str]) -> None:
        self.rules = SiteRules(self.moodle)
        self.guest = self.moodle.config.get("siteguest", "")

    def fetch(self, rows: Sequence[PreferenceCells]) -> PreferencesState:
        identifier = self.option_values.useridentifier
        named = fetch_named_users(self.moodle, self.overlay, self.rules, identifier, {row.user for row in rows})
        userids = sorted({userid for found in named.values() for userid in found})
        names = sorted({row.name for row in rows})
        found = fetch_preferences(self.moodle, [userid for userid in userids if not is_temporary(userid)], names)
        # Servers that take capitals for small letters give what is stored so.
        found = {(userid, name.lower()): row for (userid, name), row in found.items()}
        return PreferencesState(
            now=int(time.time()),
            named=named,
            preferences=self.overlay.over(_TABLE, found, {("userid",): userids}),
            protected=frozenset({int(self.guest)} if self.guest.isdigit() else ()),
            bound=self._fetch_bound(userids) if any(map(_forces_change, rows)) else {},
        )

    def _fetch_bound(self, userids: Sequence[int]) -> dict[int, str]:
        """Return those of the users who can't change a password in Moodle. Shape: id -> plugin. Queries: one per 10,000 users"""
        found = fetch_auths(self.moodle, [userid for userid in userids if not is_temporary(userid)])
        users = self.overlay.over(users_table(self.moodle), found, {("id",): userids}).rows
        auths = {userid: {**found.get(userid, {}), **users[userid]}["auth"] for userid in userids if userid in users}
        return {userid: auth for userid, auth in auths.items() if not self.rules.changes_passwords(auth)}

    def plan(self, rows: Sequence[PreferenceCells], state: PreferencesState) -> PreferencesPlan:
        plan = PreferencesPlan(state.now)
        preferences = plan.change(state.preferences)
        identifier = self.option_values.useridentifier
        plan.outcomes.extend(
            plan_each(
                rows,
                lambda row: _plan_row(row, state, preferences, identifier),
                lambda row: f"{row.user} / {row.name}",
            )
        )
        words = {row.line for row in rows if row.cmd == SET and is_word_for_truth(row.name, row.value or "")}
        of_users = {row.line for row in rows if row.cmd == SET and is_of_users(row.name)}
        cells = ((row.line, row.name, row.user) for row in rows)
        plan.counted = {
            "preference_word_in_rows": words & changed_lines(plan.outcomes),
            "preference_of_users_in_rows": of_users & changed_lines(plan.outcomes),
            "set_again_in_rows": lines_set_again(self.survey.found, plan.outcomes, PreferenceCells.name.name, cells),
        }
        written = preferences.write(plan)
        plan.changed_preferences |= {userid for userid, _name in written.inserted | written.updated | written.deleted}
        return plan


def _forces_change(row: PreferenceCells) -> bool:
    """Tell whether a row has a user change the password before anything else."""
    return row.cmd == SET and row.name == FORCED_CHANGE and row.value == "1"


def _plan_row(row: PreferenceCells, state: PreferencesState, preferences: ChangedRows, identifier: str) -> Outcome:
    """Mirrors: set_user_preference(), unset_user_preference()"""
    check_preference(row.name, row.value or "")
    userid = accepted(find_user(state.named, identifier, row.user, "user"))
    if userid in state.protected:
        raise RowError("preference_of_guest", "user")
    key = (userid, row.name)
    old = preferences.get(key)
    if row.cmd == UNSET:
        if old is None:
            return Outcome(row.line, Action.UNCHANGED, "preference_absent", {})
        preferences.remove(key, row.line)
        return Outcome(row.line, Action.DELETED, "preference_unset", {}, changes=(Change(row.name, old["value"], ""),))
    if row.value is None:
        raise RowError("preference_without_value", "value")
    if _forces_change(row) and userid in state.bound:
        raise RowError("preference_locks_out", "user", auth=state.bound[userid])
    if old is not None and old["value"] == row.value:
        return Outcome(row.line, Action.UNCHANGED, "preference_unchanged", {})
    preferences.put(key, {**(old or {}), "value": row.value}, row.line)
    changes = (Change(row.name, old["value"] if old else "", row.value),)
    if old is None:
        return Outcome(row.line, Action.CREATED, "preference_set", {}, changes=changes)
    return Outcome(row.line, Action.UPDATED, "preference_updated", {}, changes=changes)
