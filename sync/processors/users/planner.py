"""Decide what each row of a users file does. Pure: everything it knows is in the state."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sync.columns.clean import is_no_mail
from sync.columns.column import Column
from sync.moodle.users.users import ProfileField, SiteRules
from sync.processors.base.errors import RowError
from sync.processors.base.grace import GraceChange, GraceStep, values_back
from sync.processors.base.overlay import is_temporary
from sync.processors.base.processor import SplitChunk
from sync.processors.base.sticky import ChunkSticky, Value, kept_notes
from sync.processors.enrolments.methods import MANUAL
from sync.processors.memberships.enrolment_dates import given_date
from sync.processors.users.cells import UserCells
from sync.processors.users.checks import UserChecks, is_mailable
from sync.processors.users.chunk_users import ChunkUser, UsersWritePlan
from sync.processors.users.matching import UserMatcher
from sync.processors.users.options import UsersOptions
from sync.processors.users.passwords import UserPasswords
from sync.processors.users.profiles import UserProfiles
from sync.processors.users.row_memberships import CourseSet, Memberships
from sync.processors.users.state import USER_TABLE, RowResult, UsersState
from sync.processors.users.system_roles import system_role_cells
from sync.values import Action, Note, Outcome

# What goes from the file into the row of the user as it is; how an empty cell is meant is declared on the columns.
PLAIN_FIELDS: tuple[Column[Any], ...] = (
    UserCells.firstname, UserCells.lastname, UserCells.institution, UserCells.department, UserCells.address, UserCells.phone1,
    UserCells.phone2, UserCells.description, UserCells.city, UserCells.country, UserCells.lang, UserCells.timezone,
    UserCells.auth, UserCells.maildisplay, UserCells.maildigest, UserCells.mailformat, UserCells.autosubscribe,
    UserCells.trackforums, UserCells.suspended, UserCells.middlename, UserCells.alternatename, UserCells.firstnamephonetic,
    UserCells.lastnamephonetic, UserCells.theme, UserCells.calendartype, UserCells.emailstop, UserCells.imagealt,
)  # fmt: skip

# Rejections of a row whose identity is somebody else's -> by which value, "" = the primary identity.
_CLASHES = {"username_differs": "", "idnumber_taken": "idnumber", "email_taken": "email"}
# By these it shows whom a row is about.
_OF_THE_PERSON = frozenset(("firstname", "lastname", "idnumber"))


class UsersPlanner:
    """Plans one chunk of a users file, row by row in file order; later rows see what earlier ones did.

    Spec: users.md section 4
    """

    def __init__(
        self, state: UsersState, options: UsersOptions, names: Collection[str], numbers: ColumnNumbers
    ) -> None:
        self.state = state
        self.rules: SiteRules = state.rules
        self.options = options
        self.names = names
        self.numbers = numbers
        self.plan = UsersWritePlan(state.users, state.now)
        self.users = self.plan.users
        self.sticky = ChunkSticky(state.sticky, self.plan)
        rules, now = state.rules, state.now
        self.memberships = Memberships(
            state.memberships, self.plan, now=now, show_time=rules.shown_time, today=rules.start_of_day(now)
        )
        self.checks = UserChecks(state.rules)
        self.matcher = UserMatcher(self.users, state.rules, options, names)
        self.passwords = UserPasswords(state, options, self.plan)
        self.profiles = UserProfiles(state, self.plan, self.sticky)
        self.plain_fields = [column.name for column in PLAIN_FIELDS if column.name in names]
        self.touched: set[int] = set()

    def plan_rows(self, rows: Sequence[UserCells]) -> UsersWritePlan:
        results: list[RowResult] = []
        for row in rows:
            try:
                result = self._plan_row(row)
            except RowError as refused:
                code, params = self._of_the_same_file(row, refused)
                self.plan.outcomes.append(Outcome(row.line, Action.REJECTED, code, params, row.username))
            else:
                results.append(result)
                if result.user is not None and result.action is not Action.UNCHANGED:
                    self.touched.add(result.user.key)
        self.plan.write_users()
        self._end_tokens()
        self.profiles.write(self.plan)
        self.passwords.write()
        self.memberships.finish()
        self.plan.outcomes.extend(result.outcome() for result in results)
        return self.plan

    def _of_the_same_file(self, row: UserCells, refused: RowError) -> tuple[str, Mapping[str, Any]]:
        """Return code and values of a refusal; where an earlier row names the same, that is what the person must know."""
        identity = _CLASHES.get(refused.code)
        if identity is not None:
            name = identity or self.options.primaryidentity
            value = str(row.values.get(name, ""))
            if earlier := self.state.survey.earlier_line(name, value, row.line):
                return "identity_in_earlier_line", {"column": name, "value": value, "earlier": earlier}
        return refused.code, refused.params

    def _plan_row(self, row: UserCells) -> RowResult:
        notes = list[Note]()
        if row.deleted:
            return self._delete(row)
        row, hostid = self.checks.check(row, notes)
        user = self.matcher.find(row, hostid)
        if user is None or self.matcher.new_username(row, user) != user.values["username"]:
            self.checks.check_username(row.username)
        kept: list[str] = []
        row = row if user is not None else self.sticky.for_new(row, kept)
        new_values = self._user_values(row, user, kept)
        listed = self.state.grace.find(user.key, self.plan.grace) if user is not None else None
        if user is not None and listed:
            new_values = values_back(listed, user.values) | new_values
        self.matcher.check_unique(user, hostid, new_values)
        profile = self.profiles.values(row, user, kept)
        if user is not None and self.sticky.has_rules:
            row = self._without_kept_password(row, user, kept)
        if user is not None:
            if user.key in self.rules.untouchable_ids:
                self._refuse_changes(user, row, new_values, profile)
            result = self._update(row, user, new_values)
        elif self.options.resurrect and (user := self.users.find_deleted(row.username, hostid)) is not None:
            result = self._revive(row, user, new_values)
        else:
            user, result = self._create(row, hostid, new_values)
        result.notes.extend(notes)
        if self.sticky.has_rules:
            result.notes.extend(kept_notes(kept))
            self.sticky.note(USER_TABLE, user.key, new_values, row.line)
        self._warn_of_address(result, user, new_values)
        self.passwords.set(result, user, row)
        self.profiles.set(result, user, profile)
        self._join(result, user, row)
        if listed:
            self.plan.change_grace(GraceChange(GraceStep.ENDED, USER_TABLE, user.key, row.line))
            result.notes.append(Note("grace_ended_by_file", {}))
            result.touch()
        return result

    def _warn_of_address(self, result: RowResult, user: ChunkUser, new_values: Mapping[str, Any]) -> None:
        """Say where the row gives an address to which Moodle sends nothing."""
        address = new_values.get("email", "")
        is_given = result.creates or any(change.field == "email" for change in result.changes)
        if "@" in address and is_given and not is_no_mail(address) and not is_mailable(address):
            result.notes.append(Note("email_not_mailable", {"email": user.values["email"]}))

    def _user_values(self, row: UserCells, user: ChunkUser | None, kept: list[str]) -> dict[str, Any]:
        """The fields that the row sets; on update, what an empty cell or a rule keeps and what is protected is left out."""
        new = {name: row.values[name] for name in self.plain_fields if name in row.values}
        if row.email is not None:
            protected = user is not None and self.options.protectemails and user.values["email"]
            if not protected:
                new["email"] = row.email
        if row.idnumber or (row.idnumber is not None and self.options.primaryidentity != "idnumber"):
            new["idnumber"] = row.idnumber
        if user is not None:
            if self.sticky.has_rules:
                new = self.sticky.allowed(USER_TABLE, user.values, new, kept)
            new["username"] = self.matcher.new_username(row, user)
            if new.get("suspended") and not user.values["suspended"] and user.key in self.rules.protected_ids:
                raise RowError("account_protected", "suspended", username=row.username)
        return new

    def _without_kept_password(self, row: UserCells, user: ChunkUser, kept: list[str]) -> UserCells:
        """Return the row without a password that a rule keeps from taking the place of the present one."""
        name = UserCells.password.name
        if row.password is None or not self.passwords.would_change(user, row):
            return row
        if not self.sticky.keeps(name, Value(USER_TABLE, user.key, name, self.passwords.present(user))):
            return row
        kept.append(name)
        return row.replaced({UserCells.password: None})

    def _refuse_changes(
        self,
        user: ChunkUser,
        row: UserCells,
        new_values: Mapping[str, Any],
        profile: Sequence[tuple[str, ProfileField, str]],
    ) -> None:
        """Raises: RowError if the row would change anything of a protected user; what it leaves as it is may stand"""
        columns = [change.field for change in user.changes_to(new_values)]
        columns += ["password"] if self.passwords.would_change(user, row) else []
        columns += self.profiles.columns_to_change(user, profile)
        roles = system_role_cells(row, self.numbers.system_roles)
        columns += [cell.column for cell in roles if self.memberships.would_change_system_role(user.key, cell)]
        if columns:
            raise RowError("account_protected", columns[0], username=user.values["username"])

    def _create(self, row: UserCells, hostid: int, new_values: dict[str, Any]) -> tuple[ChunkUser, RowResult]:
        username = row.username
        self._refuse_second(row)
        values = {
            **self.rules.defaults,
            "deleted": 0,
            "suspended": 0,
            "picture": 0,
            "mnethostid": hostid,
            "username": username,
            "timecreated": self.state.now,
            "timemodified": self.state.now,
            **new_values,
        }
        user = self.users.add(values, row.line)
        result = RowResult(row.line, username, user, Action.CREATED, "account_created")
        if "password" not in self.names and self.options.createpasswords:
            self.passwords.have_made(user, row.line)
        return user, result

    def _refuse_second(self, row: UserCells) -> None:
        """Refuse to make a user who is there by another name. Raises: RowError"""
        old = row.oldusername
        if old and not self.options.allowrename and not self.users.is_same("username", old, row.username):
            raise RowError("rename_off", "oldusername", username=row.username, oldusername=old)

    def _doubts(self, row: UserCells, user: ChunkUser, changed: Collection[str], new: Mapping[str, Any]) -> list[Note]:
        """Return what makes it doubtful that the row is about this person, or that its columns are named right."""
        notes = list[Note]()
        names = ("firstname", "lastname")
        if all(name in changed for name in names) and self._is_exchange(user.values, new):
            notes.append(Note("names_exchanged", {}))
        if not _OF_THE_PERSON.isdisjoint(changed):
            earlier = self.state.survey.earlier_line("username", row.username, row.line)
            if earlier:
                notes.append(Note("user_in_earlier_line", {"earlier": earlier}))
        return notes

    @staticmethod
    def _is_exchange(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
        return bool(old["firstname"] == new["lastname"] != new["firstname"] == old["lastname"])

    def _update(self, row: UserCells, user: ChunkUser, new_values: Mapping[str, Any]) -> RowResult:
        changes = user.changes_to(new_values)
        old_username = user.values["username"]
        result = RowResult(row.line, row.username, user, Action.UNCHANGED, "account_unchanged")
        email = user.values["email"]
        if self.options.protectemails and "email" not in new_values and row.email not in (None, email):
            result.notes.append(Note("email_protected", {"email": email}))
        if not changes:
            return result
        changed = {change.field for change in changes}
        result.notes.extend(self._doubts(row, user, changed, new_values))
        self.users.change(user, {name: new_values[name] for name in changed}, row.line)
        result.action, result.code = Action.UPDATED, _update_code(changed, new_values)
        result.changes.extend(changes)
        if "username" in changed:
            result.notes.append(Note("account_renamed_from", {"username": old_username}))
        return result

    def _revive(self, row: UserCells, user: ChunkUser, new_values: Mapping[str, Any]) -> RowResult:
        """Bring a deleted user back. Source: spec users.md section 8, rule (b). Raises: RowError"""
        username = row.username
        if not user.stored["deleted"]:
            # Whom an earlier row deletes can be brought back once that is done.
            raise SplitChunk(row.line)
        if user.key in self.rules.untouchable_ids:
            # Moodle's list of administrators may still name this user.
            raise RowError("account_protected", "username", username=username)
        result = RowResult(row.line, username, user, Action.UPDATED, "account_resurrected")
        result.changes.extend(self.plan.revive_user(user, new_values, username, row.line))
        if user.values["email"] and "password" not in self.names:
            self.passwords.prefer(user, "create_password", "1", row.line)
        return result

    def _delete(self, row: UserCells) -> RowResult:
        user = self.matcher.find_to_delete(row)
        if user is None:
            return RowResult(row.line, row.username, None, Action.UNCHANGED, "nothing_to_delete")
        if user.key in self.touched:
            raise SplitChunk(row.line)
        if self.rules.unknown_tables:
            raise RowError("moodle_tables_unknown", "deleted", tables=", ".join(self.rules.unknown_tables))
        result = RowResult(row.line, user.values["username"], user, Action.DELETED, "account_deleted")
        if not is_temporary(user.key):
            result.notes.append(Note("account_deleted_id", {"id": user.key}))
        if self.state.grace.find(user.key, self.plan.grace):
            self.plan.change_grace(GraceChange(GraceStep.DELETED, USER_TABLE, user.key, row.line))
        self.plan.delete_user(user, row.line)
        self.profiles.delete(user, row.line)
        self.passwords.delete(user, row.line)
        return result

    def _join(self, result: RowResult, user: ChunkUser, row: UserCells) -> None:
        joinings = [
            self.memberships.apply_system_role(user.key, cell, result.line)
            for cell in system_role_cells(row, self.numbers.system_roles)
        ]
        if row.cohort or row.cohortid:
            joinings.append(self.memberships.add_to_cohort(user.key, row.cohort or "", row.cohortid or "", result.line))
        for column, named in cohort_cells(row, self.numbers.cohorts):
            joinings.append(self.memberships.add_to_cohort(user.key, named, named, result.line, column))
        default_method = MANUAL if self.options.enrolbydefault else None
        sets = course_sets(row, self.numbers.sets, self.rules, default_method)
        joinings.extend(self.memberships.apply_course_set(user.key, course_set, result.line) for course_set in sets)
        for joined in joinings:
            if joined.changed:
                result.touch()
            result.changes.extend(joined.changes)
            result.notes.extend(note for note in joined.notes if not self._is_of_file(note))
            result.problems.extend(joined.problems)

    def _is_of_file(self, note: Note) -> bool:
        """Return whether a note of the whole file tells the same."""
        return note.code == "course_set_empty" and bool(self.state.survey.notes)

    def _end_tokens(self) -> None:
        if self.rules.deletes_tokens:
            updates = self.plan.updates.get("user", ())
            self.plan.tokens_ended.update((update.id, update.lines) for update in updates if "password" in update.after)


class ColumnNumbers(NamedTuple):
    """The numbers of the columns of a file. Shape: sets: of course sets, without a gap; cohorts, system_roles: all of them"""

    sets: Sequence[int]
    cohorts: Sequence[int]
    system_roles: Sequence[int]


def course_sets(
    row: UserCells, numbers: Sequence[int], rules: SiteRules, default_method: str | None = None
) -> Iterator[CourseSet]:
    """Return the course sets of a row: course1, role1 …; a set whose course is empty is skipped.

    Shape: default_method: of sets that name none
    """
    for number in numbers:
        course = UserCells.courses.of(row, number)
        if course:
            yield CourseSet(
                number=number,
                course=course,
                role=UserCells.roles.of(row, number),
                enrol=UserCells.methods.of(row, number) or default_method,
                group=UserCells.groups.of(row, number),
                start=given_date(UserCells.starts.of(row, number), rules),
                end=given_date(UserCells.ends.of(row, number), rules),
                wwwroot=UserCells.remote_hosts.of(row, number),
                period=UserCells.periods.of(row, number),
                suspended=UserCells.statuses.of(row, number),
                legacy_type=UserCells.course_types.of(row, number),
            )


def cohort_cells(row: UserCells, numbers: Iterable[int]) -> list[tuple[str, str]]:
    """Return the columns cohort1, cohort2 … of a row with their cells: idnumber or name of a cohort, as in Moodle's upload.

    Shape: numbers: of all such columns of the file
    """
    column = UserCells.cohorts
    return [(column.numbered(number), named) for number in numbers if (named := column.of(row, number))]


def _update_code(changed: Collection[str], values: Mapping[str, Any]) -> str:
    if "username" in changed:
        return "account_renamed"
    if set(changed) == {"suspended"}:
        return "account_suspended" if values["suspended"] else "account_reactivated"
    return "account_updated"
