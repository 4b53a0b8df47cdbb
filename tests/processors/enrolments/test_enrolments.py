"""The acceptance examples E-1 to E-12 of the enrolments specification, on every server and Moodle version."""

from __future__ import annotations

from datetime import datetime

import pytest

from sync.errors import CommandFileError
from sync.messages import text_of
from sync.moodle.db.database import MoodleConnection, MoodleDatabase
from sync.moodle.users.users import SiteRules
from tests.processors.enrolment_people import (
    EDITING_TEACHER,
    HEADER,
    STUDENT,
    RecordsOf,
    add_group,
    add_people,
    dirty_users,
    enrol,
    groups,
    join_group,
    roles,
)
from tests.soundness import assert_sound, faults_of
from tests.support import MoodleSite, RunResult, run_file

pytestmark = pytest.mark.sites("sqlite:5.1", "mariadb:5.2", "postgresql:4.1", "real:m45pg-seeded")


@pytest.fixture
def site(moodle_site: MoodleSite) -> MoodleSite:
    add_people(moodle_site, "u1", "u2")
    return moodle_site


def _unchanged_again(site: MoodleSite, text: str, result: RunResult) -> None:
    """The same file a second time touches nothing."""
    before = site.snapshot()
    again = run_file(site, "enrolments", text, records=RecordsOf(result))
    assert site.diff(before, site.snapshot()) == {}
    assert again.counts == {"unchanged": len(result.outcomes)}


ADD = HEADER + "add;C1;u1;student;manual\n"


def test_e1_add_enrols_with_a_role(site: MoodleSite) -> None:
    faults = faults_of(site)
    result = run_file(site, "enrolments", ADD)

    enrolment = site.one("user_enrolments", userid=site.ids["u1"])
    assert enrolment["timestart"] == pytest.approx(result.started, abs=5)
    assert (enrolment["enrolid"], enrolment["status"], enrolment["timeend"]) == (site.ids["C1 manual"], 0, 0)
    assert roles(site, "u1") == [(STUDENT, "", 0)]
    assert str(site.ids["u1"]) in dirty_users(site)
    assert (result.counts, result.tryback) == ({"created": 1}, None)
    assert_sound(site, but=faults)


def test_e2_a_file_without_method_gives_the_role_alone(site: MoodleSite) -> None:
    result = run_file(site, "enrolments", "cid;uid;rolename\nC1;u1;editingteacher\n")

    assert roles(site, "u1") == [(EDITING_TEACHER, "", 0)]
    assert site.rows("user_enrolments", userid=site.ids["u1"]) == []
    assert result.codes == ["role_assigned"]
    assert "method" not in result.report
    _unchanged_again(site, "cid;uid;rolename\nC1;u1;editingteacher\n", result)


def test_e3_the_second_run_changes_nothing(site: MoodleSite) -> None:
    _unchanged_again(site, ADD, run_file(site, "enrolments", ADD))


def test_e4_dates_in_two_forms_and_the_method_by_default(site: MoodleSite) -> None:
    faults = faults_of(site)
    text = "cmd;cid;uid;rolename;enrol;starttime;endtime\nadd;C1;u1;student;;2025-01-01 08:00:00;1767225600\n"

    result = run_file(site, "enrolments", text)

    enrolment = site.one("user_enrolments", userid=site.ids["u1"], enrolid=site.ids["C1 manual"])
    assert (enrolment["timestart"], enrolment["timeend"]) == (_on_clock_of(site, "2025-01-01 08:00"), 1767225600)
    _unchanged_again(site, text, result)
    assert_sound(site, but=faults)


def _on_clock_of(site: MoodleSite, moment: str) -> int:
    moodle = MoodleDatabase(MoodleConnection(site.url, site.prefix))
    with moodle.session() as session:
        timezone = SiteRules(session).clock.zone
    moodle.dispose()
    return int(datetime.fromisoformat(moment).replace(tzinfo=timezone).timestamp())


