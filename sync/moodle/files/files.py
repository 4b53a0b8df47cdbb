"""Rows of Moodle's table `files`, and the blobs in the data folder that they stand for.

Source: spec generic.md section 11; Moodle's file_storage and file_system_filedir
"""

from __future__ import annotations

import base64
import hashlib
import shutil
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sa

from sync.errors import MoodleUnavailable
from sync.moodle.db.database import MoodleSession
from sync.moodle.db.writer import MAX_KEYS, RowChange, Writer, batched
from sync.moodle.files.file_pool import FilePool


class DeletedFiles(NamedTuple):
    """Blobs that may have lost their last row. Shape: sizes: contenthash -> bytes."""

    sizes: Mapping[str, int] = {}

    def __add__(self, other: object) -> DeletedFiles:
        assert isinstance(other, DeletedFiles)  # noqa: S101
        return DeletedFiles({**self.sizes, **other.sizes})


class BlobsLeft(NamedTuple):
    """What became of blobs. Shape: trashed: how many; bytes_left: what nothing refers to any more and nobody reclaims."""

    trashed: int
    bytes_left: int


def delete_files(
    writer: Writer, column: str, values: Collection[Any], *conditions: sa.ColumnElement[bool]
) -> DeletedFiles:
    """Delete rows of `files`; their blobs are seen to after the commit."""
    gone = writer.delete_where("files", column, values, *conditions)
    _cut_aliases(writer, gone)
    return DeletedFiles({row["contenthash"]: row["filesize"] for row in gone if row["filesize"]})


def pathname_hash(row: Mapping[str, Any]) -> str:
    """Return files.pathnamehash of a row that holds its place.

    Source: file_storage::get_pathname_hash()
    """
    place = "/{contextid}/{component}/{filearea}/{itemid}{filepath}{filename}".format_map(row)
    return hashlib.sha1(place.encode(), usedforsecurity=False).hexdigest()


def trash_unreferenced_blobs(
    session: MoodleSession, dataroot: Path | None, deleted: DeletedFiles, pool: FilePool | None = None
) -> BlobsLeft:
    """Move the blobs that no row refers to any more into Moodle's trash; without a data folder, say how much is left.

    Shape: pool: where they are when the data folder isn't one of this machine
    Call it after the commit. Mirrors: file_system_filedir::remove_file()
    """
    orphans = dict(deleted.sizes)
    files = session.table("files")
    for part in batched(sorted(deleted.sizes), MAX_KEYS):
        for (kept,) in session.fetch(sa.select(files.c.contenthash).distinct().where(files.c.contenthash.in_(part))):
            del orphans[kept]
    session.release()
    trash: Callable[[str], bool]
    if dataroot is not None:
        trash = partial(_trash, dataroot)
    elif pool is not None:
        trash = pool.trash
    else:
        return BlobsLeft(0, sum(orphans.values()))
    trashed = bytes_left = 0
    for contenthash, size in sorted(orphans.items()):
        try:
            trashed += trash(contenthash)
        except (OSError, MoodleUnavailable):
            bytes_left += size
    return BlobsLeft(trashed, bytes_left)


def _trash(dataroot: Path, contenthash: str) -> bool:
    """Move a blob; False when it isn't there: Moodle was quicker, or keeps its files elsewhere."""
    place = Path(contenthash[0:2], contenthash[2:4], contenthash)
    source, target = dataroot / "filedir" / place, dataroot / "trashdir" / place
    if not source.exists():
        return False
    for folder in (target.parents[2], target.parents[1], target.parent):
        if not folder.is_dir():
            folder.mkdir(exist_ok=True)
            # Moodle, which is another user of the machine, must be able to write there as well.
            shutil.copymode(dataroot / "filedir", folder)
    source.replace(target)
    return True


def _cut_aliases(writer: Writer, gone: Sequence[Mapping[str, Any]]) -> None:
    """Make files that were only aliases of these into files of their own; they share the content, which stays.

    Mirrors: stored_file::delete() and delete_reference(); a reference goes with its last file
    """
    session = writer.session
    files, references = session.table("files"), session.table("files_reference")
    digests = sorted({_reference_digest(row) for row in gone if row["filename"] != "."})
    cut: set[int] = set()
    for part in batched(digests, MAX_KEYS):
        found = session.fetch(sa.select(references.c.id).where(references.c.referencehash.in_(part)))
        cut.update(rowid for (rowid,) in found)
    for ids in batched(sorted(cut), MAX_KEYS):
        aliases = session.fetch(
            sa.select(files.c.id, files.c.referencefileid).where(files.c.referencefileid.in_(ids)).order_by(files.c.id)
        )
        writer.update_many(
            "files",
            [RowChange(row.id, {"referencefileid": row.referencefileid}, {"referencefileid": None}) for row in aliases],
        )
    cut.update(row["referencefileid"] for row in gone if row["referencefileid"] is not None)
    in_use = sa.exists().where(files.c.referencefileid == references.c.id)
    writer.delete_where("files_reference", "id", sorted(cut), ~in_use)


def _reference_digest(row: Mapping[str, Any]) -> str:
    """Return files_reference.referencehash of aliases of a file: SHA-1 of its place, in PHP's serialisation and base64.

    Source: file_storage::pack_reference()
    """
    fields = "".join(
        _php(name) + _php(row[name])
        for name in ("contextid", "component", "itemid", "filearea", "filepath", "filename")
    )
    packed = base64.b64encode(f"a:6:{{{fields}}}".encode())
    return hashlib.sha1(packed, usedforsecurity=False).hexdigest()


def _php(value: int | str) -> str:
    return f"i:{value};" if isinstance(value, int) else f's:{len(value.encode())}:"{value}";'
