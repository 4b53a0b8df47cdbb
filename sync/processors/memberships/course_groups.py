"""The group of a row: found in its course, or made, and joined."""

from __future__ import annotations

from sync.moodle.courses.courses import Course
from sync.processors.memberships.names import listed, made_like_list
from sync.processors.memberships.results import NOTHING, SetResult
from sync.processors.memberships.rows import MembershipRows
from sync.values import Change, Note

# Source: Moodle table groups, column name
MAX_NAME = 254


class CourseGroups:
    """Puts users in groups of courses; a group that one row makes is found by the next."""

    def __init__(self, rows: MembershipRows) -> None:
        self.rows = rows

    def join(self, user: int, course: Course, name: str, column: str, line: int) -> SetResult:
        """Put a user in the group of this name; make the group when it is missing.

        The membership is one that people may take away again by hand: component '', itemid 0.
        """
        if len(name) > MAX_NAME:
            return SetResult(problems=(Note("group_name_too_long", {"column": column, "limit": MAX_NAME}),))
        if not self.rows.is_enrolled(user, course.id):
            return SetResult(problems=(Note("group_not_enrolled", {"column": column, "group": name}),))
        groupid, notes = self.seek(course, name, column)
        if groupid is None:
            if self.lists_groups(course, name):
                return SetResult(problems=(list_problem(column, name),))
            groupid = self.rows.groups.create(course.id, name, line)
            notes = made_like_list(column, name)
        if not self.rows.groups.add(user, groupid, line):
            return NOTHING._replace(notes=notes)
        return SetResult(changes=(Change(column, "", name),), notes=notes)

    def seek(self, course: Course, name: str, column: str) -> tuple[int | None, tuple[Note, ...]]:
        """Return the group of this name (the oldest of several, None without one) and what is worth saying about it."""
        found = self.rows.groups.named(course.id, name)
        if len(found) > 1:
            return found[0], (Note("group_ambiguous", {"column": column, "group": name, "count": len(found)}),)
        return (found[0] if found else None), ()

    def lists_groups(self, course: Course, name: str) -> bool:
        """Tell whether a text is the name of no group, and seems to list several: one of its parts is a group of the course."""
        parts = listed(name)
        named = self.rows.groups.named
        return any(named(course.id, part) for part in parts) and not named(course.id, name)


def list_problem(column: str, text: str) -> Note:
    """Return what is said of a cell that lists groups."""
    return Note("group_list", {"column": column, "groups": text})
