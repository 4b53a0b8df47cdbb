"""Retry: how a run waits for a Moodle, a storage, a disk or a database of our own that doesn't do what it is asked."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial

from django.db import InterfaceError, OperationalError, connection

from sync.errors import MoodleUnavailable, StorageUnavailable

Unavailable = MoodleUnavailable | StorageUnavailable

FIRST_PAUSE = 2.0
LONGEST_PAUSE = 60.0
# Waiting again for what nobody mends by waiting would only hide it.
_HOPELESS = frozenset(("moodle_url_invalid", "moodle_url_unsupported", "moodle_connection_unreadable"))


# What somebody mends by making room, or by mounting a disk again.
_DISK_ERRORS = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO))


@contextmanager
def own_database() -> Iterator[None]:
    """Take a database of our own that is locked or away for what it is: worth trying again later.

    Raises: StorageUnavailable
    """
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        # Only if it is broken, and not inside somebody's transaction.
        connection.close_if_unusable_or_obsolete()
        raise StorageUnavailable("own_database_unavailable", reason=_first_line(error)) from error


@contextmanager
def disk() -> Iterator[None]:
    """Take a full disk for what it is: worth trying again later. Raises: StorageUnavailable"""
    try:
        yield
    except OSError as error:
        if error.errno not in _DISK_ERRORS:
            raise
        raise StorageUnavailable("disk_full", reason=error.strerror or str(error)) from error


def _first_line(error: Exception) -> str:
    parts = [part for part in error.args if isinstance(part, str)] or [type(error).__name__]
    return (parts[0].strip().splitlines() or [type(error).__name__])[0][:300]


class RetryPolicy:
    """Waits 2, 4, 8 … 60 seconds between tries, until `retry_seconds` are used up since it went away.

    Shape: began: called once when the waiting begins; interrupted: called every second with the seconds since then, raises to end
    it; waited: seconds of the time that are used up already when it begins for the first time
    """

    def __init__(
        self, retry_seconds: float, began: Callable[[], None], interrupted: Callable[[float], None], waited: float = 0.0
    ) -> None:
        self._retry_seconds = retry_seconds
        self._began = began
        self._interrupted = interrupted
        self._waited = waited
        self._deadline = 0.0
        self._began_at = 0.0

    def wait(self, error: Unavailable, attempt: int) -> None:
        """Wait before the next try. Raises: the error itself when it is time to give up."""
        if attempt == 1:
            self._began_at = time.monotonic()
            self._deadline = self._began_at + self._retry_seconds - self._waited
            self._waited = 0.0
        remaining = self._deadline - time.monotonic()
        if remaining <= 0 or error.code in _HOPELESS:
            raise error
        if attempt == 1:
            self._ask(self._began)
        until = time.monotonic() + min(FIRST_PAUSE * 2 ** (attempt - 1), LONGEST_PAUSE, remaining)
        while (left := until - time.monotonic()) > 0:
            self._ask(partial(self._interrupted, time.monotonic() - self._began_at))
            time.sleep(min(1.0, left))

    @staticmethod
    def _ask(question: Callable[[], None]) -> None:
        # It may be our own database that is waited for.
        with suppress(StorageUnavailable):
            question()
