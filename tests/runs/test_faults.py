"""Servers that die in the middle of a run and come back: the run goes on by itself, and nothing is applied twice.

A whole ToolSync of its own stands here: its database, Moodle's, broker, storage, a worker and beat, all real.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from django.conf import settings as project_settings

from sync.models import RunState
from tests.moodle_sites import MoodleSite, build_site
from tests.servers import MariaDB, Redis, Server

ROOT = Path(__file__).resolve().parents[2]
ROWS = 6_000
CHUNK_ROWS = 200
AWAY_SECONDS = 3
PATIENCE_SECONDS = 120

pytestmark = [pytest.mark.slow, pytest.mark.mariadb, pytest.mark.xdist_group("faults")]

QUEUE = """
from pathlib import Path
from sync.models import MoodleSite
from sync.runs import services
site = MoodleSite.objects.get(slug="main")
kept = services.receive_path(site=site, path=Path({path!r}), folder="/faults/")
print(services.queue_run(site=site, processor="users", command_file=kept, options={{"storereport": 1}}).pk)
"""


class WholeToolSync:
    """ToolSync with servers of its own, each of which can be killed. Shape: folder: a new one, for all of it"""

    def __init__(self, folder: Path) -> None:
        self.own = MariaDB(folder / "own")
        self.moodles = MariaDB(folder / "moodles")
        self.redis = Redis(folder / "redis")
        self.files = folder / "files"
        own_url = self.own.create_database("toolsync")
        self.engine = sa.create_engine(own_url.replace("mysql:", "mysql+mysqldb:"), poolclass=sa.NullPool)
        self.moodle: MoodleSite = build_site(self.moodles.create_database("moodle"), "mariadb", "4.5")
        self._log = folder / "celery.log"
        self._folder = folder
        self._processes: list[subprocess.Popen[bytes]] = []
        self._environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "toolsync_site.settings",
            "SECRET_KEY": project_settings.SECRET_KEY,
            "DATABASE_URL": own_url,
            "CELERY_BROKER_URL": self.redis.url,
            "TOOLSYNC_VAR": str(folder / "var"),
            "TOOLSYNC_STORAGE": self.files.as_uri(),
            "TOOLSYNC_MOODLE_URL": self.moodle.url,
            "TOOLSYNC_CHUNK_ROWS": str(CHUNK_ROWS),
            "TOOLSYNC_HEARTBEAT_SECONDS": "1",
            "TOOLSYNC_LEASE_SECONDS": "5",
        }
        (folder / "var").mkdir()
        self.manage("migrate", "--verbosity=0")

    def manage(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments], cwd=ROOT, env=self._environment, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self, *arguments: str) -> None:
        with self._log.open("ab") as log:
            self._processes.append(subprocess.Popen(
                [sys.executable, "-m", "celery", "-A", "toolsync_site", *arguments], cwd=ROOT, env=self._environment,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            ))  # fmt: skip

    def stop(self) -> None:
        for process in self._processes:
            process.kill()
            process.wait()
        for server in (self.own, self.moodles, self.redis):
            server.stop()

    def queue(self, prefix: str) -> int:
        """Ask for a run that makes accounts, whose names begin alike."""
        path = self._folder / f"{prefix}.csv"
        rows = (f"{prefix}{n:05},Kim,Nr {n},{prefix}{n}@x.org\n" for n in range(ROWS))
        path.write_text("username,firstname,lastname,email\n" + "".join(rows))
        return int(self.manage("shell", "--verbosity=0", "-c", QUEUE.format(path=str(path))).split()[-1])

    def run(self, run: int) -> dict[str, Any]:
        with self.engine.connect() as connection:
            return dict(
                connection.execute(sa.text("SELECT * FROM sync_syncrun WHERE id = :id"), {"id": run}).mappings().one()
            )

    def wait_for(self, run: int, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not condition(found := self.run(run)):
            assert time.monotonic() < deadline, (
                f"{found['state']} after {found['rows_done']}\n{self._log.read_text()[-4000:]}"
            )
            time.sleep(0.05)
        return found

    def accounts(self, prefix: str) -> int:
        with self.moodle.engine.connect() as connection:
            count = f"SELECT COUNT(*) FROM {self.moodle.prefix}user WHERE username LIKE '{prefix}%'"
            return int(connection.execute(sa.text(count)).scalar_one())


@pytest.fixture(scope="module")
def whole(servers_folder: Path) -> Iterator[WholeToolSync]:
    folder = servers_folder / "faults"
    folder.mkdir()
    whole = WholeToolSync(folder)
    try:
        whole.start("worker", "--concurrency=1", "--loglevel=WARNING")
        whole.start("beat", "--pidfile=", "--loglevel=WARNING")
        yield whole
    finally:
        whole.stop()


def _kill_and_start(server: Server) -> None:
    assert server._process is not None
    server._process.kill()
    server._process.wait()
    server._process = None
    time.sleep(AWAY_SECONDS)
    server.start()


def _take_away_and_bring_back(folder: Path) -> None:
    """As if its disk were gone: a plain file is in its place, so that nobody makes the folder anew."""
    away = folder.rename(folder.with_name("away"))
    folder.touch()
    time.sleep(AWAY_SECONDS)
    folder.unlink()
    away.rename(folder)


@pytest.mark.parametrize("what", ["own", "moodles", "redis", "files"])
def test_what_dies_and_comes_back_costs_a_run_nothing(whole: WholeToolSync, what: str) -> None:
    run = whole.queue(what)
    whole.wait_for(run, lambda found: found["rows_done"] >= ROWS // 6)

    if what == "files":
        _take_away_and_bring_back(whole.files)
    else:
        _kill_and_start(getattr(whole, what))

    ended = whole.wait_for(run, lambda found: found["finished_at"] is not None)
    assert (ended["state"], ended["rows_done"]) == (RunState.COMPLETED, ROWS)
    assert ended["counts"] == f'{{"created": {ROWS}}}'
    assert whole.accounts(what) == ROWS
    assert whole.moodle.rows("config_plugins", plugin="toolsync") == []
    # The lease is free: the next run is carried out at once.
    after = whole.queue(f"{what}after")
    assert whole.wait_for(after, lambda found: found["finished_at"] is not None)["state"] == RunState.COMPLETED
