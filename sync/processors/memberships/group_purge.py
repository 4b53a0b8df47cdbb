"""The clean-up of groups that are empty when a file is done, in the courses that the file names."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from django.utils.translation import gettext_lazy as _

from sync.columns.general_options import GeneralOptions
from sync.columns.options import Choice
from sync.moodle.courses.courses import Course
from sync.moodle.db.database import MoodleSession
from sync.moodle.db.writer import Writer
from sync.moodle.groups.deletion import delete_groupings, delete_groups
from sync.moodle.groups.empty_groups import fetch_empty_groupings, fetch_empty_groups
from sync.processors.base.context import Collected
from sync.processors.base.operations import Applied, Operation
from sync.processors.base.overlay import Overlay
from sync.processors.base.plan import Plan
from sync.processors.base.totals import DELETED, ChangedIds, Totals, total
from sync.processors.memberships.state import GROUP_MEMBERS
from sync.values import Action, Note, Outcome

# A report with the names of more than that is read by nobody.
MAX_LISTED = 20


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
    """A plan; the last one of a run also deletes what is left empty. Shape: groups, groupings: ids of those to be deleted"""

    def __init__(self, now: int = 0) -> None:
        super().__init__(now)
        self.groups: Sequence[int] = ()
        self.groupings: Sequence[int] = ()

    def operations(self) -> list[Operation]:
        return [*super().operations(), DeleteGroups(self.groups, self.groupings)]


@dataclass(frozen=True)
class DeleteGroups(Operation):
    """Delete groups and groupings. Expects: the groups without members, the groupings without groups. Shape: their ids"""

    groups: Sequence[int]
    groupings: Sequence[int]

    def __bool__(self) -> bool:
        return bool(self.groups or self.groupings)

    @property
    def lines(self) -> Collection[int]:
        return ()

    def apply(self, writer: Writer, applied: Applied) -> None:
        applied.files += delete_groups(writer, self.groups)
        applied.files += delete_groupings(writer, self.groupings, now=applied.now)

    def totals(self) -> Totals:
        return total("groups", DELETED, len(self.groups))

    def changed_ids(self) -> ChangedIds:
        return {f"groups.{DELETED}": [*self.groups]}


class GroupPurge:
    """Finds what is left empty at the end of a run. Shape: choice: of `purgeemptygroups`; courseids: those of `PurgeCollected`"""

    def __init__(self, moodle: MoodleSession, overlay: Overlay, choice: str, courseids: set[int]) -> None:
        self._moodle = moodle
        self._overlay = overlay
        self._choice = choice
        self._courseids = courseids

    @property
    def is_wanted(self) -> bool:
        return self._choice != "0"

    def note_courses(self, named: Mapping[str, Iterable[Course]]) -> None:
        """Note the courses that rows name."""
        self._courseids.update(course.id for found in named.values() for course in found if not course.is_site)

    def complete(self, plan: PurgingPlan) -> None:
        """Put the deletion of what is empty by now into the last plan, with its notes and outcomes."""
        if not self.is_wanted or not self._courseids:
            return
        changes = self._overlay.changes(GROUP_MEMBERS)
        joined = {groupid for (groupid, _userid), membership in changes.items() if membership is not None}
        left = {key for key, membership in changes.items() if membership is None}
        groups = fetch_empty_groups(self._moodle, self._courseids, joined=joined, left=left)
        groupings: dict[int, str] = {}
        if self._choice == "2":
            groupings = fetch_empty_groupings(self._moodle, self._courseids, groups)
        plan.notes += [
            Note(code, {"count": len(found), "names": listed(list(found.values()))})
            for code, found in (("groups_purged", groups), ("groupings_purged", groupings))
            if found
        ]
        plan.outcomes += [
            Outcome(0, Action.DELETED, code, {}, name)
            for code, found in (("group_purged", groups), ("grouping_purged", groupings))
            for name in found.values()
        ]
        plan.groups, plan.groupings = tuple(groups), tuple(groupings)


def listed(names: Sequence[str]) -> str:
    """Return names in a row, not too many of them."""
    return ", ".join(names[:MAX_LISTED]) + (" …" if len(names) > MAX_LISTED else "")
