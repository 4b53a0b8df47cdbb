"""What each row of a file of cohorts does, as if the rows were carried out in file order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sync.moodle.cohorts.cohorts import Cohort, CohortMember
from sync.processors.base.errors import RowError
from sync.processors.base.planner import plan_each
from sync.processors.base.sticky import kept_notes
from sync.processors.cohorts.cells import CohortCells
from sync.processors.cohorts.options import CohortsOptions
from sync.processors.cohorts.plan import USER_EMPTY, CohortsPlan, CohortsState
from sync.processors.cohorts.rows import CohortRows
from sync.processors.memberships.cohort_sync import enrol_cohort_member, unenrol_cohort_member
from sync.processors.memberships.enrolment_results import accepted
from sync.processors.memberships.names import find_user, made_like_list
from sync.processors.memberships.rows import MembershipRows
from sync.values import Action, Change, Note, Outcome, partial_outcome

_NAMING = {"id": CohortCells.cid, "idnumber": CohortCells.cidnumber, "name": CohortCells.cname}


def cohort_text(row: CohortCells, identifier: str) -> str:
    """Return what names the cohort of a row: the column of the identifier, or cid in its stead."""
    return _NAMING[identifier].of(row) or row.cid or ""


class CohortsPlanner:
    """Plans one chunk."""

    def __init__(self, state: CohortsState, options: CohortsOptions) -> None:
        self.state = state
        self.options = options
        self.plan = CohortsPlan()
        self.rows = MembershipRows(state.memberships, self.plan, now=state.now)
        self.cohorts = CohortRows(state, self.rows, self.plan, options)

    def plan_rows(self, rows: Sequence[CohortCells]) -> CohortsPlan:
        def text_of(row: CohortCells) -> str:
            return cohort_text(row, self.state.identifier)

        self.plan.outcomes.extend(plan_each(rows, lambda row: self._plan_row(row, text_of(row)), text_of))
        return self._finished()

    def plan_deletion(self, lines: Mapping[int, int]) -> CohortsPlan:
        """Delete cohorts; nobody is in them any more. Shape: lines: id of the cohort -> line"""
        for cohortid, line in lines.items():
            self.cohorts.delete(self.rows.cohort(cohortid), line)
        return self._finished()

    def plan_leaving(self, member: CohortMember, line: int) -> bool:
        """Take a member out of a cohort; tell whether there was one."""
        return self._leave(member.userid, self.rows.cohort(member.cohortid), line)

    def finished(self) -> CohortsPlan:
        """Return the plan, with what follows from all that was done."""
        return self._finished()

    def _finished(self) -> CohortsPlan:
        self.rows.finish()
        return self.plan

    def _plan_row(self, row: CohortCells, text: str) -> Outcome:
        if not text:
            raise RowError("identity_empty", f"c{self.state.identifier}", identity=self.state.identifier)
        commands = {"add": self._add, "del": self._delete, "free": self._free}
        return commands[row.cmd](row, text)

    # --- commands ----------------------------------------------------------------------------------------------------

    def _add(self, row: CohortCells, text: str) -> Outcome:
        found = self._named_user(row)
        if not isinstance(found, Note):
            return self._add_member(row, text, found)
        # The cohort is made or changed and stays so; the line goes into the tryback for the user.
        return partial_outcome(self._add_member(row, text, None), [found])

    def _add_member(self, row: CohortCells, text: str, user: int | None) -> Outcome:
        """Make or change the cohort of a row, and put a user in it, if there is one."""
        cohort = self.cohorts.find(text)
        is_new = cohort is None
        alike = made_like_list(f"c{self.state.identifier}", text) if is_new else ()
        changes: list[Change] = []
        kept: list[str] = []
        if cohort is None:
            cohort = self.cohorts.create(text, self.cohorts.sticky.for_new(row, kept))
        else:
            changes = self.cohorts.update(cohort, row, kept)
        has_joined = user is not None and self._join(user, cohort, row.line)
        if has_joined:
            changes.append(Change("userid", "", row.userid or ""))
        action, code = Action.UNCHANGED, "cohort_unchanged" if user is None else "cohort_member_already"
        if is_new or has_joined:
            action, code = Action.CREATED, "cohort_created" if is_new else "cohort_member_added"
        elif changes:
            action, code = Action.UPDATED, "cohort_updated"
        return Outcome(row.line, action, code, {}, changes=tuple(changes), notes=(*alike, *kept_notes(kept)))

    def _delete(self, row: CohortCells, text: str) -> Outcome:
        user = self._user(row)
        cohort = self._present(text)
        if user is None and self.state.names_users:
            raise RowError(USER_EMPTY, "userid", cohort=text)
        if user is None:
            return self._delete_cohort(row, cohort)
        if not self._leave(user, cohort, row.line):
            return Outcome(row.line, Action.UNCHANGED, "cohort_member_missing", {})
        self.plan.left.add(text)
        change = Change("userid", row.userid or "", "")
        return Outcome(row.line, Action.DELETED, "cohort_member_removed", {}, changes=(change,))

    def _delete_cohort(self, row: CohortCells, cohort: Cohort) -> Outcome:
        self.cohorts.delete(cohort, row.line)
        gates = self.state.gates.get(cohort.id, 0)
        notes = (Note("cohort_gate_left", {"count": gates}),) if gates else ()
        return Outcome(row.line, Action.DELETED, "cohort_deleted", {}, notes=notes)

    def _free(self, row: CohortCells, text: str) -> Outcome:
        cohort = self._present(text)
        members = self.rows.members_of_cohort(cohort.id)
        if not members:
            return Outcome(row.line, Action.UNCHANGED, "cohort_empty_already", {})
        for user in members:
            self._leave(user, cohort, row.line)
        self.plan.left.add(text)
        return Outcome(row.line, Action.UPDATED, "cohort_freed", {"count": len(members)})

    # --- what a row names --------------------------------------------------------------------------------------------

    def _present(self, text: str) -> Cohort:
        cohort = self.cohorts.find(text)
        if cohort is None:
            raise self.cohorts.missing(text)
        return cohort

    def _user(self, row: CohortCells) -> int | None:
        """Return the user of a row; None where it names none. Raises: RowError for an unknown user"""
        found = self._named_user(row)
        return None if found is None else accepted(found)

    def _named_user(self, row: CohortCells) -> int | Note | None:
        """Return the user of a row, or say what is wrong; None where it names none."""
        if not row.userid:
            return None
        return find_user(self.state.named_users, self.state.useridentifier, row.userid, "userid")

    # --- members -----------------------------------------------------------------------------------------------------

    def _join(self, user: int, cohort: Cohort, line: int) -> bool:
        has_joined = self.rows.add_to_cohort(user, cohort.id, line)
        if has_joined and self.options.followenrolments:
            enrol_cohort_member(self.rows, user, cohort.id, line)
        return has_joined

    def _leave(self, user: int, cohort: Cohort, line: int) -> bool:
        has_left = self.rows.remove_from_cohort(user, cohort.id, line)
        if has_left and self.options.followenrolments:
            unenrol_cohort_member(self.rows, user, cohort.id, line)
        return has_left
