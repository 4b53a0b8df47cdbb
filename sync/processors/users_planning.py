"""Decide what each row of a users file does. Pure: everything it knows is in the state."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import available_timezones

import pycountry
from django.utils.translation import gettext as _

from sync.columns.options import OptionValues
from sync.moodle import passwords
from sync.moodle.users import ProfileField, SiteRules
from sync.processors.accounts import Account, AccountBook, AccountsPlan, ClearPassword, RowRefused
from sync.processors.base import SplitChunk
from sync.processors.memberships import CourseSet, Memberships
from sync.processors.plan import Mail, Ref
from sync.processors.profile_values import profile_value
from sync.values import Action, Change, CleanRow, Note, Outcome

if TYPE_CHECKING:
    from sync.processors.users import UsersState

# Fields that go from the file into the account as they are; how an empty cell is meant is declared on the columns.
PLAIN_FIELDS = (
    "firstname", "lastname", "institution", "department", "address", "phone1", "phone2", "description", "city", "country",
    "lang", "timezone", "auth", "maildisplay", "maildigest", "mailformat", "autosubscribe", "trackforums", "suspended",
    "middlename", "alternatename", "firstnamephonetic", "lastnamephonetic", "theme", "calendartype", "emailstop", "imagealt",
)  # fmt: skip

_USERNAME = re.compile(r"[-.@_a-z0-9]+")
_LANGUAGE = re.compile(r"[a-z]{2,3}(_[a-z0-9]+)*")
_TIMEZONES = frozenset(available_timezones())
_COUNTRIES = frozenset(country.alpha_2 for country in pycountry.countries)


class UsersPlan(AccountsPlan):
    """Accounts, and what they belong to."""

    memberships: Memberships


class RowResult:
    """What one row has done so far; becomes its outcome when the chunk is through."""

    __slots__ = ("account", "action", "changes", "code", "effects", "line", "notes", "problems", "subject")

    def __init__(self, line: int, subject: str, account: Account | None, action: Action, code: str) -> None:
        self.line = line
        self.subject = subject
        self.account = account
        self.action = action
        self.code = code
        self.changes: list[Change] = []
        self.notes: list[Note] = []
        self.problems: list[Note] = []
        # What it touched; a later row of the same account that touches all of it again supersedes this one.
        self.effects: set[Any] = set()

    def withdraw(self, action: Action, code: str) -> None:
        """Say that the row comes to nothing after all."""
        self.action, self.code, self.changes = action, code, []
        self.notes = [note for note in self.notes if note.code != "password_changed"]


class UsersPlanner:
    """Plans one chunk of a users file, row by row in file order, on a view that later rows see.

    Spec: users.md section 4
    """

    def __init__(
        self, state: UsersState, options: OptionValues, names: Collection[str], set_numbers: Sequence[int]
    ) -> None:
        self.state = state
        self.rules: SiteRules = state.rules
        self.options = options
        self.names = names
        self.set_numbers = set_numbers
        self.book = AccountBook(state.accounts, folds=state.folds)
        self.plan = UsersPlan(self.book, state.now)
        self.memberships = self.plan.memberships = Memberships(state.memberships, self.plan, now=state.now)
        self.plain_fields = [name for name in PLAIN_FIELDS if name in names]
        self.preferences: dict[tuple[int | Ref, str], str] = {}
        self.mails: dict[int | Ref, Mail] = {}
        self.touched: set[int | Ref] = set()
        self.owners = {key: set(owners) for key, owners in state.owners.items()}

    def plan_rows(self, rows: Sequence[CleanRow]) -> UsersPlan:
        results: list[RowResult] = []
        for row in rows:
            try:
                result = self._plan_row(row)
            except RowRefused as refused:
                subject = row.values.get("username", "")
                self.plan.outcomes.append(Outcome(row.line, Action.REJECTED, refused.code, refused.params, subject))
            else:
                results.append(result)
                if result.account is not None and result.action is not Action.UNCHANGED:
                    self.touched.add(result.account.key)
        self.plan.write_accounts()
        self._end_tokens()
        self._write_profile_data()
        self._write_preferences()
        self.memberships.finish()
        self.plan.mails.extend(self.mails.values())
        _supersede(results)
        for result in results:
            self._set_idle(result)
        self.plan.outcomes.extend(_outcome_of(result) for result in results)
        return self.plan

    def _plan_row(self, row: CleanRow) -> RowResult:
        values = row.values
        if values.get("deleted"):
            return self._delete(row)
        hostid = self._check_values(values)
        account = self._match(values, hostid)
        new_values = self._account_values(values, account)
        self._check_unique(account, hostid, values, new_values)
        profile, notes = self._profile_values(values, account)
        if account is not None:
            result = self._update(row, account, new_values)
        elif self.options.resurrect and any(gone.username == values["username"] for gone in self.plan.deleted):
            # Whom an earlier row deletes can be brought back once that is done.
            raise SplitChunk(row.line)
        elif (revivable := self.state.revivable.get((hostid, values["username"]))) is not None:
            account, result = self._revive(row, revivable, new_values)
        else:
            account, result = self._create(row, hostid, new_values)
        result.notes.extend(notes)
        self._set_password(result, account, values)
        self._set_profile(result, account, profile)
        self._join(result, account, values)
        return result

    # --- which account ------------------------------------------------------------------------------------------------

    def _match(self, values: Mapping[str, Any], hostid: int) -> Account | None:
        """Find the account that a row means; None when it is to be made."""
        username = values["username"]
        if self.options.allowrename and "oldusername" in values:
            return self._match_for_rename(values["oldusername"], username, hostid)
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

    def _match_for_rename(self, oldusername: str, username: str, hostid: int) -> Account | None:
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

    # --- checks ---------------------------------------------------------------------------------------------------------

    def _check_values(self, values: dict[str, Any]) -> int:
        """Check what only the site can judge; give the id of the MNet host. Normalises language codes in place."""
        username = values["username"]
        if not self.rules.extended_usernames and not _USERNAME.fullmatch(username):
            raise RowRefused("username_invalid", "username", username=username)
        if values.get("country", "") and values["country"] not in _COUNTRIES:
            raise RowRefused("country_unknown", "country", country=values["country"])
        if "lang" in values:
            values["lang"] = values["lang"].removesuffix("_utf8")
            self._check_language(values["lang"])
        if "timezone" in values and not _is_timezone(values["timezone"]):
            raise RowRefused("timezone_unknown", "timezone", timezone=values["timezone"])
        if "auth" in values and not self.rules.has_auth_plugin(values["auth"]):
            raise RowRefused("auth_unknown", "auth", auth=values["auth"])
        if len(values.get("password", "")) > passwords.MAX_CHARACTERS:
            raise RowRefused("password_too_long", "password", limit=passwords.MAX_CHARACTERS)
        hostid: int = values.get("mnethostid", self.rules.mnethostid)
        if hostid != self.rules.mnethostid and hostid not in self.rules.mnethostids:
            raise RowRefused("mnethost_unknown", "mnethostid", mnethostid=hostid)
        return hostid

    def _check_language(self, lang: str) -> None:
        installed = self.rules.languages
        if installed is not None:
            if lang not in installed:
                raise RowRefused("language_not_installed", "lang", lang=lang, installed=", ".join(sorted(installed)))
        elif not _LANGUAGE.fullmatch(lang) or not _is_language(lang.partition("_")[0]):
            raise RowRefused("language_unknown", "lang", lang=lang)

    def _check_unique(
        self, account: Account | None, hostid: int, values: Mapping[str, Any], new_values: Mapping[str, Any]
    ) -> None:
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

    # --- the account ------------------------------------------------------------------------------------------------------

    def _account_values(self, values: Mapping[str, Any], account: Account | None) -> dict[str, Any]:
        """The fields that the row sets; on update, what an empty cell keeps and what is protected is left out."""
        new = {name: values[name] for name in self.plain_fields if name in values}
        if "email" in values:
            protected = account is not None and self.options.protectemails and account.values["email"]
            if not protected:
                new["email"] = values["email"]
        idnumber = values.get("idnumber", "")
        if idnumber or ("idnumber" in values and self.options.primaryidentity != "idnumber"):
            new["idnumber"] = idnumber
        if account is not None:
            new["username"] = values["username"]
            if new.get("suspended") and not account.values["suspended"] and account.key in self.rules.protected_ids:
                raise RowRefused("account_protected", "suspended", username=values["username"])
        return new

    def _create(self, row: CleanRow, hostid: int, new_values: dict[str, Any]) -> tuple[Account, RowResult]:
        username = row.values["username"]
        account = Account(Ref("user", (row.line,)), {})
        account.values = {
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
        account.lines.append(row.line)
        self.book.add(account)
        result = RowResult(row.line, username, account, Action.CREATED, "account_created")
        if "password" not in self.names and self.options.createpasswords and self._may_have_password(account):
            self._set_preference(account, "create_password", "1")
            self._set_preference(account, "auth_forcepasswordchange", "1")
        return account, result

    def _update(self, row: CleanRow, account: Account, new_values: Mapping[str, Any]) -> RowResult:
        changes = account.changes_to(new_values)
        old_username = account.values["username"]
        result = RowResult(row.line, row.values["username"], account, Action.UNCHANGED, "account_unchanged")
        email = account.values["email"]
        if "email" not in new_values and row.values.get("email", email) != email:
            result.notes.append(Note("email_protected", {"email": email}))
        if not changes:
            return result
        changed = {change.field for change in changes}
        self.book.change(account, {name: new_values[name] for name in changed}, row.line)
        result.action, result.code = Action.UPDATED, _update_code(changed, new_values)
        result.changes.extend(changes)
        result.effects |= changed
        if "username" in changed:
            result.notes.append(Note("account_renamed_from", {"username": old_username}))
        return result

    def _revive(
        self, row: CleanRow, stored: Mapping[str, Any], new_values: Mapping[str, Any]
    ) -> tuple[Account, RowResult]:
        """Take a deleted account up again. Source: spec users.md section 8, rule (b)."""
        account = Account(stored["id"], stored)
        values = {"email": "", "idnumber": "", **new_values, "deleted": 0, "username": row.values["username"]}
        account.values.update(values)
        account.lines.append(row.line)
        self.book.add(account)
        self.plan.revived.append(stored["id"])
        result = RowResult(row.line, row.values["username"], account, Action.UPDATED, "account_resurrected")
        result.changes.extend(Change(name, str(stored.get(name) or ""), str(value)) for name, value in values.items())
        if values["email"] and "password" not in self.names:
            self._set_preference(account, "create_password", "1")
        return account, result

    def _delete(self, row: CleanRow) -> RowResult:
        wanted = self.options.primaryidentity
        identity = wanted if wanted in self.names else "username"
        value = row.values.get(identity, "")
        if value == "":
            raise RowRefused("identity_empty", identity, identity=identity)
        hostid = row.values.get("mnethostid", self.rules.mnethostid)
        found = self.book.find(identity, value, hostid)
        if len(found) > 1:
            raise RowRefused("account_ambiguous", identity, value=value, count=len(found))
        if not found:
            return RowResult(row.line, row.values["username"], None, Action.UNCHANGED, "nothing_to_delete")
        account = found[0]
        if account.key in self.rules.protected_ids:
            raise RowRefused("account_protected", identity, username=account.values["username"])
        if account.key in self.touched:
            raise SplitChunk(row.line)
        self.book.remove(account)
        self.plan.delete_account(account)
        result = RowResult(row.line, account.values["username"], account, Action.DELETED, "account_deleted")
        result.notes.append(Note("account_deleted_id", {"id": account.key}))
        return result

    # --- password, preferences, profile ----------------------------------------------------------------------------------

    def _set_password(self, result: RowResult, account: Account, values: Mapping[str, Any]) -> None:
        """Spec: users.md sections 4.6 and 5.4."""
        if "password" not in values:
            return
        cell, stored = values["password"], account.values["password"]
        if cell == passwords.NO_PASSWORD:
            self._store_password(result, account, cell)
        elif not self.rules.keeps_passwords(account.values["auth"]):
            if cell or account.is_new:
                self._store_password(result, account, passwords.NOT_CACHED)
        elif account.values["auth"] == "nologin":
            return
        elif cell == "":
            if stored in ("", passwords.TO_BE_GENERATED):
                self._store_password(result, account, passwords.TO_BE_GENERATED)
                if self._set_preference(account, "create_password", "1"):
                    self._touch(result, "create_password")
        else:
            self._set_clear_password(result, account, cell)

    def _set_clear_password(self, result: RowResult, account: Account, clear: str) -> None:
        stored = account.stored.get("password", "")
        if (clear, stored) in self.state.verified:
            # Whatever earlier rows wanted, the last one wants what is there.
            self._store_password(result, account, stored)
            self.mails.pop(account.key, None)
        elif account.values["password"] != ClearPassword(clear):
            self._store_password(result, account, ClearPassword(clear))
            self._password_given(account, clear)

    def _store_password(self, result: RowResult, account: Account, value: str | ClearPassword) -> None:
        if account.values["password"] == value:
            return
        self.book.change(account, {"password": value}, result.line)
        if not account.is_new:
            self._touch(result, "password")
            result.notes.append(Note("password_changed", {}))

    def _password_given(self, account: Account, clear: str) -> None:
        if account.values["auth"] == "manual" and (account.is_new or self.rules.password_expires):
            self._set_preference(account, "auth_manual_passwordupdatetime", str(self.state.now))
        address = account.values["email"]
        if self.options.sendpasswordtousers and "@" in address and "NOMAIL" not in address.upper().replace(" ", ""):
            mail = _password_mail(self.rules.site_name, account.values["username"], address, clear)
            self.mails[account.key] = mail

    def _may_have_password(self, account: Account) -> bool:
        auth = account.values["auth"]
        return auth != "nologin" and self.rules.keeps_passwords(auth)

    def _set_preference(self, account: Account, name: str, value: str) -> bool:
        """Plan a preference; gives False when the account has it already."""
        key = (account.key, name)
        stored = self.state.preferences.get(key)
        present = self.preferences.get(key, stored[1] if stored is not None else None)
        if present == value:
            return False
        self.preferences[key] = value
        return True

    def _profile_values(
        self, values: Mapping[str, Any], account: Account | None
    ) -> tuple[list[tuple[str, ProfileField, str]], list[Note]]:
        """Convert the custom profile cells of a row, and refuse the row when a value must be unique and isn't."""
        converted, notes = [], []
        for name, field in self.state.profile_fields.items():
            if name not in values:
                continue
            data, note = profile_value(field, values[name], self.rules.timezone)
            if note is not None:
                notes.append(note)
            if field.forceunique and data:
                owners = self.owners.setdefault((field.id, data), set())
                if owners - {account.key if account is not None else None}:
                    raise RowRefused("profile_value_taken", name, value=data)
            converted.append((name, field, data))
        return converted, notes

    def _set_profile(
        self, result: RowResult, account: Account, profile: Sequence[tuple[str, ProfileField, str]]
    ) -> None:
        for name, field, data in profile:
            key = (account.key, field.id)
            stored = self.plan.profile_data.get(key)
            if stored is None and key in self.state.profile_data:
                stored = self.state.profile_data[key][1]
            if field.forceunique and data:
                self.owners[(field.id, data)].add(account.key)
            if stored == data:
                continue
            self.plan.profile_data[key] = data
            if not account.is_new:
                result.changes.append(Change(name, stored or "", data))
                self._touch(result, ("profile", field.id))

    def _touch(self, result: RowResult, effect: Any) -> None:
        result.effects.add(effect)
        if result.action is Action.UNCHANGED:
            result.action, result.code = Action.UPDATED, "account_updated"

    # --- cohort and courses ------------------------------------------------------------------------------------------------

    def _join(self, result: RowResult, account: Account, values: Mapping[str, Any]) -> None:
        joinings = []
        if "cohort" in values or "cohortid" in values:
            name, idnumber = values.get("cohort", ""), values.get("cohortid", "")
            joinings.append(self.memberships.add_to_cohort(account.key, name, idnumber, result.line))
        sets = course_sets(values, self.set_numbers, self.rules)
        joinings.extend(self.memberships.apply_course_set(account.key, course_set, result.line) for course_set in sets)
        for joined in joinings:
            if joined.changed:
                self._touch(result, ("membership", result.line))
            result.changes.extend(joined.changes)
            result.notes.extend(joined.notes)
            result.problems.extend(joined.problems)

    def _set_idle(self, result: RowResult) -> None:
        """Call a row unchanged that only takes back what earlier rows of the chunk would have done."""
        account = result.account
        if result.action is not Action.UPDATED or result.problems or account is None or account.is_new:
            return
        if result.effects and all(self._is_stored(account, effect) for effect in result.effects):
            result.withdraw(Action.UNCHANGED, "account_unchanged")

    def _is_stored(self, account: Account, effect: Any) -> bool:
        """Tell whether Moodle has already what the rows of the chunk leave of a field."""
        match effect:
            case str() if effect in account.stored:
                return bool(account.values[effect] == account.stored[effect])
            case ("profile", fieldid):
                key = (account.key, fieldid)
                return key in self.state.profile_data and self.state.profile_data[key][1] == self.plan.profile_data[key]
        return False

    # --- writes ------------------------------------------------------------------------------------------------------------

    def _end_tokens(self) -> None:
        if self.rules.deletes_tokens:
            updates = self.plan.updates.get("user", ())
            self.plan.tokens_ended.update(update.id for update in updates if "password" in update.after)

    def _write_profile_data(self) -> None:
        formats = {f.id: int(f.datatype == "textarea") for f in self.state.profile_fields.values()}
        for (key, fieldid), data in self.plan.profile_data.items():
            stored = self.state.profile_data.get((key, fieldid))
            if stored is None:
                row = {"userid": key, "fieldid": fieldid, "data": data, "dataformat": formats[fieldid]}
                self.plan.insert("user_info_data", row)
            elif stored[1] != data:
                self.plan.update("user_info_data", stored[0], {"data": stored[1]}, {"data": data})

    def _write_preferences(self) -> None:
        for (key, name), value in self.preferences.items():
            stored = self.state.preferences.get((key, name))
            if stored is None:
                self.plan.insert("user_preferences", {"userid": key, "name": name, "value": value})
            else:
                self.plan.update("user_preferences", stored[0], {"value": stored[1]}, {"value": value})
            self.plan.changed_preferences.add(key)


