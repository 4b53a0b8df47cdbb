"""`roles`: give people roles in any context of Moodle, and take them away there."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from django.utils.translation import gettext_lazy as _

from sync.moodle.db.identifiers import is_id
from sync.moodle.enrolments.roles import Role, fetch_role_levels, fetch_roles
from sync.moodle.users.users import SiteRules
from sync.moodle.versions import CONTEXT_COURSE, CONTEXT_USER
from sync.processors.base.plan import Plan
from sync.processors.base.processor import Processor
from sync.processors.memberships.fetch import fetch_memberships
from sync.processors.memberships.named import fetch_named_users
from sync.processors.memberships.state import roles_by_shortname
from sync.processors.roles.cells import RoleCells
from sync.processors.roles.export import RolesExporter
from sync.processors.roles.options import RolesOptions
from sync.processors.roles.places import fetch_places, instances_of
from sync.processors.roles.planner import RolesPlanner, RolesState


class Roles(Processor[RoleCells, RolesState, Plan]):
    """Roles in the system, in categories, courses and activities, and over users."""

    key = "roles"
    label = _("Roles")
    summary = _(
        "Give people roles in the whole site, in categories, courses and activities, or over other users, and take them away."
    )
    default_filename = "roles.csv"
    after = (
        "users",
        "users_delete",
        "users_suspend",
        "users_restore",
        "courses",
        "courses_meta",
        "cohorts",
        "enrolments",
    )
    options = RolesOptions
    exporter = RolesExporter

    def setup(self, names: Sequence[str]) -> None:
        self.rules = SiteRules(self.moodle)
        self.rules.read_protected()
        self.roles = self._named_roles()
        self.levels = fetch_role_levels(self.moodle)
        guest = self.moodle.config.get("siteguest", "")
        self.guestid = int(guest) if is_id(guest) else 0

    def fetch(self, rows: Sequence[RoleCells]) -> RolesState:
        texts = {row.userid for row in rows}
        owners = instances_of(rows, CONTEXT_USER)
        users = fetch_named_users(
            self.moodle, self.overlay, self.rules, self.option_values.useridentifier, texts | owners
        )
        places = fetch_places(self.moodle, self.overlay, self.option_values, rows, users)
        memberships = fetch_memberships(
            self.moodle,
            self.overlay,
            course_identifier=self.option_values.courseidentifier,
            courses=instances_of(rows, CONTEXT_COURSE),
            userids=sorted({userid for text in texts for userid in users.get(text, ())}),
            role_contextids={*places.contextids, self.moodle.system_contextid},
        )
        return RolesState(
            now=int(time.time()),
            users=users,
            places=places,
            memberships=memberships,
            roles=self.roles,
            levels=self.levels,
            protected=self.rules.untouchable_ids,
            guestid=self.guestid,
        )

    def plan(self, rows: Sequence[RoleCells], state: RolesState) -> Plan:
        return RolesPlanner(state, self.option_values).plan_rows(rows)

    def _named_roles(self) -> Mapping[str, Role]:
        roles = fetch_roles(self.moodle)
        if self.option_values.roleidentifier == "id":
            return {str(role.id): role for role in roles}
        return roles_by_shortname(roles)
