"""What becomes of users who are absent from a users file that is complete: they are suspended or deleted, a part at a time.

Compared with Moodle as it is when all rows are done, so that what somebody changed by hand since the last file is mended as well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from sync.columns.rows import ReadCells
from sync.errors import CommandFileError
from sync.moodle.users.users import SiteRules
from sync.processors.base.absence import ABSENT, DELETED, DONE, LEFT, NamedValues, lines_shown
from sync.processors.base.closing import ClosingObject, FileEnd, Verdict, changed_object
from sync.processors.base.context import ProcessorContext
from sync.processors.base.errors import RowError
from sync.processors.base.grace import GraceChange, GraceList, GraceStep
from sync.processors.base.overlay import FoundRows, Table
from sync.processors.memberships.named import fetch_named_users
from sync.processors.users.absent_scope import AbsentScope
from sync.processors.users.cells import UserCells
from sync.processors.users.checks import UserChecks
from sync.processors.users.chunk_users import KEY_FIELDS, ChunkUser, UsersWritePlan
from sync.processors.users.options import SUSPEND, UsersOptions
from sync.processors.users.state import USER_TABLE
from sync.values import Action, CleanRow, Note, Outcome

_FULL_NAME = ("firstname", "lastname")
_FIELDS = (*KEY_FIELDS, *_FULL_NAME)
_GONE = {"deleted": 1}
_OLD = UserCells.oldusername.name
# So many users of the scope are read at once.
_PAGE = 5000


class AbsentUsers:
    """Finds the users of the scope whom no row names, and plans what becomes of them."""

    def __init__(
        self, context: ProcessorContext, options: UsersOptions, rules: SiteRules, table: Table, grace: GraceList
    ) -> None:
        self._moodle = context.moodle
        self._overlay = context.overlay
        self._rules = rules
        self._checks = UserChecks(rules)
        self._table = table
        self._options = options
        self._grace = grace
        self._absence = context.collected.absence
        self._scope = AbsentScope(context, rules, table, options)
        # Whoever a row names by any of these isn't absent, be it that the row means somebody else in the end.
        self._identities = tuple(dict.fromkeys(("username", "idnumber", options.primaryidentity)))

    def check(self) -> None:
        """Raises: CommandFileError where the scope can't be what is meant, or nobody can be deleted"""
        self._scope.check()
        if self._options.absent != SUSPEND and self._rules.unknown_tables:
            raise CommandFileError("moodle_tables_unknown", tables=", ".join(self._rules.unknown_tables))

    # --- whom rows name ----------------------------------------------------------------------------------------------

    def note_named(self, rows: Sequence[UserCells], rejected: Sequence[ReadCells]) -> None:
        """Note whom rows name, those included that are rejected.

        Queries: one for each identity where users are renamed, one where names can't be usernames
        """
        everything: list[CleanRow] = [*rows, *(read.row for read in rejected)]
        self._note_renamed_nobody(everything)
        self._note_named_nobody(everything)
        for row in rows:
            self._note(row.values)
        telling = {*self._identities, _OLD}
        for read in rejected:
            is_named = self._note(read.row.values)
            if telling & read.unread or not is_named:
                self._absence.add_unread(read.row.line)

    def _note(self, values: Mapping[str, Any]) -> bool:
        """Note what a row has for the identities; False when it has nothing."""
        names = [(name, values.get(name)) for name in self._identities]
        names.append(("username", values.get(_OLD)))
        given = [(name, value) for name, value in names if value]
        for name, value in given:
            self._absence.named.setdefault(name, NamedValues()).add(self._folded(name, value))
        return bool(given)

    def _note_named_nobody(self, rows: Sequence[CleanRow]) -> None:
        """Note the rows whose names are no usernames, and nobody has them: names with a quote before them, say."""
        names = {row.line: str(row.values.get(UserCells.username.name) or "") for row in rows}
        doubtful = {line: name for line, name in names.items() if name and not self._may_be_username(name)}
        if not doubtful:
            return
        present = fetch_named_users(self._moodle, self._overlay, self._rules, "username", set(doubtful.values()))
        for line, name in doubtful.items():
            if name not in present:
                self._absence.add_unread(line)

    def _note_renamed_nobody(self, rows: Sequence[CleanRow]) -> None:
        """Note the rows that are to rename a user who isn't there, by the new name neither: they may mean anybody."""
        renaming = [row for row in rows if row.values.get(_OLD) and not row.values.get(UserCells.deleted.name)]
        if not renaming:
            return
        columns = {name: (name, _OLD) if name == "username" else (name,) for name in self._identities}
        present = {
            name: fetch_named_users(
                self._moodle, self._overlay, self._rules, name,
                {str(value) for row in renaming for column in of_identity if (value := row.values.get(column))},
            )
            for name, of_identity in columns.items()
        }  # fmt: skip
        nobody = [
            row
            for row in renaming
            if not any(str(row.values.get(col)) in present[name] for name, cols in columns.items() for col in cols)
        ]
        # Those that earlier rows make, or rename, aren't in Moodle yet.
        first = {
            self._folded("username", row.values["username"]): row.line
            for row in reversed(rows)
            if "username" in row.values
        }
        named = self._absence.named.get("username", NamedValues())
        for row in nobody:
            old = self._folded("username", row.values[_OLD])
            if old not in named and first.get(old, row.line) >= row.line:
                self._absence.add_unread(row.line)

    def _may_be_username(self, text: str) -> bool:
        try:
            self._checks.check_username(text)
        except RowError:
            return False
        return True

    def _folded(self, name: str, value: Any) -> str:
        return str(self._table.folded(name, value))

    def _is_named(self, user: Mapping[str, Any]) -> bool:
        named = self._absence.named
        return any(
            name in named and user[name] and self._folded(name, user[name]) in named[name] for name in self._identities
        )

    # --- what becomes of the others ----------------------------------------------------------------------------------

    def next_plan(self, end: FileEnd, now: int) -> UsersWritePlan:
        """Plan the next part; an empty plan when everybody was looked at, or when the file may not be whole."""
        absence = self._absence
        absence.doubt = self._doubt(end)
        if absence.doubt is not None:
            return UsersWritePlan(FoundRows(self._table), now)
        counts, left = Counter[str](), list[str]()
        upto, found = self._next_absent(end, counts, left)
        plan = UsersWritePlan(FoundRows(self._table, {user["id"]: user for user, _verdict in found}), now)
        plan.absent, plan.absent_upto, plan.absent_left = counts, upto, left
        for line, (user, verdict) in enumerate(found, end.line):
            if verdict is Verdict.DO:
                self._plan_user(ChunkUser(plan.users.rows, user["id"]), plan, line)
            else:
                plan.leave_changed([changed_object(ClosingObject(USER_TABLE, user["id"]), line, user["username"])])
        plan.write_users()
        if not found:
            absence.total = self._scope.count() + absence.counts[DELETED]
        return plan

    def notes(self) -> list[Note]:
        """Say how many were absent, and what became of them."""
        some = "absent_users_suspend" if self._options.absent == SUSPEND else "absent_users_delete"
        return self._absence.notes(some, "absent_users_none", self._scope.words)

    def _doubt(self, end: FileEnd) -> Note | None:
        """Return why nobody may be taken for absent."""
        lines = sorted(self._absence.unread)
        return Note("absent_left_unread", {"lines": lines_shown(lines)}) if lines else end.doubt

    def _next_absent(
        self, end: FileEnd, counts: Counter[str], left_out: list[str]
    ) -> tuple[int, list[tuple[dict[str, Any], Verdict]]]:
        """Return the last id that was looked at, and the next users whom no row names and who aren't as they are to be.

        Shape: counts: filled with what was found; left_out: with the names of those whom nobody has planned anything about
        """
        upto, found = self._absence.upto, list[tuple[dict[str, Any], Verdict]]()
        while page := self._scope.users.fetch(_FIELDS, after=upto, most=_PAGE):
            # Earlier files of a bundle that aren't carried out may have changed them, or taken them away.
            left = self._overlay.over(self._table, {user["id"]: user for user in page}).rows
            for user in ({**each, **left.get(each["id"], _GONE)} for each in page):
                upto = user["id"]
                if user.get("deleted") or self._is_named(user):
                    continue
                counts[ABSENT] += 1
                if not (code := self._code(user)):
                    continue
                verdict = end.verdict(ClosingObject(USER_TABLE, user["id"]), code, user["username"])
                if verdict is Verdict.UNPLANNED:
                    counts[LEFT] += 1
                    left_out.append(user["username"])
                    continue
                found.append((user, verdict))
                if len(found) == end.most:
                    return upto, found
        return upto, found

    def _code(self, user: Mapping[str, Any]) -> str:
        """Return what is to become of an absent user, "" = all is as it is to be."""
        is_listed = self._options.gracedays and self._grace.find(user["id"], {})
        if self._options.absent == SUSPEND or is_listed:
            return "" if user["suspended"] else "absent_user_suspended"
        if self._options.gracedays:
            return "absent_user_listed_for_deletion" if user["suspended"] else "absent_user_suspended_for_deletion"
        return "absent_user_deleted"

    def _plan_user(self, user: ChunkUser, plan: UsersWritePlan, line: int) -> None:
        code, values, words = self._code(user.values), user.values, self._scope.words
        about = ClosingObject(USER_TABLE, user.key)
        plan.absent[DONE] += 1
        if code == "absent_user_deleted":
            plan.absent[DELETED] += 1
            note = Note("account_deleted_id", {"id": user.key})
            plan.close(about, Outcome(line, Action.DELETED, code, words, values["username"], (), (note,)))
            if self._grace.find(user.key, {}):
                plan.change_grace(GraceChange(GraceStep.DELETED, USER_TABLE, user.key, line))
            plan.delete_user(user, line)
            return
        changes = user.changes_to({"suspended": 1})
        if code != "absent_user_suspended":
            day = self._grace.records.day_after(self._options.gracedays)
            words = {**words, "date": day}
            before = {"suspended": values["suspended"]} if changes else {}
            label = " ".join(str(values[name] or "") for name in _FULL_NAME).strip()
            listed = GraceChange(GraceStep.LISTED, USER_TABLE, user.key, line)
            plan.change_grace(listed._replace(name=values["username"], label=label, day=day, before=before))
        plan.close(about, Outcome(line, Action.UPDATED, code, words, values["username"], tuple(changes)))
        if changes:
            plan.users.change(user, {"suspended": 1}, line)
