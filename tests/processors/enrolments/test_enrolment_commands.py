"""What each command of an enrolments file does. Spec: enrols.md sections 4.2 to 4.5 and 6."""

from __future__ import annotations

from typing import Any

import pytest

from tests.processors.enrolment_people import (
    EDITING_TEACHER,
    HEADER,
    STUDENT,
    add_group,
    add_people,
    dirty_users,
    enrol,
    give_role,
    groups,
    join_group,
    roles,
)
from tests.support import MoodleSite, RunResult, run_file

TEACHER = 4
ROLES_ONLY = "cmd;cid;uid;rolename\n"


@pytest.fixture
def site(sqlite_site: MoodleSite) -> MoodleSite:
    add_people(sqlite_site, "u1", "u2")
    return sqlite_site


def _run(site: MoodleSite, row: str, header: str = HEADER, **options: Any) -> RunResult:
    return run_file(site, "enrolments", f"{header}{row}\n", **options)


def _add_method(site: MoodleSite, enrol_name: str, course: str = "C1", **values: Any) -> int:
    defaults = {"status": 0, "sortorder": 5, "roleid": STUDENT, "timecreated": 1, "timemodified": 1}
    return site.insert("enrol", **{"enrol": enrol_name, "courseid": site.ids[course], **defaults, **values})


# --- which command ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "row", "options"),
    [
        ("cmd;cid;uid;rolename;enrol\n", "DEL;C1;u1;;manual", {}),
        ("cmd;cid;uid;rolename;enrol\n", "delete;C1;u1;;manual", {}),
        ("cmd;cid;uid;rolename;enrol\n", ";C1;u1;;manual", {"defaultcmd": "del"}),
        ("cid;uid;rolename;enrol\n", "C1;u1;;manual", {"defaultcmd": "del"}),
        ("cid;uid;rolename;enrol\n", "C1;u1;;manual", {"enrols_defaultcmd": "del"}),
        ("CMD;Cid; UID ;RoleName;Enrol;Hidden\n", "del;C1;u1;;MANUAL;1", {}),
        ("cmd;cid;uid;rolename;enrol;colour\n", "del;C1;u1;;manual;red", {"invalidnamesnocheck": True}),
        ("cmd;cid;uid;rolename;enrol\n", "del;C1;U1;;manual", {}),
        ("cmd;cid;uid;rolename;enrol\n", "del;IDC1;I-u1;;manual", {"courseidentifier": "idnumber", "useridentifier": "idnumber"}),
        ("cmd;cid;uid;rolename;enrol\n", "del;C1;u1@example.org;;manual", {"useridentifier": "email"}),
        ("cmd;cid;uid;rolename;enrol\n", "del;IDC1;u1;;manual", {"enrols_courseidentifier": "idnumber"}),
        ("cmd;cid;uid;rolename;enrol\n", "del;C1;I-u1;;manual", {"enrols_useridentifier": "idnumber"}),
    ],
)  # fmt: skip
def test_command_identifiers_and_header_are_read_in_every_accepted_form(
    site: MoodleSite, header: str, row: str, options: dict[str, Any]
) -> None:
    enrol(site, "u1")

    assert _run(site, row, header, **options).codes == ["enrolment_deleted"]


def test_without_command_people_are_added(site: MoodleSite) -> None:
    assert _run(site, "C1;u1;student;manual", "cid;uid;rolename;enrol\n").codes == ["enrolment_created"]
    assert _run(site, ";C1;u2;student;manual").codes == ["enrolment_created"]


# --- add ---------------------------------------------------------------------------------------------------------------------


def test_add_opens_a_suspended_enrolment_and_keeps_dates_and_other_roles(site: MoodleSite) -> None:
    enrol(site, "u1", status=1)

    result = _run(site, "add;C1;u1;editingteacher;manual")

    enrolment = site.one("user_enrolments", userid=site.ids["u1"])
    assert (enrolment["status"], enrolment["timestart"], enrolment["timeend"]) == (0, 100, 200)
    assert roles(site, "u1") == [(EDITING_TEACHER, "", 0), (STUDENT, "", 0)]
    assert result.codes == ["enrolment_updated"]


def test_add_takes_only_the_date_that_is_given(site: MoodleSite) -> None:
    enrol(site, "u1")

    end = 1_800_000_000
    result = _run(site, f"add;C1;u1;student;manual;;{end}", "cmd;cid;uid;rolename;enrol;starttime;endtime\n")

    assert result.codes == ["enrolment_updated"]
    enrolment = site.one("user_enrolments", userid=site.ids["u1"])
    assert (enrolment["timestart"], enrolment["timeend"]) == (100, end)


