"""Who belongs where in the demo Moodle: enrolments, roles, groups, cohorts, and the courses that live on them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sync.demo.courses import (
    HIDDEN,
    INDUCTION,
    SAMPLED,
    SAMPLED_WITH_GROUPS,
    SEMINAR,
    STUDENT_ROLE,
    Course,
)
from sync.demo.tables import ADMIN_ID, DAY, Context, Tables
from sync.demo.users import has_visited

MANAGER, EDITING_TEACHER, TEACHER = 1, 3, 4
STAFF = 40
# The seminar takes its people from these.
SEMINAR_PARENTS = ("ALG1", "PHYS1")
COURSES_WITH_GROUPS = ("ALG1", "ANA1", "PHYS1", "PROG", "FR-A1")
FIRST_YEAR = "YEAR1"
_COURSES_PER_STUDENT = 4


class Enrolment(NamedTuple):
    """Somebody in a course. Shape: component: "" or the method that owns the role, itemid its instance."""

    course: Course
    userid: int
    roleid: int
    enrolid: int
    timestart: int
    timeend: int = 0
    status: int = 0
    component: str = ""

    @property
    def itemid(self) -> int:
        return self.enrolid if self.component else 0


def add_memberships(
    tables: Tables, userids: Sequence[int], courses: Sequence[Course], language: Context, *, sample: int
) -> None:
    """Insert all memberships.

    Shape: userids: staff first; language: context of the category that has its own cohort; sample: the person whom samples name
    """
    staff, students = userids[:STAFF], userids[STAFF:]
    course_by_name = {course.shortname: course for course in courses}
    ordinary = [course for course in courses if course.shortname not in (INDUCTION, SEMINAR, HIDDEN, *SAMPLED)]
    cohorts = _add_cohorts(tables, staff, students, language)
    enrolments = [*_teachers(tables, staff, ordinary), *_students(tables, students, ordinary)]
    enrolments += _by_cohort(tables, course_by_name[INDUCTION], *cohorts[FIRST_YEAR])
    enrolments += _by_meta(
        tables, course_by_name[SEMINAR], [course_by_name[name] for name in SEMINAR_PARENTS], enrolments
    )
    sampled = course_by_name[SAMPLED_WITH_GROUPS]
    enrolments.append(Enrolment(sampled, sample, STUDENT_ROLE, sampled.methods["manual"], tables.began))
    _write(tables, enrolments)
    _add_groups(tables, [course_by_name[name] for name in (*COURSES_WITH_GROUPS, SAMPLED_WITH_GROUPS)], enrolments)
    _add_visits(tables, userids, enrolments)


def add_category_manager(tables: Tables, userid: int, category: Context) -> None:
    tables.add("role_assignments", [
        {
            "roleid": MANAGER, "contextid": category.id, "userid": userid, "timemodified": tables.began, "modifierid": ADMIN_ID,
            "component": "", "itemid": 0, "sortorder": 0,
        }
    ])  # fmt: skip


def _teachers(tables: Tables, staff: Sequence[int], courses: Sequence[Course]) -> Iterable[Enrolment]:
    """Two for each course; the second may not edit."""
    for place, course in enumerate(courses):
        for userid, roleid in ((staff[2 * place], EDITING_TEACHER), (staff[2 * place + 1], TEACHER)):
            yield Enrolment(course, userid, roleid, course.methods["manual"], tables.began)


def _students(tables: Tables, students: Sequence[int], courses: Sequence[Course]) -> Iterable[Enrolment]:
    """Four courses each. Some leave at the end of the term, and some are suspended in a course."""
    for place, userid in enumerate(students):
        for step in range(_COURSES_PER_STUDENT):
            course = courses[(place * 7 + step * 5) % len(courses)]
            feeds_seminar = course.shortname in SEMINAR_PARENTS
            yield Enrolment(
                course,
                userid,
                STUDENT_ROLE,
                course.methods["manual"],
                tables.began,
                timeend=tables.began + 365 * DAY if place % 4 == 0 else 0,
                status=int(place % 25 == 0 and not feeds_seminar),
            )


def _add_cohorts(
    tables: Tables, staff: Sequence[int], students: Sequence[int], language: Context
) -> dict[str, tuple[int, list[int]]]:
    """Insert cohorts and members; return idnumber -> (id, userids)."""
    cohorts = (
        (FIRST_YEAR, "First year", 1, students[0::3]),
        ("YEAR2", "Second year", 1, students[1::3]),
        ("YEAR3", "Third year", 1, students[2::3]),
        ("STAFF", "Staff", 1, staff),
        ("LANG-CLUB", "Language club", language.id, students[::9]),
    )
    cohortids = tables.add("cohort", [
        {
            **tables.made, "contextid": contextid, "name": name, "idnumber": idnumber, "description": "", "descriptionformat": 1,
            "visible": 1, "component": "",
        }
        for idnumber, name, contextid, _members in cohorts
    ])  # fmt: skip
    made = {
        idnumber: (cohortid, list(members))
        for cohortid, (idnumber, _name, _context, members) in zip(cohortids, cohorts, strict=True)
    }
    tables.add("cohort_members", [
        {"cohortid": cohortid, "userid": userid, "timeadded": tables.began}
        for cohortid, members in made.values()
        for userid in members
    ])  # fmt: skip
    return made


def _by_cohort(tables: Tables, course: Course, cohortid: int, members: Sequence[int]) -> list[Enrolment]:
    """Enrol a cohort in a course. Mirrors: enrol_cohort_sync() of Moodle 4.5"""
    (enrolid,) = _add_methods(tables, course, "cohort", STUDENT_ROLE, [cohortid])
    return [Enrolment(course, userid, STUDENT_ROLE, enrolid, 0, component="enrol_cohort") for userid in members]


def _by_meta(
    tables: Tables, child: Course, parents: Sequence[Course], enrolments: Sequence[Enrolment]
) -> list[Enrolment]:
    """Make a metacourse: a method for each parent, with the people and roles of the parent.

    Mirrors: enrol_meta_sync() of Moodle 4.5
    """
    enrolids = _add_methods(tables, child, "meta", 0, [parent.id for parent in parents])
    enrolid_by_parent = {parent.id: enrolid for parent, enrolid in zip(parents, enrolids, strict=True)}
    return [
        one._replace(course=child, enrolid=enrolid_by_parent[one.course.id], component="enrol_meta")
        for one in enrolments
        if one.course.id in enrolid_by_parent
    ]


def _add_methods(tables: Tables, course: Course, name: str, roleid: int, sources: Sequence[int]) -> list[int]:
    """Insert an enrolment method of one course for each source: a cohort, or a parent course."""
    return tables.add("enrol", [
        {
            **tables.made, "enrol": name, "status": 0, "courseid": course.id, "sortorder": len(course.methods) + place,
            "roleid": roleid, "customint1": source, "customint2": 0,
        }
        for place, source in enumerate(sources)
    ])  # fmt: skip


def _write(tables: Tables, enrolments: Sequence[Enrolment]) -> None:
    tables.add("user_enrolments", [
        {
            **tables.made, "status": one.status, "enrolid": one.enrolid, "userid": one.userid, "timestart": one.timestart,
            "timeend": one.timeend, "modifierid": ADMIN_ID,
        }
        for one in enrolments
    ])  # fmt: skip
    tables.add("role_assignments", [
        {
            "roleid": one.roleid, "contextid": one.course.context.id, "userid": one.userid, "timemodified": tables.began,
            "modifierid": ADMIN_ID, "component": one.component, "itemid": one.itemid, "sortorder": 0,
        }
        for one in enrolments
    ])  # fmt: skip


def _add_groups(tables: Tables, courses: Sequence[Course], enrolments: Sequence[Enrolment]) -> None:
    """Two groups in one grouping for each course, its students shared out between them."""
    described: Mapping[str, Any] = {**tables.made, "description": "", "descriptionformat": 1}
    groupings = tables.add("groupings", [
        {**described, "courseid": course.id, "name": "Tutorials", "idnumber": f"{course.shortname}-{_ending(course)[0]}"}
        for course in courses
    ])  # fmt: skip
    groups = tables.add("groups", [
        {**described, "courseid": course.id, "name": f"Group {letter}", "idnumber": f"{course.shortname}-{ending}"}
        for course in courses
        for letter, ending in zip("AB", _ending(course)[1:], strict=True)
    ])  # fmt: skip
    tables.add("groupings_groups", [
        {"groupingid": groupings[place // 2], "groupid": groupid, "timeadded": tables.began}
        for place, groupid in enumerate(groups)
    ])  # fmt: skip
    members = []
    for place, course in enumerate(courses):
        students = [one.userid for one in enrolments if one.course == course and one.roleid == STUDENT_ROLE]
        members += [(groups[2 * place + number % 2], userid) for number, userid in enumerate(students)]
    tables.add("groups_members", [
        {"groupid": groupid, "userid": userid, "timeadded": tables.began, "component": "", "itemid": 0}
        for groupid, userid in members
    ])  # fmt: skip


def _ending(course: Course) -> tuple[str, str, str]:
    """Return how the idnumbers of a course's grouping and its two groups end; some are named by a sample file."""
    return ("LABS", "TUE", "WED") if course.shortname == SAMPLED_WITH_GROUPS else ("T", "A", "B")


def _add_visits(tables: Tables, userids: Sequence[int], enrolments: Sequence[Enrolment]) -> None:
    visitors = {userid for place, userid in enumerate(userids) if has_visited(place)}
    visits = sorted({(one.userid, one.course.id) for one in enrolments if one.userid in visitors})
    tables.add("user_lastaccess", [
        {"userid": userid, "courseid": courseid, "timeaccess": tables.now - (userid % 30 + 1) * DAY}
        for userid, courseid in visits
    ])  # fmt: skip
