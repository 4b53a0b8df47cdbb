"""Contexts: made with their paths, and moved with everything below them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import sqlalchemy as sa

from sync.moodle.db.writer import RowChange, Writer, batched

# How many trees one statement asks for.
_TREES_AT_ONCE = 50


class NewContext(NamedTuple):
    """A context to be made. Shape: parent_path: "/1/20" """

    level: int
    instanceid: int
    parent_path: str


class Context(NamedTuple):
    """Shape: path: ids from the system down to the context itself, "/1/20/50"."""

    id: int
    path: str


def insert_contexts(writer: Writer, new: Sequence[NewContext]) -> list[Context]:
    """Insert contexts; the path of each holds its own id, so it is set in a second step.

    Queries: two for each level, and one for each 1,000 contexts whose parents differ
    """
    contexts: dict[tuple[int, int], Context] = {}
    for level in sorted({context.level for context in new}):
        same_level = [context for context in new if context.level == level]
        rows = [
            {"contextlevel": level, "instanceid": context.instanceid, "path": None, "depth": 0, "locked": 0}
            for context in same_level
        ]
        ids = writer.insert_many("context", rows, ("contextlevel", "instanceid"))
        for context, contextid in zip(same_level, ids, strict=True):
            contexts[level, context.instanceid] = Context(contextid, f"{context.parent_path}/{contextid}")
    writer.complete_many(
        "context", {made.id: {"path": made.path, "depth": made.path.count("/")} for made in contexts.values()}
    )
    return [contexts[context.level, context.instanceid] for context in new]


def move_contexts(writer: Writer, moves: Sequence[tuple[str, str]]) -> None:
    """Move contexts, and all that is below them, to new paths.

    Shape: moves: (old path, new path), no one below another
    Queries: one, and the write, for each context that moves
    """
    context = writer.session.table("context")
    for old, new in moves:
        below = writer.session.fetch(
            sa.select(context.c.id, context.c.path, context.c.depth).where(
                sa.or_(context.c.path == old, context.c.path.like(f"{old}/%"))
            )
        )
        writer.update_many("context", [_moved(row, old, new) for row in below])


def move_context_trees(writer: Writer, paths: Mapping[str, str]) -> None:
    """Move contexts with all that is below them, where some of these lie below others: for each the nearest one counts.

    Shape: paths: old path -> new path; one that stays is named as well, where something goes from below it
    Queries: one for each 50 paths that lie below no other one, and the writes
    """
    context = writer.session.table("context")
    tops = [path for path in paths if nearest_path(path.rpartition("/")[0], paths) is None]
    for part in batched(sorted(tops), _TREES_AT_ONCE):
        below = [sa.or_(context.c.path == top, context.c.path.like(f"{top}/%")) for top in part]
        statement = (
            sa.select(context.c.id, context.c.path, context.c.depth).where(sa.or_(*below)).order_by(context.c.id)
        )
        changes = []
        for row in writer.session.fetch(statement):
            old = nearest_path(row.path, paths)
            if old is not None and paths[old] != old:
                changes.append(_moved(row, old, paths[old]))
        writer.update_many("context", changes)


def nearest_path(path: str, paths: Collection[str]) -> str | None:
    """Return the path itself or the nearest one above it that is among the paths."""
    while path and path not in paths:
        path = path.rpartition("/")[0]
    return path or None


def _moved(row: sa.Row[tuple[int, str, int]], old: str, new: str) -> RowChange:
    path = new + row.path.removeprefix(old)
    return RowChange(row.id, {"path": row.path, "depth": row.depth}, {"path": path, "depth": path.count("/")})
