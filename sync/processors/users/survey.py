"""What is found in all rows of a users file before the first is used: sets that do nothing, and users named twice."""

from __future__ import annotations

from collections.abc import Mapping

from sync.columns.repeated_values import RepeatedValues
from sync.processors.users.cells import UserCells
from sync.values import Note, Row


class UsersSurvey(RepeatedValues):
    """Counts what course sets ask for, and keeps the first line of each value that only one user may have."""

    unique = (
        UserCells.username.name, UserCells.idnumber.name, UserCells.email.name, UserCells.profile_fields.name,
    )  # fmt: skip

    def __init__(self, places: Mapping[str, int]) -> None:
        super().__init__(places)
        sets = (UserCells.courses, UserCells.roles, UserCells.methods)
        # Course, role and method of each number.
        self._sets = [[column.numbered(number) for column in sets] for number in UserCells.courses.numbers(places)]
        self.rows_with_course = 0
        self.rows_with_role = 0
        self._names_method = False

    def see(self, row: Row) -> None:
        super().see(row)
        sets = [names for names in self._sets if self.cell(row.cells, names[0])]
        if sets:
            self.rows_with_course += 1
            self.rows_with_role += any(self.cell(row.cells, role) for _course, role, _method in sets)
            self._names_method = self._names_method or any(self.cell(row.cells, method) for *_others, method in sets)

    @property
    def notes(self) -> list[Note]:
        """Say when no set of the file enrols anybody."""
        if not self.rows_with_course or self._names_method:
            return []
        hint = "course_sets_give_roles" if self.rows_with_role else ""
        return [Note("course_sets_without_method", {"count": self.rows_with_course, "hint": hint})]
