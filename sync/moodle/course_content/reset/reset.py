"""Reset courses: what people did in them goes, what teachers made stays; whole sets of courses at a time.

Mirrors: reset_course_userdata() of Moodle 4.1 to 5.1; leaves out: the new times of the activities' calendar entries, events, logs
Source: spec courses.md section 4.3; effects course_reset_*
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import sqlalchemy as sa

from sync.moodle.course_content.delete.cascade_delete import CascadeDelete
from sync.moodle.course_content.graph.graph import CourseGraph
from sync.moodle.course_content.graph.scope import Scope, inline, paths_to, rows_on_path
from sync.moodle.course_content.reset.grades import (
    GradeCounts,
    count_grades,
    renew_gradebooks,
    set_grades_back,
    wipe_grades,
)
from sync.moodle.course_content.reset.people import UnenrolledByReset, fetch_gone, fetch_leaving, unenrol_people
from sync.moodle.course_content.reset.rules import (
    GRADES,
    GROUPINGS_REMOVE,
    GROUPS_MEMBERS,
    GROUPS_REMOVE,
    ITEMS,
    RULE_OF,
    RULES,
    SET_BACK,
    ResetRule,
    Rows,
    completed,
    condition,
    taken_rows,
)
from sync.moodle.course_content.reset.scope import CourseContexts, count_rows, fetch_course_contexts
from sync.moodle.courses.courses import Course
from sync.moodle.db.database import MoodleSession
from sync.moodle.db.writer import RowChange, Writer
from sync.moodle.enrolments.unenrol_cleanup import leave_groups
from sync.moodle.files.files import DeletedFiles
from sync.moodle.groups.deletion import delete_groupings, delete_groups
from sync.moodle.site import caches

UNENROL = "unenrol"
# What goes with somebody's last enrolment in a course: sync.moodle.enrolments.unenrol_cleanup.
_LOST_WITH_ENROLMENT = frozenset((
    "groups_members", "role_assignments", "forum_subscriptions", "forum_digests", "forum_track_prefs", "forum_read",
))  # fmt: skip


@dataclass(frozen=True)
class CourseReset:
    """What is to go from one course. Shape: options: names in `RULES`; roleids: whose holders leave, in their order"""

    course: Course
    options: frozenset[str]
    roleids: tuple[int, ...] = ()


@dataclass(frozen=True)
class ResetFindings:
    """What resets would do. Shape: counts: courseid -> option -> rows (of UNENROL: people), only where there are any"""

    contexts: CourseContexts
    options: dict[int, frozenset[str]]
    counts: dict[int, Counter[str]]
    leaving: dict[int, UnenrolledByReset]
    grades: GradeCounts = field(default_factory=GradeCounts)

    def concerned(self, option: str) -> list[int]:
        """Return the courses from which an option takes something."""
        return sorted(courseid for courseid, counts in self.counts.items() if counts[option])

    def wiped(self, courseid: int) -> set[str]:
        """Return the activities of a course whose grades go with what people have done in them."""
        return _wiped(self.options[courseid])

    def of(self, courseids: Collection[int]) -> ResetFindings:
        """Return what was found of some of the courses."""
        return replace(
            self,
            options={courseid: self.options[courseid] for courseid in courseids},
            counts={courseid: self.counts[courseid] for courseid in courseids},
            leaving={courseid: self.leaving[courseid] for courseid in courseids if courseid in self.leaving},
        )

    def add(self, other: ResetFindings) -> None:
        """Take in what was found of other courses; there are several only where earlier resets aren't written yet."""
        for mine, others in ((self.options, other.options), (self.counts, other.counts), (self.leaving, other.leaving)):
            mine.update(others)  # type: ignore[arg-type]


def fetch_reset_findings(
    session: MoodleSession,
    graph: CourseGraph,
    resets: Sequence[CourseReset],
    earlier: Mapping[int, CourseReset] | None = None,
) -> ResetFindings:
    """Count what would go.

    Shape: earlier: courseid -> what earlier lines reset there, which isn't written yet, as if it were one reset
    Queries: one for each table that an option concerns, whatever the number of courses; again for each course with an earlier
    reset
    """
    before = {reset.course.id: (earlier or {}).get(reset.course.id) for reset in resets}
    findings = _fetch_findings([reset for reset in resets if before[reset.course.id] is None], session, graph)
    for reset in resets:
        if (done := before[reset.course.id]) is not None:
            findings.add(_fetch_findings_again(session, graph, reset, done))
    return findings


