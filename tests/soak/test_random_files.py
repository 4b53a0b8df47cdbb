"""Many files that nobody would write: chunks make no difference to any, and simulations tell the truth."""

from __future__ import annotations

import pytest

from tests.moodle_sites import MoodleSite
from tests.processors.random_files import FILES
from tests.processors.test_random_files import check_files, site

__all__ = ["site"]

EXAMPLES = 150


@pytest.mark.parametrize("kind", FILES)
def test_chunks_make_no_difference_and_simulations_tell_the_truth(site: MoodleSite, kind: str) -> None:
    check_files(site, kind, EXAMPLES)
