"""Secrets as they may stand in our tables: encrypted with Fernet under a key that is not in there."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from cryptography.fernet import Fernet, InvalidToken

from sync.errors import ToolSyncError
from sync.runs.options import secret_key


class Unreadable(ToolSyncError):
    """The key is another one than the secret was sealed with."""


def seal(purpose: str, values: dict[str, Any]) -> bytes:
    """Give values as they may be stored. Shape: purpose: what is sealed for one can't be opened as another"""
    return _cipher(purpose).encrypt(json.dumps(values).encode())


def unseal(purpose: str, sealed: bytes | memoryview) -> dict[str, Any]:
    """Give the values that were sealed. Raises: Unreadable."""
    try:
        return json.loads(_cipher(purpose).decrypt(bytes(sealed)))
    except InvalidToken:
        raise Unreadable(purpose) from None


def _cipher(purpose: str) -> Fernet:
    key = hashlib.sha256(f"toolsync {purpose}".encode() + secret_key().encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))