def _fetch_findings(resets: Sequence[CourseReset], session: MoodleSession, graph: CourseGraph) -> ResetFindings:
    options = {reset.course.id: completed(reset.options) for reset in resets}
    contexts = fetch_course_contexts(session, [reset.course for reset in resets])
    leaving = fetch_leaving(
        session, [reset.course for reset in resets], {reset.course.id: reset.roleids for reset in resets}
    )
    counted: dict[Rows, Counter[int]] = {}

    def count(rows: Rows) -> Counter[int]:
        if rows not in counted:
            counted[rows] = count_rows(session, graph, contexts, rows)
        return counted[rows]

    counts = _counts(session, options, count)
    for courseid, each in leaving.items():
        counts[courseid][UNENROL] = len(each.userids)
    regraded = [courseid for courseid in options if _concerns_grades(options[courseid])]
    findings = ResetFindings(contexts, options, counts, leaving, count_grades(session, regraded))
    for courseid in regraded:
        _count_grades(findings, courseid)
    return findings


def _fetch_findings_again(
    session: MoodleSession, graph: CourseGraph, reset: CourseReset, earlier: CourseReset
) -> ResetFindings:
    """Count what would go of a course that was reset before, by a line of which nothing is written yet."""
    courseid = reset.course.id
    contexts = fetch_course_contexts(session, [reset.course])
    options = {courseid: completed(reset.options)}
    done = completed(earlier.options)
    left = fetch_leaving(session, [reset.course], {courseid: earlier.roleids}).get(courseid, UnenrolledByReset())
    all_leave = fetch_leaving(session, [reset.course], {courseid: (*earlier.roleids, *reset.roleids)})
    leaving = {course: each.without(left) for course, each in all_leave.items()} if reset.roleids else {}
    gone = fetch_gone(session, courseid, left)
    taken = taken_rows(done)

    def count(rows: Rows) -> Counter[int]:
        if rows in taken:
            return Counter()
        return count_rows(session, graph, contexts, rows, gone if rows.table in _LOST_WITH_ENROLMENT else ())

    counts = _counts(session, options, count, without=done)
    for each in leaving.values():
        counts[courseid][UNENROL] = len(each.userids)
    is_regraded = _concerns_grades(options[courseid])
    grades = count_grades(session, [courseid] if is_regraded else [], {courseid: gone})
    grades.take(courseid, _wiped(done), are_set_back=GRADES in done)
    findings = ResetFindings(contexts, options, counts, leaving, grades)
    if is_regraded:
        _count_grades(findings, courseid)
    return findings


def _counts(
    session: MoodleSession,
    options: Mapping[int, frozenset[str]],
    count: Callable[[Rows], Counter[int]],
    without: Collection[str] = (),
) -> dict[int, Counter[str]]:
    """Count the rows of options. Shape: without: options of which nothing is left to be set back"""
    counts: dict[int, Counter[str]] = {courseid: Counter() for courseid in options}
    for rule in RULES:
        concerned = [courseid for courseid, chosen in options.items() if rule.option in chosen]
        for rows in rule.rows if concerned else ():
            counted = count(rows)
            for courseid in concerned:
                counts[courseid][rule.option] += counted[courseid]
    for option in SET_BACK:
        concerned = [c for c in options if option in options[c] and option not in without]
        for courseid, _rowid, _value in _to_set_back(session, option, concerned):
            counts[courseid][option] += 1
    return counts


def _wiped(options: Collection[str]) -> set[str]:
    return {RULE_OF[option].module for option in options if option in RULE_OF and RULE_OF[option].regrades}


def _concerns_grades(options: frozenset[str]) -> bool:
    return GRADES in options or any(option in RULE_OF and RULE_OF[option].regrades for option in options)


def _count_grades(findings: ResetFindings, courseid: int) -> None:
    counts, grades = findings.counts[courseid], findings.grades
    wiped = findings.wiped(courseid)
    if GRADES in findings.options[courseid]:
        counts[GRADES] = grades.changed[courseid] + sum(grades.unchanged[courseid, module] for module in wiped)
        return
    for option in findings.options[courseid]:
        if option in RULE_OF and RULE_OF[option].regrades:
            counts[option] += grades.given[courseid, RULE_OF[option].module]


def reset_courses(writer: Writer, graph: CourseGraph, findings: ResetFindings, *, now: int) -> DeletedFiles:
    """Carry out what has been found, inside the caller's transaction; return the files to be seen to after the commit.

    Units: now: seconds since epoch
    Queries: by the tables that hold something, and again for each 5,000 rows; constant in the number of courses
    """
    return _Reset(writer, graph, findings, now).run()


