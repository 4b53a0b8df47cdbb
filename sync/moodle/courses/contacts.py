"""Reads of the people who answer for a course, and of those whom a mail about it names."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from sync.moodle.db.database import MoodleSession
from sync.moodle.db.writer import MAX_KEYS, batched
from sync.moodle.versions import CONTEXT_COURSE


def fetch_contact_addresses(moodle: MoodleSession, courseids: Collection[int]) -> dict[int, list[str]]:
    """Return where the contacts of courses get their mail: those who hold a role that the site shows beside a course.

    Shape: courseid -> addresses, sorted; a course without contacts is absent
    Queries: one per 10,000 courses; none when the site shows no role
    Source: setting coursecontact
    """
    roleids = [int(text) for text in moodle.config.get("coursecontact", "").split(",") if text.strip().isdigit()]
    if not roleids:
        return {}
    assignment, context, user = moodle.table("role_assignments"), moodle.table("context"), moodle.table("user")
    statement = (
        sa.select(context.c.instanceid, user.c.email)
        .select_from(assignment)
        .join(context, context.c.id == assignment.c.contextid)
        .join(user, user.c.id == assignment.c.userid)
        .where(context.c.contextlevel == CONTEXT_COURSE, assignment.c.roleid.in_(roleids))
        .where(user.c.deleted == 0, user.c.suspended == 0, user.c.emailstop == 0, user.c.email != "")
        .distinct()
    )
    addresses: dict[int, list[str]] = {}
    for part in batched(sorted(courseids), MAX_KEYS):
        for courseid, address in moodle.fetch(statement.where(context.c.instanceid.in_(part))):
            addresses.setdefault(courseid, []).append(address)
    return {courseid: sorted(found) for courseid, found in addresses.items()}


def fetch_people(moodle: MoodleSession, userids: Collection[int]) -> dict[int, str]:
    """Return the names of users as a person would read them: "Ann Smith (ann)".

    Queries: one per 10,000 users
    """
    user = moodle.table("user")
    statement = sa.select(user.c.id, user.c.firstname, user.c.lastname, user.c.username)
    return {
        row.id: f"{row.firstname} {row.lastname} ({row.username})"
        for part in batched(sorted(userids), MAX_KEYS)
        for row in moodle.fetch(statement.where(user.c.id.in_(part)))
    }
