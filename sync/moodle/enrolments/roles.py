"""Reads of roles, of who holds them, and of what they permit."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import sqlalchemy as sa

from sync.moodle.db.database import MoodleSession
from sync.moodle.db.user_rows import UserRows, fetch_user_rows
from sync.moodle.db.writer import MAX_KEYS, batched
from sync.moodle.versions import CONTEXT_COURSE, CONTEXT_SYSTEM

PROHIBIT = -1000
ALLOW = 1
# Who has one of these may do anything.
CONFIGURING = ("moodle/site:config", "moodle/site:doanything")
# They are no less, but count in the context in which the role is held: a manager of a course is no manager of the site.
# With a token of somebody else one acts as that person, an administrator too.
HANDING_OUT = ("moodle/role:manage", "moodle/role:assign", "moodle/role:override", "moodle/webservice:managealltokens")


class Role(NamedTuple):
    """A role.

    Shape: in_courses, in_system: whether it may be assigned in a course, or for the whole site (`role_context_levels`);
    is_barred: no file may assign it, because it permits to configure the site; is_barred_in_system: no file may assign it for
    the whole site, because it permits there to hand out roles, to change what they permit, or to make tokens for others
    """

    id: int
    shortname: str
    in_courses: bool
    is_barred: bool = False
    in_system: bool = False
    is_barred_in_system: bool = False


def fetch_roles(moodle: MoodleSession) -> list[Role]:
    """Return all roles of the site.

    Queries: one
    """
    role, level, given = map(moodle.table, ("role", "role_context_levels", "role_capabilities"))
    permits = sa.exists().where(given.c.roleid == role.c.id, given.c.permission == ALLOW)
    columns = (
        role.c.id,
        role.c.shortname,
        *(
            sa.exists().where(level.c.roleid == role.c.id, level.c.contextlevel == number).label(name)
            for name, number in (("in_courses", CONTEXT_COURSE), ("in_system", CONTEXT_SYSTEM))
        ),
        permits.where(given.c.capability.in_(CONFIGURING)).label("configures"),
        permits.where(given.c.capability.in_(HANDING_OUT), given.c.contextid == moodle.system_contextid).label(
            "hands_out"
        ),
    )
    bars = not moodle.database.settings.assigns_configuring_roles
    return [
        Role(
            row.id,
            row.shortname,
            bool(row.in_courses),
            bars and bool(row.configures),
            bool(row.in_system),
            bars and bool(row.hands_out),
        )
        for row in moodle.fetch(sa.select(*columns))
    ]


def fetch_role_levels(moodle: MoodleSession) -> dict[int, frozenset[int]]:
    """Return the levels of contexts in which each role may be assigned. Shape: roleid -> context.contextlevel. Queries: one"""
    table = moodle.table("role_context_levels")
    levels: dict[int, set[int]] = {}
    for roleid, level in moodle.fetch(sa.select(table.c.roleid, table.c.contextlevel)):
        levels.setdefault(roleid, set()).add(level)
    return {roleid: frozenset(found) for roleid, found in levels.items()}


def fetch_configurers(moodle: MoodleSession) -> set[int]:
    """Return the ids of the users to whom a role that is held for the whole site permits to configure it.

    Queries: one
    """
    held, given = moodle.table("role_assignments"), moodle.table("role_capabilities")
    configuring = sa.select(given.c.roleid).where(given.c.permission == ALLOW, given.c.capability.in_(CONFIGURING))
    statement = sa.select(held.c.userid).where(
        held.c.contextid == moodle.system_contextid, held.c.roleid.in_(configuring)
    )
    return {row.userid for row in moodle.fetch(statement)}


def fetch_role_assignments(
    moodle: MoodleSession, contextids: Collection[int], userids: Collection[int] | None
) -> UserRows:
    """Return the roles that these users hold in these contexts.

    Shape: (contextid, userid, roleid, component, itemid) -> {id}
    """
    return fetch_user_rows(
        moodle,
        "role_assignments",
        key=("contextid", "userid", "roleid", "component", "itemid"),
        in_clause=contextids,
        userids=userids,
    )


def fetch_permissions(moodle: MoodleSession, capability: str, contextids: Collection[int]) -> dict[int, dict[int, int]]:
    """Return what each role is permitted for one capability in these contexts.

    Shape: roleid -> contextid -> permission (1 allow, -1 prevent, -1000 prohibit); absent = inherits
    Queries: one per 10,000 contexts
    """
    table = moodle.table("role_capabilities")
    permissions: dict[int, dict[int, int]] = {}
    for part in batched(sorted(contextids), MAX_KEYS):
        statement = sa.select(table.c.roleid, table.c.contextid, table.c.permission).where(
            table.c.capability == capability, table.c.contextid.in_(part)
        )
        for row in moodle.fetch(statement):
            permissions.setdefault(row.roleid, {})[row.contextid] = row.permission
    return permissions


def is_allowed(permissions: dict[int, int], path: str) -> bool:
    """Tell whether a role has a capability in the context of this path.

    Shape: permissions: contextid -> permission of the role; path: "/1/3/50/267"
    Mirrors: has_capability_in_accessdata() for one role: the nearest context decides, a prohibition anywhere forbids
    """
    contextids = map(int, filter(None, path.split("/")))
    decided = [permission for contextid in contextids if (permission := permissions.get(contextid))]
    return bool(decided) and decided[-1] == ALLOW and PROHIBIT not in decided
