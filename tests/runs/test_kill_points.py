"""`kill -9` at a few points of a run on each server; `make soak` tries many, of undos, held runs and bundles as well."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection
from pytest_django import Settings

from tests.kill_lives import LIVES
from tests.kill_points import Point
from tests.moodle_sites import MoodleSite

SHARES = (0.13, 0.42, 0.71, 0.97)


@pytest.mark.usefixtures("transactional_db")
@pytest.mark.parametrize(
    "site",
    [
        pytest.param(
            (engine, version), marks=[getattr(pytest.mark, engine), pytest.mark.xdist_group(f"{engine}:{version}")]
        )
        for engine, version in (("mariadb", "4.5"), ("postgresql", "5.1"))
    ],
    ids=["mariadb", "postgresql"],
)
def test_a_run_that_is_killed_anywhere_ends_like_an_undisturbed_one(
    site: tuple[str, str], site_of: Callable[[str, str], MoodleSite], settings: Settings, tmp_path: Path
) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("the database of our own is put back as a file")
    with LIVES["users"].set_up(site_of(*site), settings, tmp_path) as lives:
        points = [Point(step=int(share * lives.undisturbed.steps)) for share in SHARES]
        assert [lives.try_point(point) for point in points] == [1] * len(points)
