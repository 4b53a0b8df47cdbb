"""The drop folder and its two locks (spec generic.md section 5, G9)."""

from __future__ import annotations

import io
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sync.errors import CommandFileError, SourceError
from sync.sources.drop_folder import DropFolder, held_up, locked
from sync.sources.remote_folder import copy_whole, remove_taken

FILE = b"username;firstname\nann;Ann\n"
HOUR = 3600


def leave(path: Path, *, hours: float = 0) -> None:
    path.write_bytes(FILE)
    then = time.time() - hours * HOUR
    os.utime(path, (then, then))


def test_only_files_that_are_meant_for_us_are_listed(tmp_path: Path) -> None:
    for name in ("users.csv", "block_users.csv", "_out.csv", ".x", "alock.txt", "lock.txt"):
        leave(tmp_path / name)
    (tmp_path / "folder").mkdir()
    (tmp_path / "link.csv").symlink_to("/etc/passwd")
    assert sorted(entry.name for entry in DropFolder(tmp_path).entries()) == ["block_users.csv", "users.csv"]


def test_our_lock_is_there_while_files_are_taken_and_gone_afterwards(tmp_path: Path) -> None:
    folder = tmp_path / "drop"
    with locked(folder) as told:
        assert told == []
        assert abs(int((folder / "lock.txt").read_text().split()[0]) - time.time()) < 5
    assert list(folder.iterdir()) == []


def test_our_lock_goes_even_when_taking_fails(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), locked(tmp_path):
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("lock", "code"), [("alock.txt", "drop_feeder_writes"), ("lock.txt", "drop_being_taken")])
def test_a_lock_of_somebody_at_work_is_respected(lock: str, code: str, tmp_path: Path) -> None:
    leave(tmp_path / lock, hours=2.9)
    reason = held_up(tmp_path)
    assert reason is not None
    assert (reason.code, reason.params) == (code, {"lock": lock, "minutes": 174})
    with pytest.raises(SourceError) as refused, locked(tmp_path):
        pytest.fail("taken all the same")
    assert refused.value.code == code
    assert (tmp_path / lock).exists()


def test_a_lock_of_ours_that_a_dead_process_left_is_taken_over_and_told(tmp_path: Path) -> None:
    leave(tmp_path / "lock.txt", hours=3.1)
    with locked(tmp_path) as told:
        assert [(note.code, note.params) for note in told] == [
            ("drop_lock_taken_over", {"lock": "lock.txt", "hours": 3})
        ]
    assert list(tmp_path.iterdir()) == []


def test_a_lock_that_a_dead_feeder_left_is_told_and_holds(tmp_path: Path) -> None:
    leave(tmp_path / "alock.txt", hours=3.1)
    reason = held_up(tmp_path)
    assert reason is not None
    assert (reason.code, reason.params) == ("drop_feeder_died", {"lock": "alock.txt", "hours": 3})
    with pytest.raises(SourceError) as refused, locked(tmp_path):
        pytest.fail("taken all the same")
    assert refused.value.code == "drop_feeder_died"
    assert (tmp_path / "alock.txt").exists()


def test_another_process_of_ours_is_waited_for(tmp_path: Path) -> None:
    leave(tmp_path / "lock.txt")
    done = threading.Timer(0.3, (tmp_path / "lock.txt").unlink)
    done.start()
    with locked(tmp_path, wait_seconds=10) as told:
        assert told == []
    done.join()


def test_two_are_never_in_at_once(tmp_path: Path) -> None:
    inside: list[int] = []
    together: list[int] = []

    def take() -> None:
        for _ in range(3):
            with locked(tmp_path, wait_seconds=20):
                inside.append(1)
                time.sleep(0.005)
                together.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=take) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == [1] * 18


def test_reading_a_file_keeps_the_lock_fresh(tmp_path: Path) -> None:
    leave(tmp_path / "users.csv")
    with locked(tmp_path):
        os.utime(tmp_path / "lock.txt", (0, 0))
        DropFolder(tmp_path).copy("users.csv", io.BytesIO())
        assert time.time() - (tmp_path / "lock.txt").stat().st_mtime < 60


def test_a_file_that_was_replaced_since_it_was_read_stays(tmp_path: Path) -> None:
    leave(tmp_path / "users.csv")
    with locked(tmp_path):
        place = DropFolder(tmp_path)
        (entry,) = place.entries()
        copy_whole(place, entry, {"users.csv"}, io.BytesIO())
        leave(tmp_path / "new.csv")
        (tmp_path / "new.csv").replace(tmp_path / "users.csv")
        os.utime(tmp_path / "users.csv", ns=(0, int(entry.modified)))
        with pytest.raises(CommandFileError, match="source_file_growing"):
            remove_taken(place, entry, {"users.csv"})
    assert (tmp_path / "users.csv").exists()


def test_a_link_is_not_read_even_if_it_comes_in_between(tmp_path: Path) -> None:
    (tmp_path / "users.csv").symlink_to("/etc/passwd")
    with locked(tmp_path), pytest.raises(SourceError):
        DropFolder(tmp_path).copy("users.csv", io.BytesIO())


@contextmanager
def without_rights() -> Iterator[None]:
    """Be an ordinary user for a while: nothing is unwritable to root."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("name", ["", "missing"])
def test_a_folder_that_cannot_be_written_to_is_told(name: str) -> None:
    with tempfile.TemporaryDirectory() as parent:
        Path(parent).chmod(0o555)
        with without_rights(), pytest.raises(SourceError) as refused, locked(Path(parent) / name):
            pytest.fail("written all the same")
    assert (refused.value.code, refused.value.params["reason"]) == ("drop_folder_failed", "Permission denied")
