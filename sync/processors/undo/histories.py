"""What the undone run did to rows, wherever in the undo their lines stand."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from sync.moodle.db.database import MoodleSession
from sync.processors.base.context import Journal
from sync.processors.base.overlay import Overlay, Table
from sync.processors.undo.history import NetChange, RowHistory, history_of, is_same, places_of
from sync.processors.undo.references import CATEGORY, PARENT_COLUMNS, Naming
from sync.processors.undo.rows import fetch_present
from sync.processors.undo.survey import UndoSurvey

# A row that names another. Shape: (the column, id of the row that names, id of the row that is named)
Reference = tuple[Naming, int, int]


class Histories:
    """Reads the before-images that lines name."""

    def __init__(self, session: MoodleSession, overlay: Overlay, journal: Journal, survey: UndoSurvey) -> None:
        self._session = session
        self._overlay = overlay
        self._journal = journal
        self._survey = survey

    def of(self, entries: Mapping[int, str]) -> dict[int, RowHistory]:
        """Return the histories of rows. Shape: entries: id -> as their lines have them"""
        places = {rowid: places_of(text) for rowid, text in entries.items()}
        images = self._journal.images([place for found in places.values() for place in found]) if places else {}
        return {rowid: history_of([images[place] for place in found]) for rowid, found in places.items()}

    def changed(self, table: str, ids: Collection[int], after_line: int = 0) -> dict[int, RowHistory]:
        """Return the rows among these that lines behind one change back, with their histories."""
        return self.of(self._survey.changed_later(table, ids, after_line)) if ids else {}

    def there(self, table: str, ids: Collection[int]) -> set[int]:
        """Return which rows are there, or may come back. Queries: one per 10,000"""
        if not ids or not self._session.database.has_table(table):
            return set()
        found = self._overlay.over(Table(table), fetch_present(self._session, table, ids), keys=ids).rows
        return set(found) | self._survey.lines_of_deleted(table, ids).keys()

    def staying(self, table: str, references: Iterable[Reference]) -> list[Reference]:
        """Leave out what is changed back: it names a row only since the run changed it.

        What is in a category that is to go stays in it where its earlier one is gone, or where somebody else has put it there.
        Shape: references: to rows of the table
        """
        by_column: dict[Naming, list[Reference]] = {}
        for reference in references:
            by_column.setdefault(reference[0], []).append(reference)
        found: list[Reference] = []
        for naming, named in by_column.items():
            ids = {rowid for _naming, rowid, _ofid in named}
            if PARENT_COLUMNS.get(naming.table) == naming.column:
                leaving = self._leaving_category(naming, named)
            else:
                leaving = self._survey.ids_among(NetChange.UPDATE, naming.table, ids)
            found += [reference for reference in named if reference[1] not in leaving]
        return found

    def _leaving_category(self, naming: Naming, named: Iterable[Reference]) -> set[int]:
        holders = {rowid: ofid for _naming, rowid, ofid in named}
        column = naming.column
        before = {
            rowid: history.before[column]
            for rowid, history in self.changed(naming.table, holders).items()
            if column in history.columns and is_same(history.left[column], holders[rowid])
        }
        there = self.there(CATEGORY, {*before.values()} - {0}) | {0}
        return {rowid for rowid, category in before.items() if category in there}