def test_e5_a_missing_method_is_an_error_and_never_a_role_alone(site: MoodleSite) -> None:
    site.execute("UPDATE {enrol} SET status = 1 WHERE id = :id", id=site.ids["C2 manual"])
    text = HEADER + "add;C2;u1;student;manual\n"
    before = site.snapshot()

    result = run_file(site, "enrolments", text)

    assert site.diff(before, site.snapshot()) == {}
    assert result.codes == ["enrol_method_inactive"]
    assert result.tryback is not None
    assert b"add;C2;u1;student;manual;2;enrol_method_inactive" in result.tryback

    run_file(site, "enrolments", text, enableenrolondisabled=True)
    assert site.one("user_enrolments", userid=site.ids["u1"])["enrolid"] == site.ids["C2 manual"]
    assert roles(site, "u1", "C2") == [(STUDENT, "", 0)]


def test_e6_shift_replaces_the_role_and_keeps_all_else(site: MoodleSite) -> None:
    faults = faults_of(site)
    enrolment = enrol(site, "u1")
    group = add_group(site, "E-G1")
    join_group(site, "u1", group)
    item = site.insert("grade_items", courseid=site.ids["C1"], itemtype="manual", itemname="Oral", gradetype=1)
    site.insert("grade_grades", itemid=item, userid=site.ids["u1"], finalgrade=80)
    kept = ("user_enrolments", "groups_members", "groups", "grade_grades", "grade_grades_history")
    before = site.snapshot()

    text = HEADER + "shift;C1;u1;editingteacher;manual\n"
    result = run_file(site, "enrolments", text)

    assert roles(site, "u1") == [(EDITING_TEACHER, "", 0)]
    assert [table for table in site.diff(before, site.snapshot()) if table in kept] == []
    assert site.one("user_enrolments", userid=site.ids["u1"])["id"] == enrolment
    assert result.codes == ["role_replaced"]
    _unchanged_again(site, text, result)
    assert_sound(site, but=faults)


def test_e7_disable_keeps_dates_and_role(site: MoodleSite) -> None:
    enrol(site, "u1")
    text = HEADER + "disable;C1;u1;;manual\n"

    result = run_file(site, "enrolments", text)

    enrolment = site.one("user_enrolments", userid=site.ids["u1"])
    assert (enrolment["status"], enrolment["timestart"], enrolment["timeend"]) == (1, 100, 200)
    assert enrolment["timemodified"] == pytest.approx(result.started, abs=5)
    assert roles(site, "u1") == [(STUDENT, "", 0)]
    assert str(site.ids["u1"]) in dirty_users(site)
    assert result.codes == ["enrolment_disabled"]
    _unchanged_again(site, text, result)


def test_e8_the_last_enrolment_takes_everything_with_it(site: MoodleSite) -> None:
    enrol(site, "u1")
    group = add_group(site, "E-G1")
    join_group(site, "u1", group)
    item = site.insert("grade_items", courseid=site.ids["C1"], itemtype="manual", itemname="Oral", gradetype=1)
    grade = site.insert("grade_grades", itemid=item, userid=site.ids["u1"], finalgrade=80)
    path = site.one("context", id=site.ids["C1 context"])["path"]
    below = site.insert("context", contextlevel=70, instanceid=999_999, depth=4)
    site.execute("UPDATE {context} SET path = :path WHERE id = :id", path=f"{path}/{below}", id=below)
    site.insert("role_assignments", roleid=4, contextid=below, userid=site.ids["u1"])
    faults = faults_of(site)

    text = HEADER + "del;C1;u1;student;manual\n"
    result = run_file(site, "enrolments", text)

    for table in ("user_enrolments", "role_assignments", "groups_members", "grade_grades"):
        assert site.rows(table, userid=site.ids["u1"]) == [], table
    assert site.one("groups", id=group)["timemodified"] == pytest.approx(result.started, abs=5)
    history = site.one("grade_grades_history", userid=site.ids["u1"])
    assert (history["action"], history["source"], history["oldid"]) == (3, "userdelete", grade)
    assert result.counts == {"deleted": 1}
    _unchanged_again(site, text, result)
    assert_sound(site, but=faults)


E9 = "cmd;cid;uid;rolename;enrol;gcmd;g1;g2\nadd;C1;u1;student;manual;greplacecreate;E-G2;\nadd;C1;u2;student;manual;;;\n"


