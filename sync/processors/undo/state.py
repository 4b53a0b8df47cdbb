"""What the lines of an undo are about: the histories of their rows, the rows as they are now, and what keeps some as they are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.utils.functional import cached_property

from sync.columns.cells import Cells
from sync.columns.clean import integer, one_of, text
from sync.columns.column import OptionalColumn, RequiredColumn
from sync.moodle.course_content.graph.graph import CONTEXT
from sync.moodle.db.database import MoodleSession
from sync.moodle.db.writer import RowChange
from sync.moodle.files.file_pool import FilePool, file_pool_of
from sync.processors.base.context import Journal
from sync.processors.base.overlay import Overlay, Table
from sync.processors.undo.context_paths import ContextPaths
from sync.processors.undo.histories import Histories
from sync.processors.undo.history import NetChange, RowHistory, history_of, places_of
from sync.processors.undo.orphans import Orphans
from sync.processors.undo.owners import Owner, Ownership, Use, changed_columns
from sync.processors.undo.protection import Protection
from sync.processors.undo.references import CATEGORY, PARENT_COLUMNS, fetch_references
from sync.processors.undo.rows import Rows, UniqueKeys, fetch_present, fetch_rows, find_by_values
from sync.processors.undo.rules import ALIKE_AT_TIMES, SESSIONS, WORK_LISTS
from sync.processors.undo.survey import UndoSurvey
from sync.processors.undo.taken_keys import ComingRow, TakenKeys, coming_row
from sync.values import Note

_HIGHEST_ID = 2**63 - 1


class UndoCells(Cells):
    """One row of Moodle that the run has made, changed or deleted."""

    # fmt: off
    __slots__ = ()

    change = RequiredColumn(one_of(NetChange.named()))
    table = RequiredColumn(text(64))
    id = OptionalColumn(integer(1, _HIGHEST_ID))
    entries = RequiredColumn(text(None))


@dataclass
class UndoLine:
    """One line: a row of Moodle that the run changed. Shape: id: None where it isn't known, and wasn't found."""

    line: int
    table: str
    id: int | None
    history: RowHistory

    @property
    def subject(self) -> str:
        return f"{self.table} {self.id}" if self.id is not None else self.table


class Obstacle(NamedTuple):
    """Why a row stays as it is. Shape: is_failure: somebody has to look at it, it wasn't changed by somebody since"""

    note: Note
    is_failure: bool = False


@dataclass
class UndoState:
    """Shape: rows: table -> rows as they are now; obstacles: line -> what keeps its row as it is; trashed: contents of files
    that come back, and lie in Moodle's trash; listed: what the run put on the list of deletions, table and id;
    notes_whole_rows: later files are planned on what this one leaves; ahead: table -> id of a row of a later part -> what changes
    back now; done_ahead: table and id -> columns that an earlier part has changed back; following: contexts that
    move with those above them, and the lines of these
    """

    now: int
    lines: list[UndoLine] = field(default_factory=list)
    rows: dict[str, Rows] = field(default_factory=dict)
    obstacles: dict[int, Obstacle] = field(default_factory=dict)
    trashed: set[str] = field(default_factory=set)
    listed: Sequence[tuple[str, int]] = ()
    notes_whole_rows: bool = False
    ahead: dict[str, dict[int, RowChange]] = field(default_factory=dict)
    done_ahead: Mapping[tuple[str, int], Sequence[str]] = field(default_factory=dict)
    following: Sequence[tuple[int, RowChange]] = ()

    @cached_property
    def reviving(self) -> set[int | None]:
        """The users that lines of this chunk bring back."""
        return {line.id for line in self.lines if line.table == "user" and line.history.before.get("deleted") == 0}

    def live(self, line: UndoLine) -> dict[str, Any] | None:
        """Return the row of a line as it is now."""
        return self.rows.get(line.table, {}).get(line.id) if line.id is not None else None


