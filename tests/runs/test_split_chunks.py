"""Chunks that have to be cut many times: each row has its outcome, and no file is too long for it."""

from __future__ import annotations

import inspect
from collections.abc import Sequence

import pytest

from sync.models import RunState
from sync.processors.courses.cells import CourseCells
from sync.processors.courses.processor import Courses
from sync.processors.courses.state import CoursesState
from sync.runs import services
from sync.runs.recorder import Progress
from tests.installation import Installation

COURSES = 40
HEADER = "shortname;fullname;category\n"


def twice_each(number: int) -> str:
    """A file whose every second row changes the course that the row before it makes."""
    return HEADER + "".join(f"S{n};{name} {n};New\n" for n in range(number) for name in ("First", "Second"))


def test_a_chunk_that_is_cut_at_every_second_row_is_carried_out_in_a_loop(installation: Installation) -> None:
    depths: set[int] = set()
    run = installation.queue("/in.csv", twice_each(COURSES), processor="courses", forceupdate=1)
    run = services.execute_run(run.pk, progress=lambda _progress: depths.add(len(inspect.stack(0))))

    assert (run.state, run.error_code) == (RunState.COMPLETED, "")
    assert run.counts == {"created": COURSES, "updated": COURSES}
    assert run.chunks.count() > COURSES
    # A file of any length is done with the same stack.
    assert max(depths) - min(depths) < 10
    names = {row["fullname"] for row in installation.moodle.rows("course")}
    assert {f"Second {n}" for n in range(COURSES)} <= names
    assert not {f"First {n}" for n in range(COURSES)} & names


def test_a_run_can_be_cancelled_between_the_parts_of_a_chunk(installation: Installation) -> None:
    run = installation.queue("/in.csv", twice_each(COURSES), processor="courses", forceupdate=1)

    def cancel(progress: Progress) -> None:
        if progress.rows_done > 5:
            services.cancel_run(run)

    ended = services.execute_run(run.pk, progress=cancel)
    assert ended.state == RunState.CANCELLED
    assert 5 < ended.rows_done < 2 * COURSES
    assert sum(ended.counts.values()) == ended.rows_done


def test_cutting_costs_few_attempts(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each attempt reads what its rows need: not the rest of the chunk again for each cut."""
    fetched: list[int] = []
    original = Courses.fetch

    def counting(self: Courses, rows: Sequence[CourseCells]) -> CoursesState:
        fetched.append(len(rows))
        return original(self, rows)

    monkeypatch.setattr(Courses, "fetch", counting)
    installation.carry_out("/in.csv", twice_each(COURSES), processor="courses", forceupdate=1)
    assert sum(fetched) < 5 * 2 * COURSES
