"""How a run waits for a Moodle, or a storage, that doesn't answer."""

from __future__ import annotations

import time
from collections.abc import Callable

from sync.errors import MoodleUnavailable, StorageUnavailable

Unavailable = MoodleUnavailable | StorageUnavailable

FIRST_PAUSE = 2.0
LONGEST_PAUSE = 60.0
# Waiting again for what nobody mends by waiting would only hide it.
_HOPELESS = frozenset(("moodle_url_invalid", "moodle_url_unsupported", "moodle_connection_unreadable"))


class Patience:
    """Waits 2, 4, 8 … 60 seconds between tries, until `retry_seconds` are used up since it went away.

    Shape: began: called once when the waiting begins; interrupted: called every second, raises to end it
    """

    def __init__(self, retry_seconds: float, began: Callable[[], None], interrupted: Callable[[], None]) -> None:
        self._retry_seconds = retry_seconds
        self._began = began
        self._interrupted = interrupted
        self._deadline = 0.0

    def wait(self, error: Unavailable, attempt: int) -> None:
        """Wait before the next try. Raises: the error itself when it is time to give up."""
        if attempt == 1:
            self._deadline = time.monotonic() + self._retry_seconds
        remaining = self._deadline - time.monotonic()
        if remaining <= 0 or error.code in _HOPELESS:
            raise error
        if attempt == 1:
            self._began()
        until = time.monotonic() + min(FIRST_PAUSE * 2 ** (attempt - 1), LONGEST_PAUSE, remaining)
        while (left := until - time.monotonic()) > 0:
            self._interrupted()
            time.sleep(min(1.0, left))
