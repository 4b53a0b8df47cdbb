"""What a plan does, counted by kind of object and what becomes of it: what limits are held against, and people read.

Of a row of Moodle's tables the table says what it is of; an operation that does more than write rows says so itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
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
MEMBERSHIPS = ("user_enrolments", "role_assignments", "groups_members", "cohort_members")
# Preferences only where a file is about them: files of users set some by the way.
PREFERENCES = "preferences"
TABLES: Mapping[str, str] = {**{name: table for table, name in OBJECTS.items()}, PREFERENCES: "user_preferences"}
# Columns and values by which an update deletes or suspends somebody or hides something, and what that is called, the worst first.
_TAKING_AWAY: Mapping[str, Sequence[tuple[str, object, str]]] = {
    # An undo of a restoration deletes them so; with "No login" nobody gets in either.
    "user": (("deleted", 1, DELETED), ("suspended", 1, SUSPENDED), ("auth", "nologin", SUSPENDED)),
    "user_enrolments": (("status", 1, SUSPENDED),),
    "course": (("visible", 0, HIDDEN),),
    "enrol": (("status", 1, SUSPENDED),),
}
# Its rows get a newer moment with what is counted elsewhere.
_TOUCHED = "groups"


# Kind -> Moodle's ids of what was there before and is changed or taken away.
ChangedIds = Mapping[str, Collection[int]]


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
    totals.update(Counter(_kind_of_update(table, after) for after in counts.updates if not _is_touched(table, after)))
    return +totals


def changed_rows(
    table: str, updates: Iterable[tuple[int, Mapping[str, Any]]], deletes: Iterable[int]
) -> dict[str, list[int]]:
    """Return the ids of changed and deleted rows of one table by kind; of none whose rows nobody counts.

    Shape: updates: id and changed columns; ids below 1 are of rows that the plan makes itself: these aren't among them
    """
    if table not in OBJECTS:
        return {}
    found: dict[str, list[int]] = {f"{OBJECTS[table]}.{DELETED}": [rowid for rowid in deletes if rowid > 0]}
    for rowid, after in updates:
        if rowid > 0 and not _is_touched(table, after):
            found.setdefault(_kind_of_update(table, after), []).append(rowid)
    return {kind: ids for kind, ids in found.items() if ids}


def _is_touched(table: str, after: Mapping[str, Any]) -> bool:
    """Tell whether a row gets nothing but a newer moment: a group does when somebody joins it, in another second than before."""
    return table == _TOUCHED and after.keys() == {"timemodified"}


def _kind_of_update(table: str, after: Mapping[str, Any]) -> str:
    taking_away = _TAKING_AWAY.get(table, ())
    action = next((action for column, value, action in taking_away if after.get(column) == value), UPDATED)
    return f"{OBJECTS[table]}.{action}"


def total(name: str, action: str, count: int) -> Totals:
    """Return the total of one kind; an empty one for none."""
    return +Totals({f"{name}.{action}": count})
