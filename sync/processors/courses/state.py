"""What a chunk of a file of courses is planned from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sync.columns.survey import DateSurvey
from sync.moodle.categories.categories import Category
from sync.moodle.course_content.restore.inventory import Inventory
from sync.moodle.courses.defaults import CourseDefaults
from sync.moodle.courses.order import DEFAULT_COURSES_PER_CATEGORY
from sync.moodle.courses.rows import CourseField, CourseRow, Section
from sync.moodle.enrolments.roles import Role
from sync.moodle.users.users import SiteRules
from sync.processors.courses.field_owners import UniqueValues
from sync.processors.courses.templates import Template
from sync.processors.memberships.state import MembershipState


@dataclass(frozen=True)
class CoursesState:
    """Everything read for one chunk.

    Shape: named: identifier -> text -> rows of `course` with contextid and path; fields: column -> custom field; dates: how
    those of the file are read; people: text -> account ids; groupings: of courses that are there: courseid -> ids; sections:
    courseid -> number -> section; options: (courseid, format, name) -> (row id, value); field_data: (courseid, fieldid) ->
    row; extras: columns that every row of `customfield_data` needs here; folds: identifier -> what makes texts equal that the
    server takes for so, category_folds: the same for categories; templates: cell -> template; inventories: of the courses that
    templates may come into; unknown: their plugins whose tables aren't known; weights: about how many rows people have left in
    them; said: what earlier rows of a simulation said of courses: column -> cell
    """

    now: int
    identifier: str
    rules: SiteRules
    defaults: CourseDefaults
    categories: Sequence[Category]
    named: Mapping[str, Mapping[str, Sequence[CourseRow]]]
    roles: Mapping[str, Role]
    fields: Mapping[str, CourseField]
    dates: DateSurvey = field(default_factory=DateSurvey)
    unique_values: UniqueValues = field(default_factory=UniqueValues)
    people: Mapping[str, Sequence[int]] = field(default_factory=dict)
    groupings: Mapping[int, frozenset[int]] = field(default_factory=dict)
    sections: Mapping[int, Mapping[int, Section]] = field(default_factory=dict)
    options: Mapping[tuple[int, str, str], tuple[int, str]] = field(default_factory=dict)
    field_data: Mapping[tuple[int, int], CourseRow] = field(default_factory=dict)
    extras: Mapping[str, Any] = field(default_factory=dict)
    memberships: MembershipState = field(default_factory=MembershipState)
    courses_per_category: int = DEFAULT_COURSES_PER_CATEGORY
    folds: Mapping[str, Callable[[str], str]] = field(default_factory=dict)
    category_folds: Mapping[str, Callable[[str], str]] = field(default_factory=dict)
    templates: Mapping[str, Template] = field(default_factory=dict)
    inventories: Mapping[int, Inventory] = field(default_factory=dict)
    unknown: Mapping[int, Sequence[str]] = field(default_factory=dict)
    weights: Mapping[int, int] = field(default_factory=dict)
    said: Mapping[int, Mapping[str, str]] = field(default_factory=dict)
