"""A short wait for a run, or a workbook to be read, so that the answer to a small file already says what came of it.

The workers carry the run out, as any other: the web server only looks whether they have. A run that was carried out by the web
server itself would need a lease, a heartbeat and somebody who takes it up when the server is stopped in the middle.
"""

from __future__ import annotations

import time

from sync.models import Bundle, CommandFile, SyncRun, WorkbookReading
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


def wait_for_reading(file: CommandFile) -> None:
    """Wait until a workbook that was just handed in has been read, as the settings say at most. Not in a transaction.

    Queries: one for each tenth of a second
    """
    waiting = WorkbookReading.objects.filter(file=file, state=WorkbookReading.State.WAITING)
    until = time.monotonic() + answer_seconds()
    while time.monotonic() < until and waiting.exists():
        time.sleep(_PAUSE_SECONDS)


def wait_for_bundle(bundle: Bundle) -> Bundle:
    """Wait until the workbooks of a bundle have been read, as the settings say at most. Not in a transaction.

    Queries: one for each tenth of a second, none where there are no workbooks
    """
    until = time.monotonic() + answer_seconds()
    while bundle.state == Bundle.State.READING and time.monotonic() < until:
        time.sleep(_PAUSE_SECONDS)
        bundle.refresh_from_db(fields=["state"])
    return bundle
