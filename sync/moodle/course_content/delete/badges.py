"""Badges of courses that go stay with the people who earned them: they become archived badges of the site.

Mirrors: badges_handle_course_deletion(); spec courses.md section 2, step 3
"""

from __future__ import annotations

import sqlalchemy as sa

from sync.moodle.course_content.graph.scope import Scope, inline
from sync.moodle.db.writer import RowChange, Writer
from sync.moodle.files.files import pathname_hash

_SITE_BADGE, _ARCHIVED = 1, 4  # badge.type, badge.status


def archive_badges(writer: Writer, scope: Scope) -> None:
    """Take the badges out of their courses, with their files."""
    session = writer.session
    badge, files = session.table("badge"), session.table("files")
    found = session.fetch(
        sa.select(badge.c.id, badge.c.type, badge.c.courseid, badge.c.status).where(
            badge.c.courseid.in_(inline(scope.courseids))
        )
    )
    if not found:
        return
    after = {"type": _SITE_BADGE, "courseid": None, "status": _ARCHIVED}
    writer.update_many(
        "badge", [RowChange(row.id, {name: getattr(row, name) for name in after}, after) for row in found]
    )
    moved = session.fetch(
        sa.select(files).where(files.c.contextid.in_(inline(scope.contextids)), files.c.component == "badges")
    )
    contextid = session.system_contextid
    writer.update_many(
        "files",
        [
            RowChange(
                row.id,
                {"contextid": row.contextid, "pathnamehash": row.pathnamehash},
                {"contextid": contextid, "pathnamehash": pathname_hash({**row._mapping, "contextid": contextid})},
            )
            for row in moved
        ],
    )
