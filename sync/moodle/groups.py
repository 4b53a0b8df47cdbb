"""Reads of course groups, their members and their conversations."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import sqlalchemy as sa

from sync.moodle.database import MoodleSession
from sync.moodle.user_rows import UserRows, fetch_user_rows


class Group(NamedTuple):
    """A group of a course. Shape: conversationid: the conversation of the group, enabled or not; None without one."""

    id: int
    courseid: int
    name: str
    timemodified: int
    conversationid: int | None = None


def fetch_groups(
    moodle: MoodleSession, courseids: Collection[int], names: Collection[str] | None, ids: Collection[int] = ()
) -> list[Group]:
    """Give the groups of these names (None: all) in these courses, and the groups of these ids.

    Shape: by rising id
    Queries: one; none when nothing is asked for
    """
    table, talks = moodle.table("groups"), moodle.table("message_conversations")
    joined = table.outerjoin(
        talks, sa.and_(talks.c.component == "core_group", talks.c.itemtype == "groups", talks.c.itemid == table.c.id)
    )
    everything = sa.select(
        table.c.id, table.c.courseid, table.c.name, table.c.timemodified, talks.c.id.label("conversationid")
    ).select_from(joined)
    selects = []
    if courseids and names is None:
        selects.append(everything.where(table.c.courseid.in_(courseids)))
    elif courseids and names:
        selects.append(everything.where(table.c.courseid.in_(courseids), table.c.name.in_(names)))
    if ids:
        selects.append(everything.where(table.c.id.in_(ids)))
    rows = moodle.fetch(sa.union(*selects)) if selects else []
    return sorted(Group(row.id, row.courseid, row.name, row.timemodified, row.conversationid) for row in rows)


def fetch_group_members(moodle: MoodleSession, groupids: Collection[int], userids: Collection[int] | None) -> UserRows:
    """Give which of these users belong to which of these groups.

    Shape: (groupid, userid) -> {id, timeadded, component, itemid}
    """
    return fetch_user_rows(
        moodle,
        "groups_members",
        key=("groupid", "userid"),
        columns=("timeadded", "component", "itemid"),
        among=groupids,
        userids=userids,
    )


def fetch_conversation_members(
    moodle: MoodleSession, conversationids: Collection[int], userids: Collection[int] | None
) -> UserRows:
    """Give which of these users take part in which of these conversations.

    Shape: (conversationid, userid) -> {id}
    """
    return fetch_user_rows(
        moodle,
        "message_conversation_members",
        key=("conversationid", "userid"),
        among=conversationids,
        userids=userids,
    )
