"""The context that every account has."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from sync.moodle.db.writer import Writer
from sync.moodle.versions import CONTEXT_USER


def insert_user_contexts(writer: Writer, userids: Sequence[int]) -> None:
    """Insert the contexts of new accounts.

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
    path = sa.literal(f"/{writer.session.system_contextid}/") + sa.cast(context.c.id, sa.String)
    writer.update_where("context", ids, {"path": path, "depth": 2}, before={})


def fetch_userids_without_context(writer: Writer, userids: Sequence[int]) -> list[int]:
    """Return those of the accounts that have no context row (a restored database may lack some)."""
    context = writer.session.table("context")
    statement = sa.select(context.c.instanceid).where(
        context.c.contextlevel == CONTEXT_USER, context.c.instanceid.in_(userids)
    )
    present = {row.instanceid for row in writer.session.fetch(statement)}
    return [userid for userid in userids if userid not in present]
