"""Course groups and their members as a chunk leaves them."""

from __future__ import annotations

from typing import Any

from sync.moodle.db.identifiers import is_id
from sync.moodle.groups.groups import Group
from sync.processors.base.overlay import Values, is_temporary
from sync.processors.base.plan import Plan
from sync.processors.memberships.state import GROUP_MEMBERS, TALKERS, MembershipState


class GroupRows:
    """What Moodle's functions for groups would write, with the conversation that a group may have."""

    def __init__(self, state: MembershipState, plan: Plan) -> None:
        self._state = state
        self._plan = plan
        self.groups = plan.change(state.groups)
        self._members = plan.change(state.rows_of(GROUP_MEMBERS))
        self._talkers = plan.change(state.rows_of(TALKERS))
        self._touched: dict[int, list[int]] = {}

    def find(self, courseid: int, identifier: str, text: str) -> list[Group]:
        """Return the groups of a course that a text names; those spelled exactly so, if there are any. Shape: as "id", "name" """
        if identifier == "id":
            group = self.groups.get(int(text)) if is_id(text) else None
            return [_group(group)] if group is not None and group["courseid"] == courseid else []
        found = self.groups.find_spelled(identifier, text, courseid=courseid) if text else []
        return [_group(self.groups[groupid]) for groupid in found]

    def named(self, courseid: int, name: str) -> list[int]:
        """Return the groups of this name in a course, the oldest first; those spelled exactly so, if there are any."""
        found = self.groups.find_spelled("name", name, courseid=courseid)
        return sorted(found, key=lambda groupid: (is_temporary(groupid), abs(groupid))) if len(found) > 1 else found

    def name_of(self, groupid: int) -> str:
        """Return the name of a group."""
        name: str = self.groups[groupid]["name"]
        return name

    def create(self, courseid: int, name: str, line: int) -> int:
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
        return self.groups.insert(values, line)

    def membership(self, user: int, groupid: int) -> Values | None:
        """Return the membership of a user in a group. Shape: {id, timeadded, component, itemid}"""
        return self._members.get((groupid, user))

    def of_user(self, user: int, courseid: int) -> list[int]:
        """Return the groups of a course that a user is in, of those that have been read."""
        # The overlay adds memberships that earlier chunks would make, also in groups that weren't read for this chunk.
        return [
            groupid
            for groupid, _user in self._members.find(userid=user)
            if (group := self.groups.get(groupid)) is not None and group["courseid"] == courseid
        ]

    def add(self, user: int, groupid: int, line: int, *, component: str = "", itemid: Any = 0) -> bool:
        """Put a user, who must be enrolled, in a group; tell whether that is new.

        Mirrors: groups_add_member(), with the conversation of the group
        """
        if self.membership(user, groupid) is not None:
            return False
        now = self._plan.now
        self._members.put((groupid, user), {"timeadded": now, "component": component, "itemid": itemid}, line)
        conversationid = self._touch(groupid, line)
        if conversationid is not None and (conversationid, user) not in self._talkers:
            self._talkers.put((conversationid, user), {"timecreated": now}, line)
        return True

    def remove(self, user: int, groupid: int, line: int) -> bool:
        """Take a user out of a group; tell whether he was in it.

        Mirrors: groups_remove_member(), with the conversation of the group
        """
        if self.membership(user, groupid) is None:
            return False
        self._members.remove((groupid, user), line)
        conversationid = self._touch(groupid, line)
        if conversationid is not None:
            self._talkers.remove((conversationid, user), line)
        return True

    @property
    def touches(self) -> int:
        """How often somebody was put in a group or taken out of one so far."""
        return self._members.touches

    def finish(self) -> None:
        """Put the difference to what is there into the plan, the time of the groups' change with it."""
        moved = {groupid for groupid, _user in self._members.differing()}
        for groupid in self._touched.keys() & moved:
            for line in self._touched[groupid]:
                self.groups.update(groupid, {"timemodified": self._plan.now}, line)
        self.groups.write(self._plan)
        self._members.write(self._plan)
        self._talkers.write(self._plan)

    def _touch(self, groupid: int, line: int) -> int | None:
        """Note that the members of a group change, and return its conversation."""
        if not is_temporary(groupid):
            self._touched.setdefault(groupid, []).append(line)
        return self._state.conversations.get(groupid)


def _group(row: Values) -> Group:
    return Group(row["id"], row["courseid"], row["name"], row["timemodified"], idnumber=row["idnumber"])
