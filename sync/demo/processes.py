"""The processes that the demo starts beside itself, and takes away again."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

HOST = "127.0.0.1"
_PATIENCE_SECONDS = 20

_CELERY = ("celery", "-A", "toolsync_site")


@contextmanager
def worker(root: Path, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a Celery worker."""
    with _module((*_CELERY, "worker", "--concurrency=1", "--loglevel=WARNING"), root, log) as process:
        yield process


@contextmanager
def beat(root: Path, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run Celery's beat, which finds the runs whose worker has died."""
    with _module((*_CELERY, "beat", "--loglevel=WARNING", "--pidfile="), root, log) as process:
        yield process


@contextmanager
def web(root: Path, log: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Serve the site; give it once it answers, or once it has ended."""
    command = ("gunicorn", "toolsync_site.wsgi", "--bind", f"{HOST}:{port}", "--threads", "4")
    with _module(command, root, log) as process:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while is_port_free(port) and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.1)
        yield process


def is_port_free(port: int) -> bool:
    """Whether nobody listens on a port of this machine."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) != 0


@contextmanager
def _module(arguments: Sequence[str], root: Path, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a Python module in a process group of its own, so that Ctrl-C reaches us alone; end the whole group with us."""
    with log.open("ab") as out:
        process = subprocess.Popen(  # noqa: S603 - our own programs
            [sys.executable, "-m", *arguments],
            cwd=root,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask the process to end, and see to it that nothing of its group is left."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
