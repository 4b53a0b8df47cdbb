"""Undo brings every table back, on each server and on real sites, whatever the file type; undoing that does it again."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django import Settings

from sync.models import SyncRun
from sync.runs.retention_settings import save_retention
from tests.installation import Installation
from tests.moodle.course_content import furniture
from tests.pictures import blobs, data_folder, picture, zip_of
from tests.processors.custom_fields.fields import add_course_fields
from tests.processors.random_files import furnish
from tests.runs.undo_checks import bring_in_order, check_round_trip

pytestmark = pytest.mark.sites("sqlite:4.5", "postgresql:5.1", "real:m520-seeded")

RESET = "shortname;roles;groups;groupings;local_roles;notes;events;logs;grades;modules\n{course};all;all;all;all;1;1;;all;1\n"
# Key, or key and what tells two files of it apart -> file.
FILES = {
    "users": "username;firstname;lastname;email;city;profile_field_dept;cohort1\nnew1;New;One;new1@x.org;Lyon;Math;K1\n"
    "u1;F1;Changed;u1@x.org;Oslo;;\nu2;F2;L2;other@x.org;;;\n",
    "users_suspend": "username\nu1\nu2\n",
    "users_delete": "username\nu1\nu2\nu3\n",
    "users_restore": "username\nu5\n",
    "roles add": "cmd;context;instance;userid;role\nadd;system;;u1;coursecreator\nadd;course;C2;u2;teacher\n",
    "roles shift": "cmd;context;instance;userid;role\nshift;course;C2;u1;teacher\ndel;course;C1;u1;*\n",
    "enrolments add": "cmd;cid;uid;rolename;enrol;gcmd;g1\nadd;C1;u3;student;manual;gadd;G2\nadd;C2;u2;teacher;manual;;\n",
    "enrolments del": "cmd;cid;uid;rolename;enrol\ndel;C1;u1;student;manual\ndel;C2;u3;student;self\n",
    "groups": "type;courseid;name;idnumber;grouping\ngrouping;C1;Labs;LABS;\ngroup;C1;Monday;;LABS\ngroup;C1;G1;;LABS\n",
    "groupmembers": "cmd;courseid;groupid;userid\nadd;C1;G2;u1\n",
    "cohorts": "cmd;cidnumber;cname;userid\nadd;NEW;New cohort;u1\nadd;K1;K1;u2\ndel;K1;K1;u4\n",
    "cohort_courses": "course;cohort;role\nC2;K2;student\n",
    "courses_meta": "cmd;master;meta\nadd;C2;C4\n",
    "courses_meta del": "cmd;master;meta\ndel;C1;C4\n",
    "groupmembers del": "cmd;courseid;groupid;userid\ndel;C1;G1;u1\n",
    "cohorts del": "cmd;cidnumber\ndel;K1\n",
    "enrolments disable": "cmd;cid;uid;rolename;enrol\ndisable;C1;u1;student;manual\n",
    "courses": "shortname;fullname;category;topic1;self\nNEW;New course;Some/Where;First;1\nC1;Changed;;;\n",
    "courses copy": "shortname;fullname;template\nCOPY;A copy;C1\n",
    "user_preferences": "user;name;value\nu1;htmleditor;tiny\nu1;auth_forcepasswordchange;0\n",
    "enrolment_methods": "cmd;course;enrol;name;disabled\nadd;C2;self;New;0\nadd;C1;manual;;1\ndel;C3;manual;;\n",
    "enrolment_methods off": "course;enrol;source;disabled;enrolperiod\nC3;cohort;K1;1;\nC4;meta;C1;1;\nC2;self;;1;9\n",
    "enrolment_methods del": "cmd;course;enrol\ndel;C3;cohort\ndel;C4;meta\n",
    "custom_fields": "course;field;value\nC1;level;Master\nC2;code;A1\nC1;due;2027-09-01\nC1;level;Bachelor\n",
    "user_preferences unset": "cmd;user;name\nunset;u1;htmleditor\n",
    "categories hide": "category;visible;description\nCategory 1;0;<p>Gone</p>\nEmpty/Deeper;0;\n",
    "categories": "cmd;category;name;parent;visible;contentto\nadd;New;;;1;\nadd;New/Inner;;;0;\nadd;Category 1;One;New;0;\n"
    "del;Empty;;;;Other\n",
    "courses_reset": RESET.format(course="C1"),
    "courses_delete": "C1\nC3\n",
}


def carry_out(installation: Installation, name: str, content: str | bytes) -> SyncRun:
    key = name.split(" ", maxsplit=1)[0]
    options = {"forceupdate": 1} if key == "courses" else {}
    run = installation.carry_out("/in.csv", content, processor=key, **options)
    assert run.state == "completed", (name, run.state, run.counts, run.error_code, run.error_params)
    return run


def test_all_tables_are_as_before_a_run_and_after_it_again(installation_everywhere: Installation) -> None:
    installation, moodle = installation_everywhere, installation_everywhere.moodle
    furnish(moodle)
    add_course_fields(moodle)
    moodle.insert("user_preferences", userid=moodle.one("user", username="u1")["id"], name="htmleditor", value="atto")
    bring_in_order(moodle)
    for name, content in FILES.items():
        before = moodle.snapshot()
        check_round_trip(installation, carry_out(installation, name, content), before)
    before = moodle.snapshot()
    deeper = moodle.one("course_categories", name="Deeper")["id"]
    content = f"categoryid;path\n{deeper};Empty / Deeper\n"
    check_round_trip(installation, carry_out(installation, "categories_delete", content), before)


@pytest.mark.sites("mariadb:5.2", "postgresql:4.1")
@pytest.mark.parametrize("name", ["courses_delete", "courses_reset", "users_delete"])
def test_what_has_a_row_in_every_table_comes_back_whole(installation_everywhere: Installation, name: str) -> None:
    moodle = installation_everywhere.moodle
    furniture.furnish(moodle, moodle.ids["C1"], moodle.ids["C1 context"])
    # Rows whose user isn't there don't come back.
    for table in ("user_enrolments", "groups_members", "role_assignments"):
        moodle.execute(
            f"UPDATE {{{table}}} SET userid = :ann WHERE userid NOT IN (SELECT id FROM {{user}})", ann=moodle.ids["ann"]
        )
    bring_in_order(moodle)
    before = moodle.snapshot()
    content = {"courses_delete": "C1\n", "courses_reset": RESET.format(course="C1"), "users_delete": "username\nann\n"}[
        name
    ]
    check_round_trip(installation_everywhere, carry_out(installation_everywhere, name, content), before)


@pytest.mark.sites("real:m520-seeded", "real:m45pg-seeded")
@pytest.mark.parametrize("name", ["courses_delete", "courses_reset", "courses copy"])
def test_the_richest_course_of_a_real_site_comes_back_whole(installation_everywhere: Installation, name: str) -> None:
    moodle = installation_everywhere.moodle
    modules = [row["course"] for row in moodle.rows("course_modules")]
    if not modules:
        pytest.skip("this site has no activity")
    course = moodle.one("course", id=max(set(modules), key=modules.count))["shortname"]
    bring_in_order(moodle)
    before = moodle.snapshot()
    content = {
        "courses_delete": f"{course}\n",
        "courses_reset": RESET.format(course=course),
        "courses copy": f"shortname;fullname;template\nCOPY;A copy;{course}\n",
    }[name]
    check_round_trip(installation_everywhere, carry_out(installation_everywhere, name, content), before)


@pytest.mark.sites("sqlite:4.1")
@pytest.mark.parametrize("at_once", [True, False])
def test_replaced_pictures_come_back_from_the_pool_or_from_the_trash(
    installation_everywhere: Installation, settings: Settings, tmp_path: Path, at_once: bool
) -> None:
    installation = installation_everywhere
    data = data_folder(tmp_path / "moodledata")
    settings.TOOLSYNC_MOODLE_DATAROOT = str(data)
    if at_once:
        save_retention(installation.site, reports=0, archives=0, trybacks=0, journals=0, trashes_at_once=True)
    red, green = (zip_of({"ann.png": picture(colour=colour)}) for colour in ((200, 0, 0), (0, 200, 0)))
    options = {"processor": "userpictures", "overwrite": 1, "fileprefix": "pictures"}
    installation.carry_out("/pictures.zip", red, **options)
    before, contents = installation.moodle.snapshot(), blobs(data)
    run = installation.carry_out("/pictures.zip", green, **options)
    check_round_trip(installation, run, before)
    assert {name: blobs(data).get(name) for name in contents} == contents
