"""What each row of a file of enrolment methods does, as if the rows were carried out in file order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sync.moodle.courses.courses import Course
from sync.moodle.enrolments.enrolments import DISABLED, ENABLED, EnrolInstance
from sync.moodle.enrolments.roles import Role
from sync.moodle.users.password_policy import PasswordPolicy
from sync.moodle.users.users import SiteRules
from sync.processors.base.errors import RowError
from sync.processors.base.overlay import Fold
from sync.processors.base.plan import Plan
from sync.processors.base.planner import plan_each
from sync.processors.enrolment_methods.cells import DELETE, UPDATE, EnrolmentMethodsOptions, MethodCells
from sync.processors.enrolment_methods.settings import (
    COHORT,
    DELETED,
    HIDDEN,
    MADE,
    META,
    SINGLE,
    check_settings,
    refuse_foreign_cells,
    wanted_settings,
)
from sync.processors.memberships.cohort_sync import sync_cohort_instance
from sync.processors.memberships.course_columns import find_course, find_course_role
from sync.processors.memberships.enrolment_results import accepted
from sync.processors.memberships.meta_sync import sync_meta_children, sync_meta_instance
from sync.processors.memberships.rows import MembershipRows
from sync.processors.memberships.state import MembershipState
from sync.values import Action, Change, Note, Outcome

# Settings that are kept out of reports.
_SECRET = "password"  # noqa: S105 - the name of a column
_DATES = ("enrolstartdate", "enrolenddate")


@dataclass(frozen=True)
class MethodsState:
    """Everything read for one chunk.

    Shape: memberships: the courses with their methods, and with everybody in them where rows may end or bring enrolments;
    installed: the names of enrolment plugins; defaults: method -> columns of a new one; need_password: methods that the site
    wants a key of; policies: of methods whose keys have to meet the site's rules for passwords; fold: makes names equal that the
    server takes for the same
    """

    now: int
    rules: SiteRules
    memberships: MembershipState
    installed: frozenset[str] = frozenset()
    defaults: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    need_password: frozenset[str] = frozenset()
    policies: Mapping[str, PasswordPolicy] = field(default_factory=dict)
    fold: Fold = str


class MethodsPlanner:
    """Plans one chunk; later rows see what earlier ones did."""

    def __init__(self, state: MethodsState, options: EnrolmentMethodsOptions) -> None:
        self.state = state
        self.options = options
        self.plan = Plan()
        self.rows = MembershipRows(state.memberships, self.plan, now=state.now)
        # Of these everybody is read.
        self._named_courses = {c.id for found in state.memberships.courses_named.values() for c in found}

    def plan_rows(self, rows: Sequence[MethodCells]) -> Plan:
        self.plan.outcomes.extend(plan_each(rows, self._plan_row, lambda row: f"{row.course} / {row.enrol}"))
        self.rows.finish()
        return self.plan

    def _plan_row(self, row: MethodCells) -> Outcome:
        course = accepted(find_course(self.state.memberships, row.course, "course"))
        if row.enrol not in self.state.installed:
            raise RowError("method_unknown", "enrol", method=row.enrol)
        refuse_foreign_cells(row)
        role = accepted(find_course_role(self.state.memberships, row.role, "role")) if row.role else None
        source = self._source(row)
        found = self._find(row, course, source, role)
        if row.cmd == DELETE:
            return self._delete(row, found)
        if found is not None:
            return self._change(row, found, role)
        if row.cmd == UPDATE:
            raise RowError("method_missing", "enrol", method=row.enrol, course=row.course)
        return self._create(row, course, source, role)

    # --- which method a row means ------------------------------------------------------------------------------------

    def _source(self, row: MethodCells) -> int | None:
        """Return the cohort or the course that a method takes its people from. Raises: RowError"""
        if row.source is None:
            return None
        if row.enrol == META:
            return accepted(find_course(self.state.memberships, row.source, "source")).id
        identifier = self.options.cohortidentifier
        found = self.rows.find_cohorts(identifier, row.source)
        if len(found) > 1:
            raise RowError("cohort_ambiguous", "source", cohort=row.source, count=len(found))
        if not found:
            raise RowError("cohort_missing", "source", identifier=identifier, cohort=row.source)
        return found[0].id

    def _find(self, row: MethodCells, course: Course, source: int | None, role: Role | None) -> EnrolInstance | None:
        """Return the method that a row means, None where it isn't there. Raises: RowError where there are several"""
        alike = [
            method
            for method in self.rows.instances.of_course(course.id)
            if method.enrol == row.enrol
            and source in (None, method.customint1)
            and (row.enrol != COHORT or role is None or method.roleid == role.id)
        ]
        if row.name and row.enrol not in SINGLE:
            alike = self._called(alike, row.name) or self._called(alike, row.newname or "")
        if len(alike) > 1:
            raise RowError("method_ambiguous", "name", method=row.enrol, count=len(alike))
        return alike[0] if alike else None

    def _called(self, methods: Sequence[EnrolInstance], name: str) -> list[EnrolInstance]:
        """Return those of the methods that are called so, spelled exactly so if there are any; renamed ones may be already."""
        if not name:
            return []
        named = [(m, self.rows.instances.settings_of(m).get("name") or "") for m in methods]
        wanted = self.state.fold(name)
        alike = [(method, text) for method, text in named if self.state.fold(text) == wanted]
        return [method for method, text in alike if text == name] or [method for method, _text in alike]

    # --- what is done to it ------------------------------------------------------------------------------------------

    def _create(self, row: MethodCells, course: Course, source: int | None, role: Role | None) -> Outcome:
        if row.enrol not in MADE:
            raise RowError("method_not_made", "enrol", method=row.enrol)
        if row.enrol not in self.state.memberships.enabled_methods:
            raise RowError("method_switched_off", "enrol", method=row.enrol)
        self._refuse_second(row, course, source, role)
        values = {**self.state.defaults.get(row.enrol, {}), **self._from_source(row, course, source, role)}
        values |= wanted_settings(row, self.state.rules)
        if row.name and not values.get("name"):
            values["name"] = row.name
        if role is not None:
            self._refuse_barred(role.id)
            values["roleid"] = role.id
        if row.disabled is not None:
            values["status"] = row.disabled
        self._check(row, values)
        method = self.rows.add_instance(course.id, row.enrol, values, row.line)
        self._follow(method, row.line)
        count = len(self.rows.enrolled_by(method.id))
        changes = (Change("people", "", str(count)),) if count else ()
        return Outcome(row.line, Action.CREATED, "method_created", {}, changes=changes)

    def _refuse_second(self, row: MethodCells, course: Course, source: int | None, role: Role | None) -> None:
        """Raises: RowError where a course takes the same people already, by a method of another name

        Mirrors: edit_instance_validation() of cohort and meta
        """
        if row.enrol not in (COHORT, META) or source is None:
            return
        for method in self.rows.instances.of_course(course.id):
            is_other_role = row.enrol == COHORT and role is not None and method.roleid != role.id
            if method.enrol == row.enrol and method.customint1 == source and not is_other_role:
                name = self.rows.instances.settings_of(method).get("name") or ""
                code = "method_there_named" if name else "method_there"
                raise RowError(code, "name", source=row.source, name=name)

    def _from_source(self, row: MethodCells, course: Course, source: int | None, role: Role | None) -> dict[str, Any]:
        """Return what tells a new method of cohort or meta where its people come from. Raises: RowError"""
        if row.enrol not in (COHORT, META):
            return {}
        if source is None:
            raise RowError("method_source_missing", "source", method=row.enrol)
        if row.enrol == META:
            if source == course.id:
                raise RowError("meta_of_itself", "source", course=row.course)
            return {"customint1": source}
        if role is None:
            raise RowError("method_role_missing", "role")
        return {"name": "", "customint1": source, "customint2": 0}

    def _change(self, row: MethodCells, method: EnrolInstance, role: Role | None) -> Outcome:
        old = self.rows.instances.settings_of(method)
        wanted = wanted_settings(row, self.state.rules)
        if role is not None:
            wanted["roleid"] = role.id
        values = {name: value for name, value in wanted.items() if (old.get(name) or type(value)()) != value}
        status = method.status if row.disabled is None else row.disabled
        if "roleid" in values or status < method.status:
            self._refuse_barred(values.get("roleid", method.roleid))
        if values or status < method.status:
            self._check(row, {**old, **values, "status": status})
        changes = [self._shown(name, old.get(name), value) for name, value in values.items()]
        notes: tuple[Note, ...] = ()
        if values:
            self.rows.instances.change(method, values, row.line)
        if self.rows.instances.set_status(method, status, row.line):
            changes.append(Change("disabled", str(method.status), str(status)))
            notes = self._switched(self.rows.instances.current(method), row.line)
        if not changes:
            return Outcome(row.line, Action.UNCHANGED, "method_unchanged", {})
        return Outcome(row.line, Action.UPDATED, "method_updated", {}, changes=tuple(changes), notes=notes)

    def _delete(self, row: MethodCells, method: EnrolInstance | None) -> Outcome:
        """Mirrors: enrol_plugin::delete_instance()"""
        if method is None:
            return Outcome(row.line, Action.UNCHANGED, "method_absent", {})
        if method.enrol not in DELETED:
            raise RowError("method_not_deleted", "enrol", method=method.enrol)
        people = self.rows.enrolled_by(method.id)
        self.rows.delete_instance(method, row.line)
        for user in people:
            sync_meta_children(self.rows, user, self.state.memberships.courses[method.courseid], row.line)
        changes = (Change("people", str(len(people)), "0"),) if people else ()
        return Outcome(row.line, Action.DELETED, "method_deleted", {"count": len(people)}, changes=changes)

    def _check(self, row: MethodCells, after: Mapping[str, Any]) -> None:
        """Raises: RowError for what Moodle's form doesn't take"""
        check_settings(after, self.state.rules)
        is_on = after.get("status", ENABLED) == ENABLED
        if is_on and row.enrol in self.state.need_password and not after.get("password"):
            raise RowError("method_needs_password", "password", method=row.enrol)
        policy = self.state.policies.get(row.enrol, PasswordPolicy())
        if row.password and not policy.allows(row.password):
            raise RowError("method_key_weak", "password", **policy._asdict())

    def _refuse_barred(self, roleid: int) -> None:
        """A file gives no role that permits to configure the site. Raises: RowError"""
        for role in self.state.memberships.roles.values():
            if role.id == roleid and role.is_barred:
                raise RowError("role_configures_site", "role", role=role.shortname)

    # --- what follows ------------------------------------------------------------------------------------------------

    def _switched(self, method: EnrolInstance, line: int) -> tuple[Note, ...]:
        """Bring people up to date with a method that was switched on or off, and the courses that copy from this one.

        Mirrors: update_status() of the methods; enrol_meta_observer::enrol_instance_updated()
        """
        if method.status == DISABLED and method.enrol in (COHORT, META):
            for user in self.rows.enrolled_by(method.id):
                self.rows.unassign_roles_of(user, method, line)
        notes = self._follow(method, line)
        if META in self.state.memberships.enabled_methods:
            for child in self.rows.instances.filled_from(META, method.courseid):
                sync_meta_instance(self.rows, child, line)
        return notes

    def _follow(self, method: EnrolInstance, line: int) -> tuple[Note, ...]:
        """Enrol at once whom a method that is switched on takes from elsewhere; only rows that name that have it read."""
        if method.status != ENABLED or method.enrol not in self.state.memberships.enabled_methods & {COHORT, META}:
            return ()
        if method.enrol == COHORT and method.customint1 in self.rows.cohorts:
            sync_cohort_instance(self.rows, method, line)
        elif method.enrol == META and method.customint1 in self._named_courses:
            sync_meta_instance(self.rows, method, line)
        else:
            return (Note("method_follows_later", {}),)
        return ()

    def _shown(self, name: str, old: Any, new: Any) -> Change:
        """Return a change as a report may show it: dates on the clock of the site, and no keys."""
        if name == _SECRET:
            return Change(name, HIDDEN if old else "", HIDDEN if new else "")
        if name in _DATES:
            old, new = (self.state.rules.shown_time(moment) if moment else "" for moment in (old, new))
        return Change(name, "" if old is None else str(old), str(new))
