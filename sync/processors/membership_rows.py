"""The rows that enrolments, roles, groups and cohort memberships consist of, as a chunk leaves them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sync.moodle.courses import Course
from sync.moodle.enrolments import EnrolInstance
from sync.moodle.forums import Forum
from sync.moodle.roles import is_allowed
from sync.processors import membership_memory
from sync.processors.membership_memory import Made, PlannedCohort, PlannedGroup
from sync.processors.membership_state import MembershipState
from sync.processors.memory import Memory
from sync.processors.plan import Plan, Ref
from sync.processors.table_view import TableView, UserKey, Values


class MembershipRows:
    """What Moodle's own functions would write, one method each. A row that is as it should be is left alone.

    Leaves out: events, logs, welcome messages, Moodle's own caches.
    """

    def __init__(self, state: MembershipState, plan: Plan, *, now: int) -> None:
        self.state = state
        self.plan = plan
        self.now = now
        stamps = {"modifierid": state.operatorid, "timemodified": now}
        self._enrolments = self._view("user_enrolments", "enrolid", "userid", on_update=stamps)
        self._roles = self._view("role_assignments", "contextid", "userid", "roleid", "component", "itemid")
        self._group_members = self._view("groups_members", "groupid", "userid")
        self._talkers = self._view("message_conversation_members", "conversationid", "userid")
        self._cohort_members = self._view("cohort_members", "cohortid", "userid")
        self._subscriptions = self._view("forum_subscriptions", "forum", "userid")
        self._views = (
            self._enrolments,
            self._roles,
            self._group_members,
            self._talkers,
            self._cohort_members,
            self._subscriptions,
        )
        self._roles_held: dict[tuple[int, UserKey], set[tuple[int, str]]] = {}
        for contextid, userid, roleid, component, _itemid in state.rows.get("role_assignments", ()):
            self._roles_held.setdefault((contextid, userid), set()).add((roleid, component))
        self._touched_groups: dict[int, list[int]] = {}
        self._made = Made([], [])
        self._subscribing: dict[tuple[int, int], bool] = {}

    def enrolment(self, user: UserKey, enrolid: int) -> Values | None:
        """Give the enrolment of a user by one method."""
        return self._enrolments.get((enrolid, user))

    def is_enrolled(self, user: UserKey, courseid: int) -> bool:
        """Tell whether a user is enrolled in a course, by any method and in any status."""
        return any(self._enrolments.get((instance.id, user)) for instance in self.state.instances.get(courseid, ()))

    def enrol(
        self, user: UserKey, enrolid: int, values: Mapping[str, int], line: int, *, timestart: int = 0, timeend: int = 0
    ) -> bool:
        """Enrol a user, or bring an enrolment up to `values`; tell whether something changed.

        Shape: values: status, timestart, timeend or some of them; timestart, timeend: for a new enrolment without them
        Mirrors: enrol_plugin::enrol_user(), the enrolment alone
        """
        key = (enrolid, user)
        old = self._enrolments.get(key)
        if old is None:
            dates = {"timestart": timestart, "timeend": timeend}
            stamps = {"modifierid": self.state.operatorid, "timecreated": self.now, "timemodified": self.now}
            self._enrolments.put(key, {"status": 0, **dates, **values, **stamps}, line)
            return True
        if all(old[name] == value for name, value in values.items()):
            return False
        self._enrolments.put(key, {**old, **values}, line)
        return True

    def roles_held(self, user: UserKey, course: Course) -> set[tuple[int, str]]:
        """Give the roles of a user in a course. Shape: (roleid, component)"""
        return self._roles_held.get((course.contextid, user), set())

    def assign_role(
        self, user: UserKey, course: Course, roleid: int, line: int, *, component: str = "", itemid: int = 0
    ) -> bool:
        """Give a user a role in a course; tell whether it is a new one.

        Mirrors: role_assign(), with the forum subscriptions that follow it
        """
        key = (course.contextid, user, roleid, component, itemid)
        if self._roles.get(key) is not None:
            return False
        values = {"timemodified": self.now, "modifierid": self.state.operatorid, "sortorder": 0}
        self._roles.put(key, values, line)
        self._roles_held.setdefault((course.contextid, user), set()).add((roleid, component))
        for forum in self.state.forums.get(course.id, ()):
            subscription = (forum.id, user)
            if self._subscriptions.get(subscription) is None and self._may_be_subscribed(roleid, forum):
                self._subscriptions.put(subscription, {}, line)
        return True

    def create_group(self, courseid: int, name: str, line: int) -> Ref:
        """Make a group in a course.

        Mirrors: groups_create_group() with nothing but a name
        """
        values = {
            "courseid": courseid,
            "idnumber": "",
            "name": name,
            "description": None,
            "descriptionformat": 0,
            "enrolmentkey": None,
            "picture": 0,
            "timecreated": self.now,
            "timemodified": self.now,
        }
        self.plan.insert("groups", values, line, key=(courseid, name))
        made = PlannedGroup(Ref("groups", (courseid, name)), courseid, name)
        self._made.groups.append(made)
        return made.id

    def add_to_group(
        self, user: UserKey, groupid: int | Ref, line: int, *, component: str = "", itemid: int = 0
    ) -> bool:
        """Put a user, who must be enrolled, in a group; tell whether that is new.

        Mirrors: groups_add_member(), with the conversation of the group
        """
        key = (groupid, user)
        if self._group_members.get(key) is not None:
            return False
        self._group_members.put(key, {"timeadded": self.now, "component": component, "itemid": itemid}, line)
        if not isinstance(groupid, Ref):
            self._touched_groups.setdefault(groupid, []).append(line)
            conversationid = self.state.groups[groupid].conversationid
            if conversationid is not None and self._talkers.get((conversationid, user)) is None:
                self._talkers.put((conversationid, user), {"timecreated": self.now}, line)
        return True

    def create_cohort(self, name: str, idnumber: str, line: int) -> PlannedCohort:
        """Make a cohort in the system context.

        Mirrors: cohort_add_cohort()
        """
        contextid = self.state.system_contextid
        values = {
            "contextid": contextid,
            "name": name,
            "idnumber": idnumber or None,
            "description": "",
            "descriptionformat": 1,
            "visible": 1,
            "component": "",
            "timecreated": self.now,
            "timemodified": self.now,
        }
        if self.state.cohort_has_theme:
            values["theme"] = ""
        self.plan.insert("cohort", values, line, key=(contextid, name))
        made = PlannedCohort(Ref("cohort", (contextid, name)), contextid, name, idnumber)
        self._made.cohorts.append(made)
        return made

    def add_to_cohort(self, user: UserKey, cohortid: int | Ref, line: int) -> bool:
        """Make a user a member of a cohort; tell whether that is new.

        Mirrors: cohort_add_member()
        """
        key = (cohortid, user)
        if self._cohort_members.get(key) is not None:
            return False
        self._cohort_members.put(key, {"timeadded": self.now}, line)
        return True

    def add_to_group_of(self, user: UserKey, instance: EnrolInstance, line: int) -> None:
        """Put a user in the group that a cohort or meta method fills, if it has one."""
        if instance.customint2 in self.state.groups:
            component = f"enrol_{instance.enrol}"
            self.add_to_group(user, instance.customint2, line, component=component, itemid=instance.id)

    def finish(self) -> None:
        """Put the difference to what is there into the plan. Nothing differs, nothing is written."""
        written = {view.table: view.write(self.plan) for view in self._views}
        # A new enrolment alone doesn't change anybody's rights: Moodle marks the account when a role comes with it.
        self.plan.dirty_users |= written["role_assignments"].inserted | written["user_enrolments"].updated
        for groupid, lines in self._touched_groups.items():
            before = self.state.groups[groupid].timemodified
            if before != self.now:
                self.plan.update("groups", groupid, {"timemodified": before}, {"timemodified": self.now}, *lines)

    def remember(self, memory: Memory, ids: Mapping[Ref, int]) -> None:
        """Keep, in a simulation, what this chunk would have made. Shape: ids: those that stand for planned accounts."""
        membership_memory.remember(memory, self.state, self._views, self._made, ids)

    def _view(self, table: str, *key: str, on_update: Mapping[str, Any] | None = None) -> TableView:
        return TableView(table, key, self.state.rows.get(table, {}), on_update)

    def _may_be_subscribed(self, roleid: int, forum: Forum) -> bool:
        known = self._subscribing.get((roleid, forum.id))
        if known is None:
            permissions = self.state.permissions.get(roleid, {})
            known = self._subscribing[roleid, forum.id] = is_allowed(permissions, forum.path)
        return known
