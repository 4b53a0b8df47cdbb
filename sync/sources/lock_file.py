"""A lock that is a file: who holds it (host, process, start), and a sign of life every few seconds.

A holder that died on this machine is known as dead at once; one of another machine (or container) once its sign of life is
late. A file without a holder was made by another program, or an older ToolSync: its age is all that there is to go by.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

HEARTBEAT_SECONDS = 5.0
# A holder that isn't on this machine gives no sign of life for so long: it is dead.
LATE_SECONDS = 50.0
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def age_of(lock: Path) -> float | None:
    """Return how old a lock's last sign of life is in seconds, None when there is none."""
    try:
        return max(0.0, time.time() - lock.stat().st_mtime)
    except FileNotFoundError:
        return None


def holder_of(lock: Path) -> dict[str, Any]:
    """Return who holds a lock; {} when the file doesn't say."""
    with suppress(OSError, ValueError, UnicodeDecodeError):
        found = json.loads(lock.read_text(encoding="utf-8").partition("\n")[2])
        if isinstance(found, dict):
            return found
    return {}


def is_dead(holder: dict[str, Any], age: float) -> bool:
    """Tell whether the holder of a lock is dead. Units: age: seconds since its last sign of life"""
    us = _identity()
    if any(holder.get(name) != us[name] for name in ("host", "namespace")):
        return age > LATE_SECONDS
    if holder.get("boot") != us["boot"]:
        return True
    start = _start_of(holder.get("pid", 0))
    # A process that is alive and silent is paused: it goes on with what it was doing when it wakes up.
    return start is None or start != holder.get("start")


def make(lock: Path) -> str:
    """Make a lock that isn't there; returns what stands in it. Raises: FileExistsError"""
    words = f"{time.time():.0f}\n{json.dumps({**_identity(), 'key': secrets.token_hex(8)})}\n"
    with lock.open("x", encoding="utf-8") as file:
        file.write(words)
    return words


def break_up(lock: Path, seen: dict[str, Any]) -> bool:
    """Take away the lock of a dead holder. Returns False when somebody has made a new one since it was seen."""
    aside = lock.with_name(f".{lock.name}.{secrets.token_hex(8)}")
    try:
        lock.rename(aside)
    except FileNotFoundError:
        return False
    try:
        if holder_of(aside) == seen:
            return True
        with suppress(FileExistsError):
            _put_back(aside, lock)
        return False
    finally:
        aside.unlink(missing_ok=True)


def _put_back(aside: Path, lock: Path) -> None:
    try:
        os.link(aside, lock)
    except FileExistsError:
        raise
    except OSError:
        # A mounted folder may know no links.
        aside.rename(lock)


@contextmanager
def kept_alive(lock: Path, words: str) -> Iterator[None]:
    """Renew a lock every few seconds, and remove it at the end, as long as it is ours."""
    over = threading.Event()

    def beat() -> None:
        while not over.wait(HEARTBEAT_SECONDS):
            if not _is_ours(lock, words):
                return
            with suppress(OSError):
                os.utime(lock)

    thread = threading.Thread(target=beat, name=f"heartbeat of {lock.name}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        if _is_ours(lock, words):
            lock.unlink(missing_ok=True)


def _is_ours(lock: Path, words: str) -> bool:
    try:
        return lock.read_text(encoding="utf-8") == words
    except OSError:
        return False


def _identity() -> dict[str, Any]:
    try:
        boot, namespace = _BOOT_ID.read_text().strip(), str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        boot, namespace = "", ""
    pid = os.getpid()
    return {"host": socket.gethostname(), "namespace": namespace, "boot": boot, "pid": pid, "start": _start_of(pid)}


def _start_of(pid: int) -> str | None:
    """Return when a process of this machine began, in the kernel's own words; None when there is no such process."""
    try:
        state, *rest = Path(f"/proc/{int(pid)}/stat").read_text().rpartition(")")[2].split()
    except (OSError, ValueError):
        return _without_proc(pid)
    # Source: proc(5), fields 3 (state) and 22 (starttime)
    return None if state in "ZX" else rest[18]


def _without_proc(pid: int) -> str | None:
    if Path("/proc/self").exists():
        return None
    try:
        os.kill(int(pid), 0)
    except (OSError, ValueError, OverflowError):
        return None
    return "?"
