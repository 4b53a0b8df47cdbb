"""Which lines of a file asked for a write: kept with its before-image, so that one line can be undone."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sync.moodle.db.writer import BeforeImage, LinesOf
from sync.moodle.versions import CONTEXT_USER

Lines = tuple[int, ...]


def of_one(lines: Collection[int]) -> LinesOf:
    """Return what tells the line where there is only one; of several nobody knows which it was."""
    known = tuple(lines) if len(lines) == 1 else ()
    return lambda _image: known


def by_users(lines: Mapping[int, Collection[int]]) -> LinesOf:
    """Return what tells the lines by the user whom a row is about. Shape: lines: id of the user -> lines"""
    known = {userid: tuple(found) for userid, found in lines.items()}

    def lines_of(image: BeforeImage) -> Lines:
        userid = user_of(image)
        return known.get(userid, ()) if userid is not None else ()

    return lines_of


def user_of(image: BeforeImage) -> int | None:
    """Return the user whom a row is about, where the row says so."""
    values = image.row or image.after
    if image.table == "user":
        return image.id
    if image.table == "context":
        found = values.get("instanceid") if values.get("contextlevel") == CONTEXT_USER else None
    else:
        found = values.get("userid")
    return found if isinstance(found, int) and found else None
