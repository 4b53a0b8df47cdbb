"""Build a small Moodle 4.5 in SQLite to try ToolSync on.

This is nobody's Moodle, so it is written directly, not through the gate.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sync.demo.people import invent_people
from sync.moodle.schemas import create_tables, load_schema, load_site_rows

VERSION = "4.5"
PREFIX = "mdl_"
PEOPLE = 300
STUDENT, TEACHER = 5, 3
_DAY = 86_400

_CATEGORIES = ("Sciences", "Humanities", "Engineering", "Languages")
_COURSES = (
    ("ALG1", "Algebra I"), ("ANA1", "Analysis I"), ("STAT", "Statistics"), ("PHYS", "Physics"), ("CHEM", "Chemistry"),
    ("HIST", "Modern history"), ("PHIL", "Philosophy"), ("LIT", "World literature"), ("ART", "History of art"), ("MUS", "Music"),
    ("PROG", "Programming"), ("DB", "Databases"), ("NET", "Networks"), ("ELEC", "Electronics"), ("MECH", "Mechanics"),
    ("FR-A1", "French A1"), ("FR-B1", "French B1"), ("EN-B2", "English B2"), ("DE-A1", "German A1"), ("ES-A1", "Spanish A1"),
)  # fmt: skip
_COHORTS = (("YEAR1", "First year"), ("YEAR2", "Second year"), ("STAFF", "Staff"))


def build_moodle(path: Path) -> None:
    """Make the demo Moodle in a new file; nothing is left there when it fails half-way."""
    unfinished = path.with_suffix(".unfinished")
    unfinished.unlink(missing_ok=True)
    engine = sa.create_engine(f"sqlite:///{unfinished}")
    create_tables(engine, load_schema(VERSION), PREFIX)
    with engine.begin() as connection:
        builder = _Builder(connection)
        for table, rows in load_site_rows(VERSION).items():
            builder.insert(table, rows)
        builder.build()
    engine.dispose()
    unfinished.replace(path)


class _Builder:
    """Fills the tables, parents first; ids are counted here."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.now = int(time.time())
        self.began = self.now - 200 * _DAY

    def insert(self, table: str, rows: Sequence[dict[str, Any]]) -> None:
        if rows:
            target = sa.table(PREFIX + table, *(sa.column(name) for name in rows[0]))
            self._connection.execute(sa.insert(target), list(rows))

    def build(self) -> None:
        course_contexts = self._courses()
        userids = self._people()
        self._enrolments(userids, course_contexts)
        self._cohorts(userids)
        self._profile_fields(userids)

    def _next_id(self, table: str) -> int:
        target = sa.table(PREFIX + table, sa.column("id"))
        return int(self._connection.execute(sa.select(sa.func.coalesce(sa.func.max(target.c.id), 0) + 1)).scalar_one())

    def _contexts(self, level: int, parents: Sequence[tuple[int, str]]) -> list[int]:
        """Insert contexts. Shape: parents: (instance id, path of the parent context)."""
        first = self._next_id("context")
        rows: list[dict[str, Any]] = [
            {
                "id": first + place, "contextlevel": level, "instanceid": instanceid, "path": f"{path}/{first + place}",
                "depth": path.count("/") + 1, "locked": 0,
            }
            for place, (instanceid, path) in enumerate(parents)
        ]  # fmt: skip
        self.insert("context", rows)
        return [row["id"] for row in rows]

    def _courses(self) -> list[tuple[int, int]]:
        """Insert categories and courses. Gives (course id, context id)."""
        first_category = self._next_id("course_categories")
        per_category = len(_COURSES) // len(_CATEGORIES)
        self.insert("course_categories", [
            {
                "id": first_category + place, "name": name, "idnumber": name.upper()[:4], "parent": 0, "depth": 1,
                "sortorder": 10_000 * (place + 2), "path": f"/{first_category + place}", "coursecount": per_category,
                "visible": 1, "visibleold": 1, "timemodified": self.began, "descriptionformat": 0,
            }
            for place, name in enumerate(_CATEGORIES)
        ])  # fmt: skip
        categories = [first_category + place for place in range(len(_CATEGORIES))]
        category_contexts = self._contexts(40, [(category, "/1") for category in categories])
        first = self._next_id("course")
        rows: list[dict[str, Any]] = []
        parents: list[tuple[int, str]] = []
        for place, (shortname, fullname) in enumerate(_COURSES):
            home = place // per_category
            rows.append({
                "id": first + place, "category": categories[home], "sortorder": 10_000 * (home + 2) + place + 1,
                "shortname": shortname, "fullname": fullname, "idnumber": f"C-{shortname}", "format": "topics",
                "startdate": self.began, "visible": 1, "visibleold": 1, "timecreated": self.began, "timemodified": self.began,
                "cacherev": self.began,
            })  # fmt: skip
            parents.append((first + place, f"/1/{category_contexts[home]}"))
        self.insert("course", rows)
        contexts = self._contexts(50, parents)
        self._enrol_methods([row["id"] for row in rows])
        return [(row["id"], context) for row, context in zip(rows, contexts, strict=True)]

    def _enrol_methods(self, courseids: Sequence[int]) -> None:
        first = self._next_id("enrol")
        self.first_enrol, self.first_course = first, courseids[0]
        self.insert("enrol", [
            {
                "id": first + place, "enrol": "manual", "status": 0, "courseid": courseid, "sortorder": 0, "roleid": STUDENT,
                "timecreated": self.began, "timemodified": self.began,
            }
            for place, courseid in enumerate(courseids)
        ])  # fmt: skip
        self.insert("enrol", [
            {
                "enrol": "self", "status": 1, "courseid": courseid, "sortorder": 1, "roleid": STUDENT,
                "timecreated": self.began, "timemodified": self.began,
            }
            for courseid in courseids
        ])  # fmt: skip

    def _people(self) -> list[int]:
        first = self._next_id("user")
        people = invent_people(PEOPLE)
        self.insert("user", [
            {
                "id": first + place, **person._asdict(), "auth": "manual", "confirmed": 1, "mnethostid": 1, "lang": "en",
                "timezone": "99", "timecreated": self.began, "timemodified": self.began, "suspended": int(place % 60 == 59),
            }
            for place, person in enumerate(people)
        ])  # fmt: skip
        userids = [first + place for place in range(len(people))]
        self._contexts(30, [(userid, "/1") for userid in [1, 2, *userids] if not self._has_context(userid)])
        return userids

    def _has_context(self, userid: int) -> bool:
        context = sa.table(PREFIX + "context", sa.column("contextlevel"), sa.column("instanceid"))
        query = sa.select(context.c.instanceid).where(context.c.contextlevel == 30, context.c.instanceid == userid)
        return self._connection.execute(query).first() is not None

    def _enrolments(self, userids: Sequence[int], courses: Sequence[tuple[int, int]]) -> None:
        """Everybody takes three courses; every fifteenth person teaches one."""
        enrolments, assignments, members = [], [], []
        groups = self._groups([courseid for courseid, _context in courses[:5]])
        for place, userid in enumerate(userids):
            for step in range(3):
                which = (place * 7 + step * 5) % len(courses)
                courseid, context = courses[which]
                role = TEACHER if place % 15 == 0 and step == 0 else STUDENT
                enrolments.append({
                    "status": 0, "enrolid": self.first_enrol + which, "userid": userid, "timestart": self.began, "timeend": 0,
                    "modifierid": 2, "timecreated": self.began, "timemodified": self.began,
                })  # fmt: skip
                assignments.append({
                    "roleid": role, "contextid": context, "userid": userid, "timemodified": self.began, "modifierid": 2,
                    "component": "", "itemid": 0, "sortorder": 0,
                })  # fmt: skip
                if courseid in groups:
                    groupid = groups[courseid][place % 2]
                    members.append(
                        {"groupid": groupid, "userid": userid, "timeadded": self.began, "component": "", "itemid": 0}
                    )
        self.insert("user_enrolments", enrolments)
        self.insert("role_assignments", assignments)
        self.insert("groups_members", members)

    def _groups(self, courseids: Sequence[int]) -> dict[int, tuple[int, int]]:
        first = self._next_id("groups")
        rows = [
            {
                "id": first + 2 * place + half, "courseid": courseid, "idnumber": "", "name": f"Group {'AB'[half]}",
                "descriptionformat": 0, "picture": 0, "timecreated": self.began, "timemodified": self.began,
            }
            for place, courseid in enumerate(courseids)
            for half in (0, 1)
        ]  # fmt: skip
        self.insert("groups", rows)
        return {courseid: (first + 2 * place, first + 2 * place + 1) for place, courseid in enumerate(courseids)}

    def _cohorts(self, userids: Sequence[int]) -> None:
        first = self._next_id("cohort")
        self.insert("cohort", [
            {
                "id": first + place, "contextid": 1, "name": name, "idnumber": idnumber, "description": "",
                "descriptionformat": 1, "visible": 1, "component": "", "timecreated": self.began, "timemodified": self.began,
            }
            for place, (idnumber, name) in enumerate(_COHORTS)
        ])  # fmt: skip
        self.insert("cohort_members", [
            {"cohortid": first + place % len(_COHORTS), "userid": userid, "timeadded": self.began}
            for place, userid in enumerate(userids)
        ])  # fmt: skip

    def _profile_fields(self, userids: Sequence[int]) -> None:
        category, field = self._next_id("user_info_category"), self._next_id("user_info_field")
        self.insert("user_info_category", [{"id": category, "name": "University", "sortorder": 1}])
        self.insert("user_info_field", [
            {
                "id": field, "shortname": "programme", "name": "Programme", "datatype": "menu", "categoryid": category,
                "sortorder": 1, "param1": "Bachelor\nMaster\nDoctorate", "defaultdata": "Bachelor", "descriptionformat": 1,
            }
        ])  # fmt: skip
        programmes = ("Bachelor", "Master", "Doctorate")
        self.insert("user_info_data", [
            {"userid": userid, "fieldid": field, "data": programmes[userid % 3], "dataformat": 0} for userid in userids
        ])  # fmt: skip
