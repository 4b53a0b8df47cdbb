"""What reaches the courses that take their people from another course, as soon as it happens there."""

from __future__ import annotations

from sync.moodle.courses import Course
from sync.moodle.enrolments import ACTIVE, ENABLED, SUSPENDED, EnrolInstance
from sync.processors.membership_rows import MembershipRows
from sync.processors.table_view import UserKey, Values

META = "meta"


def sync_meta_children(rows: MembershipRows, user: UserKey, course: Course, line: int) -> None:
    """Copy the enrolment and the roles of a user in a course to its meta children.

    Mirrors: enrol_meta_handler::sync_with_parent_course(); leaves out: taking away what the parent no longer has
    """
    children = rows.state.meta_children.get(course.id)
    if not children:
        return
    enrolments = _parent_enrolments(rows, user, course)
    roleids = _copied_roleids(rows, user, course)
    if not enrolments or not (roleids or rows.state.meta.syncall):
        return
    values = _copied_values(enrolments)
    for child in children:
        rows.enrol(user, child.id, values, line)
        if values["status"] == ACTIVE:
            for roleid in roleids:
                target = rows.state.courses[child.courseid]
                rows.assign_role(user, target, roleid, line, component="enrol_meta", itemid=child.id)
        rows.add_to_group_of(user, child, line)


def _parent_enrolments(rows: MembershipRows, user: UserKey, course: Course) -> list[tuple[EnrolInstance, Values]]:
    methods = rows.state.enabled_methods - {META}
    return [
        (instance, enrolment)
        for instance in rows.state.instances.get(course.id, ())
        if instance.enrol in methods and (enrolment := rows.enrolment(user, instance.id)) is not None
    ]


def _copied_roleids(rows: MembershipRows, user: UserKey, course: Course) -> list[int]:
    sources = {"", *(f"enrol_{method}" for method in rows.state.enabled_methods if method != META)}
    held = {roleid for roleid, component in rows.roles_held(user, course) if component in sources}
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
