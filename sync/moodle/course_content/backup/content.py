"""What a course backup holds, read once: rows by Moodle table, contexts, files.

Everything is as in the source: ids, references, links in texts. Values are text or None, as the XML holds them.
Source: spec backup_format.md
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, NamedTuple, Self

from django.utils.functional import cached_property

from sync.moodle.course_content.backup.container import unpack
from sync.moodle.course_content.backup.file_rows import EMPTY_HASH, FILES, blob_path, content_files
from sync.moodle.course_content.backup.folders import FolderReader
from sync.moodle.course_content.backup.limits import DEFAULT_LIMITS, BackupLimits
from sync.moodle.course_content.backup.manifest import MANIFEST, ListedActivity, Manifest, read_manifest
from sync.moodle.course_content.backup.row_spool import RowSpool
from sync.moodle.course_content.graph.content_source import Row, SourceContext
from sync.moodle.course_content.graph.graph import COURSE

_ROLE = "role"
_NOT_CONTENT = frozenset((COURSE, FILES, _ROLE))


class ArchivedRole(NamedTuple):
    """A role that the backup uses. Shape: name: its name in the course, "" for none of its own"""

    shortname: str
    archetype: str
    name: str


class ArchivedContent:
    """The content of one archive, without user data.

    Shape: manifest: what the archive says of itself; left_out: activities whose module isn't known, with all that belongs
    to them; skipped: name of an element or plugin that isn't known -> how often it stood there
    """

    def __init__(self, manifest: Manifest, spool: RowSpool, blobs: Path, read: FolderReader) -> None:
        self.manifest = manifest
        self.left_out: Sequence[ListedActivity] = read.left_out
        self.skipped: Mapping[str, int] = read.skipped
        self._contexts = read.contexts
        self._spool = spool
        self._blobs = blobs

    @cached_property
    def course(self) -> Row:
        """The row of `course`; empty when the archive lacks it."""
        return next((row for batch in self._spool.batches(COURSE) for row in batch), {})

    def tables(self) -> set[str]:
        """Return the tables that hold rows, `course`, `context` and `files` left out."""
        return self._spool.tables() - _NOT_CONTENT

    def rows(self, table: str) -> Iterator[Sequence[Row]]:
        """Return the rows of a table by rising `id`, in batches of at most BATCH_ROWS.

        Shape: `id`: int, above all others of the table where the XML has none; columns -> text or None; what the XML holds
        besides columns (`name`, `rawname` of tags, `shortname`, `type` of custom fields, `modulename` …) under its XML name;
        foreign keys to enclosing rows, contexts and the course are ints
        """
        return self._spool.batches(table)

    def contexts(self) -> Mapping[int, SourceContext]:
        """Return the contexts of the course, its activities and blocks by their old ids."""
        return self._contexts

    def files(self) -> Iterator[Sequence[Row]]:
        """Return rows of files.xml that belong to the content, in batches; `repositoryid` and `reference` stand in them too."""
        return content_files(self._spool, self._blobs)

    def roles(self) -> Mapping[int, ArchivedRole]:
        """Return the roles by their old ids."""
        return {
            row["id"]: ArchivedRole(
                row.get("shortname") or "", row.get("archetype") or "", row.get("nameincourse") or ""
            )
            for batch in self._spool.batches(_ROLE)
            for row in batch
        }

    def has_blob(self, contenthash: str) -> bool:
        """Tell whether the archive holds the bytes of a file; import archives leave them out."""
        return contenthash == EMPTY_HASH or blob_path(self._blobs, contenthash).exists()

    def open_blob(self, contenthash: str) -> BinaryIO:
        """Return the bytes of a file, whose hash has been checked."""
        if contenthash == EMPTY_HASH:
            return BytesIO()
        return blob_path(self._blobs, contenthash).open("rb")

    def close(self) -> None:
        """Let go of the spool; the folder stays its owner's."""
        self._spool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def open_archive(
    path: Path, folder: Path, limits: BackupLimits = DEFAULT_LIMITS, modules: Collection[str] | None = None
) -> ArchivedContent:
    """Read an archive once, and spool what it holds into a folder, which its owner removes.

    Shape: modules: those that the target has; activities of others are left out. None = all that we know.
    Raises: ArchiveRefused when it is no course backup that can be read, or looks hostile
    """
    unpacked = unpack(path, folder, limits)
    manifest = read_manifest(unpacked.xml / MANIFEST, limits)
    spool = RowSpool(folder / "rows.sqlite")
    try:
        reader = FolderReader(manifest, unpacked.xml, spool, limits)
        reader.read(modules)
        spool.finish()
        content = ArchivedContent(manifest, spool, unpacked.blobs, reader)
        # Hostile names among the files show before anything is made of them.
        for _batch in content.files():
            pass
    except BaseException:
        spool.close()
        raise
    shutil.rmtree(unpacked.xml)
    return content
