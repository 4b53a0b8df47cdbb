"""Cohorts as a chunk leaves them: found, made, changed and deleted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sync.processors.base.errors import RowError
from sync.processors.base.operations import Ref
from sync.processors.base.processor import SplitChunk
from sync.processors.cohorts.categories import CohortCategories
from sync.processors.cohorts.options import CohortsOptions
from sync.processors.cohorts.plan import CohortsPlan, CohortsState, as_cohort
from sync.processors.memberships.cohort_book import AnyCohort, CohortBook, length_problem
from sync.processors.memberships.enrolment_results import accepted
from sync.processors.memberships.meta_sync import sync_meta_children
from sync.processors.memberships.rows import MembershipRows
from sync.values import Change

# Column of `cohort` -> column of the file.
_COLUMNS = {
    "name": "cname", "idnumber": "cidnumber", "description": "cdescription", "component": "component",
    "contextid": "ccatcontext", "visible": "visible",
}  # fmt: skip


class CohortRows:
    """What Moodle's functions for cohorts would write; a cohort that one row makes is found by the next."""

    def __init__(self, state: CohortsState, rows: MembershipRows, plan: CohortsPlan, chosen: CohortsOptions) -> None:
        self.state = state
        self.rows = rows
        self.plan = plan
        self.chosen = chosen
        self.book = CohortBook(state.memberships)
        self._categories = CohortCategories(state)
        self._lines: dict[int, list[int]] = {}

    def find(self, text: str) -> AnyCohort | None:
        """Return the one cohort that a row names. Raises: RowError when there are several"""
        found = self.book.find(self.state.identifier, text)
        if len(found) > 1:
            raise RowError("cohort_ambiguous", f"c{self.state.identifier}", cohort=text, count=len(found))
        return found[0] if found else None

    def missing(self, text: str) -> RowError:
        """Return the refusal of a row whose cohort isn't there."""
        identifier = self.state.identifier
        return RowError("cohort_missing", f"c{identifier}", identifier=identifier, cohort=text)

    def create(self, text: str, values: Mapping[str, Any], line: int) -> AnyCohort:
        """Make the cohort that a row names. Raises: RowError"""
        identifier = self.state.identifier
        if identifier == "id" or not self.chosen.autocreate:
            raise self.missing(text)
        name = text if identifier == "name" else values.get("cname") or text
        idnumber = text if identifier == "idnumber" else values.get("cidnumber", "")
        self._check_names(name, idnumber)
        columns = {
            "contextid": self._categories.contextid(values) or self.rows.state.system_contextid,
            "description": values.get("cdescription", ""),
            "component": values.get("component", ""),
            "visible": values.get("visible", 1),
        }
        if Ref("cohort", (columns["contextid"], name)) in self.plan.changed:
            # Two new cohorts of one name in one place can't be told apart before they are there.
            raise SplitChunk(line)
        cohort = self.rows.create_cohort(name, idnumber, line, **columns)
        self.plan.changed[cohort.id] = {"name": name, "idnumber": idnumber, **columns}
        self.book.keep(cohort)
        return cohort

    def update(self, cohort: AnyCohort, values: Mapping[str, Any], line: int) -> list[Change]:
        """Bring a cohort up to the cells that a row fills. Raises: RowError

        Mirrors: cohort_update_cohort()
        """
        now = self._columns(cohort)
        given: dict[str, Any] = {
            "name": values.get("cname") if self.state.identifier != "name" else None,
            "idnumber": values.get("cidnumber") if self.state.identifier != "idnumber" else None,
            "description": values.get("cdescription"),
            "component": values.get("component"),
            "contextid": self._categories.contextid(values),
            "visible": values.get("visible"),
        }
        wanted = {name: value for name, value in given.items() if value not in (None, "") and value != now[name]}
        self._check_names(wanted.get("name", ""), wanted.get("idnumber", ""), cohort)
        if not wanted:
            return []
        if isinstance(cohort.id, Ref):
            # It must be there before it can be changed.
            raise SplitChunk(line)
        after = self.plan.changed[cohort.id] = {**now, **wanted}
        self._lines.setdefault(cohort.id, []).append(line)
        self.book.keep(as_cohort(cohort.id, after))
        return [Change(_COLUMNS[name], str(now[name]), str(value)) for name, value in wanted.items()]

    def delete(self, cohort: AnyCohort, line: int) -> None:
        """Delete a cohort with everything that goes with it; all its members must have been read.

        Mirrors: cohort_delete_cohort(), and the deletion of its enrolment methods
        """
        if isinstance(cohort.id, Ref):
            # It must be there before it can go.
            raise SplitChunk(line)
        for user in self.rows.members_of_cohort(cohort.id):
            self.rows.remove_from_cohort(user, cohort.id, line)
        for known in self.state.memberships.cohort_instances.get(cohort.id, ()):
            instance = self.rows.instances.current(known)
            if instance is not None:
                enrolled = self.rows.enrolled_by(instance.id)
                self.rows.delete_instance(instance, line)
                for user in enrolled:
                    sync_meta_children(self.rows, user, self.rows.state.courses[instance.courseid], line)
        for table, rowid in self.state.dependent_tables.get(cohort.id, ()):
            self.plan.delete(table, rowid, line)
        self.plan.delete("cohort", cohort.id, line)
        self.plan.changed[cohort.id] = None
        self.book.forget(cohort)

    def finish(self) -> None:
        """Put the changes into the plan; what is made or deleted is there already."""
        for cohort in self.state.memberships.cohorts:
            columns = self.plan.changed.get(cohort.id)
            if columns is None:
                continue
            # Moodle writes NULL where a cohort has no idnumber.
            before = {**self._read(cohort), "idnumber": cohort.idnumber or None}
            after = {
                name: value
                for name, value in columns.items()
                if before[name] != value and (before[name] or "") != value
            }
            if after:
                before["timemodified"] = self.state.details[cohort.id].timemodified
                after["timemodified"] = self.state.now
                changed = {name: before[name] for name in after}
                self.plan.update("cohort", cohort.id, changed, after, *self._lines[cohort.id])

    def _columns(self, cohort: AnyCohort) -> dict[str, Any]:
        """Return the columns of a cohort as they are by now."""
        return self.plan.changed.get(cohort.id) or self._read(cohort)

    def _read(self, cohort: AnyCohort) -> dict[str, Any]:
        """Return the columns of a cohort that is there, as they were read."""
        assert isinstance(cohort.id, int)  # noqa: S101
        details = self.state.details[cohort.id]
        return {
            "contextid": cohort.contextid,
            "name": cohort.name,
            "idnumber": cohort.idnumber,
            "description": details.description,
            "component": details.component,
            "visible": details.visible,
        }

    def _check_names(self, name: str, idnumber: str, cohort: AnyCohort | None = None) -> None:
        """Idnumbers belong to one cohort; so do names, unless the site wants it otherwise."""
        accepted(length_problem(name, idnumber, "cname", "cidnumber"))
        for identifier, text in (("idnumber", idnumber), ("name", "" if self.chosen.allowequalnames else name)):
            found = self.book.find(identifier, text) if text else []
            if any(cohort is None or other.id != cohort.id for other in found):
                raise RowError("cohort_taken", f"c{identifier}", identifier=identifier, value=text)