class _Reset:
    """One reset of some courses."""

    def __init__(self, writer: Writer, graph: CourseGraph, findings: ResetFindings, now: int) -> None:
        self.writer = writer
        self.session = writer.session
        self.graph = graph
        self.findings = findings
        self.now = now
        self.trees = CascadeDelete(writer, graph)
        self.files = DeletedFiles()
        self._special: Mapping[str, Callable[[Scope], None]] = {
            "roles_overrides": self._delete_overrides,
            GROUPS_MEMBERS: self._empty_groups,
            GROUPS_REMOVE: self._delete_groups,
            GROUPINGS_REMOVE: self._delete_groupings,
            ITEMS: self._renew_gradebooks,
        }

    def run(self) -> DeletedFiles:
        if self.findings.concerned(UNENROL):
            self.files += unenrol_people(self.writer, self.findings.leaving, now=self.now)
        for rule in RULES:
            courseids = self.findings.concerned(rule.option)
            if courseids:
                scope = self.findings.contexts.of(courseids)
                self._special.get(rule.option, lambda scope, rule=rule: self._delete(rule, scope))(scope)
        for option in SET_BACK:
            self._set_back(option)
        self._see_to_grades()
        return self.files + self.trees.finish()

    def _delete(self, rule: ResetRule, scope: Scope) -> None:
        for table in rule.files_of:
            self.trees.delete_files_of(table, self._ids(Rows(table), scope))
        for rows in rule.rows:
            for conditions in self._conditions(rows, scope):
                self.trees.delete(rows.table, *conditions)

    def _conditions(self, rows: Rows, scope: Scope) -> Iterator[list[sa.ColumnElement[bool]]]:
        """Return what rows must hold to go, once for each way by which they may belong to a course."""
        if self.session.database.has_table(rows.table):
            for path in paths_to(self.graph, self.graph.tables[rows.table]):
                yield [*rows_on_path(self.session, rows.table, path, scope), *condition(self.session, rows)]

    def _ids(self, rows: Rows, scope: Scope) -> list[int]:
        key = self.session.table(rows.table).c.id
        found: set[int] = set()
        for conditions in self._conditions(rows, scope):
            found.update(rowid for (rowid,) in self.session.fetch(sa.select(key).where(*conditions)))
        return sorted(found)

    def _delete_overrides(self, scope: Scope) -> None:
        """Moodle tells nobody, so that people keep the rights of the overrides until they log in again."""
        self._delete(RULE_OF["roles_overrides"], scope)
        paths = {self.findings.contexts.courses[courseid].path for courseid in scope.courseids}
        caches.flag_changes(self.writer, dirty_contexts=paths)

    def _empty_groups(self, scope: Scope) -> None:
        table = self.session.table("groups_members")
        rows: list[dict[str, object]] = []
        for conditions in self._conditions(Rows("groups_members"), scope):
            rows += [dict(row._mapping) for row in self.session.fetch(sa.select(table).where(*conditions))]
        leave_groups(self.writer, sorted(rows, key=lambda row: int(str(row["id"]))), now=self.now)

    def _delete_groups(self, scope: Scope) -> None:
        self.files += delete_groups(self.writer, self._ids(Rows("groups"), scope))

    def _delete_groupings(self, scope: Scope) -> None:
        self.files += delete_groupings(self.writer, self._ids(Rows("groupings"), scope), now=self.now)

    def _renew_gradebooks(self, scope: Scope) -> None:
        courses = [self.findings.contexts.courses[courseid] for courseid in scope.courseids]
        self.files += renew_gradebooks(self.writer, self.graph, courses, now=self.now)

    def _set_back(self, option: str) -> None:
        changes = _to_set_back(self.session, option, self.findings.concerned(option))
        table, column, value, _only = SET_BACK[option]
        self.writer.update_many(table, [RowChange(rowid, {column: old}, {column: value}) for _c, rowid, old in changes])

    def _see_to_grades(self) -> None:
        set_back: dict[int, set[str]] = {}
        wiped: dict[int, set[str]] = defaultdict(set)
        for courseid, options in self.findings.options.items():
            if GRADES in options:
                if self.findings.counts[courseid][GRADES]:
                    set_back[courseid] = self.findings.wiped(courseid)
                continue
            for option in options:
                if option in RULE_OF and RULE_OF[option].regrades and self.findings.counts[courseid][option]:
                    wiped[courseid].add(RULE_OF[option].module)
        if set_back:
            self.files += set_grades_back(self.writer, set_back, now=self.now)
        if wiped:
            self.files += wipe_grades(self.writer, wiped, now=self.now)


def _to_set_back(session: MoodleSession, option: str, courseids: Sequence[int]) -> list[tuple[int, int, object]]:
    """Return the activities that an option sets back. Shape: courseid, id, value so far"""
    name, column, value, only = SET_BACK[option]
    if not courseids:
        return []
    table = session.table(name)
    conditions = [
        table.c.course.in_(inline(courseids)),
        table.c[column] != value,
        *condition(session, Rows(name, only)),
    ]
    statement = sa.select(table.c.course, table.c.id, table.c[column]).where(*conditions).order_by(table.c.id)
    return [(row[0], row[1], row[2]) for row in session.fetch(statement)]
