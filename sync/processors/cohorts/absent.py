"""What becomes of members of cohorts who are absent from a file that is complete: they are taken out, a part at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field

from django.utils.functional import cached_property

from sync.columns.rows import ReadCells
from sync.errors import CommandFileError
from sync.moodle.cohorts.cohorts import CohortMember, MembersOfCohorts, fetch_all_cohorts
from sync.moodle.db.identifiers import folding
from sync.moodle.users.users import SiteRules
from sync.processors.base.absence import (
    ABSENT,
    DONE,
    LEFT,
    UNSURE,
    NamedPair,
    NamedValues,
    fold_id,
    lines_shown,
    pair_key,
)
from sync.processors.base.closing import ClosingObject, FileEnd, Verdict, changed_object
from sync.processors.base.context import CreatedRows, ProcessorContext
from sync.processors.base.overlay import Values, is_temporary
from sync.processors.cohorts.cells import CohortCells
from sync.processors.cohorts.options import CREATED, NAMED, PREFIX, CohortsOptions
from sync.processors.cohorts.plan import CohortsPlan
from sync.processors.cohorts.planner import CohortsPlanner, cohort_text
from sync.processors.memberships.named import fetch_named_users
from sync.processors.memberships.state import COHORT_MEMBERS, COHORTS
from sync.values import Action, Change, Note, Outcome

# Cohorts with another component belong to the plugin of that name.
OUR_COMPONENTS = frozenset(("", "tool_sync"))
REMOVED = "absent_member_removed"
_COLUMN = {"id": "cid", "idnumber": "cidnumber", "name": "cname"}
# Keys of `Absence.named`, and of `Absence.counts`.
_PAIRS, _COHORTS = "pairs", "cohorts"
_UNNAMED = "unnamed"
# So many members of the scope are read at once.
_PAGE = 5000


@dataclass
class FoundMembers:
    """The next members to be taken out.

    Shape: upto: the last id that was looked at; members: with whether that is as planned; left: names of those whom nobody has
    planned to take out; cohorts: those of the scope, by id
    """

    upto: int
    members: list[tuple[CohortMember, Verdict]] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    cohorts: Mapping[int, Values] = field(default_factory=dict)


class AbsentMembers:
    """Finds the members whom no row names with their cohort. Shape: names_users: any row of the file names a user"""

    def __init__(
        self, context: ProcessorContext, options: CohortsOptions, rules: SiteRules, *, names_users: bool
    ) -> None:
        self._moodle = context.moodle
        self._overlay = context.overlay
        self._options = options
        self._rules = rules
        self._names_users = names_users
        self._absence = context.collected.absence
        self._records = context.records
        self._is_created = options.absentscope == CREATED

    @cached_property
    def _words(self) -> dict[str, str]:
        if self._is_created:
            return {"since": self._created.since, "hint": "absent_scope_created_members"}
        hint = "absent_scope_prefix" if self._options.absentscope == PREFIX else "absent_scope_named"
        return {"name": self._options.absentname, "hint": hint}

    @property
    def _created(self) -> CreatedRows:
        return self._records.created(COHORT_MEMBERS.name)

    def check(self) -> None:
        """Raises: CommandFileError where the scope isn't named, is no cohort, or is all of them. Queries: one"""
        options = self._options
        if (fault := options.fault()) is not None:
            raise CommandFileError(fault.code, **fault.params)
        if self._is_created and not self._created.ids:
            raise CommandFileError("absent_created_nothing")
        if options.absentscope == PREFIX:
            # Those of plugins are in no scope.
            found = self._cohorts()
            cohorts = [row for row in self._all_cohorts().values() if row["component"] in OUR_COMPONENTS]
            if not found:
                raise CommandFileError("absent_cohorts_missing", **self._words)
            if len(found) == len(cohorts) and not options.absentall:
                raise CommandFileError("absent_cohorts_all", **self._words)

    # --- whom rows name ----------------------------------------------------------------------------------------------

    def note_named(self, rows: Sequence[CohortCells], rejected: Sequence[ReadCells]) -> None:
        """Note which cohorts, and whom in them, rows name, those included that are rejected.

        Queries: one, one more for each 10,000 users, and one where cohorts have to be there
        """
        telling = {_COLUMN[self._options.cohortidentifier], CohortCells.cid.name, CohortCells.userid.name}
        read_rows = list(rows)
        for read in rejected:
            if telling & read.unread or not isinstance(read.row, CohortCells):
                self._absence.add_unread(read.row.line)
            else:
                read_rows.append(read.row)
        both = [row for row in read_rows if self._note(row)]
        users = {row.userid or "" for row in both}
        present = fetch_named_users(self._moodle, self._overlay, self._rules, self._options.useridentifier, users)
        has_to_be_there = self._options.cohortidentifier == "id" or not self._options.autocreate
        cohorts = (
            {self._fold_cohort(self._text_of(row)) for row in self._all_cohorts().values()} if has_to_be_there else None
        )
        self._absence.add_pairs(_PAIRS, (self._named_pair(row, cohorts, present) for row in both))

    def _note(self, row: CohortCells) -> bool:
        """Note the cohort of a row; tell whether it names a user as well."""
        cohort, user = cohort_text(row, self._options.cohortidentifier), row.userid
        if cohort:
            self._named(_COHORTS).add(self._fold_cohort(cohort))
        if not cohort or (not user and self._names_users and row.values.get(CohortCells.cmd.name) != "free"):
            # Where others name users, an empty cell is somebody who wasn't found.
            self._absence.add_unread(row.line)
        return bool(cohort and user)

    def _named_pair(self, row: CohortCells, cohorts: Container[str] | None, users: Container[str]) -> NamedPair:
        """Shape: cohorts: those that are there, None where a row makes the one that isn't"""
        cohort = self._fold_cohort(cohort_text(row, self._options.cohortidentifier))
        is_there = cohorts is None or cohort in cohorts
        takes_away = row.values.get(CohortCells.cmd.name) == "del"
        return NamedPair(row.line, cohort, self._fold_user(row.userid or ""), is_there, row.userid in users, takes_away)

    def _named(self, what: str) -> NamedValues:
        return self._absence.named.setdefault(what, NamedValues())

    @property
    def _fold_cohort(self) -> Callable[[str], str]:
        identifier = self._options.cohortidentifier
        return fold_id if identifier == "id" else folding(self._moodle, "cohort", identifier)

    @property
    def _fold_user(self) -> Callable[[str], str]:
        identifier = self._options.useridentifier
        return fold_id if identifier == "id" else folding(self._moodle, "user", identifier)

    # --- who leaves --------------------------------------------------------------------------------------------------

    def next_members(self, end: FileEnd) -> FoundMembers:
        """Return the next members who are to be taken out; none when all were looked at, or the file may not be whole."""
        absence = self._absence
        absence.doubt = self._doubt(end)
        found = FoundMembers(absence.upto)
        if absence.doubt is not None:
            return found
        found.cohorts = self._cohorts()
        members = MembersOfCohorts(
            self._moodle, found.cohorts.keys(), self._rules.protected_ids, self._options.useridentifier,
            hostid=self._rules.mnethostid, among=self._created.ids if self._is_created else None,
        )  # fmt: skip
        while len(found.members) < end.most and (page := members.fetch(after=found.upto, most=_PAGE)):
            self._look_at(page, found, end)
        if not found.members:
            absence.total = self._count(members, found.cohorts) + absence.counts[DONE]
        return found

    def _count(self, members: MembersOfCohorts, cohorts: Mapping[int, Values]) -> int:
        """Return how many members are in the scope: now, or once what was planned so far is carried out."""
        if not self._is_created:
            return members.count() + sum(self._overlay.balance(COHORT_MEMBERS, "cohortid", cohorts).values())
        # Of those whom earlier rows would take out nobody knows who put them in, but for the ones that are found here.
        count, after = 0, 0
        while page := members.fetch(after=after, most=_PAGE):
            after = page[-1].id
            rows = {(member.cohortid, member.userid): {"id": member.id} for member in page}
            present = self._overlay.over(COHORT_MEMBERS, rows).rows
            count += sum(key in present for key in rows)
        return count + sum(
            cohortid in cohorts and values is not None and is_temporary(values["id"])
            for (cohortid, _userid), values in self._overlay.each_change(COHORT_MEMBERS)
        )

    def _look_at(self, page: Sequence[CohortMember], found: FoundMembers, end: FileEnd) -> None:
        """Look at members until a part is full."""
        rows = {(member.cohortid, member.userid): {"id": member.id} for member in page}
        # Rows of a file that isn't carried out may have taken them out.
        present = self._overlay.over(COHORT_MEMBERS, rows).rows
        for member in page:
            if len(found.members) == end.most:
                return
            found.upto = member.id
            if (member.cohortid, member.userid) in present:
                self._look_at_one(member, found, end)

    def _look_at_one(self, member: CohortMember, found: FoundMembers, end: FileEnd) -> None:
        if not member.named_by:
            found.counts[_UNNAMED] += 1
            return
        cohort = found.cohorts[member.cohortid]
        place, user = self._fold_cohort(self._text_of(cohort)), self._fold_user(member.named_by)
        if pair_key(place, user) in self._named(_PAIRS):
            return
        if self._absence.is_unsure(place, user):
            found.counts[UNSURE] += 1
            return
        found.counts[ABSENT] += 1
        verdict = end.verdict(ClosingObject(COHORT_MEMBERS.name, member.id), REMOVED, self._subject(member, cohort))
        if verdict is Verdict.UNPLANNED:
            found.counts[LEFT] += 1
            found.left.append(self._subject(member, cohort))
            return
        found.counts[DONE] += verdict is Verdict.DO
        found.members.append((member, verdict))

    def plan(self, found: FoundMembers, planner: CohortsPlanner, end: FileEnd) -> CohortsPlan:
        """Plan that members leave."""
        for line, (member, verdict) in enumerate(found.members, end.line):
            cohort = found.cohorts[member.cohortid]
            about, subject = ClosingObject(COHORT_MEMBERS.name, member.id), self._subject(member, cohort)
            if verdict is Verdict.CHANGED:
                planner.plan.leave_changed([changed_object(about, line, subject)])
                continue
            planner.plan_leaving(member, line)
            planner.plan.left.add(self._text_of(cohort))
            params = {**self._words, "username": member.username, "cohort": cohort["name"]}
            change = Change(CohortCells.userid.name, member.named_by, "")
            planner.plan.close(about, Outcome(line, Action.DELETED, REMOVED, params, subject, (change,)))
        return planner.finished()

    def notes(self) -> list[Note]:
        """Say how many were absent, and what became of them."""
        further = {_UNNAMED: "absent_left_unnamed"}
        return self._absence.notes("absent_members", "absent_members_none", self._words, further)

    def _doubt(self, end: FileEnd) -> Note | None:
        if self._absence.unread:
            return Note("absent_left_unread", {"lines": lines_shown(self._absence.unread)})
        return end.doubt if end.doubt is not None or self._names_users else Note("absent_left_nobody", {})

    # --- cohorts of the scope ----------------------------------------------------------------------------------------

    def _cohorts(self) -> dict[int, Values]:
        """Return the cohorts of the scope; of those that the file names none whose name several have. Queries: one"""
        cohorts = self._all_cohorts()
        ours = {cohortid: row for cohortid, row in cohorts.items() if row["component"] in OUR_COMPONENTS}
        if self._options.absentscope == NAMED:
            named, fold = self._named(_COHORTS), self._fold_cohort
            alike = Counter(fold(self._text_of(row)) for row in cohorts.values())
            texts = {cohortid: fold(self._text_of(row)) for cohortid, row in ours.items()}
            return {cohortid: ours[cohortid] for cohortid, text in texts.items() if alike[text] == 1 and text in named}
        prefix = self._options.absentname
        return {cohortid: row for cohortid, row in ours.items() if (row["idnumber"] or "").startswith(prefix)}

    def _all_cohorts(self) -> Mapping[int, Values]:
        return self._overlay.over(COHORTS, fetch_all_cohorts(self._moodle), everything=True).rows

    def _text_of(self, cohort: Values) -> str:
        """Return what names a cohort in the file."""
        return str(cohort[self._options.cohortidentifier] or "")

    def _subject(self, member: CohortMember, cohort: Values) -> str:
        return f"{member.username} / {self._text_of(cohort) or cohort['name']}"
