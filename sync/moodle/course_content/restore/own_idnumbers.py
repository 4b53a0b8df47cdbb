"""The idnumbers of activities and of their grades: a course has each only once.

Mirrors: grade_verify_idnumber(), as restore_module_structure_step and restore_activity_grades_structure_step use it
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import sqlalchemy as sa

from sync.moodle.course_content.graph.content_source import CourseTarget, Row
from sync.moodle.course_content.graph.content_tables import CMS
from sync.moodle.db.database import MoodleSession

_GRADES = "grade_items"


class OwnIdnumbers:
    """The idnumbers that courses have already, and those that they are given. Queries: two where content is added to courses"""

    def __init__(self, session: MoodleSession, targets: Sequence[CourseTarget]) -> None:
        self._present: dict[int, set[str]] = defaultdict(set)
        self._given: dict[tuple[str, int], set[str]] = defaultdict(set)
        courseids = sorted(target.courseid for target in targets if target.is_filled)
        for name, column in ((CMS, "course"), (_GRADES, "courseid")) if courseids else ():
            table = session.table(name)
            statement = sa.select(table.c[column], table.c.idnumber).where(
                session.in_clause(table.c[column], courseids), table.c.idnumber != ""
            )
            for courseid, idnumber in session.fetch(statement):
                self._present[courseid].add(idnumber)

    def with_own(self, table: str, row: Row) -> Row:
        """Return a row without its idnumber, if the course has that already."""
        if table == CMS:
            courseid, nothing = row["course"], ""
        elif table == _GRADES and row["itemtype"] == "mod":
            courseid, nothing = row["courseid"], None
        else:
            return row
        idnumber, given = row.get("idnumber"), self._given[table, courseid]
        if not idnumber:
            return row
        if idnumber in given or idnumber in self._present.get(courseid, ()):
            return {**row, "idnumber": nothing}
        given.add(idnumber)
        return row
