"""Servers that keep what they commit, ToolSyncs joined to them, and the table of figures. For bench/ and soak/."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.bench.figures import Line, as_markdown
from tests.bench.kit import ToolSync
from tests.moodle_sites import MoodleSite
from tests.servers import MariaDB, PostgreSQL

ToolSyncOn = Callable[[str], ToolSync]
LINES = pytest.StashKey[list[Line]]()


@pytest.fixture(scope="session")
def mariadb_server(servers_folder: Path) -> Iterator[MariaDB]:
    """In place of the quicker one of the tests."""
    server = MariaDB(servers_folder / "mariadb", durable=True)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def postgresql_server(servers_folder: Path) -> Iterator[PostgreSQL]:
    """In place of the quicker one of the tests."""
    server = PostgreSQL(servers_folder / "postgresql", durable=True)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def toolsync_on(
    site_of: Callable[[str, str], MoodleSite], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ToolSyncOn]:
    """Return the ToolSync that feeds a Moodle 4.5 on "mariadb" or "postgresql"; one for the whole session."""
    made: dict[str, ToolSync] = {}

    def toolsync_on(server: str) -> ToolSync:
        if server not in made:
            made[server] = ToolSync(site_of(server, "4.5"), tmp_path_factory.mktemp(f"toolsync-{server}"))
        return made[server]

    yield toolsync_on
    for toolsync in made.values():
        toolsync.site.engine.dispose()


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> list[Line]:
    """The lines of the table; what a test appends is shown at the end."""
    return request.config.stash.setdefault(LINES, [])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Show the table; BENCH_OUT names a file that gets it too."""
    lines = config.stash.get(LINES, [])
    if not lines:
        return
    table = as_markdown(lines)
    terminalreporter.section("figures")
    terminalreporter.write(table)
    if path := os.environ.get("BENCH_OUT"):
        Path(path).write_text(table)
