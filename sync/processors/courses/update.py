"""What a row changes in a course that is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sync.moodle.categories.categories import Category
from sync.moodle.courses.courses import Course
from sync.moodle.courses.creation import Teacher
from sync.moodle.courses.rows import CourseRow
from sync.moodle.courses.sections import displaced, new_section
from sync.moodle.enrolments.enrolments import ACTIVE, ENABLED
from sync.processors.base.course_fields import FieldCells, says_the_same
from sync.processors.base.errors import RowError
from sync.processors.base.overlay import ChangedRows, is_temporary
from sync.processors.courses.cell_reader import DATES
from sync.processors.courses.operations import CategoryMove
from sync.processors.courses.plan import CoursesPlan
from sync.processors.courses.state import CoursesState
from sync.processors.memberships.meta_sync import sync_meta_children
from sync.processors.memberships.rows import MembershipRows
from sync.values import Change

_WEEK = 7 * 86_400
_DISABLED = 1


class CourseUpdate:
    """Collects what one row changes; only what differs is written, and nothing at all when nothing does.

    Mirrors: update_course(), move_courses(), course_update_section(), course_create_sections_if_missing()
    """

    def __init__(
        self, state: CoursesState, plan: CoursesPlan, rows: MembershipRows, course: CourseRow, line: int
    ) -> None:
        self.state = state
        self.plan = plan
        self.rows = rows
        self.course = course
        self.line = line
        self.changes: list[Change] = []
        self._after: dict[str, Any] = {}
        self._given: frozenset[str] = frozenset()
        self._target: Category | None = None
        self._bumps = False
        self._is_modified = False
        self._added_sections = 0

    def take_values(self, values: Mapping[str, Any]) -> None:
        """Take columns of `course`. Nothing and an empty text are the same."""
        self._given = frozenset(values)
        self._after = {
            name: value
            for name, value in values.items()
            if self.course[name] != value and (self.course[name] or value != "")
        }
        if self._after.get("enablecompletion") == 0:
            self._after["showcompletionconditions"] = None
        self.changes += [
            Change(name, self._shown(name, self.course[name]), self._shown(name, value))
            for name, value in self._after.items()
        ]

    def _shown(self, name: str, value: Any) -> str:
        if value is None:
            return ""
        return self.state.rules.shown_time(value) if name in DATES else str(value)

    def take_category(self, target: Category, name: str) -> None:
        """Move the course, unless it is there already; it comes last in its new category. Shape: name: in the report"""
        if target.id == self.course["category"]:
            return
        self._target = target
        self._after |= {"category": target.id, "sortorder": target.sortorder + self.state.courses_per_category - 1}
        if not target.visible and self.course["visible"] and "visible" not in self._given:
            self._after["visible"] = 0
            self.changes.append(Change("visible", "1", "0"))
        old = self.course["category"]
        self.changes.append(Change("category", "" if is_temporary(old) else str(old), name))

    def take_sections(self, topics: Mapping[int, Mapping[str, Any]]) -> None:
        """Name sections; those up to the highest number that aren't there are made, before those of subsections."""
        sections = self.state.sections.get(self.course["id"], {})
        present = {number: section for number, section in sections.items() if not section.component}
        for number, free in displaced(sections, present, max(topics, default=-1)).items():
            self.plan.update("course_sections", sections[number].id, {"section": number}, {"section": free}, self.line)
        for number, values in topics.items():
            section = present.get(number)
            if section is None:
                continue
            old = section._asdict()
            after = {name: value for name, value in values.items() if old[name] != value}
            if after:
                after["timemodified"] = self.plan.now
                self.plan.update("course_sections", section.id, {name: old[name] for name in after}, after, self.line)
                self.changes.append(Change(f"topic{number}", _words(old, after), _words(values, after)))
                self._bumps = True
        missing = [number for number in range(max(topics, default=-1) + 1) if number not in present]
        for number in missing:
            values = topics.get(number, {})
            row = new_section(self.course["id"], number, values, now=self.plan.now)
            self.plan.insert("course_sections", row, self.line)
            if values:
                self.changes.append(Change(f"topic{number}", "", _words(values, values)))
        self._added_sections = len(missing)
        self._bumps = self._bumps or bool(missing)

    def take_content(self, template: str) -> None:
        """Let content come into the course."""
        self.changes.append(Change("template", "", template))
        self._bumps = True

    def take_format_option(self, name: str, value: int | None) -> None:
        """Set an option of the course's format, where the format has it."""
        course_format = self.course["format"]
        if value is None or name not in self.state.defaults.format_options(course_format):
            return
        rowid, old = self.state.options.get((self.course["id"], course_format, name), (0, ""))
        if old == str(value):
            return
        if rowid:
            self.plan.update("course_format_options", rowid, {"value": old}, {"value": str(value)}, self.line)
        else:
            row = {
                "courseid": self.course["id"],
                "format": course_format,
                "sectionid": 0,
                "name": name,
                "value": str(value),
            }
            self.plan.insert("course_format_options", row, self.line)
        self.changes.append(Change(name, old, str(value)))
        self._is_modified = True

    def take_fields(self, fields: FieldCells, field_data: ChangedRows) -> None:
        """Fill custom fields."""
        for custom, values in fields:
            key = (custom.id, self.course["id"])
            old = field_data.get(key)
            if old is None:
                stamps = {"timecreated": self.plan.now, "timemodified": self.plan.now}
                row = {"contextid": self.course["contextid"], **self.state.extras, **stamps, **values}
                field_data.put(key, row, self.line)
            elif not says_the_same(custom, old, values, self.state.rules):
                field_data.update(key, {**values, "timemodified": self.plan.now}, self.line)
            else:
                continue
            self._is_modified = True
            shown = str(old["value"]) if old else ""
            self.changes.append(Change(f"customfield_{custom.shortname}", shown, str(values["value"])))

    def take_methods(self, wanted: Mapping[str, int]) -> None:
        """Switch self enrolment and guest access on or off; one that is missing is added when it is wanted.

        Of several, all are switched off; none is switched on where one is on already.
        """
        for method, is_on in wanted.items():
            if is_temporary(self.course["id"]):
                # A course that isn't in Moodle yet, nor are its methods.
                self.changes += [Change(method, "", "1")] if is_on else []
                continue
            instances = [i for i in self.rows.instances.of_course(self.course["id"]) if i.enrol == method]
            if not instances and is_on:
                row = {**self.state.defaults.instance(method, self.plan.now), "status": ENABLED}
                del row["enrol"], row["courseid"], row["sortorder"]
                self.rows.add_instance(self.course["id"], method, row, self.line)
                self.changes.append(Change(method, "", "1"))
                continue
            if is_on:
                instances = [] if any(i.status == ENABLED for i in instances) else instances[:1]
            status = ENABLED if is_on else _DISABLED
            switched = [self.rows.instances.set_status(instance, status, self.line) for instance in instances]
            if any(switched):
                self.changes.append(Change(method, str(int(not is_on)), str(is_on)))

    def take_teachers(self, teachers: Sequence[Teacher]) -> None:
        """Enrol teachers by the manual method, with their roles."""
        if not teachers:
            return
        courseid = self.course["id"]
        course = Course(courseid, self.course["contextid"], self.course["path"])
        if is_temporary(courseid):
            # A course that isn't in Moodle yet, which will have the method.
            self.changes += [Change("teacher", "", str(teacher.userid)) for teacher in teachers]
            return
        manual = [instance for instance in self.rows.instances.of_course(courseid) if instance.enrol == "manual"]
        if not manual:
            params = {"method": "manual", "course": self.course["shortname"]}
            raise RowError("enrol_method_inactive", "teacher1_account", **params)
        for teacher in teachers:
            known = self.rows.enrolment(teacher.userid, manual[0].id) is not None
            enrolled = not known and self.rows.enrol(
                teacher.userid, manual[0].id, {"status": ACTIVE}, self.line, timestart=self.plan.now
            )
            if self.rows.assign_role(teacher.userid, course, teacher.roleid, self.line) or enrolled:
                self.changes.append(Change("teacher", "", str(teacher.userid)))
                sync_meta_children(self.rows, teacher.userid, course, self.line)

    def finish(self) -> list[Change]:
        """Put the course's own row into the plan, and tell what the row changes."""
        after = self._after
        if after or self._is_modified:
            after.setdefault("timemodified", self.plan.now)
        self._follow_weeks()
        if after or self._bumps:
            after["cacherev"] = max(self.course["cacherev"] + 1, self.plan.now)
            before = {name: self.course[name] for name in after}
            self.plan.update("course", self.course["id"], before, after, self.line)
        if self._target is not None:
            self.plan.moves[self.line] = CategoryMove(self.course["path"], self._target)
        return self.changes

    def _follow_weeks(self) -> None:
        """Let the end of a course in weeks follow its start and the number of its sections, where it is set to do so.

        An end that the row gives stays.
        """
        moves = "startdate" in self._after or self._added_sections
        if not moves or "enddate" in self._given or not follows_weeks(self.state, self.course):
            return
        present = self.state.sections.get(self.course["id"], {})
        weeks = sum(number > 0 and not section.component for number, section in present.items()) + self._added_sections
        start: int = (self.course | self._after)["startdate"]
        if self.course["enddate"] != start + weeks * _WEEK:
            self._after["enddate"] = start + weeks * _WEEK


def follows_weeks(state: CoursesState, course: CourseRow) -> bool:
    """Tell whether the end of a course is reckoned by Moodle from its weeks."""
    if course["format"] != "weeks":
        return False
    _rowid, automatic = state.options.get((course["id"], "weeks", "automaticenddate"), (0, "1"))
    return automatic == "1"


def _words(section: Mapping[str, Any], changed: Mapping[str, Any]) -> str:
    """Return a section as a cell says it: its name, and its summary where that changes."""
    parts = [section["name"] or "", *([section["summary"]] if "summary" in changed else [])]
    return "|".join(parts)
