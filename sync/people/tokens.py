"""Tokens of the API: made, shown once, asked for at each request, revoked."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Collection
from datetime import timedelta
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from sync.audit.services import record_saved
from sync.errors import PeopleRefused, TokenRefused
from sync.models import ApiToken, AuditKind, KeptAnswer, MoodleSite, Scope
from sync.people.machines import may_speak_for
from sync.people.rights import Narrowing, may, narrow, permissions_given_directly, roles_of
from sync.people.roles import MANAGE_PEOPLE, MANAGE_TOKENS
from sync.people.services import in_order
from sync.runs.rights import Responsible

BEGINNING = "tsk_"
# So many days a token may live.
LIFETIMES = (30, 90, 365)
MOST_LIVE = 50
MINUTE = 60
_SECRET_BYTES = 32
_SHOWN = 10
# So long tokens that let nobody in any more stay in the list.
_LISTED = timedelta(days=90)
# So long a request with the same idempotency key is answered and not done again.
_ANSWERS_KEPT = timedelta(days=1)
# What no token gives, whatever its scopes: who holds one must not make others.
_NEVER = frozenset((MANAGE_PEOPLE, MANAGE_TOKENS, "sync.erase_audit"))
# What a token gives only with this scope. The other scopes are asked at each address of the API.
_ONLY_WITH: dict[str, frozenset[str]] = {Scope.APPROVE: frozenset(("sync.approve_runs", "sync.end_grace"))}


class NewToken(NamedTuple):
    """A token just made. Shape: secret: shown now and never again"""

    token: ApiToken
    secret: str


def make_token(
    by: Any,
    site: MoodleSite,
    person: Any,
    *,
    name: str,
    scopes: Collection[str],
    file_types: Collection[str],
    days: int,
    further_sites: Collection[MoodleSite] = (),
) -> NewToken:
    """Make a token for oneself, or for a machine whose rights one has as well. Raises: PeopleRefused

    Shape: file_types: [] = all; days: for which it is good; further_sites: beside `site`, of those that `sites_of` gives
    """
    if person != by and not may_speak_for(by, site, person):
        raise PeopleRefused("token_of_others")
    if days not in LIFETIMES or not scopes or not set(scopes) <= set(Scope):
        raise PeopleRefused("token_without_scope")
    further = {each.pk: each for each in further_sites if each.pk != site.pk}
    if not {each.pk for each in sites_of(person)}.issuperset(further):
        raise PeopleRefused("token_site_wrong")
    live = ApiToken.objects.filter(person=person, revoked_at=None, expires_at__gt=timezone.now())
    if live.count() >= MOST_LIVE:
        raise PeopleRefused("token_too_many", most=MOST_LIVE)
    secret = BEGINNING + secrets.token_urlsafe(_SECRET_BYTES)
    with transaction.atomic():
        token = ApiToken.objects.create(
            site=site,
            person=person,
            name=name,
            beginning=secret[:_SHOWN],
            digest=digest_of(secret),
            scopes=[scope.value for scope in Scope if scope in scopes],
            file_types=in_order(file_types),
            created_by=by,
            created_by_name=by.get_username(),
            expires_at=timezone.now() + timedelta(days=days),
        )
        token.further_sites.set(further)
        _record(token, by, before=None, after=_facts(token))
    return NewToken(token, secret)


def revoke_token(by: Any, token: ApiToken) -> None:
    """Let nobody in with a token from now on. Raises: PeopleRefused"""
    if token.person != by and not any(may(by, MANAGE_TOKENS, site) for site in token.sites):
        raise PeopleRefused("token_of_others")
    with transaction.atomic():
        live = ApiToken.objects.filter(pk=token.pk, revoked_at=None)
        if live.update(revoked_at=timezone.now(), revoked_by_name=by.get_username()):
            _record(token, by, before=_facts(token), after=None)
    token.refresh_from_db()


def tokens_for(user: Any, site: MoodleSite) -> QuerySet[ApiToken]:
    """Return the tokens for a site that somebody may see: one's own, and all for who manages tokens. Queries: two"""
    further = ApiToken.further_sites.through.objects.filter(apitoken=OuterRef("pk"), moodlesite=site)
    tokens = ApiToken.objects.filter(Q(site=site) | Exists(further))
    tokens = tokens.select_related("person", "site").prefetch_related("further_sites")
    return tokens if may(user, MANAGE_TOKENS, site) else tokens.filter(person=user)


def sites_of(person: Any) -> list[MoodleSite]:
    """Return the sites on which somebody has a right, by name. Queries: one, beside those of the rights"""
    sites = MoodleSite.objects.filter(in_use=True)
    if person.is_superuser or permissions_given_directly(person):
        return list(sites)
    return list(sites.filter(slug__in={role.site for role in roles_of(person)}))


def find_token(secret: str) -> ApiToken:
    """Return the token of a secret; its person can do no more than the token leaves. Queries: two. Raises: TokenRefused"""
    found = ApiToken.objects.select_related("site", "person").prefetch_related("further_sites")
    token = found.filter(digest=digest_of(secret)).first()
    if token is None:
        raise TokenRefused("token_unknown")
    if token.revoked_at is not None:
        raise TokenRefused("token_revoked")
    if token.is_over:
        raise TokenRefused("token_expired")
    if not token.person.is_active:
        raise TokenRefused("token_of_nobody")
    narrow(token.person, narrowing_of(token))
    return token


def narrowing_of(token: ApiToken) -> Narrowing:
    """Return what a token leaves of the rights of its person."""
    without = _NEVER.union(*(names for scope, names in _ONLY_WITH.items() if scope not in token.scopes))
    return Narrowing(frozenset(site.slug for site in token.sites), frozenset(token.file_types), without)


def count_request(token: ApiToken, most: int) -> int | None:
    """Count one more request of a token and that it was used; return how many are left this minute, None = one too many.

    Queries: one, and another one at the first request of a minute
    """
    minute, now = int(time.time()) // MINUTE, timezone.now()
    known = ApiToken.objects.filter(pk=token.pk)
    if known.exclude(minute=minute).update(minute=minute, requests=1, last_used_at=now):
        return most - 1
    if not known.filter(requests__lt=most).update(requests=F("requests") + 1, last_used_at=now):
        return None
    before = token.requests if token.minute == minute else 1
    return max(0, most - before - 1)


def seconds_to_next_minute() -> int:
    """Return in how many seconds requests are counted anew."""
    return MINUTE - int(time.time()) % MINUTE


def forget_answers() -> None:
    """Delete the answers that nobody asks for again. Queries: one"""
    KeptAnswer.objects.filter(claimed_at__lte=timezone.now() - _ANSWERS_KEPT).delete()


def forget_tokens() -> None:
    """Delete the tokens that have let nobody in for long. Queries: one"""
    before = timezone.now() - _LISTED
    ApiToken.objects.filter(Q(expires_at__lte=before) | Q(revoked_at__lte=before)).delete()


def digest_of(secret: str) -> str:
    """Return what is kept of a secret. It is 256 random bits, so that a fast hash is as good as a slow one."""
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()


def _facts(token: ApiToken) -> dict[str, Any]:
    return {
        "token": f"{token.name} ({token.beginning}…)",
        "sites": [site.slug for site in token.sites],
        "scopes": token.scopes,
        "file_types": token.file_types,
        "expires_at": token.expires_at,
    }


def _record(token: ApiToken, by: Any, *, before: dict[str, Any] | None, after: dict[str, Any] | None) -> None:
    subject = token.person.get_username()
    for site in token.sites:
        record_saved(site, AuditKind.RIGHTS, Responsible.of(by), subject, before=before, after=after, code="token")
