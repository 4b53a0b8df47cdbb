"""Moodle's file pool: contents under their SHA-1, in a folder or in any other storage that Django knows.

    filedir/<2>/<2>/<contenthash>     what rows of `files` refer to
    trashdir/<2>/<2>/<contenthash>    what no row refers to any more; Moodle empties it

Source: spec generic.md section 11; Moodle's file_system_filedir
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from django.core.files.base import File
from django.core.files.storage import FileSystemStorage, Storage, storages

from sync.errors import MoodleUnavailable
from sync.moodle.db.database import MoodleConnection
from sync.storage_errors import storage_errors
from sync.whole_files import digest_of, write_whole
from toolsync_site.storages import storage_from_url

EMPTY_HASH = hashlib.sha1(b"", usedforsecurity=False).hexdigest()

# Moodle's own defaults: Moodle is another user of that machine. Source: $CFG->filepermissions, $CFG->directorypermissions
_FILE_MODE, _FOLDER_MODE = 0o666, 0o2777
_BLOCK = 1 << 20


class FilePool:
    """The contents of one Moodle. All methods raise MoodleUnavailable if the storage fails."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def store(self, stream: IO[bytes]) -> tuple[str, bool]:
        """Keep a content; return its hash, and whether it is new: False = it was there before."""
        contenthash, size = digest_of(stream, "sha1")
        key = _key(contenthash)
        with _translated():
            if self._storage.exists(key):
                if self._storage.size(key) == size:
                    return contenthash, False
                # Somebody died while writing it.
                self._storage.delete(key)
            saved = self._storage.save(key, File(stream))
            if saved != key:
                # Somebody else stored the same content just now, so Django took another name.
                self._storage.delete(saved)
        return contenthash, saved == key

    def exists(self, contenthash: str) -> bool:
        with _translated():
            return self._storage.exists(_key(contenthash))

    def size(self, contenthash: str) -> int | None:
        """Return how many bytes a content has there; None when it isn't there."""
        with _translated():
            return self._storage.size(_key(contenthash)) if self._storage.exists(_key(contenthash)) else None

    @contextmanager
    def open(self, contenthash: str) -> Iterator[IO[bytes]]:
        """Open a content for reading. What another server has is copied here first: it may go away before we are done."""
        with ExitStack() as stack:
            with _translated():
                if isinstance(self._storage, FileSystemStorage):
                    content: IO[bytes] = stack.enter_context(self._storage.open(_key(contenthash), "rb"))
                else:
                    content = stack.enter_context(TemporaryFile())
                    with self._storage.open(_key(contenthash), "rb") as there:
                        shutil.copyfileobj(there, content, _BLOCK)
                    content.seek(0)
            yield content

    def trash(self, contenthash: str) -> bool:
        """Move a content into Moodle's trash; False when it isn't there: Moodle was quicker, or keeps it elsewhere.

        Nothing is deleted for good: Moodle may be taking up the very content, and finds it in its trash then.
        Source: file_system::remove_file() and try_content_recovery()
        """
        with _translated():
            if not self._storage.exists(_key(contenthash)):
                return False
            trashed = _key(contenthash, "trashdir")
            if not self._storage.exists(trashed):
                with self._storage.open(_key(contenthash), "rb") as content:
                    self._storage.save(trashed, content)
            self._storage.delete(_key(contenthash))
            return True

    def place_of(self, contenthash: str) -> str:
        """Return in which folder a content lies: "filedir", "trashdir" or, where it is in neither, ""."""
        with _translated():
            folders = (folder for folder in ("filedir", "trashdir") if self._storage.exists(_key(contenthash, folder)))
            return next(folders, "")

    def bring_back(self, contenthash: str) -> None:
        """Copy a content from Moodle's trash into the pool; Moodle empties its trash by itself."""
        with _translated():
            if not self._storage.exists(_key(contenthash)):
                with self._storage.open(_key(contenthash, "trashdir"), "rb") as content:
                    self._storage.save(_key(contenthash), content)


def file_pool_of(connection: MoodleConnection) -> FilePool | None:
    """Return the pool of a Moodle; None when no data folder is configured."""
    if connection.dataroot is not None:
        return FilePool(_LocalData(connection.dataroot))
    return FilePool(storage_at(connection.data_url)) if connection.data_url else None


def storage_at(data_url: str) -> Storage:
    """Return a data folder that isn't on this machine. Raises: ImproperlyConfigured."""
    backend = storage_from_url(data_url, "TOOLSYNC_MOODLE_DATAROOT")
    if "file_mode" in backend["OPTIONS"]:
        backend["OPTIONS"] |= {"file_mode": _FILE_MODE, "dir_mode": _FOLDER_MODE}
    return storages.create_storage(backend)


class _LocalData(FileSystemStorage):
    """A data folder of this machine, where new files and folders get the rights that filedir has."""

    def __init__(self, location: Path) -> None:
        self._filedir = location / "filedir"
        mode = self._filedir.stat().st_mode & 0o7777 if self._filedir.is_dir() else _FOLDER_MODE
        super().__init__(location=location, file_permissions_mode=mode & _FILE_MODE)

    def _save(self, name: str, content: File[Any]) -> str:
        if not self._filedir.is_dir():
            # Not mounted, or the wrong folder: a pool of our own would hide what Moodle has.
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(self._filedir))
        folder = Path(self.path(name)).parent
        for missing in [part for part in (folder.parent.parent, folder.parent, folder) if not part.is_dir()]:
            missing.mkdir(exist_ok=True)
            shutil.copymode(self._filedir, missing)
        # Whole or not at all: Moodle takes what lies under a hash for the content of that hash.
        try:
            write_whole(Path(self.path(name)), content, self.file_permissions_mode, replace=False)
        except FileExistsError:
            # As Django does it: the caller sees that somebody else was quicker.
            return self.get_available_name(name)
        return name


def _key(contenthash: str, folder: str = "filedir") -> str:
    return f"{folder}/{contenthash[0:2]}/{contenthash[2:4]}/{contenthash}"


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except storage_errors() as error:
        raise MoodleUnavailable("moodle_files_unavailable", reason=str(error)[:200]) from error
