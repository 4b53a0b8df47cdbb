"""Rows of `files`: their place, their hashes, and the contents that they stand for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from sync.moodle.files.file_pool import EMPTY_HASH
from sync.moodle.files.files import pathname_hash
from sync.moodle.integrity.check import Check, CheckContext, dangling, lacks

_PLACE = ("contextid", "component", "filearea", "itemid", "filepath", "filename")


def _wrongly_hashed(look: CheckContext) -> Iterator[int]:
    file = look.table("files")
    columns = (file.c.id, file.c.pathnamehash, *(file.c[name] for name in _PLACE))
    for row in look.stream(sa.select(*columns).where(*look.contexts(file.c.contextid)).order_by(file.c.id)):
        if row.pathnamehash != pathname_hash(row._mapping):
            yield row.id


def _without_directory(look: CheckContext) -> sa.Select[Any]:
    """Every folder that holds a file has a row of its own, named ".", and so has the uppermost folder of the area."""
    file = look.table("files")
    lacking = []
    for filepath in (file.c.filepath, sa.literal("/")):
        folder = look.table("files")
        same_area = [folder.c[name] == file.c[name] for name in ("contextid", "component", "filearea", "itemid")]
        lacking.append(lacks(folder, *same_area, folder.c.filepath == filepath, folder.c.filename == "."))
    return sa.select(file.c.id).where(sa.or_(*lacking), *look.contexts(file.c.contextid))


def _directory_with_content(look: CheckContext) -> sa.Select[Any]:
    file = look.table("files")
    has_content = sa.or_(file.c.filesize != 0, file.c.contenthash != EMPTY_HASH)
    return sa.select(file.c.id).where(file.c.filename == ".", has_content, *look.contexts(file.c.contextid))


def _without_content(look: CheckContext) -> Iterator[int]:
    """The first row of each content that isn't in the pool in full. Moodle may never have fetched what an alias is of."""
    assert look.pool is not None  # noqa: S101 # the check is made with a pool only
    file = look.table("files")
    statement = (
        sa.select(file.c.contenthash, file.c.filesize, sa.func.min(file.c.id).label("id"))
        .where(file.c.filesize > 0, file.c.referencefileid.is_(None), *look.contexts(file.c.contextid))
        .group_by(file.c.contenthash, file.c.filesize)
    )
    for contenthash, filesize, rowid in look.stream(statement):
        if look.pool.size(contenthash) != filesize:
            yield rowid


CHECKS = (
    dangling("file_context_missing", "files", "contextid", "context"),
    Check("file_place_hash_wrong", "files", _wrongly_hashed),
    Check("file_folder_missing", "files", _without_directory),
    Check("file_folder_with_content", "files", _directory_with_content),
    dangling("file_alias_missing", "files", "referencefileid", "files_reference", context="contextid", optional=True),
    Check("file_content_missing", "files", _without_content, of_pool=True),
)
