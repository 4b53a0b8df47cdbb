"""Fixtures of the cases: a real Moodle 4.5 with an installation, and the cases by their numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from tests.installation import Installation
from tests.installation_fixture import install
from tests.moodle_sites import MoodleSite
from tests.real_files.case import RealCase, read_case, real_files
from tests.real_sites import load_dump

REAL_CASE_SITES = ("m45-seeded", "m45pg-seeded")

ReadCase = Callable[[str], RealCase]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run every test that takes a case on MariaDB and on PostgreSQL; a mark names one server where only one matters."""
    if "case_site" not in metafunc.fixturenames:
        return
    marks = {mark.name for mark in metafunc.definition.iter_markers()}
    names = [name for name in REAL_CASE_SITES if _server_of(name) in marks or not marks & {"mariadb", "postgresql"}]
    metafunc.parametrize(
        "case_site",
        [pytest.param(name, marks=pytest.mark.xdist_group(f"cases-{name}")) for name in names],
        indirect=True,
    )


def _server_of(name: str) -> str:
    return "postgresql" if name.startswith("m45pg") else "mariadb"


@pytest.fixture
def case_site(request: pytest.FixtureRequest) -> Iterator[MoodleSite]:
    """The seeded Moodle 4.5 of the cases, put back after each test."""
    if not real_files().is_dir():
        pytest.skip(f"no cases in {real_files()} (TOOLSYNC_MOODLE_DATA)")
    server = request.getfixturevalue(f"{_server_of(request.param)}_server")
    site = load_dump(server, request.param, f"{request.param}-cases")
    yield site
    site.restore_template()


@pytest.fixture
def real_case(transactional_db: None, settings: Settings, case_site: MoodleSite, tmp_path: Path) -> ReadCase:
    """Return a case by its number: `real_case("017").run_all()`."""
    dataroot = tmp_path / "moodledata"
    (dataroot / "filedir").mkdir(parents=True)
    settings.TOOLSYNC_MOODLE_DATAROOT = str(dataroot)
    installation: Installation = install(settings, case_site, tmp_path)
    return lambda number: read_case(number, installation)