def course_sets(values: Mapping[str, Any], numbers: Sequence[int], rules: SiteRules) -> Iterator[CourseSet]:
    """Give the course sets of a row: course1, role1 …; a set whose course is empty is skipped."""
    for number in numbers:
        course = values.get(f"course{number}")
        if course:
            yield CourseSet(
                number=number,
                course=course,
                role=values.get(f"role{number}"),
                enrol=values.get(f"enrol{number}"),
                group=values.get(f"group{number}"),
                start=_seconds(values.get(f"start{number}"), rules),
                end=_seconds(values.get(f"end{number}"), rules),
                wwwroot=values.get(f"wwwroot{number}"),
            )


def _seconds(value: int | datetime | None, rules: SiteRules) -> int | None:
    return None if value is None else rules.seconds(value)


def _update_code(changed: Collection[str], values: Mapping[str, Any]) -> str:
    if "username" in changed:
        return "account_renamed"
    if set(changed) == {"suspended"}:
        return "account_suspended" if values["suspended"] else "account_reactivated"
    return "account_updated"


def _supersede(results: Sequence[RowResult]) -> None:
    """Mark the rows whose whole effect later rows of the same account overwrite."""
    later: dict[int, set[Any]] = {}
    for result in reversed(results):
        if result.account is None:
            continue
        overwritten = later.setdefault(id(result.account), set())
        only_effects = result.action is Action.UPDATED and result.effects and not result.problems
        if only_effects and result.effects <= overwritten and "username" not in result.effects:
            result.withdraw(Action.SUPERSEDED, "superseded")
        overwritten |= result.effects


