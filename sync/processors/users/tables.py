"""The tables of users as the processors of users read them: users, their custom profile fields and preferences."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sync.moodle.db.database import MoodleSession
from sync.moodle.db.identifiers import folding
from sync.moodle.users.deletion import md5_of
from sync.moodle.users.users import (
    fetch_preferences,
    fetch_profile_data,
    fetch_profile_data_by_value,
    fetch_users_by,
)
from sync.processors.base.overlay import FoundRows, Overlay, Table, is_temporary

PROFILE_TABLE = "user_info_data"
PREFERENCES = Table("user_preferences", ("userid", "name"), (("userid",),))


def profile_table(moodle: MoodleSession, *, by_value: bool) -> Table:
    """Return the table of custom profile fields. Shape: by_value: some must be unique, so who holds a value is asked for"""
    found_by = (("userid",), ("fieldid", "data")) if by_value else (("userid",),)
    return Table(PROFILE_TABLE, ("userid", "fieldid"), found_by, {"data": folding(moodle, PROFILE_TABLE, "data")})


def fetch_users(
    moodle: MoodleSession,
    overlay: Overlay,
    table: Table,
    fields: Sequence[str],
    identities: Mapping[str, Collection[Any]],
    *,
    hostids: Collection[int],
    identity: str,
    former: Collection[str] = (),
) -> FoundRows:
    """Read the users who have one of the identities, and the deleted ones who once had one of the former usernames.

    Deletion leaves md5(username) in the e-mail address. Source: spec users.md sections 6 and 8
    Shape: identities: "username", "idnumber", "email", "id" -> values; identity: the one by which rows name users, of which
    every holder is read
    Queries: one per identity, and one for former usernames
    """
    rows = fetch_users_by(moodle, fields, identities, hostids=hostids, every=identity)
    digests = [md5_of(username) for username in former]
    rows |= fetch_users_by(moodle, fields, {"email": digests}, hostids=hostids, deleted=True)
    wanted: dict[tuple[str, ...], Collection[Any]] = {(name,): values for name, values in identities.items()}
    wanted[("email",)] = [*identities.get("email", ()), *digests]
    return overlay.over(table, rows, wanted)


def fetch_profiles(
    moodle: MoodleSession,
    overlay: Overlay,
    table: Table,
    *,
    userids: Sequence[int],
    fieldids: Collection[int],
    values: Mapping[int, Collection[str]],
) -> FoundRows:
    """Read the custom profile fields of users, and who else holds values that must be unique.

    Shape: values: fieldid -> values
    Queries: one for the users and one per field that must be unique; none without fields
    """
    if not fieldids:
        return FoundRows(table)
    rows = fetch_profile_data_by_value(moodle, values) if values else {}
    rows |= fetch_profile_data(moodle, _present(userids), fieldids)
    held = [(fieldid, value) for fieldid, texts in values.items() for value in texts]
    wanted = {("userid",): userids, ("fieldid", "data"): held}
    return overlay.over(table, rows, {columns: wanted[columns] for columns in table.found_by})


def fetch_user_preferences(
    moodle: MoodleSession, overlay: Overlay, userids: Sequence[int], names: Sequence[str]
) -> FoundRows:
    """Read preferences of users. Queries: one"""
    rows = fetch_preferences(moodle, _present(userids), names)
    return overlay.over(PREFERENCES, rows, {("userid",): userids})


def _present(userids: Sequence[int]) -> list[int]:
    return [userid for userid in userids if not is_temporary(userid)]
