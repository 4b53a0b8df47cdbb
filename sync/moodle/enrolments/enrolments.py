"""Reads of enrolment methods in courses, and of who is enrolled by them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

import sqlalchemy as sa

from sync.moodle.courses.courses import Course
from sync.moodle.db.database import MoodleSession
from sync.moodle.db.user_rows import UserRows, fetch_user_rows
from sync.moodle.db.writer import MAX_KEYS, batched
from sync.moodle.versions import CONTEXT_COURSE

ENABLED, DISABLED = 0, 1  # enrol.status
ACTIVE, SUSPENDED = 0, 1  # user_enrolments.status

# Roles given by every other method belong to the method: component enrol_<name>, itemid the instance.
# Source: roles_protected() of Moodle's enrolment plugins
METHODS_WITH_FREE_ROLES = frozenset({"manual", "self", "fee", "paypal"})

# Their own synchronisation would undo what others write into their instances; guest enrols nobody.
SELF_SYNCED_METHODS = frozenset({"cohort", "meta", "database", "ldap", "category", "guest"})

# Days are stored in seconds.
DAY = 86_400
_SETTINGS = (
    "name", "password", "enrolstartdate", "enrolenddate", "enrolperiod", "expirynotify", "notifyall", "expirythreshold",
    "customint3", "customint4", "customint6",
)  # fmt: skip


class EnrolInstance(NamedTuple):
    """An enrolment method of a course, a row of `enrol`.

    Shape: customint1: of method cohort the cohort, of method meta the parent course; customint2: of both the group
    """

    id: int
    courseid: int
    enrol: str
    status: int
    roleid: int
    customint1: int
    customint2: int
    sortorder: int = 0
    timemodified: int = 0


def has_instances(moodle: MoodleSession, method: str) -> bool:
    """Tell whether any course has the method. Queries: one"""
    enrol = moodle.table("enrol")
    return bool(moodle.fetch(sa.select(enrol.c.id).where(enrol.c.enrol == method).limit(1)))


def fetch_instances(
    moodle: MoodleSession, courseids: Collection[int], cohortids: Collection[int] = ()
) -> list[tuple[EnrolInstance, Course]]:
    """Return all methods of these courses and of every course that one of these cohorts is enrolled in.

    Shape: in the order of each course's list of methods
    Queries: one; none when both are empty
    """
    enrol = moodle.table("enrol")
    selects = []
    if courseids:
        selects.append(_instances(moodle).where(moodle.in_clause(enrol.c.courseid, courseids)))
    if cohortids:
        bound = enrol.alias()
        bound_courses = sa.select(bound.c.courseid).where(
            bound.c.enrol == "cohort", moodle.in_clause(bound.c.customint1, cohortids)
        )
        selects.append(_instances(moodle).where(enrol.c.courseid.in_(bound_courses)))
    return _fetch_instances(moodle, sa.union(*selects)) if selects else []


def fetch_meta_children(moodle: MoodleSession, courseids: Collection[int]) -> list[tuple[EnrolInstance, Course]]:
    """Return the meta methods that copy from these courses, disabled ones too, each with the course that receives.

    Queries: one; none without courses
    """
    if not courseids:
        return []
    enrol = moodle.table("enrol")
    return _fetch_instances(
        moodle,
        _instances(moodle).where(
            enrol.c.enrol == "meta",
            moodle.in_clause(enrol.c.customint1, courseids),
            enrol.c.courseid != enrol.c.customint1,
        ),
    )


def fetch_method_settings(moodle: MoodleSession, enrolids: Collection[int]) -> Mapping[int, Mapping[str, Any]]:
    """Return the settings of methods, by their ids, as Moodle stores them.

    Queries: one per 10,000 methods
    """
    enrol = moodle.table("enrol")
    columns = [enrol.c[name] for name in ("id", *_SETTINGS)]
    found: dict[int, Mapping[str, Any]] = {}
    for part in batched(sorted(enrolids), MAX_KEYS):
        for row in moodle.fetch(sa.select(*columns).where(moodle.in_clause(enrol.c.id, part))):
            found[row.id] = {name: getattr(row, name) for name in _SETTINGS}
    return found


def fetch_user_enrolments(
    moodle: MoodleSession, enrolids: Collection[int], userids: Collection[int] | None
) -> UserRows:
    """Return the enrolments of these users by these methods.

    Shape: (enrolid, userid) -> {id, status, timestart, timeend, modifierid, timemodified}
    """
    return fetch_user_rows(
        moodle,
        "user_enrolments",
        key=("enrolid", "userid"),
        columns=("status", "timestart", "timeend", "modifierid", "timemodified"),
        in_clause=enrolids,
        userids=userids,
    )


def _instances(moodle: MoodleSession) -> sa.Select[Any]:
    enrol, context = moodle.table("enrol"), moodle.table("context")
    joined = enrol.join(
        context, sa.and_(context.c.contextlevel == CONTEXT_COURSE, context.c.instanceid == enrol.c.courseid)
    )
    return sa.select(
        enrol.c.id,
        enrol.c.courseid,
        enrol.c.enrol,
        enrol.c.status,
        enrol.c.roleid,
        enrol.c.customint1,
        enrol.c.customint2,
        enrol.c.sortorder,
        enrol.c.timemodified,
        context.c.id.label("contextid"),
        context.c.path,
    ).select_from(joined)


def _fetch_instances(moodle: MoodleSession, statement: sa.Executable) -> list[tuple[EnrolInstance, Course]]:
    rows = sorted(moodle.fetch(statement), key=lambda row: (row.courseid, row.sortorder, row.id))
    return [
        (
            EnrolInstance(
                row.id,
                row.courseid,
                row.enrol,
                row.status,
                row.roleid or 0,
                row.customint1 or 0,
                row.customint2 or 0,
                row.sortorder,
                row.timemodified,
            ),
            Course(row.courseid, row.contextid, row.path or ""),
        )
        for row in rows
    ]
