"""Roles given and taken, people switched off and on: who may do it to whom is decided here, whatever page asks."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from allauth.socialaccount.models import SocialAccount
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import transaction
from django.db.models import Q

from sync.errors import PeopleRefused
from sync.models import MoodleSite, Role, RoleAssignment
from sync.people.rights import may, may_all_that, may_give
from sync.people.roles import MANAGE_PEOPLE
from sync.people.sessions import end_sessions, sessions_of
from sync.processors.registry import REGISTRY
from sync.runs.rights_audit import acting

User = get_user_model()


def give_role(by: Any, person: Any, site: MoodleSite, role: str, file_types: Collection[str]) -> RoleAssignment:
    """Return the role given on a site, in place of one of the same name that the person has there. Raises: PeopleRefused

    Shape: by: the user who gives it; file_types: [] = all
    """
    check_role(by, site, role, file_types)
    _check_other(by, person)
    with transaction.atomic(), acting(by):
        stored = RoleAssignment.objects.select_for_update().filter(person=person, site=site, role=role).first()
        if stored is not None:
            check_role(by, site, role, stored.file_types)
        assignment = stored or RoleAssignment(person=person, site=site, role=role)
        assignment.file_types = in_order(file_types)
        assignment.save()
    return assignment


def take_role(by: Any, assignment: RoleAssignment) -> None:
    """Take a role away. Raises: PeopleRefused"""
    check_role(by, assignment.site, assignment.role, assignment.file_types)
    _check_other(by, assignment.person)
    with transaction.atomic(), acting(by):
        sites = _locked_sites()
        assignment.delete()
        _check_administrators(sites, assignment.person)


def take_direct_permissions(by: Any, person: Any) -> None:
    """Take away the permissions that somebody has by themselves and by groups: roles alone count then. Raises: PeopleRefused"""
    check_manages(by, person)
    with transaction.atomic(), acting(by):
        sites = _locked_sites()
        person.user_permissions.clear()
        person.groups.clear()
        _check_administrators(sites, person)


def set_active(by: Any, person: Any, *, active: bool) -> None:
    """Switch somebody off, who is logged out at once and in whose name nothing starts any more, or on. Raises: PeopleRefused"""
    check_manages(by, person)
    with transaction.atomic(), acting(by):
        sites = _locked_sites()
        person.is_active = active
        person.save(update_fields=["is_active"])
        if not active:
            end_sessions(sessions_of(person))
        _check_administrators(sites, person)


def end_all_sessions(by: Any, person: Any) -> None:
    """Log somebody out everywhere. Raises: PeopleRefused"""
    check_manages(by, person)
    forget_identities(person)
    end_sessions(sessions_of(person))


def change_person(by: Any, person: Any, *, first_name: str, last_name: str, email: str) -> None:
    """Change how somebody is called and where mails reach them: a link to another password goes there. Raises: PeopleRefused"""
    if by != person:
        check_manages(by, person)
    with transaction.atomic(), acting(by):
        if person.email != email:
            # Who was vouched for had the address of before.
            forget_identities(person)
        person.first_name, person.last_name, person.email = first_name, last_name, email
        person.save(update_fields=["first_name", "last_name", "email"])


def forget_identities(person: Any) -> None:
    """Let nobody log in any more as this person by OpenID Connect, unless vouched for anew."""
    SocialAccount.objects.filter(user=person).delete()


def check_role(by: Any, site: MoodleSite, role: str, file_types: Collection[str]) -> None:
    """Raises: PeopleRefused if somebody may not give this role, or it can't be given"""
    if role == Role.ADMINISTRATOR and file_types:
        raise PeopleRefused("administrator_of_some")
    if not may_give(by, site, role, file_types):
        raise PeopleRefused("role_beyond_own")


def may_manage(by: Any, person: Any) -> bool:
    """Whether somebody may change another person: who manages people of the site, and has all the rights of that person."""
    return by != person and may(by, MANAGE_PEOPLE) and may_all_that(by, person)


def in_order(file_types: Collection[str]) -> list[str]:
    """Return file types in the order of the registry."""
    return [key for key in REGISTRY if key in file_types]


def _check_other(by: Any, person: Any) -> None:
    if by == person:
        raise PeopleRefused("person_own_role")


def check_manages(by: Any, person: Any) -> None:
    """Raises: PeopleRefused if somebody may not change another person, or it is themselves"""
    _check_other(by, person)
    if not may_manage(by, person):
        raise PeopleRefused("person_with_more_rights", name=person.get_username())


def _locked_sites() -> list[MoodleSite]:
    """Return the sites, so that two administrators don't take each other's role at the same moment."""
    return list(MoodleSite.objects.select_for_update().order_by("pk"))


def _check_administrators(sites: list[MoodleSite], person: Any) -> None:
    """Raises: PeopleRefused if a site has nobody left who may give roles"""
    for site in sites:
        if not administrators_of(site).exists():
            raise PeopleRefused("last_administrator", name=person.get_username(), site=site.name)


def administrators_of(site: MoodleSite) -> Any:
    """Return the active users who may give roles on a site."""
    app, codename = MANAGE_PEOPLE.split(".")
    permission = Permission.objects.filter(content_type__app_label=app, codename=codename)
    assigned = RoleAssignment.objects.filter(site=site, role=Role.ADMINISTRATOR)
    is_administrator = Q(is_superuser=True) | Q(pk__in=assigned.values("person"))
    is_permitted = Q(user_permissions__in=permission) | Q(groups__permissions__in=permission)
    return User.objects.filter(is_administrator | is_permitted, is_active=True).distinct()
