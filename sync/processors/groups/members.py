"""`groupmembers`: put people in groups of courses and take them out."""

from __future__ import annotations

import time
from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from sync.moodle.courses.courses import fetch_courses
from sync.moodle.users.users import SiteRules
from sync.processors.base.closing import FileEnd
from sync.processors.base.processor import Processor
from sync.processors.groups.cells import GroupMemberCells
from sync.processors.groups.export import GroupMembersExporter
from sync.processors.groups.members_planner import GroupCommands, GroupMembersState
from sync.processors.groups.options import GroupMembersOptions
from sync.processors.memberships.fetch import fetch_memberships
from sync.processors.memberships.group_purge import PURGE_NOTES, GroupPurge, PurgeCollected, PurgingPlan
from sync.processors.memberships.named import fetch_named_users
from sync.processors.memberships.own_memberships import own_component, recorded_memberships


class GroupMembers(Processor[GroupMemberCells, GroupMembersState, PurgingPlan]):
    """Who is in which group of a course. Spec: groups.md section 2."""

    key = "groupmembers"
    label = _("Group members")
    summary = _("Put people in groups of courses, move them from group to group, and take them out.")
    default_filename = "groupmembers.csv"
    after = ("users", "courses", "enrolments", "groups")
    options = GroupMembersOptions
    plans_are_data = True
    exporter = GroupMembersExporter

    collected_type = PurgeCollected
    emptied_notes = PURGE_NOTES

    def setup(self, names: Sequence[str]) -> None:
        self.rules = SiteRules(self.moodle)
        self.component = own_component(self.moodle)
        self.purge = GroupPurge(self.moodle, self.overlay, self.option_values.purgeemptygroups, self.collected)

    def fetch(self, rows: Sequence[GroupMemberCells]) -> GroupMembersState:
        identifier = self.option_values.useridentifier
        named_users = fetch_named_users(self.moodle, self.overlay, self.rules, identifier, {row.userid for row in rows})
        memberships = fetch_memberships(
            self.moodle,
            self.overlay,
            course_identifier=self.option_values.courseidentifier,
            courses={row.courseid or "" for row in rows},
            userids=sorted({userid for found in named_users.values() for userid in found}),
            all_groups=True,
        )
        self.purge.note_courses(memberships.courses_named)
        return GroupMembersState(
            now=int(time.time()),
            named_users=named_users,
            memberships=memberships,
            component=self.component,
            recorded=frozenset(recorded_memberships(self.context.records, memberships)),
        )

    def plan(self, rows: Sequence[GroupMemberCells], state: GroupMembersState) -> PurgingPlan:
        return GroupCommands(state, self.option_values).plan_rows(rows)

    def on_skipped(self, rows: Sequence[GroupMemberCells]) -> None:
        if self.purge.is_wanted:
            named = {row.courseid or "" for row in rows}
            self.purge.note_courses(fetch_courses(self.moodle, self.option_values.courseidentifier, named))

    def next_emptied_plan(self, end: FileEnd) -> PurgingPlan:
        """Delete what is empty in the courses of the file, if that is wanted."""
        plan = PurgingPlan(int(time.time()))
        self.purge.next_part(plan, end)
        return plan
