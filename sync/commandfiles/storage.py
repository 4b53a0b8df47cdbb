"""Where files are kept: one storage, and under it a folder for each site.

    <slug>/inbox/<folder>/<name>      command files and trybacks; people see "/<folder>/<name>"
    <slug>/reports/<name>             people see "/reports/<name>"
    <slug>/archives/<name>            people see "/archives/<name>"
    <slug>/uploads/<upload id>/...    pieces of files that arrive by the API, until they are whole
    <slug>/runs/<run id>/...          what a run keeps for itself: outcomes, journal, report, tryback
    <slug>/audit/<run id>/...         what a run has changed, for the audit: it outlives the run

Nothing but the interface of Django's Storage is used, so that folders, S3 and SFTP do alike.
"""

from __future__ import annotations

import errno
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.core.files.base import File
from django.core.files.storage import FileSystemStorage, Storage, storages

from sync.errors import StorageUnavailable
from sync.whole_files import write_whole

logger = logging.getLogger(__name__)

ALIAS = "files"
REPORTS = "/reports/"
ARCHIVES = "/archives/"
# Kept for what runs put there; nobody uploads into them.
RESERVED_FOLDERS = (REPORTS, ARCHIVES)

_INBOX = "inbox-"
_BLOCK = 1 << 20


def file_storage() -> Storage:
    """Return the storage that all command files live in."""
    return storages[ALIAS]


def inbox_names() -> list[str]:
    """Return the names of the inboxes that the operator has set."""
    return [alias.removeprefix(_INBOX) for alias in settings.STORAGES if alias.startswith(_INBOX)]


def inbox_storage(name: str) -> Storage:
    """Return the storage of an inbox. Raises: InvalidStorageError if there is none of this name."""
    return storages[_INBOX + name]


def key_of_path(slug: str, path: str) -> str:
    """Return the storage key of a path in the file area: "/users/in.csv", "/reports/x"."""
    if path.startswith(RESERVED_FOLDERS):
        return f"{slug}{path}"
    return f"{slug}/inbox{path}"


def run_folder(slug: str, run_id: int) -> str:
    """Return the key under which a run keeps what is its own."""
    return f"{slug}/runs/{run_id}"


def outcomes_folder(slug: str, run_id: int) -> str:
    """Return the key under which a run keeps its outcomes."""
    return f"{run_folder(slug, run_id)}/outcomes"


def journal_folder(slug: str, run_id: int) -> str:
    """Return the key under which a run keeps its before-images."""
    return f"{run_folder(slug, run_id)}/journal"


def outcomes_key(slug: str, run_id: int, last_line: int, worker: str = "") -> str:
    """Return the key of the outcomes of the chunk that ends with this line, as one worker has carried it out."""
    return f"{outcomes_folder(slug, run_id)}/{_part_name(last_line, worker)}"


def journal_key(slug: str, run_id: int, last_line: int, worker: str = "") -> str:
    """Return the key of the before-images of the chunk that ends with this line, as one worker has carried it out."""
    return f"{journal_folder(slug, run_id)}/{_part_name(last_line, worker)}"


def audit_folder(slug: str) -> str:
    """Return the key under which the audit of a site keeps what runs have changed."""
    return f"{slug}/audit"


def audit_key(slug: str, run_id: int, last_line: int, worker: str = "") -> str:
    """Return the key of what the chunk that ends with this line has changed, as one worker has carried it out."""
    return f"{audit_folder(slug)}/{run_id}/{_part_name(last_line, worker).removesuffix('.jsonl.gz')}"


def names_in(key: str) -> tuple[list[str], list[str]]:
    """Return the names of the folders and of the files under a key. Raises: StorageUnavailable"""
    with _reached() as storage:
        try:
            folders, names = storage.listdir(key)
        except (FileNotFoundError, NotADirectoryError):
            if not _is_there(storage, key):
                return [], []
            folders, names = storage.listdir(key)
    return sorted(folders), sorted(names)


def _part_name(last_line: int, worker: str) -> str:
    # Of two workers, of which one was taken for dead, each has parts of its own: none writes over those of the other.
    return f"{last_line:012d}-{worker}.jsonl.gz" if worker else f"{last_line:012d}.jsonl.gz"


@contextmanager
def _reached() -> Iterator[Storage]:
    """Return the storage; whatever it raises, each kind errors of its own, means that it can't be used now."""
    try:
        yield file_storage()
    except SuspiciousOperation:
        raise
    except Exception as error:
        logger.warning("the storage of files: %r", error)
        raise StorageUnavailable("storage_unavailable", reason=str(error) or type(error).__name__) from error


