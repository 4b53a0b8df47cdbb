"""What each row of a group members file does: add, shift, del. Spec: groups.md section 2."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sync.moodle.courses.courses import Course
from sync.moodle.groups.groups import Group
from sync.processors.base.errors import RowError
from sync.processors.base.planner import plan_each
from sync.processors.groups.cells import GroupMemberCells
from sync.processors.groups.options import GroupMembersOptions
from sync.processors.memberships.course_columns import find_course
from sync.processors.memberships.enrolment_results import accepted
from sync.processors.memberships.group_purge import PurgingPlan
from sync.processors.memberships.names import NamedUsers, find_user
from sync.processors.memberships.own_memberships import TOOL_SYNC, is_ours
from sync.processors.memberships.rows import MembershipRows
from sync.processors.memberships.state import MembershipState
from sync.values import Action, Change, Note, Outcome


@dataclass(frozen=True)
class GroupMembersState:
    """Everything read for one chunk.

    Shape: memberships: with all groups of the courses; component: of new memberships; recorded: ids of memberships that
    earlier runs made
    Units: now: seconds since epoch
    """

    now: int
    named_users: NamedUsers
    memberships: MembershipState
    component: str
    recorded: frozenset[int]


class GroupCommands:
    """Plans one chunk, row by row in file order; later rows see what earlier ones did."""

    def __init__(self, state: GroupMembersState, options: GroupMembersOptions) -> None:
        self.state = state
        self.options = options
        self.plan = PurgingPlan(state.now)
        self.rows = MembershipRows(state.memberships, self.plan, now=state.now)

    def plan_rows(self, rows: Sequence[GroupMemberCells]) -> PurgingPlan:
        self.plan.outcomes.extend(plan_each(rows, self._plan_row, lambda row: f"{row.userid} / {row.groupid}"))
        self.rows.finish()
        return self.plan

    def _plan_row(self, row: GroupMemberCells) -> Outcome:
        if row.courseid is None:
            raise RowError("cell_empty", "courseid")
        course = accepted(find_course(self.state.memberships, row.courseid, "courseid"))
        group = self._group(course, row.groupid)
        userid = accepted(find_user(self.state.named_users, self.options.useridentifier, row.userid, "userid"))
        if row.cmd == "del":
            return self._delete(userid, group, row.line)
        if not self.rows.is_enrolled(userid, course.id):
            raise RowError("group_not_enrolled", "userid", group=group.name)
        changes, notes = self._leave_others(userid, group, row.line) if row.cmd == "shift" else ((), ())
        return self._add(userid, group, row.line, changes, notes)

    def _group(self, course: Course, text: str) -> Group:
        found = self.rows.groups.find(course.id, self.options.groupidentifier, text)
        if len(found) == 1:
            return found[0]
        params = {"identifier": self.options.groupidentifier, "group": text, "count": len(found)}
        raise RowError("group_not_unique" if found else "group_unidentified", "groupid", **params)

    def _add(
        self, userid: int, group: Group, line: int, changes: tuple[Change, ...], notes: tuple[Note, ...]
    ) -> Outcome:
        is_new = self.rows.groups.add(userid, group.id, line, component=self.state.component)
        if changes:
            added = (Change("groupid", "", group.name),) if is_new else ()
            return Outcome(line, Action.UPDATED, "group_member_shifted", {}, "", (*changes, *added), notes)
        if is_new:
            change = Change("groupid", "", group.name)
            return Outcome(line, Action.CREATED, "group_member_added", {}, "", (change,), notes)
        return Outcome(line, Action.UNCHANGED, "group_member_unchanged", {}, "", (), notes)

    def _leave_others(self, userid: int, target: Group, line: int) -> tuple[tuple[Change, ...], tuple[Note, ...]]:
        """Take a user out of the other groups of the course, as far as ToolSync put him there."""
        changes: list[Change] = []
        notes: list[Note] = []
        for groupid in self.rows.groups.of_user(userid, target.courseid):
            name = self.rows.groups.name_of(groupid)
            if groupid == target.id:
                continue
            membership = self.rows.groups.membership(userid, groupid) or {}
            if is_ours(membership, self.state.recorded):
                self.rows.groups.remove(userid, groupid, line)
                changes.append(Change("groupid", name, ""))
            else:
                free = membership["component"] == ""
                notes.append(Note("group_kept_not_ours" if free else "group_kept_by_method", {"group": name}))
        return tuple(changes), tuple(notes)

    def _delete(self, userid: int, group: Group, line: int) -> Outcome:
        membership = self.rows.groups.membership(userid, group.id)
        if membership is None:
            return Outcome(line, Action.UNCHANGED, "group_member_missing", {})
        if membership["component"] not in ("", TOOL_SYNC):
            note = Note("group_kept_by_method", {"group": group.name})
            return Outcome(line, Action.UNCHANGED, "group_member_unchanged", {}, notes=(note,))
        self.rows.groups.remove(userid, group.id, line)
        change = Change("groupid", group.name, "")
        return Outcome(line, Action.DELETED, "group_member_removed", {}, "", (change,))
