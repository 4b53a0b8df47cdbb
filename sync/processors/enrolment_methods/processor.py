"""`enrolment_methods`: make, change, switch on and off and delete enrolment methods of courses."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from django.utils.translation import gettext_lazy as _

from sync.moodle.cohorts.cohorts import fetch_deleted_members
from sync.moodle.courses.defaults import CourseDefaults
from sync.moodle.db.identifiers import folding
from sync.moodle.enrolments.enrolments import fetch_method_settings
from sync.moodle.users.password_policy import PasswordPolicy
from sync.moodle.users.users import SiteRules
from sync.processors.base.overlay import FoundRows, is_temporary
from sync.processors.base.plan import Plan
from sync.processors.base.processor import Processor
from sync.processors.enrolment_methods.cells import DELETE, EnrolmentMethodsOptions, MethodCells
from sync.processors.enrolment_methods.export import MethodsExporter
from sync.processors.enrolment_methods.planner import MethodsPlanner, MethodsState
from sync.processors.enrolment_methods.settings import COHORT, GUEST, MADE, MANUAL, META, SELF
from sync.processors.memberships.cohort_sync import without_members
from sync.processors.memberships.fetch import fetch_memberships
from sync.processors.memberships.names import cohorts_named
from sync.processors.memberships.state import MembershipState

# Columns of a new method that are said where it is added, or by the row alone.
_SAID_ELSEWHERE = ("enrol", "courseid", "sortorder", "password", "timecreated", "timemodified")


class EnrolmentMethods(Processor[MethodCells, MethodsState, Plan]):
    """Enrolment methods of courses, with the people whom they bring or whose enrolments end."""

    key = "enrolment_methods"
    label = _("Enrolment methods")
    summary = _("Make enrolment methods in courses, change them, switch them on and off, and delete them.")
    default_filename = "enrolmentmethods.csv"
    after = ("users", "courses", "cohorts")
    # A row may end the enrolments of a whole course.
    rows_per_chunk: ClassVar[int | None] = 50
    options = EnrolmentMethodsOptions
    exporter = MethodsExporter

    def setup(self, names: Sequence[str]) -> None:
        self.rules = SiteRules(self.moodle)
        self.defaults = CourseDefaults(self.moodle)
        self.fold = folding(self.moodle, "enrol", "name")
        self.installed = frozenset(self.moodle.plugins_of("enrol")) | MADE
        self.need_password = self._with_setting("requirepassword")
        policy = PasswordPolicy.of(self.moodle.config)
        self.policies = dict.fromkeys(self._with_setting("usepasswordpolicy"), policy)

    def _with_setting(self, name: str) -> frozenset[str]:
        """Return the methods with keys whose plugins have a setting switched on."""
        return frozenset(
            method
            for method in (SELF, GUEST)
            if self.moodle.plugin_config(f"enrol_{method}").get(name, "0") not in ("", "0")
        )

    def fetch(self, rows: Sequence[MethodCells]) -> MethodsState:
        now = int(time.time())
        touches_people = any(
            row.cmd == DELETE or row.disabled is not None or row.enrol in (COHORT, META) for row in rows
        )
        sources = {
            method: {row.source for row in rows if row.enrol == method and row.source} for method in (COHORT, META)
        }
        memberships = fetch_memberships(
            self.moodle,
            self.overlay,
            course_identifier=self.option_values.courseidentifier,
            courses={row.course for row in rows} | sources[META],
            userids=None if touches_people else (),
            of_methods=True,
            **cohorts_named(self.option_values.cohortidentifier, sources[COHORT]),
        )
        cohortids = [key for key in memberships.cohorts.rows if not is_temporary(key)]
        deleted = fetch_deleted_members(self.moodle, cohortids) if cohortids else ()
        return MethodsState(
            now=now,
            rules=self.rules,
            memberships=self._with_settings(without_members(memberships, deleted)),
            installed=self.installed,
            defaults={
                method: {
                    name: value
                    for name, value in self.defaults.instance(method, now).items()
                    if name not in _SAID_ELSEWHERE
                }
                for method in (MANUAL, SELF, GUEST)
            },
            need_password=self.need_password,
            policies=self.policies,
            fold=self.fold,
        )

    def _with_settings(self, memberships: MembershipState) -> MembershipState:
        """Add how methods are set to what is known of them, where no earlier chunk has set it otherwise."""
        methods = memberships.methods
        settings = fetch_method_settings(self.moodle, [key for key in methods.rows if not is_temporary(key)])
        rows = {key: {**settings.get(key, {}), **row} for key, row in methods.rows.items()}
        return replace(memberships, methods=FoundRows(methods.table, rows))

    def plan(self, rows: Sequence[MethodCells], state: MethodsState) -> Plan:
        return MethodsPlanner(state, self.option_values).plan_rows(rows)
