"""What reaches the courses that a cohort is enrolled in, as soon as somebody joins it."""

from __future__ import annotations

from sync.moodle.enrolments import ACTIVE
from sync.processors.membership_rows import MembershipRows
from sync.processors.meta_sync import sync_meta_children
from sync.processors.plan import Ref
from sync.processors.table_view import UserKey


def enrol_cohort_member(rows: MembershipRows, user: UserKey, cohortid: int | Ref, line: int) -> None:
    """Enrol a new member of a cohort wherever the cohort is enrolled.

    Mirrors: enrol_cohort_handler::member_added()
    """
    if isinstance(cohortid, Ref):
        return
    for instance in rows.state.cohort_instances.get(cohortid, ()):
        course = rows.state.courses[instance.courseid]
        rows.enrol(user, instance.id, {"status": ACTIVE}, line)
        if instance.roleid:
            rows.assign_role(user, course, instance.roleid, line, component="enrol_cohort", itemid=instance.id)
        rows.add_to_group_of(user, instance, line)
        sync_meta_children(rows, user, course, line)
