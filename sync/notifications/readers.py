"""Who reads the mails of an address: in which language, by which clock, and when somebody wants digests."""

from __future__ import annotations

from collections.abc import Collection
from datetime import time
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.contrib.auth.models import User
from django.db.models.functions import Lower

from sync.models import MailPreferences
from sync.runs.options import site_zone


class Reader(NamedTuple):
    """Who reads the mails of an address.

    Shape: person: None = nobody who can log in has the address, or several have; language: "" = none was chosen
    """

    person: User | None
    language: str
    zone: ZoneInfo
    digest_at: time


def readers_of(addresses: Collection[str]) -> dict[str, Reader]:
    """Return who reads the mails of each address, by the address in small letters. Queries: one, none without addresses"""
    wanted = {address.casefold() for address in addresses}
    if not wanted:
        return {}
    people: dict[str, list[User]] = {}
    users = User.objects.annotate(address=Lower("email")).filter(address__in=wanted, is_active=True)
    for person in users.select_related("mail_preferences"):
        people.setdefault(person.email.casefold(), []).append(person)
    return {address: _reader(people.get(address, [])) for address in wanted}


def preferences_of(person: User | None) -> MailPreferences:
    """Return how somebody reads mails; as everybody does at first, when they have chosen nothing. Queries: at most one"""
    return getattr(person, "mail_preferences", None) or MailPreferences(person=person)


def save_preferences(person: User, *, language: str, zone: str, digest_at: time) -> None:
    """Keep how somebody reads mails."""
    values = {"language": language, "zone": zone, "digest_at": digest_at}
    MailPreferences.objects.update_or_create(person=person, defaults=values)


def _reader(people: list[User]) -> Reader:
    person = people[0] if len(people) == 1 else None
    chosen = preferences_of(person)
    try:
        zone = ZoneInfo(chosen.zone) if chosen.zone else site_zone()
    except ZoneInfoNotFoundError:
        zone = site_zone()
    return Reader(person, chosen.language, zone, chosen.digest_at)
