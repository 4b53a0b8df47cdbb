"""The keys of one site's audit: what names are looked up by, what the chain is proved with, what keys of people are kept under.

They are random, and kept encrypted with the chain, so that another SECRET_KEY (`manage.py rotatekeys`) leaves names and proofs
as they are.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import struct
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sync.columns.column import About
from sync.encryption import Unreadable, decrypt, encrypt
from sync.errors import AuditDamaged, AuditUnavailable
from sync.models import AuditChain

PURPOSE = "audit keys"
KEY_BYTES = 16
# In the place of a key that was destroyed.
GONE = bytes(KEY_BYTES)

_SECRET = ("names", "proof", "keys")
_NAME_BYTES = 8
_NONCE_BYTES = 12


class BoxKey(NamedTuple):
    """What opens one sealed entry. Shape: key: GONE when it was destroyed; names: keyed hashes of the people that it is about"""

    key: bytes
    names: tuple[int, ...]


class AuditKeys(NamedTuple):
    """Shape: names, proof, keys: 32 random bytes each; first: number of the first record that was written under them"""

    names: bytes
    proof: bytes
    keys: bytes
    first: int = 1

    @classmethod
    def new(cls) -> Self:
        return cls(secrets.token_bytes(32), secrets.token_bytes(32), secrets.token_bytes(32))

    @classmethod
    def of(cls, chain: AuditChain) -> Self:
        """Return the keys of a chain. Raises: AuditUnavailable if they can't be decrypted"""
        try:
            kept = decrypt(PURPOSE, chain.secret)
        except Unreadable:
            raise AuditUnavailable("audit_keys_unreadable", site=chain.site.name) from None
        names, proof, keys = (bytes.fromhex(kept[name]) for name in _SECRET)
        return cls(names, proof, keys, chain.first)

    def encrypted(self) -> bytes:
        return encrypt(PURPOSE, {name: value.hex() for name, value in zip(_SECRET, self[:3], strict=True)})

    def hasher(self, about: About) -> Callable[[str], int]:
        """Return the function that tells by what a name is looked up. Shape: a signed number of 64 bits"""
        keyed = hashlib.blake2b(f"{about.value}:".encode(), key=self.names, digest_size=_NAME_BYTES)

        def hash_of(name: str) -> int:
            text = name if name.isascii() else unicodedata.normalize("NFKC", name)
            hashing = keyed.copy()
            hashing.update(text.casefold().strip().encode("utf-8", "replace"))
            return int.from_bytes(hashing.digest(), "big", signed=True)

        return hash_of

    def hash_of(self, about: About, name: str) -> int:
        """Return by what one name is looked up."""
        return self.hasher(about)(name)

    def prove(self, content: bytes) -> str:
        """Return what only ToolSync can compute of some bytes. Shape: 64 hexadecimal digits"""
        return hmac.digest(self.proof, content, "sha256").hex()

    def seal_keys(self, sequence: int, boxes: Sequence[BoxKey]) -> bytes:
        """Return the keys of a record's boxes as they may be stored."""
        if not boxes:
            return b""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + AESGCM(self.keys).encrypt(nonce, _packed(boxes), str(sequence).encode())

    def open_keys(self, sequence: int, sealed: bytes) -> list[BoxKey]:
        """Return the keys of a record's boxes. Raises: AuditDamaged"""
        if not sealed:
            return []
        if sequence < self.first:
            raise AuditDamaged("audit_keys_lost", sequence=sequence)
        nonce, content = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        try:
            return list(_unpacked(AESGCM(self.keys).decrypt(nonce, content, str(sequence).encode())))
        except (InvalidTag, ValueError, struct.error) as error:
            raise AuditDamaged("audit_keys_damaged", sequence=sequence) from error


def _packed(boxes: Sequence[BoxKey]) -> bytes:
    parts: list[bytes] = []
    for key, names in boxes:
        # What comes to more names than a byte counts is found by the first of them.
        count = min(len(names), 255)
        parts += (key, bytes((count,)), struct.pack(f">{count}q", *names[:count]))
    return b"".join(parts)


def _unpacked(content: bytes) -> Iterable[BoxKey]:
    at = 0
    while at < len(content):
        key, count = content[at : at + KEY_BYTES], content[at + KEY_BYTES]
        at += KEY_BYTES + 1
        end = at + count * _NAME_BYTES
        yield BoxKey(key, struct.unpack(f">{count}q", content[at:end]))
        at = end
