"""What becomes of each line of an undo. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection
from typing import Any

from sync.moodle.course_content.graph.graph import CONTEXT
from sync.moodle.db.writer import RowChange
from sync.processors.base.overlay import ChangedRows, FoundRows, Table
from sync.processors.undo.history import NetChange, is_same
from sync.processors.undo.operations import Row, TakeBack, UndoPlan, courseids_of
from sync.processors.undo.references import USER
from sync.processors.undo.rules import CACHE_REVISION, ORDERED_TABLES, is_neutral, is_secret
from sync.processors.undo.state import UndoLine, UndoState
from sync.values import CHANGED_ACTIONS, Action, Change, Note, Outcome, partial_outcome

_SHOWN = 200


class UndoPlanner:
    """Plans the lines of a chunk. Shape: wanted: the lines that are to be planned"""

    def __init__(self, state: UndoState, wanted: Collection[int]) -> None:
        self._state = state
        self._wanted = wanted
        self._plan = UndoPlan(state.now)
        self._new: dict[str, list[Row]] = defaultdict(list)
        self._changed: dict[str, list[RowChange]] = defaultdict(list)
        self._old: dict[str, list[Row]] = defaultdict(list)
        self._courseids: set[int] = set()
        self._rows: dict[str, ChangedRows] = {}

    def plan(self) -> UndoPlan:
        """Return the writes, and one outcome for each line."""
        plan = {
            NetChange.INSERT: self._take_away,
            NetChange.UPDATE: self._change_back,
            NetChange.DELETE: self._bring_back,
            NetChange.NOTHING: self._as_before,
        }
        for line in (line for line in self._state.lines if line.line in self._wanted):
            outcome = self._hindered(line) or plan[line.history.change](line)
            self._plan.outcomes.append(outcome)
        for table, changes in self._state.ahead.items():
            for rowid, change in changes.items():
                self._change_ahead(table, rowid, change)
        for lineno, change in self._state.following:
            if lineno in self._wanted:
                self._changed[CONTEXT].append(change)
                self._rows_of(CONTEXT).put(change.id, {"id": change.id, **change.after}, lineno)
        # What comes back as it was is what Moodle may have cached; what goes isn't asked for any more.
        returned = {row["id"] for row in (*self._old["course"], *self._new["course"])}
        done = [outcome.line for outcome in self._plan.outcomes if outcome.action in CHANGED_ACTIONS]
        self._plan.take_back = TakeBack(
            done,
            {table: rows for table, rows in self._new.items() if rows},
            {table: rows for table, rows in self._changed.items() if rows},
            {table: rows for table, rows in self._old.items() if rows},
            self._state.trashed,
            self._courseids - returned,
        )
        return self._plan

    def _hindered(self, line: UndoLine) -> Outcome | None:
        obstacle = self._state.obstacles.get(line.line)
        if obstacle is None:
            return None
        code, params = obstacle.note
        if obstacle.is_failure:
            return Outcome(line.line, Action.REJECTED, code, params, line.subject)
        if line.history.change is NetChange.INSERT and self._state.live(line) is None and line.id is not None:
            return self._as_before(line)
        return self._kept(line, code, params)

    def _kept(self, line: UndoLine, code: str, params: Any) -> Outcome:
        # With a note the report lists the row.
        return Outcome(line.line, Action.UNCHANGED, code, params, line.subject, notes=(Note("undo_kept", {}),))

    def _as_before(self, line: UndoLine) -> Outcome:
        return Outcome(line.line, Action.UNCHANGED, "undo_as_before", {}, line.subject)

    def _take_away(self, line: UndoLine) -> Outcome:
        live = self._state.live(line)
        if live is None:
            return self._as_before(line) if line.id is not None else self._kept(line, "undo_kept_unknown", {})
        self._new[line.table].append(live)
        self._note(line, lambda rows: rows.remove(live["id"], line.line), live)
        return Outcome(line.line, Action.DELETED, "undo_row_deleted", _whom(line.table, live), line.subject)

    def _bring_back(self, line: UndoLine) -> Outcome:
        live, before = self._state.live(line), dict(line.history.before)
        if live is not None:
            if all(is_same(value, live.get(name)) or is_neutral(line.table, name) for name, value in before.items()):
                return self._as_before(line)
            return Outcome(line.line, Action.REJECTED, "undo_id_taken", {}, line.subject)
        self._old[line.table].append(before)
        marked = {"id": before["id"], "deleted": before.get("deleted", 0)}
        self._note(line, lambda rows: rows.put(before["id"], self._noted(before) | marked, line.line), before)
        return Outcome(line.line, Action.CREATED, "undo_row_inserted", _whom(line.table, before), line.subject)

    def _change_back(self, line: UndoLine) -> Outcome:
        live, history = self._state.live(line), line.history
        if live is None:
            return self._kept(line, "undo_kept_gone", {})
        columns = [name for name in history.columns if name in live]
        mine = [name for name in columns if is_same(live[name], history.left[name])]
        done = self._state.done_ahead.get((line.table, live["id"]), ())
        ahead = [name for name in done if name in columns and name not in mine]
        others = [
            name for name in columns
            if name not in mine and not is_same(live[name], history.before[name]) and not is_neutral(line.table, name)
        ]  # fmt: skip
        if not (mine or ahead) or (others and all(is_neutral(line.table, name) for name in [*mine, *ahead])):
            return (
                self._kept(line, "undo_kept_columns", {"columns": ", ".join(others)})
                if others
                else self._as_before(line)
            )
        back = {name: history.before[name] for name in mine if name != CACHE_REVISION}
        if back:
            self._changed[line.table].append(RowChange(live["id"], {name: live[name] for name in back}, back))
        # With what a part before this one has changed back, so that others could have their names.
        told = {name: history.before[name] for name in columns if name in back or name in ahead}
        left = self._noted(live) | self._noted(back)
        self._note(line, lambda rows: rows.put(live["id"], left, line.line), live)
        outcome = Outcome(
            line.line,
            Action.UPDATED,
            "undo_row_changed_back",
            _whom(line.table, {**live, **history.before}),
            line.subject,
            _shown(line.table, {**live, **{name: history.left[name] for name in ahead}}, told),
        )
        if not others:
            return outcome
        return partial_outcome(outcome, [Note("undo_columns_kept", {"columns": ", ".join(others)})])

    def _change_ahead(self, table: str, rowid: int, change: RowChange) -> None:
        """Let a row of a later part have its names back, so that others can have theirs."""
        self._changed[table].append(change)
        self._plan.ahead.append((table, rowid, list(change.after)))
        self._rows_of(table).put(rowid, {"id": rowid, **change.after}, self._state.lines[0].line)

    def _note(self, line: UndoLine, change: Callable[[ChangedRows], None], row: dict[str, Any]) -> None:
        """Note what becomes of a row, for later lines of a simulation and for what follows from it."""
        table = line.table
        change(self._rows_of(table))
        self._courseids |= courseids_of(table, row)
        self._plan.fixes_order = self._plan.fixes_order or table in ORDERED_TABLES

    def _rows_of(self, table: str) -> ChangedRows:
        if table not in self._rows:
            live = {rowid: self._noted(found) for rowid, found in self._state.rows[table].items()}
            self._rows[table] = self._plan.change(FoundRows(Table(table), live))
        return self._rows[table]

    def _noted(self, row: dict[str, Any]) -> dict[str, Any]:
        """Return of a row what later lines ask for, or those of later files."""
        return row if self._state.notes_whole_rows else {name: row[name] for name in ("id", "deleted") if name in row}


def _whom(table: str, row: dict[str, Any]) -> dict[str, Any]:
    """Return whom a row is about, so that the audit finds and seals what becomes of it."""
    if table == USER:
        return {"username": row.get("username", ""), "userid": row["id"]}
    return {"userid": row["userid"]} if row.get("userid") else {}


def _shown(table: str, live: dict[str, Any], back: dict[str, Any]) -> tuple[Change, ...]:
    return tuple(
        Change(name, _text(live[name]), _text(back[name])) for name in back if not is_secret(table, name)
    )  # fmt: skip


def _text(value: Any) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
