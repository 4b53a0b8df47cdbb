"""Reads of activities and their contexts."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

import sqlalchemy as sa

from sync.moodle.db.database import MoodleSession
from sync.moodle.db.identifiers import by_spelling, folding, is_id, named
from sync.moodle.db.writer import MAX_KEYS, batched
from sync.moodle.versions import CONTEXT_MODULE

_TABLE = "course_modules"


class Activity(NamedTuple):
    """An activity of a course, a row of `course_modules`. Shape: contextid: 0 where its context is missing"""

    id: int
    courseid: int
    contextid: int


def fetch_activities(moodle: MoodleSession, cmids: Collection[str]) -> dict[str, Activity]:
    """Return the activities of these numbers; those that Moodle is deleting count as gone.

    Shape: numbers as typed -> activity; absent = unknown
    Queries: one per 10,000 numbers
    """
    cm = moodle.table(_TABLE)
    numbers = {text: int(text) for text in cmids if is_id(text)}
    found: dict[int, Activity] = {}
    for part in batched(sorted({*numbers.values()}), MAX_KEYS):
        for row in moodle.fetch(_activities(moodle).where(moodle.in_clause(cm.c.id, part))):
            found[row.id] = Activity(row.id, row.course, row.contextid)
    return {text: found[number] for text, number in numbers.items() if number in found}


def fetch_named_activities(
    moodle: MoodleSession, pairs: Collection[tuple[int, str]]
) -> Mapping[tuple[int, str], tuple[Activity, ...]]:
    """Return the activities of courses by idnumber; those that Moodle is deleting count as gone.

    Shape: (courseid, idnumber as typed) -> activities by rising id; absent = unknown, several = ambiguous
    Queries: one per 10,000 idnumbers and 10,000 courses; none without pairs
    """
    if not pairs:
        return {}
    cm = moodle.table(_TABLE)
    found: dict[int, list[tuple[str, Activity]]] = {}
    for courseids in batched(sorted({courseid for courseid, _idnumber in pairs}), MAX_KEYS):
        of_courses = _activities(moodle).where(moodle.in_clause(cm.c.course, courseids))
        for idnumbers in batched(sorted({idnumber for _courseid, idnumber in pairs}), MAX_KEYS):
            for row in moodle.fetch(of_courses.where(named(moodle, _TABLE, "idnumber", idnumbers)).order_by(cm.c.id)):
                activity = Activity(row.id, row.course, row.contextid)
                found.setdefault(row.course, []).append((row.idnumber, activity))
    wanted: dict[int, set[str]] = {}
    for courseid, idnumber in pairs:
        wanted.setdefault(courseid, set()).add(idnumber)
    fold = folding(moodle, _TABLE, "idnumber")
    return {
        (courseid, idnumber): tuple(dict.fromkeys(activities))
        for courseid, idnumbers in wanted.items()
        for idnumber, activities in by_spelling(idnumbers, found.get(courseid, ()), fold).items()
    }


def _activities(moodle: MoodleSession) -> sa.Select[Any]:
    cm, context = moodle.table(_TABLE), moodle.table("context")
    joined = cm.outerjoin(context, sa.and_(context.c.contextlevel == CONTEXT_MODULE, context.c.instanceid == cm.c.id))
    return (
        sa.select(cm.c.id, cm.c.course, cm.c.idnumber, sa.func.coalesce(context.c.id, 0).label("contextid"))
        .select_from(joined)
        .where(cm.c.deletioninprogress == 0)
    )
