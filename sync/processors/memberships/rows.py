"""The rows that enrolments, roles, groups and cohort memberships consist of, as a chunk leaves them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sync.moodle.cohorts.cohorts import Cohort
from sync.moodle.courses.courses import Course
from sync.moodle.courses.creation import NewCourse
from sync.moodle.db.identifiers import is_id
from sync.moodle.enrolments.enrolments import EnrolInstance
from sync.moodle.enrolments.forums import Forum
from sync.moodle.enrolments.roles import is_allowed
from sync.processors.base.overlay import FoundRows, Values, is_temporary
from sync.processors.base.plan import Plan
from sync.processors.memberships.group_rows import GroupRows
from sync.processors.memberships.instance_rows import InstanceRows
from sync.processors.memberships.names import listed
from sync.processors.memberships.state import COHORT_MEMBERS, ENROLMENTS, ROLES, SUBSCRIPTIONS, MembershipState


class MembershipRows:
    """What Moodle's own functions would write, one method each. A row that is as it should be is left alone.

    Shape: instances: enrolment methods; groups: groups and their members; cohorts: rows of `cohort`; user: an id, temporary for
    somebody whom the plan makes
    Leaves out: events, logs, welcome messages, Moodle's own caches.
    """

    def __init__(self, state: MembershipState, plan: Plan, *, now: int) -> None:
        self.state = state
        self.plan = plan
        self.now = plan.now = now
        self.instances = InstanceRows(state, plan)
        self.groups = GroupRows(state, plan)
        self.cohorts = plan.change(_stamped(state.cohorts, timemodified=now))
        self._enrolments = plan.change(
            _stamped(state.rows_of(ENROLMENTS), modifierid=state.operatorid, timemodified=now)
        )
        self._roles = plan.change(state.rows_of(ROLES))
        self._cohort_members = plan.change(state.rows_of(COHORT_MEMBERS))
        self._subscriptions = plan.change(state.rows_of(SUBSCRIPTIONS))
        self._unenrolled: set[tuple[int, int]] = set()
        self._subscribing: dict[tuple[int, int], bool] = {}

    def enrolment(self, user: int, enrolid: int) -> Values | None:
        """Return the enrolment of a user by one method."""
        return self._enrolments.get((enrolid, user))

    def is_enrolled(self, user: int, courseid: int) -> bool:
        """Tell whether a user is enrolled in a course, by any method and in any status."""
        return any(self._enrolments.get((instance.id, user)) for instance in self.instances.of_course(courseid))

    def enrolled_by(self, enrolid: int) -> list[int]:
        """Return everybody whom a method enrols, of those that have been read."""
        return [user for _enrolid, user in self._enrolments.find(enrolid=enrolid)]

    def enrol(
        self,
        user: int,
        enrolid: int,
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
            courseid = self.instances.courseid_of(enrolid)
            if self.state.recovers_grades and not is_temporary(user) and courseid is not None:
                self.plan.enrolled.add((user, courseid))
            return True
        if all(old[name] == value for name, value in values.items()):
            return False
        self._enrolments.put(key, {**old, **values}, line)
        return True

    def unenrol(self, user: int, instance: EnrolInstance, line: int) -> bool:
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

    def roles_of(self, user: int, course: Course) -> list[tuple[int, str, Any]]:
        """Return the roles of a user in a course. Shape: (roleid, component, itemid)"""
        return self.roles_in(user, course.contextid)

    def roles_in(self, user: int, contextid: int) -> list[tuple[int, str, Any]]:
        """Return the roles of a user in a context. Shape: (roleid, component, itemid)"""
        return [
            (roleid, component, itemid)
            for _contextid, _user, roleid, component, itemid in self._roles.find(contextid=contextid, userid=user)
        ]

    def assign_role(
        self, user: int, course: Course, roleid: int, line: int, *, component: str = "", itemid: Any = 0
    ) -> bool:
        """Assign a role in a course to a user; return whether it is a new one.

        Mirrors: role_assign(), with the forum subscriptions that follow it
        """
        if not self.assign_role_in(user, course.contextid, roleid, line, component=component, itemid=itemid):
            return False
        for forum in self.state.forums.get(course.id, ()):
            subscription = (forum.id, user)
            if self._subscriptions.get(subscription) is None and self._may_be_subscribed(roleid, forum):
                self._subscriptions.put(subscription, {}, line)
        return True

    def assign_role_in(
        self, user: int, contextid: int, roleid: int, line: int, *, component: str = "", itemid: Any = 0
    ) -> bool:
        """Assign a role to a user in a context that is no course; return whether it is a new one.

        Mirrors: role_assign(); of Moodle's own plugins only enrol_category makes anything follow it there, which its task does
        """
        key = (contextid, user, roleid, component, itemid)
        if self._roles.get(key) is not None:
            return False
        values = {"timemodified": self.now, "modifierid": self.state.operatorid, "sortorder": 0}
        self._roles.put(key, values, line)
        return True

    def unassign_role(
        self, user: int, course: Course, roleid: int, line: int, *, component: str = "", itemid: Any = 0
    ) -> bool:
        """Take a role in a course away from a user; tell whether he had it. Mirrors: role_unassign()"""
        return self.unassign_role_in(user, course.contextid, roleid, line, component=component, itemid=itemid)

    def unassign_role_in(
        self, user: int, contextid: int, roleid: int, line: int, *, component: str = "", itemid: Any = 0
    ) -> bool:
        """Take a role in any context away from a user; tell whether he had it. Mirrors: role_unassign()"""
        key = (contextid, user, roleid, component, itemid)
        if self._roles.get(key) is None:
            return False
        self._roles.remove(key, line)
        return True

    def holds_system_role(self, user: int, roleid: int) -> bool:
        """Tell whether a user has a role in the context of the site, given by nobody else than people."""
        return (roleid, "", 0) in self.roles_in(user, self.state.system_contextid)

    def unassign_roles_of(self, user: int, instance: EnrolInstance, line: int) -> bool:
        """Take away the roles that a method has given to a user; tell whether there were any."""
        course = self.state.courses[instance.courseid]
        own = (f"enrol_{instance.enrol}", instance.id)
        roleids = [roleid for roleid, *owner in self.roles_of(user, course) if tuple(owner) == own]
        for roleid in roleids:
            self.unassign_role(user, course, roleid, line, component=own[0], itemid=own[1])
        return bool(roleids)

    def add_instance(self, courseid: int, enrol: str, values: Mapping[str, Any], line: int) -> EnrolInstance:
        """Add a method to a course (`InstanceRows.add`)."""
        return self.instances.add(courseid, enrol, values, line)

    def foresee_course(self, courseid: int, contextid: int, course: NewCourse, line: int) -> None:
        """Note the methods and the teachers of a course that another operation of the plan makes."""
        for place, values in enumerate(course.instances):
            instance = self.instances.foresee(courseid, {**values, "sortorder": place}, line)
            if instance.enrol == "manual":
                for userid in dict.fromkeys(teacher.userid for teacher in course.teachers):
                    enrolment = {"id": self.plan.new_id(line), "status": 0, "timestart": self.now, "timeend": 0}
                    self._enrolments.foresee((instance.id, userid), enrolment, line)
        for userid, roleid in dict.fromkeys(course.teachers):
            self._roles.foresee((contextid, userid, roleid, "", 0), {"id": self.plan.new_id(line)}, line)

    def delete_instance(self, instance: EnrolInstance, line: int) -> None:
        """Unenrol everybody whom a method enrols, and take it away; everybody's enrolment must have been read.

        Mirrors: enrol_plugin::delete_instance()
        """
        for user in self.enrolled_by(instance.id):
            self.unenrol(user, instance, line)
        self.instances.take_away(instance, line)

    def find_cohorts(self, identifier: str, text: str) -> list[Cohort]:
        """Return the cohorts that a text names; those spelled exactly so, if there are any. Shape: as "id", "name" """
        if identifier == "id":
            cohortid = int(text) if is_id(text) else 0
            return [self.cohort(cohortid)] if cohortid in self.cohorts else []
        return [self.cohort(cohortid) for cohortid in self.cohorts.find_spelled(identifier, text)] if text else []

    def lists_cohorts(self, text: str) -> bool:
        """Tell whether a text that names no cohort seems to list several: one of its parts is a name or idnumber."""
        return any(self.cohorts.find(name=part) or self.cohorts.find(idnumber=part) for part in listed(text))

    def cohort(self, cohortid: int) -> Cohort:
        """Return a cohort as it stands now."""
        row = self.cohorts[cohortid]
        return Cohort(cohortid, row["contextid"], row["name"], row["idnumber"] or "")

    def create_cohort(self, name: str, idnumber: str, line: int, **values: Any) -> Cohort:
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
        return self.cohort(self.cohorts.insert(row, line))

    def is_in_cohort(self, user: int, cohortid: int) -> bool:
        return self._cohort_members.get((cohortid, user)) is not None

    def members_of_cohort(self, cohortid: int) -> list[int]:
        """Return the members of a cohort, of those that have been read."""
        return [user for _cohortid, user in self._cohort_members.find(cohortid=cohortid)]

    def add_to_cohort(self, user: int, cohortid: int, line: int) -> bool:
        """Make a user a member of a cohort; tell whether that is new. Mirrors: cohort_add_member()"""
        if self.is_in_cohort(user, cohortid):
            return False
        self._cohort_members.put((cohortid, user), {"timeadded": self.now}, line)
        return True

    def remove_from_cohort(self, user: int, cohortid: int, line: int) -> bool:
        """Take a user out of a cohort; tell whether he was in it. Mirrors: cohort_remove_member()"""
        if not self.is_in_cohort(user, cohortid):
            return False
        self._cohort_members.remove((cohortid, user), line)
        return True

    def add_to_group_of(self, user: int, instance: EnrolInstance, line: int) -> None:
        """Put a user in the group that a cohort or meta method fills, if it has one, and in no other by this method."""
        own: dict[str, Any] = {"component": f"enrol_{instance.enrol}", "itemid": instance.id}
        for groupid in self.groups.of_user(user, instance.courseid):
            membership = self.groups.membership(user, groupid) or {}
            if groupid != instance.customint2 and own.items() <= membership.items():
                self.groups.remove(user, groupid, line)
        if instance.customint2 in self.groups.groups:
            self.groups.add(user, instance.customint2, line, **own)

    @property
    def touches(self) -> int:
        """How often a row was put or taken away so far: nothing has changed as long as it stays the same."""
        tables = (self._enrolments, self._roles, self._cohort_members, self._subscriptions, self.groups, self.instances)
        return sum(rows.touches for rows in tables)

    def finish(self) -> None:
        """Put the difference to what is there into the plan. Nothing differs, nothing is written."""
        self.plan.unenrolled |= {pair for pair in self._unenrolled if not self.is_enrolled(*pair)}
        self.instances.finish()
        self.cohorts.write(self.plan)
        enrolled, assigned = self._enrolments.write(self.plan), self._roles.write(self.plan)
        self._cohort_members.write(self.plan)
        self._subscriptions.write(self.plan)
        self.groups.finish()
        # A new enrolment alone doesn't change anybody's rights: Moodle marks the user as changed when a role comes with it.
        self.plan.dirty_users |= {key[1] for key in enrolled.updated | enrolled.deleted}
        self.plan.dirty_users |= {key[1] for key in assigned.inserted | assigned.deleted}

    def _leave_course(self, user: int, course: Course, line: int) -> None:
        """Take what is known of the roles and groups of somebody who is left without any enrolment in a course.

        Everything else goes when the plan is carried out, from those whom no later row enrols again:
        `sync.moodle.enrolments.unenrol_cleanup.unenrol_cleanup`.
        """
        for groupid in self.groups.of_user(user, course.id):
            self.groups.remove(user, groupid, line)
        for roleid, component, itemid in self.roles_of(user, course):
            self.unassign_role(user, course, roleid, line, component=component, itemid=itemid)
        if not is_temporary(user):
            self._unenrolled.add((user, course.id))

    def _may_be_subscribed(self, roleid: int, forum: Forum) -> bool:
        known = self._subscribing.get((roleid, forum.id))
        if known is None:
            permissions = self.state.permissions.get(roleid, {})
            known = self._subscribing[roleid, forum.id] = is_allowed(permissions, forum.path)
        return known


def _stamped(found: FoundRows, **columns: int) -> FoundRows:
    """Return rows of which these columns follow when another one changes."""
    return FoundRows(replace(found.table, on_update=columns), found.rows)
