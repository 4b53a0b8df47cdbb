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
from pathlib import Path
from typing import BinaryIO

from sync.commandfiles.sources.place import Entry
from sync.errors import CommandFileError, SourceError
from sync.values import Note

FEEDER_LOCK, OWN_LOCK = "alock.txt", "lock.txt"
# A lock that is older was left by somebody who died. We know what our own was for; a feeder's may stand beside half a file.
LOCK_SECONDS = 3 * 3600


class DropFolder:
    """The place of the files in the drop folder."""

    may_grow = True

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._copied: dict[str, tuple[int, int, int]] = {}

    def entries(self) -> list[Entry]:
        """List the files: no locks, nothing hidden, none of our outputs (`_…`), and no links, which may lead anywhere."""
        with _told(self._folder), os.scandir(self._folder) as found:
            files = [
                (file.name, file.stat(follow_symlinks=False))
                for file in found
                if file.is_file(follow_symlinks=False)
                and not file.name.startswith((".", "_"))
                and file.name not in (FEEDER_LOCK, OWN_LOCK)
            ]
        return [Entry(name, status.st_size, str(status.st_mtime_ns)) for name, status in files]

    def copy(self, name: str, out: BinaryIO) -> None:
        """Read a file, and touch the lock: taking many may last."""
        with _told(self._folder):
            with open(self._folder / name, "rb", opener=_no_link) as file:
                self._copied[name] = _identity(os.fstat(file.fileno()))
                shutil.copyfileobj(file, out, 1 << 20)
            os.utime(self._folder / OWN_LOCK)

    def remove(self, name: str) -> None:
        """Delete a file, unless somebody has put another one in its place since it was read."""
        path = self._folder / name
        with _told(self._folder):
            try:
                found = _identity(path.lstat())
            except FileNotFoundError:
                return
            if self._copied.get(name, found) != found:
                raise CommandFileError("source_file_growing", name=name)
            path.unlink()


def held_up(folder: Path) -> Note | None:
    """Tell why nothing would be taken now; None when nothing is in the way."""
    if (age := _age(folder / FEEDER_LOCK)) is not None:
        if age < LOCK_SECONDS:
            return Note("drop_feeder_writes", {"lock": FEEDER_LOCK, "minutes": round(age / 60)})
        return Note("drop_feeder_died", {"lock": FEEDER_LOCK, "hours": round(age / 3600)})
    if (age := _age(folder / OWN_LOCK)) is not None and age < LOCK_SECONDS:
        return Note("drop_being_taken", {"lock": OWN_LOCK, "minutes": round(age / 60)})
    return None


@contextmanager
def locked(folder: Path, *, patience: float = 0) -> Iterator[list[Note]]:
    """Take the folder's lock for a while; gives what there is to tell about a lock of ours that a dead process left.

    Units: patience: seconds to wait for another process of ours, which brings the same files
    Raises: SourceError if somebody holds a lock, or the folder can't be written to
    """
    with _told(folder):
        folder.mkdir(mode=0o770, exist_ok=True)
        if (reason := held_up(folder)) and reason.code != "drop_being_taken":
            raise SourceError(reason.code, **reason.params)
        told = [note] if (note := _take_over(folder / OWN_LOCK)) else []
        _make_own_lock(folder, patience)
    try:
        yield told
    finally:
        (folder / OWN_LOCK).unlink(missing_ok=True)


def _make_own_lock(folder: Path, patience: float) -> None:
    until = time.monotonic() + patience
    while True:
        try:
            with (folder / OWN_LOCK).open("x") as lock:
                lock.write(f"{time.time():.0f}\n")
        except FileExistsError:
            if time.monotonic() > until:
                minutes = round((_age(folder / OWN_LOCK) or 0) / 60)
                raise SourceError("drop_being_taken", lock=OWN_LOCK, minutes=minutes) from None
            time.sleep(0.1)
        else:
            return


def _take_over(lock: Path) -> Note | None:
    age = _age(lock)
    # Somebody may have made a new one since we looked.
    if age is None or age < LOCK_SECONDS:
        return None
    lock.unlink(missing_ok=True)
    return Note("drop_lock_taken_over", {"lock": lock.name, "hours": round(age / 3600)})


def _age(lock: Path) -> float | None:
    """Give how old a lock is in seconds, None when there is none."""
    try:
        return max(0.0, time.time() - lock.stat().st_mtime)
    except FileNotFoundError:
        return None


def _identity(status: os.stat_result) -> tuple[int, int, int]:
    if not stat.S_ISREG(status.st_mode):
        raise OSError("not a plain file")
    return status.st_ino, status.st_size, status.st_mtime_ns


def _no_link(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW)


@contextmanager
def _told(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SourceError("drop_folder_failed", folder=str(folder), reason=error.strerror or str(error)) from error