def test_e9_protected_groups_where_the_old_plugin_is_installed(site: MoodleSite) -> None:
    _tool_sync(site, is_installed=True)
    enrol(site, "u1")
    join_group(site, "u1", add_group(site, "E-G0"))
    join_group(site, "u1", add_group(site, "E-G1"), "tool_sync")

    result = run_file(site, "enrolments", E9, protectgroups=True)

    assert groups(site, "u1") == {"E-G0": "", "E-G2": "tool_sync"}
    assert site.rows("user_enrolments", userid=site.ids["u2"])
    assert "rejected" not in result.counts
    before = site.snapshot()
    assert run_file(site, "enrolments", E9, protectgroups=True).counts == {"unchanged": 2}
    assert site.diff(before, site.snapshot()) == {}


def _tool_sync(site: MoodleSite, *, is_installed: bool) -> None:
    site.execute("DELETE FROM {config_plugins} WHERE plugin = 'tool_sync'")
    if is_installed:
        site.insert("config_plugins", plugin="tool_sync", name="version", value="2024010100")


def test_e9_protected_groups_without_the_old_plugin(site: MoodleSite) -> None:
    _tool_sync(site, is_installed=False)
    enrol(site, "u1")
    join_group(site, "u1", add_group(site, "E-G0"))
    add_group(site, "E-G1")
    header = "cmd;cid;uid;rolename;enrol;gcmd;g1\n"
    earlier = run_file(site, "enrolments", header + "add;C1;u1;student;manual;gadd;E-G1\n", protectgroups=True)

    result = run_file(site, "enrolments", E9, protectgroups=True, records=RecordsOf(earlier))

    assert groups(site, "u1") == {"E-G0": "", "E-G2": ""}
    assert "rejected" not in result.counts


E10_ROWS = (
    "add;C1;nobody;student;manual", "add;;u1;student;manual", "foo;C1;u1;student;manual", "add;C1;u2;chef;manual",
)  # fmt: skip


def test_e10_four_faulty_rows_are_fed_back_and_write_nothing(site: MoodleSite) -> None:
    faults = faults_of(site)
    before = site.snapshot()

    result = run_file(site, "enrolments", HEADER + "\n".join(E10_ROWS) + "\n")

    assert site.diff(before, site.snapshot()) == {}
    assert result.codes == ["account_unknown", "cell_empty", "value_not_among", "role_unknown"]
    assert result.tryback is not None
    header, *lines = result.tryback.decode().splitlines()
    assert header == "cmd;cid;uid;rolename;enrol;_line;_code;_reason"
    assert [line.split(";")[:5] for line in lines] == [row.split(";") for row in E10_ROWS]
    assert all(word in result.report for word in ("nobody", "column cid", "foo", "chef"))
    assert_sound(site, but=faults)


def test_e11_an_unknown_group_leaves_the_enrolment_and_comes_back_once(site: MoodleSite) -> None:
    faults = faults_of(site)
    header = "cmd;cid;uid;rolename;enrol;gcmd;g1\n"
    line = "add;C1;u2;student;manual;gadd;E-GX"

    result = run_file(site, "enrolments", header + line + "\n")

    enrolment = site.one("user_enrolments", userid=site.ids["u2"])
    assert site.rows("groups", name="E-GX") == []
    assert result.codes == ["group_unknown"]
    assert result.tryback is not None
    assert result.tryback.decode().count(line) == 1

    add_group(site, "E-GX")
    again = run_file(site, "enrolments", result.tryback)
    assert groups(site, "u2") == {"E-GX": ""}
    assert site.one("user_enrolments", userid=site.ids["u2"]) == enrolment
    assert (again.counts, again.tryback) == ({"updated": 1}, None)
    assert_sound(site, but=faults)


def test_e12_an_unknown_column_refuses_the_file(site: MoodleSite) -> None:
    faults = faults_of(site)
    before = site.snapshot()

    with pytest.raises(CommandFileError) as refused:
        run_file(site, "enrolments", "cid;uid;rolename;colour\nC1;u1;student;red\n")

    assert "colour" in text_of(refused.value.code, refused.value.params)
    assert site.diff(before, site.snapshot()) == {}
    assert_sound(site, but=faults)
