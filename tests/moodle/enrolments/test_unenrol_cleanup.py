"""Who loses the last enrolment in a course leaves it with everything; who has another one keeps it all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from sync.moodle.db.database import MoodleConnection, MoodleDatabase, MoodleSession
from sync.moodle.db.writer import Writer
from sync.moodle.enrolments.unenrol_cleanup import unenrol_cleanup
from sync.moodle.files.files import DeletedFiles
from sync.moodle.grades.grades import recover_course_grades
from tests.moodle_sites import MoodleSite

pytestmark = pytest.mark.sites("sqlite:4.1", "mariadb:4.5", "postgresql:5.1", "real:m520-seeded")

NOW = 1_800_000_000
GRADED = 1_700_000_000
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
        self.grade(userid, course["item"])
        site.insert("user_lastaccess", userid=userid, courseid=course["id"], timeaccess=1)
        site.insert("forum_subscriptions", userid=userid, forum=course["forum"])
        site.insert("forum_digests", userid=userid, forum=course["forum"])
        site.insert("forum_track_prefs", userid=userid, forumid=course["forum"])
        site.insert("forum_read", userid=userid, forumid=course["forum"], discussionid=1, postid=1)

    def grade(self, userid: int, itemid: int) -> int:
        """Grade somebody with 70 points, and return the id of the grade."""
        grade = {"itemid": itemid, "userid": userid, "finalgrade": 70, "rawgrade": 70}
        rowid = self.site.insert("grade_grades", **grade)
        self.site.insert("grade_grades_history", **grade, oldid=rowid, action=1, source="manual", timemodified=GRADED)
        return rowid

    def leave(self, *pairs: tuple[int, int]) -> tuple[DeletedFiles, int]:
        return self._carry_out(lambda writer: unenrol_cleanup(writer, pairs, now=NOW))

    def recover(self, *pairs: tuple[int, int]) -> tuple[None, int]:
        return self._carry_out(lambda writer: recover_course_grades(writer, pairs, now=NOW + 5))

    def _carry_out(self, write: Callable[[Writer], Any]) -> tuple[Any, int]:
        """Write in a transaction; return the result, and the number of statements."""
        statements: list[str] = []

        def note(_connection: sa.Connection, _cursor: object, statement: str, *_more: object) -> None:
            # Tables are reflected when they are first used.
            if "PRAGMA" not in statement and "sqlite_master" not in statement:
                statements.append(statement)

        with opened(self.site) as session:
            sa.event.listen(session.database.engine, "before_cursor_execute", note)
            with session.transaction():
                result = write(Writer(session))
        return result, len(statements)

    def dependent_tables(self, userid: int, course: dict[str, int]) -> dict[str, int]:
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
            "digests": self.site.rows("forum_digests", userid=userid, forum=course["forum"]),
            "tracking": self.site.rows("forum_track_prefs", userid=userid, forumid=course["forum"]),
            "read": self.site.rows("forum_read", userid=userid, forumid=course["forum"]),
        }
        return {name: len(rows) for name, rows in found.items()}


EVERYTHING = {
    "roles": 2, "groups": 1, "talks": 1, "grades": 1, "visits": 1, "subscriptions": 1, "digests": 1, "tracking": 1, "read": 1,
}  # fmt: skip
NOTHING = dict.fromkeys(EVERYTHING, 0)


def test_everything_goes_with_the_last_enrolment_and_nothing_of_anybody_else(moodle_site: MoodleSite) -> None:
    world = World(moodle_site)
    first, second = world.courses
    for userid in (ANN, BEN):
        for course in world.courses:
            world.join(userid, course)

    # Of the four pairs that these two people and two courses make, two are left.
    world.leave((ANN, first["id"]), (BEN, second["id"]))

    assert world.dependent_tables(ANN, first) == NOTHING
    assert world.dependent_tables(BEN, second) == NOTHING
    assert world.dependent_tables(ANN, second) == EVERYTHING
    assert world.dependent_tables(BEN, first) == EVERYTHING
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


def test_a_group_that_bears_the_time_of_now_is_not_written_again(moodle_site: MoodleSite) -> None:
    world = World(moodle_site)
    course = world.courses[0]
    world.join(ANN, course)
    moodle_site.execute("UPDATE {groups} SET timemodified = :now WHERE id = :id", now=NOW, id=course["group"])

    with opened(moodle_site) as session, session.transaction():
        writer = Writer(session)
        unenrol_cleanup(writer, {(ANN, course["id"])}, now=NOW)

    assert "groups_members" in {image.table for image in writer.before_images}
    assert "groups" not in {image.table for image in writer.before_images}


def test_files_of_feedback_go_with_the_grade_and_their_blobs_are_told(moodle_site: MoodleSite) -> None:
    world = World(moodle_site)
    course = world.courses[0]
    place = {"contextid": course["context"], "component": "grade", "filearea": "feedback", "filepath": "/"}
    for number, userid in enumerate((ANN, BEN)):
        moodle_site.insert(
            "files", **place, itemid=world.grade(userid, course["item"]), filename="f.txt", filesize=3, timecreated=1,
            timemodified=1, contenthash=str(number) * 40, pathnamehash=f"{course['id']}{number}".rjust(40, "a"),
        )  # fmt: skip

    files, _statements = world.leave((ANN, course["id"]))

    assert files == DeletedFiles({"0" * 40: 3})
    assert [row["contenthash"] for row in moodle_site.rows("files", **place)] == ["1" * 40]


def test_the_number_of_queries_does_not_grow_with_the_people(sqlite_site: MoodleSite) -> None:
    world = World(sqlite_site)
    counts = []
    for people in ([6001], range(6002, 6102)):
        for userid in people:
            for course in world.courses:
                world.join(userid, course)
        sqlite_site.execute("UPDATE {groups} SET timemodified = 1")
        sqlite_site.execute("UPDATE {grade_items} SET needsupdate = 0")
        pairs = [(userid, course["id"]) for userid in people for course in world.courses]
        _, leaving = world.leave(*pairs)
        _, recovering = world.recover(*pairs)
        assert len(sqlite_site.rows("grade_grades", userid=people[-1])) == 2
        counts.append((leaving, recovering))
    assert counts[0] == counts[1]


def test_grades_come_back_from_the_history(moodle_site: MoodleSite) -> None:
    world = World(moodle_site)
    first, second = world.courses
    for userid in (ANN, BEN):
        for course in world.courses:
            world.join(userid, course)
            world.leave((userid, course["id"]))

    world.recover((ANN, first["id"]), (BEN, second["id"]))

    for userid, itemid, is_back in (
        (ANN, first["item"], True), (ANN, second["item"], False), (BEN, first["item"], False), (BEN, second["item"], True),
    ):  # fmt: skip
        found = moodle_site.rows("grade_grades", userid=userid, itemid=itemid)
        assert [(float(row["finalgrade"]), row["timecreated"], row["timemodified"]) for row in found] == (
            [(70.0, GRADED, NOW)] if is_back else []
        )
        told = moodle_site.rows("grade_grades_history", userid=userid, itemid=itemid, timemodified=NOW + 5)
        assert [(row["oldid"], row["action"], row["source"]) for row in told] == (
            [(found[0]["id"], 1, "userdelete")] if is_back else []
        )
    assert {moodle_site.one("grade_items", id=course["total"])["needsupdate"] for course in world.courses} == {1}


def test_a_grade_that_came_back_before_was_created_then(moodle_site: MoodleSite) -> None:
    """Mirrors: grade_recover_history_grades(), which takes the last creation that the history knows."""
    world = World(moodle_site)
    course = world.courses[0]
    world.join(ANN, course)
    world.leave((ANN, course["id"]))
    world.recover((ANN, course["id"]))
    world.leave((ANN, course["id"]))

    world.recover((ANN, course["id"]))

    assert moodle_site.one("grade_grades", userid=ANN, itemid=course["item"])["timecreated"] == NOW + 5


@pytest.mark.parametrize(
    "hindrance", ["a grade in the course", "a history without the creation", "a site that keeps no history"]
)
def test_no_grade_comes_back_where_moodle_gives_none(moodle_site: MoodleSite, hindrance: str) -> None:
    world = World(moodle_site)
    course = world.courses[0]
    world.join(ANN, course)
    world.leave((ANN, course["id"]))
    if hindrance == "a grade in the course":
        moodle_site.insert("grade_grades", itemid=course["total"], userid=ANN)
    elif hindrance == "a history without the creation":
        moodle_site.execute("DELETE FROM {grade_grades_history} WHERE action = 1 AND userid = :ann", ann=ANN)
    else:
        moodle_site.execute("DELETE FROM {config} WHERE name = 'disablegradehistory'")
        moodle_site.insert("config", name="disablegradehistory", value="1")
    before = moodle_site.snapshot()

    world.recover((ANN, course["id"]))

    assert moodle_site.diff(before, moodle_site.snapshot()) == {}
