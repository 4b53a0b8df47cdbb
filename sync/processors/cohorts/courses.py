"""`cohort_courses`: enrol cohorts in courses, suspend, restore and take away such enrolments."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import ClassVar

from django.utils.translation import gettext_lazy as _

from sync.columns.clean import flag, moodle_time, one_of, text
from sync.columns.column import Column, Columns
from sync.moodle.cohorts.cohorts import fetch_deleted_members
from sync.moodle.enrolments.roles import fetch_roles
from sync.moodle.users.users import SiteRules
from sync.processors.base.overlay import is_temporary
from sync.processors.base.plan import Plan
from sync.processors.base.processor import Processor
from sync.processors.cohorts.courses_planner import (
    COHORT,
    METHODS_WITHOUT_COHORTS,
    CohortCoursesPlanner,
    CohortCoursesState,
    without_members,
)
from sync.processors.cohorts.options import CohortCoursesOptions
from sync.processors.memberships.course_columns import STUDENT
from sync.processors.memberships.fetch import fetch_memberships
from sync.processors.memberships.names import cohorts_named
from sync.values import CleanRow


class CohortCourses(Processor[CohortCoursesState, Plan]):
    """Enrolment methods that enrol a cohort in a course. Spec: cohorts.md sections 2 and 3."""

    key = "cohort_courses"
    label = _("Cohorts in courses")
    summary = _("Enrol cohorts in courses with a role; suspend, restore or delete such enrolments.")
    default_filename = "cohortscourses.csv"
    after = ("users", "courses", "cohorts")
    # A row may bring a cohort of any size.
    rows_per_chunk: ClassVar[int | None] = 5
    columns = Columns(
        Column("cmd", one_of("add", "del", "restore", "fulldel"), aliases=("operation",), default="add", sample="add",
               help=_("add enrols, del suspends, restore takes that back, fulldel deletes the enrolment.")),
        Column("course", text(255), required=True, aliases=("shortname",), refers=True, sample="ALG1"),
        Column("cohort", text(255), required=True, aliases=("metacohort",), refers=True, sample="YEAR1"),
        Column("role", text(100), default=STUDENT, refers=True, sample=STUDENT,
               help=_("* means every role; not with add.")),
        Column("enrol", text(20, lower=True), aliases=("method",), decides=True, default=COHORT, help=_("The enrolment method.")),
        Column("enrolstart", moodle_time(), for_new=_("0, none"), help=_("Kept with the method; Moodle makes no use of it.")),
        Column("enrolend", moodle_time(), for_new=_("0, none"), help=_("Kept with the method; Moodle makes no use of it.")),
        Column("makegroup", flag(), default=0, help=_("1 puts the members in a group of their own.")),
        Column("disabled", one_of({"0": 0}), help=_("Known from Moodle's plugin for enrolment methods: 0.")),
        exact_width=True,
        subject="{cohort} → {course}",
        elsewhere={"group": "elsewhere_method_group"},
    )  # fmt: skip
    options = CohortCoursesOptions

    def setup(self, names: Sequence[str]) -> None:
        self.has_groups = "makegroup" in names
        self.rules = SiteRules(self.moodle)
        roles = fetch_roles(self.moodle)
        self.roles = {role.shortname: role for role in roles}
        if self.option_values.roleidentifier == "id":
            # The role of a row that names none has no other name.
            student = self.roles.get(STUDENT)
            self.roles = {str(role.id): role for role in roles} | ({STUDENT: student} if student else {})

    def fetch(self, rows: Sequence[CleanRow]) -> CohortCoursesState:
        memberships = fetch_memberships(
            self.moodle,
            self.overlay,
            course_identifier=self.option_values.courseidentifier,
            courses={row.values["course"] for row in rows},
            userids=None,
            all_groups=self.has_groups,
            **cohorts_named(self.option_values.cohortidentifier, {row.values["cohort"] for row in rows}),
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

    def plan(self, rows: Sequence[CleanRow], state: CohortCoursesState) -> Plan:
        return CohortCoursesPlanner(state, self.option_values).plan_rows(rows)
