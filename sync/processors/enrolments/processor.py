"""`enrolments`: enrol people, give and take away roles, suspend enrolments, put people in groups of courses."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from sync.columns.rows import ReadCells
from sync.moodle.courses.courses import fetch_courses
from sync.moodle.courses.defaults import CourseDefaults
from sync.moodle.courses.order import Misplaced
from sync.moodle.enrolments.enrolments import has_instances
from sync.moodle.users.users import SiteRules
from sync.processors.base.after_commit import AfterCommit
from sync.processors.base.closing import FileEnd
from sync.processors.base.operations import Applied
from sync.processors.base.processor import Processor
from sync.processors.base.row_counts import noted_lines
from sync.processors.enrolments.absent import AbsentEnrolments
from sync.processors.enrolments.cells import EnrolmentCells
from sync.processors.enrolments.contact_mails import ContactNotice, contact_mails
from sync.processors.enrolments.export import EnrolmentsExporter
from sync.processors.enrolments.groups import REPLACING, Protection
from sync.processors.enrolments.methods import MANUAL, SYNC, MethodRules
from sync.processors.enrolments.options import EnrolmentsOptions
from sync.processors.enrolments.planner import EnrolmentPlanner, EnrolmentsPlan, EnrolmentsState
from sync.processors.memberships.fetch import fetch_memberships
from sync.processors.memberships.group_purge import PURGE_NOTES, GroupPurge, PurgeCollected
from sync.processors.memberships.named import fetch_named_users
from sync.processors.memberships.names import MADE_LIKE_LISTS, NamedUsers
from sync.processors.memberships.own_memberships import own_component, recorded_memberships
from sync.processors.memberships.state import MembershipState
from sync.values import Note, Outcome

# What InstanceRows fills in of every new method.
_GIVEN_ANYWAY = frozenset({"enrol", "courseid", "sortorder", "timecreated", "timemodified"})


@dataclass
class EnrolmentsCollected(PurgeCollected):
    """Shape: contact_notices: courseid -> what its contacts are told"""

    contact_notices: dict[int, list[ContactNotice]] = field(default_factory=dict)


class Enrolments(Processor[EnrolmentCells, EnrolmentsState, EnrolmentsPlan]):
    """Who belongs to which course, as what, until when and in which groups. Spec: enrols.md."""

    key = "enrolments"
    label = _("Enrolments")
    summary = _("Enrol people in courses and take them out, change roles, suspend enrolments, fill course groups.")
    default_filename = "enrols.csv"
    after = (
        "users", "users_delete", "users_suspend", "users_restore", "courses",
        "enrolment_methods", "courses_meta", "cohorts", "cohort_courses",
        "groups",
    )  # fmt: skip
    options = EnrolmentsOptions
    plans_are_data = True
    exporter = EnrolmentsExporter

    collected_type = EnrolmentsCollected
    emptied_notes = PURGE_NOTES

    @property
    def option_values(self) -> EnrolmentsOptions:
        """What was options; the lines of a flat file hold idnumbers, whatever the options say."""
        options = super().option_values
        if not options.flatfile:
            return options
        return options.replaced(
            {EnrolmentsOptions.useridentifier: "idnumber", EnrolmentsOptions.courseidentifier: "idnumber"}
        )

    def setup(self, names: Sequence[str]) -> None:
        self.rules = SiteRules(self.moodle)
        self.purge = GroupPurge(self.moodle, self.overlay, self.option_values.purgeemptygroups, self.collected)
        self.is_about_roles = EnrolmentCells.enrol.name not in names
        self.group_numbers = EnrolmentCells.groups.numbers(names)
        self.absent = AbsentEnrolments(self.context, self.option_values, self.rules)

    def fetch(self, rows: Sequence[EnrolmentCells]) -> EnrolmentsState:
        identifier = self.option_values.useridentifier
        users = fetch_named_users(self.moodle, self.overlay, self.rules, identifier, {row.uid for row in rows})
        memberships = self._fetch_memberships(rows, sorted({userid for found in users.values() for userid in found}))
        self.purge.note_courses(memberships.courses_named)
        return self._state(users, memberships)

    def plan(self, rows: Sequence[EnrolmentCells], state: EnrolmentsState) -> EnrolmentsPlan:
        return EnrolmentPlanner(state, self.option_values).plan_rows(rows)

    def count_outcomes(self, outcomes: Sequence[Outcome]) -> Mapping[str, Iterable[int]]:
        return noted_lines(outcomes, MADE_LIKE_LISTS)

    def owed_after_commit(self, plan: EnrolmentsPlan, applied: Applied) -> AfterCommit:
        owed = super().owed_after_commit(plan, applied)
        if self.option_values.mailadmins:
            owed.news = list(plan.news)
        return owed

    def collect(self, owed: AfterCommit) -> None:
        super().collect(owed)
        for courseid, userid, code in owed.news:
            self.collected.contact_notices.setdefault(courseid, []).append(ContactNotice(userid, code))

    def on_skipped(self, rows: Sequence[EnrolmentCells]) -> None:
        if self.purge.is_wanted:
            named = {row.cid for row in rows}
            self.purge.note_courses(fetch_courses(self.moodle, self.option_values.courseidentifier, named))

    def check(self) -> None:
        self.absent.check()

    def note_named(self, rows: Sequence[EnrolmentCells], rejected: Sequence[ReadCells]) -> None:
        self.absent.note_named(rows, rejected)

    def next_closing_plan(self, end: FileEnd) -> EnrolmentsPlan:
        found = self.absent.next_enrolments(end)
        plan = EnrolmentsPlan()
        if found.enrolments:
            memberships = fetch_memberships(
                self.moodle,
                self.overlay,
                course_identifier="id",
                courses={str(each.courseid) for each, _verdict in found.enrolments},
                userids=sorted({each.userid for each, _verdict in found.enrolments}),
                all_groups=self.purge.is_wanted,
            )
            plan = self.absent.plan(found, EnrolmentPlanner(self._state({}, memberships), self.option_values), end)
        plan.absent, plan.absent_upto, plan.absent_left = found.counts, found.upto, found.left
        return plan

    def final_notes(self) -> list[Note]:
        notes = super().final_notes()
        return [*notes, *self.absent.notes()] if self.is_complete else notes

    def next_emptied_plan(self, end: FileEnd) -> EnrolmentsPlan:
        """Delete what is empty in the courses of the file, if that is wanted."""
        plan = EnrolmentsPlan(int(time.time()))
        self.purge.next_part(plan, end)
        return plan

    def final_plan(self, places: Sequence[Misplaced] | None = None) -> EnrolmentsPlan | None:
        """Write to the contacts of the courses, where that is wanted."""
        plan = EnrolmentsPlan(int(time.time()))
        if notices := self.collected.contact_notices:
            plan.mails = contact_mails(self.moodle, notices, site=self.rules.site_name)
        return plan

    @cached_property
    def method_rules(self) -> MethodRules:
        addable: dict[str, dict[str, Any]] = {SYNC: {}} if has_instances(self.moodle, SYNC) else {}
        if self.option_values.createmanual:
            site_defaults = CourseDefaults(self.moodle).instance(MANUAL, 0)
            addable[MANUAL] = {name: value for name, value in site_defaults.items() if name not in _GIVEN_ANYWAY}
        return MethodRules(self.option_values.enableenrolondisabled, self.option_values.allowsyncedmethods, addable)

    def _fetch_memberships(self, rows: Sequence[EnrolmentCells], userids: Sequence[int]) -> MembershipState:
        of_row = EnrolmentCells.groups.of
        named = {(row.cid, group) for number in self.group_numbers for row in rows if (group := of_row(row, number))}
        return fetch_memberships(
            self.moodle,
            self.overlay,
            course_identifier=self.option_values.courseidentifier,
            courses={row.cid for row in rows},
            groups=named,
            userids=userids,
            # Whoever loses the last enrolment leaves all groups of the course, which may be empty then.
            all_groups=self.purge.is_wanted or any(row.gcmd in REPLACING for row in rows),
        )

    def _state(self, users: NamedUsers, memberships: MembershipState) -> EnrolmentsState:
        return EnrolmentsState(
            rules=self.rules,
            now=int(time.time()),
            is_about_roles=self.is_about_roles,
            group_numbers=self.group_numbers,
            users=users,
            memberships=memberships,
            methods=self.method_rules,
            protection=self._protection(memberships),
        )

    def _protection(self, memberships: MembershipState) -> Protection:
        if not self.option_values.protectgroups:
            return Protection()
        recorded = recorded_memberships(self.context.records, memberships)
        return Protection(True, own_component(self.moodle), recorded)
