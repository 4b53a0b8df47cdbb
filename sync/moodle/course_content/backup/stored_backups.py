"""Course backups that Moodle keeps: rows of `files` of the component `backup`.

Source: spec courses.md section 1.5
"""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from sync.moodle.db.database import MoodleSession

_COMPONENT = "backup"
# Where teachers save backups of a course; those that Moodle makes by itself are in the area "automated".
_OF_COURSE = "course"
# The place of the block of this name, where a site has it.
_PUBLISHED = "publishflow"
_AREAS = (_OF_COURSE, _PUBLISHED)


def fetch_backups_named(session: MoodleSession, names: Collection[str]) -> dict[str, set[str]]:
    """Return for names of files the contents of the newest backups that are called so, one of each place that has such a file.

    Shape: file name -> contenthashes; absent = there is none; several: it isn't plain which is meant
    Queries: one
    """
    files = session.table("files")
    found = session.fetch(
        sa.select(files.c.filename, files.c.contextid, files.c.contenthash)
        .where(files.c.component == _COMPONENT, files.c.filename.in_(sorted(names)), files.c.filesize > 0)
        .order_by(files.c.timecreated, files.c.id)
    )
    newest = {(name, contextid): contenthash for name, contextid, contenthash in found}
    by_name: dict[str, set[str]] = {}
    for (name, _contextid), contenthash in newest.items():
        by_name.setdefault(name, set()).add(contenthash)
    return by_name


def fetch_newest_backups(session: MoodleSession, contextids: Collection[int]) -> dict[int, str]:
    """Return for courses, by their contexts, the contents of their newest backups. Queries: one"""
    files = session.table("files")
    found = session.fetch(
        sa.select(files.c.contextid, files.c.filearea, files.c.contenthash)
        .where(
            files.c.component == _COMPONENT,
            files.c.filearea.in_(_AREAS),
            files.c.itemid == 0,
            files.c.contextid.in_(sorted(contextids)),
            files.c.filename != ".",
        )
        .order_by(files.c.timecreated, files.c.id)
    )
    newest = {area: {row.contextid: row.contenthash for row in found if row.filearea == area} for area in _AREAS}
    return newest[_PUBLISHED] | newest[_OF_COURSE]
