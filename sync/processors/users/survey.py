"""What is found in all rows of a users file before the first is used: sets that do nothing, and users named twice."""

from __future__ import annotations

import re
from collections.abc import Mapping

from sync.columns.repeated_values import RepeatedValues
from sync.values import Note, Row

_COURSE = re.compile(r"course([1-9]\d*)")


class UsersSurvey(RepeatedValues):
    """Counts what course sets ask for, and keeps the first line of each value that only one user may have."""

    unique = ("username", "idnumber", "email", "profile_field_")

    def __init__(self, places: Mapping[str, int]) -> None:
        super().__init__(places)
        self._sets = [found[1] for name in places if (found := _COURSE.fullmatch(name)) is not None]
        self.rows_with_course = 0
        self.rows_with_role = 0
        self._names_method = False

    def see(self, row: Row) -> None:
        super().see(row)
        numbers = [number for number in self._sets if self.cell(row.cells, f"course{number}")]
        if numbers:
            self.rows_with_course += 1
            self.rows_with_role += any(self.cell(row.cells, f"role{number}") for number in numbers)
            self._names_method = self._names_method or any(self.cell(row.cells, f"enrol{number}") for number in numbers)

    @property
    def notes(self) -> list[Note]:
        """Say when no set of the file enrols anybody."""
        if not self.rows_with_course or self._names_method:
            return []
        hint = "course_sets_give_roles" if self.rows_with_role else ""
        return [Note("course_sets_without_method", {"count": self.rows_with_course, "hint": hint})]
