"""Lives of runs that are killed with -9 at any point, and what they come to in the end.

A life is carried out by forked processes. One is killed right before the n-th of its steps: a statement or a commit that goes to
Moodle, a statement of our own database, or a change of a file. Another process takes up what it left. At the end everything that
a person could compare is the same as after a life that nobody disturbed.
"""

from __future__ import annotations

import os
import random
import re
import select
import shutil
import signal
import sqlite3
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from sys import addaudithook
from typing import Any, NamedTuple

import sqlalchemy as sa
import time_machine
from django.db import connection, connections
from django.db.backends.signals import connection_created
from pytest_django import Settings

from sync.audit.verify import verify
from sync.commandfiles import storage
from sync.models import (
    AuditRecord,
    Event,
    InsertedRows,
    MoodleSite as OurSite,
    Notification,
    RunFile,
    RunState,
    SyncRun,
)
from sync.models.run import COMPLETED_STATES, WAITING_STATES
from sync.moodle.db.journal import read_images
from sync.notifications.services import RuleChoice, save_rule
from sync.runs import decisions, services
from sync.runs.decisions import removed_by
from sync.runs.lease import dead_runs, waiting_run_ids
from sync.runs.options import run_limits
from sync.runs.outcome_store import read_rows
from sync.runs.rights import OPERATOR
from tests.installation import Installation
from tests.installation_fixture import install
from tests.moodle_sites import MoodleSite, Snapshot

BEGIN = datetime(2026, 3, 2, 9, tzinfo=UTC)
# Each process comes some minutes after the one before it.
LATER = timedelta(minutes=7)
# Fewer than a run is given up after.
MOST_KILLS = 3
PATIENCE_SECONDS = 120
CHUNK_ROWS = 7
# Rows that a life inserts have ids from here on, those of each table in a range of its own.
FIRST_ID, IDS, IDS_OF_A_LIFE = 5_000_000, 1_000_000, 100_000_000
_lives = count()
# What is random by its nature: Moodle's secrets of users, and password hashes.
RANDOM = {("user", "secret"), ("user", "password")}

# A group tells when it got its last member: to whoever gets one in the same second, nothing is changed.
BY_THE_CLOCK = ("groups", "update")
_NUMBER = re.compile(r"\d{7,}")
# Moments as reports and names of files have them, and the folders that files of runs lie in.
_MOMENT = re.compile(
    r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d)?|\d{8}-\d{6}|\d\d:\d\d:\d\d|(?<=/uploads/)\d{4}-\d\d-\d\d/[0-9a-f]{8}(?=/)"
)


class Life(NamedTuple):
    """What is prepared, and then lived through by processes that may be killed.

    Shape: prepare: in which everything before the life is done, and which asks for its first run
    """

    name: str
    prepare: Callable[[Installation], object]
    is_guarded: bool = True

    @contextmanager
    def set_up(self, moodle: MoodleSite, settings: Settings, folder: Path) -> Iterator[KillPoints]:
        """Prepare the life; afterwards Moodle is as it was."""
        settings.TOOLSYNC_GUARD = self.is_guarded
        settings.TOOLSYNC_CHUNK_ROWS = CHUNK_ROWS
        installation = install(settings, moodle, folder)
        settings.TOOLSYNC_RETRY_SECONDS = 60
        with moodle.template_kept():
            yield KillPoints(installation, self, folder)


class Point(NamedTuple):
    """Where a process is killed: before its n-th step, or after so many seconds."""

    step: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Ended:
    """How a process ended. Shape: steps: that it has made; seconds: that it took; killed: whether it was killed"""

    steps: int
    seconds: float
    killed: bool


def live() -> None:
    """Carry out what waits, as workers and people do, until nothing does. Who takes over goes on here from where it stands."""
    while True:
        due = [run.pk for run in dead_runs(run_limits())] + waiting_run_ids()
        for run_id in due:
            services.execute_run(run_id)
        if not due and not _decide():
            return


def _decide() -> bool:
    """Approve what waits, and apply the simulation of an undo; return False when there is nothing to decide."""
    waiting = SyncRun.objects.filter(state__in=WAITING_STATES).first()
    if waiting is not None:
        decisions.approve_run(waiting, OPERATOR, reason="looked at", typed=str(removed_by(waiting.planned_totals)))
        return True
    shown = SyncRun.objects.filter(undoes__isnull=False, simulate=True, state__in=COMPLETED_STATES, application=None)
    plan = shown.exclude(origin=SyncRun.Origin.PLAN).first()
    if plan is None:
        return False
    decisions.apply_plan(plan, OPERATOR, typed=str(removed_by(plan.totals)))
    return True


