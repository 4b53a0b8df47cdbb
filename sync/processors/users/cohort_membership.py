"""The cohort that a row of a users file names: found, or made, and joined."""

from __future__ import annotations

from sync.columns.placeholders import separators_taken_out
from sync.moodle.cohorts.cohorts import Cohort
from sync.processors.memberships.cohort_sync import enrol_cohort_member
from sync.processors.memberships.names import length_problem, made_like_list
from sync.processors.memberships.results import NOTHING, SetResult
from sync.processors.memberships.rows import MembershipRows
from sync.values import Change, Note


class CohortMembership:
    """Puts users in cohorts; a cohort that one row makes is found by the next."""

    def __init__(self, rows: MembershipRows) -> None:
        self.rows = rows

    def add(self, user: int, name: str, idnumber: str, line: int, column: str = "") -> SetResult:
        """Make a user a member of the cohort that the two cells name; make the cohort when it is missing.

        Shape: column: of the one cell that is name and idnumber, "" = they stand in `cohort` and `cohortid`. Digits of one cell
        that name no cohort may be Moodle's own number: none is made
        """
        if not name and not idnumber:
            return NOTHING
        columns = (column, column) if column else ("cohort", "cohortid")
        cohort = self._find(name, idnumber, columns)
        if cohort is None and column:
            cohort = _digits_unknown(name, column)
        notes = self._notes_of(cohort, name, idnumber, columns)
        cohort = cohort or self._create(name, idnumber, columns, line)
        if isinstance(cohort, Note):
            return SetResult(problems=(cohort,))
        if not self.rows.add_to_cohort(user, cohort.id, line):
            return NOTHING
        enrol_cohort_member(self.rows, user, cohort.id, line)
        return SetResult(changes=(Change(columns[0], "", cohort.name),), notes=notes)

    def _notes_of(
        self, cohort: Cohort | Note | None, name: str, idnumber: str, columns: tuple[str, str]
    ) -> tuple[Note, ...]:
        """Return what is worth saying about the cohort that was found, None = about the one that will be made.

        An idnumber goes before a name, although the name may be that of another cohort.
        """
        if cohort is None:
            return self._notes_of_new(name, idnumber, columns)
        is_pair = name and idnumber and columns[0] != columns[1]
        if isinstance(cohort, Note) or not is_pair:
            return ()
        if any(named.id == cohort.id for named in self.rows.find_cohorts("name", name)):
            return ()
        return (Note("cohort_called_otherwise", {"idnumber": idnumber, "present": cohort.name, "given": name}),)

    def _notes_of_new(self, name: str, idnumber: str, columns: tuple[str, str]) -> tuple[Note, ...]:
        """Say that a cohort is made by a name that is the idnumber of another, which may be meant, or that may be a list."""
        others = [] if idnumber else self.rows.find_cohorts("idnumber", name)
        alike = tuple(Note("cohort_named_like_idnumber", {"cohort": name, "other": other.name}) for other in others[:1])
        return (*alike, *made_like_list(columns[0], name))

    def _find(self, name: str, idnumber: str, columns: tuple[str, str]) -> Cohort | Note | None:
        """By idnumber, else by name: in the system context first, then anywhere.

        Beside an idnumber that nothing has, a name means no cohort with another idnumber.
        Shape: columns: of name and idnumber
        """
        found = self.rows.find_cohorts("idnumber", idnumber) if idnumber else []
        if not found and name:
            anywhere = self.rows.find_cohorts("name", name)
            is_pair = idnumber and columns[0] != columns[1]
            free = [cohort for cohort in anywhere if not cohort.idnumber] if is_pair else anywhere
            if anywhere and not free:
                return Note(
                    "cohort_name_taken",
                    {"column": columns[1], "cohort": name, "present": anywhere[0].idnumber, "given": idnumber},
                )
            found = [cohort for cohort in free if cohort.contextid == self.rows.state.system_contextid] or free
        if len(found) > 1:
            params = {"column": columns[0 if name else 1], "cohort": name or idnumber, "count": len(found)}
            return Note("cohort_ambiguous", params)
        return found[0] if found else None

    def _create(self, name: str, idnumber: str, columns: tuple[str, str], line: int) -> Cohort | Note:
        if self.rows.lists_cohorts(name or idnumber):
            return Note("cohort_list", {"column": columns[0 if name else 1], "cohorts": name or idnumber})
        if not name:
            return Note("cohort_unknown", {"column": columns[1], "idnumber": idnumber})
        problem = length_problem(name, idnumber, *columns)
        if problem is not None:
            return problem
        return self.rows.create_cohort(name, idnumber, line)


def _digits_unknown(name: str, column: str) -> Note | None:
    """Return why no cohort of this name is made, where it is digits, as they are or as a spreadsheet shows a number."""
    if name.isdecimal():
        return Note("cohort_digits_unknown", {"column": column, "cohort": name})
    if digits := separators_taken_out(name):
        return Note(
            "cohort_digits_unknown",
            {"column": column, "cohort": name, "meant": digits, "hint": "digits_with_separators"},
        )
    return None
