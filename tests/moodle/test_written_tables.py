"""The rights that the account of a Moodle database needs: those that are printed suffice for every file type."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.errors import MoodleNotAllowed
from sync.moodle.db.database import MoodleConnection, MoodleDatabase
from sync.moodle.db.dialects import SERVERS
from sync.moodle.integrity.connection_check import ConnectionLevel, check_connection
from sync.moodle.integrity.written_tables import grants, possibly_written, written_tables
from sync.moodle.schemas import load_schema
from sync.moodle.versions import CAPTURED
from sync.processors.registry import REGISTRY
from tests.moodle_sites import MoodleSite, build_site
from tests.pictures import data_folder, picture, zip_of
from tests.processors.custom_fields.fields import add_course_fields
from tests.processors.random_files import furnish
from tests.servers import MariaDB, PostgreSQL
from tests.support import run_file

SYNC = Path(__file__).resolve().parents[2] / "sync"
WRITES = (
    "insert_many",
    "insert_in_order",
    "update_many",
    "delete_many",
    "delete_where",
    "complete_where",
    "complete_many",
)
PLANNED = ("insert", "update", "delete")
# Of a release that is known from its upgrade steps only.
UNTRIED = {"grade_outcomes_modules", "rest_api_tokens"}
# One of each that `furnish` hasn't carried out, in an order that lets each find something to do.
FILES = {
    "groupmembers": "cmd;courseid;groupid;userid\nadd;C1;G2;u1\n",
    "user_preferences": "user;name;value\nu3;htmleditor;tiny\n",
    "custom_fields": "course;field;value\nC3;level;Master\n",
    "enrolment_methods": "cmd;course;enrol;disabled;name\nadd;C2;self;1;New\nadd;C1;manual;1;\ndel;C3;manual;;\n",
    "users_restore": "username\nu5\n",
    "roles": "cmd;context;instance;userid;role\nadd;system;;u1;coursecreator\nshift;course;C2;u1;teacher\n",
    "courses_check": "C1\nC9\n",
    "courses": "shortname;fullname;template;self;guest;topic1;teacher1_account\nCOPY;Copy;C1;1;1;One;u2\n",
    "courses_reset": "shortname;roles;groups;groupings;local_roles;notes;events;logs;grades;modules\n"
    "C2;student;members;members;all;1;1;;all;1\n",
    "categories": "cmd;category;visible;contentto\nadd;New;1;\nadd;Empty;0;\ndel;Empty;;New\n",
    "categories_delete": "categoryid\n{other}\n",
    "courses_delete": "C1\nC2\n",
    "users_delete": "username\nu1\nu2\n",
}


def literal_tables() -> Iterator[tuple[str, str]]:
    """Return the tables that the code names where it writes, and where it does."""
    known = {name for version in CAPTURED for name in load_schema(version).tables}
    for path in sorted(path for folder in ("moodle", "processors", "runs") for path in SYNC.glob(f"{folder}/**/*.py")):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.args:
                table = call.args[0]
                if call.func.attr in (*WRITES, *PLANNED) and isinstance(table, ast.Constant) and table.value in known:
                    yield str(table.value), f"{path.relative_to(SYNC)}:{call.lineno}"


def test_what_is_written_by_name_is_known() -> None:
    found = list(literal_tables())
    assert len({table for table, _place in found}) > 50
    assert {place.partition("/")[0] for _table, place in found} >= {"moodle", "processors"}
    assert [place for place in found if place[0] not in possibly_written()] == []
    known = {name for version in CAPTURED for name in load_schema(version).tables}
    assert possibly_written() - known == UNTRIED


def limited(
    site: MoodleSite, server: MariaDB | PostgreSQL, kind: str, tables: list[str], account: str = "limited"
) -> MoodleSite:
    """Return the same Moodle through an account that has only what is printed for some of its tables."""
    url = site.engine.url
    name = account if kind == "postgresql" else f"'{account}'@'127.0.0.1'"
    secret = "PASSWORD 'Limit-1'" if kind == "postgresql" else "IDENTIFIED BY 'Limit-1'"
    lines = grants(
        SERVERS[kind],
        database=str(url.database),
        account=name,
        tables=[site.prefix + table for table in written_tables(tables)],
    )
    server.sql(f"CREATE USER {name} {secret};" + "".join(lines), str(url.database))
    limited_url = url.set(username=account, password="Limit-1").render_as_string(hide_password=False)
    return MoodleSite(limited_url, site.engine_name, site.version, site.prefix, site.ids)


@pytest.mark.parametrize("kind", ["mariadb", "postgresql"])
def test_an_account_that_has_only_what_is_printed_carries_out_every_file_type(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str
) -> None:
    server = request.getfixturevalue(f"{kind}_server")
    whole = build_site(server.create_database("moodlelimited"), kind, "4.5")
    account = limited(whole, server, kind, whole.table_names)
    dataroot = data_folder(tmp_path / "moodledata")
    moodle = MoodleDatabase(MoodleConnection(account.url))
    try:
        assert [finding for finding in check_connection(moodle) if finding.level is ConnectionLevel.ERROR] == []
    finally:
        moodle.dispose()
    furnish(account)
    add_course_fields(whole)
    for key, text in FILES.items():
        other = whole.one("course_categories", name="Other")["id"] if key == "categories_delete" else ""
        result = run_file(account, key, text.replace("{other}", str(other)), dataroot=dataroot)
        assert "row_internal_error" not in result.codes
        assert key == "courses_check" or result.before_images, result.report
    faces = zip_of({"u3.png": picture(300, 200)})
    assert run_file(account, "userpictures", faces, filename="faces.zip", dataroot=dataroot).counts == {"updated": 1}
    account.engine.dispose()

    # One table less: told by the check before, and at once in a run, which has nothing to wait for.
    lesser = limited(whole, server, kind, [name for name in whole.table_names if name != "cohort_members"], "lesser")
    moodle = MoodleDatabase(MoodleConnection(lesser.url))
    errors = [finding for finding in check_connection(moodle) if finding.level is ConnectionLevel.ERROR]
    assert [(error.code, error.params["right"], error.params["table"]) for error in errors] == [
        ("check_right_missing", right, "mdl_cohort_members") for right in ("UPDATE", "DELETE", "INSERT")
    ]
    moodle.dispose()
    with pytest.raises(MoodleNotAllowed) as denied:
        run_file(lesser, "cohorts", "cname;cidnumber;userid\nK1;K1;u3\n")
    assert denied.value.code == "moodle_not_allowed"
    lesser.engine.dispose()
    whole.engine.dispose()


def test_what_is_tried_on_mariadb_is_what_is_printed_for_mysql() -> None:
    for_mysql, for_mariadb = (
        list(grants(SERVERS[kind], database="moodle", account="'limited'@'127.0.0.1'", tables=["mdl_user"]))
        for kind in ("mysql", "mariadb")
    )
    assert for_mysql == for_mariadb
    assert SERVERS["mysql"].account == SERVERS["mariadb"].account


def test_every_file_type_is_tried() -> None:
    furnished = {"users", "enrolments", "groups", "cohorts", "cohort_courses", "courses_meta", "users_suspend"}
    assert {*FILES, *furnished, "userpictures"} == set(REGISTRY)
