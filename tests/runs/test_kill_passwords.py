"""`kill -9` of the process of a run while others hash its passwords: they end with it, and the run goes on by itself."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from sync.moodle.users.passwords import verify_password
from tests.moodle_sites import MoodleSite
from tests.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
ROWS = 300
PATIENCE_SECONDS = 100

pytestmark = [
    pytest.mark.slow,
    pytest.mark.mariadb,
    pytest.mark.xdist_group("mariadb:4.5"),
    pytest.mark.skipif(os.cpu_count() == 1, reason="on one core passwords are hashed without further processes"),
]

_QUEUE = """
import sys
from pathlib import Path
from sync.models import MoodleSite
from sync.runs import services
site = MoodleSite.objects.get(slug="main")
file = services.receive_path(site=site, path=Path({path!r}), folder="/users/")
services.queue_run(site=site, processor="users", command_file=file, options={{"storereport": True}})
"""


class Found(NamedTuple):
    """A living process."""

    id: int
    parent: int
    command: str


class ToolSync:
    """A whole ToolSync in processes of its own, with nothing of the tests' own Django. Shape: var: its only folder."""

    def __init__(self, var: Path, moodle: MoodleSite) -> None:
        self.var = var
        self.log = var.parent / "celery.log"
        self._environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "toolsync_site.settings",
            "TOOLSYNC_VAR": str(var),
            "TOOLSYNC_MOODLE_URL": moodle.url,
            # Several chunks, and so much in each that the kill finds the pool at work.
            "TOOLSYNC_CHUNK_ROWS": "100",
            "TOOLSYNC_HEARTBEAT_SECONDS": "1",
            "TOOLSYNC_LEASE_SECONDS": "5",
            "TOOLSYNC_TICK_SECONDS": "3",
        }

    def manage(self, *arguments: str) -> None:
        subprocess.run(
            [sys.executable, "manage.py", *arguments], cwd=ROOT, env=self._environment, check=True, capture_output=True,
            timeout=PATIENCE_SECONDS,
        )  # fmt: skip

    @contextmanager
    def celery(self, *arguments: str) -> Iterator[None]:
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "celery", "-A", "toolsync_site", *arguments], cwd=ROOT, env=self._environment,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        try:
            yield
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def run(self) -> tuple[str, int, dict[str, int]]:
        """Return state, rows done and counts of the only run; its plan is none."""
        with closing(sqlite3.connect(f"file:{self.var / 'toolsync.sqlite3'}?mode=ro", uri=True)) as database:
            ((state, rows_done, counts),) = database.execute(
                "SELECT state, rows_done, counts FROM sync_syncrun WHERE origin != 'plan'"
            )
        return state, rows_done, json.loads(counts)

    def hashing(self) -> list[Found]:
        """Return the processes that hash, and those that start and clean up after them."""
        return [found for found in self._processes() if "multiprocessing" in found.command]

    def is_hashing(self) -> bool:
        """Tell whether there is a process that hashes: it has another of them, which has forked it, as its parent."""
        found = self.hashing()
        return bool({process.id for process in found} & {process.parent for process in found})

    def _processes(self) -> Iterator[Found]:
        for entry in Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and str(self.var) in (entry / "environ").read_text(errors="replace"):
                    parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                    yield Found(int(entry.name), parent, (entry / "cmdline").read_text())
            except OSError:
                continue

    def wait_for(self, condition: Callable[[], bool]) -> None:
        wait_until(
            condition, PATIENCE_SECONDS, lambda: f"{self.run()} {self.hashing()}\n{self.log.read_text()[-3000:]}"
        )


@pytest.fixture
def moodle(site_of: Callable[[str, str], MoodleSite]) -> Iterator[MoodleSite]:
    site = site_of("mariadb", "4.5")
    yield site
    site.restore_template()


def test_hashing_processes_end_with_their_run_and_its_passwords_verify_in_the_end(
    moodle: MoodleSite, tmp_path: Path
) -> None:
    clears = {f"kim{n:03}": f"Kx7#secret-{n}" for n in range(ROWS)}
    file = tmp_path / "in.csv"
    file.write_text(
        "username;firstname;lastname;email;password\n"
        + "".join(f"{name};Kim;Lee;{name}@x.org;{clear}\n" for name, clear in clears.items())
    )
    toolsync = ToolSync(tmp_path / "var", moodle)
    toolsync.manage("migrate", "--verbosity=0")

    with ExitStack() as stack:
        stack.enter_context(toolsync.celery("beat", "--pidfile=", "--loglevel=WARNING"))
        stack.enter_context(toolsync.celery("worker", "--concurrency=1", "--loglevel=WARNING"))
        toolsync.manage("shell", "-c", _QUEUE.format(path=str(file)))
        toolsync.wait_for(toolsync.is_hashing)
        first = toolsync.hashing()
        (victim,) = {found.parent for found in first} - {found.id for found in first}
        os.kill(victim, signal.SIGKILL)
        assert toolsync.run()[:2] < ("running", ROWS)
        orphans = {found.id for found in first}
        toolsync.wait_for(lambda: not orphans & {found.id for found in toolsync.hashing()})
        toolsync.wait_for(lambda: toolsync.run()[0] not in ("queued", "running"))
        # The server that forks them stays with Celery's child, which goes on living.
        toolsync.wait_for(lambda: not toolsync.is_hashing())

    assert toolsync.run() == ("completed", ROWS, {"created": ROWS})
    stored = {row["username"]: row["password"] for row in moodle.rows("user", lastname="Lee")}
    assert stored.keys() == clears.keys()
    assert [name for name, clear in clears.items() if not verify_password(clear, stored[name])] == []
    assert moodle.rows("config_plugins", plugin="toolsync") == []
    assert len(list((toolsync.var / "files").rglob("*report*in.txt"))) == 1
    assert "daemonic processes are not allowed" not in toolsync.log.read_text()
