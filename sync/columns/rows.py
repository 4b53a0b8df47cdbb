"""Clean a chunk: Columns x Row[] -> CleanRow[] + Rejection[]."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

from sync.columns.cell_texts import (
    CellTexts,
    is_in_form,
    is_name,
    is_of_one_line,
    is_unseen,
    may_be_unseen,
    unseen_shown,
)
from sync.columns.clean import CellError, Clean, TextKind, shown
from sync.columns.column import Empty
from sync.columns.escaped_cells import NOUGHT, Place, is_without_nought, may_be_escaped, place_of
from sync.columns.file_columns import Columns
from sync.columns.general_options import GeneralOptions
from sync.columns.header import MatchedHeader, is_secret_name
from sync.columns.label_rows import LabelRows
from sync.columns.leaving_out import LeavingOut, left_out
from sync.columns.placeholders import is_placeholder
from sync.columns.survey import DateSurvey
from sync.values import CleanRow, Note, Rejection, Row

TOO_MANY_CELLS = "too_many_cells"
_WRONG_WIDTH = (TOO_MANY_CELLS, "too_few_cells")

ColumnLimit = Callable[[str, str], int | None]
# Position of the cell, name, what cleans it, whether it must be filled, whether an empty one clears, whether it has one line,
# whether something is called so, whether it names something.
_Field = tuple[int, str, Clean[Any], bool, bool, bool, bool, bool]


class ReadCells(NamedTuple):
    """What of a rejected row can be read. Shape: row: with the cells that can; unread: the columns whose cells can't"""

    row: CleanRow
    unread: frozenset[str]


