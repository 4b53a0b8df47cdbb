"""`kill -9` at random points of planning, holding, preparing, applying, undoing and finalising: all ends as if nothing had been.

Shape: SOAK_KILL_POINTS: how many points in all; SOAK_KILL_SEED: of their choice; SOAK_LIVES: the lives, all of them if it isn't
set. A point that failed is tried again with the seed that is printed.
"""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection
from pytest_django import Settings

from tests.kill_lives import LIVES
from tests.kill_points import random_points
from tests.moodle_sites import MoodleSite

POINTS = int(os.environ.get("SOAK_KILL_POINTS", "40"))
SEED = int(os.environ.get("SOAK_KILL_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
NAMES = os.environ.get("SOAK_LIVES", ",".join(LIVES)).split(",")
SITES = (("mariadb", "4.5"), ("postgresql", "5.1"))


@pytest.mark.usefixtures("transactional_db")
@pytest.mark.parametrize("site", SITES, ids=[engine for engine, _version in SITES])
@pytest.mark.parametrize("name", NAMES)
def test_a_life_that_is_killed_anywhere_ends_like_an_undisturbed_one(
    name: str, site: tuple[str, str], site_of: Callable[[str, str], MoodleSite], settings: Settings, tmp_path: Path
) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("the database of our own is put back as a file")
    with LIVES[name].set_up(site_of(*site), settings, tmp_path) as lives:
        points = max(1, POINTS // (len(NAMES) * len(SITES)))
        killed = 0
        for number in range(points):
            seed = f"{SEED}-{site[0]}-{name}-{number}"
            chosen = random_points(random.Random(seed), lives.undisturbed)
            sys.stdout.write(f"{seed}: {chosen}\n")
            killed += lives.try_point(*chosen)
        sys.stdout.write(f"{site[0]}, {name}: {lives.undisturbed.steps} steps, {points} points, {killed} kills\n")
        assert killed
