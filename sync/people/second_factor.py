"""The second factor: who has one, who must have one, and taking it from somebody who has lost it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from allauth.mfa.models import Authenticator
from django.db import transaction

from sync.models import MoodleSite
from sync.people.rights import may
from sync.people.roles import MANAGE_PEOPLE
from sync.people.services import check_manages
from sync.runs.options import second_factor_rule
from sync.runs.rights_audit import acting

PURPOSE = "second factor"
# So many codes may be tried; who tries them has shown the password already.
CODES_PER_USER, CODE_PAUSE = 10, timedelta(minutes=5)
# Longer than a code is good for.
USED_CODE_PAUSE = timedelta(minutes=3)


def factors_of(user: Any) -> list[Any]:
    """Return what somebody has set up as a second factor, recovery codes aside. Queries: one"""
    return list(Authenticator.objects.filter(user=user.pk).exclude(type=Authenticator.Type.RECOVERY_CODES))


def must_have_factor(user: Any) -> bool:
    """Whether the operator wants a second factor of somebody. Queries: as `may`, where it is wanted of administrators"""
    rule = second_factor_rule()
    if rule != "administrators":
        return rule == "everybody"
    return any(may(user, MANAGE_PEOPLE, site) for site in MoodleSite.objects.all())


def take_factors(by: Any, person: Any) -> None:
    """Take the second factor from somebody who has lost it, recovery codes and all. Raises: PeopleRefused"""
    check_manages(by, person)
    with transaction.atomic(), acting(by):
        for factor in Authenticator.objects.filter(user=person.pk):
            factor.delete()
