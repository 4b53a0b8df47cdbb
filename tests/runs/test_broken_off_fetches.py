"""A crash while files are fetched doesn't stop feeding: locks of the dead, poisoned files, sequences whose worker died."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from sync.commandfiles.intake import receive_file
from sync.models import FetchAttempt, Notification, NotificationRule, SequenceRun, SequenceState, Source
from sync.runs.source_settings import SourceChoice, save_source
from sync.schedules import fetch_files as feeding
from sync.schedules.fetch_files import fetch_files
from sync.schedules.sequences import carry_on_sequence
from sync.sources import lock_file
from sync.sources.drop_folder import held_up, locked
from tests.installation import Installation
from tests.source_servers import WebServer

ROOT = Path(__file__).resolve().parents[2]
FILE = "username;firstname;lastname;email\nbob;Bob;King;bob@x.org\n"
HOLDING = """
import signal, sys
from pathlib import Path
from sync.sources.drop_folder import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    signal.pause()
"""


class Killed(BaseException):
    """Stands for `kill -9`: no code of ours may catch it."""


@pytest.fixture
def drop(settings: Settings, tmp_path: Path) -> Path:
    settings.TOOLSYNC_DROP_FOLDER = str(tmp_path / "drop")
    settings.TOOLSYNC_SETTLE_SECONDS = 0
    settings.TOOLSYNC_FETCH_HOSTS = ["localhost"]
    (tmp_path / "drop").mkdir()
    return tmp_path / "drop"


@pytest.fixture
def holder(tmp_path: Path, drop: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the lock of the drop folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDING, str(drop)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def told() -> list[str]:
    return [code for code, _params in Source.objects.get(processor="users").notes]


def fetched(installation: Installation) -> list[str]:
    return [file.path for file in fetch_files(installation.site, "users")]


def break_off(monkeypatch: pytest.MonkeyPatch, name: str, error: BaseException) -> list[str]:
    """Make taking a file of this name break off; gives the names of what was tried."""
    tried: list[str] = []

    def receive(site: Any, content: Any, found: str, *more: Any, **named: Any) -> Any:
        tried.append(found)
        if found == name:
            raise error
        return receive_file(site, content, found, *more, **named)

    monkeypatch.setattr(feeding, "receive_file", receive)
    return tried


# --- the lock of the drop folder -------------------------------------------------------------------------------------


def test_the_lock_of_a_process_that_was_killed_is_known_as_dead_at_once(
    installation: Installation, drop: Path, holder: subprocess.Popen[str]
) -> None:
    (drop / "userimport.csv").write_text(FILE)
    reason = held_up(drop)
    assert reason is not None
    assert reason.code == "drop_being_taken"
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert (drop / "lock.txt").exists()
    assert held_up(drop) is None
    assert fetched(installation) == ["/userimport.csv"]
    assert "drop_lock_of_dead_process" in told()
    assert not (drop / "lock.txt").exists()


def test_a_process_that_is_paused_keeps_its_lock_and_one_that_lost_it_leaves_that_of_its_successor(
    drop: Path, holder: subprocess.Popen[str]
) -> None:
    holder.send_signal(signal.SIGSTOP)
    os.utime(drop / "lock.txt", (time.time() - 600,) * 2)
    assert held_up(drop) is not None
    with locked(drop / "other"):
        (drop / "other" / "lock.txt").write_text("somebody else's")
    assert (drop / "other" / "lock.txt").read_text() == "somebody else's"
    holder.send_signal(signal.SIGCONT)


@pytest.mark.parametrize(
    ("change", "age", "is_held"),
    [
        ({"host": "another"}, 40, True),
        ({"host": "another"}, 60, False),
        ({"namespace": "pid:[1]"}, 40, True),
        ({"namespace": "pid:[1]"}, 60, False),
        ({"boot": "before the restart"}, 0, False),
        ({"start": "1"}, 0, False),
        ({"pid": 2**22 + 1}, 0, False),
        ({"pid": "none"}, 0, False),
        ({}, 600, True),
    ],
)
def test_who_holds_a_lock_is_dead_or_alive(drop: Path, change: dict[str, Any], age: float, is_held: bool) -> None:
    lock = drop / "lock.txt"
    first, holder = lock_file.make(lock).split("\n")[:2]
    lock.write_text(f"{first}\n{json.dumps({**json.loads(holder), **change})}\n")
    os.utime(lock, (time.time() - age,) * 2)
    assert (held_up(drop) is not None) == is_held


def test_a_lock_that_is_held_gives_signs_of_life(drop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock_file, "HEARTBEAT_SECONDS", 0.02)
    with locked(drop):
        os.utime(drop / "lock.txt", (0, 0))
        deadline = time.monotonic() + 10
        while (drop / "lock.txt").stat().st_mtime == 0:
            assert time.monotonic() < deadline


def test_a_new_lock_is_not_broken_up_for_that_of_a_dead_process(drop: Path) -> None:
    lock = drop / "lock.txt"
    words = lock_file.make(lock)
    assert not lock_file.break_up(lock, {"pid": 1})
    assert lock.read_text() == words
    assert [path.name for path in drop.iterdir()] == ["lock.txt"]


# --- poisoned files --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [Killed(), MemoryError(), ZeroDivisionError()])
def test_a_dropped_file_over_which_taking_breaks_off_is_put_aside_after_two_attempts(
    installation: Installation, drop: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    NotificationRule.objects.create(site=installation.site, processor="users", recipients={"failure": ["it@x.org"]})
    tried = break_off(monkeypatch, "a.csv", error)
    for name in ("a.csv", "userimport.csv"):
        (drop / name).write_text(FILE)
    for _attempt in range(2):
        with pytest.raises(type(error)):
            fetched(installation)
    assert fetched(installation) == ["/userimport.csv"]
    assert tried.count("a.csv") == 2
    assert [path.name for path in drop.iterdir()] == ["_aside_a.csv"]
    assert "dropped_file_quarantined" in told()
    notice = Notification.objects.get(fault__0="dropped_file_quarantined")
    assert notice.fault[1] == {"name": "a.csv", "aside": "_aside_a.csv", "attempts": 2}
    # Whoever hands it in again means it to be tried again.
    (drop / "a.csv").write_text(FILE)
    with pytest.raises(type(error)):
        fetched(installation)
    monkeypatch.undo()
    fetched(installation)
    assert not FetchAttempt.objects.exists()
    assert installation.exists("/a.csv")


def test_a_file_of_a_server_over_which_fetching_breaks_off_is_left_out_until_another_day(
    installation: Installation, drop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    web = WebServer()
    try:
        web.put("/users.csv", FILE.encode())
        save_source(installation.site, "users", SourceChoice(kind="address", location=web.url("/users.csv")))
        with monkeypatch.context() as patch:
            tried = break_off(patch, "users.csv", MemoryError())
            for _attempt in range(2):
                with pytest.raises(MemoryError):
                    fetched(installation)
            assert fetched(installation) == []
            assert len(tried) == 2
        assert told()[-1] == "fetched_file_quarantined"
        assert fetched(installation) == []
        FetchAttempt.objects.update(tried_at=timezone.now() - timedelta(days=2))
        assert len(fetched(installation)) == 1
        assert not FetchAttempt.objects.exists()
    finally:
        web.stop()


def test_a_file_that_is_refused_in_words_is_no_poison(installation: Installation, drop: Path) -> None:
    (drop / "a.csv").write_text(FILE)
    (drop / "a.csv.sha256").write_text("0" * 64)
    for _attempt in range(4):
        fetched(installation)
    assert told()[0] == "source_checksum_differs"
    assert (drop / "a.csv").exists()


# --- sequences -------------------------------------------------------------------------------------------------------


def test_a_sequence_whose_worker_died_while_it_fetched_goes_on_after_the_lease(
    installation: Installation, drop: Path, settings: Settings
) -> None:
    lately = timezone.now() - timedelta(seconds=settings.TOOLSYNC_LEASE_SECONDS + 1)
    sequence = SequenceRun.objects.create(
        site=installation.site, processors=["users"], claimed_at=lately, claimed_by="dead"
    )  # fmt: skip
    carry_on_sequence(sequence.pk)
    sequence.refresh_from_db()
    assert (sequence.state, sequence.claimed_by) == (SequenceState.COMPLETED, "")


def test_a_sequence_that_fetches_for_long_says_that_it_is_alive(
    installation: Installation, drop: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.TOOLSYNC_HEARTBEAT_SECONDS = 0.02
    sequence = SequenceRun.objects.create(site=installation.site, processors=["users"])
    long_ago = timezone.now() - timedelta(hours=1)

    def fetch_for_long(*_given: Any) -> list[Any]:
        SequenceRun.objects.filter(pk=sequence.pk).update(claimed_at=long_ago)
        deadline = time.monotonic() + 10
        while SequenceRun.objects.get(pk=sequence.pk).claimed_at == long_ago:
            assert time.monotonic() < deadline
        return []

    monkeypatch.setattr("sync.schedules.sequences.fetch_files", fetch_for_long)
    carry_on_sequence(sequence.pk)
    sequence.refresh_from_db()
    assert (sequence.state, sequence.faults) == (SequenceState.COMPLETED, [])
