"""What people lose with their last enrolment in a course, whole sets at a time.

Mirrors: enrol_plugin::unenrol_user(), what follows the deletion of the enrolment; the observers of forums
Source: spec enrols.md section 5.3; effects unenrol_*
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from sync.moodle.db.database import MoodleSession
from sync.moodle.db.writer import MAX_KEYS, RowChange, Writer, batched
from sync.moodle.files.files import DeletedFiles
from sync.moodle.grades.grades import move_course_grades_to_history
from sync.moodle.site import caches
from sync.moodle.versions import CONTEXT_COURSE

Pairs = frozenset[tuple[int, int]]
Rows = list[dict[str, Any]]

# What a forum keeps of somebody: table, the column that names the forum.
FORUM_TABLES = (
    ("forum_subscriptions", "forum"),
    ("forum_digests", "forum"),
    ("forum_track_prefs", "forumid"),
    ("forum_read", "forumid"),
)


def unenrol_cleanup(writer: Writer, pairs: Collection[tuple[int, int]], *, now: int) -> DeletedFiles:
    """Take from people who have just lost an enrolment what they had in the course, if it was their last one there.

    Shape: pairs: (userid, courseid)
    Units: now: seconds since epoch
    Queries: constant, whatever the number of people and courses
    """
    left = frozenset(pairs) - _still_enrolled(writer.session, pairs)
    if not left:
        return DeletedFiles()
    roles = _roles_below(writer.session, left)
    writer.delete_many("role_assignments", roles)
    leave_groups(writer, _of_pairs(writer.session, "groups_members", "groups", "groupid", left), now=now)
    files = move_course_grades_to_history(writer, left, now=now)
    lastaccess = writer.session.table("user_lastaccess")
    writer.delete_many(
        "user_lastaccess", _narrowed(writer.session, sa.select(lastaccess, lastaccess.c.courseid), lastaccess, left)
    )
    leave_forums(writer, left)
    caches.flag_changes(writer, dirty_users={row["userid"] for row in roles})
    return files


def leave_groups(writer: Writer, memberships: Sequence[Mapping[str, Any]], *, now: int) -> None:
    """Delete memberships of groups, with those of the groups' conversations.

    Mirrors: groups_remove_member()
    """
    if not memberships:
        return
    session = writer.session
    groupids = sorted({row["groupid"] for row in memberships})
    writer.delete_many("message_conversation_members", _talkers(session, memberships, groupids))
    writer.delete_many("groups_members", memberships)
    groups = session.table("groups")
    changes: list[RowChange] = []
    for part in batched(groupids, MAX_KEYS):
        statement = sa.select(groups.c.id, groups.c.timemodified).where(
            groups.c.id.in_(part), groups.c.timemodified != now
        )
        found = session.fetch(statement.order_by(groups.c.id))
        changes += [RowChange(row.id, {"timemodified": row.timemodified}, {"timemodified": now}) for row in found]
    writer.update_many("groups", changes)


def leave_forums(writer: Writer, pairs: Pairs) -> None:
    """Delete what the forums of courses keep of people."""
    for table, column in FORUM_TABLES:
        if writer.session.database.has_table(table):
            writer.delete_many(table, _of_pairs(writer.session, table, "forum", column, pairs, course="course"))


def _still_enrolled(session: MoodleSession, pairs: Collection[tuple[int, int]]) -> set[tuple[int, int]]:
    enrol, enrolment = session.table("enrol"), session.table("user_enrolments")
    courseids = {courseid for _userid, courseid in pairs}
    found: set[tuple[int, int]] = set()
    for part in batched(sorted({userid for userid, _courseid in pairs}), MAX_KEYS):
        statement = (
            sa.select(enrolment.c.userid, enrol.c.courseid)
            .join(enrol, enrol.c.id == enrolment.c.enrolid)
            .where(enrolment.c.userid.in_(part), enrol.c.courseid.in_(courseids))
        )
        found.update((userid, courseid) for userid, courseid in session.fetch(statement))
    return found


def _roles_below(session: MoodleSession, pairs: Pairs) -> Rows:
    """Every role of the people in the contexts of the courses and in all that is below these."""
    assignment, context = session.table("role_assignments"), session.table("context")
    courses = sa.select(context.c.id, context.c.instanceid).where(
        context.c.contextlevel == CONTEXT_COURSE, context.c.instanceid.in_({courseid for _userid, courseid in pairs})
    )
    course_of = {row.id: row.instanceid for row in session.fetch(courses)}
    found: Rows = []
    for part in batched(sorted({userid for userid, _courseid in pairs}), MAX_KEYS):
        statement = (
            sa.select(context.c.path, assignment)
            .join(context, context.c.id == assignment.c.contextid)
            .where(assignment.c.userid.in_(part))
            .order_by(assignment.c.id)
        )
        for path, *values in session.fetch(statement):
            row = dict(zip(assignment.c.keys(), values, strict=True))
            above = (int(contextid) for contextid in (path or "").split("/") if contextid)
            courseid = next((course_of[contextid] for contextid in above if contextid in course_of), None)
            if (row["userid"], courseid) in pairs:
                found.append(row)
    return found


def _of_pairs(
    session: MoodleSession, table: str, parent: str, column: str, pairs: Pairs, *, course: str = "courseid"
) -> Rows:
    """The rows of people that hang on things of courses."""
    rows, things = session.table(table), session.table(parent)
    statement = sa.select(rows, things.c[course].label("left_course")).join(things, things.c.id == rows.c[column])
    return _narrowed(session, statement.where(things.c[course].in_({courseid for _u, courseid in pairs})), rows, pairs)


def _narrowed(session: MoodleSession, statement: sa.Select[Any], rows: sa.Table, pairs: Pairs) -> Rows:
    """Fetch the rows whose user and last column, the course, are one of the pairs."""
    found: Rows = []
    for part in batched(sorted({userid for userid, _courseid in pairs}), MAX_KEYS):
        for *values, courseid in session.fetch(statement.where(rows.c.userid.in_(part)).order_by(rows.c.id)):
            row = dict(zip(rows.c.keys(), values, strict=True))
            if (row["userid"], courseid) in pairs:
                found.append(row)
    return found


def _talkers(session: MoodleSession, memberships: Sequence[Mapping[str, Any]], groupids: Sequence[int]) -> Rows:
    member, conversation = session.table("message_conversation_members"), session.table("message_conversations")
    left = {(row["groupid"], row["userid"]) for row in memberships}
    userids = {userid for _groupid, userid in left}
    found: Rows = []
    for part in batched(groupids, MAX_KEYS):
        statement = (
            sa.select(conversation.c.itemid, member)
            .join(conversation, conversation.c.id == member.c.conversationid)
            .where(conversation.c.component == "core_group", conversation.c.itemtype == "groups")
            .where(conversation.c.itemid.in_(part), member.c.userid.in_(userids))
            .order_by(member.c.id)
        )
        for groupid, *values in session.fetch(statement):
            row = dict(zip(member.c.keys(), values, strict=True))
            if (groupid, row["userid"]) in left:
                found.append(row)
    return found
