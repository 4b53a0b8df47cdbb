"""A run holds one chunk at a time, however long the file."""

from __future__ import annotations

import gc
from typing import Any

import pytest
import sqlalchemy as sa

from tests.installation import Installation
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


def test_what_earlier_runs_of_a_process_have_left_does_not_stay(installation: Installation) -> None:
    def descriptions() -> int:
        return sum(issubclass(type(found), sa.Column) for found in gc.get_objects())

    counts = []
    for number in range(4):
        text = f"username;firstname;lastname;email\nkim{number};K;Kay;k{number}@x.org\n"
        assert installation.carry_out(f"/in{number}.csv", text).counts == {"created": 1}
        counts.append(descriptions())
    assert counts[1:] == [counts[1]] * 3
