"""`groups`: make and change groups and groupings of courses."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _

from sync.moodle.db.identifiers import fetch_ids, folding
from sync.moodle.groups.groups import fetch_bindings, fetch_described_groups, fetch_groupings
from sync.processors.base.overlay import FoundRows, Table
from sync.processors.base.plan import Plan
from sync.processors.base.processor import Processor
from sync.processors.base.sticky import Place, StickyColumn
from sync.processors.groups.cells import GroupCells
from sync.processors.groups.export import GroupsExporter
from sync.processors.groups.options import GroupsOptions
from sync.processors.groups.planner import GroupsPlanner, GroupsState, GroupsSurvey
from sync.processors.memberships.named import fetch_named_courses
from sync.processors.memberships.state import GROUPS, MembershipState

_BINDINGS = Table("groupings_groups", ("groupingid", "groupid"), found_by=(("groupingid",),))


class Groups(Processor[GroupCells, GroupsState, Plan]):
    """Groups and groupings of courses, and which grouping holds which group. Spec: groups.md section 1."""

    key = "groups"
    label = _("Groups and groupings")
    summary = _("Make groups and groupings in courses, change them, and put groups in groupings.")
    default_filename = "groups.csv"
    after = ("courses",)
    file_survey = GroupsSurvey
    options = GroupsOptions
    exporter = GroupsExporter
    sticky_columns = tuple(
        StickyColumn(column, tuple(Place(table, column.name) for table in ("groups", "groupings")))
        for column in (GroupCells.name, GroupCells.description)
    )

    def fetch(self, rows: Sequence[GroupCells]) -> GroupsState:
        now = int(time.time())
        identifier = self.option_values.courseidentifier
        named = fetch_named_courses(self.moodle, self.overlay, identifier, {row.courseid for row in rows})
        courseids = {course.id for courses in named.values() for course in courses}
        updateids = {row.updateid for row in rows if row.updateid is not None}
        described = fetch_described_groups(self.moodle, courseids)
        conversations = {
            row["talk_id"]: {
                "id": row["talk_id"],
                "itemid": row["id"],
                "name": row["talk_name"],
                "timemodified": row["talk_time"],
            }
            for row in described
            if row["talk_id"] is not None
        }
        groupings = self._over("groupings", fetch_groupings(self.moodle, courseids), now, {("courseid",): courseids})
        groups = self._over("groups", described, now, {("courseid",): courseids, ("idnumber",): updateids})
        bindings: dict[tuple[int, int], dict[str, Any]] = {pair: {} for pair in fetch_bindings(self.moodle, courseids)}
        return GroupsState(
            now=now,
            courses=MembershipState(course_identifier=identifier, courses_named=named),
            groups=groups,
            conversations=self.overlay.over(
                Table("message_conversations", on_update={"timemodified": now}), conversations
            ),
            groupings=groupings,
            bindings=self.overlay.over(_BINDINGS, bindings, {("groupingid",): groupings.rows.keys()}),
            elsewhere=self._fetch_elsewhere(updateids),
            sticky=self.sticky.fetch(self.overlay, {"groups": list(groups.rows), "groupings": list(groupings.rows)}),
        )

    def _over(
        self, name: str, rows: Iterable[dict[str, Any]], now: int, wanted: Mapping[tuple[str, ...], Collection[Any]]
    ) -> FoundRows:
        """Return groups, or groupings, as earlier chunks would leave them."""
        folds = {column: folding(self.moodle, name, column) for column in ("name", "idnumber")}
        table = Table(name, found_by=GROUPS.found_by, folds=folds, on_update={"timemodified": now})
        return self.overlay.over(table, {row["id"]: row for row in rows}, wanted)

    def _fetch_elsewhere(self, updateids: Collection[str]) -> Mapping[str, Collection[int]]:
        """Return the groups of any course that values of updateid name. Names aren't looked up: they recur."""
        identifier = self.option_values.groupidentifier
        return fetch_ids(self.moodle, "groups", identifier, updateids) if updateids and identifier != "name" else {}

    def plan(self, rows: Sequence[GroupCells], state: GroupsState) -> Plan:
        return GroupsPlanner(state, self.option_values).plan_rows(rows)
