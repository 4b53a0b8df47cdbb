"""`users`: create, update, rename, suspend and delete users; password, profile fields, cohort, course sets."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from django.utils.translation import gettext_lazy as _

from sync.columns.rows import ReadCells
from sync.moodle.course_content.graph.graph import load_graph
from sync.moodle.course_content.graph.live_tables import fetch_unknown_tables
from sync.moodle.users.passwords import PasswordPool
from sync.moodle.users.users import ProfileField, SiteRules, fetch_profile_fields
from sync.processors.base.closing import FileEnd
from sync.processors.base.errors import RowError
from sync.processors.base.grace import GraceList
from sync.processors.base.overlay import FoundRows
from sync.processors.base.processor import Processor
from sync.processors.base.row_counts import noted_lines
from sync.processors.base.sticky import Place, StickyColumn, in_table
from sync.processors.memberships.fetch import fetch_memberships
from sync.processors.memberships.named import users_table
from sync.processors.memberships.names import MADE_LIKE_LISTS
from sync.processors.memberships.state import MembershipState
from sync.processors.users.absent import AbsentUsers
from sync.processors.users.cells import UserCells
from sync.processors.users.chunk_users import KEY_FIELDS, NOT_HASHED, ClearPassword, UsersWritePlan
from sync.processors.users.export import UsersExporter
from sync.processors.users.options import DELETE, UsersOptions
from sync.processors.users.planner import PLAIN_FIELDS, ColumnNumbers, UsersPlanner, cohort_cells, course_sets
from sync.processors.users.profile_values import TEXT_TYPES, profile_value
from sync.processors.users.state import USER_TABLE, UsersState
from sync.processors.users.survey import UsersSurvey
from sync.processors.users.system_roles import system_role_cells
from sync.processors.users.tables import (
    PREFERENCES,
    PROFILE_TABLE,
    fetch_profiles,
    fetch_user_preferences,
    fetch_users,
    profile_table,
)
from sync.values import Note, Outcome

# Former columns of `user` that Moodle 3.11 turned into social profile fields.
SOCIAL_COLUMNS = (UserCells.icq.name, UserCells.url.name)
# What is said of the file -> the note of its rows.
_DOUBTS = {
    "names_exchanged_in_rows": "names_exchanged", "user_in_earlier_line_in_rows": "user_in_earlier_line", **MADE_LIKE_LISTS,
}  # fmt: skip
PASSWORD_PREFERENCES = ("auth_forcepasswordchange", "auth_manual_passwordupdatetime", "create_password")
_SET_COLUMNS = (
    UserCells.courses, UserCells.roles, UserCells.methods, UserCells.groups, UserCells.starts, UserCells.ends, UserCells.periods,
    UserCells.statuses, UserCells.remote_hosts, UserCells.course_types,
)  # fmt: skip


class Users(Processor[UserCells, UsersState, UsersWritePlan]):
    """Create and update users. Spec: users.md sections 2 to 5."""

    key = "users"
    label = _("Users: create and update")
    summary = _("Create, update, rename, suspend and delete users, with profile fields, cohort and course enrolments.")
    default_filename = "userimport.csv"
    file_survey = UsersSurvey
    sticky_columns = (
        *in_table(USER_TABLE, UserCells.email, *PLAIN_FIELDS),
        # Moodle itself writes a hash anew when its owner logs in.
        StickyColumn(UserCells.password),
        *(
            StickyColumn(column, (Place(PROFILE_TABLE, "data"),))
            for column in (UserCells.icq, UserCells.url, UserCells.profile_fields)
        ),
    )
    options = UsersOptions
    plans_are_data = True
    exporter = UsersExporter

    def setup(self, names: Sequence[str]) -> None:
        # Before anything is read: it is closed whatever happens.
        self.passwords = PasswordPool()
        self.names = frozenset(names)
        deletes = UserCells.deleted.name in self.names or self.option_values.absent == DELETE
        self.rules = SiteRules(self.moodle, fetch_unknown_tables(self.moodle, load_graph()) if deletes else ())
        self.rules.read_protected()
        self.users_table = users_table(self.moodle)
        self.hashes: dict[tuple[int, str], str] = {}
        self.fields = tuple(
            dict.fromkeys((*KEY_FIELDS, *sorted(self.names & {column.name for column in PLAIN_FIELDS})))
        )
        self.users_survey = self.survey.found if isinstance(self.survey.found, UsersSurvey) else UsersSurvey({})
        if not self.option_values.enrolbydefault:
            self.file_notes.extend(self.users_survey.notes)
        self.numbers = ColumnNumbers(
            sets=self._contiguous_sets(),
            cohorts=UserCells.cohorts.numbers(names),
            system_roles=UserCells.system_roles.numbers(names),
        )
        self.grace = GraceList.read(USER_TABLE, self.context.grace, self.collected.grace)
        self.absent = AbsentUsers(self.context, self.option_values, self.rules, self.users_table, self.grace)
        self.profile_fields = self._match_profile_fields()
        self.text_fields = frozenset(
            name for name, field in self.profile_fields.items() if field.datatype in TEXT_TYPES
        )
        has_unique = any(field.forceunique for field in self.profile_fields.values())
        self.profile_table = profile_table(self.moodle, by_value=has_unique)

    def fetch(self, rows: Sequence[UserCells]) -> UsersState:
        users = fetch_users(
            self.moodle,
            self.overlay,
            self.users_table,
            self.fields,
            self._identities(rows),
            hostids=self._hostids(rows),
            identity=self.option_values.primaryidentity,
            former={row.username for row in rows} if self.option_values.resurrect else (),
        )
        present = [user for user in users if not user["deleted"]]
        userids = sorted(user["id"] for user in present)
        profiles = self._fetch_profiles(rows, userids)
        return UsersState(
            rules=self.rules,
            dates=self.survey.dates,
            survey=self.users_survey,
            now=int(time.time()),
            users=users,
            verified=self._verified(rows, present),
            profile_fields=self.profile_fields,
            profiles=profiles,
            preferences=self._fetch_preferences(userids),
            memberships=self._fetch_memberships(rows, userids),
            grace=self.grace,
            sticky=self.sticky.fetch(
                self.overlay, {USER_TABLE: userids, PROFILE_TABLE: [row["id"] for row in profiles]}
            ),
        )

    def plan(self, rows: Sequence[UserCells], state: UsersState) -> UsersWritePlan:
        return UsersPlanner(state, self.option_values, self.names, self.numbers).plan_rows(rows)

    def count_outcomes(self, outcomes: Sequence[Outcome]) -> Mapping[str, Iterable[int]]:
        return noted_lines(outcomes, _DOUBTS)

    def prepare(self, plan: UsersWritePlan) -> None:
        """Hash the passwords of the chunk on all cores; no cell twice, even when the chunk has to be halved."""
        writes = [(insert.lines[-1], insert.values) for insert in plan.inserts.get("user", ())]
        writes += [(update.lines[-1], update.after) for update in plan.updates.get("user", ())]
        waiting = [(line, values) for line, values in writes if isinstance(values.get("password"), ClearPassword)]
        if not waiting:
            return
        cells = {(line, values["password"].text) for line, values in waiting}
        first_line = min(line for line, _values in waiting)
        self.hashes = {cell: hashed for cell, hashed in self.hashes.items() if cell[0] >= first_line}
        new = sorted(cells - self.hashes.keys())
        pepper = self.rules.peppers[0] if self.rules.peppers else ""
        hashed = self.passwords.hash_many([clear for _line, clear in new], self.rules.hash_format, pepper)
        self.hashes.update(zip(new, hashed, strict=True))
        for line, values in waiting:
            values["password"] = self.hashes[line, values["password"].text]

    def close(self) -> None:
        self.passwords.close()

    def check(self) -> None:
        self.absent.check()

    def note_named(self, rows: Sequence[UserCells], rejected: Sequence[ReadCells]) -> None:
        self.absent.note_named(rows, rejected)

    def next_closing_plan(self, end: FileEnd) -> UsersWritePlan:
        return self.absent.next_plan(end, int(time.time()))

    def final_notes(self) -> list[Note]:
        notes = super().final_notes()
        return [*notes, *self.absent.notes()] if self.is_complete else notes

    def _identities(self, rows: Sequence[UserCells]) -> dict[str, set[Any]]:
        """Return the identities by which the users that concern these rows are found."""
        usernames = {row.username for row in rows}
        if self.option_values.allowrename:
            usernames |= {row.oldusername for row in rows if row.oldusername is not None}
        identities: dict[str, set[Any]] = {"username": usernames}
        if UserCells.idnumber.name in self.names:
            identities["idnumber"] = {row.idnumber for row in rows if row.idnumber}
        if UserCells.email.name in self.names and (
            self.option_values.primaryidentity == "email" or not self.rules.allows_same_email
        ):
            identities["email"] = {row.email for row in rows if row.email}
        if self.option_values.primaryidentity == "id":
            identities["id"] = {row.id for row in rows if row.id is not None}
        return identities

    def _hostids(self, rows: Sequence[UserCells]) -> set[int]:
        return {self.rules.mnethostid, *(row.mnethostid for row in rows if row.mnethostid is not None)}

    def _verified(self, rows: Sequence[UserCells], users: Sequence[Mapping[str, Any]]) -> set[tuple[str, str]]:
        """Pairs of clear and stored password that belong together; the slow part of updating passwords, on all cores."""
        if UserCells.password.name not in self.names:
            return set()
        fold = self.users_table.folds["username"]
        stored: dict[str, list[str]] = {}
        for user in users:
            if user["password"]:
                stored.setdefault(fold(user["username"]), []).append(user["password"])
        pairs = [
            (clear, password)
            for row in rows
            if (clear := row.password)
            for username in (row.username, row.oldusername or "")
            for password in stored.get(fold(username), ())
        ]
        hashed = [pair for pair in pairs if not pair[1].startswith(NOT_HASHED)]
        matches = self.passwords.verify_many(hashed, self.rules.peppers)
        earlier = {(clear, kept) for clear, kept in pairs if kept.startswith(NOT_HASHED)}
        same = {(clear, kept) for clear, kept in earlier if ClearPassword(clear).in_overlay() == kept}
        return same | {pair for pair, matched in zip(hashed, matches, strict=True) if matched}

    def _fetch_preferences(self, userids: Sequence[int]) -> FoundRows:
        if UserCells.password.name not in self.names:
            return FoundRows(PREFERENCES)
        return fetch_user_preferences(self.moodle, self.overlay, userids, PASSWORD_PREFERENCES)

    def _fetch_profiles(self, rows: Sequence[UserCells], userids: Sequence[int]) -> FoundRows:
        fieldids = sorted({field.id for field in self.profile_fields.values()})
        values = {
            field.id: self._profile_values(name, field, rows)
            for name, field in self.profile_fields.items()
            if field.forceunique
        }
        return fetch_profiles(
            self.moodle, self.overlay, self.profile_table, userids=userids, fieldids=fieldids, values=values
        )

    def _profile_values(self, name: str, field: ProfileField, rows: Sequence[UserCells]) -> set[str]:
        """Return what the rows have for a field; cells that it can't take are left to the plan, which refuses them."""
        orders, values = self.survey.dates.orders_of(name), set()
        for row in rows:
            if (text := row.values.get(name)) is not None:
                with suppress(RowError):
                    values.add(profile_value(field, name, text, self.rules, orders))
        return values

    def _fetch_memberships(self, rows: Sequence[UserCells], userids: Sequence[int]) -> MembershipState:
        sets = [course_set for row in rows for course_set in course_sets(row, self.numbers.sets, self.rules)]
        gives_roles = any(system_role_cells(row, self.numbers.system_roles) for row in rows)
        names = {row.cohort for row in rows if row.cohort is not None}
        named = {text for row in rows for _column, text in cohort_cells(row, self.numbers.cohorts)}
        return fetch_memberships(
            self.moodle,
            self.overlay,
            course_identifier=self.option_values.courseidentifier,
            courses={course_set.course for course_set in sets},
            groups={(course_set.course, course_set.group) for course_set in sets if course_set.group},
            cohort_names=names | named,
            # A name may be the idnumber of another cohort.
            cohort_idnumbers={row.cohortid for row in rows if row.cohortid is not None} | names | named,
            userids=userids,
            system_roles=gives_roles,
        )

    def _contiguous_sets(self) -> tuple[int, ...]:
        """The numbers of the course sets: 1, 2 … up to the first course column that is missing."""
        found = UserCells.courses.numbers(self.names)
        numbers = [number for place, number in enumerate(found, start=1) if number == place]
        stray = sorted(
            column.numbered(number)
            for column in _SET_COLUMNS
            for number in column.numbers(self.names)
            if number not in numbers
        )
        if stray:
            self.file_notes.append(Note("course_set_gap", {"columns": ", ".join(stray)}))
        return tuple(numbers)

    def _match_profile_fields(self) -> dict[str, ProfileField]:
        """Return the custom profile fields that columns mean: column -> field. Unknown columns are noted once and ignored."""
        prefix = UserCells.profile_fields.name
        columns = [name for name in sorted(self.names) if name.startswith(prefix) or name in SOCIAL_COLUMNS]
        if not columns:
            return {}
        fields = fetch_profile_fields(self.moodle)
        # The header is read in lower case; Moodle's short names may hold capitals.
        by_shortname = {shortname.lower(): field for shortname, field in fields.items()}
        socials = {field.param1: field for field in fields.values() if field.datatype == "social"}
        matched = {}
        for name in columns:
            found = socials.get(name) if name in SOCIAL_COLUMNS else by_shortname.get(name.removeprefix(prefix))
            if found is None:
                self.file_notes.append(Note("profile_field_unknown", {"column": name}))
            else:
                matched[name] = found
        return matched
