"""What a chunk of a file of courses is planned from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sync.columns.survey import DateSurvey
from sync.moodle.course_content.restore.inventory import Inventory
from sync.moodle.courses.defaults import CourseDefaults
from sync.moodle.courses.order import DEFAULT_COURSES_PER_CATEGORY
from sync.moodle.courses.rows import CourseField, Section
from sync.moodle.enrolments.roles import Role
from sync.moodle.users.users import SiteRules
from sync.processors.base.grace import GraceList
from sync.processors.base.overlay import FoundRows
from sync.processors.base.sticky import StickyState
from sync.processors.courses.templates import Template
from sync.processors.memberships.state import MembershipState

COURSE_TABLE = "course"


@dataclass(frozen=True)
class CoursesState:
    """Everything read for one chunk.

    Shape: courses: rows of `course` with contextid and path; fields: column -> custom field; dates: how those of the file are
    read; people: text -> user ids; groupings: of courses that are there: courseid -> ids; sections: courseid -> number ->
    section; options: (courseid, format, name) -> (row id, value); field_data: of courses that may change, and of those that
    hold a value that has to be unique; extras: columns that every row of `customfield_data` needs here; templates: cell ->
    template; inventories: of the courses that templates may come into; unknown: their plugins whose tables aren't known;
    weights: about how many rows people have left in them; earlier_cells: those
    that earlier rows filled for courses, not written yet; grace: which are to be deleted; sticky: what rows leave as it is
    """

    now: int
    identifier: str
    rules: SiteRules
    defaults: CourseDefaults
    categories: FoundRows
    courses: FoundRows
    field_data: FoundRows
    earlier_cells: FoundRows
    roles: Mapping[str, Role]
    fields: Mapping[str, CourseField]
    dates: DateSurvey = field(default_factory=DateSurvey)
    people: Mapping[str, Sequence[int]] = field(default_factory=dict)
    groupings: Mapping[int, frozenset[int]] = field(default_factory=dict)
    sections: Mapping[int, Mapping[int, Section]] = field(default_factory=dict)
    options: Mapping[tuple[int, str, str], tuple[int, str]] = field(default_factory=dict)
    extras: Mapping[str, Any] = field(default_factory=dict)
    memberships: MembershipState = field(default_factory=MembershipState)
    courses_per_category: int = DEFAULT_COURSES_PER_CATEGORY
    templates: Mapping[str, Template] = field(default_factory=dict)
    inventories: Mapping[int, Inventory] = field(default_factory=dict)
    unknown: Mapping[int, Sequence[str]] = field(default_factory=dict)
    weights: Mapping[int, int] = field(default_factory=dict)
    grace: GraceList = field(default_factory=lambda: GraceList(COURSE_TABLE))
    sticky: StickyState = field(default_factory=StickyState)
