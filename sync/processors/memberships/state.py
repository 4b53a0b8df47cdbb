"""What a chunk must know of courses, roles, enrolments, groups and cohorts before it plans anything."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple

from sync.moodle.courses.courses import Course
from sync.moodle.enrolments.forums import Forum
from sync.moodle.enrolments.roles import Role
from sync.processors.base.overlay import FoundRows, Table

# What people belong to, by its natural key.
ENROLMENTS = Table("user_enrolments", ("enrolid", "userid"), found_by=(("userid",),))
ROLES = Table("role_assignments", ("contextid", "userid", "roleid", "component", "itemid"), found_by=(("userid",),))
GROUP_MEMBERS = Table("groups_members", ("groupid", "userid"), found_by=(("userid",),))
TALKERS = Table("message_conversation_members", ("conversationid", "userid"), found_by=(("userid",),))
COHORT_MEMBERS = Table("cohort_members", ("cohortid", "userid"), found_by=(("userid",), ("cohortid",)))
SUBSCRIPTIONS = Table("forum_subscriptions", ("forum", "userid"), found_by=(("userid",),))

# What they belong to; names are compared as the server does, see `sync.processors.memberships.fetch`.
GROUPS = Table("groups", found_by=(("courseid",), ("courseid", "name"), ("idnumber",)))
COHORTS = Table("cohort", found_by=(("name",), ("idnumber",)))
METHODS = Table("enrol", found_by=(("courseid",),), defaults={"customint1": 0})


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
    unenrol_action: UnenrolAction = UnenrolAction.SUSPEND_WITHOUT_ROLES


@dataclass(frozen=True)
class MembershipState:
    """Everything read for one chunk: as it is in Moodle; in a dry run as the earlier chunks would leave it.

    Shape: courses_named: texts of the file -> courses; courses: id -> course, with those that a cohort or a meta method
    brings in; roles: shortname -> role; methods: all enrolment methods of the courses; groups: of the courses, as far as they
    are named; conversations: id of a group -> its conversation; recovers_grades: whether people get their earlier grades back
    when they come back to a course; forums: courseid -> forums that subscribe people; permissions: roleid -> contextid ->
    permission to be subscribed; rows: name of a table of memberships -> its rows
    """

    course_identifier: str = "shortname"
    operatorid: int = 0
    system_contextid: int = 1
    cohort_has_theme: bool = True
    enabled_methods: frozenset[str] = frozenset()
    meta: MetaSettings = field(default_factory=MetaSettings)
    cohort_unenrol_action: UnenrolAction = UnenrolAction.UNENROL
    recovers_grades: bool = False
    courses_named: Mapping[str, tuple[Course, ...]] = field(default_factory=dict)
    courses: Mapping[int, Course] = field(default_factory=dict)
    roles: Mapping[str, Role] = field(default_factory=dict)
    methods: FoundRows = field(default_factory=lambda: FoundRows(METHODS))
    groups: FoundRows = field(default_factory=lambda: FoundRows(GROUPS))
    conversations: Mapping[int, int] = field(default_factory=dict)
    cohorts: FoundRows = field(default_factory=lambda: FoundRows(COHORTS))
    forums: Mapping[int, tuple[Forum, ...]] = field(default_factory=dict)
    permissions: Mapping[int, dict[int, int]] = field(default_factory=dict)
    rows: Mapping[str, FoundRows] = field(default_factory=dict)

    def rows_of(self, table: Table) -> FoundRows:
        """Return the rows of one table of memberships."""
        return self.rows.get(table.name) or FoundRows(table)


def roles_by_shortname(roles: Iterable[Role]) -> dict[str, Role]:
    """Return roles by shortname, and by its lower case where no other role is spelled so."""
    roles = list(roles)
    return {role.shortname.casefold(): role for role in roles} | {role.shortname: role for role in roles}
