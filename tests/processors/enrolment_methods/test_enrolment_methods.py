"""Files of enrolment methods: made, changed, switched on and off, deleted; who is enrolled by them, and who no more."""

from __future__ import annotations

import unicodedata
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


@pytest.mark.parametrize("row", ["EM1;cohort;", "EM1;cohort;KM", "EM2;meta;", "EM2;meta;EM1"])
def test_groups_that_a_method_filled_lose_those_who_stay_otherwise(moodle_site: MoodleSite, row: str) -> None:
    """Mirrors: enrol_plugin::unenrol_user(), which takes somebody out of the groups of the method, and of no other."""
    furnish(moodle_site)
    run(moodle_site, "course;enrol;source;role\nEM1;cohort;KM;student\nEM2;meta;EM1;\n")
    add = "cmd;cid;uid;rolename;enrol\nadd;EM1;q3;student;manual\nadd;EM2;q3;student;manual\n"
    assert "rejected" not in run_file(moodle_site, "enrolments", add, createmanual=True).counts
    course, enrol = row.split(";")[:2]
    courseid = moodle_site.one("course", shortname=course)["id"]
    method, q3 = moodle_site.one("enrol", courseid=courseid, enrol=enrol), moodle_site.one("user", username="q3")["id"]
    filled, other = (moodle_site.insert("groups", courseid=courseid, name=name, idnumber="") for name in ("F", "O"))
    moodle_site.execute("UPDATE {enrol} SET customint2 = :group WHERE id = :id", group=filled, id=method["id"])
    moodle_site.insert(
        "groups_members", groupid=filled, userid=q3, timeadded=1, component=f"enrol_{enrol}", itemid=method["id"]
    )
    moodle_site.insert("groups_members", groupid=other, userid=q3, timeadded=1)

    assert run(moodle_site, f"cmd;course;enrol;source\ndel;{row}\n").codes == ["method_deleted"]

    assert "q3" in people(moodle_site, courseid)
    assert [m["groupid"] for m in moodle_site.rows("groups_members", userid=q3)] == [other]


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


def test_a_name_is_found_as_the_server_compares_and_made_once(moodle_site: MoodleSite) -> None:
    courseid = furnish(moodle_site)
    run(moodle_site, "course;enrol;name\nEM1;self;Clé d-été\n")
    decomposed = unicodedata.normalize("NFD", "Clé d-été")
    assert run(moodle_site, f"course;enrol;name\nEM1;self;{decomposed}\n").codes == ["method_unchanged"]
    other_case = run(moodle_site, "course;enrol;name\nEM1;self;CLÉ D-ÉTÉ\n")
    is_same = moodle_site.engine_name == "mariadb"
    assert other_case.codes == ["method_unchanged" if is_same else "method_created"]
    assert len(methods(moodle_site, courseid, "self")) == (2 if is_same else 3)
    # Where both are there, the exact one is meant.
    assert run(moodle_site, "cmd;course;enrol;name\ndel;EM1;self;Clé d-été\n").codes == ["method_deleted"]
    assert [m["name"] for m in methods(moodle_site, courseid, "self")] == [None, *([] if is_same else ["CLÉ D-ÉTÉ"])]


def test_a_course_takes_the_same_people_once(sqlite_site: MoodleSite) -> None:
    courseid = furnish(sqlite_site)
    rows = (
        "EM1;cohort;KM;student;;\nEM1;cohort;KM;student;Second;\nEM1;cohort;KM;teacher;Second;\nEM1;cohort;KM;teacher;Third;\n"
        "EM1;meta;EM2;;;\nEM1;meta;EM2;;Linked;\nEM1;meta;EM2;;;Linked\nEM1;meta;EM2;;Linked;\nEM1;meta;EM2;;Other;\n"
    )
    result = run(sqlite_site, f"course;enrol;source;role;name;newname\n{rows}")
    assert result.codes == [
        "method_created", "method_there", "method_created", "method_there_named", "method_created", "method_there",
        "method_updated", "method_unchanged", "method_there_named",
    ]  # fmt: skip
    assert [len(methods(sqlite_site, courseid, enrol)) for enrol in ("cohort", "meta")] == [2, 1]
    named = [row["name"] for enrol in ("cohort", "meta") for row in methods(sqlite_site, courseid, enrol)]
    assert named == ["", "Second", "Linked"]


@pytest.mark.parametrize("row", ["EM1;cohort;KM;student;Named;", "EM1;self;;;Named;", "EM2;meta;EM1;;Named;"])
def test_the_name_of_a_new_method_stays_in_the_second_run(sqlite_site: MoodleSite, row: str) -> None:
    furnish(sqlite_site)
    text = f"course;enrol;source;role;name;newname\n{row}\n"
    assert run(sqlite_site, text).codes == ["method_created"]
    assert len(sqlite_site.rows("enrol", name="Named")) == 1
    assert run(sqlite_site, text).codes == ["method_unchanged"]
    assert run(sqlite_site, text.replace("Named", "")).codes[0] in ("method_updated", "method_ambiguous")


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


def test_keys_meet_the_rules_of_the_site_where_its_plugin_says_so(sqlite_site: MoodleSite) -> None:
    furnish(sqlite_site)
    for name, value in {
        "passwordpolicy": "1", "minpasswordlength": "8", "minpassworddigits": "1", "minpasswordlower": "1",
        "minpasswordupper": "1", "minpasswordnonalphanum": "1", "maxconsecutiveidentchars": "2",
    }.items():  # fmt: skip
        sqlite_site.execute("DELETE FROM {config} WHERE name = :name", name=name)
        sqlite_site.insert("config", name=name, value=value)
    weak = ("short1A", "nodigits-A", "NOLOWER-1", "noupper-1", "Noothers1", "Rowww-of-3")
    text = "course;enrol;name;password\n" + "".join(f"EM2;self;{key};{key}\n" for key in (*weak, "Sound-k3y"))

    assert run(sqlite_site, text, simulate=True).counts == {"created": 7}, "the plugin doesn't ask for it"
    set_plugin(sqlite_site, "enrol_self", "usepasswordpolicy")
    result = run(sqlite_site, text)
    assert result.codes == [*["method_key_weak"] * 6, "method_created"]
    sqlite_site.execute("UPDATE {config} SET value = '0' WHERE name = 'passwordpolicy'")
    assert run(sqlite_site, text).counts == {"created": 6, "unchanged": 1}


def test_a_header_of_methods_is_recognised() -> None:
    assert guess_processor({"course", "enrol", "disabled"}) == "enrolment_methods"