def save(key: str, content: IO[bytes]) -> int:
    """Keep the whole content under exactly this key, in place of what was there, which stays if that fails; return its size.

    Raises: StorageUnavailable
    """
    content.seek(0)
    size = content.seek(0, 2)
    content.seek(0)
    with _reached() as storage:
        if isinstance(storage, FileSystemStorage):
            _make_folder(storage, key)
            write_whole(Path(storage.path(key)), content, storage.file_permissions_mode)
        elif hasattr(storage, "replace"):
            storage.replace(key, content)
        else:
            _save_anew(storage, key, content)
    return size


def _make_folder(storage: FileSystemStorage, key: str) -> None:
    folder, mode = Path(storage.path(key)).parent, storage.directory_permissions_mode
    missing = [part for part in (folder, *folder.parents) if not part.exists()]
    for part in reversed(missing):
        part.mkdir(exist_ok=True)
        if mode is not None:
            part.chmod(mode)


def _save_anew(storage: Storage, key: str, content: IO[bytes]) -> None:
    """For a storage that knows no way to replace a file in one step."""
    storage.delete(key)
    saved = storage.save(key, File(content))
    if saved != key:
        # Somebody saved the same key just now, so Django took another name: the last one wins.
        with storage.open(saved, "rb") as source:
            storage.delete(key)
            storage.save(key, File(source))
        storage.delete(saved)


def exists(key: str) -> bool:
    """Tell whether something is kept under this key. Raises: StorageUnavailable"""
    with _reached() as storage:
        return _is_there(storage, key)


def _is_there(storage: Storage, key: str, *, was_used: bool = False) -> bool:
    if storage.exists(key):
        return True
    _refuse_missing_disk(storage, was_used=was_used)
    # Asked once more: the disk may have come back after the first answer.
    return isinstance(storage, FileSystemStorage) and storage.exists(key)


def _refuse_missing_disk(storage: Storage, *, was_used: bool = False) -> None:
    """Raises: NotADirectoryError if the folder of all files is gone, as when its disk isn't there: no file is missing then

    Shape: was_used: something is known to be in it; before the first file is kept there may be no folder, or an empty one
    """
    if isinstance(storage, FileSystemStorage):
        root = Path(storage.location)
        is_folder = root.is_dir()
        is_missing = not (is_folder and any(root.iterdir())) if was_used else root.exists() and not is_folder
        if is_missing:
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(root))


def size_of(key: str) -> int:
    """Return the size of a kept file. Raises: StorageUnavailable"""
    with _reached() as storage:
        return storage.size(key)


@contextmanager
def opened(key: str) -> Iterator[BinaryIO]:
    """Open a kept file for reading. What another server has is copied here first: it may go away before we are done.

    Raises: FileNotFoundError, StorageUnavailable
    """
    with _reached() as storage:
        is_there = _is_there(storage, key, was_used=True)
    if not is_there:
        raise FileNotFoundError(key)
    with ExitStack() as stack:
        with _reached() as storage:
            file = cast(BinaryIO, stack.enter_context(_open_anew(storage, key)))
            if not isinstance(storage, FileSystemStorage):
                there, file = file, stack.enter_context(scratch_file())
                shutil.copyfileobj(there, file, _BLOCK)
                file.seek(0)
                there.close()
        yield file


def _open_anew(storage: Storage, key: str) -> Any:
    """Open a file that was there a moment ago. Raises: FileNotFoundError if it is gone for certain"""
    try:
        return storage.open(key, "rb")
    except FileNotFoundError:
        # Its disk may have gone, or come back, between the two answers.
        if not _is_there(storage, key, was_used=True):
            raise
        return storage.open(key, "rb")


@contextmanager
def scratch_file() -> Iterator[BinaryIO]:
    """Return a private temporary file to make something in before it is saved."""
    with tempfile.SpooledTemporaryFile(max_size=4 * _BLOCK) as file:
        yield cast(BinaryIO, file)


def delete(key: str) -> None:
    """Delete a kept file; one that isn't there is fine."""
    storage = file_storage()
    if storage.exists(key):
        storage.delete(key)


def delete_folder(key: str) -> None:
    """Delete everything under a key."""
    storage = file_storage()
    try:
        folders, names = storage.listdir(key)
    except (FileNotFoundError, NotADirectoryError):
        return
    for name in names:
        storage.delete(f"{key}/{name}")
    for folder in folders:
        delete_folder(f"{key}/{folder}")
    try:
        storage.delete(key)
    except OSError:
        # SFTP can't delete a folder this way; an empty one does no harm.
        return
