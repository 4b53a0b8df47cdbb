"""Tokens for a service account of Google: a request that is signed with its key, for which a token is given for a while.

Source: RFC 7523 section 2.1; Google, "Using OAuth 2.0 for Server to Server Applications" (claims, one hour at most, key files)
"""

from __future__ import annotations

import json
import time
from typing import NamedTuple, TypeGuard

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from sync.errors import SourceError
from sync.sources.location import Address, parse_address

# What is asked for: to read the files that are shared with the account, nothing more.
SCOPE = "https://www.googleapis.com/auth/drive.readonly https://www.googleapis.com/auth/spreadsheets.readonly"
_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_REQUEST_SECONDS = 600
_FEWEST_BITS = 2048
_LONGEST_NAME = 200


class ServiceAccount(NamedTuple):
    """Whose key a request for a token is signed with. Shape: audience: the address of the token as the key file writes it"""

    token_address: Address
    audience: str
    email: str
    key_id: str
    private_key: str
    refusal: str = "service_key_refused"

    def fields(self) -> dict[str, str]:
        """Return what is posted for a token."""
        now = int(time.time())
        claims: dict[str, str | int] = {
            "iss": self.email,
            "scope": SCOPE,
            "aud": self.audience,
            "iat": now,
            "exp": now + _REQUEST_SECONDS,
        }
        headers = {"kid": self.key_id} if self.key_id else None
        signed = jwt.encode(claims, self.private_key, algorithm="RS256", headers=headers)
        return {"grant_type": _GRANT, "assertion": signed}

    def headers(self) -> dict[str, str]:
        """Return what shows who asks: nothing but the signature does."""
        return {}


def read_service_key(text: str) -> ServiceAccount:
    """Return the service account of a key file (JSON). Raises: SourceError if it isn't one that can sign"""
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        raise SourceError("service_key_unreadable") from None
    if not isinstance(told, dict) or told.get("type") != "service_account":
        raise SourceError("service_key_unreadable")
    email, audience, pem = (told.get(name) for name in ("client_email", "token_uri", "private_key"))
    key_id = told.get("private_key_id") or ""
    if not (_is_name(email) and "@" in email) or not (key_id == "" or _is_name(key_id)):
        raise SourceError("service_key_unreadable")
    if not isinstance(pem, str) or not isinstance(audience, str):
        raise SourceError("service_key_unreadable")
    try:
        key = load_pem_private_key(pem.encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise SourceError("service_key_unreadable") from None
    if not isinstance(key, RSAPrivateKey) or key.key_size < _FEWEST_BITS:
        raise SourceError("service_key_unreadable")
    address = parse_address(audience)
    if address.scheme not in ("https", "http"):
        raise SourceError("address_scheme", scheme=address.scheme, schemes="https, http")
    return ServiceAccount(address, audience.strip(), email, key_id, pem)


def _is_name(value: object) -> TypeGuard[str]:
    return (
        isinstance(value, str)
        and 0 < len(value) <= _LONGEST_NAME
        and value.isascii()
        and value.isprintable()
        and " " not in value
    )
