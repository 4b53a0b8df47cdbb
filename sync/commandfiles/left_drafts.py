"""What killed processes left: drafts of files, hidden, complete or not, and uploads that nobody finished.

A file is written beside its place and renamed (sync/whole_files.py); `kill -9` and a power cut leave what was written.
"""

from __future__ import annotations

import logging
import os
import re
import time
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from django.core.files.storage import FileSystemStorage, Storage

from sync.commandfiles.storage import file_storage
from sync.whole_files import is_draft

# What lies beside a lock while it is broken up (sync/sources/lock_file.py).
_LOCK_DRAFT = re.compile(r"\.lock\.txt\.[0-9a-f]{16}")

logger = logging.getLogger(__name__)


def sweep_storage(before: datetime) -> int:
    """Delete the drafts in the storage of files that nobody has written to since; return how many went."""
    storage = file_storage()
    if isinstance(storage, FileSystemStorage):
        return sweep_folder(Path(storage.location), before)
    return _sweep_far(storage, "", before) if getattr(storage, "leaves_drafts", False) else 0


def sweep_folder(top: Path, before: datetime) -> int:
    """Delete the drafts in a folder of this machine and below, links not followed; return how many went."""
    gone = 0
    for folder, _folders, names in os.walk(top):
        for name in names:
            if not (is_draft(name) or _LOCK_DRAFT.fullmatch(name)):
                continue
            path = Path(folder, name)
            with suppress(OSError):
                if path.lstat().st_mtime < before.timestamp():
                    path.unlink()
                    gone += 1
    if gone:
        logger.info("left drafts: %d deleted", gone)
    return gone


def _sweep_far(storage: Storage, folder: str, before: datetime) -> int:
    folders, names = storage.listdir(folder)
    gone = 0
    for name in filter(is_draft, names):
        key = f"{folder}/{name}" if folder else name
        if storage.get_modified_time(key) < before:
            storage.delete(key)
            gone += 1
    return gone + sum(_sweep_far(storage, f"{folder}/{name}" if folder else name, before) for name in folders)


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
