"""The option `skipinvalidcells`: a cell that can't be used is left out with a note, instead of rejecting its row.

Only what the row does beside its purpose may go so: never a cell that tells which thing is meant, or what becomes of it.
Nothing else is ever stored in its place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sync.columns.file_columns import Columns
from sync.columns.general_options import GeneralOptions
from sync.values import Action, CleanRow, Note, Outcome

# What is wrong with a cell alone; that two rows or things want the same is something else.
CELL_CODES = frozenset((
    "value_too_long", "value_not_number", "value_out_of_range", "value_not_flag", "value_not_among", "value_not_time",
    "value_not_email", "country_unknown", "language_unknown", "timezone_unknown", "profile_year_out_of_range",
    "cell_is_formula_error", "cell_is_rounded", "cell_lost_digits", "cell_is_formula",
    "cell_too_narrow", "cell_is_null", "cell_encoded_twice", "cell_letters_lost",
    "cell_encoded_otherwise", "cell_is_escaped", "cell_entity_cut", "cell_letters_replaced",
    "cell_is_placeholder", "cell_unseen", "cell_is_decimal", "cell_is_midnight", "cell_quoted_otherwise",
    "cell_in_quotes", "cell_quotes_escaped", "cell_without_result", "cell_shown_otherwise", "cell_is_boolean", "cell_is_date",
    "cell_is_merged", "course_field_not_number", "course_field_number_ambiguous", "course_field_decimals",
    "course_field_date_early", "course_field_date_late",
))  # fmt: skip
_NAMING_OPTIONS = ("primaryidentity", "courseidentifier", "groupidentifier", "groupingidentifier", "cohortidentifier")


class LeavingOut:
    """What may be left out of the rows of one file. Shape: is_wanted: the option is on; defaults: of the columns"""

    def __init__(self, columns: Columns, options: GeneralOptions) -> None:
        self.is_wanted = options.skipinvalidcells
        self._columns = columns
        self.defaults = columns.defaults(options)
        self._naming = {str(options[name]) for name in _NAMING_OPTIONS if name in options}

    def may_go(self, code: str, name: str) -> bool:
        """Tell whether a cell of a column may be left out for this reason."""
        if not self.is_wanted or code not in CELL_CODES or name in self._naming:
            return False
        found = self._columns.find(name)
        return found is not None and found[0].may_be_left_out

    def without_rejected(self, rows: Sequence[CleanRow], outcomes: Sequence[Outcome]) -> list[CleanRow]:
        """Return the rows without the cells for which a plan would reject them; [] where it rejects none for that."""
        faulty = {
            outcome.line: outcome
            for outcome in outcomes
            if outcome.action is Action.REJECTED and self.may_go(outcome.code, str(outcome.params.get("column", "")))
        }
        left = [self._without(row, faulty[row.line]) if row.line in faulty else row for row in rows]
        return left if left != list(rows) else []

    def _without(self, row: CleanRow, outcome: Outcome) -> CleanRow:
        name = outcome.params["column"]
        values = {column: value for column, value in row.values.items() if column != name}
        if name in self.defaults:
            values[name] = self.defaults[name]
        if values == row.values:
            # It is without the cell already: whatever rejects it stays.
            return row
        return row._replace(values=values, notes=(*row.notes, left_out(name, outcome.code, outcome.params)))


def left_out(name: str, code: str, params: Mapping[str, Any]) -> Note:
    """Return the note about a cell that was left out, with the reason."""
    hint = params.get("hint") or []
    return Note(
        "cell_left_out", {**params, "column": name, "hint": [code, *([hint] if isinstance(hint, str) else hint)]}
    )
