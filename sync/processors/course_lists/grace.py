"""What a list of courses does with the list of deletions: hide and put on it, take off it, or see what is due."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sync.moodle.courses.courses import Course, visibility_change
from sync.processors.base.grace import GraceChange, GraceList, GraceStep, GraceTask, values_back
from sync.processors.base.plan import Plan
from sync.processors.course_lists.course_list import CourseListCells, ListedCourses, outcome
from sync.values import Action, Change, Outcome

TABLE = "course"
_SHOWN, _HIDDEN = 1, 0


class CourseGrace:
    """The list of deletions, for the rows of one chunk."""

    def __init__(self, grace: GraceList, plan: Plan, state: ListedCourses) -> None:
        self.grace = grace
        self.plan = plan
        self.state = state

    def put_on(self, row: CourseListCells, course: Course, days: int) -> Outcome:
        """Hide a course and put it on the list. Mirrors: course_change_visibility()"""
        if listed := self.grace.find(course.id, self.plan.grace):
            if listed.line:
                return outcome(row, Action.UNCHANGED, "grace_listed_before", line=listed.line)
            return outcome(row, Action.UNCHANGED, "grace_waits", date=listed.day)
        names, visible = self.state.names[course.id], self.state.visibility[course.id]["visible"]
        day = self.grace.records.day_after(days)
        # In a hidden category it would be shown with the category.
        before = self._write(course.id, {"visible": _HIDDEN, "visibleold": _HIDDEN}, row.line)
        self.plan.change_grace(
            GraceChange(GraceStep.LISTED, TABLE, course.id, row.line, names.shortname, names.fullname, day, before)
        )
        code = "course_hidden_for_deletion" if visible else "course_listed_for_deletion"
        told = outcome(row, Action.UPDATED, code, fullname=names.fullname, date=day)
        return told._replace(changes=(Change("visible", str(_SHOWN), str(_HIDDEN)),)) if visible else told

    def plan_row(self, row: CourseListCells, found: Sequence[Course]) -> Outcome | None:
        """Return what becomes of a row of the list itself; None where its course is due and may go."""
        if not found:
            rowid = int(row.identifier)
            self.plan.change_grace(GraceChange(GraceStep.GONE, TABLE, rowid, row.line))
            return outcome(row, Action.UNCHANGED, "grace_gone")
        (course,) = found
        listed = self.grace.find(course.id, self.plan.grace)
        if listed is None:
            return outcome(row, Action.UNCHANGED, "grace_not_listed")
        if self.grace.task is GraceTask.END:
            back = values_back(listed, self.state.visibility[course.id])
            shown = Change("visible", str(_HIDDEN), str(_SHOWN)) if "visible" in back else None
            self._write(course.id, back, row.line)
            self.plan.change_grace(GraceChange(GraceStep.ENDED, TABLE, course.id, row.line))
            return outcome(row, Action.UPDATED, "grace_ended")._replace(changes=(shown,) if shown else ())
        present = self.state.names[course.id].shortname
        if present != listed.name:
            self.plan.change_grace(GraceChange(GraceStep.HELD, TABLE, course.id, row.line))
            return outcome(row, Action.REJECTED, "grace_identity_changed", listed=listed.name, present=present)
        return None

    def _write(self, courseid: int, values: Mapping[str, int], line: int) -> dict[str, int]:
        """Change what shows a course; return what stood there, {} when nothing changes."""
        present = self.state.visibility[courseid]
        after = visibility_change(present, values, self.plan.now)
        before = {name: present[name] for name in values if name in after}
        if after:
            self.plan.update("course", courseid, {name: present[name] for name in after}, after, line)
        return before
