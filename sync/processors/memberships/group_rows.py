"""Course groups and their members as a chunk leaves them."""

from __future__ import annotations

from typing import Any

from sync.processors.base.operations import Ref
from sync.processors.base.plan import Plan
from sync.processors.base.table_view import TableView, UserKey, Values
from sync.processors.memberships.memory import PlannedGroup
from sync.processors.memberships.state import MembershipState

GroupKey = int | Ref


class GroupRows:
    """What Moodle's functions for groups would write, with the conversation that a group may have."""

    def __init__(self, state: MembershipState, plan: Plan) -> None:
        self._state = state
        self._plan = plan
        self.members = TableView("groups_members", ("groupid", "userid"), state.rows.get("groups_members", {}))
        self.talkers = TableView(
            "message_conversation_members",
            ("conversationid", "userid"),
            state.rows.get("message_conversation_members", {}),
        )
        self.made: list[PlannedGroup] = []
        self._course_of: dict[GroupKey, int] = {group.id: group.courseid for group in state.groups.values()}
        self._touched: dict[int, list[int]] = {}

    def create(self, courseid: int, name: str, line: int) -> Ref:
        """Make a group in a course. Mirrors: groups_create_group() with nothing but a name"""
        now = self._plan.now
        values = {
            "courseid": courseid,
            "idnumber": "",
            "name": name,
            "description": None,
            "descriptionformat": 0,
            "enrolmentkey": None,
            "picture": 0,
            "timecreated": now,
            "timemodified": now,
        }
        self._plan.insert("groups", values, line, key=(courseid, name))
        made = PlannedGroup(Ref("groups", (courseid, name)), courseid, name)
        self.made.append(made)
        self._course_of[made.id] = courseid
        return made.id

    def membership(self, user: UserKey, groupid: GroupKey) -> Values | None:
        """Return the membership of a user in a group. Shape: {id, timeadded, component, itemid}"""
        return self.members.get((groupid, user))

    def of_user(self, user: UserKey, courseid: int) -> list[GroupKey]:
        """Return the groups of a course that a user is in, of those that have been read."""
        # A simulation remembers memberships in groups of other courses too, which nobody has read here.
        return [
            groupid for groupid, _user in self.members.find(userid=user) if self._course_of.get(groupid) == courseid
        ]

    def add(self, user: UserKey, groupid: GroupKey, line: int, *, component: str = "", itemid: Any = 0) -> bool:
        """Put a user, who must be enrolled, in a group; tell whether that is new.

        Mirrors: groups_add_member(), with the conversation of the group
        """
        if self.membership(user, groupid) is not None:
            return False
        now = self._plan.now
        self.members.put((groupid, user), {"timeadded": now, "component": component, "itemid": itemid}, line)
        conversationid = self._touch(groupid, line)
        if conversationid is not None and self.talkers.get((conversationid, user)) is None:
            self.talkers.put((conversationid, user), {"timecreated": now}, line)
        return True

    def remove(self, user: UserKey, groupid: GroupKey, line: int) -> bool:
        """Take a user out of a group; tell whether he was in it.

        Mirrors: groups_remove_member(), with the conversation of the group
        """
        if self.membership(user, groupid) is None:
            return False
        self.members.remove((groupid, user), line)
        conversationid = self._touch(groupid, line)
        if conversationid is not None:
            self.talkers.remove((conversationid, user), line)
        return True

    def finish(self) -> None:
        """Put the difference to what is there into the plan, the time of the groups' change with it."""
        changed = self.members.write(self._plan)
        self.talkers.write(self._plan)
        if not (changed.inserted or changed.deleted):
            return
        moved = {key[0] for key in self.members.differing()}
        for groupid, lines in self._touched.items():
            before = self._state.groups[groupid].timemodified
            if groupid in moved and before != self._plan.now:
                after = {"timemodified": self._plan.now}
                self._plan.update("groups", groupid, {"timemodified": before}, after, *lines)

    def _touch(self, groupid: GroupKey, line: int) -> int | None:
        """Note that the members of a group change, and give its conversation."""
        if isinstance(groupid, Ref):
            return None
        self._touched.setdefault(groupid, []).append(line)
        return self._state.groups[groupid].conversationid
