"""The forums that subscribe people when they get a role in the course."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

import sqlalchemy as sa

from sync.moodle.db.database import MoodleSession
from sync.moodle.db.user_rows import UserRows, fetch_user_rows
from sync.moodle.db.writer import MAX_KEYS, Writer, batched
from sync.moodle.enrolments.roles import fetch_permissions, is_allowed
from sync.moodle.versions import CONTEXT_MODULE

ALLOW_FORCE_SUBSCRIBE = "mod/forum:allowforcesubscribe"

_INITIAL_SUBSCRIPTION = 2  # forum.forcesubscribe


class Forum(NamedTuple):
    """A forum with automatic subscription. Shape: path: ids of the contexts from the system down to the forum."""

    id: int
    courseid: int
    path: str


def fetch_initial_forums(moodle: MoodleSession, courseids: Collection[int]) -> list[Forum]:
    """Return the forums of these courses whose mode is "initial subscription".

    Queries: one per 10,000 courses; none where the forum plugin isn't installed
    """
    if not moodle.database.has_table("forum"):
        return []
    forum, modules, cm, context = map(moodle.table, ("forum", "modules", "course_modules", "context"))
    joined = (
        forum.join(cm, cm.c.instance == forum.c.id)
        .join(modules, sa.and_(modules.c.id == cm.c.module, modules.c.name == "forum"))
        .join(context, sa.and_(context.c.contextlevel == CONTEXT_MODULE, context.c.instanceid == cm.c.id))
    )
    forums: list[Forum] = []
    for part in batched(sorted(courseids), MAX_KEYS):
        statement = (
            sa.select(forum.c.id, forum.c.course, context.c.path)
            .select_from(joined)
            .where(forum.c.forcesubscribe == _INITIAL_SUBSCRIPTION, moodle.in_clause(forum.c.course, part))
        )
        forums.extend(Forum(row.id, row.course, row.path or "") for row in moodle.fetch(statement))
    return sorted(forums)


def fetch_forum_subscriptions(
    moodle: MoodleSession, forumids: Collection[int], userids: Collection[int] | None
) -> UserRows:
    """Return which of these users are subscribed to which of these forums.

    Shape: (forum, userid) -> {id}
    """
    return fetch_user_rows(moodle, "forum_subscriptions", key=("forum", "userid"), in_clause=forumids, userids=userids)


def subscribe_to_initial_forums(writer: Writer, roles: Mapping[int, Collection[tuple[int, int]]]) -> None:
    """Subscribe people to the forums of courses that have just been filled.

    Shape: roles: course id -> (user id, role id)
    Mirrors: mod_forum_observer::role_assigned()
    Queries: three; none without people
    """
    if not roles:
        return
    forums = fetch_initial_forums(writer.session, roles)
    contextids = {int(part) for forum in forums for part in forum.path.split("/") if part}
    permissions = fetch_permissions(writer.session, ALLOW_FORCE_SUBSCRIBE, contextids)
    subscribed = dict.fromkeys(
        (forum.id, userid)
        for forum in forums
        for userid, roleid in roles[forum.courseid]
        if is_allowed(permissions.get(roleid, {}), forum.path)
    )
    rows = [{"forum": forumid, "userid": userid} for forumid, userid in subscribed]
    writer.insert_many("forum_subscriptions", rows, ("userid", "forum"))
