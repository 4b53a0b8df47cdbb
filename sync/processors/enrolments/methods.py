"""The enrolment method of a row, found in its course or added to it. Spec: enrols.md section 4.1."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from sync.moodle.courses.courses import Course
from sync.moodle.enrolments.enrolments import SELF_SYNCED_METHODS, EnrolInstance
from sync.processors.memberships.course_columns import find_method
from sync.processors.memberships.enrolment_results import refused
from sync.processors.memberships.rows import MembershipRows
from sync.values import Note

MANUAL = "manual"
# A plugin of others that enrols whom a file names; it need not have been added to a course before.
SYNC = "sync"
# Enrols nobody, whatever an option says.
GUEST = "guest"


class MethodRules(NamedTuple):
    """What a run allows. Shape: addable: methods that are added where they are missing -> columns of `enrol`"""

    disabled_too: bool = False
    synced_too: bool = False
    addable: Mapping[str, Mapping[str, Any]] = {}


class EnrolmentMethods:
    """Finds methods in courses; one that a row adds is found by the next."""

    def __init__(self, rows: MembershipRows, rules: MethodRules) -> None:
        self.rows = rows
        self.rules = rules
        self._refused = frozenset({GUEST}) if rules.synced_too else SELF_SYNCED_METHODS

    def find(self, course: Course, method: str, text: str, line: int, *, may_add: bool) -> EnrolInstance:
        """Return the method in the course. Shape: text: how the file names the course. Raises: RowError"""
        present = self.rows.instances.of_course(course.id)
        # One that is there and switched off was switched off by somebody: no second one is added.
        if may_add and method in self.rules.addable and all(instance.enrol != method for instance in present):
            return self.rows.add_instance(course.id, method, self.rules.addable[method], line)
        params = {"column": "enrol", "method": method, "course": text}
        disabled_too = self.rules.disabled_too
        found = find_method(present, method, params, refused=self._refused, disabled_too=disabled_too)
        if isinstance(found, Note):
            raise refused(found)
        return found
