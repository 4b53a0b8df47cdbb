"""The context that every user has, and what hangs on it: blocks, files, filters, comments, ratings, roles given there."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import sqlalchemy as sa

from sync.moodle.db.database import MoodleSession
from sync.moodle.db.writer import MAX_KEYS, Writer, batched
from sync.moodle.files.files import DeletedFiles, delete_files
from sync.moodle.versions import CONTEXT_BLOCK, CONTEXT_USER

# Tables whose rows belong to a context. Source: context::delete_content() and context::delete()
_CONTEXT_TABLES = (
    "block_positions",
    "filter_active",
    "filter_config",
    "comments",
    "rating",
    "role_assignments",
    "role_names",
    "role_capabilities",
)


def insert_user_contexts(writer: Writer, userids: Sequence[int]) -> None:
    """Insert the contexts of new users.

    Mirrors: context_user::instance() of Moodle; the path holds the row's own id, so it is set in a second step
    Queries: three
    """
    if not userids:
        return
    context = writer.session.table("context")
    rows = [
        {"contextlevel": CONTEXT_USER, "instanceid": userid, "path": None, "depth": 0, "locked": 0}
        for userid in userids
    ]
    ids = writer.insert_many("context", rows, ("contextlevel", "instanceid"))
    above = f"/{writer.session.system_contextid}/"
    path = sa.literal(above) + sa.cast(context.c.id, sa.String)
    left = {rowid: {"path": f"{above}{rowid}", "depth": 2} for rowid in ids}
    writer.complete_where("context", {"path": path, "depth": 2}, left)


def fetch_user_contextids(moodle: MoodleSession, userids: Collection[int]) -> dict[int, int]:
    """Return the ids of the contexts of users, by the user's; absent = has none. Queries: one per 10,000 users"""
    context = moodle.table("context")
    found: dict[int, int] = {}
    for part in batched(sorted(userids), MAX_KEYS):
        statement = sa.select(context.c.instanceid, context.c.id).where(
            context.c.contextlevel == CONTEXT_USER, moodle.in_clause(context.c.instanceid, part)
        )
        found.update((row.instanceid, row.id) for row in moodle.fetch(statement))
    return found


def fetch_userids_without_context(writer: Writer, userids: Sequence[int]) -> list[int]:
    """Return the users that have no context row (a restored database may lack some)."""
    context = writer.session.table("context")
    statement = sa.select(context.c.instanceid).where(
        context.c.contextlevel == CONTEXT_USER, context.c.instanceid.in_(userids)
    )
    present = {row.instanceid for row in writer.session.fetch(statement)}
    return [userid for userid in userids if userid not in present]


def delete_user_context_contents(writer: Writer, userids: Sequence[int]) -> DeletedFiles:
    """Empty the contexts of users; the context rows stay, those of the blocks in them go.

    Mirrors: context_user::delete_content(), blocks_delete_all_for_context()
    """
    contextids = _context_ids(writer, CONTEXT_USER, userids)
    if not contextids:
        return DeletedFiles()
    blocks = writer.delete_where("block_instances", "parentcontextid", contextids)
    blockids = [block["id"] for block in blocks]
    files = DeletedFiles()
    if blockids:
        writer.delete_where("block_positions", "blockinstanceid", blockids)
        preferences = [
            name for blockid in blockids for name in (f"block{blockid}hidden", f"docked_block_instance_{blockid}")
        ]
        writer.delete_where("user_preferences", "name", preferences)
        block_contexts = _context_ids(writer, CONTEXT_BLOCK, blockids)
        files = delete_context_contents(writer, block_contexts)
        writer.delete_where("context", "id", block_contexts)
    return files + delete_context_contents(writer, contextids)


def delete_context_contents(writer: Writer, contextids: Sequence[int]) -> DeletedFiles:
    """Delete the rows that belong to contexts, apart from the context rows themselves."""
    for table in _CONTEXT_TABLES:
        writer.delete_where(table, "contextid", contextids)
    instances = writer.delete_where("repository_instances", "contextid", contextids)
    if instances:
        writer.delete_where("repository_instance_config", "instanceid", [instance["id"] for instance in instances])
    areas = writer.delete_where("grading_areas", "contextid", contextids)
    if areas:
        definitions = writer.delete_where("grading_definitions", "areaid", [area["id"] for area in areas])
        writer.delete_where("grading_instances", "definitionid", [definition["id"] for definition in definitions])
    return delete_files(writer, "contextid", contextids)


def _context_ids(writer: Writer, level: int, instanceids: Sequence[int]) -> list[int]:
    context = writer.session.table("context")
    found: list[int] = []
    for part in batched(instanceids, MAX_KEYS):
        statement = sa.select(context.c.id).where(context.c.contextlevel == level, context.c.instanceid.in_(part))
        found += [contextid for (contextid,) in writer.session.fetch(statement)]
    return sorted(found)
