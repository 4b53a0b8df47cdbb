"""Names and summaries of the sections of courses that were made in the same transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from sync.moodle.db.writer import Writer

Topics = Mapping[int, Mapping[str, Any]]


def name_sections(writer: Writer, topics: Mapping[int, Topics], *, now: int) -> None:
    """Name sections by their numbers; those up to the highest number that aren't there are made.

    Shape: topics: course id -> number -> name, and summary where there is one
    Queries: two, and one for each combination of columns
    """
    if not topics:
        return
    section = writer.session.table("course_sections")
    statement = sa.select(section.c.id, section.c.course, section.c.section).where(section.c.course.in_(sorted(topics)))
    present = {(row.course, row.section): row.id for row in writer.session.fetch(statement)}
    changes: dict[tuple[str, ...], dict[int, dict[str, Any]]] = defaultdict(dict)
    missing = []
    for courseid, by_number in topics.items():
        for number in range(max(by_number) + 1):
            values = by_number.get(number, {})
            rowid = present.get((courseid, number))
            if rowid is None:
                missing.append(new_section(courseid, number, values, now=now))
            elif values:
                changes[tuple(values)][rowid] = dict(values)
    for same in changes.values():
        writer.complete_many("course_sections", same)
    writer.insert_many("course_sections", missing, ("course", "section"))


def new_section(courseid: int, number: int, values: Mapping[str, Any], *, now: int) -> dict[str, Any]:
    """Return the row of a section."""
    return {
        "course": courseid, "section": number, "name": None, "summary": "", "summaryformat": 1, "sequence": "", "visible": 1,
        "availability": None, "timemodified": now, **values,
    }  # fmt: skip
