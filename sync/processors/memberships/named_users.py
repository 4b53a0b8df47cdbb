"""The user that a cell names by one identifier, for files about what people belong to."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sync.moodle.db.database import MoodleSession
from sync.moodle.db.identifiers import fetch_ids
from sync.moodle.users.users import SiteRules
from sync.values import Note

NamedUsers = Mapping[str, tuple[int, ...]]


def fetch_named_users(
    moodle: MoodleSession, rules: SiteRules, identifier: str, values: Collection[str]
) -> dict[str, tuple[int, ...]]:
    """Return the ids of the users that the values name: those that aren't deleted, usernames of this site only.

    Shape: values as typed -> rising ids; absent = unknown, several ids = ambiguous
    Queries: one per 10,000 values
    """
    user = moodle.table("user")
    conditions = [user.c.deleted == 0]
    if identifier == "username":
        conditions.append(user.c.mnethostid == rules.mnethostid)
    return fetch_ids(moodle, "user", identifier, values, *conditions)


def find_user(named: NamedUsers, identifier: str, text: str, column: str) -> int | Note:
    """Return the one user that a cell names, or say what is wrong."""
    found = named.get(text, ())
    if len(found) == 1:
        return found[0]
    params = {"column": column, "identity": identifier, "value": text}
    return Note("account_ambiguous", {**params, "count": len(found)}) if found else Note("account_unknown", params)
