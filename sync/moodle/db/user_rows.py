"""The read that all tables about what people belong to have in common."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa

from sync.moodle.db.database import MoodleSession
from sync.moodle.db.writer import MAX_KEYS, batched

UserRows = dict[tuple[Any, ...], dict[str, Any]]


def fetch_user_rows(
    moodle: MoodleSession,
    table: str,
    *,
    key: Sequence[str],
    columns: Sequence[str] = (),
    in_clause: Collection[int],
    userids: Collection[int] | None,
) -> UserRows:
    """Return the rows that tie these users (None: anybody) to these things.

    Shape: key: columns of the natural key, the first one narrowed by `in_clause`; key -> {id, and the columns asked for}
    Queries: one per 10,000 things; none without users
    """
    if userids is not None and not userids:
        return {}
    target = moodle.table(table)
    names = (*key, "id", *columns)
    rows: UserRows = {}
    for part in batched(sorted(in_clause), MAX_KEYS):
        statement = sa.select(*(target.c[name] for name in names)).where(moodle.in_clause(target.c[key[0]], part))
        if userids is not None:
            statement = statement.where(moodle.in_clause(target.c.userid, userids))
        for row in moodle.fetch(statement):
            rows[tuple(row[: len(key)])] = dict(zip(names[len(key) :], row[len(key) :], strict=True))
    return rows
