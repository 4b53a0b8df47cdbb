"""Rows of `files` for copied content; what they stand for is in Moodle's pool already, once for all.

Source: spec course_graph.md sections 2a (item 6) and 32
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sync.moodle.course_content.graph.content_source import ContentSource, Row, is_content
from sync.moodle.course_content.graph.graph import CONTEXT, CourseGraph, GraphFileArea
from sync.moodle.course_content.restore.existing_rows import ExistingRows
from sync.moodle.course_content.restore.references import ReferenceResolver
from sync.moodle.db.writer import Writer, batched
from sync.moodle.files.files import pathname_hash

SLICE_ROWS = 5_000

# Areas that hang on the site although what they belong to is in the course.
SITE_AREAS = {("grade", "scale"), ("grade", "outcome")}
# Shown with the course's own row, which stays as it is where content is only added.
_OF_COURSE_ROW = {("course", "summary"), ("course", "overviewfiles")}


def restore_files(
    writer: Writer,
    content: CourseGraph,
    source: ContentSource,
    lookups: Sequence[ReferenceResolver],
    present: ExistingRows,
    *,
    now: int,
) -> list[int]:
    """Insert the rows of `files` for each target; return how many each got."""
    areas = {(area.component, area.filearea): area for area in content.file_areas}
    columns = writer.session.table("files").c
    counts = [0] * len(lookups)
    for batch in source.files():
        for places in batched(range(len(lookups)), max(1, SLICE_ROWS // max(1, len(batch)))):
            rows: list[Row] = []
            for place in places:
                lookup = lookups[place]
                stamps = {"userid": lookup.facts.operatorid, "timecreated": now, "timemodified": now}
                new = [{**placed, **stamps} for row in batch if (placed := _placed(row, areas, lookup))]
                if lookup.target.is_filled:
                    taken = present.file_hashes({row["pathnamehash"] for row in new})
                    new = [row for row in new if row["pathnamehash"] not in taken]
                counts[place] += len(new)
                rows += [{name: row[name] for name in row if name in columns and name != "id"} for row in new]
            writer.insert_many("files", rows, ("pathnamehash",))
    return counts


def _placed(row: Row, areas: Mapping[tuple[str, str], GraphFileArea], lookup: ReferenceResolver) -> Row | None:
    """Return the row at its new place; None for files of something that isn't in the copy."""
    place = (row["component"], row["filearea"])
    if lookup.target.is_filled and place in _OF_COURSE_ROW:
        return None
    contextid = row["contextid"] if place in SITE_AREAS else lookup.maps.get(CONTEXT, row["contextid"])
    itemid = _itemid(row, areas.get(place), lookup)
    if contextid is None or itemid is None or not is_content(row, areas):
        return None
    new = {**row, "contextid": contextid, "itemid": itemid}
    return {**new, "pathnamehash": pathname_hash(new)}


def _itemid(row: Row, area: GraphFileArea | None, lookup: ReferenceResolver) -> int | None:
    """Areas that aren't known keep their files only where these belong to no row."""
    old: int = row["itemid"]
    if area is None:
        return old if old == 0 else None
    if area.itemid in ("0", "revision") or old == 0:
        return old
    return lookup.maps.get(area.itemid, old)
