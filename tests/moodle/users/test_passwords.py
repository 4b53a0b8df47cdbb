"""Hashes are those that Moodle writes, and what Moodle accepts is accepted."""

from __future__ import annotations

import hashlib
import re

import bcrypt
import crypt_r
import pytest

from sync.moodle.users.passwords import (
    SPECIAL_VALUES,
    HashFormat,
    PasswordPool,
    format_for,
    hash_password,
    verify_password,
)

CLEAR = "Secret#1 é"
SHA512 = re.compile(r"\$6\$rounds=10000\$[./0-9A-Za-z]{16}\$[./0-9A-Za-z]{86}")
BCRYPT = re.compile(r"\$2y\$10\$[./0-9A-Za-z]{53}")


@pytest.mark.parametrize(
    ("version", "hash_format"),
    [
        (2022112800.00, HashFormat.BCRYPT),  # 4.1
        (2023042400.00, HashFormat.BCRYPT),  # 4.2
        (2023100900.00, HashFormat.SHA512),  # 4.3
        (2024100705.00, HashFormat.SHA512),  # 4.5
        (2025100600.00, HashFormat.SHA512),  # 5.1
    ],
)
def test_the_format_follows_the_version_of_moodle(version: float, hash_format: HashFormat) -> None:
    assert format_for(version) is hash_format


@pytest.mark.parametrize(("hash_format", "shape"), [(HashFormat.SHA512, SHA512), (HashFormat.BCRYPT, BCRYPT)])
def test_a_hash_has_the_shape_that_moodle_writes_and_a_salt_of_its_own(
    hash_format: HashFormat, shape: re.Pattern[str]
) -> None:
    first, second = (hash_password(CLEAR, hash_format) for _ in range(2))

    assert shape.fullmatch(first)
    assert shape.fullmatch(second)
    assert first != second
    assert verify_password(CLEAR, first)
    assert not verify_password(CLEAR + "x", first)
    assert not verify_password("", first)


def test_other_programs_accept_our_hashes() -> None:
    sha512 = hash_password(CLEAR, HashFormat.SHA512)
    assert crypt_r.crypt(CLEAR, sha512) == sha512
    blowfish = hash_password(CLEAR, HashFormat.BCRYPT)
    assert bcrypt.checkpw(CLEAR.encode(), blowfish.replace("$2y$", "$2b$").encode())


@pytest.mark.parametrize(
    "stored",
    [
        # PHP calls the algorithm 2y, Python 2b; before PHP 5.3.7 it was 2a.
        "$2y$" + bcrypt.hashpw(b"moodle", bcrypt.gensalt(4)).decode().removeprefix("$2b$"),
        "$2a$" + bcrypt.hashpw(b"moodle", bcrypt.gensalt(4)).decode().removeprefix("$2b$"),
        str(crypt_r.crypt("moodle", "$6$rounds=5000$abcdefghijklmnop")),
        str(crypt_r.crypt("moodle", "$6$abcdefghijklmnop")),
        str(crypt_r.crypt("moodle", "$5$abcdefghijklmnop")),
        hashlib.md5(b"moodle", usedforsecurity=False).hexdigest(),
    ],
    ids=["bcrypt-2y", "bcrypt-2a", "sha512-fast", "sha512-default-rounds", "sha256", "md5"],
)
def test_older_hashes_still_verify(stored: str) -> None:
    assert verify_password("moodle", stored)
    assert not verify_password("Moodle", stored)


def test_known_vectors_verify() -> None:
    # From the specification of SHA-crypt (Drepper), and a hash of the bcrypt test suite.
    sha512 = (
        "$6$rounds=10000$saltstringsaltst$"
        "OW1/O6BYHV6BcXZu8QVeXbDWra3Oeqh0sbHbbMCVNSnCM/UrjmM0Dp8vOuZeHBy/YTBmSK6H9qs/y3RnOaw5v."
    )
    assert verify_password("Hello world!", sha512)
    assert verify_password("U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW")
    assert verify_password("", "d41d8cd98f00b204e9800998ecf8427e")


@pytest.mark.parametrize("stored", [*sorted(SPECIAL_VALUES), "$2y$10$short", "$6$", "$1$x$y", "plain", "A" * 32])
def test_values_that_are_no_hash_let_nobody_in(stored: str) -> None:
    assert not verify_password(stored, stored)
    assert not verify_password(CLEAR, stored)


@pytest.mark.parametrize("hash_format", HashFormat)
def test_a_pepper_is_part_of_the_password(hash_format: HashFormat) -> None:
    stored = hash_password(CLEAR, hash_format, "new pepper")

    assert verify_password(CLEAR, stored, ["new pepper", "old pepper"])
    assert verify_password(CLEAR, stored, ["old pepper", "new pepper"])
    assert not verify_password(CLEAR, stored, ["old pepper"])
    assert not verify_password(CLEAR, stored)


def test_hashes_from_before_there_was_a_pepper_still_verify() -> None:
    assert verify_password(CLEAR, hash_password(CLEAR, HashFormat.SHA512), ["pepper"])


def test_bcrypt_looks_at_72_bytes_and_sha512_at_all() -> None:
    long = "é" * 36
    assert verify_password(long + "other", hash_password(long + "tail", HashFormat.BCRYPT))
    assert not verify_password(long + "other", hash_password(long + "tail", HashFormat.SHA512))


def test_a_pool_hashes_and_verifies_in_order_with_peppers() -> None:
    clears = ["one", "two", "three"]
    pool = PasswordPool(1)

    hashes = pool.hash_many(clears, HashFormat.SHA512, "pepper")

    assert pool.verify_many(list(zip(clears, hashes, strict=True)), ["pepper"]) == [True] * 3
    assert pool.verify_many(list(zip(clears, reversed(hashes), strict=True)), ["pepper"]) == [False, True, False]
    assert pool.hash_many([], HashFormat.SHA512) == []
    pool.close()
