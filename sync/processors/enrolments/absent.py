"""What becomes of enrolments that are absent from a file that is complete: suspended or deleted, a part at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Container, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sync.columns.rows import ReadCells
from sync.moodle.enrolments.enrolments import ACTIVE
from sync.moodle.enrolments.scopes import EnrolmentOfScope, EnrolmentsOfScope, ScopeCourse
from sync.moodle.users.users import SiteRules
from sync.processors.base.absence import (
    ABSENT,
    DELETED,
    DONE,
    LEFT,
    UNSURE,
    NamedPair,
    NamedValues,
    lines_shown,
    pair_key,
)
from sync.processors.base.closing import ClosingObject, FileEnd, Verdict, changed_object
from sync.processors.base.context import ProcessorContext
from sync.processors.base.overlay import is_temporary
from sync.processors.enrolments.absent_scope import CourseScope
from sync.processors.enrolments.cells import EnrolmentCells
from sync.processors.enrolments.options import SUSPEND, EnrolmentsOptions
from sync.processors.enrolments.planner import EnrolmentPlanner, EnrolmentsPlan
from sync.processors.memberships.enrolment_results import EnrolmentRow, EnrolmentTarget
from sync.processors.memberships.named import fetch_named_courses, fetch_named_users
from sync.processors.memberships.state import ENROLMENTS, METHODS
from sync.values import Note, Outcome

# Keys of `Absence.named`, and of `Absence.counts`.
_PAIRS, _COURSES = "pairs", "courses"
_UNNAMED = "unnamed"
_CID, _UID = EnrolmentCells.cid.name, EnrolmentCells.uid.name
# So many enrolments of the scope are read at once.
_PAGE = 5000


@dataclass
class FoundEnrolments:
    """The next enrolments to be taken away.

    Shape: upto: the last id that was looked at; enrolments: with whether that is as planned; left: names of those that nobody has
    planned to take away; courses: those of the scope
    """

    upto: int
    enrolments: list[tuple[EnrolmentOfScope, Verdict]] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    courses: Mapping[int, ScopeCourse] = field(default_factory=dict)


class AbsentEnrolments:
    """Finds the enrolments of users whom no row names with their course."""

    def __init__(self, context: ProcessorContext, options: EnrolmentsOptions, rules: SiteRules) -> None:
        self._moodle = context.moodle
        self._overlay = context.overlay
        self._options = options
        self._rules = rules
        self._has_methods = EnrolmentCells.enrol.name in context.names
        self._suspends = options.absent == SUSPEND
        self._absence = context.collected.absence
        self._scope = CourseScope(context.moodle, context.records, options, rules)
        self._code = "absent_enrolment_suspended" if self._suspends else "absent_enrolment_deleted"

    def check(self) -> None:
        """Raises: CommandFileError where the scope can't be what is meant"""
        self._scope.check()

    def note_named(self, rows: Sequence[EnrolmentCells], rejected: Sequence[ReadCells]) -> None:
        """Note which courses, and whom in them, rows name, those included that are rejected.

        Queries: two, two more for each 10,000 courses or users
        """
        named = [
            (row.line, str(row.values.get(_CID, "")), str(row.values.get(_UID, "")), self._takes_away(row.values))
            for row in (*rows, *(read.row for read in rejected))
        ]
        for line, course, user, _takes_away in named:
            if course:
                self._named(_COURSES).add(self._scope.fold(course))
            if not (course and user):
                self._absence.add_unread(line)
        both = [each for each in named if each[1] and each[2]]
        courses, users = self._present({each[1] for each in both}, {each[2] for each in both})
        self._absence.add_pairs(
            _PAIRS,
            (
                NamedPair(
                    line,
                    self._scope.fold(course),
                    self._scope.fold_user(user),
                    course in courses,
                    user in users,
                    takes_away,
                )
                for line, course, user, takes_away in both
            ),
        )

    def _takes_away(self, values: Mapping[str, Any]) -> bool:
        """Tell whether a row ends an enrolment by the method of the scope."""
        is_meant = self._has_methods and values.get(EnrolmentCells.enrol.name) == self._scope.method
        return is_meant and values.get(EnrolmentCells.cmd.name) == "del"

    def _present(self, courses: Collection[str], users: Collection[str]) -> tuple[Container[str], Container[str]]:
        """Return which of the names are those of courses and users that are there."""
        options = self._options
        return (
            fetch_named_courses(self._moodle, self._overlay, options.courseidentifier, courses),
            fetch_named_users(self._moodle, self._overlay, self._rules, options.useridentifier, users),
        )

    def _named(self, what: str) -> NamedValues:
        return self._absence.named.setdefault(what, NamedValues())

    def next_enrolments(self, end: FileEnd) -> FoundEnrolments:
        """Return the next enrolments to be taken away; none when all were looked at, or the file may not be whole."""
        absence = self._absence
        unread = Note("absent_left_unread", {"lines": lines_shown(absence.unread)}) if absence.unread else None
        absence.doubt = unread or end.doubt
        found = FoundEnrolments(absence.upto)
        if absence.doubt is not None:
            return found
        found.courses = self._scope.courses(self._named(_COURSES))
        enrolments = self._scope.enrolments(found.courses)
        while len(found.enrolments) < end.most and (page := enrolments.fetch(after=found.upto, most=_PAGE)):
            self._look_at(page, found, end)
        if not found.enrolments:
            absence.total = self._count(enrolments, found.courses) + absence.counts[DELETED]
        return found

    def _look_at(self, page: Sequence[EnrolmentOfScope], found: FoundEnrolments, end: FileEnd) -> None:
        """Look at enrolments until a part is full."""
        rows = {(each.enrolid, each.userid): {"id": each.id} for each in page}
        # Rows of a file that isn't carried out may have taken them away.
        present = self._overlay.over(ENROLMENTS, rows).rows
        for each in page:
            if len(found.enrolments) == end.most:
                return
            found.upto = each.id
            if (each.enrolid, each.userid) in present:
                self._look_at_one(each, found, end)

    def _look_at_one(self, each: EnrolmentOfScope, found: FoundEnrolments, end: FileEnd) -> None:
        course = found.courses[each.courseid]
        if not each.named_by or not course.named_by:
            found.counts[_UNNAMED] += 1
            return
        place, user = self._scope.fold(course.named_by), self._scope.fold_user(each.named_by)
        if pair_key(place, user) in self._named(_PAIRS):
            return
        if self._absence.is_unsure(place, user):
            found.counts[UNSURE] += 1
            return
        found.counts[ABSENT] += 1
        if self._suspends and each.status != ACTIVE:
            return
        verdict = end.verdict(_object(each), self._code, _subject(each, course))
        if verdict is Verdict.UNPLANNED:
            found.counts[LEFT] += 1
            found.left.append(_subject(each, course))
            return
        found.counts[DONE] += verdict is Verdict.DO
        found.counts[DELETED] += verdict is Verdict.DO and not self._suspends
        found.enrolments.append((each, verdict))

    def plan(self, found: FoundEnrolments, planner: EnrolmentPlanner, end: FileEnd) -> EnrolmentsPlan:
        """Plan what becomes of them."""
        plan = planner.plan
        for line, (each, verdict) in enumerate(found.enrolments, end.line):
            subject = _subject(each, found.courses[each.courseid])
            if verdict is Verdict.CHANGED:
                plan.leave_changed([changed_object(_object(each), line, subject)])
                continue
            course = planner.rows.state.courses[each.courseid]
            instances = planner.rows.instances.of_course(course.id)
            instance = next(instance for instance in instances if instance.id == each.enrolid)
            row = EnrolmentRow(line, "disable" if self._suspends else "del", "", None, None, "", ())
            done = planner.commands.apply_command(EnrolmentTarget(each.userid, course, instance), row)
            params = {**self._scope.words, "username": each.username, "course": found.courses[each.courseid].shortname}
            plan.close(_object(each), Outcome(line, done.action, self._code, params, subject, tuple(done.changes)))
            plan.news.append((course.id, each.userid, done.code))
        planner.rows.finish()
        return plan

    def notes(self) -> list[Note]:
        """Say how many were absent, and what became of them."""
        some = "absent_enrolments_suspend" if self._suspends else "absent_enrolments_unenrol"
        further = {_UNNAMED: "absent_enrolments_unnamed"}
        return self._absence.notes(some, "absent_enrolments_none", self._scope.words, further)

    def _count(self, enrolments: EnrolmentsOfScope, courses: Mapping[int, ScopeCourse]) -> int:
        """Return how many enrolments are in the scope: now, or once what was planned so far is carried out."""
        if not self._scope.is_created:
            return enrolments.count() + self._balance(courses)
        # Of those that earlier rows would take away nobody knows whose they were, but for the ones that are found here.
        count, after = self._new_ones(courses), 0
        while page := enrolments.fetch(after=after, most=_PAGE):
            after = page[-1].id
            rows = {(each.enrolid, each.userid): {"id": each.id} for each in page}
            present = self._overlay.over(ENROLMENTS, rows).rows
            count += sum(key in present for key in rows)
        return count

    def _new_ones(self, courses: Mapping[int, ScopeCourse]) -> int:
        enrolids = self._enrolids(courses)
        return sum(
            enrolid in enrolids and values is not None and is_temporary(values["id"])
            for (enrolid, _userid), values in self._overlay.each_change(ENROLMENTS)
        )

    def _enrolids(self, courses: Mapping[int, ScopeCourse]) -> set[int]:
        """Return the ids of the methods of the scope, with those that would be made. Queries: one"""
        return self._scope.enrolids(courses) | {
            enrolid
            for enrolid, values in self._overlay.each_change(METHODS)
            if values is not None and values["enrol"] == self._scope.method and values["courseid"] in courses
        }

    def _balance(self, courses: Mapping[int, ScopeCourse]) -> int:
        """Return by how many enrolments the scope grows, or shrinks, where chunks aren't carried out."""
        enrolids = self._enrolids(courses)
        balance = 0
        for (enrolid, _userid), values in self._overlay.each_change(ENROLMENTS):
            if enrolid in enrolids:
                balance += int(values is not None and is_temporary(values["id"])) - int(values is None)
        return balance


def _object(each: EnrolmentOfScope) -> ClosingObject:
    return ClosingObject(ENROLMENTS.name, each.id)


def _subject(each: EnrolmentOfScope, course: ScopeCourse) -> str:
    return f"{each.username} / {course.named_by or course.shortname}"
