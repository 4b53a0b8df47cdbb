"""`cohort_courses`: enrol cohorts in courses, suspend, restore and take away such enrolments."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import ClassVar

from django.utils.translation import gettext_lazy as _

from sync.moodle.cohorts.cohorts import fetch_deleted_members
from sync.moodle.enrolments.roles import fetch_roles
from sync.moodle.users.users import SiteRules
from sync.processors.base.overlay import is_temporary
from sync.processors.base.plan import Plan
from sync.processors.base.processor import Processor
from sync.processors.cohorts.cells import COHORT, CohortCourseCells
from sync.processors.cohorts.courses_planner import (
    METHODS_WITHOUT_COHORTS,
    CohortCoursesPlanner,
    CohortCoursesState,
)
from sync.processors.cohorts.export import CohortCoursesExporter
from sync.processors.cohorts.options import CohortCoursesOptions
from sync.processors.memberships.cohort_sync import without_members
from sync.processors.memberships.course_columns import STUDENT
from sync.processors.memberships.fetch import fetch_memberships
from sync.processors.memberships.names import cohorts_named


class CohortCourses(Processor[CohortCourseCells, CohortCoursesState, Plan]):
    """Enrolment methods that enrol a cohort in a course. Spec: cohorts.md sections 2 and 3."""

    key = "cohort_courses"
    label = _("Cohorts in courses")
    summary = _("Enrol cohorts in courses with a role; suspend, restore or delete such enrolments.")
    default_filename = "cohortscourses.csv"
    after = ("users", "courses", "cohorts")
    # A row may bring a cohort of any size.
    rows_per_chunk: ClassVar[int | None] = 5
    options = CohortCoursesOptions
    exporter = CohortCoursesExporter

    def setup(self, names: Sequence[str]) -> None:
        self.has_groups = CohortCourseCells.makegroup.name in names
        self.rules = SiteRules(self.moodle)
        roles = fetch_roles(self.moodle)
        self.roles = {role.shortname: role for role in roles}
        if self.option_values.roleidentifier == "id":
            # The role of a row that names none has no other name.
            student = self.roles.get(STUDENT)
            self.roles = {str(role.id): role for role in roles} | ({STUDENT: student} if student else {})

    def fetch(self, rows: Sequence[CohortCourseCells]) -> CohortCoursesState:
        memberships = fetch_memberships(
            self.moodle,
            self.overlay,
            course_identifier=self.option_values.courseidentifier,
            courses={row.course for row in rows},
            userids=None,
            all_groups=self.has_groups,
            **cohorts_named(self.option_values.cohortidentifier, {row.cohort for row in rows}),
        )
        deleted = fetch_deleted_members(self.moodle, [key for key in memberships.cohorts.rows if not is_temporary(key)])
        installed = frozenset(self.moodle.plugins_of("enrol")) | {COHORT}
        return CohortCoursesState(
            now=int(time.time()),
            rules=self.rules,
            memberships=without_members(memberships, deleted),
            roles=self.roles,
            methods=installed & memberships.enabled_methods - METHODS_WITHOUT_COHORTS,
        )

    def plan(self, rows: Sequence[CohortCourseCells], state: CohortCoursesState) -> Plan:
        return CohortCoursesPlanner(state, self.option_values).plan_rows(rows)
