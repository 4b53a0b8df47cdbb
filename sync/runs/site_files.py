"""The file area of a site, for processors whose rows name other files in it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from django.contrib.auth.models import AnonymousUser

from sync.commandfiles import storage
from sync.commandfiles.naming import split_path
from sync.models import CommandFile, SyncRun
from sync.moodle.db.writer import batched
from sync.runs.retry import own_database
from sync.runs.rights import armed_by_of, owner_of
from sync.runs.selectors import readable_files

# SQLite takes 999 values in a statement.
_MOST_NAMES = 500


class SiteFiles:
    """The files of one site, as far as everybody in whose name a run goes on may have what they hold."""

    def __init__(self, run: SyncRun) -> None:
        self._site = run.site
        self._files = CommandFile.objects.filter(site=run.site)
        for person in (owner_of(run), armed_by_of(run)):
            if not person.is_operator:
                self._files &= readable_files(person.user or AnonymousUser(), run.site)

    @own_database()
    def present(self, paths: Collection[str]) -> set[str]:
        """Return those of the paths under which there is a file. Queries: one per 500 names"""
        places = {path: split_path(path) for path in paths}
        found: set[tuple[str, str]] = set()
        for names in batched(sorted({name for _folder, name in places.values()}), _MOST_NAMES):
            files = self._files.filter(name__in=names)
            found.update(files.values_list("folder", "name"))
        return {path for path, place in places.items() if place in found}

    @contextmanager
    def opened(self, path: str) -> Iterator[BinaryIO]:
        """Open a file for reading. Raises: FileNotFoundError, StorageUnavailable"""
        folder, name = split_path(path)
        with own_database():
            file = self._files.filter(folder=folder, name=name).first()
        if file is None:
            raise FileNotFoundError(path)
        with storage.opened(storage.key_of_path(self._site.slug, file.path)) as stream:
            yield stream


def input_of(file: CommandFile) -> dict[str, Any]:
    """Return the fields of a run that say what it reads."""
    return {
        "command_file": file,
        "file_path": file.path,
        "file_sha256": file.sha256,
        "file_size": file.size,
        "input_key": storage.key_of_path(file.site.slug, file.path),
    }
