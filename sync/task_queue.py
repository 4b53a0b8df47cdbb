"""Messages to the workers, by the names of tasks.

Celery takes a tenth of a second to load: it is loaded by who sends something, and by workers and beat.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any


class QueueUnavailable(Exception):
    """The broker didn't take a message."""


def send_task(name: str, *args: Any, expires: float | None, **kwargs: Any) -> None:
    """Hand a task to the workers. Units: expires: seconds; None = it is good for ever. Raises: QueueUnavailable"""
    from celery import signature
    from kombu.exceptions import OperationalError

    # The application, with its settings, has to be there before anything is sent. By its name: it knows packages above us.
    import_module("toolsync_site.celery")

    try:
        signature(name, args, kwargs).apply_async(expires=expires)
    except OperationalError as error:
        raise QueueUnavailable(name) from error
