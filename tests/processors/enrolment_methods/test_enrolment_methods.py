"""Files of enrolment methods: made, changed, switched on and off, deleted; who is enrolled by them, and who no more."""

from __future__ import annotations

from typing import Any

import pytest

from sync.processors.registry import guess_processor
from tests.moodle_sites import MoodleSite
from tests.soundness import assert_sound, faults_of
from tests.support import RunResult, run_file

pytestmark = pytest.mark.sites("sqlite:5.1", "mariadb:4.5", "postgresql:4.1", "real:m520-seeded")

DAY = 86_400


def run(site: MoodleSite, text: str, **options: Any) -> RunResult:
    return run_file(site, "enrolment_methods", text, **options)


def furnish(site: MoodleSite) -> int:
    """Make a course with its usual methods and two people in it; return its id."""
    site.execute("UPDATE {config} SET value = 'manual,guest,self,cohort,meta' WHERE name = 'enrol_plugins_enabled'")
    for key, text in (
        ("users", "username;firstname;lastname\nq1;Q;One\nq2;Q;Two\nq3;Q;Three\n"),
        ("courses", "shortname;fullname;self\nEM1;One;1\nEM2;Two;0\n"),
        ("cohorts", "cname;cidnumber;userid\nKM;KM;q3\n"),
        (
            "enrolments",
            "cmd;cid;uid;rolename;enrol\nadd;EM1;q1;student;manual\nadd;EM1;q2;student;self\nadd;EM1;q1;student;self\n",
        ),
    ):
        result = run_file(site, key, text)
        assert "rejected" not in result.counts, result.report
    return int(site.one("course", shortname="EM1")["id"])


def set_plugin(site: MoodleSite, plugin: str, name: str) -> None:
    """Set a setting of a plugin to 1."""
    site.execute("DELETE FROM {config_plugins} WHERE plugin = :plugin AND name = :name", plugin=plugin, name=name)
    site.insert("config_plugins", plugin=plugin, name=name, value="1")


def methods(site: MoodleSite, courseid: int, enrol: str) -> list[dict[str, Any]]:
    return site.rows("enrol", courseid=courseid, enrol=enrol)


def people(site: MoodleSite, courseid: int) -> set[str]:
    """Return who is enrolled in a course."""
    enrolids = {row["id"] for row in site.rows("enrol", courseid=courseid)}
    names = {row["id"]: row["username"] for row in site.rows("user")}
    return {names[row["userid"]] for row in site.rows("user_enrolments") if row["enrolid"] in enrolids}


def test_methods_are_made_and_the_second_run_changes_nothing(moodle_site: MoodleSite) -> None:
    courseid, faults = furnish(moodle_site), faults_of(moodle_site)
    text = (
        "course;enrol;source;name;disabled;role;enrolperiod;password;notify;notifydays;maxenrolled;newenrols;welcome;unenroldays\n"
        "EM1;self;;Keyed;0;student;30;s3cret;2;5;40;1;0;90\n"
        "EM1;cohort;KM;;0;student;;;;;;;;\n"
        "EM2;meta;EM1;;0;;;;;;;;;\n"
        "EM2;guest;;;0;;;;;;;;;\n"
    )  # fmt: skip

    result = run(moodle_site, text)

    assert result.codes[:3] == ["method_created"] * 3, result.report
    (keyed,) = (row for row in methods(moodle_site, courseid, "self") if row["name"] == "Keyed")
    assert (keyed["enrolperiod"], keyed["expirynotify"], keyed["notifyall"], keyed["expirythreshold"]) == (
        30 * DAY,
        1,
        1,
        5 * DAY,
    )
    assert [keyed[f"customint{n}"] for n in (2, 3, 4, 6)] == [90 * DAY, 40, 0, 1]
    assert keyed["password"] == "s3cret"
    assert "s3cret" not in result.report
    second = int(moodle_site.one("course", shortname="EM2")["id"])
    assert people(moodle_site, courseid) == people(moodle_site, second) == {"q1", "q2", "q3"}
    assert_sound(moodle_site, but=faults)
    before = moodle_site.snapshot()
    assert run(moodle_site, text).counts == {"unchanged": 4}
    assert moodle_site.diff(before, moodle_site.snapshot()) == {}


def test_settings_change_and_foreign_ones_are_refused(sqlite_site: MoodleSite) -> None:
    courseid = furnish(sqlite_site)
    text = (
        "course;enrol;newname;role;startdate;enddate;password;enrolperiod\n"
        "EM1;self;Open days;teacher;2027-01-01;2027-02-01;key;7\nEM1;guest;;student;;;;\nEM1;cohort;;;;;key;\n"
        "EM1;nonsense;;;;;;\n"
        "EM1;self;;;2027-03-01;;;\nNOPE;self;;;;;;\n"
    )
    result = run(sqlite_site, text)
    assert result.codes == [
        "method_updated", "method_setting_foreign", "method_setting_foreign", "method_unknown", "method_dates_reversed",
        "course_unknown",
    ]  # fmt: skip
    (method,) = methods(sqlite_site, courseid, "self")
    assert (method["name"], method["password"], method["enrolperiod"]) == ("Open days", "key", 7 * DAY)
    assert [change.new for change in result.outcomes[0].changes if change.field == "password"] == ["…"]
    assert run(sqlite_site, text).counts == {"unchanged": 1, "rejected": 5}


