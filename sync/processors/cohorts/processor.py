"""`cohorts`: create, change and delete cohorts, and manage their members."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from django.utils.translation import gettext_lazy as _

from sync.columns.clean import flag, integer, one_of, text
from sync.columns.column import Column, Columns
from sync.moodle.categories.categories import fetch_categories
from sync.moodle.cohorts.cohorts import (
    Cohort,
    CohortDetails,
    count_cohort_members,
    fetch_cohort_belongings,
    fetch_cohort_details,
    fetch_self_enrolment_gates,
)
from sync.moodle.db.identifiers import folding
from sync.moodle.users.users import SiteRules
from sync.processors.base.after_commit import AfterCommit
from sync.processors.base.context import Collected
from sync.processors.base.operations import Ref
from sync.processors.base.processor import Processor
from sync.processors.cohorts.categories import CATEGORY_COLUMNS
from sync.processors.cohorts.options import CohortsOptions
from sync.processors.cohorts.plan import CohortsPlan, CohortsState, CohortSurvey, as_cohort
from sync.processors.cohorts.planner import CohortsPlanner, cohort_text
from sync.processors.memberships.cohort_book import CohortBook, lookup
from sync.processors.memberships.fetch import fetch_memberships
from sync.processors.memberships.group_purge import listed
from sync.processors.memberships.named_users import NamedUsers, fetch_named_users
from sync.processors.memberships.state import MembershipState
from sync.values import Action, CleanRow, Note, Outcome

# Cohorts with another component belong to the plugin of that name.
_OUR_COMPONENTS = frozenset(("", "tool_sync"))


@dataclass
class CohortsCollected(Collected):
    """Shape: left: the cohorts, as rows name them, that somebody was taken out of"""

    left: set[str] = field(default_factory=set)


class Cohorts(Processor[CohortsState, CohortsPlan]):
    """Cohorts and their members, with the enrolments that follow. Spec: cohorts.md sections 1 and 3."""

    key = "cohorts"
    label = _("Cohorts and their members")
    summary = _("Create, change, empty and delete cohorts, and put people in them or take them out.")
    default_filename = "cohorts.csv"
    file_survey = CohortSurvey
    after = ("users", "users_delete", "courses")
    columns = Columns(
        Column("cmd", one_of("add", "del", "free"), default="add", sample="add",
               help=_("add: the cohort or a member; del: the member, or the cohort in a file that names no users; free: all "
                      "members.")),
        Column("cid", text(255), refers=True,
               help=_("The id when that is the identifier; else stands in for its column.")),
        Column("cidnumber", text(255), aliases=("idnumber",),
               stored_in=("cohort", "idnumber"), refers=True, sample="YEAR1"),
        Column("cname", text(254), aliases=("name",), stored_in=("cohort", "name"), decides=True, names=True,
               sample="First year"),
        Column("cdescription", text(), aliases=("description",), help=_("HTML.")),
        Column("component", text(100), stored_in=("cohort", "component"), help=_("The plugin that owns it; mostly empty.")),
        Column("ccatcontext", integer(), aliases=("category_id",), refers=True, for_new=_("the whole site"),
               help=_("Number of the category that the cohort belongs to; 0 = the whole site.")),
        Column("ccatcontextidnumber", text(100), aliases=("category_idnumber",),
               refers=True, help=_("The same by the category's idnumber.")),
        Column("category_path", text(), refers=True,
               help=_("The same by the names on the way to it, as Moodle shows them: Science / Physics.")),
        Column("category", text(), refers=True,
               help=_("As in Moodle's own upload: its path, its number or its idnumber, where only one category fits.")),
        Column("contextid", integer(1), refers=True,
               help=_("The same by Moodle's number of the context, that of the category or of the whole site.")),
        Column("visible", flag(), decides=True, for_new=_("1, visible"), help=_("0 hides the cohort from teachers.")),
        Column("descriptionformat", one_of({"1": 1}), help=_("Known from Moodle's own upload: 1, HTML.")),
        Column("userid", text(255), refers=True, sample="ada.lovelace", help=_("The member.")),
        one_of=("cid", "cidnumber", "cname"),
        elsewhere={"context": "elsewhere_cohort_context", "theme": "elsewhere_cohort_theme"},
    )  # fmt: skip
    options = CohortsOptions

    collected_type = CohortsCollected

    @property
    def collected(self) -> CohortsCollected:
        return cast(CohortsCollected, self.context.collected)

    def setup(self, names: Sequence[str]) -> None:
        self.names = frozenset(names)
        self.rules = SiteRules(self.moodle)

    def fetch(self, rows: Sequence[CleanRow]) -> CohortsState:
        accounts = fetch_named_users(
            self.moodle,
            self.rules,
            self.option_values.useridentifier,
            {row.values["userid"] for row in rows if row.values.get("userid")},
        )
        takes_everybody = any(_takes_everybody(row) for row in rows)
        userids = None if takes_everybody else sorted({userid for found in accounts.values() for userid in found})
        memberships = fetch_memberships(self.moodle, self.memory, userids=userids, **self._names_in(rows))
        return self._state(accounts, memberships, may_delete=takes_everybody)

    def plan(self, rows: Sequence[CleanRow], state: CohortsState) -> CohortsPlan:
        return CohortsPlanner(state, self.option_values).plan_rows(rows)

    def owed_after_commit(self, plan: CohortsPlan) -> AfterCommit:
        self.collected.left |= plan.left
        return super().owed_after_commit(plan)

    def on_skipped(self, rows: Sequence[CleanRow]) -> None:
        """Whether the rows took anybody out isn't known any more: any cohort may be empty that they name."""
        self.collected.left |= {
            cohort_text(row, self.option_values.cohortidentifier)
            for row in rows
            if row.values["cmd"] in ("del", "free")
        } - {""}

    def final_plan(self) -> CohortsPlan | None:
        """Delete the cohorts that the file has left empty."""
        if not (self.option_values.syncdelete and self.collected.left):
            return None
        empty = self._empty_cohorts()
        present = [cohort.id for cohort in empty if cohort.id > 0]
        memberships = fetch_memberships(self.moodle, self.memory, cohort_ids=present, userids=None)
        state = self._state({}, memberships.with_cohorts(tuple(empty)), may_delete=True)
        plan = CohortsPlanner(state, self.option_values).plan_deletion()
        if empty:
            names = listed([cohort.name for cohort in empty])
            plan.notes.append(Note("cohorts_deleted_empty", {"count": len(empty), "names": names}))
        plan.outcomes += [Outcome(0, Action.DELETED, "cohort_deleted_empty", {}, cohort.name) for cohort in empty]
        return plan

    def remember(self, plan: CohortsPlan, state: CohortsState) -> None:
        self.collected.left |= plan.left
        numbers = plan.rows.remember(self.memory, {})
        changed = {_number(cohort, numbers): columns for cohort, columns in plan.changed.items()}
        self.memory.put_many("changed cohort", {str(cohortid): columns for cohortid, columns in changed.items()})
        present = [as_cohort(cohortid, columns) for cohortid, columns in changed.items() if columns]
        fold = state.memberships.fold_cohort
        self.memory.put_many("planned cohort name", {fold(cohort.name): cohort for cohort in present})
        self.memory.put_many(
            "planned cohort idnumber", {fold(cohort.idnumber): cohort for cohort in present if cohort.idnumber}
        )
        balance = plan.rows.cohort_balance()
        self._remember_balance({str(_number(cohort, numbers)): count for cohort, count in balance.items()})

    def _remember_balance(self, balance: Mapping[str, int]) -> None:
        earlier = self.memory.get_many("cohort balance", list(balance))
        self.memory.put_many("cohort balance", {name: n + earlier.get(name, 0) for name, n in balance.items()})

    def _empty_cohorts(self) -> list[Cohort]:
        """Return the cohorts that have lost members to the file and have none left, unless another plugin owns them."""
        found = fetch_memberships(
            self.moodle, self.memory, userids=(), **lookup(self.option_values.cohortidentifier, self.collected.left)
        )
        state = self._state({}, found, may_delete=False)
        # A simulation has taken nobody out.
        balance = self.memory.get_many("cohort balance", [str(cohortid) for cohortid in state.details])
        counts = count_cohort_members(self.moodle, list(state.details))
        book = CohortBook(state.memberships)
        meant = {text: book.find(state.identifier, text) for text in sorted(self.collected.left)}
        return [
            cohort
            for cohort in dict.fromkeys(found[0] for found in meant.values() if len(found) == 1)
            if isinstance(cohort, Cohort)
            and state.details[cohort.id].component in _OUR_COMPONENTS
            and counts.get(cohort.id, 0) + balance.get(str(cohort.id), 0) == 0
        ]

    def _names_in(self, rows: Sequence[CleanRow]) -> dict[str, Any]:
        """Return everything by which the cohorts of a chunk are looked up, names that must not be taken with them."""
        identifier = self.option_values.cohortidentifier
        texts = {cohort_text(row, identifier) for row in rows} - {""}
        names = {row.values["cname"] for row in rows if row.values.get("cname")}
        if identifier == "idnumber":
            # A cohort without a name of its own is called by its idnumber.
            names |= {cohort_text(row, identifier) for row in rows if not row.values.get("cname")} - {""}
        idnumbers = {row.values["cidnumber"] for row in rows if row.values.get("cidnumber")}
        return lookup(identifier, texts, names, idnumbers)

    def _state(self, accounts: NamedUsers, memberships: MembershipState, *, may_delete: bool) -> CohortsState:
        """Return what was read, with what earlier chunks of a simulation would have changed."""
        changed = self.memory.get_many("changed cohort", [str(cohort.id) for cohort in memberships.cohorts])
        by_id = {cohort.id: cohort for cohort in memberships.cohorts}
        cohortids = [cohortid for cohortid in by_id if cohortid > 0]
        details = fetch_cohort_details(self.moodle, cohortids)
        for cohortid, columns in ((int(name), columns) for name, columns in changed.items()):
            if columns is None:
                del by_id[cohortid]
            else:
                by_id[cohortid] = as_cohort(cohortid, columns)
                details[cohortid] = CohortDetails(columns["description"], columns["component"], columns["visible"], 0)
        has_categories = CATEGORY_COLUMNS & self.names
        return CohortsState(
            now=int(time.time()),
            identifier=self.option_values.cohortidentifier,
            useridentifier=self.option_values.useridentifier,
            accounts=accounts,
            memberships=memberships.with_cohorts(tuple(by_id.values())),
            details=details,
            dependent_tables=fetch_cohort_belongings(self.moodle, cohortids) if may_delete else {},
            gates=fetch_self_enrolment_gates(self.moodle, cohortids) if may_delete else {},
            categories=fetch_categories(self.moodle) if has_categories else (),
            fold_category=folding(self.moodle, "course_categories", "idnumber") if has_categories else str,
            fold_category_name=folding(self.moodle, "course_categories", "name") if has_categories else str,
            names_users=isinstance(self.survey.found, CohortSurvey) and self.survey.found.names_users,
        )


def _takes_everybody(row: CleanRow) -> bool:
    """Whether a row is about all members of its cohort."""
    command = row.values["cmd"]
    return command == "free" or (command == "del" and not row.values.get("userid"))


def _number(cohort: int | Ref, numbers: Mapping[Ref, int]) -> int:
    return numbers[cohort] if isinstance(cohort, Ref) else cohort
