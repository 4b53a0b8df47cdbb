"""A short wait for a run, so that the answer to a small file already says what came of it.

The workers carry the run out, as any other: the web server only looks whether they have. A run that was carried out by the web
server itself would need a lease, a heartbeat and somebody who takes it up when the server is stopped in the middle.
"""

from __future__ import annotations

import time

from sync.models import SyncRun
from sync.models.run import ACTIVE_STATES
from sync.runs.options import answer_seconds

# How large a file of some fifty rows may be.
SMALL_FILE_BYTES = 32 * 1024
_PAUSE_SECONDS = 0.1


def wait_for_end(run: SyncRun, *, seconds: float | None = None) -> SyncRun:
    """Wait until a run has ended, or waits for a person. Not in a transaction.

    Shape: seconds: for how long at most, None = as the settings say, and for small files only
    Queries: one for each tenth of a second
    """
    if seconds is None and run.file_size > SMALL_FILE_BYTES:
        return run
    until = time.monotonic() + (answer_seconds() if seconds is None else seconds)
    while run.state in ACTIVE_STATES and time.monotonic() < until:
        time.sleep(_PAUSE_SECONDS)
        run.refresh_from_db(fields=["state"])
    return run
