"""The clean-up of groups that are empty when a file is done, in the courses that the file names."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from django.utils.translation import gettext_lazy as _

from sync.columns.general_options import GeneralOptions
from sync.columns.options import Choice
from sync.moodle.courses.courses import Course
from sync.moodle.db.database import MoodleSession
from sync.moodle.db.writer import Writer
from sync.moodle.groups.deletion import delete_groupings, delete_groups
from sync.moodle.groups.empty_groups import fetch_empty_groupings, fetch_empty_groups
from sync.processors.base.closing import ClosingObject, EmptiedObject, EmptiedPart, FileEnd, next_emptied
from sync.processors.base.context import Collected
from sync.processors.base.operations import Applied, Operation
from sync.processors.base.overlay import Overlay
from sync.processors.base.plan import Plan
from sync.processors.base.totals import DELETED, ChangedIds, Totals, total
from sync.processors.memberships.state import GROUP_MEMBERS
from sync.values import Action, Outcome

GROUPS, GROUPINGS = "groups", "groupings"
# Code of what becomes of a group or a grouping -> code of the note that tells how many there were.
PURGE_NOTES = MappingProxyType({"group_purged": "groups_purged", "grouping_purged": "groupings_purged"})


class PurgeOptions(GeneralOptions):
    purgeemptygroups = Choice(
        default="0",
        aliases=("groups_purgeemptygroups",),
        choices={"0": _("Keep"), "1": _("Delete empty groups"), "2": _("Delete empty groups and groupings")},
        label=_("Empty groups"),
        help=_(
            "At the end of the file, in the courses that it names. Groups stay that have an enrolment key, or that an "
            "enrolment method or a restriction of access names."
        ),
    )


@dataclass
class PurgeCollected(Collected):
    """Shape: courseids: the courses that the file names"""

    courseids: set[int] = field(default_factory=set)


class PurgingPlan(Plan):
    """A plan; what follows the last row may delete what is left empty. Shape: groups, groupings: line -> id of one that goes"""

    def __init__(self, now: int = 0) -> None:
        super().__init__(now)
        self.groups: dict[int, int] = {}
        self.groupings: dict[int, int] = {}

    def operations(self) -> list[Operation]:
        return [*super().operations(), DeleteGroups(self.groups, self.groupings)]


@dataclass(frozen=True)
class DeleteGroups(Operation):
    """Delete groups and groupings. Expects: the groups without members, the groupings without groups. Shape: line -> id"""

    groups: Mapping[int, int]
    groupings: Mapping[int, int]

    def __bool__(self) -> bool:
        return bool(self.groups or self.groupings)

    @property
    def lines(self) -> Collection[int]:
        return {*self.groups, *self.groupings}

    def apply(self, writer: Writer, applied: Applied) -> None:
        applied.files += delete_groups(writer, self.groups.values())
        applied.files += delete_groupings(writer, self.groupings.values(), now=applied.now)

    def totals(self) -> Totals:
        return total("groups", DELETED, len(self.groups))

    def changed_ids(self) -> ChangedIds:
        return {f"groups.{DELETED}": [*self.groups.values()]}


class GroupPurge:
    """Finds what is left empty at the end of a run. Shape: choice: of `purgeemptygroups`"""

    def __init__(self, moodle: MoodleSession, overlay: Overlay, choice: str, collected: PurgeCollected) -> None:
        self._moodle = moodle
        self._overlay = overlay
        self._choice = choice
        self._courseids = collected.courseids
        self._unplanned = collected.unplanned

    @property
    def is_wanted(self) -> bool:
        return self._choice != "0"

    def note_courses(self, named: Mapping[str, Iterable[Course]]) -> None:
        """Note the courses that rows name."""
        self._courseids.update(course.id for found in named.values() for course in found if not course.is_site)

    def next_part(self, plan: PurgingPlan, end: FileEnd) -> None:
        """Put the deletion of the next groups that are empty by now into a plan, or else of groupings."""
        if not self.is_wanted or not self._courseids:
            return
        part = self._next_groups(end)
        if part:
            plan.groups = {line: each.about.rowid for line, each in part.objects.items()}
        elif self._choice == "2":
            part = self._next_groupings(end)
            plan.groupings = {line: each.about.rowid for line, each in part.objects.items()}
        for line, each in part.objects.items():
            plan.close(each.about, Outcome(line, Action.DELETED, each.code, {}, each.name))
        plan.leave_changed(part.changed)

    def _next_groups(self, end: FileEnd) -> EmptiedPart:
        changes = self._overlay.changes(GROUP_MEMBERS)
        joined = {groupid for (groupid, _userid), membership in changes.items() if membership is not None}
        left = {key for key, membership in changes.items() if membership is None}
        groups = fetch_empty_groups(self._moodle, self._courseids, joined=joined, left=left)
        return self._next(GROUPS, "group_purged", groups, end)

    def _next_groupings(self, end: FileEnd) -> EmptiedPart:
        # Where nothing is carried out, the groups are still there.
        groupings = fetch_empty_groupings(self._moodle, self._courseids, end.closed.deleted(GROUPS))
        return self._next(GROUPINGS, "grouping_purged", groupings, end)

    def _next(self, table: str, code: str, names: Mapping[int, str], end: FileEnd) -> EmptiedPart:
        found = [EmptiedObject(ClosingObject(table, rowid), code, name) for rowid, name in names.items()]
        return next_emptied(found, end, self._unplanned)
