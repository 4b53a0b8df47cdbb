"""Memberships on Moodle's real tables: what is read, what is written, and how many queries that takes."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from sync.moodle.courses.courses import fetch_courses
from sync.moodle.db.database import MoodleConnection, MoodleDatabase, MoodleSession
from sync.moodle.db.writer import Writer
from sync.moodle.schemas import create_tables, load_schema
from sync.moodle.versions import CAPTURED
from sync.processors.base.overlay import Overlay
from sync.processors.base.plan import Plan, apply_plan
from sync.processors.memberships.fetch import fetch_memberships
from sync.processors.users.row_memberships import CourseSet, Memberships, SetResult

NOW = 1_700_000_000
STUDENT = 5

# C1 (course 3, context 50) lends its people to C2 (4, 60); cohort 40 is enrolled in C1 by method 8, switched off in C2 by 13;
# forum 600 in C1 subscribes people, its module context is 61; group 30 has conversation 900.
SITE: dict[str, list[dict[str, Any]]] = {
    "config": [
        {"name": "enrol_plugins_enabled", "value": "manual,cohort,meta"},
        {"name": "sessiontimeout", "value": "28800"},
    ],
    "course": [
        {"id": 1, "category": 0, "shortname": "Home"},
        {"id": 3, "category": 1, "shortname": "C1", "idnumber": "same"},
        {"id": 4, "category": 1, "shortname": "C2", "idnumber": "same"},
    ],
    "context": [
        {"id": 1, "contextlevel": 10, "instanceid": 0, "path": "/1", "depth": 1},
        {"id": 2, "contextlevel": 50, "instanceid": 1, "path": "/1/2", "depth": 2},
        {"id": 50, "contextlevel": 50, "instanceid": 3, "path": "/1/50", "depth": 2},
        {"id": 60, "contextlevel": 50, "instanceid": 4, "path": "/1/60", "depth": 2},
        {"id": 61, "contextlevel": 70, "instanceid": 300, "path": "/1/50/61", "depth": 3},
    ],
    "role": [{"id": STUDENT, "shortname": "student", "description": "", "sortorder": 5}],
    "role_context_levels": [{"roleid": STUDENT, "contextlevel": 50}],
    "role_capabilities": [
        {"roleid": STUDENT, "contextid": 1, "capability": "mod/forum:allowforcesubscribe", "permission": 1}
    ],
    "enrol": [
        {"id": 6, "enrol": "manual", "courseid": 3, "sortorder": 2},
        {"id": 7, "enrol": "manual", "courseid": 3, "sortorder": 1},
        {"id": 5, "enrol": "manual", "courseid": 3, "sortorder": 0, "status": 1},
        {
            "id": 8,
            "enrol": "cohort",
            "courseid": 3,
            "sortorder": 3,
            "roleid": STUDENT,
            "customint1": 40,
            "customint2": 31,
        },
        {"id": 12, "enrol": "meta", "courseid": 4, "customint1": 3},
        {"id": 13, "enrol": "cohort", "courseid": 4, "status": 1, "customint1": 40},
    ],
    "groups": [{"id": 30, "courseid": 3, "name": "G1"}, {"id": 31, "courseid": 3, "name": "Cohort people"}],
    "message_conversations": [
        {"id": 900, "component": "core_group", "itemtype": "groups", "itemid": 30, "contextid": 50, "timecreated": 1}
    ],
    "cohort": [{"id": 40, "contextid": 1, "name": "CO1", "descriptionformat": 1, "timecreated": 1, "timemodified": 1}],
    "modules": [{"id": 9, "name": "forum"}],
    "course_modules": [{"id": 300, "course": 3, "module": 9, "instance": 600, "section": 0}],
    "forum": [{"id": 600, "course": 3, "name": "News", "intro": "", "forcesubscribe": 2}],
}
EMPTY_TABLES = (
    "user",
    "config_plugins",
    "cache_flags",
    "user_enrolments",
    "role_assignments",
    "groups_members",
    "message_conversation_members",
    "cohort_members",
    "forum_subscriptions",
)


@pytest.fixture(params=CAPTURED)
def moodle(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MoodleSession]:
    path = tmp_path / "moodle.sqlite"
    path.touch()
    database = MoodleDatabase(MoodleConnection(url=f"sqlite:///{path}"))
    create_tables(database.engine, load_schema(request.param), tables={*SITE, *EMPTY_TABLES})
    # A session of its own: the settings of a site are read once a session, before it writes anything.
    with database.session() as session, session.transaction():
        for table, rows in SITE.items():
            for row in rows:
                session.connection.execute(sa.insert(session.table(table)).values(row))
    with database.session() as session:
        yield session
    database.dispose()


def carry_out(
    moodle: MoodleSession, sets: Collection[tuple[int, CourseSet]] = (), members: Collection[tuple[int, str]] = ()
) -> list[SetResult]:
    state = fetch_memberships(
        moodle,
        Overlay(),
        courses={wanted.course for _user, wanted in sets},
        groups={(wanted.course, wanted.group) for _user, wanted in sets if wanted.group},
        cohort_names={name for _user, name in members},
        userids={user for user, _ in (*sets, *members)},
    )
    plan = Plan()
    memberships = Memberships(state, plan, now=NOW)
    results = [memberships.apply_course_set(user, wanted, 2) for user, wanted in sets]
    results += [memberships.add_to_cohort(user, name, "", 2) for user, name in members]
    memberships.finish()
    with moodle.transaction():
        apply_plan(plan, Writer(moodle))
    return results


def rows(moodle: MoodleSession, table: str, *columns: str) -> set[tuple[Any, ...]]:
    target = moodle.table(table)
    return {tuple(row) for row in moodle.fetch(sa.select(*(target.c[name] for name in columns)))}


def snapshot(moodle: MoodleSession) -> dict[str, list[tuple[Any, ...]]]:
    return {
        table: [tuple(row) for row in moodle.fetch(sa.select(moodle.table(table)))] for table in (*SITE, *EMPTY_TABLES)
    }


@contextmanager
def counted_queries(moodle: MoodleSession) -> Iterator[list[str]]:
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement)

    sa.event.listen(moodle.database.engine, "before_cursor_execute", note)
    yield statements
    sa.event.remove(moodle.database.engine, "before_cursor_execute", note)


EVERYTHING = CourseSet(1, "C1", "student", "manual", "G1")


def test_a_set_reaches_every_table_and_twice_is_harmless(moodle: MoodleSession) -> None:
    carry_out(moodle, [(10, EVERYTHING), (11, EVERYTHING._replace(group="New"))], [(12, "CO1"), (12, "Fresh")])

    assert rows(moodle, "user_enrolments", "enrolid", "userid", "timestart", "timeend") == {
        (7, 10, NOW, 0),
        (7, 11, NOW, 0),
        (8, 12, 0, 0),
        (12, 10, NOW, 0),
        (12, 11, NOW, 0),
        (12, 12, 0, 0),
    }
    assert rows(moodle, "role_assignments", "contextid", "userid", "component", "itemid") == {
        (50, 10, "", 0),
        (50, 11, "", 0),
        (50, 12, "enrol_cohort", 8),
        (60, 10, "enrol_meta", 12),
        (60, 11, "enrol_meta", 12),
        (60, 12, "enrol_meta", 12),
    }
    groupids = {name: groupid for groupid, name in rows(moodle, "groups", "id", "name")}
    assert rows(moodle, "groups_members", "groupid", "userid", "component", "itemid") == {
        (30, 10, "", 0),
        (groupids["New"], 11, "", 0),
        (31, 12, "enrol_cohort", 8),
    }
    assert rows(moodle, "groups", "name", "timemodified") == {("G1", NOW), ("New", NOW), ("Cohort people", NOW)}
    assert rows(moodle, "message_conversation_members", "conversationid", "userid") == {(900, 10)}
    cohortids = {name: cohortid for cohortid, name in rows(moodle, "cohort", "id", "name")}
    assert rows(moodle, "cohort_members", "cohortid", "userid") == {(40, 12), (cohortids["Fresh"], 12)}
    assert rows(moodle, "forum_subscriptions", "forum", "userid") == {(600, 10), (600, 11), (600, 12)}
    assert rows(moodle, "cache_flags", "flagtype", "name") == {("accesslib/dirtyusers", str(n)) for n in (10, 11, 12)}

    before = snapshot(moodle)
    again = carry_out(moodle, [(10, EVERYTHING), (11, EVERYTHING._replace(group="New"))], [(12, "CO1"), (12, "Fresh")])
    assert not any(result.changed for result in again)
    assert snapshot(moodle) == before


def test_two_cohorts_without_idnumber_are_made_and_told_apart(moodle: MoodleSession) -> None:
    carry_out(moodle, members=[(10, "One"), (11, "Two"), (12, "One")])
    names = dict(rows(moodle, "cohort", "id", "name"))
    assert {(names[cohortid], user) for cohortid, user in rows(moodle, "cohort_members", "cohortid", "userid")} == {
        ("One", 10),
        ("Two", 11),
        ("One", 12),
    }


def test_nothing_named_asks_nothing(moodle: MoodleSession) -> None:
    with counted_queries(moodle) as statements:
        fetch_memberships(moodle, Overlay(), courses=[""], cohort_names=[""], cohort_idnumbers=[""], userids=[10, 11])
    assert statements == []


@pytest.mark.parametrize("people", [1, 200])
def test_the_number_of_queries_does_not_grow_with_the_rows(moodle: MoodleSession, people: int) -> None:
    wanted: dict[str, Any] = {"courses": ["C1", "C2"], "groups": [("C1", "G1"), ("C1", "New")], "cohort_names": ["CO1"]}
    fetch_memberships(moodle, Overlay(), **wanted, userids=[10])
    with counted_queries(moodle) as statements:
        fetch_memberships(moodle, Overlay(), **wanted, userids=range(10, 10 + people))
    assert len(statements) == 14


@pytest.mark.parametrize(
    ("identifier", "found"),
    [
        ("shortname", {"C1": [3], "Home": [1]}),
        ("idnumber", {"same": [3, 4]}),
        ("id", {"3": [3], "04": [4]}),
    ],
)
def test_courses_are_found_by_each_identifier(
    moodle: MoodleSession, identifier: str, found: dict[str, list[int]]
) -> None:
    courses = fetch_courses(moodle, identifier, ["C1", "Home", "same", "3", "04", "", "none", "9" * 30])
    assert {text: [course.id for course in of_text] for text, of_text in courses.items()} == found


def test_of_methods_themselves_other_courses_arent_read_but_the_groups_that_they_fill(moodle: MoodleSession) -> None:
    def fetched(course: str, cohort: str, *, of_methods: bool) -> tuple[set[int], set[int]]:
        state = fetch_memberships(
            moodle, Overlay(), courses={course}, cohort_names={cohort}, userids=None, of_methods=of_methods
        )
        return {*state.courses}, {*state.groups.rows}

    assert fetched("C2", "CO1", of_methods=False)[0] == {3, 4}
    assert fetched("C2", "CO1", of_methods=True)[0] == {4}
    assert fetched("C1", "", of_methods=False)[1] == set()
    assert fetched("C1", "", of_methods=True)[1] == {31}


def test_the_site_course_is_known_for_what_it_is(moodle: MoodleSession) -> None:
    [result] = carry_out(moodle, [(10, CourseSet(1, "Home", "student"))])
    assert [note.code for note in result.problems] == ["course_is_site"]
