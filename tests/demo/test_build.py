"""The demo Moodle: every table of Moodle, and rows that hang together as Moodle's own do."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import sqlalchemy as sa

from sync.columns.describe import sample_csv
from sync.demo.build import build_moodle, count_rows
from sync.demo.files import sample_files
from sync.demo.people import invent_people
from sync.demo.users import PEOPLE, SAMPLE_PERSON
from sync.moodle.db.database import MoodleConnection, MoodleDatabase
from sync.moodle.integrity.connection_check import ConnectionLevel, check_connection
from sync.moodle.schemas import load_schema
from sync.processors.registry import REGISTRY
from sync.reader.picture_zip import PictureZip
from sync.values import FAILED_ACTIONS
from tests.moodle_sites import MoodleSite
from tests.support import run_file


@pytest.fixture(scope="module")
def moodle_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("demo") / "moodle.sqlite3"
    build_moodle(path)
    return path


class Demo:
    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def rows(self, statement: str) -> list[Any]:
        return list(self._connection.execute(sa.text(statement)).all())

    def count(self, statement: str) -> int:
        return int(self._connection.execute(sa.text(f"SELECT COUNT(*) FROM {statement}")).scalar_one())


@pytest.fixture
def demo(moodle_file: Path) -> Iterator[Demo]:
    engine = sa.create_engine(f"sqlite:///{moodle_file}")
    with engine.connect() as connection:
        yield Demo(connection)
    engine.dispose()


def test_the_schema_is_complete(moodle_file: Path) -> None:
    engine = sa.create_engine(f"sqlite:///{moodle_file}")
    inspector = sa.inspect(engine)
    schema = load_schema("4.5").tables
    assert set(inspector.get_table_names()) - {"sqlite_sequence"} == {f"mdl_{name}" for name in schema}
    columns = {name: [column["name"] for column in inspector.get_columns(f"mdl_{name}")] for name in schema}
    assert columns == {name: [column.name for column in table.columns] for name, table in schema.items()}
    engine.dispose()


def test_the_connection_check_finds_nothing_to_mend(moodle_file: Path) -> None:
    moodle = MoodleDatabase(MoodleConnection(f"sqlite:///{moodle_file}"))
    findings = check_connection(moodle)
    moodle.dispose()
    assert [finding for finding in findings if finding.level is ConnectionLevel.ERROR] == []


def test_two_builds_have_the_same_people(moodle_file: Path, demo: Demo, tmp_path: Path) -> None:
    build_moodle(tmp_path / "again.sqlite3")
    assert count_rows(tmp_path / "again.sqlite3") == count_rows(moodle_file)
    usernames = [username for (username,) in demo.rows("SELECT username FROM mdl_user WHERE id > 2 AND deleted = 0")]
    people = [person.username for person in invent_people(PEOPLE)][: len(usernames) - 1]
    assert usernames == [*people, SAMPLE_PERSON.username]


def test_people_have_different_usernames_and_come_from_several_countries() -> None:
    people = invent_people(900)
    assert len({person.username for person in people}) == len({person.idnumber for person in people}) == 900
    assert len({person.country for person in people}) >= 5


def test_every_context_lies_under_its_parent(demo: Demo) -> None:
    contexts = {rowid: (path, depth) for rowid, path, depth in demo.rows("SELECT id, path, depth FROM mdl_context")}
    for rowid, (path, depth) in contexts.items():
        parts = [int(part) for part in path.strip("/").split("/")]
        assert parts[-1] == rowid
        assert len(parts) == depth
        if depth > 1:
            assert contexts[parts[-2]][0] == path.rpartition("/")[0]


@pytest.mark.parametrize(("table", "level"), [("user", 30), ("course_categories", 40)])
def test_everything_has_its_context(demo: Demo, table: str, level: int) -> None:
    owners = demo.rows(f"SELECT id FROM mdl_{table} ORDER BY id")
    assert owners == demo.rows(f"SELECT instanceid FROM mdl_context WHERE contextlevel = {level} ORDER BY instanceid")


def test_a_course_lies_in_the_context_of_its_category(demo: Demo) -> None:
    courses = demo.rows(
        "SELECT c.id, x.path, cx.path FROM mdl_course c"
        " JOIN mdl_context x ON x.contextlevel = 50 AND x.instanceid = c.id"
        " JOIN mdl_context cx ON cx.contextlevel = 40 AND cx.instanceid = c.category"
    )
    assert len(courses) == demo.count("mdl_course WHERE category > 0") >= 20
    assert all(path.rpartition("/")[0] == category_path for _id, path, category_path in courses)


def test_categories_know_their_place_and_their_courses(demo: Demo) -> None:
    categories = demo.rows("SELECT id, parent, path, depth, coursecount, sortorder FROM mdl_course_categories")
    path_by_id = {row.id: row.path for row in categories}
    for row in categories:
        assert row.path == f"{path_by_id.get(row.parent, '')}/{row.id}"
        assert row.depth == row.path.count("/")
        assert row.coursecount == demo.count(f"mdl_course WHERE category = {row.id}")
        orders = demo.rows(f"SELECT sortorder FROM mdl_course WHERE category = {row.id} ORDER BY sortorder")
        assert [order for (order,) in orders] == [row.sortorder + n for n in range(1, row.coursecount + 1)]
    # Moodle lists a child right after its parent.
    listed = [row.path for row in sorted(categories, key=lambda row: row.sortorder)]
    assert listed == sorted(listed, key=lambda path: [int(part) for part in path.strip("/").split("/")])


def test_every_course_has_its_announcements_and_sections(demo: Demo) -> None:
    found = demo.rows(
        "SELECT s.course FROM mdl_course_sections s"
        " JOIN mdl_course_modules cm ON cm.section = s.id AND cm.course = s.course AND s.sequence = CAST(cm.id AS TEXT)"
        " JOIN mdl_modules m ON m.id = cm.module AND m.name = 'forum'"
        " JOIN mdl_forum f ON f.id = cm.instance AND f.course = s.course AND f.type = 'news' WHERE s.section = 0"
    )
    assert len(found) == demo.count("mdl_course WHERE id > 1")


def test_the_methods_of_a_course_stand_in_a_row(demo: Demo) -> None:
    for (courseid,) in demo.rows("SELECT id FROM mdl_course WHERE id > 1"):
        methods = demo.rows(f"SELECT enrol, sortorder FROM mdl_enrol WHERE courseid = {courseid} ORDER BY sortorder")
        assert [method.enrol for method in methods[:3]] == ["manual", "guest", "self"]
        assert [method.sortorder for method in methods] == list(range(len(methods)))


def test_nobody_is_twice_in_one_place(demo: Demo) -> None:
    schema = load_schema("4.5").tables
    for table in ("user_enrolments", "cohort_members", "groups_members", "user_lastaccess", "user_info_data"):
        keys = [index.columns for index in schema[table].indexes if index.unique]
        for key in keys:
            assert demo.rows(f"SELECT 1 FROM mdl_{table} GROUP BY {', '.join(key)} HAVING COUNT(*) > 1") == []


def test_enrolments_and_roles_agree(demo: Demo) -> None:
    enrolled = set(demo.rows(
        "SELECT ue.userid, e.courseid, CASE WHEN e.enrol = 'manual' THEN '' ELSE 'enrol_' || e.enrol END,"
        " CASE WHEN e.enrol = 'manual' THEN 0 ELSE e.id END"
        " FROM mdl_user_enrolments ue JOIN mdl_enrol e ON e.id = ue.enrolid"
        " JOIN mdl_user u ON u.id = ue.userid AND u.deleted = 0"
    ))  # fmt: skip
    with_role = demo.rows(
        "SELECT ra.userid, x.instanceid, ra.component, ra.itemid FROM mdl_role_assignments ra"
        " JOIN mdl_context x ON x.id = ra.contextid AND x.contextlevel = 50"
        " JOIN mdl_role_context_levels l ON l.roleid = ra.roleid AND l.contextlevel = 50"
    )
    assert enrolled == set(with_role)
    assert len(enrolled) == len(with_role) == demo.count("mdl_user_enrolments") > 1000


def test_groups_hold_people_of_their_course_only(demo: Demo) -> None:
    strangers = demo.rows(
        "SELECT gm.id FROM mdl_groups_members gm JOIN mdl_groups g ON g.id = gm.groupid WHERE NOT EXISTS"
        " (SELECT 1 FROM mdl_user_enrolments ue JOIN mdl_enrol e ON e.id = ue.enrolid"
        "  WHERE e.courseid = g.courseid AND ue.userid = gm.userid)"
    )
    assert strangers == []
    apart = demo.rows(
        "SELECT gg.id FROM mdl_groupings_groups gg JOIN mdl_groups g ON g.id = gg.groupid"
        " JOIN mdl_groupings gr ON gr.id = gg.groupingid WHERE gr.courseid <> g.courseid"
    )
    assert apart == []
    assert demo.count("mdl_groups") == demo.count("mdl_groupings_groups") == 2 * demo.count("mdl_groupings")


def test_a_cohort_and_the_course_that_it_is_enrolled_in_have_the_same_people(demo: Demo) -> None:
    (method,) = demo.rows("SELECT id, customint1 FROM mdl_enrol WHERE enrol = 'cohort'")
    members = demo.rows(f"SELECT userid FROM mdl_cohort_members WHERE cohortid = {method.customint1} ORDER BY userid")
    enrolled = demo.rows(f"SELECT userid FROM mdl_user_enrolments WHERE enrolid = {method.id} ORDER BY userid")
    assert members == enrolled != []


def test_the_metacourse_has_everybody_of_its_parents_with_the_same_roles(demo: Demo) -> None:
    methods = demo.rows("SELECT id, customint1 FROM mdl_enrol WHERE enrol = 'meta'")
    assert len(methods) == 2
    for method in methods:
        parent = demo.rows(
            "SELECT ue.userid, ue.timestart, ue.timeend, ue.status, ra.roleid FROM mdl_user_enrolments ue"
            f" JOIN mdl_enrol e ON e.id = ue.enrolid AND e.courseid = {method.customint1}"
            f" JOIN mdl_context x ON x.contextlevel = 50 AND x.instanceid = {method.customint1}"
            " JOIN mdl_role_assignments ra ON ra.contextid = x.id AND ra.userid = ue.userid ORDER BY 1"
        )
        child = demo.rows(
            "SELECT ue.userid, ue.timestart, ue.timeend, ue.status, ra.roleid FROM mdl_user_enrolments ue"
            " JOIN mdl_role_assignments ra ON ra.component = 'enrol_meta' AND ra.itemid = ue.enrolid"
            f"  AND ra.userid = ue.userid WHERE ue.enrolid = {method.id} ORDER BY 1"
        )
        assert parent == child != []


def test_profile_data_fits_its_field(demo: Demo) -> None:
    assert demo.count("mdl_user_info_field") == 3
    choices, fieldid = demo.rows("SELECT param1, id FROM mdl_user_info_field WHERE datatype = 'menu'")[0]
    given = {data for (data,) in demo.rows(f"SELECT data FROM mdl_user_info_data WHERE fieldid = {fieldid}")}
    assert given == set(choices.split("\n"))


def test_nothing_is_left_of_a_build_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sync.demo.build.add_people", lambda _tables: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        build_moodle(tmp_path / "moodle.sqlite3")
    assert not (tmp_path / "moodle.sqlite3").exists()


@pytest.mark.parametrize("key", [key for key, processor in REGISTRY.items() if not processor.columns.of_pictures])
def test_the_sample_of_each_file_type_succeeds_on_the_demo(moodle_file: Path, key: str) -> None:
    site = MoodleSite(f"sqlite:///{moodle_file}", "sqlite", "4.5")
    result = run_file(site, key, sample_csv(REGISTRY[key].columns), simulate=True)
    assert [(outcome.action, outcome.code) for outcome in result.outcomes if outcome.action in FAILED_ACTIONS] == []
    assert result.outcomes


def test_no_two_sample_files_speak_of_the_same_user() -> None:
    """A second call would otherwise undo what the first one did, instead of leaving everything as it is."""
    tables = [file for file in sample_files() if file.name.endswith(".csv")]
    mentioned = [
        {line.split(b";")[0] for line in file.content.splitlines()[1:] if not line.startswith(b"#")} - {b"username"}
        for file in tables
    ]
    (portraits,) = (file for file in sample_files() if file not in tables)
    mentioned.append(
        {PurePosixPath(path).stem.encode() for path in PictureZip(BytesIO(portraits.content)).paths.values()}
    )
    assert len(set().union(*mentioned)) == sum(len(usernames) for usernames in mentioned)
