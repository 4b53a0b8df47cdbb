"""What Moodle must be told after direct writes: rows of `cache_flags`.

Source: spec generic.md section 12; Moodle's set_cache_flag() in lib/moodlelib.php
"""

from __future__ import annotations

import time
from collections.abc import Collection

import sqlalchemy as sa

from sync.moodle.db.database import MoodleSession
from sync.moodle.db.writer import MAX_KEYS, RowChange, Writer, batched

DIRTY_USERS = "accesslib/dirtyusers"
DIRTY_CONTEXTS = "accesslib/dirtycontexts"
CHANGED_PREFERENCES = "userpreferenceschanged"

DEFAULT_SESSION_TIMEOUT = 28_800


def flag_changes(
    writer: Writer,
    *,
    dirty_users: Collection[int] = (),
    changed_preferences: Collection[int] = (),
    dirty_contexts: Collection[str] = (),
) -> None:
    """Mark users whose access data or preferences changed, and context paths whose access data changed.

    Mirrors: mark_user_dirty(), mark_user_preferences_changed() and context::mark_dirty(); one row per (flagtype, name)
    Queries: none without changes, else at most two reads and three writes
    """
    wanted = [(DIRTY_USERS, str(userid)) for userid in sorted(dirty_users)]
    wanted += [(CHANGED_PREFERENCES, str(userid)) for userid in sorted(changed_preferences)]
    wanted += [(DIRTY_CONTEXTS, path) for path in sorted(dirty_contexts)]
    if not wanted:
        return
    now = int(time.time())
    timeout = writer.session.config.get("sessiontimeout", "")
    values = {
        "value": "1",
        "timemodified": now,
        "expiry": now + (int(timeout) if timeout.isdigit() and int(timeout) else DEFAULT_SESSION_TIMEOUT),
    }
    present = _present_flags(writer.session, wanted)
    changes = [
        RowChange(row.id, {name: getattr(row, name) for name in values}, values)
        for key in wanted
        if (row := present.get(key)) is not None
    ]
    writer.update_many("cache_flags", changes)
    writer.insert_many(
        "cache_flags",
        [{"flagtype": kind, "name": name, **values} for kind, name in wanted if (kind, name) not in present],
        ("flagtype", "name"),
    )


def _present_flags(session: MoodleSession, wanted: list[tuple[str, str]]) -> dict[tuple[str, str], sa.Row]:
    flags = session.table("cache_flags")
    present = {}
    for part in batched(sorted({name for _kind, name in wanted}), MAX_KEYS):
        kinds = sorted({kind for kind, _name in wanted})
        statement = sa.select(
            flags.c.id, flags.c.flagtype, flags.c.name, flags.c.value, flags.c.timemodified, flags.c.expiry
        ).where(flags.c.flagtype.in_(kinds), session.in_clause(flags.c.name, part))
        for row in session.fetch(statement.order_by(flags.c.id.desc())):
            present[(row.flagtype, row.name)] = row
    return present
