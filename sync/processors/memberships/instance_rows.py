"""Enrolment methods of courses as a chunk leaves them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sync.moodle.enrolments.enrolments import ENABLED, EnrolInstance
from sync.processors.base.overlay import Key, Values
from sync.processors.base.plan import Plan
from sync.processors.memberships.state import MembershipState


class InstanceRows:
    """Adds, changes and takes away enrolment methods; a method that one row adds is found by the next."""

    def __init__(self, state: MembershipState, plan: Plan) -> None:
        self._state = state
        self._plan = plan
        self._rows = plan.change(state.methods)
        # The methods of courses, cohorts and parent courses as they stand now; asked for with every row.
        self._known: dict[tuple[tuple[str, Any], ...], list[EnrolInstance]] = {}

    def of_course(self, courseid: int) -> list[EnrolInstance]:
        """Return the methods of a course as they stand now, in the course's order."""
        return self._found(courseid=courseid)

    def filled_from(self, enrol: str, sourceid: int) -> list[EnrolInstance]:
        """Return the methods that take their people from a cohort, or from another course (meta), as they stand now."""
        return [
            instance
            for instance in self._found(enrol=enrol, customint1=sourceid)
            if enrol != "meta" or instance.courseid != sourceid
        ]

    def current(self, instance: EnrolInstance) -> EnrolInstance:
        """Return a method as it stands now; it must be there."""
        return _instance(self._rows[instance.id])

    def courseid_of(self, enrolid: int) -> int | None:
        """Return the course of a method; None for one that hasn't been read."""
        row = self._rows.get(enrolid) or self._rows.found(enrolid)
        return row["courseid"] if row is not None else None

    def add(self, courseid: int, enrol: str, values: Mapping[str, Any], line: int) -> EnrolInstance:
        """Add a method to a course, after the others.

        Shape: values: columns of `enrol` beside those that every new method has
        Mirrors: enrol_plugin::add_instance()
        """
        row = {
            "enrol": enrol,
            "status": ENABLED,
            "courseid": courseid,
            "sortorder": max((instance.sortorder for instance in self.of_course(courseid)), default=-1) + 1,
            "enrolstartdate": 0,
            "enrolenddate": 0,
            "timecreated": self._plan.now,
            "timemodified": self._plan.now,
            "roleid": 0,
            **values,
        }
        self._known.clear()
        return _instance(self._rows[self._rows.insert(row, line)])

    def foresee(self, courseid: int, values: Values, line: int) -> EnrolInstance:
        """Note a method of a course that another operation of the plan makes."""
        newid = self._plan.new_id(line)
        self._known.clear()
        self._rows.foresee(newid, {**values, "id": newid, "courseid": courseid}, line)
        return _instance(self._rows[newid])

    def set_status(self, instance: EnrolInstance, status: int, line: int) -> bool:
        """Switch a method on or off, and tell whether it wasn't so; the access data of the course is read anew then.

        Mirrors: enrol_plugin::update_status(), which leaves timemodified alone
        """
        present = self._rows.get(instance.id)
        if present is None or present["status"] == status:
            return False
        self._plan.dirty_contexts.add(self._state.courses[instance.courseid].path)
        self._update(instance.id, {"status": status}, line)
        return True

    def settings_of(self, instance: EnrolInstance) -> Values:
        """Return the columns of a method as they stand now, as far as they were read."""
        return self._rows[instance.id]

    def change(self, instance: EnrolInstance, values: Values, line: int) -> None:
        """Set columns of a method. Mirrors: enrol_plugin::update_instance()"""
        self._update(instance.id, {**values, "timemodified": self._plan.now}, line)

    def set_group(self, instance: EnrolInstance, groupid: int, line: int) -> None:
        """Name the group that a cohort or meta method fills. Mirrors: enrol_plugin::update_instance()"""
        self._update(instance.id, {"customint2": groupid, "timemodified": self._plan.now}, line)

    def take_away(self, instance: EnrolInstance, line: int) -> None:
        """Delete a method that enrols nobody any more. Mirrors: enrol_plugin::delete_instance(), its end"""
        self._plan.dirty_contexts.add(self._state.courses[instance.courseid].path)
        self._known.clear()
        self._rows.remove(instance.id, line)

    @property
    def touches(self) -> int:
        """How often a method was added, changed or taken away so far."""
        return self._rows.touches

    def finish(self) -> None:
        """Put the difference to what is there into the plan."""
        self._rows.write(self._plan)

    def _found(self, **columns: Any) -> list[EnrolInstance]:
        known = self._known.get(tuple(columns.items()))
        if known is None:
            known = [_instance(self._rows[key]) for key in self._rows.find(**columns)]
            self._known[tuple(columns.items())] = known
        return known

    def _update(self, key: Key, values: Values, line: int) -> None:
        self._known.clear()
        self._rows.update(key, values, line)


def _instance(row: Values) -> EnrolInstance:
    return EnrolInstance(*[row.get(name, 0) for name in EnrolInstance._fields])
