"""What is in courses, by the names that people gave it: enough to tell whether content came into a course before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from sync.moodle.course_content.graph.content_source import ContentSource
from sync.moodle.course_content.graph.content_tables import CMS, SECTIONS
from sync.moodle.course_content.graph.graph import CourseGraph
from sync.moodle.course_content.graph.scope import inline
from sync.moodle.db.database import MoodleSession

# (kind of activity, its name), and (course_sections, name) of the sections that have one -> how many
Inventory = Counter[tuple[str, str]]


def fetch_inventories(session: MoodleSession, graph: CourseGraph, courseids: Sequence[int]) -> dict[int, Inventory]:
    """Return what is in courses of this site.

    Shape: course id -> inventory, empty ones too
    Queries: two, and one for each kind of activity in them; none without courses
    """
    found: dict[int, Inventory] = {courseid: Counter() for courseid in courseids}
    if not courseids:
        return found
    cm, modules, section = session.table(CMS), session.table("modules"), session.table(SECTIONS)
    ours = cm.c.course.in_(inline(courseids))
    kinds = session.fetch(sa.select(modules.c.name).join(cm, cm.c.module == modules.c.id).where(ours).distinct())
    for kind in sorted({name for (name,) in kinds} & graph.modules):
        instance = session.table(kind)
        statement = (
            sa.select(cm.c.course, instance.c.name)
            .join(modules, sa.and_(modules.c.id == cm.c.module, modules.c.name == kind))
            .join(instance, instance.c.id == cm.c.instance)
            .where(ours, cm.c.deletioninprogress == 0)
        )
        for courseid, name in session.fetch(statement):
            found[courseid][kind, name] += 1
    named = sa.select(section.c.course, section.c.name).where(
        section.c.course.in_(inline(courseids)), section.c.name != ""
    )
    for courseid, name in session.fetch(named):
        found[courseid][SECTIONS, name] += 1
    return found


def inventory_of(source: ContentSource, graph: CourseGraph) -> Inventory:
    """Return what a source holds."""
    found: Inventory = Counter()
    for table in sorted({SECTIONS, *graph.modules} & set(source.tables())):
        for batch in source.rows(table):
            found.update((table, name) for row in batch if (name := _name(row)))
    return found


def _name(row: Mapping[str, object]) -> str:
    return str(row.get("name") or "")
