"""Rows of files.xml: which of them belong to the content, and whether they are what they say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from sync.errors import ArchiveRefused
from sync.moodle.course_content.backup.row_spool import RowSpool
from sync.moodle.course_content.graph.content_source import Row, is_content
from sync.moodle.course_content.graph.graph import load_graph

FILES = "files"
# Of no bytes: folders have it, and archives hold no such file.
EMPTY_HASH = "da39a3ee5e6b4b0d3255bfef95601890afd80709"
# Files that no list of references names, and that belong to the content all the same.
_ALWAYS = frozenset(("group", "grouping", "badges", "grade", "question"))
_QUESTION_TYPE = "qtype"
_OF_PEOPLE = "user"
_HASH = re.compile(r"[0-9a-f]{40}")
_AREA = re.compile(r"[a-z][a-z0-9_]*")
_NAME_LENGTH = 255


def content_files(spool: RowSpool, blobs: Path) -> Iterator[list[Row]]:
    """Return the rows that belong to the content, in batches.

    Raises: ArchiveRefused when one names what can't be a file of Moodle, or isn't as long as it says
    """
    areas = {(area.component, area.filearea): area for area in load_graph().file_areas}
    for batch in spool.batches(FILES):
        wanted = [row for row in batch if _is_wanted(row, spool) and is_content(row, areas)]
        for row in wanted:
            _check(row, blobs)
        if wanted:
            yield wanted


def blob_path(blobs: Path, contenthash: str) -> Path:
    return blobs / contenthash[:2] / contenthash


def _is_wanted(row: Row, spool: RowSpool) -> bool:
    component = row.get("component") or ""
    if component == _OF_PEOPLE:
        return False
    return component in _ALWAYS or component.startswith(_QUESTION_TYPE) or spool.is_referred_to(row["id"])


def _check(row: Row, blobs: Path) -> None:
    if not _is_sound(row):
        raise ArchiveRefused("backup_file_row", id=row["id"], name=str(row.get("filename"))[:_NAME_LENGTH])
    blob = blob_path(blobs, row["contenthash"])
    if blob.exists() and str(blob.stat().st_size) != row.get("filesize"):
        raise ArchiveRefused("backup_blob_differs", member=f"files/{row['contenthash'][:2]}/{row['contenthash']}")


def _is_sound(row: Row) -> bool:
    path, name = row.get("filepath") or "", row.get("filename") or ""
    return (
        all(_AREA.fullmatch(row.get(column) or "") for column in ("component", "filearea"))
        and _HASH.fullmatch(row.get("contenthash") or "") is not None
        and path.startswith("/")
        and path.endswith("/")
        and not {"..", "."} & set(path.split("/"))
        and "/" not in name
        and name not in ("", "..")
        and len(name) <= _NAME_LENGTH
        and not any(ord(character) < 32 for character in path + name)
    )
