"""The rows that enrolments, roles, groups and cohort memberships consist of, as a chunk leaves them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, TypeGuard

from sync.moodle.courses.courses import Course
from sync.moodle.enrolments.forums import Forum
from sync.moodle.enrolments.roles import is_allowed
from sync.processors.base.memory import Memory
from sync.processors.base.operations import Ref
from sync.processors.base.overlay import is_temporary
from sync.processors.base.plan import Plan
from sync.processors.base.table_view import TableView, UserKey, Values
from sync.processors.memberships import memory as membership_memory
from sync.processors.memberships.group_rows import GroupRows
from sync.processors.memberships.instance_rows import InstanceRows
from sync.processors.memberships.memory import ChunkCreations, Instance, PlannedCohort
from sync.processors.memberships.state import MembershipState


class MembershipRows:
    """What Moodle's own functions would write, one method each. A row that is as it should be is left alone.

    Shape: instances: enrolment methods; groups: groups and their members
    Leaves out: events, logs, welcome messages, Moodle's own caches.
    """

    def __init__(self, state: MembershipState, plan: Plan, *, now: int) -> None:
        self.state = state
        self.plan = plan
        self.now = plan.now = now
        self.instances = InstanceRows(state, plan)
        self.groups = GroupRows(state, plan)
        stamps = {"modifierid": state.operatorid, "timemodified": now}
        self._enrolments = self._view("user_enrolments", "enrolid", "userid", on_update=stamps)
        self._roles = self._view("role_assignments", "contextid", "userid", "roleid", "component", "itemid")
        self._cohort_members = self._view("cohort_members", "cohortid", "userid")
        self._subscriptions = self._view("forum_subscriptions", "forum", "userid")
        self._cohorts: list[PlannedCohort] = []
        self._unenrolled: set[tuple[int, int]] = set()
        self._subscribing: dict[tuple[int, int], bool] = {}
        self._course_of: dict[int | Ref, int] = {
            instance.id: instance.courseid
            for by_source in (state.instances, state.cohort_instances, state.meta_children)
            for instances in by_source.values()
            for instance in instances
        }

    def enrolment(self, user: UserKey, enrolid: int | Ref) -> Values | None:
        """Return the enrolment of a user by one method."""
        return self._enrolments.get((enrolid, user))

    def is_enrolled(self, user: UserKey, courseid: int) -> bool:
        """Tell whether a user is enrolled in a course, by any method and in any status."""
        return any(self._enrolments.get((instance.id, user)) for instance in self.instances.of_course(courseid))

    def enrolled_by(self, enrolid: int | Ref) -> list[UserKey]:
        """Return everybody whom a method enrols, of those that have been read."""
        return [user for _enrolid, user in self._enrolments.find(enrolid=enrolid)]

    def enrol(
        self,
        user: UserKey,
        enrolid: int | Ref,
        values: Mapping[str, int],
        line: int,
        *,
        timestart: int = 0,
        timeend: int = 0,
    ) -> bool:
        """Enrol a user, or bring an enrolment up to `values`; tell whether something changed.

        Shape: values: status, timestart, timeend or some of them; timestart, timeend: for a new enrolment without them
        Mirrors: enrol_plugin::enrol_user() and update_user_enrol(), the enrolment alone
        """
        key = (enrolid, user)
        old = self._enrolments.get(key)
        if old is None:
            dates = {"timestart": timestart, "timeend": timeend}
            stamps = {"modifierid": self.state.operatorid, "timecreated": self.now, "timemodified": self.now}
            self._enrolments.put(key, {"status": 0, **dates, **values, **stamps}, line)
            if self.state.recovers_grades and _is_there(user) and enrolid in self._course_of:
                self.plan.enrolled.add((user, self._course_of[enrolid]))
            return True
        if all(old[name] == value for name, value in values.items()):
            return False
        self._enrolments.put(key, {**old, **values}, line)
        return True

    def unenrol(self, user: UserKey, instance: Instance, line: int) -> bool:
        """Take away the enrolment by one method, with the roles and groups that it brought; tell whether there was one.

        What goes with somebody's last enrolment in a course goes when the plan is carried out.
        Mirrors: enrol_plugin::unenrol_user()
        """
        if self.enrolment(user, instance.id) is None:
            return False
        own = {"component": f"enrol_{instance.enrol}", "itemid": instance.id}
        for groupid in self.groups.of_user(user, instance.courseid):
            membership = self.groups.membership(user, groupid) or {}
            if own.items() <= membership.items():
                self.groups.remove(user, groupid, line)
        self.unassign_roles_of(user, instance, line)
        self._enrolments.remove((instance.id, user), line)
        if not self.is_enrolled(user, instance.courseid):
            self._leave_course(user, self.state.courses[instance.courseid], line)
        return True

    def roles_of(self, user: UserKey, course: Course) -> list[tuple[int, str, Any]]:
        """Return the roles of a user in a course. Shape: (roleid, component, itemid)"""
        return [
            (roleid, component, itemid)
            for _contextid, _user, roleid, component, itemid in self._roles.find(
                contextid=course.contextid, userid=user
            )
        ]

    def assign_role(
        self, user: UserKey, course: Course, roleid: int, line: int, *, component: str = "", itemid: Any = 0
    ) -> bool:
        """Return a user a role in a course; tell whether it is a new one.

        Mirrors: role_assign(), with the forum subscriptions that follow it
        """
        key = (course.contextid, user, roleid, component, itemid)
        if self._roles.get(key) is not None:
            return False
        values = {"timemodified": self.now, "modifierid": self.state.operatorid, "sortorder": 0}
        self._roles.put(key, values, line)
        for forum in self.state.forums.get(course.id, ()):
            subscription = (forum.id, user)
            if self._subscriptions.get(subscription) is None and self._may_be_subscribed(roleid, forum):
                self._subscriptions.put(subscription, {}, line)
        return True

    def unassign_role(
        self, user: UserKey, course: Course, roleid: int, line: int, *, component: str = "", itemid: Any = 0
    ) -> bool:
        """Take a role in a course away from a user; tell whether he had it. Mirrors: role_unassign()"""
        key = (course.contextid, user, roleid, component, itemid)
        if self._roles.get(key) is None:
            return False
        self._roles.remove(key, line)
        return True

    def holds_system_role(self, user: UserKey, roleid: int) -> bool:
        """Tell whether a user has a role in the context of the site, given by nobody else than people."""
        return self._roles.get((self.state.system_contextid, user, roleid, "", 0)) is not None

    def assign_system_role(self, user: UserKey, roleid: int, line: int) -> None:
        """Assign a role in the context of the site to a user. Mirrors: role_assign(); nothing follows it there"""
        values = {"timemodified": self.now, "modifierid": self.state.operatorid, "sortorder": 0}
        self._roles.put((self.state.system_contextid, user, roleid, "", 0), values, line)

    def unassign_system_role(self, user: UserKey, roleid: int, line: int) -> None:
        """Take a role in the context of the site away from a user. Mirrors: role_unassign()"""
        self._roles.remove((self.state.system_contextid, user, roleid, "", 0), line)

    def unassign_roles_of(self, user: UserKey, instance: Instance, line: int) -> bool:
        """Take away the roles that a method has given to a user; tell whether there were any."""
        course = self.state.courses[instance.courseid]
        own = (f"enrol_{instance.enrol}", instance.id)
        roleids = [roleid for roleid, *owner in self.roles_of(user, course) if tuple(owner) == own]
        for roleid in roleids:
            self.unassign_role(user, course, roleid, line, component=own[0], itemid=own[1])
        return bool(roleids)

    def add_instance(self, courseid: int, enrol: str, values: Mapping[str, Any], line: int) -> Instance:
        """Add a method to a course (`InstanceRows.add`)."""
        instance = self.instances.add(courseid, enrol, values, line)
        self._course_of[instance.id] = courseid
        return instance

    def delete_instance(self, instance: Instance, line: int) -> None:
        """Unenrol everybody whom a method enrols, and take it away; everybody's enrolment must have been read.

        Mirrors: enrol_plugin::delete_instance()
        """
        for user in self.enrolled_by(instance.id):
            self.unenrol(user, instance, line)
        self.instances.take_away(instance, line)

    def create_cohort(self, name: str, idnumber: str, line: int, **values: Any) -> PlannedCohort:
        """Make a cohort, in the system context unless `values` says otherwise.

        Shape: values: further columns of `cohort`
        Mirrors: cohort_add_cohort()
        """
        row = {
            "contextid": self.state.system_contextid,
            "name": name,
            "idnumber": idnumber or None,
            "description": "",
            "descriptionformat": 1,
            "visible": 1,
            "component": "",
            "timecreated": self.now,
            "timemodified": self.now,
            **({"theme": ""} if self.state.cohort_has_theme else {}),
            **values,
        }
        key = (row["contextid"], name)
        self.plan.insert("cohort", row, line, key=key)
        made = PlannedCohort(Ref("cohort", key), row["contextid"], name, idnumber)
        self._cohorts.append(made)
        return made

    def is_in_cohort(self, user: UserKey, cohortid: int | Ref) -> bool:
        return self._cohort_members.get((cohortid, user)) is not None

    def members_of_cohort(self, cohortid: int | Ref) -> list[UserKey]:
        """Return the members of a cohort, of those that have been read."""
        return [user for _cohortid, user in self._cohort_members.find(cohortid=cohortid)]

    def add_to_cohort(self, user: UserKey, cohortid: int | Ref, line: int) -> bool:
        """Make a user a member of a cohort; tell whether that is new. Mirrors: cohort_add_member()"""
        if self.is_in_cohort(user, cohortid):
            return False
        self._cohort_members.put((cohortid, user), {"timeadded": self.now}, line)
        return True

    def remove_from_cohort(self, user: UserKey, cohortid: int | Ref, line: int) -> bool:
        """Take a user out of a cohort; tell whether he was in it. Mirrors: cohort_remove_member()"""
        if not self.is_in_cohort(user, cohortid):
            return False
        self._cohort_members.remove((cohortid, user), line)
        return True

    def cohort_balance(self) -> Counter[int | Ref]:
        """Return by how many members each cohort grows, or shrinks (a negative number), in this chunk."""
        balance: Counter[int | Ref] = Counter()
        for key in self._cohort_members.differing():
            balance[key[0]] += -1 if self._cohort_members.get(key) is None else 1
        return balance

    def add_to_group_of(self, user: UserKey, instance: Instance, line: int) -> None:
        """Put a user in the group that a cohort or meta method fills, if it has one, and in no other by this method."""
        own: dict[str, Any] = {"component": f"enrol_{instance.enrol}", "itemid": instance.id}
        for groupid in self.groups.of_user(user, instance.courseid):
            membership = self.groups.membership(user, groupid) or {}
            if groupid != instance.customint2 and own.items() <= membership.items():
                self.groups.remove(user, groupid, line)
        if isinstance(instance.customint2, Ref) or instance.customint2 in self.state.groups:
            self.groups.add(user, instance.customint2, line, **own)

    @property
    def touches(self) -> int:
        """How often a row was put or taken away so far: nothing has changed as long as it stays the same."""
        return sum(view.touches for view in (*self._views, self.groups.members)) + self.instances.touches

    def finish(self) -> None:
        """Put the difference to what is there into the plan. Nothing differs, nothing is written."""
        self.plan.unenrolled |= {pair for pair in self._unenrolled if not self.is_enrolled(*pair)}
        self.instances.finish()
        enrolled, assigned, *_others = [view.write(self.plan) for view in self._views]
        self.groups.finish()
        # A new enrolment alone doesn't change anybody's rights: Moodle marks the account when a role comes with it.
        self.plan.dirty_users |= enrolled.updated | enrolled.deleted | assigned.inserted | assigned.deleted

    def remember(self, memory: Memory, ids: Mapping[Ref, int]) -> dict[Ref, int]:
        """Keep, in a simulation, what this chunk would have made, and give the negative ids that stand for it.

        Shape: ids: those that stand for planned accounts
        """
        made = ChunkCreations(self.groups.made, self._cohorts, self.instances.changed())
        views = (*self._views, self.groups.members, self.groups.talkers)
        return membership_memory.remember(memory, self.state, views, made, ids)

    @property
    def _views(self) -> tuple[TableView, ...]:
        return self._enrolments, self._roles, self._cohort_members, self._subscriptions

    def _view(self, table: str, *key: str, on_update: Mapping[str, Any] | None = None) -> TableView:
        return TableView(table, key, self.state.rows.get(table, {}), on_update)

    def _leave_course(self, user: UserKey, course: Course, line: int) -> None:
        """Take what is known of the roles and groups of somebody who is left without any enrolment in a course.

        Everything else goes when the plan is carried out, from those whom no later row enrols again:
        `sync.moodle.enrolments.unenrol_cleanup.unenrol_cleanup`.
        """
        for groupid in self.groups.of_user(user, course.id):
            self.groups.remove(user, groupid, line)
        for roleid, component, itemid in self.roles_of(user, course):
            self.unassign_role(user, course, roleid, line, component=component, itemid=itemid)
        if _is_there(user):
            self._unenrolled.add((user, course.id))

    def _may_be_subscribed(self, roleid: int, forum: Forum) -> bool:
        known = self._subscribing.get((roleid, forum.id))
        if known is None:
            permissions = self.state.permissions.get(roleid, {})
            known = self._subscribing[roleid, forum.id] = is_allowed(permissions, forum.path)
        return known


def _is_there(user: UserKey) -> TypeGuard[int]:
    """Tell whether a user is in Moodle already."""
    return isinstance(user, int) and not is_temporary(user)
