"""A place that files are fetched from, and when a file there is whole."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import BinaryIO, NamedTuple, Protocol

from sync.commandfiles import storage
from sync.errors import CommandFileError
from sync.whole_files import digest_of

CHECKSUM, DONE = ".sha256", ".done"
_MARKS = (CHECKSUM, DONE)
_DIGEST = re.compile(rb"\b[0-9a-fA-F]{64}\b")
_CHECKSUM_BYTES = 10_000


class Entry(NamedTuple):
    """A file as its place lists it. Shape: size: -1 = the place doesn't say; modified: compared only, "" = unknown"""

    name: str
    size: int
    modified: str = ""


class RemoteFolder(Protocol):
    """Somewhere that files are fetched from.

    Shape: may_grow: whether somebody may still be writing a file that is listed
    Raises: SourceError, from each method, when the place can't be reached or refuses
    """

    may_grow: bool

    def entries(self) -> list[Entry]:
        """List the files, without folders and without going down into them."""

    def look(self, name: str) -> Entry | None:
        """Return a file as it is now, None where there is none. What never changes has no size and no time."""

    def copy(self, name: str, out: BinaryIO) -> None:
        """Write a file's bytes."""

    def remove(self, name: str) -> None:
        """Delete a file."""


def files_among(entries: Iterable[Entry]) -> list[Entry]:
    """Return the files that are meant to be fetched: no marks, no hidden ones."""
    return [entry for entry in entries if not entry.name.endswith(_MARKS) and not entry.name.startswith(".")]


def marks_of(name: str, names: Collection[str]) -> list[str]:
    """Return the marks beside a file that say it is whole: "in.csv.done", "in.done", "in.csv.sha256", "in.sha256"."""
    stem = name.rpartition(".")[0] or name
    candidates = dict.fromkeys(f"{base}{mark}" for mark in _MARKS for base in (name, stem))
    return [candidate for candidate in candidates if candidate in names]


def whole_names(first: Collection[Entry], second: Collection[Entry]) -> set[str]:
    """Return the names of the files that are whole: marked, or the same in two looks."""
    names = {entry.name for entry in second}
    before = set(first)
    return {entry.name for entry in second if entry in before or marks_of(entry.name, names)}


def copy_whole(place: RemoteFolder, entry: Entry, names: Collection[str], out: BinaryIO) -> None:
    """Copy a file out and check that it is what its place and its checksum say.

    Raises: CommandFileError if it changed meanwhile or its checksum is another one; SourceError
    """
    place.copy(entry.name, out)
    check_same(place, entry)
    sha256, size = digest_of(out)
    if entry.size not in (-1, size):
        raise CommandFileError("source_file_growing", name=entry.name)
    for mark in marks_of(entry.name, names):
        if mark.endswith(CHECKSUM):
            check_digest(place, entry.name, mark, sha256)


def check_same(place: RemoteFolder, entry: Entry) -> None:
    """Look at a file once more: what isn't known of it counts as the same.

    Raises: CommandFileError if it is another one than was listed, or gone; SourceError
    """
    found = place.look(entry.name)
    if (
        found is None
        or (-1 not in (entry.size, found.size) and found.size != entry.size)
        or ("" not in (entry.modified, found.modified) and found.modified != entry.modified)
    ):
        raise CommandFileError("source_file_growing", name=entry.name)


def remove_taken(place: RemoteFolder, entry: Entry, names: Collection[str]) -> None:
    """Remove a file that was taken, and then its marks.

    Raises: CommandFileError if it is another one by now, which nobody has read; SourceError
    """
    check_same(place, entry)
    place.remove(entry.name)
    for mark in marks_of(entry.name, names):
        place.remove(mark)


def check_digest(place: RemoteFolder, name: str, mark: str, sha256: str) -> None:
    """Compare the digest of what came with the one in a checksum file.

    Raises: CommandFileError if it is another one, or the checksum file holds none; SourceError
    """
    with storage.scratch_file() as out:
        place.copy(mark, out)
        out.seek(0)
        found = _DIGEST.search(out.read(_CHECKSUM_BYTES))
    if found is None:
        raise CommandFileError("source_checksum_missing", name=name, mark=mark)
    if found.group().decode().lower() != sha256:
        raise CommandFileError("source_checksum_differs", name=name, mark=mark)
