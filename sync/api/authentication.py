"""Who asks: a token in the header `Authorization`, its site, its scopes, and how often it asks."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from axes.helpers import get_client_ip_address
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from sync.errors import ApiRefused, TokenRefused
from sync.models import ApiToken, MoodleSite
from sync.notifications.password_mails import within_limit
from sync.people.rights import has_any_right
from sync.people.tokens import MINUTE, count_request, find_token, seconds_to_next_minute
from sync.runs.options import api_requests_per_minute

# Wrong tokens from one address in a minute.
_MOST_WRONG = 60
_READING = {"HEAD": "GET"}


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer tsk_…`. The user can do no more than the token leaves of their rights."""

    def authenticate(self, request: Request) -> tuple[Any, ApiToken] | None:
        """Return the person and the token; None where no token was sent. Raises: TokenRefused"""
        kind, _space, secret = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if kind.lower() != "bearer" or not secret.strip():
            return None
        return authenticated(request, secret.strip())

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="ToolSync"'


def authenticated(request: Any, secret: str) -> tuple[Any, ApiToken]:
    """Return the person and the token of a secret. Raises: TokenRefused; Throttled where many wrong ones came before"""
    try:
        token = find_token(secret)
    except TokenRefused:
        address = get_client_ip_address(getattr(request, "_request", request))
        if not within_limit(f"wrong tokens of {address}", _MOST_WRONG, timedelta(seconds=MINUTE)):
            raise exceptions.Throttled(MINUTE) from None
        raise
    return token.person, token


def site_of_token(token: ApiToken, slug: str) -> MoodleSite:
    """Return a site by its short name. Raises: ApiRefused where the token isn't for it, whether it exists or not"""
    for site in token.sites:
        if site.slug == slug:
            return site
    known = ", ".join(site.slug for site in token.sites)
    raise ApiRefused("token_of_another_site", site=slug, token_site=known)


class TokenAllows(BasePermission):
    """Asks for a token of the site that the address names, with the scope that the address needs.

    Somebody who has lost every right there gets nothing; on a site that is out of use nothing is changed.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        """Raises: ApiRefused"""
        token = request.auth
        if not isinstance(token, ApiToken):
            raise ApiRefused("token_missing")
        if (asked := view.kwargs.get("site")) is not None:
            site = site_of_token(token, asked)
            if not has_any_right(token.person, site):
                raise ApiRefused("permission_missing")
            if not site.in_use and request.method not in SAFE_METHODS:
                raise ApiRefused("site_out_of_use", site=site.name)
        wanted = view.scopes.get(_READING.get(request.method or "", request.method), ())
        if wanted and not any(scope in token.scopes for scope in wanted):
            raise ApiRefused("scope_missing", scope=" / ".join(wanted))
        return True


class TokenRate(BaseThrottle):
    """So many requests a minute for each token, whichever process of the web server takes them."""

    def allow_request(self, request: Request, view: Any) -> bool:
        if not isinstance(request.auth, ApiToken):
            return True
        left = count_request(request.auth, api_requests_per_minute())
        view.requests_left = left
        return left is not None

    def wait(self) -> int:
        return seconds_to_next_minute()


class TokenScheme(OpenApiAuthenticationExtension):
    """How the OpenAPI document names it."""

    target_class = TokenAuthentication
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "A token made under Settings, Tokens."}