def test_a_method_that_protects_its_roles_owns_them(site: MoodleSite) -> None:
    flatfile = _add_method(site, "flatfile")

    _run(site, "add;C1;u1;student;flatfile")

    assert roles(site, "u1") == [(STUDENT, "enrol_flatfile", flatfile)]
    _run(site, "del;C1;u1;student;flatfile")
    assert roles(site, "u1") == []


def test_a_role_alone_never_looks_as_if_a_method_had_given_it(site: MoodleSite) -> None:
    """E3: the old plugin wrote the component of whatever method came last, so that nobody could take the role away."""
    cohort = _add_method(site, "cohort", customint1=1)
    give_role(site, "u1", "C1", STUDENT, component="enrol_cohort", itemid=cohort)

    assert _run(site, "add;C1;u1;student", ROLES_ONLY).codes == ["role_assigned"]
    assert roles(site, "u1") == [(STUDENT, "", 0), (STUDENT, "enrol_cohort", cohort)]
    assert _run(site, "add;C1;u1;student", ROLES_ONLY).codes == ["role_held_already"]
    assert _run(site, "del;C1;u1;student", ROLES_ONLY).codes == ["roles_taken_away"]
    assert roles(site, "u1") == [(STUDENT, "enrol_cohort", cohort)]


def test_an_empty_method_is_manual_but_only_where_the_column_is(site: MoodleSite) -> None:
    _run(site, "add;C1;u1;student;")
    _run(site, "add;C1;u2;student", ROLES_ONLY)

    assert site.one("user_enrolments", userid=site.ids["u1"])["enrolid"] == site.ids["C1 manual"]
    assert site.rows("user_enrolments", userid=site.ids["u2"]) == []


# --- del ---------------------------------------------------------------------------------------------------------------------


def test_del_of_nobody_says_that_nothing_was_done(site: MoodleSite) -> None:
    """E11: the old plugin reported success."""
    before = site.snapshot()

    result = _run(site, "del;C1;u1;student;manual")

    assert site.diff(before, site.snapshot()) == {}
    assert (result.codes, result.counts) == (["enrolment_missing"], {"unchanged": 1})


def test_del_ignores_the_role_and_leaves_what_another_enrolment_needs(site: MoodleSite) -> None:
    enrol(site, "u1")
    self_enrolment = _add_method(site, "self")
    enrol(site, "u1", role=None, enrolid=self_enrolment)
    join_group(site, "u1", add_group(site, "G1"))

    assert _run(site, "del;C1;u1;no-such-role;manual").codes == ["enrolment_deleted"]

    assert site.one("user_enrolments", userid=site.ids["u1"])["enrolid"] == self_enrolment
    assert roles(site, "u1") == [(STUDENT, "", 0)]
    assert groups(site, "u1") == {"G1": ""}


@pytest.mark.parametrize(("role", "left"), [("student", [EDITING_TEACHER]), ("", [])])
def test_del_of_roles_leaves_methods_and_upper_contexts_alone(site: MoodleSite, role: str, left: list[int]) -> None:
    """E2: without role the old plugin stopped the file."""
    give_role(site, "u1", "C1", STUDENT)
    give_role(site, "u1", "C1", EDITING_TEACHER)
    give_role(site, "u1", "C1", STUDENT, component="enrol_meta", itemid=77)
    above = site.insert("role_assignments", roleid=STUDENT, contextid=1, userid=site.ids["u1"])

    result = _run(site, f"del;C1;u1;{role}", ROLES_ONLY)

    assert roles(site, "u1") == sorted([*((roleid, "", 0) for roleid in left), (STUDENT, "enrol_meta", 77)])
    assert site.one("role_assignments", id=above)
    assert result.counts == {"deleted": 1}
    assert dirty_users(site) == {str(site.ids["u1"])}


def test_del_of_an_unknown_role_is_an_error_and_not_all_roles(site: MoodleSite) -> None:
    give_role(site, "u1", "C1", STUDENT)

    assert _run(site, "del;C1;u1;chef", ROLES_ONLY).codes == ["role_unknown"]
    assert _run(site, "del;C1;u1;teacher", ROLES_ONLY).codes == ["role_not_held"]
    assert roles(site, "u1") == [(STUDENT, "", 0)]


