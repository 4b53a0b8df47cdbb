"""Secrets as they may stand in our tables: encrypted with Fernet under a key that is not in there."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

from sync.errors import ToolSyncError


class Unreadable(ToolSyncError):
    """None of the keys is the one that the secret was sealed with."""


def encrypt(purpose: str, values: dict[str, Any]) -> bytes:
    """Give values as they may be stored. Shape: purpose: what is sealed for one can't be opened as another"""
    return _cipher(purpose).encrypt(json.dumps(values).encode())


def decrypt(purpose: str, sealed: bytes | memoryview) -> dict[str, Any]:
    """Give the values that were sealed. Raises: Unreadable."""
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
    """Make what encrypts with the newest key and decrypts with any."""
    return MultiFernet(
        [
            Fernet(base64.urlsafe_b64encode(hashlib.sha256(f"toolsync {purpose}".encode() + key.encode()).digest()))
            for key in _secret_keys()
        ]
    )


def _secret_keys() -> tuple[str, ...]:
    """Return the keys under which passwords and connections are kept: the newest, then those that may still open older ones."""
    keys = (
        settings.TOOLSYNC_CREDENTIALS_KEY,
        *settings.TOOLSYNC_CREDENTIALS_KEY_FALLBACKS,
        settings.SECRET_KEY,
        *settings.SECRET_KEY_FALLBACKS,
    )
    return tuple(dict.fromkeys(filter(None, keys)))
