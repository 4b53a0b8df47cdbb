"""What reaches the courses that a cohort is enrolled in, as soon as somebody joins or leaves it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from sync.moodle.enrolments.enrolments import ACTIVE, ENABLED, EnrolInstance
from sync.processors.memberships.meta_sync import end_enrolment, sync_meta_children
from sync.processors.memberships.rows import MembershipRows
from sync.processors.memberships.state import COHORT_MEMBERS, MembershipState


def without_members(state: MembershipState, userids: Collection[int]) -> MembershipState:
    """Return the same without what some users are members of."""
    if not userids:
        return state
    members = state.rows_of(COHORT_MEMBERS)
    left = {key: values for key, values in members.rows.items() if key[1] not in userids}
    return replace(state, rows={**state.rows, COHORT_MEMBERS.name: replace(members, rows=left)})


def enrol_cohort_member(rows: MembershipRows, user: int, cohortid: int, line: int) -> None:
    """Enrol a new member of a cohort wherever the cohort is enrolled.

    Mirrors: enrol_cohort_handler::member_added()
    """
    if "cohort" not in rows.state.enabled_methods:
        return
    for instance in rows.instances.filled_from("cohort", cohortid):
        if instance.status == ENABLED:
            _enrol(rows, user, instance, line)


def unenrol_cohort_member(rows: MembershipRows, user: int, cohortid: int, line: int) -> None:
    """Take from somebody who has left a cohort what he had by it; Moodle does so even where the plugin is switched off.

    Mirrors: enrol_cohort_handler::member_removed()
    """
    for instance in rows.instances.filled_from("cohort", cohortid):
        end_enrolment(rows, user, instance, rows.state.cohort_unenrol_action, line)
        sync_meta_children(rows, user, rows.state.courses[instance.courseid], line)


def sync_cohort_instance(rows: MembershipRows, instance: EnrolInstance, line: int) -> None:
    """Bring an enabled cohort method up to date with the members of its cohort; all of them must have been read.

    Mirrors: enrol_cohort_sync() for one instance
    """
    members = rows.members_of_cohort(instance.customint1)
    for user in members:
        _enrol(rows, user, instance, line)
    for user in set(rows.enrolled_by(instance.id)) - set(members):
        end_enrolment(rows, user, instance, rows.state.cohort_unenrol_action, line)
        sync_meta_children(rows, user, rows.state.courses[instance.courseid], line)


def _enrol(rows: MembershipRows, user: int, instance: EnrolInstance, line: int) -> None:
    course = rows.state.courses[instance.courseid]
    rows.enrol(user, instance.id, {"status": ACTIVE}, line)
    if instance.roleid:
        rows.assign_role(user, course, instance.roleid, line, component="enrol_cohort", itemid=instance.id)
    rows.add_to_group_of(user, instance, line)
    sync_meta_children(rows, user, course, line)