# --- shift -------------------------------------------------------------------------------------------------------------------


def test_shift_takes_away_the_roles_of_people_and_of_its_own_method_only(site: MoodleSite) -> None:
    flatfile = _add_method(site, "flatfile")
    enrol(site, "u1", role=None, enrolid=flatfile)
    give_role(site, "u1", "C1", STUDENT, component="enrol_flatfile", itemid=flatfile)
    give_role(site, "u1", "C1", TEACHER)
    give_role(site, "u1", "C1", STUDENT, component="enrol_cohort", itemid=77)

    _run(site, "shift;C1;u1;editingteacher;flatfile")

    assert roles(site, "u1") == [(EDITING_TEACHER, "enrol_flatfile", flatfile), (STUDENT, "enrol_cohort", 77)]


def test_shift_enrols_who_is_not_enrolled(site: MoodleSite) -> None:
    give_role(site, "u1", "C1", TEACHER)

    assert _run(site, "shift;C1;u1;student;manual").codes == ["enrolment_created"]
    assert roles(site, "u1") == [(STUDENT, "", 0)]
    assert site.one("user_enrolments", userid=site.ids["u1"])["status"] == 0


def test_shift_of_roles_alone(site: MoodleSite) -> None:
    give_role(site, "u1", "C1", STUDENT)
    give_role(site, "u1", "C1", TEACHER)
    give_role(site, "u1", "C1", STUDENT, component="enrol_cohort", itemid=77)

    result = _run(site, "shift;C1;u1;editingteacher", ROLES_ONLY)

    assert roles(site, "u1") == [(EDITING_TEACHER, "", 0), (STUDENT, "enrol_cohort", 77)]
    assert result.codes == ["role_replaced"]
    assert _run(site, "shift;C1;u1;editingteacher", ROLES_ONLY).codes == ["role_held_already"]


# --- enable, disable ---------------------------------------------------------------------------------------------------------


def test_enable_opens_and_sets_the_dates_that_are_given(site: MoodleSite) -> None:
    enrol(site, "u1", status=1)

    _run(site, "enable;C1;u1;;manual;;2030-01-01", "cmd;cid;uid;rolename;enrol;starttime;endtime\n")

    enrolment = site.one("user_enrolments", userid=site.ids["u1"])
    assert (enrolment["status"], enrolment["timestart"]) == (0, 100)
    assert enrolment["timeend"] > 1_800_000_000


@pytest.mark.parametrize("header", [HEADER, ROLES_ONLY])
@pytest.mark.parametrize("cmd", ["enable", "disable"])
def test_enable_and_disable_of_nobody_say_so(site: MoodleSite, header: str, cmd: str) -> None:
    row = f"{cmd};C1;u1;;manual" if header is HEADER else f"{cmd};C1;u1;"
    assert _run(site, row, header).codes == ["enrolment_missing"]


def test_without_method_every_enrolment_in_the_course_is_meant(site: MoodleSite) -> None:
    enrol(site, "u1")
    disabled = _add_method(site, "self", status=1)
    enrol(site, "u1", role=None, enrolid=disabled)
    elsewhere = enrol(site, "u1", "C2")

    result = _run(site, "disable;C1;u1;", ROLES_ONLY, enableenrolondisabled=True)

    by_id = {row["id"]: row for row in site.rows("user_enrolments", userid=site.ids["u1"])}
    assert by_id.pop(elsewhere)["status"] == 0
    assert all(row["status"] == 1 and row["timemodified"] >= result.started for row in by_id.values())
    assert result.codes == ["enrolment_disabled"]
    assert dirty_users(site) == {str(site.ids["u1"])}


# --- methods -----------------------------------------------------------------------------------------------------------------


def test_of_several_instances_the_first_in_the_course_serves(site: MoodleSite) -> None:
    _add_method(site, "self", sortorder=8)
    first = _add_method(site, "self", sortorder=7)
    _add_method(site, "self", sortorder=6, status=1)

    _run(site, "add;C1;u1;student;self")

    assert site.one("user_enrolments", userid=site.ids["u1"])["enrolid"] == first


@pytest.mark.parametrize("method", ["cohort", "meta", "database", "ldap", "category", "guest"])
def test_methods_that_would_undo_the_row_are_refused(site: MoodleSite, method: str) -> None:
    _add_method(site, method)

    result = _run(site, f"add;C1;u1;student;{method}")

    assert result.codes == ["enrol_method_refused"]
    assert method in result.report
    allowed = _run(site, f"add;C1;u1;student;{method}", allowsyncedmethods=True)
    assert allowed.codes == ["enrol_method_refused" if method == "guest" else "enrolment_created"]


