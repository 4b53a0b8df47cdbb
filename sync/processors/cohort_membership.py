"""The cohort of a row: found, or made, and joined."""

from __future__ import annotations

from sync.moodle.cohorts import Cohort
from sync.processors.cohort_sync import enrol_cohort_member
from sync.processors.membership_memory import PlannedCohort
from sync.processors.membership_results import NOTHING, SetResult
from sync.processors.membership_rows import MembershipRows
from sync.processors.table_view import UserKey
from sync.values import Change, Note

# Source: Moodle table cohort, columns name and idnumber
MAX_NAME = 254
MAX_IDNUMBER = 100


class CohortMembership:
    """Puts users in cohorts; a cohort that one row makes is found by the next."""

    def __init__(self, rows: MembershipRows) -> None:
        self.rows = rows
        self._fold = rows.state.fold_cohort
        self._by_name: dict[str, list[Cohort | PlannedCohort]] = {}
        self._by_idnumber: dict[str, list[Cohort | PlannedCohort]] = {}
        for cohort in rows.state.cohorts:
            self._keep(cohort)

    def add(self, user: UserKey, name: str, idnumber: str, line: int) -> SetResult:
        """Make a user a member of the cohort that the two cells name; make the cohort when it is missing."""
        if not name and not idnumber:
            return NOTHING
        cohort = self._find(name, idnumber) or self._create(name, idnumber, line)
        if isinstance(cohort, Note):
            return SetResult(problems=(cohort,))
        if not self.rows.add_to_cohort(user, cohort.id, line):
            return NOTHING
        enrol_cohort_member(self.rows, user, cohort.id, line)
        return SetResult(changes=(Change("cohort", "", cohort.name),))

    def _find(self, name: str, idnumber: str) -> Cohort | PlannedCohort | Note | None:
        """By idnumber, else by name: in the system context first, then anywhere."""
        found = self._by_idnumber.get(self._fold(idnumber), []) if idnumber else []
        if not found and name:
            anywhere = self._by_name.get(self._fold(name), [])
            found = [cohort for cohort in anywhere if cohort.contextid == self.rows.state.system_contextid] or anywhere
        if len(found) > 1:
            return Note("cohort_ambiguous", {"column": "cohort", "cohort": name or idnumber, "count": len(found)})
        return found[0] if found else None

    def _create(self, name: str, idnumber: str, line: int) -> PlannedCohort | Note:
        if not name:
            return Note("cohort_unknown", {"column": "cohortid", "idnumber": idnumber})
        if len(name) > MAX_NAME:
            return Note("cohort_name_too_long", {"column": "cohort", "limit": MAX_NAME})
        if len(idnumber) > MAX_IDNUMBER:
            return Note("cohort_idnumber_too_long", {"column": "cohortid", "limit": MAX_IDNUMBER})
        cohort = self.rows.create_cohort(name, idnumber, line)
        self._keep(cohort)
        return cohort

    def _keep(self, cohort: Cohort | PlannedCohort) -> None:
        self._by_name.setdefault(self._fold(cohort.name), []).append(cohort)
        if cohort.idnumber:
            self._by_idnumber.setdefault(self._fold(cohort.idnumber), []).append(cohort)
