"""Deletion of course groups and groupings, whole sets at a time.

Mirrors: groups_delete_group(), groups_delete_grouping(), and what assignments, lessons, quizzes and messages do then
Source: spec groups.md section 2; effects group_delete*, grouping_delete
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import sqlalchemy as sa

from sync.moodle.db.writer import MAX_KEYS, RowChange, Writer, batched
from sync.moodle.files.files import DeletedFiles, delete_files

# Dates that an activity gives to one group.
_OVERRIDES = ("assign_overrides", "lesson_overrides", "quiz_overrides")


def delete_groups(writer: Writer, groupids: Collection[int]) -> DeletedFiles:
    """Delete groups with their members, conversations, dates and files.

    Left behind, as Moodle does it: availability conditions, discussions and submissions of the groups.
    Queries: constant, whatever the number of groups
    """
    ids = sorted(groupids)
    if not ids:
        return DeletedFiles()
    # The events of overrides name the group as well.
    for table in ("event", *_OVERRIDES):
        if writer.session.database.has_table(table):
            writer.delete_where(table, "groupid", ids)
    writer.delete_where("groupings_groups", "groupid", ids)
    writer.delete_where("groups_members", "groupid", ids)
    _delete_conversations(writer, ids)
    _delete_custom_fields(writer, "group", ids)
    writer.delete_where("groups", "id", ids)
    return _delete_files(writer, "group", ("description", "icon"), ids)


def delete_groupings(writer: Writer, groupingids: Collection[int], *, now: int) -> DeletedFiles:
    """Delete groupings; courses and activities that use them use none then.

    Moodle leaves course.cacherev alone; here it goes up, as activities would keep the grouping in Moodle's cache.
    Units: now: seconds since epoch
    Queries: constant, whatever the number of groupings
    """
    ids = sorted(groupingids)
    if not ids:
        return DeletedFiles()
    writer.delete_where("groupings_groups", "groupingid", ids)
    modules = writer.session.table("course_modules")
    changes: list[RowChange] = []
    for part in batched(ids, MAX_KEYS):
        statement = sa.select(modules.c.id, modules.c.groupingid).where(modules.c.groupingid.in_(part))
        rows = writer.session.fetch(statement.order_by(modules.c.id))
        changes += [RowChange(row.id, {"groupingid": row.groupingid}, {"groupingid": 0}) for row in rows]
    writer.update_many("course_modules", changes)
    _delete_custom_fields(writer, "grouping", ids)
    gone = writer.delete_where("groupings", "id", ids)
    _tell_courses(writer, sorted({row["courseid"] for row in gone}), frozenset(ids), now)
    return _delete_files(writer, "grouping", ("description",), ids)


def _tell_courses(writer: Writer, courseids: Sequence[int], groupingids: frozenset[int], now: int) -> None:
    """Let courses be read anew, without their default grouping if it is gone."""
    course = writer.session.table("course")
    changes: list[RowChange] = []
    for part in batched(courseids, MAX_KEYS):
        statement = sa.select(course.c.id, course.c.defaultgroupingid, course.c.cacherev).where(course.c.id.in_(part))
        for row in writer.session.fetch(statement.order_by(course.c.id)):
            before, after = {"cacherev": row.cacherev}, {"cacherev": max(row.cacherev + 1, now)}
            if row.defaultgroupingid in groupingids:
                before["defaultgroupingid"], after["defaultgroupingid"] = row.defaultgroupingid, 0
            changes.append(RowChange(row.id, before, after))
    writer.update_many("course", changes)


def _delete_conversations(writer: Writer, groupids: Sequence[int]) -> None:
    """Mirrors: core_message\\api::delete_all_conversation_data()"""
    talks = writer.session.table("message_conversations")
    gone = writer.delete_where(
        "message_conversations", "itemid", groupids, talks.c.component == "core_group", talks.c.itemtype == "groups"
    )
    ids = [row["id"] for row in gone]
    for table in ("message_conversation_members", "message_conversation_actions"):
        writer.delete_where(table, "conversationid", ids)
    messages = writer.delete_where("messages", "conversationid", ids)
    writer.delete_where("message_user_actions", "messageid", [row["id"] for row in messages])


def _delete_custom_fields(writer: Writer, area: str, ids: Sequence[int]) -> None:
    """Delete what custom fields hold; Moodle has them for groups and groupings since 4.2."""
    field, category = writer.session.table("customfield_field"), writer.session.table("customfield_category")
    statement = (
        sa.select(field.c.id)
        .join(category, category.c.id == field.c.categoryid)
        .where(category.c.component == "core_group", category.c.area == area)
    )
    fieldids = [fieldid for (fieldid,) in writer.session.fetch(statement)]
    if fieldids:
        data = writer.session.table("customfield_data")
        writer.delete_where("customfield_data", "instanceid", ids, data.c.fieldid.in_(fieldids))


def _delete_files(writer: Writer, component: str, areas: Sequence[str], ids: Sequence[int]) -> DeletedFiles:
    files = writer.session.table("files")
    return delete_files(writer, "itemid", ids, files.c.component == component, files.c.filearea.in_(areas))
