"""Fixtures that many tests share: private servers, and Moodle databases on them."""

from __future__ import annotations

import argparse
import gc
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from zlib import crc32

import pytest
from _pytest.mark import ParameterSet
from django.utils import timezone, translation

import sync.tasks  # noqa: F401 - carried out where they are sent by tests that ask for it (task_always_eager)
from sync.moodle.versions import CAPTURED
from tests.moodle_sites import MoodleSite, add_base, build_site
from tests.real_sites import REAL_SITES, load_dump, needs_moodle_data, real_site
from tests.servers import MariaDB, PostgreSQL, Redis

__all__ = ["real_site"]

ENGINES = ("sqlite", "mariadb", "postgresql")
SPOKEN_BYTES = 60
# Of the further sites of each test, one in so many; the matrix meets all sites.
SITES_STEP = 10
EVERY_SITE = [
    *(f"{engine}:{version}" for engine in ENGINES for version in CAPTURED),
    *(f"real:{name}" for name in REAL_SITES),
]

_SiteOf = Callable[[str, str], MoodleSite]


@pytest.fixture(scope="session")
def servers_folder() -> Iterator[Path]:
    """A folder of our own: pytest closes its own to other users, and PostgreSQL doesn't run as root."""
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
    """Return the Moodle of an engine and version; made at first use, one for the whole session."""
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


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--every-site",
        action="store_true",
        help="run each test that takes a Moodle on every server with every version, and on every real site (make matrix)",
    )

    parser.addoption(
        "--pictures",
        action="store_true",
        help="write the pictures of the README anew, into docs/images (make pictures)",
    )

    parser.addoption(
        "--part",
        metavar="K/N",
        type=_part,
        help='run the Kth of N parts of the tests, which together are all of them (make matrix ARGS="--part 1/3")',
    )


def _part(text: str) -> tuple[int, int]:
    number, slash, count = text.partition("/")
    if not (slash and number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count)):
        raise argparse.ArgumentTypeError(f"{text}: write it like 2/3")
    return int(number), int(count)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what belongs to another part. Tests of one site, or of one file, are in the same."""
    if (part := config.getoption("part")) is None:
        return
    number, count = part
    others = [item for item in items if crc32(_home_of(item).encode()) % count != number - 1]
    config.hook.pytest_deselected(items=others)
    left_out = {*others}
    items[:] = [item for item in items if item not in left_out]


def _home_of(item: pytest.Item) -> str:
    group = item.get_closest_marker("xdist_group")
    return str(group.args[0]) if group is not None else item.nodeid.partition("::")[0]


def pytest_collection_finish() -> None:
    """Leave the ten thousand tests themselves alone: with each of its collections Python would walk them all."""
    gc.collect()
    gc.freeze()


def pytest_runtest_teardown() -> None:
    """Leave no language and no time zone to the next test: a request keeps those of its person until the next request."""
    translation.deactivate()
    timezone.deactivate()


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Leave bytes and size of file contents out of names: a zip holds the time it was made, compressed, and every process
    has to collect the same names. pytest numbers those that are alike."""
    return argname if isinstance(val, bytes) and len(val) > SPOKEN_BYTES else None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    definition = metafunc.definition
    has_own = any("moodle_site" in mark.args[0] for mark in definition.iter_markers("parametrize"))
    if "moodle_site" in metafunc.fixturenames and not has_own:
        is_every = metafunc.config.getoption("every_site") or definition.get_closest_marker("every_site") is not None
        names = EVERY_SITE if is_every else _sites_of_a_run(definition)
        metafunc.parametrize("moodle_site", [_site_param(name) for name in names], indirect=True)


def _sites_of_a_run(definition: pytest.Item) -> Sequence[str]:
    """Return the first of the sites that a test names, and of the others one in so many; all of them are in the matrix."""
    first, *others = _written_sites(definition)
    return [first, *(name for name in others if crc32(f"{definition.nodeid} {name}".encode()) % SITES_STEP == 0)]


def _written_sites(definition: pytest.Item) -> Sequence[str]:
    """Return the sites that the mark of a test, or of its module, names."""
    mark = definition.get_closest_marker("sites")
    if mark is None:
        raise pytest.UsageError(
            f'{definition.nodeid}: write its sites: pytestmark = pytest.mark.sites("sqlite:4.5", ...)'
        )
    if unknown := set(mark.args) - {*EVERY_SITE}:
        raise pytest.UsageError(f"{definition.nodeid}: no such sites: {', '.join(sorted(unknown))}")
    return mark.args


def _site_param(name: str) -> ParameterSet:
    # A group each, so that of several pytest workers only one makes a site.
    marks = [pytest.mark.xdist_group(name), *(needs_moodle_data if name.startswith("real:") else [])]
    return pytest.param(name, marks=marks)


@pytest.fixture
def moodle_site(request: pytest.FixtureRequest, site_of: _SiteOf) -> Iterator[MoodleSite]:
    """A Moodle with the base of the acceptance examples: made on each server, and a real site where there is one.

    It is restored after the test. Which sites, the marks `sites` and `every_site` say.
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
