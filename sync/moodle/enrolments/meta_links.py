"""Courses that copy their people from courses that go.

Mirrors: enrol_meta's observer; spec courses.md section 2, step 11
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa

from sync.moodle.db.writer import RowChange, Writer
from sync.moodle.enrolments.enrolments import DISABLED, ENABLED
from sync.moodle.enrolments.metacourses import (
    KEEP,
    SUSPEND_AND_TAKE_ROLES,
    UNENROL,
    fetch_copied,
    follow_in_metacourses,
    unenrol_action,
)
from sync.moodle.enrolments.unenrol_cleanup import leave_groups, unenrol_cleanup
from sync.moodle.files.files import DeletedFiles
from sync.moodle.versions import CONTEXT_COURSE


class MetaLinksCut(NamedTuple):
    """Whom and what Moodle must be told of, and files that are to be seen to after the commit."""

    users: set[int]
    context_paths: set[str]
    files: DeletedFiles = DeletedFiles()


def cut_meta_links(writer: Writer, courseids: Sequence[int], *, now: int) -> MetaLinksCut:
    """End the meta enrolments of other courses that have these for parents, as the site's setting says.

    The courses are still there; that nobody is enrolled in them any more comes first, as in Moodle.
    Queries: constant
    """
    session = writer.session
    enrol, context = session.table("enrol"), session.table("context")
    at_course = sa.and_(context.c.contextlevel == CONTEXT_COURSE, context.c.instanceid == enrol.c.courseid)
    instances = session.fetch(
        sa.select(enrol.c.id, enrol.c.courseid, enrol.c.status, context.c.path)
        .outerjoin(context, at_course)
        .where(enrol.c.enrol == "meta", enrol.c.customint1.in_(courseids), enrol.c.courseid.not_in(courseids))
        .order_by(enrol.c.id)
    )
    if not instances:
        return MetaLinksCut(set(), set())
    ids = [instance.id for instance in instances]
    left = follow_in_metacourses(writer, fetch_copied(session, courseids), now=now, are_going=courseids)
    cut = MetaLinksCut(set(), {instance.path for instance in instances if instance.path}, left)
    action = unenrol_action(session)
    if action in (UNENROL, SUSPEND_AND_TAKE_ROLES):
        assignment = session.table("role_assignments")
        taken = writer.delete_where("role_assignments", "itemid", ids, assignment.c.component == "enrol_meta")
        cut.users.update(row["userid"] for row in taken)
    if action == UNENROL:
        courseid_of = {instance.id: instance.courseid for instance in instances}
        member = session.table("groups_members")
        memberships = session.fetch(
            sa.select(member).where(member.c.component == "enrol_meta", member.c.itemid.in_(ids))
        )
        leave_groups(writer, [dict(row._mapping) for row in memberships], now=now)
        gone = writer.delete_where("user_enrolments", "enrolid", ids)
        files = unenrol_cleanup(writer, {(row["userid"], courseid_of[row["enrolid"]]) for row in gone}, now=now)
        cut.users.update(row["userid"] for row in gone)
        writer.delete_where("enrol", "id", ids)
        cut = cut._replace(files=left + files)
    elif action != KEEP:
        enabled = [instance.id for instance in instances if instance.status == ENABLED]
        writer.update_many("enrol", [RowChange(rowid, {"status": ENABLED}, {"status": DISABLED}) for rowid in enabled])
    return cut
