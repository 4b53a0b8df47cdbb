"""Whatever a file says: where chunks end makes no difference, a simulation tells what a run does, and Moodle stays sound.

Small here; `make soak` has many more.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from sync.moodle.integrity.check import IntegrityFinding
from tests.moodle_sites import build_site
from tests.processors.random_files import FILES, RandomFile, furnish, state_of
from tests.soundness import assert_sound, faults_of
from tests.support import MoodleSite, RunResult, run_file

EXAMPLES, EXAMPLES_OF_THE_MATRIX = 2, 30
SIZES = (5000, 7, 2, 1)
# A moment, or the id that Moodle gave to what the file itself has made: how many were given before depends on the chunks.
_MOMENT = re.compile(r"\b\d{10}\b|(?<='id': )\d+")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MoodleSite]:
    path: Path = tmp_path_factory.mktemp("random") / "moodle.sqlite3"
    site = build_site(f"sqlite:///{path}", "sqlite", "4.5")
    furnish(site)
    site.keep_as_template()
    yield site
    site.engine.dispose()


def told(result: RunResult) -> list[tuple[Any, ...]]:
    """Return what is told of each row, without moments (the name of a deleted user ends with one) and ids."""
    return [
        (
            o.line,
            o.action.value,
            o.code,
            o.subject,
            *(_MOMENT.sub("<now>", repr(each)) for each in (o.changes, o.notes)),
        )
        for o in result.outcomes
    ]


def carry_out(site: MoodleSite, file: RandomFile, **how: Any) -> RunResult:
    return run_file(site, file.key, file.text, **file.options, **how)


def assert_agreement(site: MoodleSite, file: RandomFile, faults: Collection[IntegrityFinding]) -> None:
    """Simulate and carry out a file in chunks of all sizes, from the same beginning. Shape: faults: those there are anyway"""
    site.restore_template()
    before = site.snapshot()
    foretold = {size: told(carry_out(site, file, simulate=True, chunk_rows=size)) for size in (5000, 1)}
    assert site.diff(before, site.snapshot()) == {}
    done: dict[int, list[tuple[Any, ...]]] = {}
    left: dict[int, dict[str, list[tuple[Any, ...]]]] = {}
    for size in sorted(SIZES, key=lambda size: size < len(file.rows)):
        if size > len(file.rows) and done:
            # As many rows at a time as with the first.
            continue
        site.restore_template()
        done[size] = told(carry_out(site, file, chunk_rows=size))
        left[size] = state_of(site)
        if size == max(done):
            assert_sound(site, but=faults)

    whole = max(done)
    for size, state in left.items():
        assert {table: rows for table, rows in state.items() if rows != left[whole][table]} == {}, f"chunks of {size}"
    assert [_differing(done[whole], rows) for rows in done.values()] == [[] for _rows in done]
    if file.key == "courses_reset" and len({row[0] for row in file.rows}) < len(file.rows):
        # A simulation counts what is there; it doesn't know what an earlier line has taken out of the course.
        return
    assert [row[:3] for row in foretold[5000]] == [row[:3] for row in done[whole]]
    assert [row[:3] for row in foretold[1]] == [row[:3] for row in done[whole]]


def _differing(some: list[tuple[Any, ...]], others: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Return what two runs tell differently: of one row, one time and the other."""
    return [pair for pair in zip(some, others, strict=True) if pair[0] != pair[1]]


def check_files(site: MoodleSite, kind: str, examples: int) -> None:
    """Make files of a kind, always the same ones, and hold them to what they promise."""

    # Making a bad file smaller would take minutes.
    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(file=FILES[kind])
    def agree(file: RandomFile) -> None:
        assert_agreement(site, file, faults)

    site.restore_template()
    faults = faults_of(site)
    agree()


@pytest.mark.parametrize("kind", FILES)
def test_chunks_make_no_difference_and_simulations_tell_the_truth(
    site: MoodleSite, kind: str, request: pytest.FixtureRequest
) -> None:
    is_matrix = request.config.getoption("every_site")
    check_files(site, kind, EXAMPLES_OF_THE_MATRIX if is_matrix else EXAMPLES)
