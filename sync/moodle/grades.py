"""Grades of people who go: each is kept in the history before it is deleted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from sync.moodle.files import DeletedFiles, delete_files
from sync.moodle.writer import MAX_KEYS, RowChange, Writer, slices

# Source: GRADE_HISTORY_DELETE in Moodle's lib/grade/constants.php
_HISTORY_DELETE = 3
# course_modules.completion and course_modules_completion.completionstate. Source: COMPLETION_* in lib/completionlib.php
_AUTOMATIC, _INCOMPLETE = 2, 0


def move_grades_to_history(
    writer: Writer, userids: Sequence[int], *, now: int, source: str = "userdelete"
) -> DeletedFiles:
    """Delete all grades of accounts, after copying each into grade_grades_history unless the site keeps none.

    Mirrors: grade_user_delete() and grade_grade::delete()
    """
    gone = writer.delete_where("grade_grades", "userid", userids)
    if not gone:
        return DeletedFiles()
    session = writer.session
    if session.config.get("disablegradehistory", "0") != "1":
        history = session.table("grade_grades_history")
        columns = [
            c.name
            for c in session.table("grade_grades").c
            if c.name in history.c and c.name not in ("id", "timemodified")
        ]
        rows = [
            {
                **{name: grade[name] for name in columns},
                "action": _HISTORY_DELETE,
                "oldid": grade["id"],
                "source": source,
                "timemodified": now,
                "loggeduser": session.operatorid,
            }
            for grade in gone
        ]
        writer.insert_many("grade_grades_history", rows, ("oldid", "action"))
    _withdraw_completions(writer, gone, now=now)
    files = session.table("files")
    feedback = (files.c.component == "grade", files.c.filearea == "feedback")
    return delete_files(writer, "itemid", [grade["id"] for grade in gone], *feedback)


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
