"""What each row of an enrolments file does, as if the rows were carried out in file order. Spec: enrols.md section 4."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sync.moodle.users.users import SiteRules
from sync.processors.base.planner import plan_each
from sync.processors.enrolments.cells import EnrolmentCells
from sync.processors.enrolments.commands import GIVING, EnrolmentCommands
from sync.processors.enrolments.groups import EnrolmentGroups, Protection
from sync.processors.enrolments.methods import EnrolmentMethods, MethodRules
from sync.processors.enrolments.options import EnrolmentsOptions
from sync.processors.memberships.course_columns import find_course
from sync.processors.memberships.enrolment_dates import ended_already, given_date
from sync.processors.memberships.enrolment_results import EnrolmentOutcome, EnrolmentRow, EnrolmentTarget, accepted
from sync.processors.memberships.group_purge import PurgingPlan
from sync.processors.memberships.names import NamedUsers, find_user
from sync.processors.memberships.results import SetResult
from sync.processors.memberships.rows import MembershipRows
from sync.processors.memberships.state import MembershipState
from sync.values import Action, Note, Outcome, partial_outcome


@dataclass(frozen=True)
class EnrolmentsState:
    """Everything read for one chunk.

    Shape: group_numbers: those of the columns g1, g2 …; is_about_roles: the file has no column for the method
    Units: now: seconds since epoch
    """

    rules: SiteRules
    now: int
    is_about_roles: bool
    group_numbers: Sequence[int]
    users: NamedUsers
    memberships: MembershipState
    methods: MethodRules
    protection: Protection


class EnrolmentsPlan(PurgingPlan):
    """A plan, with whom it concerns. Shape: news: (courseid, userid, code) of the rows that change something."""

    def __init__(self, now: int = 0) -> None:
        super().__init__(now)
        self.news: list[tuple[int, int, str]] = []


class EnrolmentPlanner:
    """Plans one chunk, row by row in file order; later rows see what earlier ones did."""

    def __init__(self, state: EnrolmentsState, options: EnrolmentsOptions) -> None:
        self.state = state
        self.options = options
        self.plan = EnrolmentsPlan(state.now)
        self.rows = MembershipRows(state.memberships, self.plan, now=state.now)
        self.methods = EnrolmentMethods(self.rows, state.methods)
        self.commands = EnrolmentCommands(self.rows, state.rules.shown_time)
        self.groups = EnrolmentGroups(self.rows, state.protection)

    def plan_rows(self, rows: Sequence[EnrolmentCells]) -> EnrolmentsPlan:
        self.plan.outcomes.extend(plan_each(rows, lambda row: self._plan_row(row, _subject(row)), _subject))
        self.rows.finish()
        return self.plan

    def _plan_row(self, cells: EnrolmentCells, subject: str) -> Outcome:
        row = self._read(cells)
        target = self._target(cells, row)
        done = self.commands.apply_command(target, row)
        joined = self._join(target, row, done)
        if done.changes or joined.changes:
            code = done.code if done.changes else "enrolment_groups_changed"
            self.plan.news.append((target.course.id, target.userid, code))
        return _outcome(row.line, subject, done, joined)

    def _join(self, target: EnrolmentTarget, row: EnrolmentRow, done: EnrolmentOutcome) -> SetResult:
        """Carry out what a row wants of groups, and say what in it comes to nothing."""
        ended = ended_already(row.end, "endtime", self.state.now) if row.cmd in GIVING and done.changes else ()
        if row.gcmd:
            joined = self.groups.apply(target.userid, target.course, row)
            return joined._replace(notes=(*ended, *joined.notes))
        if not row.groups or row.cmd not in GIVING:
            return SetResult(notes=ended)
        column, name = row.groups[0]
        return SetResult(notes=(*ended, Note("group_command_empty", {"column": column, "group": name})))

    def _read(self, cells: EnrolmentCells) -> EnrolmentRow:
        column = EnrolmentCells.groups
        return EnrolmentRow(
            line=cells.line,
            cmd=cells.cmd,
            role=cells.rolename or "",
            start=given_date(cells.starttime, self.state.rules),
            end=given_date(cells.endtime, self.state.rules),
            gcmd=cells.gcmd or "",
            groups=tuple(
                (column.numbered(number), name)
                for number in self.state.group_numbers
                if (name := column.of(cells, number)) is not None
            ),
        )

    def _target(self, cells: EnrolmentCells, row: EnrolmentRow) -> EnrolmentTarget:
        """Find what the row names; the method comes last, as it may be added. Raises: RowError"""
        userid = accepted(find_user(self.state.users, self.options.useridentifier, cells.uid, "uid"))
        course = accepted(find_course(self.state.memberships, cells.cid, "cid"))
        self.commands.check(row)
        if self.state.is_about_roles:
            return EnrolmentTarget(userid, course, None)
        instance = self.methods.find(course, cells.enrol, cells.cid, row.line, may_add=row.cmd in GIVING)
        return EnrolmentTarget(userid, course, instance)


def _outcome(line: int, subject: str, done: EnrolmentOutcome, joined: SetResult) -> Outcome:
    if joined.changes and not done.changes:
        done = EnrolmentOutcome(Action.UPDATED, "enrolment_groups_changed")
    changes = (*done.changes, *joined.changes)
    outcome = Outcome(line, done.action, done.code, {}, subject, changes, joined.notes)
    # The enrolment is done and stays so; the line goes into the tryback once, for the groups that are left over.
    return partial_outcome(outcome, joined.problems) if joined.problems else outcome


def _subject(row: EnrolmentCells) -> str:
    return f"{row.uid} / {row.cid}"
