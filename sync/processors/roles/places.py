"""The contexts that rows of a roles file name: read for a chunk, and found for a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sync.moodle.categories.categories import Category, fetch_categories
from sync.moodle.courses.activities import Activity, fetch_activities, fetch_named_activities
from sync.moodle.courses.courses import Course
from sync.moodle.db.database import MoodleSession
from sync.moodle.db.identifiers import by_spelling, folding
from sync.moodle.users.contexts import fetch_user_contextids
from sync.moodle.versions import CONTEXT_COURSE, CONTEXT_COURSECAT, CONTEXT_MODULE, CONTEXT_SYSTEM, CONTEXT_USER
from sync.processors.base.errors import RowError
from sync.processors.base.overlay import Overlay, is_temporary
from sync.processors.memberships.course_columns import find_course
from sync.processors.memberships.enrolment_results import accepted
from sync.processors.memberships.named import fetch_named_courses
from sync.processors.memberships.names import NamedUsers, find_user
from sync.processors.memberships.state import MembershipState
from sync.processors.roles.cells import RoleCells
from sync.processors.roles.options import RolesOptions


class RolePlace(NamedTuple):
    """A context in which a row gives or takes a role. Shape: course: of the level of courses; userid: of that of users"""

    level: int
    contextid: int
    course: Course | None = None
    userid: int = 0


@dataclass(frozen=True)
class RolePlaces:
    """What the rows of a chunk name.

    Shape: categories: text -> categories; courses: of activities, text -> courses; activities: cmid as typed -> activity;
    named_activities: (courseid, idnumber as typed) -> activities; user_contextids: userid -> its context
    """

    categories: Mapping[str, Sequence[Category]] = field(default_factory=dict)
    courses: Mapping[str, tuple[Course, ...]] = field(default_factory=dict)
    activities: Mapping[str, Activity] = field(default_factory=dict)
    named_activities: Mapping[tuple[int, str], tuple[Activity, ...]] = field(default_factory=dict)
    user_contextids: Mapping[int, int] = field(default_factory=dict)

    @property
    def contextids(self) -> set[int]:
        """The contexts of what was found, but for courses that are named as such."""
        activities = [*self.activities.values(), *(each for found in self.named_activities.values() for each in found)]
        found = {activity.contextid for activity in activities} | {*self.user_contextids.values()}
        return (found | {each.contextid for categories in self.categories.values() for each in categories}) - {0}


def instances_of(rows: Sequence[RoleCells], level: int) -> set[str]:
    """Return what rows about one level of contexts name in the column instance."""
    return {row.instance for row in rows if row.context == level and row.instance}


def fetch_places(
    moodle: MoodleSession, overlay: Overlay, options: RolesOptions, rows: Sequence[RoleCells], users: NamedUsers
) -> RolePlaces:
    """Read what rows name in the columns instance and course. Queries: at most five per 10,000 names of each kind"""
    activities = [row for row in rows if row.context == CONTEXT_MODULE and row.instance]
    courses = fetch_named_courses(
        moodle, overlay, options.courseidentifier, {row.course for row in activities if row.course}
    )
    pairs = {
        (course.id, row.instance or "")
        for row in activities
        for course in courses.get(row.course or "", ())
        if not is_temporary(course.id)
    }
    owners = {userid for text in instances_of(rows, CONTEXT_USER) for userid in users.get(text, ())}
    return RolePlaces(
        categories=_fetch_categories(moodle, options.categoryidentifier, instances_of(rows, CONTEXT_COURSECAT)),
        courses=courses,
        activities=fetch_activities(moodle, {row.instance or "" for row in activities if not row.course}),
        named_activities=fetch_named_activities(moodle, pairs),
        user_contextids=fetch_user_contextids(moodle, {userid for userid in owners if not is_temporary(userid)}),
    )


def _fetch_categories(moodle: MoodleSession, identifier: str, texts: set[str]) -> dict[str, list[Category]]:
    if not texts:
        return {}
    categories = fetch_categories(moodle)
    if identifier == "id":
        return by_spelling(texts, ((str(category.id), category) for category in categories), str)
    named = ((category.idnumber, category) for category in categories if category.idnumber)
    return by_spelling(texts, named, folding(moodle, "course_categories", "idnumber"))


class PlaceFinder:
    """Finds the context of a row."""

    def __init__(
        self, places: RolePlaces, users: NamedUsers, memberships: MembershipState, options: RolesOptions
    ) -> None:
        self._places = places
        self._users = users
        self._memberships = memberships
        self._options = options

    def find(self, row: RoleCells) -> RolePlace:
        """Return the context that a row names. Raises: RowError"""
        if row.course and row.context != CONTEXT_MODULE:
            raise RowError("role_course_unneeded", "course", course=row.course)
        if row.context == CONTEXT_SYSTEM:
            if row.instance:
                raise RowError("role_context_unneeded", "instance", instance=row.instance)
            return RolePlace(CONTEXT_SYSTEM, self._memberships.system_contextid)
        if not row.instance:
            raise RowError("cell_empty", "instance")
        if row.context == CONTEXT_COURSE:
            course = accepted(find_course(self._memberships, row.instance, "instance"))
            return RolePlace(CONTEXT_COURSE, course.contextid, course)
        if row.context == CONTEXT_COURSECAT:
            return RolePlace(CONTEXT_COURSECAT, self._category(row.instance).contextid)
        if row.context == CONTEXT_MODULE:
            return RolePlace(CONTEXT_MODULE, self._activity(row.instance, row.course).contextid)
        userid = accepted(find_user(self._users, self._options.useridentifier, row.instance, "instance"))
        contextid = self._places.user_contextids.get(userid)
        if contextid is None:
            raise RowError("role_context_missing", "instance", name=row.instance)
        return RolePlace(CONTEXT_USER, contextid, userid=userid)

    def _category(self, text: str) -> Category:
        found = self._places.categories.get(text, ())
        if not found:
            identifier = self._options.categoryidentifier
            raise RowError("category_unknown", "instance", category=text, identifier=identifier)
        if len(found) > 1:
            raise RowError("category_ambiguous", "instance", category=text, count=len(found))
        if found[0].is_damaged:
            raise RowError("category_without_context", "instance", category=text)
        return found[0]

    def _activity(self, text: str, course: str | None) -> Activity:
        if not course:
            activity = self._places.activities.get(text)
            if activity is None:
                raise RowError("activity_unknown", "instance", activity=text)
        else:
            activity = self._named_activity(text, course)
        if not activity.contextid:
            raise RowError("role_context_missing", "instance", name=text)
        return activity

    def _named_activity(self, text: str, course: str) -> Activity:
        courses = self._places.courses.get(course, ())
        params = {"course": course, "identifier": self._options.courseidentifier}
        if not courses:
            raise RowError("course_unknown", "course", **params)
        if len(courses) > 1:
            raise RowError("course_ambiguous", "course", **params, count=len(courses))
        found = self._places.named_activities.get((courses[0].id, text), ())
        if len(found) > 1:
            raise RowError("activity_ambiguous", "instance", activity=text, count=len(found))
        if not found:
            raise RowError("activity_unknown_in_course", "instance", activity=text)
        return found[0]
