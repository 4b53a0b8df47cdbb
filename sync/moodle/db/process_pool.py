"""Helper processes for work that keeps a core busy: hashing passwords, resizing pictures.

This module is imported by the processes of the pool: it imports nothing of Django.
"""

from __future__ import annotations

import multiprocessing
import os
import secrets
import threading
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import forkserver


def start_processes(count: int) -> ProcessPoolExecutor:
    """Start a pool that ends with this process, however that ends."""
    # Celery's children are daemons, which may not have children, and carry a key that only Celery's own fork of
    # multiprocessing can hand on. Ours end with the run, and get a key of their own.
    current = multiprocessing.current_process()
    current._config.update(daemon=False, authkey=secrets.token_bytes(32))  # type: ignore[attr-defined]  # noqa: SLF001
    return ProcessPoolExecutor(
        count, mp_context=multiprocessing.get_context("forkserver"), initializer=_end_with_parent
    )


def _forget_fork_server() -> None:
    """Let a forked process start a fork server of its own: it can't look after the one of its parent."""
    forkserver._forkserver._forkserver_pid = None  # type: ignore[attr-defined]  # noqa: SLF001


os.register_at_fork(after_in_child=_forget_fork_server)


def _end_with_parent() -> None:
    """Watch for the end of the process that we work for.

    A process of the pool waits for work for ever: the others hold the queue open, so a parent that was killed is not missed.
    """
    threading.Thread(target=_wait_for_parent, name="end with parent", daemon=True).start()


def _wait_for_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