class StateReader:
    """Reads the state of a chunk: whole sets, one query for each table (or column that may name its rows) and 10,000 rows."""

    def __init__(self, session: MoodleSession, overlay: Overlay, journal: Journal, survey: UndoSurvey) -> None:
        self._session = session
        self._overlay = overlay
        self._journal = journal
        self._survey = survey
        self._keys = UniqueKeys(session)
        self._pool: FilePool | None = file_pool_of(session.database.settings)
        self.ownership = Ownership(session, overlay, journal, survey)
        self._histories = Histories(session, overlay, journal, survey)
        self._orphans = Orphans(session, overlay, survey)
        self._context_paths = ContextPaths(session, overlay, survey, self._histories)
        self._protection = Protection(session, self.ownership)

    def read(self, rows: Sequence[UndoCells], *, now: int) -> UndoState:
        """Return the state that the lines find."""
        state = UndoState(now, self._read_lines(rows), notes_whole_rows=self._overlay.spans_files)
        by_table: dict[str, list[UndoLine]] = defaultdict(list)
        for line in state.lines:
            by_table[line.table].append(line)
        for table, lines in by_table.items():
            if table == SESSIONS:
                self._hinder(state, lines, Obstacle(Note("undo_kept_session", {})))
            elif not self._session.database.has_table(table):
                self._hinder(state, lines, Obstacle(Note("undo_table_gone", {"table": table}), is_failure=True))
            else:
                self._find_unknown(table, [line for line in lines if line.id is None])
                ids = {line.id for line in lines if line.id is not None}
                state.rows[table] = self._known(table, fetch_rows(self._session, table, ids), ids)
        if CONTEXT in state.rows:
            self._context_paths.correct(by_table[CONTEXT])
        for line, note in self._protection.refusals(state, by_table):
            self._hinder(state, [line], Obstacle(note, is_failure=True))
        self._keep_owned(state, by_table)
        self._keep_changed(state)
        # One that is kept may name another.
        while self._keep_named(state, by_table):
            pass
        returning = {
            table: [
                line for line in by_table[table] if line.history.change is NetChange.DELETE and state.live(line) is None
            ]
            for table in state.rows
        }
        for table in state.rows:
            self._refuse_taken_keys(state, table, by_table[table])
        self._look_for_contents(state, returning.get("files", ()))
        self._refuse_orphans(state, by_table, returning)
        if CONTEXT in state.rows:
            state.following = self._context_paths.following(state, by_table[CONTEXT], self.ownership)
        return state

    def _read_lines(self, rows: Sequence[UndoCells]) -> list[UndoLine]:
        places = {row.line: places_of(row.entries) for row in rows}
        images = self._journal.images([place for found in places.values() for place in found])
        return [
            UndoLine(
                row.line,
                row.table,
                row.id,
                history_of([images[place] for place in places[row.line]]),
            )
            for row in rows
        ]

    def _find_unknown(self, table: str, lines: Sequence[UndoLine]) -> None:
        """Find the ids of new rows that the server didn't tell, by what they hold."""
        if lines:
            found = find_by_values(self._session, table, [line.history.left for line in lines])
            for line, rowid in zip(lines, found, strict=True):
                line.id = rowid

    def _known(self, table: str, rows: Rows, ids: Collection[int]) -> Rows:
        """Leave out the rows that earlier lines of a simulation have taken away; of earlier files, all that they leave counts."""
        if self._overlay.spans_files:
            return {rowid: dict(row) for rowid, row in self._overlay.over(Table(table), rows, keys=ids).rows.items()}
        found = self._overlay.over(Table(table), {rowid: {"id": rowid} for rowid in rows}).rows
        return {rowid: row for rowid, row in rows.items() if rowid in found}

    def _present(self, table: str, ids: Collection[int]) -> Mapping[int, Mapping[str, Any]]:
        """Return which rows are there, as earlier lines of a simulation would leave them."""
        if not self._session.database.has_table(table):
            return {}
        return self._overlay.over(Table(table), fetch_present(self._session, table, ids), keys=ids).rows

    def _keep_owned(self, state: UndoState, by_table: Mapping[str, list[UndoLine]]) -> None:
        """Keep what belongs to somebody or something that is kept."""
        for table, lines in by_table.items():
            new = [line for line in lines if line.history.change is NetChange.INSERT and line.id is not None]
            owners = self.ownership.owners_of(table, [line.id for line in new if line.id is not None])
            for line in new:
                found = self.ownership.use_of(owners.get(line.id or 0, ()))
                if found is not None and table not in WORK_LISTS:
                    owner, use = found
                    note = Note(use.code, {"owner": f"{owner.table} {owner.id}", "table": use.table})
                    self._hinder(state, [line], Obstacle(note))
        self._keep_sections(state, by_table)

    def _keep_sections(self, state: UndoState, by_table: Mapping[str, list[UndoLine]]) -> None:
        """Keep the sections of a course whose new activities are kept: they name them."""
        kept = {owner.id: use for owner, use in self.ownership.kept.items() if owner.table == "course"}
        for line in by_table.get("course_sections", ()) if kept else ():
            live = state.live(line)
            if live is not None and live["course"] in kept and "sequence" in line.history.columns:
                use = kept[live["course"]]
                note = Note(use.code, {"owner": f"course {live['course']}", "table": use.table})
                self._hinder(state, [line], Obstacle(note))

    def _keep_changed(self, state: UndoState) -> None:
        """Keep new rows that somebody has changed since."""
        for line in state.lines:
            live = state.live(line)
            if line.history.change is not NetChange.INSERT or live is None or line.table in WORK_LISTS:
                continue
            if columns := changed_columns(line.table, line.history.left, live):
                self._hinder(state, [line], Obstacle(Note("undo_kept_changed", {"columns": ", ".join(columns)})))

    def _keep_named(self, state: UndoState, by_table: Mapping[str, list[UndoLine]]) -> bool:
        """Keep new rows that rows of others name: a group with a member that somebody added. Returns whether there are any."""
        before = len(state.obstacles)
        going = {
            table: {
                line.id
                for line in lines
                if line.history.change is NetChange.INSERT and line.line not in state.obstacles
            }
            for table, lines in by_table.items()
        }
        for table in state.rows:
            new = {
                line.id: line
                for line in by_table[table]
                if line.history.change is NetChange.INSERT and line.id is not None and line.line not in state.obstacles
            }
            new = {rowid: line for rowid, line in new.items() if rowid in state.rows[table]}
            owned = self.ownership.owners_of(table, list(new))
            names: dict[str, dict[int, int]] = {}
            found = fetch_references(self._session, self._overlay, table, new.keys() - owned.keys())
            for naming, rowid, named in self._histories.staying(table, found):
                if rowid not in going.get(naming.table, ()) and (naming.table, rowid) != (table, named):
                    names.setdefault(naming.table, {})[rowid] = named
            for name, rowids in names.items():
                still_there = self._present(name, rowids)
                for rowid in still_there:
                    if rowid in rowids:
                        line = new[rowids[rowid]]
                        params = {"owner": line.subject, "table": name}
                        self._hinder(state, [line], Obstacle(Note("undo_use_named", params)))
        return len(state.obstacles) > before

    def _refuse_orphans(
        self, state: UndoState, by_table: Mapping[str, list[UndoLine]], returning: Mapping[str, Sequence[UndoLine]]
    ) -> None:
        """A row doesn't come back, or go back, to what is gone; a new category that it would have left stays with it."""
        changing = {
            table: [line for line in by_table[table] if line.history.change is NetChange.UPDATE] for table in state.rows
        }
        # One that doesn't come back may be needed by another.
        while found := list(
            self._orphans.find(state, {name: [*returning[name], *changing[name]] for name in changing})
        ):
            for line, note in found:
                self._hinder(state, [line], Obstacle(note, is_failure=True))
                column, live = PARENT_COLUMNS.get(line.table, ""), state.live(line)
                if live is not None and live.get(column):
                    self.ownership.keep(Owner(CATEGORY, live[column]), Use("undo_use_named", line.table))
            self._keep_owned(state, by_table)
            while self._keep_named(state, by_table):
                pass

    def _refuse_taken_keys(self, state: UndoState, table: str, lines: Sequence[UndoLine]) -> None:
        """A row doesn't become again what another one is by now: the username, the short name.

        Rows of later lines that hold such names, and are to change back, do so now.
        """
        coming: dict[int, ComingRow] = {}
        for line in lines:
            if line.id is not None and line.line not in state.obstacles:
                row = coming_row(line.line, line.history, state.live(line))
                if row is not None:
                    coming[line.id] = row
        if not coming:
            return
        going = {
            line.id
            for line in lines
            if line.history.change is NetChange.INSERT and line.line not in state.obstacles and line.id is not None
        }
        keys = TakenKeys(
            table,
            self._keys,
            later=lambda ids: self._histories.changed(
                table, self._protection.unprotected(table, ids), state.lines[-1].line
            ),
            fetch=lambda ids: self._known(table, fetch_rows(self._session, table, ids), ids),
            stays=lambda ids: self._holding(table, set(ids) - going, coming.keys()),
        )
        found = keys.find(coming)
        for line in lines:
            if (kept := found.kept.get(line.line)) is not None and line.line not in state.obstacles:
                params = {"columns": ", ".join(kept.columns), "table": table, "id": kept.holder}
                self._hinder(state, [line], Obstacle(Note("undo_key_taken", params), is_failure=True))
        if found.ahead:
            state.ahead[table] = found.ahead

    def _holding(self, table: str, ids: Collection[int], coming: Collection[int]) -> set[int]:
        """Return the rows among these that hold what they hold, but for those that earlier lines of a simulation have changed.

        Where rows may be alike, those that the run took away as well are there again as they were, beside the others.
        """
        if table in ALIKE_AT_TIMES and ids:
            ids = set(ids) - self._survey.lines_of_deleted(table, ids).keys()
        still_there = self._present(table, ids).keys() if ids else set[int]()
        changed = {rowid for rowid in self._overlay.changed_among(Table(table), ids) if rowid not in coming}
        return {rowid for rowid in still_there if rowid not in changed}

    def _look_for_contents(self, state: UndoState, lines: Sequence[UndoLine]) -> None:
        """A file doesn't come back without its content; one that lies in Moodle's trash is brought back from there."""
        if self._pool is None:
            return
        where: dict[str, str] = {}
        for line in lines:
            contenthash = line.history.before["contenthash"]
            if not line.history.before["filesize"]:
                continue
            if contenthash not in where:
                where[contenthash] = self._pool.place_of(contenthash)
            if where[contenthash] == "trashdir":
                state.trashed.add(contenthash)
            elif not where[contenthash] and line.line not in state.obstacles:
                note = Note("undo_file_gone", {"name": line.history.before["filename"]})
                self._hinder(state, [line], Obstacle(note, is_failure=True))

    @staticmethod
    def _hinder(state: UndoState, lines: Sequence[UndoLine], obstacle: Obstacle) -> None:
        for line in lines:
            state.obstacles.setdefault(line.line, obstacle)
