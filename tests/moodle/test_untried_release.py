"""What is known of the release that nobody has tried yet: a real site whose tables are changed as its upgrade changes them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sync.moodle.course_content.graph.graph import load_graph
from sync.moodle.course_content.graph.live_tables import fetch_unknown_tables
from sync.moodle.db.database import MoodleConnection, MoodleDatabase
from sync.moodle.integrity.connection_check import ConnectionLevel, check_connection
from tests.moodle_sites import MoodleSite
from tests.real_sites import GOLD_SITES, NEXT_RELEASE, load_dump, moodle_data, needs_moodle_data
from tests.servers import MariaDB
from tests.soundness import assert_sound, faults_of
from tests.support import run_file

pytestmark = [*needs_moodle_data, pytest.mark.mariadb, pytest.mark.xdist_group(f"{GOLD_SITES[-1]}-untried")]

DAY = 86_400
USER = 23
COURSE_HEADER = "shortname;fullname;category"


@pytest.fixture(scope="module")
def upgraded_site(mariadb_server: MariaDB) -> MoodleSite:
    site = load_dump(mariadb_server, GOLD_SITES[-1], "untried")
    mariadb_server.sql((moodle_data() / NEXT_RELEASE).read_text(), "untried")
    upgraded = MoodleSite(site.url, site.engine_name, site.version)
    upgraded.keep_as_template()
    return upgraded


@pytest.fixture
def site(upgraded_site: MoodleSite) -> Iterator[MoodleSite]:
    yield upgraded_site
    upgraded_site.restore_template()


def template_quiz(site: MoodleSite) -> tuple[dict[str, object], dict[str, object]]:
    """Return the course of every activity and its quiz."""
    course = site.one("course", shortname="TEMPLATE")
    return course, site.rows("quiz", course=course["id"])[0]


def outcome_of_quiz(site: MoodleSite) -> int:
    """Tie an outcome of the course to its quiz; return the id of the row."""
    course, quiz = template_quiz(site)
    module = site.one("modules", name="quiz")["id"]
    cm = site.one("course_modules", course=course["id"], module=module, instance=quiz["id"])
    outcome = site.insert(
        "grade_outcomes", courseid=course["id"], shortname="O1", fullname="Outcome", descriptionformat=1, usermodified=2
    )
    used = site.insert("grade_outcomes_courses", courseid=course["id"], outcomeid=outcome)
    return site.insert("grade_outcomes_modules", outcomecourseid=used, cmid=cm["id"], usercreated=2, timecreated=1)


def test_every_table_is_known_and_the_check_says_that_nobody_has_tried_it(site: MoodleSite) -> None:
    moodle = MoodleDatabase(MoodleConnection(site.url, site.prefix))
    with moodle.session() as session:
        assert fetch_unknown_tables(session, load_graph()) == ()
    assert (ConnectionLevel.WARNING, "check_release_untried") in {(f.level, f.code) for f in check_connection(moodle)}
    moodle.dispose()


def test_the_due_date_of_a_quiz_moves_with_the_course_and_its_outcomes_are_copied(site: MoodleSite) -> None:
    course, quiz = template_quiz(site)
    start = int(str(course["startdate"]))
    site.execute("UPDATE {quiz} SET duedate = :due WHERE id = :id", due=start + 5 * DAY, id=quiz["id"])
    outcome_of_quiz(site)

    result = run_file(site, "courses", f"{COURSE_HEADER};template;startdate\nNEW;New;3;TEMPLATE;{start + 30 * DAY}\n")

    assert result.codes == ["course_created"], result.report
    new = site.one("course", shortname="NEW")
    assert site.rows("quiz", course=new["id"])[0]["duedate"] == start + 35 * DAY
    used = site.one("grade_outcomes_courses", courseid=new["id"])
    (copied,) = site.rows("grade_outcomes_modules", outcomecourseid=used["id"])
    assert site.one("course_modules", id=copied["cmid"])["course"] == new["id"]


def test_outcomes_of_activities_go_with_the_course_and_with_its_gradebook(site: MoodleSite) -> None:
    faults = faults_of(site)
    rowid = outcome_of_quiz(site)
    course, _quiz = template_quiz(site)
    header = "id;events;logs;notes;grades;roles;local_roles;groups;groupings;modules"
    reset = run_file(site, "courses_reset", f"{header}\n{course['id']};;;;items;;;;;\n", courseidentifier="id")
    assert reset.codes == ["course_reset"], reset.report
    assert site.rows("grade_outcomes_modules", id=rowid) == []
    rowid = outcome_of_quiz(site)
    assert run_file(site, "courses_delete", "TEMPLATE\n").codes == ["course_deleted"]
    assert site.rows("grade_outcomes_modules", id=rowid) == []
    assert_sound(site, but=faults)


def test_tokens_of_the_rest_api_are_revoked_with_their_user(site: MoodleSite) -> None:
    tokens = {
        userid: site.insert("rest_api_tokens", name="t", token=f"t{userid}", userid=userid, scopes="[]", timecreated=1)
        for userid in (USER, USER + 1)
    }
    username = site.one("user", id=USER)["username"]
    assert run_file(site, "users_delete", f"username\n{username}\n").codes == ["account_deleted"]
    revoked = {userid: site.one("rest_api_tokens", id=rowid)["revoked"] for userid, rowid in tokens.items()}
    assert revoked == {USER: 1, USER + 1: 0}


def test_a_course_that_moodle_is_deleting_is_left_alone(site: MoodleSite) -> None:
    site.execute("UPDATE {course} SET deletioninprogress = 1 WHERE shortname = 'C1'")
    before = site.snapshot()
    files = {
        "courses_delete": ("C1\n", "course_delete_unknown"),
        "courses": ("shortname;fullname\nC1;Renamed\n", "course_being_deleted"),
        "enrolments": (
            "cmd;cid;uid;rolename;enrol\nadd;C1;user30;student;manual\n",
            "course_unknown",
        ),
    }
    for key, (text, code) in files.items():
        options: dict[str, Any] = {"forceupdate": True} if key == "courses" else {}
        result = run_file(site, key, text, **options)
        assert result.codes == [code], result.report
    copied = run_file(site, "courses", f"{COURSE_HEADER};template\nNEW;New;3;C1\n")
    assert copied.codes == ["course_template_unknown"]
    assert site.diff(before, site.snapshot()) == {}


def test_a_new_course_says_that_it_is_not_gone_through_one_by_one(site: MoodleSite) -> None:
    assert run_file(site, "courses", f"{COURSE_HEADER};format\nNEW;New;3;topics\n").codes == ["course_created"]
    courseid = site.one("course", shortname="NEW")["id"]
    assert site.one("course_format_options", courseid=courseid, name="enablelinearnav")["value"] == "0"
