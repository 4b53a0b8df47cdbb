"""The groups of an enrolments file: gcmd with g1, g2 … Spec: enrols.md section 4.7."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

from sync.moodle.courses.courses import Course
from sync.processors.base.overlay import Values
from sync.processors.memberships.course_groups import CourseGroups, list_problem
from sync.processors.memberships.enrolment_results import EnrolmentRow
from sync.processors.memberships.names import made_like_list
from sync.processors.memberships.own_memberships import is_ours
from sync.processors.memberships.results import NOTHING, SetResult
from sync.processors.memberships.rows import MembershipRows
from sync.values import Change, Note

GROUP_COMMANDS = ("gadd", "gaddcreate", "greplace", "greplacecreate", "gdel")
REPLACING = ("greplace", "greplacecreate")
_CREATING = ("gaddcreate", "greplacecreate")


class Protection(NamedTuple):
    """Which memberships a file may take away.

    Shape: only_ours: those that ToolSync has made, else all but those of enrolment methods; component: of new ones;
    recorded: ids of memberships that earlier runs made
    """

    only_ours: bool = False
    component: str = ""
    recorded: Collection[int] = ()


class EnrolmentGroups:
    """Puts people in groups of courses and takes them out."""

    def __init__(self, rows: MembershipRows, protection: Protection) -> None:
        self.rows = rows
        self.protection = protection
        self._recorded = frozenset(protection.recorded)
        self._groups = CourseGroups(rows)

    def apply(self, userid: int, course: Course, row: EnrolmentRow) -> SetResult:
        """Carry out the group command of a row; what can't be done stands among the problems, the rest is done."""
        if row.gcmd not in GROUP_COMMANDS:
            params = {"column": "gcmd", "value": row.gcmd, "allowed": ", ".join(GROUP_COMMANDS)}
            return SetResult(problems=(Note("group_command_unknown", params),))
        if row.gcmd == "gdel":
            return _together(self._leave(userid, course, column, name, row.line) for column, name in row.groups)
        if not self.rows.is_enrolled(userid, course.id):
            return _not_enrolled(row)
        found = [self._find(course, column, name, row) for column, name in row.groups]
        targets = {groupid: place for place, (groupid, _result) in enumerate(found) if groupid is not None}
        results = [result for _groupid, result in found]
        # A cell that lists groups may mean those that would be left.
        if row.gcmd in REPLACING and not any(self._groups.lists_groups(course, name) for _column, name in row.groups):
            others = [groupid for groupid in self.rows.groups.of_user(userid, course.id) if groupid not in targets]
            results += [
                self._take_out(userid, groupid, "gcmd", self.rows.groups.name_of(groupid), row.line)
                for groupid in others
            ]
        results += [self._join(userid, groupid, *row.groups[place], row.line) for groupid, place in targets.items()]
        return _together(results)

    def _find(self, course: Course, column: str, name: str, row: EnrolmentRow) -> tuple[int | None, SetResult]:
        groupid, notes = self._groups.seek(course, name, column)
        if groupid is None and self._groups.lists_groups(course, name):
            return None, SetResult(problems=(list_problem(column, name),))
        if groupid is None and row.gcmd in _CREATING:
            groupid = self.rows.groups.create(course.id, name, row.line)
            notes = made_like_list(column, name)
        if groupid is None:
            return None, _problem("group_unknown", column, name)
        return groupid, SetResult(notes=notes)

    def _join(self, userid: int, groupid: int, column: str, name: str, line: int) -> SetResult:
        if self.rows.groups.add(userid, groupid, line, component=self.protection.component):
            return SetResult(changes=(Change(column, "", name),))
        return _note("group_member_already", column, name)

    def _leave(self, userid: int, course: Course, column: str, name: str, line: int) -> SetResult:
        groupid, notes = self._groups.seek(course, name, column)
        if groupid is None:
            return _problem("group_unknown", column, name)
        if self.rows.groups.membership(userid, groupid) is None:
            left = _note("group_not_member", column, name)
        else:
            left = self._take_out(userid, groupid, column, name, line)
        return left._replace(notes=(*notes, *left.notes))

    def _take_out(self, userid: int, groupid: int, column: str, name: str, line: int) -> SetResult:
        """Take a member out of a group, unless the membership is protected."""
        membership = self.rows.groups.membership(userid, groupid) or {}
        if kept := self._reason_to_keep(membership):
            return _note(kept, column, name)
        self.rows.groups.remove(userid, groupid, line)
        return SetResult(changes=(Change(column, name, ""),))

    def _reason_to_keep(self, membership: Values) -> str:
        if str(membership["component"]).startswith("enrol_"):
            # The method would put the member back at its next synchronisation.
            return "group_kept_by_method"
        if self.protection.only_ours and not is_ours(membership, self._recorded):
            return "group_not_ours"
        return ""


def _not_enrolled(row: EnrolmentRow) -> SetResult:
    if not row.groups:
        return NOTHING
    column, name = row.groups[0]
    return _problem("group_not_enrolled", column, name)


def _problem(code: str, column: str, name: str) -> SetResult:
    return SetResult(problems=(Note(code, {"column": column, "group": name}),))


def _note(code: str, column: str, name: str) -> SetResult:
    return SetResult(notes=(Note(code, {"column": column, "group": name}),))


def _together(results: Iterable[SetResult]) -> SetResult:
    changes: tuple[Change, ...] = ()
    problems: tuple[Note, ...] = ()
    notes: tuple[Note, ...] = ()
    for result in results:
        changes, problems, notes = changes + result.changes, problems + result.problems, notes + result.notes
    return SetResult(changes, problems, notes)
