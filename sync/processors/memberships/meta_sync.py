"""What reaches the courses that take their people from another course, as soon as it happens there."""

from __future__ import annotations

from typing import Any

from sync.moodle.courses.courses import Course
from sync.moodle.enrolments.enrolments import ACTIVE, ENABLED, SUSPENDED, EnrolInstance
from sync.processors.base.overlay import Values
from sync.processors.memberships.rows import MembershipRows
from sync.processors.memberships.state import UnenrolAction

META = "meta"


def sync_meta_children(rows: MembershipRows, user: int, course: Course, line: int) -> None:
    """Bring the meta children of a course up to date with what a user has there.

    Mirrors: enrol_meta_handler::sync_course_instances()
    """
    if META in rows.state.enabled_methods:
        for child in rows.instances.filled_from(META, course.id):
            sync_meta_user(rows, user, child, line)


def sync_meta_instance(rows: MembershipRows, child: EnrolInstance, line: int) -> None:
    """Bring a meta method up to date for everybody; the people of both courses must have been read."""
    users = dict.fromkeys(rows.enrolled_by(child.id))
    for instance in rows.instances.of_course(child.customint1):
        if instance.enrol != META:
            users.update(dict.fromkeys(rows.enrolled_by(instance.id)))
    for user in users:
        sync_meta_user(rows, user, child, line)


def sync_meta_user(rows: MembershipRows, user: int, child: EnrolInstance, line: int) -> None:
    """Make the enrolment and the roles of a user in a meta child what they are in the parent.

    A disabled method copies enrolments like others, but gives no roles.
    Mirrors: enrol_meta_handler::sync_with_parent_course()
    """
    parent = rows.state.courses[child.customint1]
    enrolments = _parent_enrolments(rows, user, parent)
    roleids = _copied_roleids(rows, user, parent)
    if not enrolments or not (roleids or rows.state.meta.syncall):
        end_enrolment(rows, user, child, rows.state.meta.unenrol_action, line)
        return
    values = _copied_values(enrolments)
    rows.enrol(user, child.id, values, line)
    rows.add_to_group_of(user, child, line)
    wanted = roleids if values["status"] == ACTIVE and child.status == ENABLED else []
    target = rows.state.courses[child.courseid]
    own: dict[str, Any] = {"component": "enrol_meta", "itemid": child.id}
    for roleid in wanted:
        rows.assign_role(user, target, roleid, line, **own)
    if rows.state.meta.unenrol_action != UnenrolAction.SUSPEND:
        for roleid, component, itemid in rows.roles_of(user, target):
            if (component, itemid) == ("enrol_meta", child.id) and roleid not in wanted:
                rows.unassign_role(user, target, roleid, line, **own)


def end_enrolment(rows: MembershipRows, user: int, instance: EnrolInstance, how: UnenrolAction, line: int) -> None:
    """Do with an enrolment whose reason has gone what the setting of its method says.

    Mirrors: enrol_meta_handler::user_not_supposed_to_be_here(), enrol_cohort_handler::member_removed()
    """
    if how == UnenrolAction.UNENROL:
        rows.unenrol(user, instance, line)
    elif how != UnenrolAction.KEEP and rows.enrolment(user, instance.id) is not None:
        rows.enrol(user, instance.id, {"status": SUSPENDED}, line)
        if how == UnenrolAction.SUSPEND_WITHOUT_ROLES:
            rows.unassign_roles_of(user, instance, line)


def _parent_enrolments(rows: MembershipRows, user: int, course: Course) -> list[tuple[EnrolInstance, Values]]:
    methods = rows.state.enabled_methods - {META}
    return [
        (instance, enrolment)
        for instance in rows.instances.of_course(course.id)
        if instance.enrol in methods and (enrolment := rows.enrolment(user, instance.id)) is not None
    ]


def _copied_roleids(rows: MembershipRows, user: int, course: Course) -> list[int]:
    sources = {"", *(f"enrol_{method}" for method in rows.state.enabled_methods if method != META)}
    held = {roleid for roleid, component, _itemid in rows.roles_of(user, course) if component in sources}
    return sorted(held - rows.state.meta.nosyncroleids)


def _copied_values(enrolments: list[tuple[EnrolInstance, Values]]) -> dict[str, int]:
    """Active if one of them is, from the earliest start to the latest end; an end of 0 is the latest of all."""
    active = [row for instance, row in enrolments if instance.status == ENABLED and row["status"] == ACTIVE]
    if not active:
        return {"status": SUSPENDED}
    ends = [row["timeend"] for row in active]
    return {
        "status": ACTIVE,
        "timestart": min(row["timestart"] for row in active),
        "timeend": 0 if 0 in ends else max(ends),
    }
