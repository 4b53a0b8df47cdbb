"""What is in courses, by the names that people gave it: enough to tell whether content came into a course before."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa

from sync.moodle.course_content.graph.content_source import ContentSource
from sync.moodle.course_content.graph.content_tables import CMS, SECTIONS
from sync.moodle.course_content.graph.graph import CourseGraph
from sync.moodle.course_content.graph.scope import inline
from sync.moodle.course_content.restore.rows import number_of
from sync.moodle.db.database import MoodleSession


@dataclass(frozen=True)
class Inventory:
    """What is in a course. Shape: activities: (kind, name) -> how many; sections: number -> name, "" when it has none"""

    activities: Counter[tuple[str, str]] = field(default_factory=Counter)
    sections: Mapping[int, str] = field(default_factory=dict)

    def __add__(self, content: Inventory) -> Inventory:
        """Return what is there once content was added: sections that are there stay as they are."""
        return Inventory(self.activities + content.activities, {**content.sections, **self.sections})

    def gains_from(self, content: Inventory) -> bool:
        """Tell whether something comes when content is added: an activity, or a named section of a number that isn't there."""
        new = content.sections.keys() - self.sections.keys()
        return bool(content.activities - self.activities) or any(content.sections[number] for number in new)

    def lacks(self, content: Inventory) -> bool:
        """Tell whether an activity or a named section of the content is missing."""
        missing = Counter(filter(None, content.sections.values())) - Counter(self.sections.values())
        return bool(content.activities - self.activities or missing)


def fetch_inventories(session: MoodleSession, graph: CourseGraph, courseids: Sequence[int]) -> dict[int, Inventory]:
    """Return what is in courses of this site.

    Shape: course id -> inventory, empty ones too
    Queries: two, and one for each kind of activity in them; none without courses
    """
    if not courseids:
        return {}
    activities: dict[int, Counter[tuple[str, str]]] = defaultdict(Counter)
    sections: dict[int, dict[int, str]] = defaultdict(dict)
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
            activities[courseid][kind, name] += 1
    numbered = sa.select(section.c.course, section.c.section, section.c.name).where(
        section.c.course.in_(inline(courseids))
    )
    for courseid, number, name in session.fetch(numbered):
        sections[courseid][number] = name or ""
    return {courseid: Inventory(activities[courseid], sections[courseid]) for courseid in courseids}


def inventory_of(source: ContentSource, graph: CourseGraph) -> Inventory:
    """Return what a source holds."""
    present = set(source.tables())
    activities = Counter(
        (kind, name)
        for kind in sorted(graph.modules & present)
        for batch in source.rows(kind)
        for row in batch
        if (name := _name(row))
    )
    sections = source.rows(SECTIONS) if SECTIONS in present else ()
    return Inventory(activities, {number_of(row["section"]): _name(row) for batch in sections for row in batch})


def _name(row: Mapping[str, object]) -> str:
    return str(row.get("name") or "")
