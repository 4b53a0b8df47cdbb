"""What each row of a file of cohorts in courses does, as if the rows were carried out in file order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sync.moodle.cohorts.cohorts import Cohort
from sync.moodle.courses.courses import Course
from sync.moodle.enrolments.enrolments import DISABLED, ENABLED, EnrolInstance
from sync.moodle.enrolments.roles import Role
from sync.moodle.users.users import SiteRules
from sync.processors.base.errors import RowError
from sync.processors.base.plan import Plan
from sync.processors.base.planner import plan_each
from sync.processors.base.processor import SplitChunk
from sync.processors.cohorts.cells import COHORT, CohortCourseCells
from sync.processors.cohorts.options import CohortCoursesOptions
from sync.processors.memberships.cohort_sync import sync_cohort_instance
from sync.processors.memberships.course_columns import find_course
from sync.processors.memberships.course_groups import MAX_NAME
from sync.processors.memberships.enrolment_dates import given_date, reversed_dates
from sync.processors.memberships.enrolment_results import accepted
from sync.processors.memberships.meta_sync import sync_meta_children
from sync.processors.memberships.rows import MembershipRows
from sync.processors.memberships.state import COHORT_MEMBERS, MembershipState
from sync.values import Action, Change, Outcome

EVERY_ROLE = "*"

# Moodle's own methods that keep something else where a cohort method keeps its cohort, or nothing at all.
METHODS_WITHOUT_COHORTS = frozenset(
    (
        "category", "database", "fee", "flatfile", "guest", "imsenterprise", "ldap", "lti", "manual", "meta", "mnet",
        "paypal", "self",
    )
)  # fmt: skip

# Rows that bring more people together are carried out apart; one row may bring any number.
_MAX_MEMBERS = 20_000


@dataclass(frozen=True)
class CohortCoursesState:
    """Everything read for one chunk.

    Shape: memberships: of everybody in the cohorts and courses; roles: as the file names them; methods: that may be used
    """

    now: int
    rules: SiteRules
    memberships: MembershipState
    roles: Mapping[str, Role]
    methods: frozenset[str]


class CohortCoursesPlanner:
    """Plans one chunk."""

    def __init__(self, state: CohortCoursesState, options: CohortCoursesOptions) -> None:
        self.state = state
        self.options = options
        self.plan = Plan()
        self.rows = MembershipRows(state.memberships, self.plan, now=state.now)

    def plan_rows(self, rows: Sequence[CohortCourseCells]) -> Plan:
        self._split_if_large(rows)
        self.plan.outcomes.extend(plan_each(rows, self._plan_row, lambda row: f"{row.cohort} → {row.course}"))
        self.rows.finish()
        return self.plan

    def _split_if_large(self, rows: Sequence[CohortCourseCells]) -> None:
        """Ask for a smaller chunk before anything is planned. Raises: SplitChunk"""
        sizes = Counter(cohortid for cohortid, _userid in self.state.memberships.rows_of(COHORT_MEMBERS).rows)
        people = 0
        for row in rows:
            found = self.rows.find_cohorts(self.options.cohortidentifier, row.cohort)
            size = sum(sizes[cohort.id] for cohort in found)
            if people and people + size > _MAX_MEMBERS:
                raise SplitChunk(row.line)
            people += size

    def _plan_row(self, row: CohortCourseCells) -> Outcome:
        role = self._role(row)
        course, cohort, method = self._course(row), self._cohort(row), self._method(row)
        self._dates(row)
        links = [
            instance
            for instance in self.rows.instances.of_course(course.id)
            if (instance.enrol, instance.customint1) == (method, cohort.id)
            and (role is None or instance.roleid == role.id)
        ]
        if row.cmd == "add" and role is not None:
            return self._add(row, course, cohort, role, links[:1])
        if not links and row.cmd == "fulldel":
            return Outcome(row.line, Action.UNCHANGED, "cohort_link_gone_already", {})
        if not links:
            raise RowError("cohort_link_missing", "cohort", cohort=row.cohort, course=row.course)
        commands = {"del": self._disable, "restore": self._restore, "fulldel": self._delete}
        return commands[row.cmd](row, links)

    # --- commands ----------------------------------------------------------------------------------------------------

    def _add(
        self, row: CohortCourseCells, course: Course, cohort: Cohort, role: Role, links: Sequence[EnrolInstance]
    ) -> Outcome:
        before = self.rows.touches
        self._refuse_barred(role.id if not links else None, links)
        if links:
            link, code = links[0], "cohort_link_unchanged"
            if self.rows.instances.set_status(link, ENABLED, row.line):
                code = "cohort_link_restored"
            if row.makegroup and not self._has_group(link):
                self.rows.instances.set_group(link, self._make_group(course, cohort, row.line), row.line)
        else:
            code = "cohort_link_created"
            groupid = self._make_group(course, cohort, row.line) if row.makegroup else 0
            link = self.rows.add_instance(
                course.id, self._method(row), self._values(row, cohort, role, groupid), row.line
            )
        count = self._follow(link, row.line)
        changes = (Change("people", "", str(count)),) if count else ()
        if code == "cohort_link_created":
            return Outcome(row.line, Action.CREATED, code, {"count": count}, changes=changes)
        if self.rows.touches == before:
            return Outcome(row.line, Action.UNCHANGED, code, {})
        code = "cohort_link_synced" if code == "cohort_link_unchanged" else code
        return Outcome(row.line, Action.UPDATED, code, {}, changes=changes)

    def _refuse_barred(self, roleid: int | None, links: Sequence[EnrolInstance]) -> None:
        """A link that gives a role which permits to configure the site may stay as it is. Raises: RowError

        Shape: roleid: of a new link; links: those that are to be switched on
        """
        given = {link.roleid for link in links if link.status != ENABLED} | {roleid}
        for role in self.state.roles.values():
            if role.is_barred and role.id in given:
                raise RowError("role_configures_site", "role", role=role.shortname)

    def _disable(self, row: CohortCourseCells, links: Sequence[EnrolInstance]) -> Outcome:
        changed = [link for link in links if self.rows.instances.set_status(link, DISABLED, row.line)]
        for link in changed if self.options.followenrolments else ():
            for user in self.rows.enrolled_by(link.id):
                self.rows.unassign_roles_of(user, link, row.line)
                sync_meta_children(self.rows, user, self.rows.state.courses[link.courseid], row.line)
        if not changed:
            return Outcome(row.line, Action.UNCHANGED, "cohort_link_off_already", {})
        return Outcome(row.line, Action.UPDATED, "cohort_link_disabled", {})

    def _restore(self, row: CohortCourseCells, links: Sequence[EnrolInstance]) -> Outcome:
        before = self.rows.touches
        self._refuse_barred(None, links)
        changed = [link for link in links if self.rows.instances.set_status(link, ENABLED, row.line)]
        for link in links:
            self._follow(link, row.line)
        if self.rows.touches == before:
            return Outcome(row.line, Action.UNCHANGED, "cohort_link_unchanged", {})
        return Outcome(row.line, Action.UPDATED, "cohort_link_restored" if changed else "cohort_link_synced", {})

    def _delete(self, row: CohortCourseCells, links: Sequence[EnrolInstance]) -> Outcome:
        count = 0
        for link in links:
            people = self.rows.enrolled_by(link.id)
            self.rows.delete_instance(link, row.line)
            for user in people:
                sync_meta_children(self.rows, user, self.rows.state.courses[link.courseid], row.line)
            count += len(people)
        return Outcome(row.line, Action.DELETED, "cohort_link_deleted", {"count": count})

    def _follow(self, link: EnrolInstance, line: int) -> int:
        """Enrol the members of the cohort, and return how many are new; only for Moodle's own method, whose rules are known."""
        if link.enrol != COHORT or not self.options.followenrolments:
            return 0
        before = set(self.rows.enrolled_by(link.id))
        sync_cohort_instance(self.rows, self.rows.instances.current(link), line)
        return len(set(self.rows.enrolled_by(link.id)) - before)

    # --- what a row names --------------------------------------------------------------------------------------------

    def _role(self, row: CohortCourseCells) -> Role | None:
        """Return the role, None for every one."""
        if row.role == EVERY_ROLE:
            if row.cmd == "add":
                raise RowError("cohort_link_every_role", "role")
            return None
        role = self.state.roles.get(row.role) or self.state.roles.get(row.role.casefold())
        if role is None:
            raise RowError("role_unknown", "role", role=row.role)
        if row.cmd == "add" and not role.in_courses:
            raise RowError("role_not_for_courses", "role", role=row.role)
        return role

    def _course(self, row: CohortCourseCells) -> Course:
        return accepted(find_course(self.state.memberships, row.course, "course"))

    def _cohort(self, row: CohortCourseCells) -> Cohort:
        identifier, name = self.options.cohortidentifier, row.cohort
        found = self.rows.find_cohorts(identifier, name)
        if len(found) > 1:
            raise RowError("cohort_ambiguous", "cohort", cohort=name, count=len(found))
        if not found:
            raise RowError("cohort_missing", "cohort", identifier=identifier, cohort=name)
        return found[0]

    def _method(self, row: CohortCourseCells) -> str:
        if row.enrol not in self.state.methods:
            raise RowError("enrol_method_unknown", "enrol", method=row.enrol)
        return row.enrol

    def _values(self, row: CohortCourseCells, cohort: Cohort, role: Role, groupid: int) -> dict[str, Any]:
        start, end = self._dates(row)
        return {
            "name": "",
            "roleid": role.id,
            "customint1": cohort.id,
            "customint2": groupid,
            "enrolstartdate": start,
            "enrolenddate": end,
        }

    def _dates(self, row: CohortCourseCells) -> tuple[int, int]:
        rules = self.state.rules
        start, end = given_date(row.enrolstart, rules), given_date(row.enrolend, rules)
        if (found := reversed_dates(start, end, None, rules.shown_time)) is not None:
            raise RowError("enrolment_dates_reversed", "enrolend", start=found.start, end=found.end, hint=found.hint)
        return (start.seconds if start else 0), (end.seconds if end else 0)

    # --- groups ------------------------------------------------------------------------------------------------------

    def _has_group(self, link: EnrolInstance) -> bool:
        """Whether the group of a link is there."""
        return link.customint2 in self.rows.groups.groups

    def _make_group(self, course: Course, cohort: Cohort, line: int) -> int:
        """Make the group of a cohort, under a name that no group of the course has. Mirrors: enrol_cohort_create_new_group()"""
        ending, number = " cohort", 1
        while self.rows.groups.named(course.id, name := cohort.name[: MAX_NAME - len(ending)] + ending):
            number += 1
            ending = f" cohort ({number})"
        return self.rows.groups.create(course.id, name, line)
