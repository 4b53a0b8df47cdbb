"""The file area of a site, for processors whose rows name other files in it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import BinaryIO

from sync.commandfiles import storage
from sync.commandfiles.intake import find_file
from sync.commandfiles.naming import split_path
from sync.models import CommandFile, MoodleSite
from sync.moodle.writer import slices

# SQLite takes 999 values in a statement.
_MOST_NAMES = 500


class SiteFiles:
    """The files of one site."""

    def __init__(self, site: MoodleSite) -> None:
        self._site = site

    def present(self, paths: Collection[str]) -> set[str]:
        """Give those of the paths under which there is a file. Queries: one per 500 names"""
        places = {path: split_path(path) for path in paths}
        found: set[tuple[str, str]] = set()
        for names in slices(sorted({name for _folder, name in places.values()}), _MOST_NAMES):
            files = CommandFile.objects.filter(site=self._site, name__in=names)
            found.update(files.values_list("folder", "name"))
        return {path for path, place in places.items() if place in found}

    @contextmanager
    def opened(self, path: str) -> Iterator[BinaryIO]:
        """Open a file for reading. Raises: FileNotFoundError, StorageUnavailable"""
        file = find_file(self._site, path)
        if file is None:
            raise FileNotFoundError(path)
        with storage.opened(storage.key_of_path(self._site.slug, file.path)) as stream:
            yield stream
