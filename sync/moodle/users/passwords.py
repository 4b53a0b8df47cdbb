"""Hash and verify passwords as Moodle does, by Moodle version, on all cores.

This module is imported by the processes of the pool: it imports nothing of Django.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from enum import StrEnum
from functools import partial
from typing import TypeVar

import bcrypt
import crypt_r

from sync.moodle.db.process_pool import start_processes
from sync.moodle.versions import Feature

SHA512_ROUNDS = 10_000
BCRYPT_COST = 10
# Moodle 4.3 and later refuse longer ones (MAX_PASSWORD_CHARACTERS); bcrypt has never looked beyond 72 bytes.
MAX_CHARACTERS = 128
BCRYPT_BYTES = 72

NOT_CACHED = "not cached"
TO_BE_GENERATED = "to be generated"
NO_PASSWORD = "*NOPASS*"  # noqa: S105 - a word that Moodle stores, not a secret
# Stored values that no password verifies against.
SPECIAL_VALUES = frozenset(("", NOT_CACHED, TO_BE_GENERATED, NO_PASSWORD, "restored"))

_SALT_CHARACTERS = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_MD5 = re.compile(r"[0-9a-f]{32}")
# Fewer than this are hashed where we are: starting processes would take longer.
_WORTH_A_POOL = 16


_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


class HashFormat(StrEnum):
    BCRYPT = "bcrypt"
    SHA512 = "sha512"


def format_for(version: float) -> HashFormat:
    """Return the format that a Moodle of this version (config.version) writes."""
    return HashFormat.SHA512 if Feature.SHA512_PASSWORDS.is_in(version) else HashFormat.BCRYPT


def hash_password(clear: str, hash_format: HashFormat, pepper: str = "") -> str:
    """Return the value for user.password.

    Mirrors: hash_internal_user_password() of Moodle 4.1 (bcrypt) and 4.3 to 5.1 (SHA-512 crypt)
    """
    peppered = clear + pepper
    if hash_format is HashFormat.BCRYPT:
        hashed = bcrypt.hashpw(peppered.encode()[:BCRYPT_BYTES], bcrypt.gensalt(BCRYPT_COST)).decode()
        # The same algorithm goes by 2b in Python and by 2y in PHP.
        return "$2y$" + hashed.removeprefix("$2b$")
    salt = "".join(secrets.choice(_SALT_CHARACTERS) for _ in range(16))
    return str(crypt_r.crypt(peppered, f"$6$rounds={SHA512_ROUNDS}${salt}"))


def verify_password(clear: str, stored: str, peppers: Sequence[str] = ()) -> bool:
    """Whether a clear password is the one of a user with this stored value. Without pepper first, then each pepper.

    Mirrors: validate_internal_user_password()
    """
    if stored in SPECIAL_VALUES:
        return False
    return any(_matches(clear + pepper, stored) for pepper in ("", *peppers))


class PasswordPool:
    """Hashes and verifies many passwords on all cores; the processes start at the first need and live for one run."""

    def __init__(self, processes: int = 0) -> None:
        self._processes = processes or os.cpu_count() or 1
        self._executor: ProcessPoolExecutor | None = None

    def hash_many(self, clears: Sequence[str], hash_format: HashFormat, pepper: str = "") -> list[str]:
        return self._map(partial(hash_password, hash_format=hash_format, pepper=pepper), clears)

    def verify_many(self, pairs: Sequence[tuple[str, str]], peppers: Sequence[str] = ()) -> list[bool]:
        """Shape: pairs of (clear, stored)."""
        return self._map(partial(_verify_pair, peppers=tuple(peppers)), pairs)

    def close(self) -> None:
        if self._executor is not None:
            self._executor.shutdown(cancel_futures=True)
            self._executor = None

    def _map(self, function: Callable[[_Item], _Result], items: Sequence[_Item]) -> list[_Result]:
        if len(items) < _WORTH_A_POOL or self._processes == 1:
            return [function(item) for item in items]
        if self._executor is None:
            self._executor = start_processes(self._processes)
        size = max(1, min(32, len(items) // (4 * self._processes)))
        return list(self._executor.map(function, items, chunksize=size))


def _verify_pair(pair: tuple[str, str], peppers: Iterable[str]) -> bool:
    return verify_password(pair[0], pair[1], tuple(peppers))


def _matches(clear: str, stored: str) -> bool:
    if stored.startswith(("$2y$", "$2a$", "$2b$")):
        try:
            return bcrypt.checkpw(clear.encode()[:BCRYPT_BYTES], b"$2b$" + stored[4:].encode())
        except ValueError:
            return False
    if stored.startswith(("$6$", "$5$")):
        hashed = crypt_r.crypt(clear, stored)
        return hashed is not None and hmac.compare_digest(str(hashed), stored)
    if _MD5.fullmatch(stored):
        return hmac.compare_digest(hashlib.md5(clear.encode(), usedforsecurity=False).hexdigest(), stored)
    return False
