"""Encryption of the secrets that stand in our tables: encrypted with Fernet under a key that is not in there."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from sync.errors import ToolSyncError

# Not secret, and never to be changed: it sets keys of ToolSync apart from others that are derived from the same secret.
_SALT = b"toolsync"


class Unreadable(ToolSyncError):
    """None of the keys is the one that the secret was sealed with."""


def encrypt(purpose: str, values: dict[str, Any]) -> bytes:
    """Return values as they may be stored. Shape: purpose: what is sealed for one can't be opened as another"""
    return _cipher(purpose).encrypt(json.dumps(values).encode())


def decrypt(purpose: str, sealed: bytes | memoryview) -> dict[str, Any]:
    """Return the values that were sealed. Raises: Unreadable."""
    try:
        return json.loads(_cipher(purpose).decrypt(bytes(sealed)))
    except InvalidToken:
        raise Unreadable(purpose) from None


def reencrypt(purpose: str, sealed: bytes | memoryview) -> bytes:
    """Return the same secret under the newest key. Raises: Unreadable."""
    try:
        return _cipher(purpose).rotate(bytes(sealed))
    except InvalidToken:
        raise Unreadable(purpose) from None


def _cipher(purpose: str) -> MultiFernet:
    """Return what encrypts with the newest key and decrypts with any."""
    derived = [_derived(purpose, key) for key in _secret_keys()]
    # Secrets were under keys that were derived otherwise, until `manage.py rotatekeys` brings them under the newest.
    derived += [hashlib.sha256(f"toolsync {purpose}{key}".encode()).digest() for key in _secret_keys()]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in derived])


def _derived(purpose: str, key: str) -> bytes:
    """Return the Fernet key for a purpose. Source: RFC 5869"""
    return HKDF(algorithm=SHA256(), length=32, salt=_SALT, info=purpose.encode()).derive(key.encode())


def _secret_keys() -> tuple[str, ...]:
    """Return the keys under which passwords and connections are kept: the newest, then those that may still open older ones."""
    keys = (
        settings.TOOLSYNC_CREDENTIALS_KEY,
        *settings.TOOLSYNC_CREDENTIALS_KEY_FALLBACKS,
        settings.SECRET_KEY,
        *settings.SECRET_KEY_FALLBACKS,
    )
    return tuple(dict.fromkeys(filter(None, keys)))
