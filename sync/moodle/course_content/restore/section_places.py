"""Where the sections of subsections stand once content is added to courses that have sections.

Mirrors: restore_section_structure_step::process_section() and displace_delegated_sections_after() of Moodle 4.5
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa

from sync.moodle.course_content.graph.content_source import ContentSource, CourseTarget
from sync.moodle.course_content.graph.content_tables import SECTIONS
from sync.moodle.course_content.restore.rows import number_of
from sync.moodle.db.writer import RowChange, Writer


class _Sections(NamedTuple):
    """Sections of one course. Shape: own: numbers of those of the course itself; delegated: (number, id) of the others"""

    own: list[int]
    delegated: list[tuple[int, int]]


def place_sections(writer: Writer, source: ContentSource, targets: Sequence[CourseTarget]) -> dict[int, dict[int, int]]:
    """Make room in courses that content is added to; return the numbers that new sections of subsections get.

    Those of subsections stand behind all of the course itself, the new ones first, the last of them in front.
    Shape: course id -> id in the content -> number
    Queries: two where content is added, and as many as one course has sections of subsections where these make room
    """
    table = writer.session.table(SECTIONS)
    courseids = sorted({target.courseid for target in targets if target.is_filled and not target.is_emptied})
    if not courseids or "component" not in table.c:
        return {}
    coming = [row for batch in source.rows(SECTIONS) for row in batch]
    arriving = [row["id"] for row in coming if row.get("component")]
    highest = max((number_of(row.get("section")) for row in coming if not row.get("component")), default=0)
    statement = sa.select(table.c.id, table.c.course, table.c.section, table.c.component)
    found: dict[int, _Sections] = defaultdict(lambda: _Sections([], []))
    for row in writer.session.fetch(statement.where(writer.session.in_clause(table.c.course, courseids))):
        if row.component:
            found[row.course].delegated.append((row.section, row.id))
        else:
            found[row.course].own.append(row.section)
    last = {courseid: max((*found[courseid].own, highest)) for courseid in courseids}
    _make_room(writer, [
        _moved(found[courseid].delegated, last[courseid] + len(arriving) + 1) for courseid in courseids
    ])  # fmt: skip
    return {
        courseid: {old: last[courseid] + 1 + place for place, old in enumerate(reversed(arriving))}
        for courseid in courseids
    }


def _moved(delegated: Sequence[tuple[int, int]], free: int) -> list[RowChange]:
    """Return the changes by which these stand from a number on in their order, the last first: each goes to a free number."""
    return [
        RowChange(rowid, {"section": number}, {"section": free + place})
        for place, (number, rowid) in reversed(list(enumerate(sorted(delegated))))
        if number < free + place
    ]


def _make_room(writer: Writer, by_course: Sequence[Sequence[RowChange]]) -> None:
    """Write the changes of each course one after the other, those of all courses side by side."""
    for turn in range(max(map(len, by_course), default=0)):
        writer.update_many(SECTIONS, [changes[turn] for changes in by_course if turn < len(changes)])
