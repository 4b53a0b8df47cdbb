"""From the name of a picture to the accounts that it means."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import PurePosixPath
from typing import Any

import sqlalchemy as sa

from sync.moodle.database import MoodleSession
from sync.moodle.identifiers import fetch_named, folding, is_id
from sync.processors.userpictures_plan import PictureOwner

HOSTED = "hostedusername"

Owners = dict[str, list[PictureOwner]]


def identifier_of(path: str) -> str:
    """Give what names the account: "class1/ada.lovelace.jpg" -> "ada.lovelace"."""
    return PurePosixPath(path).stem.strip()


def identifier_fold(moodle: MoodleSession, userfield: str) -> Callable[[str], str]:
    """Give the function under which two identifiers become equal when they mean the same account."""
    if userfield == "id":
        return lambda value: str(int(value)) if is_id(value) else value
    return folding(moodle, "user", "idnumber") if userfield == "idnumber" else str.lower


def fetch_owners(moodle: MoodleSession, userfield: str, hostid: int, values: Collection[str]) -> Owners:
    """Give the accounts that identifiers mean; absent = unknown. An empty one means nobody. Queries: one"""
    user = moodle.table("user")
    statement = sa.select(user.c.id, user.c.username, user.c.picture).where(user.c.deleted == 0)
    if userfield == HOSTED:
        return _fetch_hosted(moodle, statement, values)
    statement = statement.where(user.c.mnethostid == hostid)
    if userfield in ("id", "idnumber"):
        return _owners(fetch_named(moodle, statement, "user", userfield, values))
    column = user.c.username if userfield == "username" else sa.func.lower(user.c.email)
    wanted = {value.lower() for value in values if value}
    found: dict[str, list[sa.Row[Any]]] = {}
    for row in moodle.fetch(statement.add_columns(column).where(column.in_(wanted))):
        found.setdefault(row[3].lower(), []).append(row)
    return _owners({value: found[value.lower()] for value in values if value.lower() in found})


def _fetch_hosted(moodle: MoodleSession, statement: sa.Select[Any], values: Collection[str]) -> Owners:
    """Find "ann@1": the username, and the number of the MNet host."""
    user = moodle.table("user")
    wanted: dict[tuple[str, int], list[str]] = {}
    for value in values:
        username, _at, host = value.rpartition("@")
        if username and is_id(host):
            wanted.setdefault((username.lower(), int(host)), []).append(value)
    usernames, hostids = {name for name, _host in wanted}, {host for _name, host in wanted}
    statement = statement.add_columns(user.c.mnethostid).where(
        user.c.username.in_(usernames), user.c.mnethostid.in_(hostids)
    )
    found: dict[str, list[sa.Row[Any]]] = {}
    for row in moodle.fetch(statement):
        for value in wanted.get((row.username.lower(), row.mnethostid), ()):
            found.setdefault(value, []).append(row)
    return _owners(found)


def _owners(found: dict[str, list[sa.Row[Any]]]) -> Owners:
    return {
        value: [PictureOwner(row.id, row.username, row.picture) for row in rows] for value, rows in found.items()
    }  # fmt: skip
