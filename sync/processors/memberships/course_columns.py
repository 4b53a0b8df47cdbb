"""Course sets: an enrolment, a role and a group in one course."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from sync.columns.clean import shown
from sync.moodle.courses.courses import Course
from sync.moodle.enrolments.enrolments import (
    ACTIVE,
    ENABLED,
    METHODS_WITH_FREE_ROLES,
    SELF_SYNCED_METHODS,
    SUSPENDED,
    EnrolInstance,
)
from sync.moodle.enrolments.roles import Role
from sync.processors.base.overlay import Values
from sync.processors.memberships.course_groups import CourseGroups
from sync.processors.memberships.enrolment_dates import (
    GivenDate,
    ShowTime,
    ended_already,
    enrolment_values,
    reversed_dates,
)
from sync.processors.memberships.meta_sync import sync_meta_children
from sync.processors.memberships.results import NOTHING, CourseSet, SetResult
from sync.processors.memberships.rows import MembershipRows
from sync.processors.memberships.state import MembershipState
from sync.values import Change, Note

STUDENT = "student"
# Source: process_course_memberships() of Moodle's admin/tool/uploaduser/classes/process.php, whose form names a role for 1, 2, 3
_TYPE_OF_STUDENTS = "1"

_DAY = 86_400
_STATUS_WORDS = {0: "active", 1: "suspended"}


class CourseColumnTarget(NamedTuple):
    """What a course set names. Shape: instance: None when the set only gives a role."""

    course: Course
    role: Role
    instance: EnrolInstance | None


class CourseColumns:
    """Carries out course sets on the rows of a chunk. Shape: today: the midnight before now. Units: seconds since epoch"""

    def __init__(self, rows: MembershipRows, show_time: ShowTime, today: int) -> None:
        self.rows = rows
        self._today = today
        self._show_time = show_time
        self.groups = CourseGroups(rows)

    def apply(self, user: int, wanted: CourseSet, line: int) -> SetResult:
        """Carry out one set. What it names is checked first, so that a faulty set does nothing by halves."""
        if not wanted.course:
            return NOTHING
        target = find_target(self.rows, wanted)
        if isinstance(target, Note):
            # A set without role and method is a slip that does no harm, unless it asks for a group in vain.
            harmless = target.code == "course_set_empty" and not wanted.group
            return SetResult(notes=(target,)) if harmless else SetResult(problems=(target,))
        notes = _period_in_vain(wanted)
        wanted = self._with_end(user, target, wanted)
        if (reversed_set := self._reversed(user, target, wanted)) is not None:
            return SetResult(problems=(reversed_set,))
        if target.role.is_barred and not self._holds(user, target):
            params = {"column": wanted.column("role"), "role": target.role.shortname}
            return SetResult(problems=(Note("role_configures_site", params),))
        changes = tuple(self._enrol(user, target, wanted, line))
        if changes:
            notes = (*notes, *ended_already(wanted.end, wanted.column("end"), self.rows.now))
            sync_meta_children(self.rows, user, target.course, line)
        if not wanted.group:
            return SetResult(changes, notes=notes)
        joined = self.groups.join(user, target.course, wanted.group, wanted.column("group"), line)
        return joined._replace(changes=(*changes, *joined.changes), notes=(*notes, *joined.notes))

    def _with_end(self, user: int, target: CourseColumnTarget, wanted: CourseSet) -> CourseSet:
        """Return the set with the end that its number of days means, counted from its start, or that of the enrolment.

        Where that is 0, no start at all, the days count from today, as Moodle's own upload counts them without one: a file of
        every night then changes the end once a day.
        Source: process_course_memberships() of Moodle's admin/tool/uploaduser/classes/process.php
        """
        if wanted.period is None or wanted.end is not None or target.instance is None:
            return wanted
        if wanted.period == 0:
            return wanted._replace(end=GivenDate(0, "0"))
        end = (self._start(user, target.instance, wanted) or self._today) + wanted.period * _DAY
        return wanted._replace(end=GivenDate(end, self._show_time(end)))

    def _start(self, user: int, instance: EnrolInstance, wanted: CourseSet) -> int:
        """Return the start that an enrolment would have, 0 = none."""
        if wanted.start is not None:
            return wanted.start.seconds
        before = self.rows.enrolment(user, instance.id)
        start: int = self.rows.now if before is None else before["timestart"]
        return start

    def _reversed(self, user: int, target: CourseColumnTarget, wanted: CourseSet) -> Note | None:
        before = self.rows.enrolment(user, target.instance.id) if target.instance is not None else None
        found = reversed_dates(wanted.start, wanted.end, before, self._show_time)
        if found is None:
            return None
        params = {"column": wanted.column("end"), "start": found.start, "end": found.end, "hint": found.hint}
        return Note("enrolment_dates_reversed", params)

    def _holds(self, user: int, target: CourseColumnTarget) -> bool:
        held = (target.role.id, *role_owner(target.instance))
        return held in self.rows.roles_of(user, target.course)

    def _enrol(self, user: int, target: CourseColumnTarget, wanted: CourseSet, line: int) -> Iterator[Change]:
        rows, instance = self.rows, target.instance
        if instance is not None:
            status = SUSPENDED if wanted.suspended else ACTIVE
            values = enrolment_values(status, wanted.start, wanted.end)
            before = rows.enrolment(user, instance.id)
            if rows.enrol(user, instance.id, values, line, timestart=rows.now):
                yield from self._enrolment_changes(wanted, before, values)
        component, itemid = role_owner(instance)
        if rows.assign_role(user, target.course, target.role.id, line, component=component, itemid=itemid):
            yield Change(wanted.column("role"), "", target.role.shortname)

    def _enrolment_changes(
        self, wanted: CourseSet, before: Values | None, after: Mapping[str, int]
    ) -> Iterator[Change]:
        if before is None:
            yield Change(wanted.column("course"), "", wanted.course)
            return
        if before["status"] != after["status"]:
            yield Change(wanted.column("enrol"), _STATUS_WORDS[before["status"]], _STATUS_WORDS[after["status"]])
        for column, name in (("start", "timestart"), ("end", "timeend")):
            if name in after and before[name] != after[name]:
                yield Change(wanted.column(column), self._show_time(before[name]), self._show_time(after[name]))


def find_target(rows: MembershipRows, wanted: CourseSet) -> CourseColumnTarget | Note:
    """Find what a set names, or say what is wrong with it."""
    state = rows.state
    if wanted.wwwroot:
        return Note(
            "course_set_remote",
            {"column": wanted.column("wwwroot"), "value": shown(wanted.wwwroot), "hint": "cell_holds"},
        )
    course = find_course(state, wanted.course, wanted.column("course"))
    if isinstance(course, Note):
        return course
    if not wanted.role and not wanted.enrol:
        return Note("course_set_empty", {"column": wanted.column("course")})
    role = _role_of(state, wanted)
    if isinstance(role, Note):
        return role
    if not wanted.enrol:
        return CourseColumnTarget(course, role, None)
    method = wanted.enrol.lower()
    params = {"column": wanted.column("enrol"), "method": method, "course": wanted.course}
    instance = find_method(rows.instances.of_course(course.id), method, params)
    return instance if isinstance(instance, Note) else CourseColumnTarget(course, role, instance)


def _role_of(state: MembershipState, wanted: CourseSet) -> Role | Note:
    """Return the role that a set gives, that of students where it names none."""
    if not wanted.role and wanted.legacy_type and wanted.legacy_type != _TYPE_OF_STUDENTS:
        return Note(
            "course_type_without_role",
            {"column": wanted.column("type"), "value": shown(wanted.legacy_type), "role_column": wanted.column("role")},
        )
    return find_course_role(state, wanted.role or STUDENT, wanted.column("role"))


def find_course(state: MembershipState, text: str, column: str) -> Course | Note:
    """Return the one course that a text names; the site course is none."""
    found = state.courses_named.get(text, ())
    params = {"column": column, "course": text, "identifier": state.course_identifier}
    if not found:
        return Note("course_unknown", params)
    if len(found) > 1:
        return Note("course_ambiguous", {**params, "count": len(found)})
    return Note("course_is_site", params) if found[0].is_site else found[0]


def find_course_role(state: MembershipState, text: str, column: str) -> Role | Note:
    """Return the role of a shortname, provided that it may be given in courses."""
    role = state.roles.get(text) or state.roles.get(text.casefold())
    if role is None:
        return Note("role_unknown", {"column": column, "role": text})
    return role if role.in_courses else Note("role_not_for_courses", {"column": column, "role": text})


def role_owner(instance: EnrolInstance | None) -> tuple[str, Any]:
    """Return the component and the itemid of a role that comes with an enrolment, or without one (None)."""
    if instance is None or instance.enrol in METHODS_WITH_FREE_ROLES:
        return "", 0
    return f"enrol_{instance.enrol}", instance.id


def find_method(
    methods: Iterable[EnrolInstance],
    method: str,
    params: Mapping[str, str],
    *,
    refused: Container[str] = SELF_SYNCED_METHODS,
    disabled_too: bool = False,
) -> EnrolInstance | Note:
    """Return the first instance of a method among those of a course, an enabled one unless disabled ones serve too.

    Shape: params: column, method and course, as the texts name them
    """
    if method in refused:
        return Note("enrol_method_refused", params)
    for instance in methods:
        if instance.enrol == method and (disabled_too or instance.status == ENABLED):
            return instance
    return Note("enrol_method_inactive", params)


def _period_in_vain(wanted: CourseSet) -> tuple[Note, ...]:
    """Say that a number of days counts for nothing beside an end."""
    if wanted.period is None or wanted.end is None:
        return ()
    return (Note("period_beside_end", {"column": wanted.column("enrolperiod"), "end": wanted.column("end")}),)
