"""Grades of people who go: each is kept in the history before it is deleted."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from sync.moodle.files import DeletedFiles, delete_files
from sync.moodle.writer import MAX_KEYS, RowChange, Writer, slices

# grade_grades_history.action. Source: GRADE_HISTORY_* in Moodle's lib/grade/constants.php
_HISTORY_INSERT, _HISTORY_DELETE = 1, 3
# course_modules.completion and course_modules_completion.completionstate. Source: COMPLETION_* in lib/completionlib.php
_AUTOMATIC, _INCOMPLETE = 2, 0


def move_grades_to_history(
    writer: Writer, userids: Sequence[int], *, now: int, source: str = "userdelete"
) -> DeletedFiles:
    """Delete all grades of accounts, after copying each into grade_grades_history unless the site keeps none.

    Mirrors: grade_user_delete()
    """
    return _see_to_deleted_grades(
        writer, writer.delete_where("grade_grades", "userid", userids), now=now, source=source
    )


def move_course_grades_to_history(
    writer: Writer, pairs: Collection[tuple[int, int]], *, now: int, source: str = "userdelete"
) -> DeletedFiles:
    """Delete the grades of accounts in courses. Shape: pairs: (userid, courseid). Mirrors: grade_user_unenrol()"""
    session = writer.session
    grade, item = session.table("grade_grades"), session.table("grade_items")
    courseids = {courseid for _userid, courseid in pairs}
    gone: list[dict[str, Any]] = []
    for part in slices(sorted({userid for userid, _courseid in pairs}), MAX_KEYS):
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
    return _see_to_deleted_grades(writer, gone, now=now, source=source)


def recover_course_grades(writer: Writer, pairs: Collection[tuple[int, int]], *, now: int) -> None:
    """Give people who come back to a course the grades that the history kept, unless they have grades there.

    Moodle reckons the totals anew at the next look at the gradebook.
    Shape: pairs: (userid, courseid)
    Mirrors: grade_recover_history_grades()
    """
    session = writer.session
    item = session.table("grade_items")
    courseids = {courseid for _userid, courseid in pairs}
    items = session.fetch(
        sa.select(item.c.id, item.c.courseid, item.c.itemtype, item.c.needsupdate).where(item.c.courseid.in_(courseids))
    )
    course_of = {row.id: row.courseid for row in items}
    rows, sources = _kept_grades(writer, pairs, course_of)
    ids = writer.insert_many("grade_grades", rows, ("itemid", "userid"))
    new = [{**row, "id": rowid} for row, rowid in zip(rows, ids, strict=True)]
    _keep(writer, new, _HISTORY_INSERT, sources, now=now)
    touched = {course_of[row["itemid"]] for row in rows}
    stale = [row.id for row in items if row.itemtype == "course" and row.courseid in touched and not row.needsupdate]
    writer.update_many("grade_items", [RowChange(rowid, {"needsupdate": 0}, {"needsupdate": 1}) for rowid in stale])


def _kept_grades(
    writer: Writer, pairs: Collection[tuple[int, int]], course_of: Mapping[int, int]
) -> tuple[list[dict[str, Any]], list[str]]:
    """Give the newest grade that the history has for each item, and where it came from."""
    session = writer.session
    grade, history = session.table("grade_grades"), session.table("grade_grades_history")
    kept: dict[tuple[int, int], list[Any]] = {}
    graded: set[tuple[int, int]] = set()
    for part in slices(sorted({userid for userid, _courseid in pairs}), MAX_KEYS):
        present = sa.select(grade.c.userid, grade.c.itemid).where(
            grade.c.userid.in_(part), grade.c.itemid.in_(course_of)
        )
        graded |= {(userid, course_of[itemid]) for userid, itemid in session.fetch(present)}
        of_these = sa.select(history).where(history.c.userid.in_(part), history.c.itemid.in_(course_of))
        for row in session.fetch(of_these.order_by(history.c.id)):
            kept.setdefault((row.itemid, row.userid), []).append(row)
    columns = [c.name for c in grade.c if c.name in history.c and c.name not in ("id", "timemodified")]
    rows, sources = [], []
    for (itemid, userid), versions in sorted(kept.items()):
        pair = (userid, course_of[itemid])
        if pair in pairs and pair not in graded:
            newest = versions[-1]
            first = min(version.timemodified or 0 for version in versions)
            times = {"timecreated": first, "timemodified": newest.timemodified}
            rows.append({name: getattr(newest, name) for name in columns} | times)
            sources.append(newest.source)
    return rows, sources


def _see_to_deleted_grades(writer: Writer, gone: Sequence[Mapping[str, Any]], *, now: int, source: str) -> DeletedFiles:
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
    history = session.table("grade_grades_history")
    columns = [
        c.name for c in session.table("grade_grades").c if c.name in history.c and c.name not in ("id", "timemodified")
    ]
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
    for part in slices(sorted({itemid for itemid, _userid in graded}), MAX_KEYS):
        found = session.fetch(completed.where(item.c.id.in_(part)))
        writer.update_many(
            "course_modules_completion",
            [
                RowChange(row.id, {name: getattr(row, name) for name in after}, after)
                for row in found
                if (row.itemid, row.userid) in graded
            ],
        )
