"""What Moodle does once the content of a course has been restored.

Source: spec courses.md section 1.5; effects course_restore_template_samesite
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from sync.moodle.course_content.graph.scope import inline
from sync.moodle.db.writer import RowChange, Writer
from sync.moodle.versions import Feature

_CALENDAR = {"component": "", "classname": "\\core\\task\\refresh_mod_calendar_events_task"}
_REGRADE = {"component": "core", "classname": "\\core_course\\task\\regrade_final_grades"}
_ATTEMPTS = 12


def add_grade_settings(writer: Writer, courseids: Sequence[int]) -> None:
    """Say how these courses show the least and greatest grade, where they don't say it; as the site does."""
    if not courseids:
        return
    session = writer.session
    settings = session.table("grade_settings")
    said = session.fetch(
        sa.select(settings.c.courseid).where(
            settings.c.courseid.in_(inline(courseids)), settings.c.name == "minmaxtouse"
        )
    )
    silent = sorted(set(courseids) - {courseid for (courseid,) in said})
    value = session.config.get("grade_minmaxtouse") or "1"
    rows = [{"courseid": courseid, "name": "minmaxtouse", "value": value} for courseid in silent]
    writer.insert_many("grade_settings", rows, ("courseid", "name"))


def mark_for_regrading(writer: Writer, courseids: Sequence[int]) -> None:
    """Have Moodle work out totals that were there before new activities came. Queries: two; none without courses"""
    if not courseids:
        return
    item = writer.session.table("grade_items")
    found = writer.session.fetch(
        sa.select(item.c.id).where(
            item.c.courseid.in_(inline(courseids)), item.c.itemtype.in_(("course", "category")), item.c.needsupdate == 0
        )
    )
    writer.update_many("grade_items", [RowChange(rowid, {"needsupdate": 0}, {"needsupdate": 1}) for (rowid,) in found])


def queue_tasks(writer: Writer, courseids: Sequence[int], *, now: int) -> None:
    """Queue what Moodle's cron does for new content: the calendar events of activities, and grades from Moodle 5.1 on."""
    _queue(writer, _CALENDAR, courseids, now=now)
    if Feature.REGRADE_TASKS.is_in(writer.session.version):
        tasks = _queue(writer, _REGRADE, courseids, now=now)
        progress = {"timestart": 0, "lastupdate": None, "percentcompleted": 0, "message": "", "haserrored": 0}
        rows = [{"idnumber": f"core_course_task_regrade_final_grades_{taskid}", **progress} for taskid in tasks]
        writer.insert_many("stored_progress", rows)


def _queue(writer: Writer, task: dict[str, str], courseids: Sequence[int], *, now: int) -> list[int]:
    columns = writer.session.table("task_adhoc").c
    rows = [
        {
            **task, "nextruntime": now - 1, "faildelay": 0, "customdata": f'{{"courseid":{courseid}}}', "userid": None,
            "blocking": 0, "timecreated": now, "attemptsavailable": _ATTEMPTS,
        }
        for courseid in courseids
    ]  # fmt: skip
    present = [{name: value for name, value in row.items() if name in columns} for row in rows]
    return writer.insert_many("task_adhoc", present, ("classname", "customdata"))
