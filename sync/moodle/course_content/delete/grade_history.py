"""Rows of the gradebook that go are kept in its history.

Source: grade_object::delete(); spec courses.md section 2, step 5
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from sync.moodle.db.database import MoodleSession
from sync.moodle.db.writer import Writer

# Tables that have a history, "<table>_history".
HISTORY_TABLES = frozenset(("grade_categories", "grade_items", "grade_grades", "grade_outcomes", "scale"))

# Source: GRADE_HISTORY_DELETE in Moodle's lib/grade/constants.php
_DELETED = 3
_OWN_COLUMNS = frozenset(("id", "timemodified"))


def keep_history(writer: Writer, table: str, rows: Sequence[Mapping[str, Any]], *, now: int, source: str) -> None:
    """Copy rows that are about to be deleted, unless the site keeps no history."""
    session = writer.session
    if session.config.get("disablegradehistory", "0") == "1":
        return
    history = f"{table}_history"
    kept = [c.name for c in session.table(table).c if c.name in session.table(history).c and c.name not in _OWN_COLUMNS]
    writer.insert_many(
        history,
        [
            {
                **{name: row[name] for name in kept},
                "action": _DELETED,
                "oldid": row["id"],
                "source": source,
                "timemodified": now,
                "loggeduser": session.operatorid,
            }
            for row in rows
        ],
        ("oldid", "action"),
    )


def moved_up(session: MoodleSession, items: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return grade items as they are when their turn comes: Moodle first deletes the subcategories, which they leave upwards.

    Queries: one
    """
    category = session.table("grade_categories")
    roots = sa.select(category.c.courseid, category.c.id).where(
        category.c.depth == 1, category.c.courseid.in_({item["courseid"] for item in items})
    )
    root_of: dict[int, int] = dict(session.fetch(roots))
    return [_moved_up(item, root_of.get(item["courseid"])) for item in items]


def _moved_up(item: Mapping[str, Any], root: int | None) -> Mapping[str, Any]:
    if item["itemtype"] == "course":
        return item
    categoryid = item["categoryid"]
    return {**item, "needsupdate": 1, "categoryid": categoryid if categoryid is None or root is None else root}
