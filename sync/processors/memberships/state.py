"""What a chunk must know of courses, roles, enrolments, groups and cohorts before it plans anything."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Any, NamedTuple

from sync.moodle.cohorts.cohorts import Cohort
from sync.moodle.courses.courses import Course
from sync.moodle.enrolments.enrolments import EnrolInstance
from sync.moodle.enrolments.forums import Forum
from sync.moodle.enrolments.roles import Role
from sync.moodle.groups.groups import Group
from sync.processors.base.table_view import Key, Values

Rows = Mapping[Key, Values]


class UnenrolAction(IntEnum):
    """What becomes of an enrolment whose reason has gone: the setting unenrolaction of a method.

    Source: ENROL_EXT_REMOVED_* in Moodle's lib/enrollib.php
    """

    UNENROL = 0
    KEEP = 1
    SUSPEND = 2
    SUSPEND_WITHOUT_ROLES = 3


class MetaSettings(NamedTuple):
    """Settings of the plugin enrol_meta. Shape: syncall: whether people without a role are copied too."""

    syncall: bool = True
    nosyncroleids: frozenset[int] = frozenset()
    when_gone: UnenrolAction = UnenrolAction.SUSPEND_WITHOUT_ROLES


@dataclass(frozen=True)
class MembershipState:
    """Everything as it is in Moodle, and in a simulation as it would be after the earlier chunks.

    Shape: courses_named: texts of the file -> courses; courses: id -> course, with those that a cohort or a meta method
    brings in; roles: shortname -> role; instances: courseid -> methods in the course's order, all of them for the
    courses that the chunk touches itself; meta_children: id of the parent -> meta methods; cohort_instances:
    cohortid -> its methods, the switched-off ones too; groups: id -> group; recovers_grades: whether people get their earlier
    grades back when they come back to a course; forums: courseid -> forums that subscribe people;
    permissions: roleid -> contextid -> permission to be subscribed; rows: table -> natural key -> id and other columns;
    remembered: what a simulation knows of the users beyond Moodle; fold_group, fold_cohort: texts that the server takes
    for the same become equal
    """

    course_identifier: str = "shortname"
    operatorid: int = 0
    system_contextid: int = 1
    cohort_has_theme: bool = True
    enabled_methods: frozenset[str] = frozenset()
    meta: MetaSettings = field(default_factory=MetaSettings)
    cohort_when_gone: UnenrolAction = UnenrolAction.UNENROL
    recovers_grades: bool = False
    courses_named: Mapping[str, tuple[Course, ...]] = field(default_factory=dict)
    courses: Mapping[int, Course] = field(default_factory=dict)
    roles: Mapping[str, Role] = field(default_factory=dict)
    instances: Mapping[int, tuple[EnrolInstance, ...]] = field(default_factory=dict)
    meta_children: Mapping[int, tuple[EnrolInstance, ...]] = field(default_factory=dict)
    cohort_instances: Mapping[int, tuple[EnrolInstance, ...]] = field(default_factory=dict)
    groups: Mapping[int, Group] = field(default_factory=dict)
    cohorts: tuple[Cohort, ...] = ()
    forums: Mapping[int, tuple[Forum, ...]] = field(default_factory=dict)
    permissions: Mapping[int, dict[int, int]] = field(default_factory=dict)
    rows: Mapping[str, Rows] = field(default_factory=dict)
    remembered: Mapping[str, Any] = field(default_factory=dict)
    fold_group: Callable[[str], str] = str
    fold_cohort: Callable[[str], str] = str

    def with_cohorts(self, cohorts: tuple[Cohort, ...]) -> MembershipState:
        """Return the same with other cohorts."""
        return replace(self, cohorts=cohorts)


def roles_by_shortname(roles: Iterable[Role]) -> dict[str, Role]:
    """Return roles by shortname, and by its lower case where no other role is spelled so."""
    roles = list(roles)
    return {role.shortname.casefold(): role for role in roles} | {role.shortname: role for role in roles}
