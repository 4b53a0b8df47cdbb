"""Whatever a file says: the size of the chunks makes no difference, a simulation tells what a run does, and Moodle stays sound.

Small here; `make soak` has many more.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from sync.moodle.integrity.check import Finding
from tests.moodle_sites import build_site
from tests.processors.random_files import FILES, RandomFile, furnish, state_of
from tests.soundness import assert_sound, faults_of
from tests.support import MoodleSite, RunResult, run_file

EXAMPLES = 5


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MoodleSite]:
    path: Path = tmp_path_factory.mktemp("random") / "moodle.sqlite3"
    site = build_site(f"sqlite:///{path}", "sqlite", "4.5")
    furnish(site)
    site.keep_as_template()
    yield site
    site.engine.dispose()


def told(result: RunResult) -> list[tuple[int, str, str]]:
    return [(outcome.line, outcome.action.value, outcome.code) for outcome in result.outcomes]


def carry_out(site: MoodleSite, file: RandomFile, **how: object) -> RunResult:
    return run_file(site, file.key, file.text, **file.options, **how)


def assert_agreement(site: MoodleSite, file: RandomFile, faults: Collection[Finding]) -> None:
    """Simulate and carry out a file, whole and row by row, from the same beginning. Shape: faults: those there are anyway"""
    site.restore_template()
    before = site.snapshot()
    foretold = told(carry_out(site, file, simulate=True))
    foretold_by_row = told(carry_out(site, file, simulate=True, chunk_rows=1))
    assert site.diff(before, site.snapshot()) == {}
    done = told(carry_out(site, file))
    whole = state_of(site)
    assert_sound(site, but=faults)
    site.restore_template()
    done_by_row = told(carry_out(site, file, chunk_rows=1))
    by_row = state_of(site)

    assert whole == by_row
    assert foretold == done
    assert foretold_by_row == done_by_row
    # One chunk tells of rows that undo each other what is left in the end, hence not all of the outcomes are the same.
    assert [row for row in done if row[1] == "rejected"] == [row for row in done_by_row if row[1] == "rejected"]


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
def test_chunks_make_no_difference_and_simulations_tell_the_truth(site: MoodleSite, kind: str) -> None:
    check_files(site, kind, EXAMPLES)
