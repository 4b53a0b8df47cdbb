"""Machine users: users that only programs are, and the people who stand behind them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction

from sync.errors import PeopleRefused
from sync.models import ApiToken, Machine, MoodleSite, Role, RoleAssignment
from sync.people.rights import may, may_all_of, may_all_that
from sync.people.roles import MANAGE_TOKENS
from sync.runs.rights import Responsible
from sync.runs.rights_audit import acting

User = get_user_model()
_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,60}")
_BEGINNING = "machine-"


def make_machine(by: Any, site: MoodleSite, name: str, role: str, file_types: Collection[str]) -> Machine:
    """Make a user that nobody can log in as, with a role that gives nothing that its maker doesn't have. Raises: PeopleRefused

    Shape: file_types: [] = all
    """
    if not may(by, MANAGE_TOKENS, site):
        raise PeopleRefused("machine_of_others")
    if not _NAME.fullmatch(name):
        raise PeopleRefused("machine_name_wrong")
    if role == Role.ADMINISTRATOR or not may_all_of(by, site, role, file_types):
        raise PeopleRefused("role_beyond_own")
    username = f"{_BEGINNING}{name}"
    if User.objects.filter(username__iexact=username).exists():
        raise PeopleRefused("machine_known", name=username)
    with transaction.atomic(), acting(by):
        user = User.objects.create_user(username)
        RoleAssignment.objects.create(person=user, site=site, role=role, file_types=list(file_types))
        return Machine.objects.create(user=user, site=site, made_by=by, made_by_name=Responsible.of(by).name)


def machines_for(by: Any, site: MoodleSite) -> list[Machine]:
    """Return the machine users of a site, for who may make them. Queries: one"""
    if not may(by, MANAGE_TOKENS, site):
        return []
    return list(
        Machine.objects.filter(site=site, user__is_active=True).select_related("user").order_by("user__username")
    )


def may_speak_for(by: Any, site: MoodleSite, person: Any) -> bool:
    """Whether somebody may make tokens of a machine of a site: who has all its rights as well."""
    is_machine = Machine.objects.filter(site=site, user=person.pk).exists()
    return is_machine and may(by, MANAGE_TOKENS, site) and may_all_that(by, person)


def people_behind(users: Iterable[Any]) -> set[int]:
    """Return the ids of users and, of those that are machines, of who made them or a token of theirs. Queries: two

    Whoever holds the token of a machine is as good as the machine: a second person is none of these.
    """
    ids = {user.pk for user in users if user is not None}
    machines = Machine.objects.filter(pk__in=ids)
    makers = set(machines.values_list("made_by_id", flat=True))
    tokens = ApiToken.objects.filter(person__machine__in=ids).values_list("created_by_id", flat=True)
    return (ids | makers | set(tokens)) - {None}
