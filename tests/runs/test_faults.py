"""Servers that die in the middle of a run and come back: the run goes on by itself, and nothing is applied twice.

A whole ToolSync of its own stands here: its database, Moodle's, broker, storage, a worker and beat, all real.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from django.conf import settings as project_settings

from sync.models import RunState
from tests.moodle_sites import MoodleSite, build_site
from tests.pictures import blobs, data_folder, picture, zip_of
from tests.servers import MariaDB, Redis, Server
from tests.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
ROWS = 6_000
CHUNK_ROWS = 200
PICTURES, CHUNK_OF_PICTURES = 400, 100
AWAY_SECONDS = 3
EVERY_SECONDS = 2
PATIENCE_SECONDS = 120

pytestmark = [pytest.mark.slow, pytest.mark.mariadb, pytest.mark.xdist_group("faults")]

QUEUE = """
from pathlib import Path
from sync.models import MoodleSite
from sync.runs import services
site = MoodleSite.objects.get(slug="main")
kept = services.receive_path(site=site, path=Path({path!r}), folder="/faults/")
print(services.queue_run(site=site, processor={processor!r}, command_file=kept, options={{"storereport": 1}}).pk)
"""


SCHEDULE = """
from sync.models import MoodleSite
from sync.schedules.services import ScheduleChoice, save_schedule
choice = ScheduleChoice(["users"], kind="every", every_seconds={seconds}, enabled=True)
print(save_schedule(MoodleSite.objects.get(slug="main"), choice).pk)
"""


UNSCHEDULE = """
from sync.models import Schedule
from sync.schedules.services import delete_schedule
delete_schedule(Schedule.objects.get(pk={schedule}))
"""


class WholeToolSync:
    """ToolSync with servers of its own, each of which can be killed. Shape: folder: a new one, for all of it"""

    def __init__(self, folder: Path) -> None:
        self.own = MariaDB(folder / "own")
        self.moodles = MariaDB(folder / "moodles")
        self.redis = Redis(folder / "redis")
        self.files = folder / "files"
        self.data = data_folder(folder / "moodledata")
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
            "TOOLSYNC_MOODLE_DATAROOT": str(self.data),
            "TOOLSYNC_CHUNK_ROWS": str(CHUNK_ROWS),
            "TOOLSYNC_HEARTBEAT_SECONDS": "1",
            "TOOLSYNC_LEASE_SECONDS": "5",
            "TOOLSYNC_TICK_SECONDS": "3",
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
            _kill_group(process)
        for server in (self.own, self.moodles, self.redis):
            server.stop()

    def start_worker(self) -> None:
        self.start("worker", "--concurrency=1", "--loglevel=WARNING")
        self._worker = self._processes[-1]

    def kill_worker_and_start(self) -> None:
        """kill -9 of the worker and of its children: what it had of the broker stays unacknowledged."""
        self._processes.remove(self._worker)
        _kill_group(self._worker)
        self.start_worker()

    def queue(self, prefix: str, rows: int = ROWS) -> int:
        """Ask for a run that makes users, whose names begin alike."""
        path = self._folder / f"{prefix}.csv"
        lines = (f"{prefix}{n:05},Kim,Nr {n},{prefix}{n}@x.org\n" for n in range(rows))
        path.write_text("username,firstname,lastname,email\n" + "".join(lines))
        return self._queue("users", path)

    def queue_pictures(self, prefix: str, count: int) -> int:
        """Ask for a run that gives pictures to users."""
        path = self._folder / f"userpictures_{prefix}.zip"
        path.write_bytes(
            zip_of({f"{prefix}{n:05}.png": picture(300, 200, colour=(n % 256, n // 256, 9)) for n in range(count)})
        )
        return self._queue("userpictures", path)

    def _queue(self, processor: str, path: Path) -> int:
        script = QUEUE.format(path=str(path), processor=processor)
        return int(self.manage("shell", "--verbosity=0", "-c", script).split()[-1])

    def run(self, run: int) -> dict[str, Any]:
        with self.engine.connect() as connection:
            return dict(
                connection.execute(sa.text("SELECT * FROM sync_syncrun WHERE id = :id"), {"id": run}).mappings().one()
            )

    def wait_for(self, run: int, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        found: dict[str, Any] = {}

        def holds() -> bool:
            found.update(self.run(run))
            return condition(found)

        wait_until(
            holds,
            PATIENCE_SECONDS,
            lambda: f"{found['state']} after {found['rows_done']}\n{self._log.read_text()[-4000:]}",
        )
        return found

    def starts(self, schedule: int) -> list[tuple[datetime, datetime]]:
        """Return when the starts of a schedule that are over were, and from when its interval is counted."""
        asked = (
            "SELECT r.created_at, s.anchor_at FROM sync_sequencerun r JOIN sync_schedule s ON s.id = r.schedule_id"
            " WHERE s.id = :id AND r.finished_at IS NOT NULL ORDER BY r.id"
        )
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(sa.text(asked), {"id": schedule})]

    def wait_for_starts(self, schedule: int, count: int) -> list[tuple[datetime, datetime]]:
        wait_until(
            lambda: len(self.starts(schedule)) >= count,
            PATIENCE_SECONDS,
            lambda: f"{self.starts(schedule)}\n{self._log.read_text()[-4000:]}",
        )
        return self.starts(schedule)

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
        whole.start_worker()
        whole.start("beat", "--pidfile=", "--loglevel=WARNING")
        yield whole
    finally:
        whole.stop()


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


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


@pytest.mark.parametrize("what", ["own", "moodles", "redis", "files", "worker"])
def test_what_dies_and_comes_back_costs_a_run_nothing(whole: WholeToolSync, what: str) -> None:
    run = whole.queue(what)
    whole.wait_for(run, lambda found: found["rows_done"] >= ROWS // 6)

    if what == "files":
        _take_away_and_bring_back(whole.files)
    elif what == "worker":
        whole.kill_worker_and_start()
    else:
        _kill_and_start(getattr(whole, what))

    ended = whole.wait_for(run, lambda found: found["finished_at"] is not None)
    assert (ended["state"], ended["rows_done"], ended["error_code"]) == (RunState.COMPLETED, ROWS, "")
    assert ended["counts"] == f'{{"created": {ROWS}}}'
    assert whole.accounts(what) == ROWS
    assert whole.moodle.rows("config_plugins", plugin="toolsync") == []
    # The lease is free: the next run is carried out at once.
    after = whole.queue(f"{what}after")
    assert whole.wait_for(after, lambda found: found["finished_at"] is not None)["state"] == RunState.COMPLETED


@pytest.mark.parametrize("what", ["redis", "own"])
def test_a_schedule_keeps_its_pace(whole: WholeToolSync, what: str) -> None:
    schedule = int(whole.manage("shell", "--verbosity=0", "-c", SCHEDULE.format(seconds=EVERY_SECONDS)).split()[-1])
    whole.wait_for_starts(schedule, 1)

    _kill_and_start(getattr(whole, what))

    # The first may be made up for, at any moment after its time; the next ones are beat's, which has lost its connection too.
    starts = whole.wait_for_starts(schedule, len(whole.starts(schedule)) + 3)
    whole.manage("shell", "--verbosity=0", "-c", UNSCHEDULE.format(schedule=schedule))
    places = [(start - anchor).total_seconds() / EVERY_SECONDS for start, anchor in starts]
    assert places == sorted(places)
    assert all(int(later) > int(earlier) >= 1 for earlier, later in pairwise(places[-2:])), places


def test_a_data_folder_of_moodle_that_goes_away_and_comes_back_costs_pictures_nothing(whole: WholeToolSync) -> None:
    whole.wait_for(whole.queue("face", PICTURES), lambda found: found["finished_at"] is not None)
    run = whole.queue_pictures("face", PICTURES)
    whole.wait_for(run, lambda found: found["rows_done"] >= CHUNK_OF_PICTURES)

    filedir = whole.data / "filedir"
    filedir.rename(whole.data / "away")
    whole.wait_for(run, lambda found: found["waiting_since"] is not None)
    assert not filedir.exists()
    (whole.data / "away").rename(filedir)

    ended = whole.wait_for(run, lambda found: found["finished_at"] is not None)
    assert (ended["state"], ended["counts"]) == (RunState.COMPLETED, f'{{"updated": {PICTURES}}}')
    icons = {row["id"]: row for row in whole.moodle.rows("files", component="user", filearea="icon")}
    shown = [row["picture"] for row in whole.moodle.rows("user") if row["username"].startswith("face")]
    assert len(icons) == 4 * PICTURES
    assert {icons[fileid]["filename"] for fileid in shown} == {"f1.png"}
    assert len(set(shown)) == PICTURES
    assert blobs(whole.data).keys() == {row["contenthash"] for row in icons.values()}
