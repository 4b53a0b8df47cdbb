"""Cohorts as a chunk leaves them: found, made, changed and deleted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sync.columns.column import Column
from sync.moodle.cohorts.cohorts import Cohort
from sync.processors.base.errors import RowError
from sync.processors.base.sticky import ChunkSticky
from sync.processors.cohorts.categories import CATEGORIES, CohortCategories
from sync.processors.cohorts.cells import COHORT, CohortCells
from sync.processors.cohorts.options import CohortsOptions
from sync.processors.cohorts.plan import CohortsPlan, CohortsState
from sync.processors.memberships.enrolment_results import accepted
from sync.processors.memberships.meta_sync import sync_meta_children
from sync.processors.memberships.names import length_problem
from sync.processors.memberships.rows import MembershipRows
from sync.values import Change

# Column of `cohort` -> column of the file.
COLUMNS: Mapping[str, Column[Any]] = {
    "name": CohortCells.cname, "idnumber": CohortCells.cidnumber, "description": CohortCells.cdescription,
    "component": CohortCells.component, "visible": CohortCells.visible,
}  # fmt: skip
_SHOWN = {**{name: column.name for name, column in COLUMNS.items()}, "contextid": CohortCells.ccatcontext.name}


class CohortRows:
    """What Moodle's functions for cohorts would write; a cohort that one row makes is found by the next."""

    def __init__(self, state: CohortsState, rows: MembershipRows, plan: CohortsPlan, options: CohortsOptions) -> None:
        self.state = state
        self.rows = rows
        self.plan = plan
        self.options = options
        self.sticky = ChunkSticky(state.sticky, plan)
        self._categories = CohortCategories(state)

    def find(self, text: str) -> Cohort | None:
        """Return the one cohort that a row names. Raises: RowError when there are several"""
        found = self.rows.find_cohorts(self.state.identifier, text)
        if len(found) > 1:
            raise RowError("cohort_ambiguous", f"c{self.state.identifier}", cohort=text, count=len(found))
        return found[0] if found else None

    def missing(self, text: str) -> RowError:
        """Return the error of a row whose cohort isn't there."""
        identifier = self.state.identifier
        return RowError("cohort_missing", f"c{identifier}", identifier=identifier, cohort=text)

    def create(self, text: str, row: CohortCells) -> Cohort:
        """Make the cohort that a row names. Raises: RowError"""
        identifier = self.state.identifier
        if identifier == "id" or not self.options.autocreate:
            raise self.missing(text)
        if self.rows.lists_cohorts(text):
            raise RowError("cohort_list", f"c{identifier}", cohorts=text)
        name = text if identifier == "name" else row.cname or text
        idnumber = text if identifier == "idnumber" else row.cidnumber or ""
        self._check_names(name, idnumber)
        columns = {
            "contextid": self._categories.contextid(row) or self.rows.state.system_contextid,
            "description": row.cdescription or "",
            "component": row.component or "",
            "visible": 1 if row.visible is None else row.visible,
        }
        cohort = self.rows.create_cohort(name, idnumber, row.line, **columns)
        self.sticky.note(COHORT, cohort.id, {"name": name, **columns}, row.line, _names_in(row))
        return cohort

    def update(self, cohort: Cohort, row: CohortCells, kept: list[str]) -> list[Change]:
        """Bring a cohort up to the cells that a row fills, but for the columns that a rule keeps. Raises: RowError

        Mirrors: cohort_update_cohort()
        """
        now = self.rows.cohorts[cohort.id]
        given: dict[str, Any] = {
            "name": row.cname if self.state.identifier != "name" else None,
            "idnumber": row.cidnumber if self.state.identifier != "idnumber" else None,
            "description": row.cdescription,
            "component": row.component,
            "contextid": self._categories.contextid(row),
            "visible": row.visible,
        }
        names = _names_in(row)
        filled = {name: value for name, value in given.items() if value is not None}
        allowed = self.sticky.allowed(COHORT, now, filled, kept, names)
        wanted = {name: value for name, value in allowed.items() if value != now[name]}
        self._check_names(wanted.get("name", ""), wanted.get("idnumber", ""), cohort)
        self.sticky.note(COHORT, cohort.id, allowed, row.line, names)
        if not wanted:
            return []
        self.rows.cohorts.update(cohort.id, wanted, row.line)
        return [
            Change(_SHOWN[name], "" if now[name] is None else str(now[name]), str(value))
            for name, value in wanted.items()
        ]

    def delete(self, cohort: Cohort, line: int) -> None:
        """Delete a cohort with everything that goes with it; all its members must have been read.

        Mirrors: cohort_delete_cohort(), and the deletion of its enrolment methods
        """
        for user in self.rows.members_of_cohort(cohort.id):
            self.rows.remove_from_cohort(user, cohort.id, line)
        for instance in self.rows.instances.filled_from("cohort", cohort.id):
            enrolled = self.rows.enrolled_by(instance.id)
            self.rows.delete_instance(instance, line)
            for user in enrolled:
                sync_meta_children(self.rows, user, self.rows.state.courses[instance.courseid], line)
        for table, rowid in self.state.dependent_tables.get(cohort.id, ()):
            self.plan.delete(table, rowid, line)
        self.rows.cohorts.remove(cohort.id, line)

    def _check_names(self, name: str, idnumber: str, cohort: Cohort | None = None) -> None:
        """Idnumbers belong to one cohort; so do names, unless the site wants it otherwise."""
        accepted(length_problem(name, idnumber, "cname", "cidnumber"))
        for identifier, text in (("idnumber", idnumber), ("name", "" if self.options.allowequalnames else name)):
            found = self.rows.find_cohorts(identifier, text) if text else []
            if any(cohort is None or other.id != cohort.id for other in found):
                raise RowError("cohort_taken", f"c{identifier}", identifier=identifier, value=text)


def _names_in(row: CohortCells) -> dict[str, str]:
    """Return column of `cohort` -> column of the file that a row gives it by."""
    given = (column.name for column in CATEGORIES if column.of(row) is not None)
    return {**_SHOWN, "contextid": next(given, _SHOWN["contextid"])}
