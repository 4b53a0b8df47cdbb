"""The group of a row: found in its course, or made, and joined."""

from __future__ import annotations

from sync.moodle.courses.courses import Course
from sync.processors.base.operations import Ref
from sync.processors.base.table_view import UserKey
from sync.processors.memberships.results import NOTHING, SetResult
from sync.processors.memberships.rows import MembershipRows
from sync.values import Change, Note

# Source: Moodle table groups, column name
MAX_NAME = 254


class CourseGroups:
    """Puts users in groups of courses; a group that one row makes is found by the next."""

    def __init__(self, rows: MembershipRows) -> None:
        self.rows = rows
        self._fold = rows.state.fold_group
        self._ids: dict[tuple[int, str], list[tuple[int | Ref, str]]] = {}
        for group in sorted(rows.state.groups.values()):
            self._ids.setdefault((group.courseid, self._fold(group.name)), []).append((group.id, group.name))

    def join(self, user: UserKey, course: Course, name: str, column: str, line: int) -> SetResult:
        """Put a user in the group of this name; make the group when it is missing.

        The membership is one that people may take away again by hand: component '', itemid 0.
        """
        if len(name) > MAX_NAME:
            return SetResult(problems=(Note("group_name_too_long", {"column": column, "limit": MAX_NAME}),))
        if not self.rows.is_enrolled(user, course.id):
            return SetResult(problems=(Note("group_not_enrolled", {"column": column, "group": name}),))
        groupid, notes = self.seek(course, name, column)
        if groupid is None:
            groupid = self.create(course, name, line)
        if not self.rows.groups.add(user, groupid, line):
            return NOTHING._replace(notes=notes)
        return SetResult(changes=(Change(column, "", name),), notes=notes)

    def seek(self, course: Course, name: str, column: str) -> tuple[int | Ref | None, tuple[Note, ...]]:
        """Return the group of this name (the oldest of several, None without one) and what is worth saying about it."""
        found = self.named(course, name)
        if len(found) > 1:
            return found[0], (Note("group_ambiguous", {"column": column, "group": name, "count": len(found)}),)
        return (found[0] if found else None), ()

    def named(self, course: Course, name: str) -> list[int | Ref]:
        """Return the groups of this name, the oldest first; those spelled exactly so, if there are any."""
        alike = self._ids.get((course.id, self._fold(name)), [])
        exact = [groupid for groupid, spelled in alike if spelled == name]
        return exact or [groupid for groupid, _spelled in alike]

    def create(self, course: Course, name: str, line: int) -> Ref:
        """Make a group; later rows find it."""
        groupid = self.rows.groups.create(course.id, name, line)
        self._ids[course.id, self._fold(name)] = [(groupid, name)]
        return groupid
