"""Whether somebody may do something for a file type on a site: the one place where that is decided.

Two things give a right: Django's permissions, by themselves or by a group, which hold for every file type on every site; and
roles, which hold for a site, and for all of its file types or some of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from copy import copy
from typing import Any, NamedTuple

from django.contrib.auth.backends import BaseBackend, ModelBackend

from sync.models import MoodleSite, RoleAssignment
from sync.models.site import MAIN_SITE
from sync.people.roles import (
    MANAGE_LIMITS,
    MANAGE_NOTIFICATIONS,
    MANAGE_PEOPLE,
    MANAGE_RETENTION,
    OF_ONE_FILE_TYPE,
    SITE_PERMISSIONS,
    permissions_of,
)

# In place of a file type: all of them, those of later versions too.
EVERY = "*"
_KEPT = "_toolsync_roles"
_NARROWED = "_toolsync_narrowed"
# The site that the pages of the request at hand are about; the site `main` where nobody has said otherwise.
_page_site: ContextVar[str] = ContextVar("page_site", default=MAIN_SITE)


def page_site() -> str:
    """Return the short name of the site that the pages are about."""
    return _page_site.get()


@contextmanager
def pages_about(slug: str) -> Iterator[None]:
    """Let questions about "the site" be about this one."""
    token = _page_site.set(slug)
    try:
        yield
    finally:
        _page_site.reset(token)


class Held(NamedTuple):
    """A role that somebody has. Shape: site: its short name; file_types: [] = all; permissions: what it gives"""

    site: str
    file_types: list[str]
    permissions: frozenset[str]

    def gives(self, permission: str, processor: str) -> bool:
        is_for = not processor or not self.file_types or processor in self.file_types
        return is_for and permission in self.permissions


class Narrowing(NamedTuple):
    """What a token leaves of what somebody may do.

    Shape: sites: their short names; file_types: empty = all; without: permissions that it takes away
    """

    sites: frozenset[str]
    file_types: frozenset[str]
    without: frozenset[str]

    def leaves(self, permission: str, site: str, processor: str) -> bool:
        """Whether nothing of the token stands in the way."""
        if site not in self.sites or permission in self.without:
            return False
        if not self.file_types:
            return True
        if permission in OF_ONE_FILE_TYPE:
            return permission.partition("_")[2] in self.file_types
        return permission not in SITE_PERMISSIONS and (not processor or processor in self.file_types)


def narrow(user: Any, narrowing: Narrowing) -> None:
    """Let somebody, as loaded for one request, do no more than a token leaves of their rights."""
    setattr(user, _NARROWED, narrowing)


def may(user: Any, permission: str, site: MoodleSite | None = None, processor: str = "") -> bool:
    """Whether somebody may do something on a site.

    Shape: site: None = the one that the pages are about; processor: for this file type, "" = for any, EVERY = for all
    Queries: at most three for each user that was loaded, one of them for roles
    """
    return _may(user, permission, page_site() if site is None else site.slug, processor)


def has_any_right(user: Any, site: MoodleSite) -> bool:
    """Whether somebody has a right on a site at all. Queries: as of `may`"""
    if user.is_superuser or permissions_given_directly(user):
        return True
    return any(role.site == site.slug for role in roles_of(user))


def may_set_something(user: Any, site: MoodleSite | None = None) -> bool:
    """Whether there is something of a whole site that somebody may set; to them addresses of servers are shown.

    Shape: site: None = the one that the pages are about
    """
    wanted = (MANAGE_NOTIFICATIONS, MANAGE_RETENTION, MANAGE_LIMITS, MANAGE_PEOPLE)
    return any(may(user, permission, site) for permission in wanted)


def _may(user: Any, permission: str, site: str, processor: str) -> bool:
    narrowing: Narrowing | None = getattr(user, _NARROWED, None)
    if narrowing is None:
        return _holds(user, permission, site, processor)
    if not narrowing.leaves(permission, site, processor):
        return False
    if processor or not narrowing.file_types or permission in OF_ONE_FILE_TYPE:
        return _holds(user, permission, site, processor)
    return any(_holds(user, permission, site, key) for key in narrowing.file_types)


def _holds(user: Any, permission: str, site: str, processor: str) -> bool:
    if not user.is_active:
        return False
    # Who may run a file type sees its runs.
    names = {permission, permission.replace("sync.see_", "sync.run_")}
    if user.is_superuser or not names.isdisjoint(permissions_given_directly(user)):
        return True
    return any(role.gives(name, processor) for role in roles_of(user) if role.site == site for name in names)


def permissions_given_directly(user: Any) -> set[str]:
    """Return the permissions that somebody has by themselves or by a group, not by a role. Queries: two

    Of somebody who is switched off, those that come back when they are switched on.
    """
    if not user.is_active:
        user = copy(user)
        user.is_active = True
    return ModelBackend().get_all_permissions(user)


def roles_of(user: Any) -> list[Held]:
    """Return the roles of somebody, asked once for each user that was loaded. Queries: one"""
    roles: list[Held] | None = getattr(user, _KEPT, None)
    if roles is None:
        stored = RoleAssignment.objects.filter(person=user.pk).values_list("site__slug", "role", "file_types")
        roles = [Held(site, types, permissions_of(role, types)) for site, role, types in stored]
        setattr(user, _KEPT, roles)
    return roles


def may_give(user: Any, site: MoodleSite, role: str, file_types: Collection[str]) -> bool:
    """Whether somebody may give a role, or take it away: who may manage people there, and has every right that it gives."""
    return may(user, MANAGE_PEOPLE, site) and may_all_of(user, site, role, file_types)


def may_all_of(user: Any, site: MoodleSite, role: str, file_types: Collection[str]) -> bool:
    """Whether somebody has every right that a role gives on a site."""
    needed = _needed_for(permissions_of(role, file_types), file_types)
    return all(may(user, permission, site, key) for permission, key in needed)


def may_all_that(user: Any, other: Any) -> bool:
    """Whether somebody has every right that another person has, on every site."""
    if user.is_superuser or other.is_superuser:
        return bool(user.is_superuser and user.is_active)
    return permissions_given_directly(other) <= permissions_given_directly(user) and all(
        _may(user, permission, role.site, processor)
        for role in roles_of(other)
        for permission, processor in _needed_for(role.permissions, role.file_types)
    )


def _needed_for(permissions: Collection[str], file_types: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield what somebody must be able to do, and for which file type, to give a role that permits this."""
    for permission in permissions:
        if permission in SITE_PERMISSIONS or permission in OF_ONE_FILE_TYPE:
            yield permission, ""
        else:
            yield from ((permission, key) for key in file_types or [EVERY])


class RoleBackend(BaseBackend):
    """Lets Django's own questions (`user.has_perm`, `perms` in templates) know the roles of the site that pages are about."""

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        if obj is not None or not user_obj.is_active:
            return set()
        return {
            permission for role in roles_of(user_obj) if role.site == page_site() for permission in role.permissions
        }
