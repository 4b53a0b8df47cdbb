"""A Moodle with tables that the graph doesn't name is noticed before anything is deleted, reset, copied or restored."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from sync.moodle.course_content.graph.graph import load_graph
from sync.moodle.course_content.graph.live_tables import fetch_unknown_tables
from sync.moodle.db.database import MoodleConnection, MoodleDatabase
from sync.moodle.integrity.connection_check import ConnectionLevel, check_connection
from sync.moodle.versions import CAPTURED
from tests.conftest import ENGINES
from tests.moodle.course_content.furniture import insert
from tests.moodle_sites import MoodleSite
from tests.real_sites import GOLD_SITES, PRISTINE_SITES, REAL_SITES, RealSites, needs_moodle_data
from tests.support import run_file

ON_EACH_SERVER = pytest.mark.parametrize(
    "moodle_site",
    [
        pytest.param(f"{server}:{CAPTURED[-1]}", marks=pytest.mark.xdist_group(f"{server}:{CAPTURED[-1]}"))
        for server in ENGINES
    ],
    indirect=True,
)
# File types with a row each that would delete, reset, copy or restore.
OPERATIONS = {
    "courses_delete": "C1\n",
    "courses_reset": "shortname;events;logs;notes;grades;roles;local_roles;groups;groupings;modules\nC1;yes;;;;;;;;\n",
    "categories_delete": "categoryid\n{category}\n",
    "courses": "shortname;fullname;template\nNEW;New;C1\n",
    "users_delete": "username\nann\n",
    "users": "username;firstname;lastname;email;deleted\nann;Ann;A;ann@example.org;1\n",
}


@contextmanager
def added_table(site: MoodleSite, name: str, column: str) -> Iterator[None]:
    with site.engine.begin() as connection:
        connection.execute(sa.text(f"CREATE TABLE {site.prefix}{name} (id INTEGER PRIMARY KEY, {column} INTEGER)"))
    try:
        yield
    finally:
        with site.engine.begin() as connection:
            connection.execute(sa.text(f"DROP TABLE {site.prefix}{name}"))


def unknown_tables(site: MoodleSite, **settings: object) -> tuple[str, ...]:
    moodle = MoodleDatabase(MoodleConnection(site.url, site.prefix, **settings))  # type: ignore[arg-type]
    try:
        with moodle.session() as session:
            return fetch_unknown_tables(session, load_graph())
    finally:
        moodle.dispose()


@ON_EACH_SERVER
@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("quiz_pauses", "quizid"),
        ("assignfeedback_voice", "grade"),
        ("learning_plan", "course"),
        ("learning_plan", "courseid"),
        ("learning_plan", "userid"),
        ("learning_plan", "contextid"),
        ("learning_plan", "cmid"),
        ("learning_plan", "cm"),
    ],
)
def test_a_table_that_the_graph_does_not_name_is_found(moodle_site: MoodleSite, name: str, column: str) -> None:
    assert unknown_tables(moodle_site) == ()
    with added_table(moodle_site, name, column):
        assert unknown_tables(moodle_site) == (f"mdl_{name}",)
        assert unknown_tables(moodle_site, tables_left_alone=(name,)) == ()


def test_other_tables_are_nobody_s_business(sqlite_site: MoodleSite) -> None:
    with added_table(sqlite_site, "weather", "degrees"), added_table(sqlite_site, "quizzes", "title"):
        assert unknown_tables(sqlite_site) == ()


def test_an_activity_that_is_not_known_is_seen_to_course_by_course(sqlite_site: MoodleSite) -> None:
    sqlite_site.insert("modules", name="diary")
    with added_table(sqlite_site, "diary", "course"), added_table(sqlite_site, "diary_entries", "userid"):
        assert unknown_tables(sqlite_site) == ()


def test_a_site_table_that_names_courses_now_is_found(sqlite_site: MoodleSite) -> None:
    sqlite_site.execute("ALTER TABLE {cohort} ADD COLUMN courseid INTEGER")
    try:
        assert unknown_tables(sqlite_site) == ("mdl_cohort",)
    finally:
        sqlite_site.execute("ALTER TABLE {cohort} DROP COLUMN courseid")


@pytest.mark.parametrize("key", OPERATIONS)
def test_rows_are_rejected_and_the_table_is_named(sqlite_site: MoodleSite, key: str) -> None:
    category = sqlite_site.insert("course_categories", name="Empty", depth=1, path="/9")
    sqlite_site.execute("UPDATE {course_categories} SET path = '/' || id WHERE id = :id", id=category)
    contextid = sqlite_site.insert("context", contextlevel=40, instanceid=category, depth=2)
    sqlite_site.execute("UPDATE {context} SET path = '/1/' || id WHERE id = :id", id=contextid)
    text = OPERATIONS[key].format(category=category)
    # Something of the course that a reset would take away.
    insert(sqlite_site, "event", {"courseid": sqlite_site.ids["C1"], "name": "Exam", "eventtype": "course"})
    before = sqlite_site.snapshot()
    with added_table(sqlite_site, "learning_plan", "courseid"):
        result = run_file(sqlite_site, key, text)
        assert result.codes == ["moodle_tables_unknown"]
        assert "mdl_learning_plan" in result.report
        assert sqlite_site.diff(before, sqlite_site.snapshot()) == {}
        left_alone = run_file(sqlite_site, key, text, simulate=True, permits={"tables_left_alone": ("learning_plan",)})
        assert "rejected" not in left_alone.counts, left_alone.report


def test_what_deletes_nothing_goes_on(sqlite_site: MoodleSite) -> None:
    with added_table(sqlite_site, "learning_plan", "courseid"):
        result = run_file(sqlite_site, "users", "username;firstname;lastname;email\nnora;Nora;N;nora@example.org\n")
        assert result.codes == ["account_created"]
        assert run_file(sqlite_site, "courses", "shortname;fullname\nNEW;New\n").codes == ["course_created"]


def test_the_tables_are_asked_for_once_in_a_run(sqlite_site: MoodleSite) -> None:
    moodle = MoodleDatabase(MoodleConnection(sqlite_site.url, sqlite_site.prefix))
    asked: list[str] = []
    sa.event.listen(moodle.engine, "before_cursor_execute", lambda _c, _r, statement, *_rest: asked.append(statement))
    for _connection in range(2):
        with moodle.session() as session:
            fetch_unknown_tables(session, load_graph())
    assert len([statement for statement in asked if "pragma_table_info" in statement]) == 1
    assert len(asked) < 6
    moodle.dispose()


def test_the_connection_check_lists_them(sqlite_site: MoodleSite) -> None:
    moodle = MoodleDatabase(MoodleConnection(sqlite_site.url, sqlite_site.prefix))
    with added_table(sqlite_site, "learning_plan", "courseid"), added_table(sqlite_site, "quiz_pauses", "quizid"):
        found = [finding for finding in check_connection(moodle) if finding.code == "moodle_tables_unknown"]
    moodle.dispose()
    assert [(finding.level, finding.params["tables"]) for finding in found] == [
        (ConnectionLevel.WARNING, "mdl_learning_plan, mdl_quiz_pauses")
    ]


@pytest.mark.parametrize("name", [*PRISTINE_SITES, *REAL_SITES, *GOLD_SITES])
@pytest.mark.moodle_data
@needs_moodle_data[1]
def test_on_real_sites_every_table_is_known(real_site: RealSites, name: str) -> None:
    assert unknown_tables(real_site(name)) == ()