class _Steps:
    """Counts the steps of this process, and kills it before the one that was asked for."""

    def __init__(self, last: int) -> None:
        self.count = 0
        self._last = last
        self._thread = threading.current_thread()

    def step(self, *_what: object, **_more: object) -> None:
        if threading.current_thread() is not self._thread:
            return
        self.count += 1
        if self.count == self._last:
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(self) -> None:
        sa.event.listen(sa.Engine, "before_cursor_execute", self.step)
        sa.event.listen(sa.Engine, "commit", self.step)
        connection_created.connect(self._watch_own, weak=False)
        addaudithook(self._file_event)

    def _watch_own(self, **more: Any) -> None:
        own: sqlite3.Connection = more["connection"].connection
        own.set_trace_callback(self.step)

    def _file_event(self, event: str, args: tuple[Any, ...]) -> None:
        is_written = (
            event == "open" and len(args) > 2 and isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR)
        )
        if is_written or event in ("os.rename", "os.remove", "os.link", "os.mkdir", "os.rmdir"):
            self.step()


class KillPoints:
    """One Moodle and one ToolSync in which a life is lived again and again from the same beginning."""

    def __init__(self, installation: Installation, life: Life, folder: Path) -> None:
        self._installation = installation
        self._moodle = installation.moodle
        self._folder = folder
        self._processes = 0
        self._log = folder / "processes.log"
        self._prepared: Snapshot = {}
        self._first_id = FIRST_ID + next(_lives) * IDS_OF_A_LIFE
        # Whoever is told of the end of a run is told once.
        save_rule(installation.site, "", RuleChoice({event: ["admin@example.org"] for event in Event}))
        with _at(0):
            life.prepare(installation)
        self._database = Path(connection.settings_dict["NAME"])
        self._keep()
        # Twice: once to learn where it inserts rows, once to see that it is the same again.
        self.undisturbed = self._carry_out()
        self._number_apart()
        self.expected = self._facts()
        self._return()
        self._carry_out()
        self.differences()

    def differences(self) -> None:
        """Compare what is there now with what an undisturbed life came to. Raises: AssertionError"""
        left = SyncRun.objects.exclude(state__in=COMPLETED_STATES)
        assert not left.exists(), (
            f"{list(left.values_list('pk', 'state', 'error_code', 'error_params'))}{self._words()}"
        )
        found = self._facts()
        wrong = {
            name: (_first_difference(self.expected.get(name), found.get(name)))
            for name in {**self.expected, **found}
            if self.expected.get(name) != found.get(name)
        }
        assert not wrong, "\n".join(f"{name}: {words}" for name, words in wrong.items()) + self._words()

    def try_point(self, *points: Point) -> int:
        """Live once more, killed at these points one after the other, then undisturbed; compare. Returns how many took place."""
        self._return()
        kills = 0
        for point in points:
            ended = self._process(point)
            kills += ended.killed
            if not ended.killed:
                break
            SyncRun.objects.filter(state=RunState.RUNNING).update(heartbeat_at=None)
        self._carry_out()
        self.differences()
        return kills

    def _carry_out(self) -> Ended:
        ended = self._process(Point())
        assert not ended.killed, self._words()
        return ended

    def _words(self) -> str:
        return "\n" + self._log.read_text()[-4000:] if self._log.exists() else ""

    def _process(self, point: Point) -> Ended:
        """Live in a forked process until the end or until the point where it is killed."""
        self._processes += 1
        self._let_go()
        told = self._folder / "steps"
        told.unlink(missing_ok=True)
        began = time.monotonic()
        child = os.fork()
        if not child:
            self._be_process(point, told)
        with _waiting_for(child) as end:
            if not select.select([end], [], [], point.seconds or PATIENCE_SECONDS)[0]:
                os.kill(child, signal.SIGKILL)
                assert point.seconds, "a life hangs" + self._words()
        status = os.waitpid(child, 0)[1]
        seconds = time.monotonic() - began
        killed = os.WIFSIGNALED(status)
        assert killed or status == 0, self._words()
        return Ended(int(told.read_text()) if told.exists() else 0, seconds, killed)

    def _be_process(self, point: Point, told: Path) -> None:
        """Never returns, whatever happens: the tests go on in the process that has forked."""
        try:
            log = os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            os.dup2(log, 1)
            os.dup2(log, 2)
            with _at(self._processes):
                steps = _Steps(point.step)
                steps.watch()
                live()
            told.write_text(str(steps.count))
            status = 0
        except BaseException:  # noqa: BLE001 - told to the process that has forked
            with self._log.open("a") as words:
                traceback.print_exc(file=words)
            status = 3
        os._exit(status)

    def _let_go(self) -> None:
        """Close every connection: a process that is forked must not share one with us."""
        self._moodle.engine.dispose()
        connections.close_all()

    # --- back to the beginning ------------------------------------------------------------------------------------------

    def _keep(self) -> None:
        self._moodle.keep_as_template()
        self._prepared = self._moodle.snapshot()
        self._let_go()
        shutil.copyfile(self._database, self._folder / "own.sqlite3")
        shutil.copytree(self._installation.folder, self._folder / "kept")

    def _return(self) -> None:
        self._processes = 0
        self._moodle.restore_template()
        self._let_go()
        for name in ("-wal", "-shm", "-journal"):
            self._database.with_name(self._database.name + name).unlink(missing_ok=True)
        shutil.copyfile(self._folder / "own.sqlite3", self._database)
        shutil.rmtree(self._installation.folder)
        shutil.copytree(self._folder / "kept", self._installation.folder)
        self._log.unlink(missing_ok=True)

    def _number_apart(self) -> None:
        """Live it once more, with ids for the rows it inserts that are those of one table only."""
        tables = [table for table, change in self._changes().items() if change["inserted"]]
        self._return()
        for number, table in enumerate(tables):
            _number_from(self._moodle, table, self._first_id + number * IDS)
        self._carry_out()

    def _changes(self) -> dict[str, dict[str, list[Any]]]:
        return MoodleSite.diff(self._prepared, self._moodle.snapshot())

    # --- what is compared -----------------------------------------------------------------------------------------------

    def _facts(self) -> dict[str, Any]:
        """Return everything that a person could compare, ids and moments by what they mean."""
        changes = self._changes()
        names = {
            row["id"]: f"<{table} {number}>"
            for table, change in changes.items()
            for number, row in enumerate(change["inserted"])
            if row["id"] >= self._first_id
        }
        normal = _Normal(names, self._first_id)
        found: dict[str, Any] = {"marks in Moodle": self._moodle.rows("config_plugins", plugin="toolsync")}
        for table, change in changes.items():
            found[f"table {table}"] = normal.of(
                {kind: [_without_random(table, row) for row in rows] for kind, rows in change.items()}
            )
        for run in SyncRun.objects.order_by("pk"):
            found[f"run {run.pk}"] = normal.of(_facts_of_run(run))
            found[f"outcomes of run {run.pk}"] = [normal.of(tuple(outcome)) for outcome in read_rows(run)]
            found[f"before-images of run {run.pk}"] = normal.of(_images_of(run))
            for file in run.files.all():
                with storage.opened(file.storage_key) as kept:
                    content = kept.read()
                is_tryback = file.kind == RunFile.Kind.TRYBACK
                found[f"{file.kind} of run {run.pk}"] = (
                    content if is_tryback else normal.of(content.decode("utf-8-sig")).splitlines()
                )
        site = OurSite.objects.get(pk=self._installation.site.pk)
        found["lease"] = site.lease_run_id
        # What a writer who was killed has left behind isn't shown, and is swept up (tests/runs/test_left_drafts.py).
        found["files"] = sorted(normal.of(path) for path in self._installation.area() if not path.endswith(".part"))
        found["notifications"] = sorted(Notification.objects.values_list("run", "event", "channel"))
        found["audit"] = dict(Counter(_entries_by_run()))
        found["faults of the audit"] = [str(fault) for fault in verify(site).faults]
        found["noted rows"] = normal.of(
            sorted((r.table, n) for r in InsertedRows.objects.all() for n in range(r.first, r.last + 1, r.step or 1))
        )
        return found


