"""What of copied rows could only be said once all new ids were known: references in circles, links in texts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sync.moodle.course_content.graph.content_source import LinkRewriter, Row
from sync.moodle.course_content.restore.references import LEFT_OUT, ReferenceResolver, ReferenceRule
from sync.moodle.db.writer import Writer

SLICE_ROWS = 5_000


@dataclass
class DeferredReferences:
    """What waits in a table.

    Shape: rules: for columns; texts: columns that may hold links; rows: old id, and the old values of the columns that are
    to be looked at, with those that the rules look at beside
    """

    rules: Sequence[ReferenceRule]
    texts: Sequence[str]
    rows: list[tuple[int, Row]] = field(default_factory=list)

    def rewritten(self, values: Row, lookup: ReferenceResolver) -> Row:
        """Return the columns that differ from what the first pass wrote: the old values."""
        new = {
            rule.column: rule.rewrite(values[rule.column], values, lookup)
            for rule in self.rules
            if rule.column in values
        }
        new |= {name: lookup.rewrite(values[name]) for name in self.texts if name in values and name not in new}
        return {name: None if value is LEFT_OUT else value for name, value in new.items() if value != values[name]}


def deferred_rows(batch: Sequence[Row], waiting: DeferredReferences, links: LinkRewriter) -> Iterator[tuple[int, Row]]:
    """Return what is to be looked at again, of the rows where there is anything."""
    ruled = {rule.column for rule in waiting.rules}
    for row in batch:
        values = {name: row[name] for name in ruled if row.get(name)}
        for rule in waiting.rules:
            if rule.column in values:
                values |= {name: row.get(name) for name in rule.beside}
        for name in waiting.texts:
            text = row.get(name)
            if name not in ruled and isinstance(text, str) and links.has_links(text):
                values[name] = text
        if values:
            yield row["id"], values


def rewrite_deferred(
    writer: Writer,
    table: str,
    waiting: DeferredReferences,
    lookups: Sequence[ReferenceResolver],
    reused: Sequence[Collection[tuple[str, int]]],
) -> None:
    """Write what waited in a table, for all targets.

    Shape: reused: for each target, (table, old id) of what was there before; it stays as it is
    """
    changes: dict[tuple[str, ...], dict[int, Row]] = defaultdict(dict)
    for lookup, present in zip(lookups, reused, strict=True):
        for old, values in waiting.rows:
            rowid = lookup.maps.get(table, old)
            if rowid is None or (table, old) in present:
                continue
            new = waiting.rewritten(values, lookup)
            if new:
                same = changes[tuple(new)]
                same[rowid] = new
                if len(same) >= SLICE_ROWS:
                    writer.complete_many(table, changes.pop(tuple(new)))
    for same in changes.values():
        writer.complete_many(table, same)


def rewrite_courses(writer: Writer, lookups: Sequence[ReferenceResolver]) -> None:
    """Write the columns of the courses themselves that came from the source and refer to its content."""
    changes: dict[tuple[str, ...], dict[int, Row]] = defaultdict(dict)
    for lookup in lookups:
        given = lookup.target.values
        new: dict[str, Any] = {}
        if given.get("defaultgroupingid"):
            new["defaultgroupingid"] = lookup.maps.get("groupings", given["defaultgroupingid"]) or 0
        if given.get("summary") and lookup.source.links.has_links(given["summary"]):
            new["summary"] = lookup.rewrite(given["summary"])
        if new:
            changes[tuple(new)][lookup.target.courseid] = new
    for same in changes.values():
        writer.complete_many("course", same)
