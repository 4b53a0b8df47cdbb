"""A run holds one chunk at a time, however long the file."""

from __future__ import annotations

import gc

import pytest
import sqlalchemy as sa

from sync.processors.base.operations import Insert
from sync.processors.base.plan import Plan
from tests.installation import Installation
from tests.support import MoodleSite, run_file

ROWS, CHUNK_ROWS = 400, 100


@pytest.mark.parametrize("simulate", [False, True])
def test_chunks_that_are_done_leave_nothing_to_pythons_collector(sqlite_site: MoodleSite, simulate: bool) -> None:
    header = "username;firstname;lastname;email;cohort;course1\n"
    text = header + "".join(f"kim{n};Kim;Nr {n};kim{n}@x.org;Year 1;C1\n" for n in range(ROWS))
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        result = run_file(sqlite_site, "users", text, chunk_rows=CHUNK_ROWS, simulate=simulate)
        gc.collect()
        left = [found for found in gc.garbage if isinstance(found, (Plan, Insert))]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()

    assert result.counts == {"created": ROWS}
    assert left == []


def test_what_earlier_runs_of_a_process_have_left_does_not_stay(installation: Installation) -> None:
    def descriptions() -> int:
        gc.collect()
        return sum(issubclass(type(found), sa.Column) for found in gc.get_objects())

    counts = []
    for number in range(4):
        text = f"username;firstname;lastname;email\nkim{number};K;Kay;k{number}@x.org\n"
        assert installation.carry_out(f"/in{number}.csv", text).counts == {"created": 1}
        counts.append(descriptions())
    assert counts[1:] == [counts[1]] * 3
