"""Grades of people who go: each is kept in the history before it is deleted."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from sync.moodle.db.database import MoodleSession
from sync.moodle.db.writer import MAX_KEYS, RowChange, Writer, batched
from sync.moodle.files.files import DeletedFiles, delete_files

# grade_grades_history.action. Source: GRADE_HISTORY_* in Moodle's lib/grade/constants.php
_HISTORY_INSERT, _HISTORY_DELETE = 1, 3
# course_modules.completion and course_modules_completion.completionstate. Source: COMPLETION_* in lib/completionlib.php
_AUTOMATIC, _INCOMPLETE = 2, 0


def move_grades_to_history(
    writer: Writer, userids: Sequence[int], *, now: int, source: str = "userdelete"
) -> DeletedFiles:
    """Delete all grades of users, after copying each into grade_grades_history unless the site keeps none.

    Mirrors: grade_user_delete()
    """
    return see_to_deleted_grades(writer, writer.delete_where("grade_grades", "userid", userids), now=now, source=source)


def move_course_grades_to_history(
    writer: Writer, pairs: Collection[tuple[int, int]], *, now: int, source: str = "userdelete"
) -> DeletedFiles:
    """Delete the grades of users in courses. Shape: pairs: (userid, courseid). Mirrors: grade_user_unenrol()"""
    session = writer.session
    grade, item = session.table("grade_grades"), session.table("grade_items")
    courseids = {courseid for _userid, courseid in pairs}
    gone: list[dict[str, Any]] = []
    for part in batched(sorted({userid for userid, _courseid in pairs}), MAX_KEYS):
        statement = (
            sa.select(item.c.courseid.label("graded_course"), grade)
            .join(item, item.c.id == grade.c.itemid)
            .where(grade.c.userid.in_(part), item.c.courseid.in_(courseids))
            .order_by(grade.c.itemid, grade.c.id)
        )
        for courseid, *values in session.fetch(statement):
            row = dict(zip(grade.c.keys(), values, strict=True))
            if (row["userid"], courseid) in pairs:
                gone.append(row)
    writer.delete_many("grade_grades", gone)
    return see_to_deleted_grades(writer, gone, now=now, source=source)


def recover_course_grades(writer: Writer, pairs: Collection[tuple[int, int]], *, now: int) -> None:
    """Return people who come back to a course the grades that the history kept, unless they have grades there.

    Moodle reckons the totals anew at the next look at the gradebook.
    Shape: pairs: (userid, courseid)
    Queries: constant, whatever the number of people and courses
    Mirrors: grade_recover_history_grades(); leaves out: grades that activities push again
    """
    session = writer.session
    if not pairs or session.config.get("disablegradehistory", "0") == "1":
        return
    pairs = frozenset(pairs)
    graded = _graded(session, pairs)
    kept = [grade for grade in _kept_grades(session, pairs) if (grade["userid"], grade["courseid"]) not in graded]
    names = _columns_of_history(session)
    rows = [{name: grade[name] for name in (*names, "timecreated", "timemodified")} for grade in kept]
    ids = writer.insert_many("grade_grades", rows, ("itemid", "userid"))
    new = [{**row, "id": rowid} for row, rowid in zip(rows, ids, strict=True)]
    _keep(writer, new, _HISTORY_INSERT, [grade["source"] for grade in kept], now=now)
    item = session.table("grade_items")
    stale: list[RowChange] = []
    for part in batched(sorted({grade["courseid"] for grade in kept}), MAX_KEYS):
        totals = sa.select(item.c.id, item.c.needsupdate).where(item.c.courseid.in_(part), item.c.itemtype == "course")
        found = session.fetch(totals.where(item.c.needsupdate != 1).order_by(item.c.id))
        stale += [RowChange(row.id, {"needsupdate": row.needsupdate}, {"needsupdate": 1}) for row in found]
    writer.update_many("grade_items", stale)


def _graded(session: MoodleSession, pairs: Collection[tuple[int, int]]) -> set[tuple[int, int]]:
    """Return who has any grade, be it empty, in which of the courses."""
    grade, item = session.table("grade_grades"), session.table("grade_items")
    courseids = {courseid for _userid, courseid in pairs}
    statement = sa.select(grade.c.userid, item.c.courseid).join(item, item.c.id == grade.c.itemid).distinct()
    return {
        (userid, courseid)
        for part in batched(sorted({userid for userid, _courseid in pairs}), MAX_KEYS)
        for userid, courseid in session.fetch(statement.where(grade.c.userid.in_(part), item.c.courseid.in_(courseids)))
    }


def _kept_grades(session: MoodleSession, pairs: Collection[tuple[int, int]]) -> list[dict[str, Any]]:
    """Return the newest version that the history has of each grade, with the course and the time of its last creation.

    A grade whose creation the history doesn't know (any more) isn't among them: Moodle passes it over.
    """
    history, item = session.table("grade_grades_history"), session.table("grade_items")
    created = sa.func.max(sa.case((history.c.action == _HISTORY_INSERT, history.c.timemodified)))
    courseids = {courseid for _userid, courseid in pairs}
    kept: list[dict[str, Any]] = []
    for part in batched(sorted({userid for userid, _courseid in pairs}), MAX_KEYS):
        versions = (
            sa.select(sa.func.max(history.c.id).label("id"), item.c.courseid, created.label("timecreated"))
            .join(item, item.c.id == history.c.itemid)
            .where(history.c.userid.in_(part), item.c.courseid.in_(courseids))
            .group_by(history.c.itemid, history.c.userid, item.c.courseid)
            .having(created.is_not(None))
            .subquery()
        )
        newest = sa.select(versions.c.courseid, versions.c.timecreated, history).join(
            versions, versions.c.id == history.c.id
        )
        found = session.fetch(newest.order_by(history.c.itemid, history.c.userid))
        kept += [dict(row._mapping) for row in found if (row.userid, row.courseid) in pairs]
    return kept


def see_to_deleted_grades(writer: Writer, gone: Sequence[Mapping[str, Any]], *, now: int, source: str) -> DeletedFiles:
    """Keep deleted grades in the history, withdraw what was complete by them, delete the files of their feedback.

    Mirrors: grade_grade::delete()
    """
    if not gone:
        return DeletedFiles()
    _keep(writer, gone, _HISTORY_DELETE, [source] * len(gone), now=now)
    _withdraw_completions(writer, gone, now=now)
    files = writer.session.table("files")
    feedback = (files.c.component == "grade", files.c.filearea == "feedback")
    return delete_files(writer, "itemid", [grade["id"] for grade in gone], *feedback)


def _keep(
    writer: Writer, grades: Sequence[Mapping[str, Any]], action: int, sources: Sequence[str], *, now: int
) -> None:
    """Copy grades into grade_grades_history, unless the site keeps none."""
    session = writer.session
    if session.config.get("disablegradehistory", "0") == "1":
        return
    columns = _columns_of_history(session)
    rows = [
        {
            **{name: grade[name] for name in columns},
            "action": action,
            "oldid": grade["id"],
            "source": source,
            "timemodified": now,
            "loggeduser": session.operatorid,
        }
        for grade, source in zip(grades, sources, strict=True)
    ]
    writer.insert_many("grade_grades_history", rows, ("oldid", "action"))


def _columns_of_history(session: MoodleSession) -> list[str]:
    """Return what a grade and its versions in the history have in common, but for their ids and times."""
    grade, history = session.table("grade_grades"), session.table("grade_grades_history")
    return [c.name for c in grade.c if c.name in history.c and c.name not in ("id", "timemodified")]


def _withdraw_completions(writer: Writer, grades: Sequence[Mapping[str, Any]], *, now: int) -> None:
    """Make activities incomplete that were complete by these grades; what a teacher completed by hand stays.

    Mirrors: completion_info::inform_grade_changed(); leaves out: completion of the course
    """
    session = writer.session
    if session.config.get("enablecompletion", "1") == "0":
        return
    item, module, cm, course, completion = map(
        session.table, ("grade_items", "modules", "course_modules", "course", "course_modules_completion")
    )
    completed = (
        sa.select(item.c.id.label("itemid"), completion)
        .join(module, module.c.name == item.c.itemmodule)
        .join(
            cm,
            sa.and_(
                cm.c.module == module.c.id,
                cm.c.instance == item.c.iteminstance,
                cm.c.course == item.c.courseid,
                cm.c.completiongradeitemnumber == item.c.itemnumber,
                cm.c.completion == _AUTOMATIC,
            ),
        )
        .join(course, sa.and_(course.c.id == cm.c.course, course.c.enablecompletion == 1))
        .join(completion, completion.c.coursemoduleid == cm.c.id)
        .where(completion.c.completionstate != _INCOMPLETE, completion.c.overrideby.is_(None))
        .where(completion.c.userid.in_({grade["userid"] for grade in grades}), item.c.itemtype == "mod")
        .order_by(completion.c.id)
    )
    graded = {(grade["itemid"], grade["userid"]) for grade in grades}
    after = {"completionstate": _INCOMPLETE, "timemodified": now}
    for part in batched(sorted({itemid for itemid, _userid in graded}), MAX_KEYS):
        found = session.fetch(completed.where(item.c.id.in_(part)))
        writer.update_many(
            "course_modules_completion",
            [
                RowChange(row.id, {name: getattr(row, name) for name in after}, after)
                for row in found
                if (row.itemid, row.userid) in graded
            ],
        )
