"""Uploads that nobody finished: the pieces that a killed web process leaves behind."""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from pathlib import Path

logger = logging.getLogger(__name__)


def sweep_uploads(folder: Path, seconds: float) -> int:
    """Delete what has lain untouched for so long in the folder that uploads arrive in; return how many files went.

    One that still arrives is written to all the time.
    """
    gone = 0
    before = time.time() - seconds
    for path in folder.iterdir() if folder.is_dir() else ():
        with suppress(FileNotFoundError):
            if path.is_file() and not path.is_symlink() and path.stat().st_mtime < before:
                path.unlink()
                gone += 1
    if gone:
        logger.info("left uploads: %d deleted", gone)
    return gone
