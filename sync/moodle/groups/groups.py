"""Reads of course groups, their groupings, members and conversations."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

import sqlalchemy as sa

from sync.moodle.db.database import MoodleSession
from sync.moodle.db.identifiers import named
from sync.moodle.db.user_rows import UserRows, fetch_user_rows
from sync.moodle.db.writer import MAX_KEYS, batched

# What can be given to a group and to a grouping alike.
_DESCRIBED = ("id", "courseid", "name", "idnumber", "description", "descriptionformat", "timemodified")


class Group(NamedTuple):
    """A group of a course. Shape: conversationid: the conversation of the group, enabled or not; None without one."""

    id: int
    courseid: int
    name: str
    timemodified: int
    conversationid: int | None = None
    idnumber: str = ""


def fetch_groups(
    moodle: MoodleSession, courseids: Collection[int], names: Collection[str] | None, ids: Collection[int] = ()
) -> list[Group]:
    """Return the groups of these names (None: all) in these courses, and the groups of these ids.

    Shape: by rising id
    Queries: one; none when nothing is asked for
    """
    table, talks = moodle.table("groups"), moodle.table("message_conversations")
    everything = sa.select(
        table.c.id,
        table.c.courseid,
        table.c.name,
        table.c.timemodified,
        talks.c.id.label("conversationid"),
        table.c.idnumber,
    ).select_from(_with_conversations(moodle))
    selects = []
    if courseids and names is None:
        selects.append(everything.where(table.c.courseid.in_(courseids)))
    elif courseids and names:
        selects.append(everything.where(table.c.courseid.in_(courseids), named(moodle, "groups", "name", names)))
    if ids:
        selects.append(everything.where(table.c.id.in_(ids)))
    rows = moodle.fetch(sa.union(*selects)) if selects else []
    return sorted(Group(*row) for row in rows)


def fetch_described_groups(moodle: MoodleSession, courseids: Collection[int]) -> list[dict[str, Any]]:
    """Return all groups of courses with what people have written about them.

    Shape: by rising id; {id, courseid, name, idnumber, description, descriptionformat, timemodified, and of the group's
    conversation talk_id (None without one), talk_name, talk_time}
    Queries: one per 10,000 courses
    """
    table, talks = moodle.table("groups"), moodle.table("message_conversations")
    statement = sa.select(
        *(table.c[name] for name in _DESCRIBED),
        talks.c.id.label("talk_id"),
        talks.c.name.label("talk_name"),
        talks.c.timemodified.label("talk_time"),
    ).select_from(_with_conversations(moodle))
    return _in_courses(moodle, statement, table, courseids)


def fetch_groupings(moodle: MoodleSession, courseids: Collection[int]) -> list[dict[str, Any]]:
    """Return all groupings of courses.

    Shape: by rising id; {id, courseid, name, idnumber, description, descriptionformat, timemodified}
    Queries: one per 10,000 courses
    """
    table = moodle.table("groupings")
    return _in_courses(moodle, sa.select(*(table.c[name] for name in _DESCRIBED)), table, courseids)


def fetch_bindings(moodle: MoodleSession, courseids: Collection[int]) -> set[tuple[int, int]]:
    """Return which groupings of courses hold which groups.

    Shape: (groupingid, groupid)
    Queries: one per 10,000 courses
    """
    bindings, groupings = moodle.table("groupings_groups"), moodle.table("groupings")
    statement = sa.select(bindings.c.groupingid, bindings.c.groupid).join(
        groupings, groupings.c.id == bindings.c.groupingid
    )
    return {
        (row.groupingid, row.groupid)
        for part in batched(sorted(courseids), MAX_KEYS)
        for row in moodle.fetch(statement.where(groupings.c.courseid.in_(part)))
    }


def fetch_group_members(moodle: MoodleSession, groupids: Collection[int], userids: Collection[int] | None) -> UserRows:
    """Return which of these users belong to which of these groups.

    Shape: (groupid, userid) -> {id, timeadded, component, itemid}
    """
    return fetch_user_rows(
        moodle,
        "groups_members",
        key=("groupid", "userid"),
        columns=("timeadded", "component", "itemid"),
        in_clause=groupids,
        userids=userids,
    )


def fetch_conversation_members(
    moodle: MoodleSession, conversationids: Collection[int], userids: Collection[int] | None
) -> UserRows:
    """Return which of these users take part in which of these conversations.

    Shape: (conversationid, userid) -> {id}
    """
    return fetch_user_rows(
        moodle,
        "message_conversation_members",
        key=("conversationid", "userid"),
        in_clause=conversationids,
        userids=userids,
    )


def _with_conversations(moodle: MoodleSession) -> sa.Join:
    table, talks = moodle.table("groups"), moodle.table("message_conversations")
    return table.outerjoin(
        talks, sa.and_(talks.c.component == "core_group", talks.c.itemtype == "groups", talks.c.itemid == table.c.id)
    )


def _in_courses(
    moodle: MoodleSession, statement: sa.Select[Any], table: sa.Table, courseids: Collection[int]
) -> list[dict[str, Any]]:
    return [
        dict(row._mapping)
        for part in batched(sorted(courseids), MAX_KEYS)
        for row in moodle.fetch(statement.where(table.c.courseid.in_(part)).order_by(table.c.id))
    ]