class _Normal:
    """Values with ids and moments by what they mean. Shape: names: id -> name; first_id: of the rows of this life"""

    def __init__(self, names: Mapping[int, str], first_id: int) -> None:
        self._names = names
        self._first_id = first_id

    def of(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self.of(each) for key, each in value.items()}
        if isinstance(value, list | tuple):
            return [self.of(each) for each in value]
        if isinstance(value, int) and not isinstance(value, bool):
            return self._number(value)
        if isinstance(value, str):
            return _NUMBER.sub(lambda found: str(self._number(int(found[0]))), _MOMENT.sub("<moment>", value))
        return value

    def _number(self, number: int) -> int | str:
        if BEGIN.timestamp() <= number < (BEGIN + timedelta(days=1)).timestamp():
            return "<moment>"
        # A row that came and went again.
        return self._names.get(number, "<gone>" if self._first_id <= number < BEGIN.timestamp() else number)


@contextmanager
def _waiting_for(child: int) -> Iterator[int]:
    """Return what can be read once a process is over."""
    end = os.pidfd_open(child)
    try:
        yield end
    finally:
        os.close(end)


@contextmanager
def _at(process: int) -> Iterator[None]:
    with time_machine.travel(BEGIN + process * LATER):
        yield


def _number_from(moodle: MoodleSite, table: str, first: int) -> None:
    if moodle.engine_name == "postgresql":
        moodle.execute(f"SELECT setval(pg_get_serial_sequence('{{{table}}}', 'id'), {first})")
    else:
        moodle.execute(f"ALTER TABLE {{{table}}} AUTO_INCREMENT = {first}")


