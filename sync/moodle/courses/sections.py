"""Names and summaries of the sections of courses that were made in the same transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any

import sqlalchemy as sa

from sync.moodle.db.writer import Writer

Topics = Mapping[int, Mapping[str, Any]]


def name_sections(writer: Writer, topics: Mapping[int, Topics], *, now: int) -> None:
    """Name sections by their numbers; those up to the highest number that aren't there are made, before those of subsections.

    Shape: topics: course id -> number -> name, and summary where there is one
    Queries: two, and one for each combination of columns
    """
    if not topics:
        return
    section = writer.session.table("course_sections")
    component = section.c.component if "component" in section.c else sa.null()
    statement = sa.select(section.c.id, section.c.course, section.c.section, component.label("component"))
    by_course: dict[int, dict[int, Any]] = defaultdict(dict)
    for row in writer.session.fetch(statement.where(section.c.course.in_(sorted(topics)))):
        by_course[row.course][row.section] = row
    present = {
        (courseid, number): row.id
        for courseid, rows in by_course.items()
        for number, row in rows.items()
        if not row.component
    }
    for courseid, by_number in topics.items():
        own = [number for of, number in present if of == courseid]
        moved = displaced(by_course[courseid], own, max(by_number))
        writer.complete_many(
            "course_sections", {by_course[courseid][old].id: {"section": new} for old, new in moved.items()}
        )
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


def displaced(numbers: Collection[int], own: Collection[int], highest: int) -> dict[int, int]:
    """Return the sections of subsections that make room for those of the course itself up to a number.

    Mirrors: displace_delegated_sections_after(): they come after the others
    Shape: numbers: of all sections; own: those of the course itself; old number -> new one, which nothing has
    """
    free = max((*numbers, highest)) + 1
    moving = sorted(number for number in numbers if number not in own and number <= highest)
    return {number: free + place for place, number in enumerate(moving)}


def new_section(courseid: int, number: int, values: Mapping[str, Any], *, now: int) -> dict[str, Any]:
    """Return the row of a section."""
    return {
        "course": courseid, "section": number, "name": None, "summary": "", "summaryformat": 1, "sequence": "", "visible": 1,
        "availability": None, "timemodified": now, **values,
    }  # fmt: skip
