"""Files in an inbox: a storage (S3, SFTP, a folder) that the operator has named in the settings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from django.core.files.storage import Storage

from sync.errors import SourceError
from sync.sources.guard import FetchRules, LimitedWriter
from sync.sources.remote_folder import Entry
from sync.storage_errors import storage_errors


class Inbox:
    """The place of the files in one folder of a storage. Shape: folder: "/" or "/in/"."""

    may_grow = True

    def __init__(self, storage: Storage, folder: str, rules: FetchRules, name: str) -> None:
        self._storage = storage
        self._folder = folder.strip("/")
        self._rules = rules
        self._name = name

    def entries(self) -> list[Entry]:
        """List the folder."""
        with self._translated_errors():
            try:
                _folders, names = self._storage.listdir(self._folder)
            except FileNotFoundError:
                return []
            # S3 lists the folder itself as a file without a name.
            return [self._entry(name) for name in names if name]

    def look(self, name: str) -> Entry | None:
        """Return a file as it is now."""
        with self._translated_errors():
            try:
                return self._entry(name)
            except FileNotFoundError:
                return None

    def copy(self, name: str, out: BinaryIO) -> None:
        """Fetch a file."""
        sink = LimitedWriter(out, name, self._rules)
        with self._translated_errors(), self._storage.open(self._key(name), "rb") as file:
            sink.expect(file.size)
            for block in file.chunks():
                sink.write(block)

    def remove(self, name: str) -> None:
        """Delete a file in the storage."""
        with self._translated_errors():
            self._storage.delete(self._key(name))

    def _entry(self, name: str) -> Entry:
        key = self._key(name)
        return Entry(name, self._storage.size(key), str(self._storage.get_modified_time(key)))

    def _key(self, name: str) -> str:
        return f"{self._folder}/{name}".lstrip("/")

    @contextmanager
    def _translated_errors(self) -> Iterator[None]:
        try:
            yield
        except storage_errors() as error:
            raise SourceError("inbox_failed", inbox=self._name, reason=str(error)[:200]) from error
