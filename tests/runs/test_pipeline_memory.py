"""A run holds one chunk at a time, however long the file."""

from __future__ import annotations

import gc
from typing import Any

import pytest

from tests.support import MoodleSite, run_file

ROWS, CHUNK_ROWS = 400, 100


@pytest.mark.parametrize("simulate", [False, True])
def test_a_chunk_that_is_done_leaves_nothing_to_pythons_collector(sqlite_site: MoodleSite, simulate: bool) -> None:
    header = "username;firstname;lastname;email;cohort;course1\n"
    text = header + "".join(f"kim{n};Kim;Nr {n};kim{n}@x.org;Year 1;C1\n" for n in range(ROWS))
    found: list[int] = []

    def note(phase: str, told: dict[str, Any]) -> None:
        if phase == "stop":
            found.append(told["collected"])

    gc.collect()
    gc.callbacks.append(note)
    try:
        result = run_file(sqlite_site, "users", text, chunk_rows=CHUNK_ROWS, simulate=simulate)
    finally:
        gc.callbacks.remove(note)

    assert result.counts == {"created": ROWS}
    # One collection for each chunk. SQLAlchemy's statements refer to themselves, some dozen objects each; rows don't.
    assert len(found) >= ROWS // CHUNK_ROWS
    assert max(found[: ROWS // CHUNK_ROWS]) < 10 * CHUNK_ROWS, found
