"""Who loses the last enrolment in a course leaves it with everything; who has another one keeps it all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from sync.moodle.course_leaving import leave_courses
from sync.moodle.database import MoodleConnection, MoodleDatabase, MoodleSession
from sync.moodle.grades import recover_course_grades
from sync.moodle.writer import Writer
from tests.moodle_sites import MoodleSite

NOW = 1_800_000_000
ANN, BEN = 5001, 5002


@contextmanager
def opened(site: MoodleSite) -> Iterator[MoodleSession]:
    database = MoodleDatabase(MoodleConnection(site.url, site.prefix))
    try:
        with database.session() as session:
            yield session
    finally:
        database.dispose()


class World:
    """Two courses with a manual method, a group with a conversation, a forum, a graded item and a module each."""

    def __init__(self, site: MoodleSite) -> None:
        self.site = site
        self.courses = [self._course(number) for number in (0, 1)]

    def _course(self, number: int) -> dict[str, int]:
        site = self.site
        course = site.insert(
            "course",
            category=1,
            shortname=f"left{number}",
            fullname="x",
            idnumber="",
            lang="",
            calendartype="",
            theme="",
        )
        context = site.insert("context", contextlevel=50, instanceid=course, path="", depth=3, locked=0)
        path = f"/1/99/{context}"
        site.execute("UPDATE {context} SET path = :path WHERE id = :id", path=path, id=context)
        module = site.insert("context", contextlevel=70, instanceid=7000 + course, path="", depth=4, locked=0)
        site.execute("UPDATE {context} SET path = :path WHERE id = :id", path=f"{path}/{module}", id=module)
        group = site.insert("groups", courseid=course, name="G", idnumber="", timecreated=1, timemodified=1)
        talk = site.insert(
            "message_conversations", type=2, component="core_group", itemtype="groups", itemid=group, contextid=context,
            enabled=1, timecreated=1,
        )  # fmt: skip
        item = site.insert("grade_items", courseid=course, itemtype="manual", itemname="Oral")
        total = site.insert("grade_items", courseid=course, itemtype="course", needsupdate=0)
        return {
            "id": course, "context": context, "module": module, "group": group, "talk": talk, "item": item, "total": total,
            "manual": site.insert("enrol", enrol="manual", courseid=course, status=0, sortorder=0),
            "self": site.insert("enrol", enrol="self", courseid=course, status=0, sortorder=1),
            "forum": site.insert("forum", course=course, type="general", name="F", intro=""),
        }  # fmt: skip

    def join(self, userid: int, course: dict[str, int]) -> None:
        """Let somebody have everything that one can have in a course, but for the enrolment."""
        site = self.site
        for contextid in (course["context"], course["module"]):
            site.insert("role_assignments", roleid=5, contextid=contextid, userid=userid, component="", itemid=0)
        site.insert("groups_members", groupid=course["group"], userid=userid, timeadded=1, component="", itemid=0)
        site.insert("message_conversation_members", conversationid=course["talk"], userid=userid, timecreated=1)
        site.insert("grade_grades", itemid=course["item"], userid=userid, finalgrade=70, rawgrade=70)
        site.insert("user_lastaccess", userid=userid, courseid=course["id"], timeaccess=1)
        site.insert("forum_subscriptions", userid=userid, forum=course["forum"])
        site.insert("forum_read", userid=userid, forumid=course["forum"], discussionid=1, postid=1)

    def leave(self, *pairs: tuple[int, int]) -> int:
        """Give the number of statements."""
        statements: list[str] = []

        def note(_connection: sa.Connection, _cursor: object, statement: str, *_more: object) -> None:
            if not statement.lstrip().startswith("PRAGMA"):
                statements.append(statement)

        with opened(self.site) as session:
            for table in self.site.table_names:
                session.table(table)
            sa.event.listen(session.database.engine, "before_cursor_execute", note)
            with session.transaction():
                leave_courses(Writer(session), pairs, now=NOW)
        return len(statements)

    def belongings(self, userid: int, course: dict[str, int]) -> dict[str, int]:
        """Count what somebody has in a course."""
        found: dict[str, Any] = {
            "roles": [
                row
                for contextid in (course["context"], course["module"])
                for row in self.site.rows("role_assignments", userid=userid, contextid=contextid)
            ],
            "groups": self.site.rows("groups_members", userid=userid, groupid=course["group"]),
            "talks": self.site.rows("message_conversation_members", userid=userid, conversationid=course["talk"]),
            "grades": self.site.rows("grade_grades", userid=userid, itemid=course["item"]),
            "visits": self.site.rows("user_lastaccess", userid=userid, courseid=course["id"]),
            "subscriptions": self.site.rows("forum_subscriptions", userid=userid, forum=course["forum"]),
            "read": self.site.rows("forum_read", userid=userid, forumid=course["forum"]),
        }
        return {name: len(rows) for name, rows in found.items()}


EVERYTHING = {"roles": 2, "groups": 1, "talks": 1, "grades": 1, "visits": 1, "subscriptions": 1, "read": 1}
NOTHING = dict.fromkeys(EVERYTHING, 0)


def test_everything_goes_with_the_last_enrolment_and_nothing_of_anybody_else(moodle_site: MoodleSite) -> None:
    world = World(moodle_site)
    first, second = world.courses
    for userid in (ANN, BEN):
        for course in world.courses:
            world.join(userid, course)

    # Of the four pairs that these two people and two courses make, two are left.
    world.leave((ANN, first["id"]), (BEN, second["id"]))

    assert world.belongings(ANN, first) == NOTHING
    assert world.belongings(BEN, second) == NOTHING
    assert world.belongings(ANN, second) == EVERYTHING
    assert world.belongings(BEN, first) == EVERYTHING
    kept = [
        (row["itemid"], row["userid"], row["action"], row["source"], row["timemodified"])
        for row in moodle_site.rows("grade_grades_history", source="userdelete", timemodified=NOW)
    ]
    assert sorted(kept) == sorted(
        [(first["item"], ANN, 3, "userdelete", NOW), (second["item"], BEN, 3, "userdelete", NOW)]
    )
    assert {moodle_site.one("groups", id=course["group"])["timemodified"] for course in world.courses} == {NOW}
    flagged = {row["name"] for row in moodle_site.rows("cache_flags", flagtype="accesslib/dirtyusers")}
    assert {str(ANN), str(BEN)} <= flagged


def test_another_enrolment_keeps_everything(moodle_site: MoodleSite) -> None:
    world = World(moodle_site)
    course = world.courses[0]
    world.join(ANN, course)
    moodle_site.insert("user_enrolments", enrolid=course["self"], userid=ANN, status=1)
    before = moodle_site.snapshot()

    world.leave((ANN, course["id"]))

    assert moodle_site.diff(before, moodle_site.snapshot()) == {}


def test_the_number_of_queries_does_not_grow_with_the_people(sqlite_site: MoodleSite) -> None:
    world = World(sqlite_site)
    counts = []
    for people in ([6001], range(6002, 6202)):
        for userid in people:
            for course in world.courses:
                world.join(userid, course)
        sqlite_site.execute("UPDATE {groups} SET timemodified = 1")
        counts.append(world.leave(*((userid, course["id"]) for userid in people for course in world.courses)))
    assert counts[0] == counts[1]


@pytest.mark.parametrize("graded", [False, True])
def test_grades_come_back_from_the_history_to_who_has_none(moodle_site: MoodleSite, graded: bool) -> None:
    world = World(moodle_site)
    course = world.courses[0]
    world.join(ANN, course)
    world.leave((ANN, course["id"]))
    if graded:
        moodle_site.insert("grade_grades", itemid=course["total"], userid=ANN)

    with opened(moodle_site) as session, session.transaction():
        recover_course_grades(Writer(session), {(ANN, course["id"])}, now=NOW + 5)

    found = moodle_site.rows("grade_grades", userid=ANN, itemid=course["item"])
    assert [float(row["finalgrade"]) for row in found] == ([] if graded else [70.0])
    assert moodle_site.one("grade_items", id=course["total"])["needsupdate"] == (0 if graded else 1)