def test_a_missing_manual_method_is_added_when_asked_for(site: MoodleSite) -> None:
    site.execute("DELETE FROM {enrol} WHERE courseid = :id AND enrol = 'manual'", id=site.ids["C2"])
    rows = "add;C2;u1;student;manual\nadd;C2;u2;student;manual"

    assert _run(site, rows).codes == ["enrol_method_inactive"] * 2
    for row in ("del;C2;u1;student;manual", "disable;C2;u1;;manual", "add;C2;u1;chef;manual"):
        _run(site, row, createmanual=True)
    assert site.rows("enrol", courseid=site.ids["C2"], enrol="manual") == []

    assert _run(site, rows, createmanual=True, simulate=True, chunk_rows=1).codes == ["enrolment_created"] * 2
    _run(site, rows, createmanual=True)

    instance = site.one("enrol", courseid=site.ids["C2"], enrol="manual")
    assert (instance["status"], instance["roleid"], instance["expirythreshold"]) == (0, STUDENT, 86_400)
    assert {row["userid"] for row in site.rows("user_enrolments", enrolid=instance["id"])} == {
        site.ids["u1"], site.ids["u2"],
    }  # fmt: skip
    assert _run(site, rows, createmanual=True).counts == {"unchanged": 2}


def test_a_manual_method_that_was_switched_off_gets_no_twin(site: MoodleSite) -> None:
    site.execute("UPDATE {enrol} SET status = 1 WHERE id = :id", id=site.ids["C2 manual"])

    assert _run(site, "add;C2;u1;student;manual", createmanual=True).codes == ["enrol_method_inactive"]
    assert len(site.rows("enrol", courseid=site.ids["C2"])) == 1


def test_the_method_sync_is_added_only_where_the_site_uses_it(site: MoodleSite) -> None:
    assert _run(site, "add;C1;u1;student;sync").codes == ["enrol_method_inactive"]

    elsewhere = _add_method(site, "sync", "C2")
    assert _run(site, "add;C1;u1;student;sync").codes == ["enrolment_created"]
    instance = site.one("enrol", courseid=site.ids["C1"], enrol="sync")
    assert instance["id"] != elsewhere
    assert site.one("user_enrolments", userid=site.ids["u1"])["enrolid"] == instance["id"]
    assert roles(site, "u1") == [(STUDENT, "enrol_sync", instance["id"])]


# --- what follows --------------------------------------------------------------------------------------------------------------


def test_who_leaves_a_parent_keeps_what_he_has_in_the_child_by_another_method(site: MoodleSite) -> None:
    site.execute("UPDATE {config} SET value = 'manual,meta' WHERE name = 'enrol_plugins_enabled'")
    site.execute("DELETE FROM {config_plugins} WHERE plugin = 'enrol_meta' AND name = 'unenrolaction'")
    site.insert("config_plugins", plugin="enrol_meta", name="unenrolaction", value="0")
    meta = _add_method(site, "meta", "C2", customint1=site.ids["C1"])
    _run(site, "add;C1;u1;student;manual")
    assert roles(site, "u1", "C2") == [(STUDENT, "enrol_meta", meta)]
    enrol(site, "u1", "C2", EDITING_TEACHER)

    _run(site, "del;C1;u1;student;manual")

    assert site.one("user_enrolments", userid=site.ids["u1"])["enrolid"] == site.ids["C2 manual"]
    assert roles(site, "u1", "C2") == [(EDITING_TEACHER, "", 0)]


def test_rows_are_carried_out_in_file_order(site: MoodleSite) -> None:
    rows = (
        "add;C1;u1;student;manual", "shift;C1;u1;editingteacher;manual", "disable;C1;u1;;manual", "del;C1;u1;;manual",
        "add;C1;u1;student;manual",
    )  # fmt: skip

    result = _run(site, "\n".join(rows))

    assert result.codes == [
        "enrolment_created", "role_replaced", "enrolment_disabled", "enrolment_deleted", "enrolment_created",
    ]  # fmt: skip
    assert roles(site, "u1") == [(STUDENT, "", 0)]
    assert site.one("user_enrolments", userid=site.ids["u1"])["status"] == 0
