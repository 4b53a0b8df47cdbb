"""The drop folder: other programs put files there, and two locks keep everybody out of each other's way.

    alock.txt   the feeder's: it is writing, nothing may be taken
    lock.txt    ours: files are being taken, nobody else may begin to

Source: spec generic.md section 5
"""

from __future__ import annotations

import os
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import BinaryIO

from sync.errors import CommandFileError, SourceError
from sync.sources.lock_file import age_of, break_up, holder_of, is_dead, kept_alive, make
from sync.sources.remote_folder import Entry
from sync.values import Note

FEEDER_LOCK, OWN_LOCK = "alock.txt", "lock.txt"
# A lock that is older was left by somebody who died. We know what our own was for; a feeder's may stand beside half a file.
# Who made our own stands in it (lock_file.py): a dead one is known earlier.
LOCK_SECONDS = 3 * 3600


class DropFolder:
    """The place of the files in the drop folder."""

    may_grow = True

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._copied: dict[str, int] = {}

    def entries(self) -> list[Entry]:
        """List the files: no locks, nothing hidden, none of our outputs (`_…`), and no links, which may lead anywhere."""
        with _translated_errors(self._folder), os.scandir(self._folder) as found:
            files = [
                (file.name, file.stat(follow_symlinks=False))
                for file in found
                if file.is_file(follow_symlinks=False)
                and not file.name.startswith((".", "_"))
                and file.name not in (FEEDER_LOCK, OWN_LOCK)
            ]
        return [_entry(name, status) for name, status in files]

    def look(self, name: str) -> Entry | None:
        """Return a file as it is now."""
        with _translated_errors(self._folder):
            try:
                return _entry(name, (self._folder / name).lstat())
            except FileNotFoundError:
                return None

    def copy(self, name: str, out: BinaryIO) -> None:
        """Read a file, and touch the lock: taking many may last."""
        with _translated_errors(self._folder):
            with open(self._folder / name, "rb", opener=_no_link) as file:
                status = os.fstat(file.fileno())
                if not stat.S_ISREG(status.st_mode):
                    raise OSError("not a plain file")
                self._copied[name] = status.st_ino
                shutil.copyfileobj(file, out, 1 << 20)
            os.utime(self._folder / OWN_LOCK)

    def quarantine_file(self, name: str) -> str:
        """Rename a file so that it isn't listed any more. Returns its new name."""
        with _translated_errors(self._folder):
            taken = {path.name for path in self._folder.iterdir()}
            aside = next(
                found
                for number in count(1)
                if (found := f"_aside_{name}" if number == 1 else f"_aside_{number}_{name}") not in taken
            )
            (self._folder / name).rename(self._folder / aside)
        return aside

    def remove(self, name: str) -> None:
        """Delete a file, unless somebody has put another one in its place since it was read."""
        path = self._folder / name
        with _translated_errors(self._folder):
            try:
                found = path.lstat().st_ino
            except FileNotFoundError:
                return
            if self._copied.get(name, found) != found:
                raise CommandFileError("source_file_growing", name=name)
            path.unlink()


def held_up(folder: Path) -> Note | None:
    """Tell why nothing would be taken now; None when nothing is in the way."""
    if (age := age_of(folder / FEEDER_LOCK)) is not None:
        if age < LOCK_SECONDS:
            return Note("drop_feeder_writes", {"lock": FEEDER_LOCK, "minutes": round(age / 60)})
        return Note("drop_feeder_died", {"lock": FEEDER_LOCK, "hours": round(age / 3600)})
    if (age := age_of(folder / OWN_LOCK)) is not None and _left_behind(folder / OWN_LOCK, age) is None:
        return Note("drop_being_taken", {"lock": OWN_LOCK, "minutes": round(age / 60)})
    return None


@contextmanager
def locked(folder: Path, *, wait_seconds: float = 0) -> Iterator[list[Note]]:
    """Take the folder's lock for a while; gives what there is to tell about a lock of ours that a dead process left.

    Units: wait_seconds: seconds to wait for another process of ours, which brings the same files
    Raises: SourceError if somebody holds a lock, or the folder can't be written to
    """
    with _translated_errors(folder):
        folder.mkdir(mode=0o770, exist_ok=True)
        if (reason := held_up(folder)) and reason.code != "drop_being_taken":
            raise SourceError(reason.code, **reason.params)
        words, notes = _take(folder / OWN_LOCK, wait_seconds)
    with kept_alive(folder / OWN_LOCK, words):
        yield notes


def _take(lock: Path, wait_seconds: float) -> tuple[str, list[Note]]:
    until = time.monotonic() + wait_seconds
    notes: list[Note] = []
    while True:
        notes += _break_dead_lock(lock)
        try:
            return make(lock), notes
        except FileExistsError:
            if time.monotonic() > until:
                minutes = round((age_of(lock) or 0) / 60)
                raise SourceError("drop_being_taken", lock=OWN_LOCK, minutes=minutes) from None
            time.sleep(0.1)


def _break_dead_lock(lock: Path) -> list[Note]:
    age, holder = age_of(lock), holder_of(lock)
    if age is None or (note := _left_behind(lock, age)) is None:
        return []
    return [note] if break_up(lock, holder) else []


def _left_behind(lock: Path, age: float) -> Note | None:
    """Tell whose lock it was, when that process is dead."""
    holder = holder_of(lock)
    if holder and is_dead(holder, age):
        return Note(
            "drop_lock_of_dead_process", {"lock": lock.name, "pid": holder.get("pid"), "host": holder.get("host")}
        )
    if age >= LOCK_SECONDS:
        return Note("drop_lock_taken_over", {"lock": lock.name, "hours": round(age / 3600)})
    return None


def _entry(name: str, status: os.stat_result) -> Entry:
    """Return a file with what tells it from another one of its name; on a mounted folder its number may change at any time."""
    return Entry(name, status.st_size, str(status.st_mtime_ns))


def _no_link(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW)


@contextmanager
def _translated_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SourceError("drop_folder_failed", folder=str(folder), reason=error.strerror or str(error)) from error
