"""Rows that don't come back, or don't go back to where they were: what they would belong to is gone."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sync.moodle.course_content.graph.graph import CONTEXT, COURSE, load_graph
from sync.moodle.db.database import MoodleSession
from sync.moodle.versions import CONTEXT_COURSE, CONTEXT_COURSECAT, CONTEXT_MODULE
from sync.processors.base.overlay import Overlay, Table
from sync.processors.undo.context_paths import ids_above
from sync.processors.undo.history import NetChange
from sync.processors.undo.references import CATEGORY, MODULE, Naming, needed_rows
from sync.processors.undo.rows import fetch_present
from sync.processors.undo.rules import OF_LIVING_USERS
from sync.processors.undo.survey import UndoSurvey
from sync.processors.undo.taken_keys import mine
from sync.values import Note

if TYPE_CHECKING:
    from sync.processors.undo.state import UndoLine, UndoState

_TABLE_OF_LEVEL = {CONTEXT_COURSECAT: CATEGORY, CONTEXT_COURSE: COURSE, CONTEXT_MODULE: MODULE}


class Orphans:
    """Queries: one for each table that rows of a chunk belong to, and 10,000 of these, until no further row stays away"""

    def __init__(self, session: MoodleSession, overlay: Overlay, survey: UndoSurvey) -> None:
        self._session = session
        self._overlay = overlay
        self._survey = survey
        self._graph = load_graph()

    def find(self, state: UndoState, coming: Mapping[str, Sequence[UndoLine]]) -> Iterator[tuple[UndoLine, Note]]:
        """Return the lines whose rows would belong to something that is gone.

        Shape: coming: table -> lines that insert or change rows, those that have an obstacle by now are left out
        """
        for table, lines in coming.items():
            waiting = [line for line in lines if line.line not in state.obstacles]
            for choices in needed_rows(table, self._graph) if waiting else ():
                yield from self._without(state, table, waiting, choices)
            if table == CONTEXT:
                yield from self._below_gone(state, waiting)

    def _without(
        self, state: UndoState, table: str, lines: Sequence[UndoLine], choices: Sequence[Naming]
    ) -> Iterator[tuple[UndoLine, Note]]:
        missing = {line.line: line for line in lines}
        for naming in choices:
            asked = {line.line: _named(state, line, naming.column) for line in missing.values()}
            present = self._there(state, naming.table, {*asked.values()} - {0})
            if table in OF_LIVING_USERS and naming.table == "user":
                present = {rowid: row for rowid, row in present.items() if not _is_deleted(state, row)}
            missing = {
                number: line for number, line in missing.items() if asked[number] and asked[number] not in present
            }
        for line in missing.values():
            named = {"table": choices[0].table, "id": line.history.before.get(choices[0].column)}
            yield line, Note("undo_parent_gone", named)

    def _below_gone(self, state: UndoState, lines: Sequence[UndoLine]) -> Iterator[tuple[UndoLine, Note]]:
        """A context belongs to what it is of, and to all contexts above it."""
        needed = {
            line.line: [(CONTEXT, contextid) for contextid in reversed(ids_above(_value(state, line, "path")))]
            for line in lines
        }
        for level, table in _TABLE_OF_LEVEL.items():
            of_level = [line for line in lines if line.history.before.get("contextlevel") == level]
            # Where Moodle has left a context without it, that comes back as it was.
            gone_with_it = self._survey.lines_of_deleted(
                table, {line.history.before["instanceid"] for line in of_level}
            )
            for line in of_level:
                if line.history.before["instanceid"] in gone_with_it:
                    needed[line.line].append((table, line.history.before["instanceid"]))
        asked: dict[str, set[int]] = {}
        for table, rowid in (each for found in needed.values() for each in found):
            asked.setdefault(table, set()).add(rowid)
        there = {table: self._there(state, table, ids) for table, ids in asked.items()}
        for line in lines:
            gone = next(((table, rowid) for table, rowid in needed[line.line] if rowid not in there[table]), None)
            if gone is not None:
                yield line, Note("undo_parent_gone", {"table": gone[0], "id": gone[1]})

    def _there(self, state: UndoState, table: str, ids: Collection[int]) -> dict[int, Mapping[str, Any]]:
        """Return which rows are there, or come back by the lines of this file."""
        there: dict[int, Mapping[str, Any]] = {}
        if ids and self._session.database.has_table(table):
            found = fetch_present(self._session, table, ids)
            there.update(self._overlay.over(Table(table), found, keys=ids).rows)
        first, last = state.lines[0].line, state.lines[-1].line
        lines = self._survey.lines_of_deleted(table, [rowid for rowid in ids if rowid not in there])
        for rowid, line in lines.items():
            # What earlier chunks didn't bring back stays away.
            if line > last or (line >= first and line not in state.obstacles):
                there[rowid] = {"id": rowid, "deleted": 0}
        return there


def _named(state: UndoState, line: UndoLine, column: str) -> int:
    """Return the row that a column names as the undo is to leave it; 0 where it names none, or isn't changed."""
    return int(_value(state, line, column) or 0)


def _value(state: UndoState, line: UndoLine, column: str) -> Any:
    live = state.live(line)
    if line.history.change is NetChange.UPDATE and (live is None or column not in mine(line.history, live)):
        return None
    return line.history.before.get(column)


def _is_deleted(state: UndoState, user: Mapping[str, Any]) -> bool:
    """Return whether a user is deleted, and stays so."""
    return bool(user.get("deleted")) and user["id"] not in state.reviving
