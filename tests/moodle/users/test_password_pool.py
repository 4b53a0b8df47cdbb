"""The pool of hashing processes, where it really runs: in a child of a Celery worker."""

from __future__ import annotations

import json
from pathlib import Path

import billiard

from sync.moodle.users.passwords import HashFormat, PasswordPool, verify_password

CLEARS = [f"Secret#{number}" for number in range(40)]


def _hash_in_a_child(answer: Path) -> None:
    pool = PasswordPool(2)
    try:
        hashes = pool.hash_many(CLEARS, HashFormat.SHA512)
        verified = pool.verify_many(list(zip(CLEARS, hashes, strict=True)))
    finally:
        pool.close()
    answer.write_text(json.dumps({"hashes": hashes, "verified": verified}))


def test_a_daemonic_child_of_celery_hashes_on_all_cores(tmp_path: Path) -> None:
    answer = tmp_path / "answer.json"
    # As Celery's prefork pool starts its children.
    child = billiard.Process(target=_hash_in_a_child, args=(answer,))
    child.daemon = True
    child.start()
    child.join(60)

    assert child.exitcode == 0
    told = json.loads(answer.read_text())
    assert told["verified"] == [True] * len(CLEARS)
    assert len(set(told["hashes"])) == len(CLEARS)
    assert verify_password(CLEARS[0], told["hashes"][0])
