"""The tables that go into a copy of a course, and the order in which their rows are inserted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from graphlib import TopologicalSorter

from sync.moodle.course_content.graph.graph import CONTEXT, COURSE, CourseGraph, GraphTable, Kind

BLOCKS, CMS, SECTIONS = "block_instances", "course_modules", "course_sections"
# Steps between the tables: the contexts of activities and of blocks are made.
CONTEXTS_OF_ACTIVITIES, CONTEXTS_OF_BLOCKS = "contexts of activities", "contexts of blocks"

_COPIED = (Kind.ROOT, Kind.CONTENT, Kind.MIXED)
# Not copied although they are content: everything that these rows hold is private.
_NOTES = "post"
_MODULE = "mod_"
# What a table refers to in a way that graph.json can't say in one word, or that is better there before.
_EARLIER: Mapping[str, tuple[str, ...]] = {
    "course_sections": ("subsection",),
    "course_modules": ("course_sections", "groupings"),
    "course_format_options": ("course_sections",),
    "grade_items": ("grade_categories", "scale", "grade_outcomes"),
    "customfield_data": ("groups", "groupings"),
    "event": ("groups",),
    "badge_criteria_param": ("course_modules",),
    "workshop_grades": (
        "workshopform_accumulative",
        "workshopform_comments",
        "workshopform_numerrors",
        "workshopform_rubric",
    ),
}


def content_graph(graph: CourseGraph) -> CourseGraph:
    """Return the graph of what is copied: content tables only, with the ways by which rows go along."""
    copied = {
        table.name: replace(table, links=tuple(link for link in table.links if link.is_copied), is_kept=False)
        for table in graph.tables.values()
        if table.kind in _COPIED and table.is_copied and table.links and table.name != _NOTES
    }
    return replace(graph, tables=_without_orphans(copied))


def insert_order(content: CourseGraph) -> list[str]:
    """Return the tables, and between them the two steps that make contexts, so that what is referred to comes first."""
    before: dict[str, set[str]] = {
        CONTEXTS_OF_ACTIVITIES: {CMS},
        CONTEXTS_OF_BLOCKS: {BLOCKS, CONTEXTS_OF_ACTIVITIES},
        "tag_instance": {name for name in content.tables if name != "tag_instance"},
    }
    for table in content.tables.values():
        for earlier in _earlier(content, table):
            before.setdefault(table.name, set()).add(earlier)
        for link in table.links:
            if link.parent == CONTEXT:
                of_what = CONTEXTS_OF_ACTIVITIES if table.name == BLOCKS else CONTEXTS_OF_BLOCKS
                before.setdefault(table.name, set()).add(of_what)
            elif link.parent != COURSE and link.fk == "id":
                # The parent holds the id of the child.
                before.setdefault(link.parent, set()).add(table.name)
            elif link.parent != COURSE:
                before.setdefault(table.name, set()).add(link.parent)
    return list(TopologicalSorter({name: sorted(earlier) for name, earlier in before.items()}).static_order())


def _earlier(content: CourseGraph, table: GraphTable) -> Iterable[str]:
    yield from (name for name in _EARLIER.get(table.name, ()) if name in content.tables)
    if table.name in (CMS, "grade_items"):
        yield from (root for root in content.modules)
    for reference in table.references:
        if reference.how == "id" and reference.to in content.tables and reference.to != table.name:
            yield reference.to


def _without_orphans(tables: dict[str, GraphTable]) -> dict[str, GraphTable]:
    """Leave out tables none of whose parents is copied."""
    known = {COURSE, CONTEXT, *tables}
    kept = {
        name: replace(table, links=links)
        for name, table in tables.items()
        if (links := tuple(link for link in table.links if link.parent in known))
    }
    return kept if len(kept) == len(tables) else _without_orphans(kept)
