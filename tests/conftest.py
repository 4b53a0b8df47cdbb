"""Fixtures that many tests share: private servers, and Moodle databases on them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from sync.moodle.schemas import VERSIONS
from tests.moodle_sites import MoodleSite, add_base, build_site
from tests.real_sites import load_dump, needs_moodle_data, real_site
from tests.servers import MariaDB, PostgreSQL, Redis

__all__ = ["real_site"]

ENGINES = ("sqlite", "mariadb", "postgresql")
REAL_SITES = ("m41-seeded", "m45-seeded", "m51-seeded", "m45pg-seeded")

_SiteOf = Callable[[str, str], MoodleSite]


@pytest.fixture(scope="session")
def servers_folder() -> Iterator[Path]:
    """A folder of our own: pytest closes its own to other accounts, and PostgreSQL doesn't run as root."""
    folder = Path(tempfile.mkdtemp(prefix="toolsync-servers-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def mariadb_server(servers_folder: Path) -> Iterator[MariaDB]:
    server = MariaDB(servers_folder / "mariadb")
    yield server
    server.stop()


@pytest.fixture(scope="session")
def postgresql_server(servers_folder: Path) -> Iterator[PostgreSQL]:
    server = PostgreSQL(servers_folder / "postgresql")
    yield server
    server.stop()


@pytest.fixture(scope="session")
def redis_server(servers_folder: Path) -> Iterator[Redis]:
    server = Redis(servers_folder / "redis")
    yield server
    server.stop()


@pytest.fixture(scope="session")
def site_of(request: pytest.FixtureRequest, servers_folder: Path) -> _SiteOf:
    """Give the Moodle of an engine and version; made at first use, one for the whole session."""
    made: dict[tuple[str, str], MoodleSite] = {}

    def site_of(engine: str, version: str) -> MoodleSite:
        if (engine, version) not in made and engine == "real":
            kind = "postgresql" if version.startswith("m45pg") else "mariadb"
            site = load_dump(request.getfixturevalue(f"{kind}_server"), version, f"{version}-based")
            add_base(site)
            site.keep_as_template()
            made[(engine, version)] = site
        elif (engine, version) not in made:
            name = f"moodle{version.replace('.', '')}"
            if engine == "sqlite":
                url = f"sqlite:///{servers_folder / name}.sqlite3"
            else:
                url = request.getfixturevalue(f"{engine}_server").create_database(name)
            made[(engine, version)] = build_site(url, engine, version)
        return made[(engine, version)]

    return site_of


def _site_params() -> list[ParameterSet]:
    """Every kind of Moodle. A group each, so that of several pytest workers only one makes a site."""
    made = [f"{engine}:{version}" for engine in ENGINES for version in VERSIONS]
    real = [f"real:{name}" for name in REAL_SITES]
    return [
        *(pytest.param(name, marks=pytest.mark.xdist_group(name)) for name in made),
        *(pytest.param(name, marks=[*needs_moodle_data, pytest.mark.xdist_group(name)]) for name in real),
    ]


@pytest.fixture(params=_site_params())
def moodle_site(request: pytest.FixtureRequest, site_of: _SiteOf) -> Iterator[MoodleSite]:
    """A Moodle with the base of the acceptance examples, on every server and version, and on real sites where they are.

    It is restored after the test.
    """
    site = site_of(*request.param.split(":"))
    yield site
    site.restore_template()


@pytest.fixture
def sqlite_site(site_of: _SiteOf) -> Iterator[MoodleSite]:
    """The same on SQLite with the schema of 4.5 only, for what doesn't depend on the server."""
    site = site_of("sqlite", "4.5")
    yield site
    site.restore_template()
