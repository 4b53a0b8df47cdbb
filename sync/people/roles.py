"""What each role may do: the permissions that it gives, for its file types and for its site.

Roles give the permissions that Django knows as well, so that pages and services ask for one thing. Only `sync.see_<file type>`
is none of Django's: who may run a file type sees its runs, and nobody else was ever given that one by one.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cache

from sync.models import Role
from sync.processors.registry import KEYS

MANAGE_PEOPLE = "sync.manage_people"
MANAGE_NOTIFICATIONS = "sync.manage_telling"
MANAGE_RETENTION = "sync.manage_retention"
MANAGE_LIMITS = "sync.manage_limits"
MANAGE_TOKENS = "sync.manage_tokens"
# For the file types of the role.
_OF_FILE_TYPES: dict[Role, tuple[str, ...]] = {
    Role.OPERATOR: ("sync.manage_files", "sync.view_people"),
    Role.APPROVER: ("sync.approve_runs", "sync.end_grace"),
    Role.MANAGER: (
        "sync.manage_sources",
        "sync.manage_schedules",
        MANAGE_NOTIFICATIONS,
        MANAGE_LIMITS,
        "sync.manage_sticky",
    ),
}
# For the whole site: only with a role that is for every file type.
_OF_SITE: dict[Role, tuple[str, ...]] = {
    Role.MANAGER: ("sync.manage_all_schedules", MANAGE_RETENTION, "sync.view_audit", MANAGE_TOKENS),
    Role.ADMINISTRATOR: ("sync.erase_audit", MANAGE_PEOPLE),
}
SITE_PERMISSIONS = frozenset(permission for given in _OF_SITE.values() for permission in given)


def see_permission(processor: str) -> str:
    """Return the name of the permission to look at the runs of a file type."""
    return f"sync.see_{processor}"


def run_permission(processor: str) -> str:
    """Return the name of the permission to use a file type, as Django checks it."""
    return f"sync.run_{processor}"


OF_ONE_FILE_TYPE = frozenset(name for key in KEYS for name in (see_permission(key), run_permission(key)))


def permissions_of(role: str, file_types: Collection[str]) -> frozenset[str]:
    """Return what a role permits. Shape: file_types: [] = all"""
    return _permissions_of(Role(role), frozenset(file_types))


@cache
def _permissions_of(role: Role, file_types: frozenset[str]) -> frozenset[str]:
    ranks = list(Role)
    steps = ranks[: ranks.index(role) + 1]
    keys = [key for key in KEYS if not file_types or key in file_types]
    given = {see_permission(key) for key in keys}
    if Role.OPERATOR in steps:
        given.update(map(run_permission, keys))
    for step in steps:
        given.update(_OF_FILE_TYPES.get(step, ()))
        if not file_types:
            given.update(_OF_SITE.get(step, ()))
    return frozenset(given)
