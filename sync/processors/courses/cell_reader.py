"""What the cells of a row of courses say, as values of Moodle's tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sync.columns.clean import TimeKind, shown
from sync.columns.survey import DateSurvey
from sync.moodle.courses.creation import Teacher
from sync.moodle.courses.defaults import CourseDefaults
from sync.moodle.courses.rows import CourseField
from sync.moodle.enrolments.roles import Role
from sync.moodle.users.users import SiteRules
from sync.processors.base.course_fields import field_values
from sync.processors.base.errors import RowError
from sync.processors.courses.cells import TEACHER_ROLE, CourseCells
from sync.values import Note

MAX_SECTION_NAME = 255
# What goes from the file into the columns of `course`; dates are turned into seconds.
PLAIN_COLUMNS = (
    CourseCells.shortname, CourseCells.fullname, CourseCells.idnumber, CourseCells.summary, CourseCells.showgrades,
    CourseCells.showreports, CourseCells.newsitems, CourseCells.startdate, CourseCells.enddate, CourseCells.timecreated,
    CourseCells.timemodified, CourseCells.marker, CourseCells.maxbytes, CourseCells.legacyfiles, CourseCells.visible,
    CourseCells.visibleold, CourseCells.groupmode, CourseCells.groupmodeforce, CourseCells.enablecompletion,
    CourseCells.defaultgroupingid, CourseCells.lang, CourseCells.theme,
)  # fmt: skip
DATES = tuple(column.name for column in PLAIN_COLUMNS if isinstance(column.kind, TimeKind))


class CellReader:
    """Reads cells. All methods raise RowError.

    Shape: people: text -> user ids; roles: short name -> role; fields: column -> custom field
    """

    def __init__(
        self,
        defaults: CourseDefaults,
        rules: SiteRules,
        people: Mapping[str, Sequence[int]],
        roles: Mapping[str, Role],
        fields: Mapping[str, CourseField],
        *,
        dates: DateSurvey,
    ) -> None:
        self._defaults = defaults
        self._rules = rules
        self._people = people
        self._roles = roles
        self._fields = fields
        self._dates = dates
        self.notes: list[Note] = []

    def values(self, row: CourseCells) -> dict[str, Any]:
        """Return the columns of `course`; what is left out of them is added to `notes`."""
        values = row.given(*PLAIN_COLUMNS)
        for name in DATES:
            if name in values:
                values[name] = self._rules.seconds(values[name])
        limit = self._defaults.site_maxbytes
        if limit and values.get("maxbytes", 0) > limit:
            raise RowError("value_out_of_range", "maxbytes", value=values["maxbytes"], least=0, most=limit)
        languages = self._rules.languages
        if values.get("lang") and languages is not None and values["lang"] not in languages:
            self.notes.append(Note("language_left_out", {"lang": values.pop("lang")}))
        if "visible" in values:
            values.setdefault("visibleold", values["visible"])
        return values

    def topics(self, row: CourseCells) -> dict[int, dict[str, Any]]:
        """Return sections. Shape: number -> name, and summary where the cell has one"""
        topics: dict[int, dict[str, Any]] = {}
        for number, text in row.topics.items():
            name, bar, summary = text.partition("|")
            if len(name.strip()) > MAX_SECTION_NAME:
                raise RowError(
                    "value_too_long", CourseCells.topics.numbered(number), length=len(name.strip()), limit=MAX_SECTION_NAME,
                    value=shown(name.strip()), hint="cell_holds",
                )  # fmt: skip
            topics[number] = {
                "name": name.strip() or None, **({"summary": summary.strip(), "summaryformat": 1} if bar else {}),
            }  # fmt: skip
        return topics

    def fields(self, row: CourseCells) -> list[tuple[CourseField, dict[str, Any]]]:
        """Return the custom fields, each with the columns of `customfield_data` that its cell fills. Raises: RowError"""
        given = row.custom_fields if self._fields else {}
        return [
            (custom, field_values(custom, given[column], self._rules, self._dates.orders_of(column)))
            for column, custom in self._fields.items()
            if column in given
        ]

    def teachers(self, row: CourseCells) -> list[Teacher]:
        """Return who is to teach."""
        teachers = []
        for number, text in row.teachers.items():
            found = self._people.get(text, ())
            if len(found) != 1:
                code = "teacher_ambiguous" if found else "teacher_unknown"
                raise RowError(code, CourseCells.teachers.numbered(number), account=text, count=len(found))
            role_column = CourseCells.teacher_roles.numbered(number)
            name = CourseCells.teacher_roles.of(row, number) or TEACHER_ROLE
            role = self._roles.get(name) or self._roles.get(name.casefold())
            if role is None:
                raise RowError("role_unknown", role_column, role=name)
            if not role.in_courses:
                raise RowError("role_not_for_courses", role_column, role=name)
            if role.is_barred:
                raise RowError("role_configures_site", role_column, role=role.shortname)
            teachers.append(Teacher(found[0], role.id))
        return teachers