def _outcome_of(result: RowResult) -> Outcome:
    changes = tuple(result.changes)
    if not result.problems:
        return Outcome(result.line, result.action, result.code, {}, result.subject, changes, tuple(result.notes))
    # Part of the row failed: what was done stays done and is said in the notes; the line goes into the tryback once.
    first, *others = result.problems
    done = [Note(result.code, {})] if result.action is not Action.UNCHANGED else []
    notes = (*done, *others, *result.notes)
    return Outcome(result.line, Action.REJECTED, first.code, first.params, result.subject, changes, notes)


def _is_timezone(name: str) -> bool:
    if name in _TIMEZONES:
        return True
    try:
        # Offsets in hours were the fashion before Moodle 2.8; 99 means the server's own.
        return name == "99" or -13 <= float(name) <= 13
    except ValueError:
        return False


def _is_language(code: str) -> bool:
    return pycountry.languages.get(**{"alpha_2" if len(code) == 2 else "alpha_3": code}) is not None


def _password_mail(site: str, username: str, address: str, clear: str) -> Mail:
    subject = _("Your account on %(site)s") % {"site": site}
    body = _(
        "An account has been prepared for you on %(site)s.\n\nUsername: %(username)s\nPassword: %(password)s\n\n"
        "Please change the password after your first login.\n"
    ) % {"site": site, "username": username, "password": clear}
    return Mail(address, subject, body)