def test_a_deleted_method_ends_enrolments_and_says_how_many(moodle_site: MoodleSite) -> None:
    courseid, faults = furnish(moodle_site), faults_of(moodle_site)
    group = moodle_site.insert("groups", courseid=courseid, name="G", idnumber="")
    q2 = moodle_site.one("user", username="q2")["id"]
    moodle_site.insert("groups_members", groupid=group, userid=q2, timeadded=1)
    text = "cmd;course;enrol\ndel;EM1;self\n"

    simulated = run(moodle_site, text, simulate=True)
    result = run(moodle_site, text)

    assert simulated.outcomes == result.outcomes
    assert [(o.code, o.params["count"]) for o in result.outcomes] == [("method_deleted", 2)]
    assert methods(moodle_site, courseid, "self") == []
    # Who is enrolled otherwise stays; who isn't has left the course, with roles and groups.
    assert people(moodle_site, courseid) == {"q1"}
    assert not moodle_site.rows("groups_members", userid=q2)
    context = moodle_site.one("context", contextlevel=50, instanceid=courseid)["id"]
    assert not moodle_site.rows("role_assignments", userid=q2, contextid=context)
    assert_sound(moodle_site, but=faults)
    assert run(moodle_site, text).codes == ["method_absent"]


def test_methods_are_switched_off_and_on_with_what_follows(moodle_site: MoodleSite) -> None:
    courseid = furnish(moodle_site)
    run(moodle_site, "course;enrol;source;role\nEM1;cohort;KM;student\nEM2;meta;EM1;\n")
    second = int(moodle_site.one("course", shortname="EM2")["id"])
    context = moodle_site.one("context", contextlevel=50, instanceid=courseid)["id"]
    q3 = moodle_site.one("user", username="q3")["id"]
    assert len(moodle_site.rows("role_assignments", contextid=context, userid=q3)) == 1

    off = run(moodle_site, "course;enrol;source;disabled\nEM1;cohort;KM;1\n")
    assert off.codes == ["method_updated"]
    assert moodle_site.rows("role_assignments", contextid=context, userid=q3) == []
    assert "q3" in people(moodle_site, courseid)
    assert "q3" in people(moodle_site, second)
    assert run(moodle_site, "course;enrol;source;disabled\nEM1;cohort;KM;1\n").counts == {"unchanged": 1}

    # A row that doesn't name the cohort has nobody of it read: nobody's enrolment ends for that.
    on = run(moodle_site, "course;enrol;disabled\nEM1;cohort;0\n")
    assert [note.code for note in on.outcomes[0].notes] == ["method_follows_later"]
    assert "q3" in people(moodle_site, courseid)
    run(moodle_site, "course;enrol;source;disabled\nEM1;cohort;KM;1\n")
    run(moodle_site, "course;enrol;source;disabled\nEM1;cohort;KM;0\n")
    assert len(moodle_site.rows("role_assignments", contextid=context, userid=q3)) == 1


def test_rows_that_may_mean_several_or_make_the_wrong_are_rejected(sqlite_site: MoodleSite) -> None:
    furnish(sqlite_site)
    assert run(sqlite_site, "course;enrol;name\nEM1;self;A\nEM1;self;B\nEM1;self;A\n").codes == [
        "method_created", "method_created", "method_unchanged",
    ]  # fmt: skip
    result = run(
        sqlite_site,
        "cmd;course;enrol;name;newname;source;role\ndel;EM1;self;;;;\nupdate;EM1;self;A;C;;\nupdate;EM1;self;X;;;\nadd;EM2;meta;;;;\n"
        "add;EM2;meta;;;EM2;\nadd;EM2;cohort;;;KM;\nadd;EM2;nosuch;;;;\n",
    )
    assert result.codes == [
        "method_ambiguous", "method_updated", "method_missing", "method_source_missing", "meta_of_itself", "method_role_missing",
        "method_unknown",
    ]  # fmt: skip
    assert run(sqlite_site, "cmd;course;enrol;name;newname\nupdate;EM1;self;A;C\n").codes == ["method_unchanged"]


def test_what_other_plugins_may_keep_stays(sqlite_site: MoodleSite) -> None:
    courseid = furnish(sqlite_site)
    set_plugin(sqlite_site, "enrol_lti", "version")
    sqlite_site.insert("enrol", enrol="lti", courseid=courseid, status=0, sortorder=90)
    assert run(sqlite_site, "cmd;course;enrol;disabled\ndel;EM1;lti;\nadd;EM1;lti;1\nadd;EM2;lti;\n").codes == [
        "method_not_deleted", "method_updated", "method_not_made",
    ]  # fmt: skip


def test_a_site_that_wants_keys_gets_no_open_method(sqlite_site: MoodleSite) -> None:
    furnish(sqlite_site)
    set_plugin(sqlite_site, "enrol_self", "requirepassword")
    rows = "EM2;self;A;0;\nEM2;self;A;1;\nEM2;self;A;0;\nEM2;self;A;0;k\n"
    assert run(sqlite_site, f"course;enrol;name;disabled;password\n{rows}").codes == [
        "method_needs_password", "method_created", "method_needs_password", "method_updated",
    ]  # fmt: skip


def test_a_header_of_methods_is_recognised() -> None:
    assert guess_processor({"course", "enrol", "disabled"}) == "enrolment_methods"