class RowCleaner:
    """Cleans rows of one file. Made once per file, so that per row only the cells cost.

    Shape: column_limit: (Moodle table, column) -> characters that the real column holds, None = not limited; dates: what a
    look at the whole file has shown of them; options: of the run; text_fields: names of columns that fill texts of the site's
    own fields
    """

    def __init__(
        self,
        columns: Columns,
        header: MatchedHeader,
        column_limit: ColumnLimit,
        *,
        dates: DateSurvey | None = None,
        texts: CellTexts | None = None,
        options: GeneralOptions | None = None,
        text_fields: Collection[str] = (),
    ) -> None:
        self._texts = texts or CellTexts()
        self._leaving_out = LeavingOut(columns, options or GeneralOptions())
        self._defaults = self._leaving_out.defaults
        self._columns = columns
        self._row_type = columns.row_type
        self._width = header.width
        self._exact = columns.exact_width
        self._labels = LabelRows(header.fields)
        self._text_positions: set[int] = set()
        self._open_positions: set[int] = set()
        self._places: dict[int, Place] = {}
        self._without_nought: list[int] = []
        self._fields: list[_Field] = []
        for position, name, column in header.fields:
            kind = column.kind
            if (limited_by := column.limited_by) is not None:
                kind = kind.limited(column_limit(*limited_by))
            if dates is not None:
                kind = kind.ordered(dates.orders_of(name))
            is_text = name in text_fields
            if isinstance(kind, TextKind):
                # A field of the site may be a checkbox.
                is_open = column.may_be_date and not is_text
                (self._open_positions if is_open else self._text_positions).add(position)
            if (place := place_of(name, column, is_text=is_text)) is not None:
                self._places[position] = place
                if is_without_nought(name, place):
                    self._without_nought.append(position)
            clears = column.empty is Empty.CLEARS
            has_one_line = is_of_one_line(name, column)
            names = is_name(name, column)
            self._fields.append(
                (position, name, kind.cleaner(), column.filled, clears, has_one_line, names, column.is_key)
            )

    def clean(self, rows: Sequence[Row]) -> tuple[list[CleanRow], list[Rejection]]:
        """Clean a chunk; a row gives either a CleanRow or one Rejection, for its first cell at fault."""
        clean_rows: list[CleanRow] = []
        rejections: list[Rejection] = []
        for row in rows:
            result = self._clean(row)
            if isinstance(result, CleanRow):
                clean_rows.append(result)
            else:
                rejections.append(result._replace(subject=self._subject(row, result)))
        return clean_rows, rejections

    def _clean(self, row: Row) -> CleanRow | Rejection:
        line, _raw, cells, _fault, cell_faults = row
        if (found := self._row_fault(row)) is not None:
            return found
        count = len(cells)
        values = self._defaults.copy()
        notes: tuple[Note, ...] = ()
        value: Any
        places = self._places_of(cells)
        for position, name, clean, must_be_filled, clears, has_one_line, is_called, is_key in self._fields:
            value = cells[position] if position < count else ""
            try:
                if cell_faults and position in cell_faults:
                    value = self._in_spite_of(cell_faults[position], position, name, value)
                if not is_in_form(value) or (is_called and may_be_unseen(value)):
                    value = self._in_form(value, name, line, seen=(has_one_line, is_called, is_key))
                value = value and clean(self._texts.meant(value, name, line, places.get(position)))
            except CellError as error:
                if not self._leaving_out.may_go(error.code, name):
                    return Rejection(line, name, error.code, error.params)
                notes = (*notes, left_out(name, error.code, error.params))
                continue
            # A cell of nothing but markup is empty as well, once it is clean.
            if value != "":
                values[name] = value
            elif must_be_filled:
                return Rejection(line, name, "cell_empty", {})
            elif clears and position < count:
                values[name] = ""
        return self._row_type(line, values, notes)

    def _places_of(self, cells: Sequence[str]) -> Mapping[int, Place]:
        """Return position -> how the text there is looked at, {} where none needs it."""
        if may_be_escaped(cells):
            return self._places
        if NOUGHT in cells:
            count = len(cells)
            if any(position < count and cells[position] == NOUGHT for position in self._without_nought):
                return self._places
        return {}

    def read_cells(self, row: Row) -> ReadCells:
        """Return those cells of a row that can be read; none of a row that is itself at fault."""
        if self._row_fault(row) is not None:
            return self.unread_cells(row)
        places = self._places_of(row.cells)
        values, unread = dict[str, Any](), set[str]()
        for field in self._fields:
            try:
                value = self._read(row, field, places)
            except CellError:
                unread.add(field[1])
            else:
                if value != "":
                    values[field[1]] = value
        return ReadCells(self._row_type(row.line, values), frozenset(unread))

    def faults_of(self, row: Row) -> list[Rejection]:
        """Return all that is wrong with a row: what `clean` rejects it for is the first of it."""
        if (found := self._row_fault(row)) is not None:
            return [found]
        places = self._places_of(row.cells)
        faults = []
        for field in self._fields:
            name, must_be_filled = field[1], field[3]
            try:
                is_empty = self._read(row, field, places) == ""
            except CellError as error:
                faults.append(Rejection(row.line, name, error.code, error.params))
            else:
                if is_empty and must_be_filled:
                    faults.append(Rejection(row.line, name, "cell_empty", {}))
        return faults

    def _read(self, row: Row, field: _Field, places: Mapping[int, Place]) -> Any:
        """Return the value of a cell, "" of one that is empty or isn't there. Raises: CellError"""
        position, name, clean, _must_be_filled, _clears, has_one_line, is_called, is_key = field
        text = row.cells[position] if position < len(row.cells) else ""
        if position in row.cell_faults:
            text = self._in_spite_of(row.cell_faults[position], position, name, text)
        text = self._in_form(text, name, row.line, seen=(has_one_line, is_called, is_key))
        return text and clean(self._texts.meant(text, name, row.line, places.get(position)))

    def _in_form(self, text: str, name: str, line: int, *, seen: tuple[bool, bool, bool]) -> str:
        """Return a text in form. Raises: CellError where nobody could see what something is called

        Shape: seen: of the column, whether it has one line, something is called by it, and Moodle knows something by it
        """
        has_one_line, is_called, is_key = seen
        if is_called and may_be_unseen(text) and is_unseen(text):
            # A program's word for nothing may look like markup: <NA>.
            code = "cell_is_placeholder" if is_placeholder(text, of_person=False) else "cell_unseen"
            raise CellError(code, value=unseen_shown(text))
        return self._texts.normal(text, name, line, is_of_one_line=has_one_line, is_key=is_key)

    def unread_cells(self, row: Row) -> ReadCells:
        """Return a row of which no cell can be read."""
        return ReadCells(self._row_type(row.line, {}), frozenset(field[1] for field in self._fields))

    def _subject(self, row: Row, rejection: Rejection) -> str:
        """Return whom or what a row is about, as far as its cells tell with certainty."""
        if rejection.column:
            cells = {field[1]: row.cells[field[0]] for field in self._fields if field[0] < len(row.cells)}
            return shown(self._columns.subject_of(cells))
        if row.fault is not None and "place" in row.fault.params:
            # The cells before the doubtful one are certain, and its own first line is a beginning.
            place = row.fault.params["place"]
            certain = [*row.cells[:place], *row.cells[place].splitlines()[:1]]
            return shown(
                self._columns.subject_of(
                    {field[1]: certain[field[0]] for field in self._fields if field[0] < len(certain)}
                )
            )
        # Where cells are missing or too many, nobody knows to which columns those behind the first belong.
        is_named = rejection.code in _WRONG_WIDTH and any(field[0] == 0 and field[-1] for field in self._fields)
        return shown(row.cells[0]) if is_named else ""

    def _fault_params(self, fault: Note) -> Mapping[str, Any]:
        """Return what is told of a fault of the row: of doubtful quotes also where they are, no password."""
        if "place" not in fault.params:
            return fault.params
        names = {field[0]: field[1] for field in self._fields}
        name = names.get(fault.params["place"], "")
        value = "…" if not name or is_secret_name(name) else fault.params["value"]
        return {**fault.params, "hint": "quotes_doubtful_cell", "where": name, "value": value} if name else fault.params

    def _row_fault(self, row: Row) -> Rejection | None:
        """Return why none of the row's cells can be read, if so."""
        if row.fault is not None:
            return Rejection(row.line, "", row.fault.code, self._fault_params(row.fault))
        count = len(row.cells)
        if count > self._width and any(row.cells[self._width :]):
            return Rejection(row.line, "", "too_many_cells", {"cells": count, "width": self._width})
        if self._exact and count < self._width:
            return Rejection(row.line, "", "too_few_cells", {"cells": count, "width": self._width})
        if self._labels.is_one(row.cells):
            return Rejection(row.line, "", "row_of_labels", {})
        return None

    def _in_spite_of(self, fault: Note, position: int, name: str, text: str) -> str:
        """Return the text of a cell of which the reader has a fault to tell, where the column wants what that is about.

        What only the rows tell, as the kind of a field does, is decided there: they get what a sheet shows.
        Raises: CellError; no password is shown
        """
        if fault.code == "cell_is_date" and not is_secret_name(name):
            return text
        if fault.code != "cell_is_boolean" or position in self._text_positions:
            raise CellError(fault.code, **(dict.fromkeys(fault.params, "…") if is_secret_name(name) else fault.params))
        return str(fault.params["value"]) if position in self._open_positions else text
