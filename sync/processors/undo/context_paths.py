"""Where contexts go that an undo moves or inserts: below what is above them by now, with what was made in them since."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sync.moodle.course_content.graph.graph import CONTEXT
from sync.moodle.db.database import MoodleSession
from sync.moodle.db.writer import MAX_KEYS, RowChange, batched
from sync.moodle.site.contexts import nearest_path
from sync.moodle.versions import CONTEXT_COURSE, CONTEXT_COURSECAT
from sync.processors.base.overlay import Overlay, Table
from sync.processors.undo.histories import Histories
from sync.processors.undo.history import NetChange
from sync.processors.undo.owners import Ownership
from sync.processors.undo.rows import Rows
from sync.processors.undo.survey import UndoSurvey
from sync.processors.undo.taken_keys import mine

if TYPE_CHECKING:
    from sync.processors.undo.state import UndoLine, UndoState

# What is below them moves with them, and else nowhere.
_HOLD_OTHERS = (CONTEXT_COURSE, CONTEXT_COURSECAT)
# How many trees one statement asks for.
_TREES_AT_ONCE = 50


def ids_above(path: Any) -> list[int]:
    """Return the contexts above one, the nearest first. Shape: path: "/1/20/50", None where Moodle hasn't set it"""
    return [int(part) for part in reversed(str(path or "").strip("/").split("/")[:-1])]


class ContextPaths:
    """Queries: one for each 10,000 contexts above those of a chunk, and one for each 50 courses or categories that move back"""

    def __init__(self, session: MoodleSession, overlay: Overlay, survey: UndoSurvey, histories: Histories) -> None:
        self._session = session
        self._overlay = overlay
        self._survey = survey
        self._histories = histories

    def correct(self, lines: Sequence[UndoLine]) -> None:
        """Let each line give its context the path that it has below the nearest one above it that stays where it is by now."""
        lines = [line for line in lines if line.history.before.get("path")]
        above = {contextid for line in lines for contextid in ids_above(line.history.before["path"])}
        staying = self._paths_of_staying(above) if above else {}
        for line in lines:
            old = str(line.history.before["path"])
            nearest = next((contextid for contextid in ids_above(old) if contextid in staying), None)
            path = f"{staying[nearest]}/{old.partition(f'/{nearest}/')[2]}" if nearest is not None else old
            if path != old:
                before = {**line.history.before, "path": path, "depth": path.count("/")}
                line.history = line.history._replace(before=before)

    def _paths_of_staying(self, ids: Collection[int]) -> dict[int, str]:
        """Return the paths of contexts that are there, and that no line of the undo moves back from where they are."""
        rows = self._paths_of(ids)
        moved = self._histories.changed(CONTEXT, rows.keys())
        return {
            rowid: row["path"]
            for rowid, row in rows.items()
            if row.get("path") and (rowid not in moved or "path" not in mine(moved[rowid], row))
        }

    def _paths_of(self, ids: Collection[int]) -> Mapping[int, Mapping[str, Any]]:
        context = self._session.table(CONTEXT)
        found: Rows = {}
        for part in batched(sorted(ids), MAX_KEYS):
            statement = sa.select(context.c.id, context.c.path).where(self._session.in_clause(context.c.id, part))
            found.update((row.id, dict(row._mapping)) for row in self._session.fetch(statement))
        return self._overlay.over(Table(CONTEXT), found, keys=ids).rows

    def following(
        self, state: UndoState, lines: Sequence[UndoLine], ownership: Ownership
    ) -> list[tuple[int, RowChange]]:
        """Return how contexts move that no line names, since they were made below those that move back after the run.

        Shape: line that moves the one above, change
        """
        moving = {live["path"]: line for line in lines if (live := _moving(state, line)) is not None}
        found = {row["id"]: row for row in self._fetch_below(moving)}
        left = self._overlay.over(Table(CONTEXT), found).rows
        changes: list[tuple[int, RowChange]] = []
        for rowid in sorted(left.keys() - self._own_lines(state, lines, left.keys(), ownership)):
            row = left[rowid]
            if (old := nearest_path(row["path"], moving)) is not None:
                path = moving[old].history.before["path"] + row["path"].removeprefix(old)
                after = {"path": path, "depth": path.count("/")}
                changes.append((moving[old].line, RowChange(rowid, {name: row[name] for name in after}, after)))
        return changes

    def _fetch_below(self, paths: Collection[str]) -> Iterator[dict[str, Any]]:
        context = self._session.table(CONTEXT)
        tops = [path for path in paths if nearest_path(path.rpartition("/")[0], paths) is None]
        for part in batched(sorted(tops), _TREES_AT_ONCE):
            below = sa.or_(*(context.c.path.like(f"{top}/%") for top in part))
            statement = sa.select(context.c.id, context.c.path, context.c.depth).where(below)
            yield from (dict(row._mapping) for row in self._session.fetch(statement))

    def _own_lines(
        self, state: UndoState, lines: Sequence[UndoLine], ids: Collection[int], ownership: Ownership
    ) -> set[int]:
        """Return the contexts that lines of their own move or take away, in this chunk or another."""
        new = self._survey.ids_among(NetChange.INSERT, CONTEXT, ids)
        kept = {line.id for line in lines if line.line in state.obstacles}
        owners = ownership.owners_of(CONTEXT, new)
        going = {each for each in new if each not in kept and ownership.use_of(owners.get(each, ())) is None}
        return self._survey.ids_among(NetChange.UPDATE, CONTEXT, ids) | going


def _moving(state: UndoState, line: UndoLine) -> Mapping[str, Any] | None:
    """Return the context as it is, where its line moves it with all that is below."""
    live = state.live(line)
    if live is None or line.history.change is not NetChange.UPDATE or line.line in state.obstacles:
        return None
    return live if live["contextlevel"] in _HOLD_OTHERS and "path" in mine(line.history, live) else None
