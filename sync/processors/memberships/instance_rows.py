"""Enrolment methods of courses as a chunk leaves them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sync.moodle.enrolments.enrolments import ENABLED, EnrolInstance
from sync.processors.base.operations import Ref
from sync.processors.base.plan import Plan
from sync.processors.memberships.memory import Instance, PlannedInstance
from sync.processors.memberships.state import MembershipState


class InstanceRows:
    """Adds, changes and takes away enrolment methods; a method that one row adds is found by the next."""

    def __init__(self, state: MembershipState, plan: Plan) -> None:
        self._state = state
        self._plan = plan
        self._courses: dict[int, list[Instance]] = {}
        self._added: dict[Ref, dict[str, Any]] = {}
        self._lines: dict[int, list[int]] = {}
        self.touches = 0

    def of_course(self, courseid: int) -> list[Instance]:
        """Return the methods of a course as they stand now, in the course's order."""
        if courseid not in self._courses:
            self._courses[courseid] = list(self._state.instances.get(courseid, ()))
        return self._courses[courseid]

    def current(self, instance: Instance) -> Instance | None:
        """Return a method as it stands now; None when it has been taken away."""
        return next((other for other in self.of_course(instance.courseid) if other.id == instance.id), None)

    def add(self, courseid: int, enrol: str, values: Mapping[str, Any], line: int) -> PlannedInstance:
        """Add a method to a course, after the others.

        Shape: values: columns of `enrol` beside those that every new method has
        Mirrors: enrol_plugin::add_instance()
        """
        self.touches += 1
        present = self.of_course(courseid)
        row = {
            "enrol": enrol,
            "status": ENABLED,
            "courseid": courseid,
            "sortorder": max((instance.sortorder for instance in present), default=-1) + 1,
            "enrolstartdate": 0,
            "enrolenddate": 0,
            "timecreated": self._plan.now,
            "timemodified": self._plan.now,
            "roleid": 0,
            **values,
        }
        ref = Ref("enrol", (courseid, enrol, row["sortorder"]))
        self._plan.insert("enrol", row, line, key=ref.key)
        numbers = (row.get("customint1") or 0, row.get("customint2") or 0, row["sortorder"], self._plan.now)
        instance = PlannedInstance(ref, courseid, enrol, row["status"], row["roleid"], *numbers)
        present.append(instance)
        self._added[ref] = row
        return instance

    def set_status(self, instance: Instance, status: int, line: int) -> bool:
        """Switch a method on or off, and tell whether it wasn't so; the access data of the course is read anew then.

        Mirrors: enrol_plugin::update_status(), which leaves timemodified alone
        """
        present = self.current(instance)
        if present is None or present.status == status:
            return False
        self._plan.dirty_contexts.add(self._state.courses[instance.courseid].path)
        self._change(instance, line, status=status)
        return True

    def set_group(self, instance: Instance, groupid: int | Ref, line: int) -> None:
        """Name the group that a cohort or meta method fills. Mirrors: enrol_plugin::update_instance()"""
        self._change(instance, line, customint2=groupid, timemodified=self._plan.now)

    def take_away(self, instance: Instance, line: int) -> None:
        """Delete a method that enrols nobody any more. Mirrors: enrol_plugin::delete_instance(), its end"""
        self.touches += 1
        present = self.of_course(instance.courseid)
        present[:] = [other for other in present if other.id != instance.id]
        self._plan.dirty_contexts.add(self._state.courses[instance.courseid].path)
        if isinstance(instance.id, Ref):
            added = self._added.pop(instance.id)
            self._plan.inserts["enrol"] = [new for new in self._plan.inserts["enrol"] if new.values is not added]
        else:
            self._lines.setdefault(instance.id, []).append(line)

    def changed(self) -> dict[int, list[Instance]]:
        """Return the methods of the courses that have been looked at. Shape: courseid -> methods"""
        return {
            courseid: instances
            for courseid, instances in self._courses.items()
            if instances != list(self._state.instances.get(courseid, ()))
        }

    def finish(self) -> None:
        """Put the changes and deletions into the plan; additions are there already."""
        for courseid, instances in self.changed().items():
            left = {instance.id: instance for instance in instances}
            for old in self._state.instances.get(courseid, ()):
                new = left.get(old.id)
                if new is None:
                    self._plan.delete("enrol", old.id, *self._lines[old.id])
                elif new != old:
                    self._update(old, new)

    def _update(self, old: EnrolInstance, new: Instance) -> None:
        names = [name for name in ("status", "customint2", "timemodified") if getattr(old, name) != getattr(new, name)]
        before, after = ({name: getattr(row, name) for name in names} for row in (old, new))
        self._plan.update("enrol", old.id, before, after, *self._lines[old.id])

    def _change(self, instance: Instance, line: int, **values: Any) -> None:
        self.touches += 1
        present = self.of_course(instance.courseid)
        present[:] = [other._replace(**values) if other.id == instance.id else other for other in present]
        if isinstance(instance.id, Ref):
            self._added[instance.id].update(values)
        else:
            self._lines.setdefault(instance.id, []).append(line)