def _without_random(table: str, row: dict[str, Any]) -> dict[str, Any]:
    if "before" in row:
        return {**row, **{side: _without_random(table, row[side]) for side in ("before", "after")}}
    return {name: "<random>" if (table, name) in RANDOM and value else value for name, value in row.items()}


_COMPARED = (
    "processor", "simulate", "state", "origin", "counts", "partial_counts", "scoped_totals", "rows_done",
    "rows_expected", "last_line", "carried_out", "changed_tables", "notes", "skipped", "error_code", "error_params", "decision",
    "held_for", "worker", "cancel_requested", "pause_requested", "waiting_since", "kept", "plan_id", "undoes_id", "bundle_id",
)  # fmt: skip


def _facts_of_run(run: SyncRun) -> dict[str, Any]:
    owed = run.chunks.filter(after_commit="owed").count()
    return {
        **{name: getattr(run, name) for name in _COMPARED},
        "totals": {kind: count for kind, count in run.totals.items() if kind != "groups.updated"},
        "owed": owed,
        "files": sorted(run.files.values_list("kind", flat=True)),
        "mails": run.mails.count(),
    }


def _images_of(run: SyncRun) -> list[Any]:
    """Return what the before-images of a run name, in the order of its chunks."""
    found: list[Any] = []
    for chunk in run.chunks.exclude(journal_key="").order_by("last_line"):
        with storage.opened(chunk.journal_key) as journal:
            found += [(i.table, i.kind, i.id) for i in read_images(journal) if (i.table, i.kind) != BY_THE_CLOCK]
    return found


def _entries_by_run() -> dict[str, int]:
    counted: Counter[str] = Counter()
    for record in AuditRecord.objects.all():
        counted[f"{record.run_id} {record.kind} {record.first_line}-{record.last_line}"] += record.entries
    return counted


def _first_difference(expected: Any, found: Any) -> str:
    if isinstance(expected, dict) and isinstance(found, dict):
        keys = [key for key in {**expected, **found} if expected.get(key) != found.get(key)]
        return "; ".join(f"{key}: {_first_difference(expected.get(key), found.get(key))}" for key in keys[:4])
    if isinstance(expected, list) and isinstance(found, list):
        for at, (one, other) in enumerate(zip(expected, found, strict=False)):
            if one != other:
                return f"{len(expected)} and {len(found)}, [{at}]: {_first_difference(one, other)}"
        return f"{len(expected)} and {len(found)} of them"
    return f"{str(expected)[:1500]!r} became {str(found)[:1500]!r}"


def random_points(chance: random.Random, undisturbed: Ended) -> list[Point]:
    """Return where a life is killed: at one step, now and then at several, or at any moment."""
    if chance.random() < 0.15:
        return [Point(seconds=chance.uniform(0.02, undisturbed.seconds))]
    kills = chance.choice((1, 1, 1, 2, MOST_KILLS))
    return [Point(step=chance.randint(1, max(2, undisturbed.steps // (number + 1)))) for number in range(kills)]
