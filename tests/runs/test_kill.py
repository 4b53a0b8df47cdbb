"""`kill -9` of a real worker in the middle of a run: the run goes on by itself, and nothing shows that it was disturbed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
import sqlalchemy as sa
from django.conf import settings as project_settings
from django.db import connection
from pytest_django import Settings

from sync.audit.verify import verify
from sync.models import AuditRecord, RunFile, RunState, SyncRun
from sync.runs.outcome_store import read_rows
from sync.values import Action
from tests.installation import Installation
from tests.moodle_sites import MoodleSite
from tests.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
ROWS = 12_000
CHUNK_ROWS = 1000
# Every so many users have a cohort, a course and a profile field as well.
MEMBERS_EVERY = 10
PATIENCE_SECONDS = 150

pytestmark = [pytest.mark.slow, pytest.mark.mariadb, pytest.mark.xdist_group("mariadb:4.5")]

# What a person would compare, by names instead of ids; moments of writing differ.
CONTENTS = {
    "context": "SELECT u.username, x.contextlevel, x.depth, x.locked, x.path = CONCAT('/1/', x.id) FROM {context} x"
    " JOIN {user} u ON u.id = x.instanceid AND x.contextlevel = 30",
    "user_preferences": "SELECT u.username, p.name, p.value FROM {user_preferences} p JOIN {user} u ON u.id = p.userid",
    "user_info_data": "SELECT u.username, f.shortname, d.data, d.dataformat FROM {user_info_data} d"
    " JOIN {user} u ON u.id = d.userid JOIN {user_info_field} f ON f.id = d.fieldid",
    "cohort_members": "SELECT u.username, c.name, c.contextid FROM {cohort_members} m"
    " JOIN {user} u ON u.id = m.userid JOIN {cohort} c ON c.id = m.cohortid",
    "user_enrolments": "SELECT u.username, e.courseid, e.enrol, ue.status, ue.timeend, ue.modifierid"
    " FROM {user_enrolments} ue JOIN {user} u ON u.id = ue.userid JOIN {enrol} e ON e.id = ue.enrolid",
    "role_assignments": "SELECT u.username, ra.contextid, ra.roleid, ra.component, ra.itemid, ra.modifierid"
    " FROM {role_assignments} ra JOIN {user} u ON u.id = ra.userid",
}
OF_THIS_MOMENT = {"id", "timecreated", "timemodified"}


def command_file() -> str:
    header = "username;firstname;lastname;email;idnumber;city;country;cohort;course1;role1;enrol1;profile_field_dept\n"
    with_memberships, without = "Year 1;C1;student;manual;D1", ";;;;"
    return header + "".join(
        f"kim{n:05};Kim;Nr {n};kim{n}@x.org;K{n};Lyon;FR;{without if n % MEMBERS_EVERY else with_memberships}\n"
        for n in range(ROWS)
    )


def contents_of(site: MoodleSite, more: Mapping[str, str] = MappingProxyType({})) -> dict[str, list[Any]]:
    """Return what a person would compare. Shape: more: further statements by name, or others in place of those for all"""
    names = {name: site.prefix + name for name in site.table_names}
    with site.engine.connect() as connection_to_moodle:
        accounts = connection_to_moodle.execute(sa.text(f"SELECT * FROM {names['user']}")).mappings()
        found = {"user": [[row[name] for name in row if name not in OF_THIS_MOMENT] for row in accounts]}
        for table, statement in {**CONTENTS, **more}.items():
            found[table] = [list(row) for row in connection_to_moodle.execute(sa.text(statement.format(**names)))]
    return {table: sorted(rows, key=repr) for table, rows in found.items()}


class Celery:
    """Starts Celery processes on the database, storage and broker of a test, each in a process group of its own."""

    def __init__(
        self, installation: Installation, moodle: MoodleSite, log: Path, chunk_rows: int, more: Mapping[str, str]
    ) -> None:
        self._log = log
        self._processes: list[subprocess.Popen[bytes]] = []
        self._environment = {
            **os.environ,
            **more,
            "DJANGO_SETTINGS_MODULE": "toolsync_site.settings",
            "DATABASE_URL": f"sqlite:///{connection.settings_dict['NAME']}",
            "SECRET_KEY": project_settings.SECRET_KEY,
            "TOOLSYNC_VAR": str(project_settings.VAR_DIR),
            "TOOLSYNC_STORAGE": installation.folder.as_uri(),
            "TOOLSYNC_MOODLE_URL": moodle.url,
            "TOOLSYNC_CHUNK_ROWS": str(chunk_rows),
            "TOOLSYNC_HEARTBEAT_SECONDS": "1",
            "TOOLSYNC_LEASE_SECONDS": "5",
            "TOOLSYNC_TICK_SECONDS": "3",
        }

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "celery", "-A", "toolsync_site", *arguments], cwd=ROOT, env=self._environment,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        self._processes.append(process)
        return process

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """kill -9 of the worker and of its children."""
        self._processes.remove(process)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def kill_all(self) -> None:
        for process in list(self._processes):
            self.kill(process)

    def words(self) -> str:
        return self._log.read_text()[-3000:]


@contextmanager
def celery(
    installation: Installation, moodle: MoodleSite, log: Path, *, chunk_rows: int = CHUNK_ROWS, **more: str
) -> Iterator[Celery]:
    """Let Celery processes run until the end. Shape: more: settings of theirs, as in the environment"""
    processes = Celery(installation, moodle, log, chunk_rows, more)
    try:
        yield processes
    finally:
        processes.kill_all()


def wait_for(run: SyncRun, condition: Callable[[], bool], processes: Celery) -> None:
    def holds() -> bool:
        run.refresh_from_db()
        return condition()

    wait_until(holds, PATIENCE_SECONDS, lambda: f"{run.state} after {run.rows_done} rows\n{processes.words()}")


@pytest.fixture
def moodle(site_of: Callable[[str, str], MoodleSite]) -> Iterator[MoodleSite]:
    site = site_of("mariadb", "4.5")
    yield site
    site.restore_template()


def test_a_run_whose_worker_is_killed_goes_on_by_itself_and_ends_like_an_undisturbed_one(
    installation: Installation, moodle: MoodleSite, settings: Settings, tmp_path: Path
) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("the workers of this test are joined to the SQLite database of the tests")
    settings.TOOLSYNC_MOODLE_URL = moodle.url
    settings.TOOLSYNC_CHUNK_ROWS = CHUNK_ROWS
    options = {"createpasswords": 1, "storereport": 1}
    with celery(installation, moodle, tmp_path / "celery.log") as processes:
        processes.start("beat", "--pidfile=", "--loglevel=WARNING")
        undisturbed = installation.carry_out("/undisturbed.csv", command_file(), **options)
        assert undisturbed.counts == {"created": ROWS}
        expected = contents_of(moodle)
        moodle.restore_template()

        worker = processes.start("worker", "--concurrency=1", "--loglevel=WARNING")
        run = installation.queue("/killed.csv", command_file(), **options)
        wait_for(run, lambda: run.plan is not None and run.plan.rows_done >= ROWS // 4, processes)
        processes.kill(worker)
        run.refresh_from_db()
        assert run.rows_done == 0, "only planned so far"
        worker = processes.start("worker", "--concurrency=1", "--loglevel=WARNING")
        wait_for(run, lambda: run.rows_done >= ROWS // 4, processes)
        processes.kill(worker)
        run.refresh_from_db()
        assert run.state == RunState.RUNNING
        assert run.rows_done < ROWS
        processes.start("worker", "--concurrency=1", "--loglevel=WARNING")
        wait_for(run, lambda: run.is_over, processes)

    assert (run.state, run.counts, run.rows_done) == (RunState.COMPLETED, {"created": ROWS}, ROWS)
    assert [outcome.line for outcome in read_rows(run)] == list(range(2, ROWS + 2))
    assert {outcome.action for outcome in read_rows(run)} == {Action.CREATED}
    actual = contents_of(moodle)
    for table, rows in expected.items():
        assert len(rows) >= ROWS // MEMBERS_EVERY, table
        assert actual[table] == rows, table
    assert moodle.rows("config_plugins", plugin="toolsync") == []
    assert run.plan is not None
    assert [outcome.line for outcome in read_rows(run.plan)] == list(range(2, ROWS + 2))
    assert sum(AuditRecord.objects.filter(run=run).values_list("entries", flat=True)) == ROWS
    assert verify(run.site).faults == []
    assert run.files.filter(kind=RunFile.Kind.REPORT).count() == 1
    assert len([path for path in installation.area() if path.endswith("report_killed.txt")]) == 1
