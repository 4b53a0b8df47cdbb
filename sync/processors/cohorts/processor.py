"""`cohorts`: create, change and delete cohorts, and manage their members."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from django.utils.translation import gettext_lazy as _

from sync.columns.rows import ReadCells
from sync.moodle.categories.categories import fetch_categories
from sync.moodle.cohorts.cohorts import (
    count_cohort_members,
    fetch_dependent_rows,
    fetch_self_enrolment_gates,
)
from sync.moodle.db.identifiers import folding
from sync.moodle.users.users import SiteRules
from sync.processors.base.after_commit import AfterCommit
from sync.processors.base.closing import ClosingObject, EmptiedObject, FileEnd, next_emptied
from sync.processors.base.context import Collected
from sync.processors.base.operations import Applied
from sync.processors.base.overlay import Values, is_temporary
from sync.processors.base.plan import Plan
from sync.processors.base.processor import Processor
from sync.processors.base.row_counts import changed_lines, noted_lines
from sync.processors.base.sticky import Place, StickyColumn
from sync.processors.cohorts.absent import OUR_COMPONENTS, AbsentMembers
from sync.processors.cohorts.categories import CATEGORIES, CATEGORY_COLUMNS
from sync.processors.cohorts.cells import COHORT, CohortCells
from sync.processors.cohorts.export import CohortsExporter
from sync.processors.cohorts.options import CohortsOptions
from sync.processors.cohorts.plan import CohortsPlan, CohortsState, CohortSurvey
from sync.processors.cohorts.planner import CohortsPlanner, cohort_text
from sync.processors.cohorts.rows import COLUMNS
from sync.processors.memberships.fetch import fetch_memberships
from sync.processors.memberships.named import fetch_named_users
from sync.processors.memberships.names import MADE_LIKE_LISTS, NamedUsers, cohorts_named
from sync.processors.memberships.rows import MembershipRows
from sync.processors.memberships.state import COHORT_MEMBERS, MembershipState
from sync.values import Action, Note, Outcome

_EMPTIED = "cohort_deleted_empty"


@dataclass
class CohortsCollected(Collected):
    """Shape: left: the cohorts, as rows name them, that somebody was taken out of"""

    left: set[str] = field(default_factory=set)


class Cohorts(Processor[CohortCells, CohortsState, CohortsPlan]):
    """Cohorts and their members, with the enrolments that follow. Spec: cohorts.md sections 1 and 3."""

    key = "cohorts"
    label = _("Cohorts and their members")
    summary = _("Create, change, empty and delete cohorts, and put people in them or take them out.")
    default_filename = "cohorts.csv"
    file_survey = CohortSurvey
    after = ("users", "users_delete", "courses")
    options = CohortsOptions
    plans_are_data = True
    exporter = CohortsExporter
    sticky_columns = (
        *(StickyColumn(column, (Place(COHORT, name),)) for name, column in COLUMNS.items() if name != "idnumber"),
        *(StickyColumn(column, (Place(COHORT, "contextid"),)) for column in CATEGORIES),
    )

    collected_type = CohortsCollected
    emptied_notes = MappingProxyType({_EMPTIED: "cohorts_deleted_empty"})

    def setup(self, names: Sequence[str]) -> None:
        self.names = frozenset(names)
        self.rules = SiteRules(self.moodle)
        names_users = isinstance(self.survey.found, CohortSurvey) and self.survey.found.names_users
        self.absent = AbsentMembers(self.context, self.option_values, self.rules, names_users=names_users)

    def fetch(self, rows: Sequence[CohortCells]) -> CohortsState:
        named_users = fetch_named_users(
            self.moodle,
            self.overlay,
            self.rules,
            self.option_values.useridentifier,
            {row.userid for row in rows if row.userid},
        )
        takes_everybody = any(_takes_everybody(row) for row in rows)
        userids = None if takes_everybody else sorted({userid for found in named_users.values() for userid in found})
        memberships = fetch_memberships(self.moodle, self.overlay, userids=userids, **self._names_in(rows))
        return self._state(named_users, memberships, may_delete=takes_everybody)

    def plan(self, rows: Sequence[CohortCells], state: CohortsState) -> CohortsPlan:
        plan = CohortsPlanner(state, self.option_values).plan_rows(rows)
        if isinstance(self.survey.found, CohortSurvey):
            otherwise = self.survey.found.named_otherwise[self.option_values.cohortidentifier]
            plan.counted = {"cohort_named_otherwise_in_rows": otherwise & changed_lines(plan.outcomes)}
        return plan

    def count_outcomes(self, outcomes: Sequence[Outcome]) -> Mapping[str, Iterable[int]]:
        return noted_lines(outcomes, MADE_LIKE_LISTS)

    def owed_after_commit(self, plan: CohortsPlan, applied: Applied) -> AfterCommit:
        owed = super().owed_after_commit(plan, applied)
        if self.option_values.syncdelete:
            # Stored with the chunk: a run that is taken up again must know it, and nothing that wasn't committed.
            owed.gone = dict.fromkeys(sorted(plan.left), 0)
        return owed

    def collect(self, owed: AfterCommit) -> None:
        super().collect(owed)
        self.collected.left.update(str(name) for name in owed.gone)

    def check(self) -> None:
        self.absent.check()

    def note_named(self, rows: Sequence[CohortCells], rejected: Sequence[ReadCells]) -> None:
        self.absent.note_named(rows, rejected)

    def next_closing_plan(self, end: FileEnd) -> CohortsPlan | None:
        found = self.absent.next_members(end)
        plan = CohortsPlan()
        if found.members:
            memberships = fetch_memberships(
                self.moodle,
                self.overlay,
                userids=sorted({member.userid for member, _verdict in found.members}),
                cohort_ids=sorted({member.cohortid for member, _verdict in found.members}),
            )
            planner = CohortsPlanner(self._state({}, memberships, may_delete=False), self.option_values)
            plan = self.absent.plan(found, planner, end)
        plan.absent, plan.absent_upto, plan.absent_left = found.counts, found.upto, found.left
        return plan

    def final_notes(self) -> list[Note]:
        notes = super().final_notes()
        return [*notes, *self.absent.notes()] if self.is_complete else notes

    def next_emptied_plan(self, end: FileEnd) -> CohortsPlan | None:
        """Delete the next cohorts that the file has left empty."""
        if not (self.option_values.syncdelete and self.collected.left):
            return None
        empty = self._empty_cohorts()
        found = [EmptiedObject(ClosingObject(COHORT, key), _EMPTIED, row["name"]) for key, row in empty.items()]
        part = next_emptied(found, end, self.collected.unplanned)
        lines = {each.about.rowid: line for line, each in part.objects.items()}
        present = [cohortid for cohortid in lines if not is_temporary(cohortid)]
        memberships = fetch_memberships(self.moodle, self.overlay, cohort_ids=present, userids=None)
        cohorts = replace(memberships.cohorts, rows={cohortid: empty[cohortid] for cohortid in lines})
        state = self._state({}, replace(memberships, cohorts=cohorts), may_delete=True)
        plan = CohortsPlanner(state, self.option_values).plan_deletion(lines)
        for line, each in part.objects.items():
            plan.close(each.about, Outcome(line, Action.DELETED, each.code, {}, each.name))
        plan.leave_changed(part.changed)
        return plan

    def _empty_cohorts(self) -> dict[int, Values]:
        """Return the cohorts that have lost members to the file and have none left, unless another plugin owns them."""
        identifier = self.option_values.cohortidentifier
        found = fetch_memberships(
            self.moodle, self.overlay, userids=(), **cohorts_named(identifier, self.collected.left)
        )
        rows = MembershipRows(found, Plan(), now=0)
        meant = (rows.find_cohorts(identifier, text) for text in sorted(self.collected.left))
        cohorts = {of_text[0].id: rows.cohorts[of_text[0].id] for of_text in meant if len(of_text) == 1}
        counts = count_cohort_members(self.moodle, [cohortid for cohortid in cohorts if not is_temporary(cohortid)])
        # Where earlier chunks aren't carried out, nobody has left yet.
        balance = self.overlay.balance(COHORT_MEMBERS, "cohortid", cohorts)
        return {
            cohortid: row
            for cohortid, row in cohorts.items()
            if row["component"] in OUR_COMPONENTS and counts.get(cohortid, 0) + balance[cohortid] == 0
        }

    def _names_in(self, rows: Sequence[CohortCells]) -> dict[str, Any]:
        """Return everything by which the cohorts of a chunk are looked up, names that must not be taken with them."""
        identifier = self.option_values.cohortidentifier
        texts = {cohort_text(row, identifier) for row in rows} - {""}
        names = {row.cname for row in rows if row.cname}
        if identifier == "idnumber":
            # A cohort without a name of its own is called by its idnumber.
            names |= {cohort_text(row, identifier) for row in rows if not row.cname} - {""}
        idnumbers = {row.cidnumber for row in rows if row.cidnumber}
        return cohorts_named(identifier, texts, names, idnumbers)

    def _state(self, named_users: NamedUsers, memberships: MembershipState, *, may_delete: bool) -> CohortsState:
        cohortids = [cohortid for cohortid in memberships.cohorts.rows if not is_temporary(cohortid)]
        has_categories = CATEGORY_COLUMNS & self.names
        return CohortsState(
            now=int(time.time()),
            identifier=self.option_values.cohortidentifier,
            useridentifier=self.option_values.useridentifier,
            named_users=named_users,
            memberships=memberships,
            dependent_tables=fetch_dependent_rows(self.moodle, cohortids) if may_delete else {},
            gates=fetch_self_enrolment_gates(self.moodle, cohortids) if may_delete else {},
            categories=fetch_categories(self.moodle) if has_categories else (),
            fold_category=folding(self.moodle, "course_categories", "idnumber") if has_categories else str,
            fold_category_name=folding(self.moodle, "course_categories", "name") if has_categories else str,
            names_users=isinstance(self.survey.found, CohortSurvey) and self.survey.found.names_users,
            sticky=self.sticky.fetch(self.overlay, {COHORT: list(memberships.cohorts.rows)}),
        )


def _takes_everybody(row: CohortCells) -> bool:
    """Whether a row is about all members of its cohort."""
    return row.cmd == "free" or (row.cmd == "del" and not row.userid)
