"""What belongs to the users, categories and courses that a run made, and which of them somebody has used since.

One that was changed, or that rows of others name by now, is kept with all that the run made for it: a course without its
enrolments, or a user without a context, would help nobody. Where a run put activities into a course that was there, these are
kept or taken away together.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from sync.moodle.course_content.graph.graph import CONTEXT, COURSE, Kind, load_graph
from sync.moodle.db.database import MoodleSession
from sync.moodle.versions import CONTEXT_COURSE, CONTEXT_COURSECAT, CONTEXT_USER
from sync.processors.base.context import Journal
from sync.processors.base.overlay import Overlay, Table
from sync.processors.undo.histories import Histories
from sync.processors.undo.history import NetChange, differing
from sync.processors.undo.references import CATEGORY, MODULE, PARENT_COLUMNS, USER, fetch_references
from sync.processors.undo.rows import fetch_rows
from sync.processors.undo.rules import NEVER_TAKEN_BACK, SESSIONS, UNUSED, WORK_LISTS, is_neutral
from sync.processors.undo.survey import UndoSurvey

_OWNERS = (USER, CATEGORY, COURSE)
_OWNER_OF_LEVEL = {CONTEXT_USER: USER, CONTEXT_COURSECAT: CATEGORY, CONTEXT_COURSE: COURSE}
_AT_A_TIME = 1000
# Of a course that was there before: people and groups come and go without its activities.
_OF_PEOPLE = frozenset({"enrol", "groups", "groupings", "groupings_groups", "groups_members", "role_assignments"})
_CONTENT = (Kind.ROOT, Kind.CONTENT, Kind.MIXED, Kind.FILES)


class Owner(NamedTuple):
    """A user, a category or a course."""

    table: str
    id: int


class Use(NamedTuple):
    """Why an owner is kept. Shape: table: of the row that was changed, or that names it"""

    code: str
    table: str


def changed_columns(table: str, left: Mapping[str, Any], live: Mapping[str, Any]) -> list[str]:
    """Return the columns in which somebody has changed a new row since."""
    expected = {**UNUSED.get(table, {}), **left}
    return [name for name in differing(expected, live) if not is_neutral(table, name)]


class Ownership:
    """Who owns the rows that a run made, and which owners are kept.

    Shape: kept: owner -> why
    Queries: for each table of new rows one per 1,000 rows, and one for each column that may name them
    """

    def __init__(self, session: MoodleSession, overlay: Overlay, journal: Journal, survey: UndoSurvey) -> None:
        self.kept: dict[Owner, Use] = {}
        self._session = session
        self._overlay = overlay
        self._survey = survey
        self._histories = Histories(session, overlay, journal, survey)
        self._graph = load_graph()
        self._needs: dict[Owner, set[Owner]] = {}
        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.execute(
            "CREATE TABLE owner (name TEXT, id INTEGER, of TEXT, ofid INTEGER, PRIMARY KEY (name, id, of, ofid)) WITHOUT ROWID"
        )
        tables = survey.tables(NetChange.INSERT)
        self._has_activities = MODULE in tables
        self.is_needed = bool(tables.intersection((*_OWNERS, MODULE)))
        if self.is_needed:
            ordered = self._parents_first(tables - NEVER_TAKEN_BACK - WORK_LISTS - {SESSIONS})
            for table in ordered:
                self._look_at(table)
            for table in ordered:
                self._find_names(table)
            self._keep_what_is_needed()

    def owners_of(self, table: str, ids: Collection[int]) -> dict[int, set[Owner]]:
        """Return the owners of new rows that have any."""
        found: dict[int, set[Owner]] = {}
        if self.is_needed:
            rows = self._database.execute(
                "SELECT id, of, ofid FROM owner WHERE name = ? AND id IN (SELECT value FROM json_each(?))",
                (table, json.dumps(list(ids))),
            )
            for rowid, of, ofid in rows:
                found.setdefault(rowid, set()).add(Owner(of, ofid))
        return found

    def use_of(self, owners: Iterable[Owner]) -> tuple[Owner, Use] | None:
        """Return the first owner that is kept, and why."""
        return next(((owner, self.kept[owner]) for owner in sorted(owners) if owner in self.kept), None)

    def keep(self, owner: Owner, use: Use) -> None:
        """Keep an owner, where the run made it, with what it needs."""
        if self.is_needed and owner not in self.kept and self.owners_of(owner.table, [owner.id]):
            self.kept[owner] = use
            self._keep_what_is_needed()

    def close(self) -> None:
        self._database.close()

    def _parents_first(self, tables: Collection[str]) -> list[str]:
        order = (*_OWNERS, CONTEXT, *reversed(self._graph.delete_order))
        known = [table for table in dict.fromkeys(order) if table in tables]
        return [*known, *sorted(set(tables).difference(known))]

    def _look_at(self, table: str) -> None:
        """Note the owners of the new rows of a table, and keep those of rows that were changed since."""
        if not self._session.database.has_table(table):
            return
        for part in self._survey.new_rows(table, _AT_A_TIME):
            left = {rowid: history.left for rowid, history in self._histories.of(part).items()}
            owners = self._find_owners(table, left)
            self._database.executemany(
                "INSERT OR IGNORE INTO owner VALUES (?, ?, ?, ?)",
                [(table, rowid, *owner) for rowid, found in owners.items() for owner in found],
            )
            found_rows = self._overlay.over(Table(table), fetch_rows(self._session, table, owners), keys=owners).rows
            for rowid, live in found_rows.items():
                if changed_columns(table, left[rowid], live):
                    for owner in owners[rowid]:
                        self.kept.setdefault(owner, Use("undo_use_changed", table))

    def _find_owners(self, table: str, rows: Mapping[int, Mapping[str, Any]]) -> dict[int, set[Owner]]:
        owners: dict[int, set[Owner]] = {rowid: set() for rowid in rows}
        if table in _OWNERS:
            for rowid, values in rows.items():
                owners[rowid] = {Owner(table, rowid)}
                self._note_needs(Owner(table, rowid), values)
            return owners
        self._add_direct(table, rows, owners)
        self._add_by_parents(table, rows, owners)
        return {rowid: found for rowid, found in owners.items() if found}

    def _note_needs(self, owner: Owner, values: Mapping[str, Any]) -> None:
        category = values.get(PARENT_COLUMNS.get(owner.table, ""))
        if category:
            self._needs.setdefault(owner, set()).add(Owner(CATEGORY, category))

    def _add_direct(self, table: str, rows: Mapping[int, Mapping[str, Any]], owners: Mapping[int, set[Owner]]) -> None:
        named: dict[str, dict[int, list[int]]] = {USER: {}, CATEGORY: {}, COURSE: {}}
        for rowid, values in rows.items():
            if table == CONTEXT and (of := _OWNER_OF_LEVEL.get(values.get("contextlevel", 0))):
                named[of].setdefault(values["instanceid"], []).append(rowid)
            for of, names in ((COURSE, ("course", "courseid")), (USER, ("userid",))):
                for name in names:
                    if isinstance(value := values.get(name), int) and value:
                        named[of].setdefault(value, []).append(rowid)
        for of, rowids in named.items():
            ours = self._survey.ids_among(NetChange.INSERT, of, rowids)
            if of == COURSE and self._takes_activities(table):
                ours = set(rowids)
            for ofid in ours:
                for rowid in rowids[ofid]:
                    owners[rowid].add(Owner(of, ofid))

    def _takes_activities(self, table: str) -> bool:
        """Return whether new rows of a table belong together, in a course that was there before."""
        known = self._graph.tables.get(table)
        return self._has_activities and known is not None and known.kind in _CONTENT and table not in _OF_PEOPLE

    def _add_by_parents(
        self, table: str, rows: Mapping[int, Mapping[str, Any]], owners: Mapping[int, set[Owner]]
    ) -> None:
        """Rows belong to whom their parents belong to: a slot of a quiz, the context of an activity, a file."""
        parents: dict[str, dict[int, list[int]]] = {}
        known = self._graph.tables.get(table)
        columns = [(link.parent, link.fk) for link in known.links if link.parentkey == "id"] if known else []
        columns += [(CONTEXT, "contextid"), (CONTEXT, "parentcontextid")]
        for rowid, values in rows.items():
            for parent, column in columns:
                if parent != COURSE and isinstance(value := values.get(column), int):
                    parents.setdefault(parent, {}).setdefault(value, []).append(rowid)
            if table == CONTEXT:
                for contextid in str(values.get("path") or "").strip("/").split("/")[:-1]:
                    parents.setdefault(CONTEXT, {}).setdefault(int(contextid), []).append(rowid)
        for parent, rowids in parents.items():
            for parentid, found in self.owners_of(parent, rowids).items():
                for rowid in rowids[parentid]:
                    # The contexts of a category lie above those of its courses, which are their own.
                    owners[rowid].update(owner for owner in found if table != CONTEXT or owner.table != CATEGORY)

    def _find_names(self, table: str) -> None:
        """Keep the owners of rows that rows of others name by now."""
        if not self._session.database.has_table(table):
            return
        for part in self._survey.new_rows(table, 10 * _AT_A_TIME):
            owners = self.owners_of(table, part)
            found = fetch_references(self._session, self._overlay, table, list(owners))
            named: dict[str, dict[int, int]] = {}
            for naming, rowid, ofid in self._histories.staying(table, found):
                named.setdefault(naming.table, {})[rowid] = ofid
            for name, rows in named.items():
                if self._survey.has_unknown_ids(name):
                    continue
                made = self._survey.ids_among(NetChange.INSERT, name, rows)
                for rowid in rows.keys() - made:
                    for owner in owners[rows[rowid]]:
                        self.kept.setdefault(owner, Use("undo_use_named", name))

    def _keep_what_is_needed(self) -> None:
        """Keep the categories of courses that are kept, and those above them."""
        waiting = list(self.kept)
        while waiting:
            owner = waiting.pop()
            for needed in self._needs.get(owner, ()):
                if needed not in self.kept:
                    self.kept[needed] = Use("undo_use_named", owner.table)
                    waiting.append(needed)
