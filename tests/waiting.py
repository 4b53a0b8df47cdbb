"""Wait for a condition, with a deadline. The one place of the tests that sleeps to wait."""

from __future__ import annotations

import time
from collections.abc import Callable

PAUSE_SECONDS = 0.05


def wait_until(condition: Callable[[], object], seconds: float = 60, explain: Callable[[], object] = str) -> None:
    """Return as soon as the condition holds; fail with the explanation where it doesn't within so many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, explain()
        time.sleep(PAUSE_SECONDS)
