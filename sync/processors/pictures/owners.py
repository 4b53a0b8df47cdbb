"""From the name of a picture to the users that it means."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import PurePosixPath
from typing import Any

import sqlalchemy as sa

from sync.moodle.db.database import MoodleSession
from sync.moodle.db.identifiers import by_spelling, fetch_named, folding, is_id, named
from sync.processors.base.overlay import Overlay, Values
from sync.processors.memberships.named import USERS, fetch_user_rows
from sync.processors.pictures.plan import PictureOwner

HOSTED = "hostedusername"

Owners = dict[str, list[PictureOwner]]


def identifier_of(path: str) -> str:
    """Return what names the user: "class1/ada.lovelace.jpg" -> "ada.lovelace"."""
    return PurePosixPath(path).stem.strip()


def identifier_fold(moodle: MoodleSession, userfield: str) -> Callable[[str], str]:
    """Return the function under which two identifiers become equal when they mean the same user."""
    if userfield == "id":
        return lambda value: str(int(value)) if is_id(value) else value
    if userfield != HOSTED:
        return folding(moodle, "user", userfield)
    fold = folding(moodle, "user", "username")
    # "ann@1": no part of the host's number is a letter.
    return lambda value: "@".join((fold(value.rpartition("@")[0]), value.rpartition("@")[2]))


def fetch_owners(
    moodle: MoodleSession, overlay: Overlay, userfield: str, hostid: int, values: Collection[str]
) -> Owners:
    """Return the users that identifiers mean; absent = unknown. An empty one means nobody. Queries: one"""
    user = moodle.table("user")
    statement = sa.select(user.c.id, user.c.username, user.c.picture).where(user.c.deleted == 0)
    if userfield == HOSTED:
        return _fetch_hosted(moodle, statement, values)
    statement = statement.where(user.c.mnethostid == hostid)
    if overlay.holds(USERS):
        statement = statement.add_columns(user.c.deleted, user.c.mnethostid)
        found = fetch_user_rows(moodle, overlay, statement, userfield, values)
        return {value: [_owner(row) for row in rows if row["mnethostid"] == hostid] for value, rows in found.items()}
    return _owners(fetch_named(moodle, statement, "user", userfield, values))


def _fetch_hosted(moodle: MoodleSession, statement: sa.Select[Any], values: Collection[str]) -> Owners:
    """Find "ann@1": the username, and the number of the MNet host."""
    user = moodle.table("user")
    parts = {value: value.rpartition("@") for value in values}
    wanted = {value: (name, int(host)) for value, (name, _at, host) in parts.items() if name and is_id(host)}
    hostids = {host for _name, host in wanted.values()}
    statement = statement.add_columns(user.c.mnethostid).where(user.c.mnethostid.in_(hostids))
    here = named(moodle, "user", "username", {name for name, _host in wanted.values()})
    rows: dict[int, list[tuple[str, sa.Row[Any]]]] = {}
    for row in moodle.fetch(statement.where(here)):
        rows.setdefault(row.mnethostid, []).append((row.username, row))
    fold = folding(moodle, "user", "username")
    by_host = {
        host: by_spelling({name for name, at in wanted.values() if at == host}, rows.get(host, ()), fold)
        for host in hostids
    }
    return _owners({value: by_host[host][name] for value, (name, host) in wanted.items() if name in by_host[host]})


def _owner(row: Values) -> PictureOwner:
    return PictureOwner(row["id"], row["username"], row.get("picture", 0))


def _owners(found: dict[str, list[sa.Row[Any]]]) -> Owners:
    return {
        value: [PictureOwner(row.id, row.username, row.picture) for row in rows] for value, rows in found.items()
    }  # fmt: skip
