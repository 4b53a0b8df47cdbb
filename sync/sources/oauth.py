"""Tokens by OAuth 2: a program shows who it is, and gets a token for a while.

Source: RFC 6749 sections 2.3.1, 4.4 and 5; RFC 6750
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from contextlib import closing
from typing import NamedTuple, Protocol
from urllib.parse import quote_plus, urlencode

from sync.errors import SourceError
from sync.sources.guard import FetchRules, Lines
from sync.sources.http_address import GuardedConnection
from sync.sources.location import Address

_MOST_BYTES = 100_000
# A token is not used in its last moments: it has to last for the requests that begin with it.
_MARGIN_SECONDS = 30
_USUAL_SECONDS = 300
_MOST_SECONDS = 366 * 24 * 3600

_lock = threading.Lock()
# Tokens of this process. Shape: digest of everything that they were given for -> token, end by the monotonic clock
_tokens: dict[str, tuple[str, float]] = {}


class TokenHolder(Protocol):
    """Who asks for a token, and where. Shape: refusal: the code of what is said where none is given"""

    @property
    def token_address(self) -> Address: ...

    @property
    def refusal(self) -> str: ...

    def fields(self) -> dict[str, str]:
        """Return what is posted for a token."""

    def headers(self) -> dict[str, str]:
        """Return what shows who asks."""


class Client(NamedTuple):
    """A client with a secret (client credentials). Shape: scope: names with blanks between, "" = what the server gives"""

    token_address: Address
    client_id: str
    secret: str
    scope: str = ""
    refusal: str = "oauth_refused"

    def fields(self) -> dict[str, str]:
        """Return what is posted for a token."""
        return {"grant_type": "client_credentials"} | ({"scope": self.scope} if self.scope else {})

    def headers(self) -> dict[str, str]:
        """Return what shows who asks."""
        login = f"{quote_plus(self.client_id)}:{quote_plus(self.secret)}"
        return {"Authorization": "Basic " + base64.b64encode(login.encode()).decode()}


def token_of(client: TokenHolder, lines: Lines) -> str:
    """Return a token, the one of before as long as it lasts. Raises: SourceError"""
    key = _key(client)
    with _lock:
        token, ends_at = _tokens.get(key, ("", 0.0))
    if time.monotonic() < ends_at:
        return token
    token, seconds = _fetched(client, lines)
    with _lock:
        _tokens[key] = token, time.monotonic() + seconds - _MARGIN_SECONDS
    return token


def forget_token(client: TokenHolder) -> None:
    """Ask for another token next time: a server doesn't take the one that is kept."""
    with _lock:
        _tokens.pop(_key(client), None)


def check_secure(address: Address, rules: FetchRules) -> None:
    """Raises: SourceError if a secret would be sent in the clear to a server that the operator hasn't named"""
    named = rules.allowed_hosts
    if address.scheme != "https" and named.isdisjoint((address.host, f"{address.host}:{address.port}")):
        raise SourceError("oauth_insecure", host=address.host)


def _fetched(client: TokenHolder, lines: Lines) -> tuple[str, float]:
    """Return a new token, and how many seconds it lasts."""
    address = client.token_address
    check_secure(address, lines.rules)
    fields = client.fields()
    headers = {
        **client.headers(),
        "Content-Type": "application/x-www-form-urlencoded",
        "Accept": "application/json",
        "User-Agent": "ToolSync",
    }
    target = address.path + (f"?{address.query}" if address.query else "")
    with lines.translated_errors(address.host), closing(GuardedConnection(address, lines)) as connection:
        connection.request("POST", target, body=urlencode(fields), headers=headers)
        with connection.getresponse() as answer:
            status, content = answer.status, answer.read(_MOST_BYTES)
    return _token_in(status, content, address.host, client.refusal)


def _token_in(status: int, content: bytes, host: str, refusal: str) -> tuple[str, float]:
    """Return the token of an answer. What the server says of a refusal is one of the words of RFC 6749."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        found = {}
    if not isinstance(found, dict):
        found = {}
    token, kind = found.get("access_token"), str(found.get("token_type", "bearer"))
    if status != 200 or not isinstance(token, str) or not token.isascii() or kind.lower() != "bearer":
        reason = found.get("error")
        raise SourceError(refusal, host=host, status=status, reason=reason[:60] if isinstance(reason, str) else "-")
    seconds = found.get("expires_in")
    # JSON may hold numbers that are none, and some that no clock comes to.
    if isinstance(seconds, int | float) and 0 <= seconds <= _MOST_SECONDS:
        return token, float(seconds)
    return token, _USUAL_SECONDS


def _key(client: TokenHolder) -> str:
    return hashlib.sha256(json.dumps([type(client).__name__, client]).encode()).hexdigest()
