"""What a plan does, counted by kind of object and what becomes of it: what limits are held against, and people read.

Of a row of Moodle's tables the table says what it is of; an operation that does more than write rows says so itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

# "users.deleted" -> how many
Totals = Counter[str]

CREATED, UPDATED, DELETED, SUSPENDED = "created", "updated", "deleted", "suspended"
HIDDEN, RESET, FILLED = "hidden", "reset", "filled"
MAILS_SENT = "mails.sent"

# Tables whose rows people count, by the name of what a row is.
OBJECTS: Mapping[str, str] = {
    "user": "users",
    "user_enrolments": "enrolments",
    "role_assignments": "roles",
    "groups": "groups",
    "groups_members": "group_members",
    "cohort": "cohorts",
    "cohort_members": "cohort_members",
    "course": "courses",
    "course_categories": "categories",
    "enrol": "methods",
}
# Column and value by which an update suspends somebody or hides something, and what that is called.
_TAKING_AWAY = {
    "user": ("suspended", 1, SUSPENDED),
    "user_enrolments": ("status", 1, SUSPENDED),
    "course": ("visible", 0, HIDDEN),
}


class RowCounts(NamedTuple):
    """The writes of one table. Shape: inserts, deletes: how many; updates: the changed columns of each row, as they are then"""

    inserts: int
    updates: Collection[Mapping[str, Any]]
    deletes: int


def count_rows(table: str, counts: RowCounts) -> Totals:
    """Count the writes of one table; nothing for one whose rows nobody counts."""
    name = OBJECTS.get(table)
    if name is None:
        return Totals()
    totals = Totals({f"{name}.{CREATED}": counts.inserts, f"{name}.{DELETED}": counts.deletes})
    taken = 0
    if table in _TAKING_AWAY:
        column, value, action = _TAKING_AWAY[table]
        taken = totals[f"{name}.{action}"] = sum(1 for after in counts.updates if after.get(column) == value)
    totals[f"{name}.{UPDATED}"] = len(counts.updates) - taken
    return +totals


def total(name: str, action: str, count: int) -> Totals:
    """Return the total of one kind; an empty one for none."""
    return +Totals({f"{name}.{action}": count})
