"""Every function of the old plugin, called over the wire by a client as people write them, and the rows that it leaves."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from celery import current_app
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from sync.api.moodle_protocol.registry import FUNCTIONS
from sync.errors import OptionError
from sync.models import CommandFile, MailPreferences, ProcessorSettings, RoleAssignment, Scope, Source, SyncRun
from sync.people.tokens import make_token
from sync.runs.options import resolve_options
from sync.runs.source_settings import SourceChoice, save_source
from tests.api.conftest import MakeProgram
from tests.api.moodle_client import MoodleClient
from tests.installation import Installation
from tests.installation_fixture import installation
from tests.moodle_sites import BEGAN, MoodleSite
from tests.open_files import all_closed
from tests.processors.enrolment_people import add_people, enrol, groups, join_group, roles

__all__ = ["installation"]

STUDENT, TEACHER = 5, 4
MakeClient = Callable[..., MoodleClient]


@pytest.fixture
def moodle(installation: Installation) -> MoodleSite:
    """bob and eve belong nowhere; ann is in the cohort Y1 and enrolled in C1, in a group; Y2 is empty."""
    site = installation.moodle
    add_people(site, "bob", "eve")
    site.execute("UPDATE {config} SET value = 'manual,guest,self,cohort' WHERE name = 'enrol_plugins_enabled'")
    site.execute("UPDATE {course_categories} SET idnumber = 'MATHS' WHERE id = 1")
    for name in ("Y1", "Y2"):
        site.ids[name] = site.insert(
            "cohort", contextid=1, name=f"Year {name}", idnumber=name, description="<p>x</p>", descriptionformat=1, visible=1,
            component="", timecreated=BEGAN, timemodified=BEGAN,
        )  # fmt: skip
    site.insert("cohort_members", cohortid=site.ids["Y1"], userid=site.ids["ann"], timeadded=BEGAN)
    enrol(site, "ann", timestart=100, timeend=0)
    site.ids["G"] = site.insert(
        "groups",
        courseid=site.ids["C1"],
        name="Group",
        description="d",
        descriptionformat=1,
        timecreated=1,
        timemodified=1,
    )
    join_group(site, "ann", site.ids["G"])
    return site


@pytest.fixture
def make_client(installation: Installation, live_server: LiveServer, monkeypatch: pytest.MonkeyPatch) -> MakeClient:
    """Clients with a token; what they ask for is carried out at once, as by a worker that is free."""
    monkeypatch.setattr(current_app.conf, "task_always_eager", True)

    def make(*scopes: str, role: str = "administrator", file_types: tuple[str, ...] = ()) -> MoodleClient:
        person = User.objects.create_user(f"caller{User.objects.count()}")
        RoleAssignment.objects.create(person=person, site=installation.site, role=role, file_types=list(file_types))
        made = make_token(
            person, installation.site, person, name="old script", scopes=scopes or tuple(Scope), file_types=(), days=30
        )
        return MoodleClient(live_server.url, made.secret)

    return make


@pytest.fixture
def client(make_client: MakeClient, moodle: MoodleSite) -> MoodleClient:
    return make_client()


def named(course: str = "C1", user: str = "bob") -> dict[str, Any]:
    return {"courseidsource": "shortname", "courseid": course, "useridsource": "username", "userid": user}


def failure(answer: Any, errorcode: str, exception: str = "moodle_exception") -> str:
    """Return the message of an error, and make sure that it is this one."""
    assert answer.keys() == {"exception", "errorcode", "message"}, answer
    assert (answer["errorcode"], answer["exception"]) == (errorcode, exception), answer
    return str(answer["message"])


def invalid(answer: Any) -> str:
    return failure(answer, "invalidparameter", "invalid_parameter_exception")


def test_users_are_enrolled_and_unenrolled(client: MoodleClient, moodle: MoodleSite) -> None:
    student = {"roleidsource": "shortname", "roleid": "student"}
    assert client.call("tool_sync_enrol_user_enrol", **student, **named(), timestart=1_700_000_000, timeend=0) is True
    row = moodle.one("user_enrolments", userid=moodle.ids["bob"])
    assert (row["enrolid"], row["status"], row["timestart"], row["timeend"]) == (
        moodle.ids["C1 manual"], 0, 1_700_000_000, 0
    )  # fmt: skip
    assert roles(moodle, "bob") == [(STUDENT, "", 0)]

    teacher = {"roleidsource": "id", "roleid": TEACHER}
    eve = {"courseidsource": "id", "courseid": moodle.ids["C2"], "useridsource": "email", "userid": "eve@example.org"}
    bob = {"courseidsource": "idnumber", "courseid": "IDC2", "useridsource": "idnumber", "userid": "I-bob"}
    enrols = [{**teacher, **eve, "suspend": 1}, {**student, **bob, "timestart": 1_600_000_000}]
    assert client.call("tool_sync_enrol_users_enrol", enrols=enrols) == [
        {"userid": "eve@example.org", "status": True}, {"userid": "I-bob", "status": True}
    ]  # fmt: skip
    assert moodle.one("user_enrolments", userid=moodle.ids["eve"])["status"] == 1
    assert roles(moodle, "eve", "C2") == [(TEACHER, "", 0)]

    assert client.call("tool_sync_enrol_user_unenrol", **named()) is True
    assert roles(moodle, "bob") == []
    assert client.call("tool_sync_enrol_user_unenrol", **named()) is True
    assert client.call("tool_sync_enrol_users_unenrol", enrols=[named("C2"), named("C2", "eve")]) == [
        {"userid": "bob", "status": True}, {"userid": "eve", "status": True}
    ]  # fmt: skip
    assert moodle.rows("user_enrolments", userid=moodle.ids["eve"]) == []

    assert "User not found by username: nobody" in invalid(
        client.call("tool_sync_enrol_user_enrol", **student, **named(user="nobody"))
    )
    failure(client.call("tool_sync_enrol_user_enrol", **student, **named(), method="flatfile"), "enrol_method_inactive")
    mixed = [{**student, **named()}, {**student, **named(user="nobody")}]
    invalid(client.call("tool_sync_enrol_users_enrol", enrols=mixed))
    assert moodle.rows("user_enrolments", userid=moodle.ids["bob"]) == []


def test_roles_are_given_in_contexts_and_taken_away(client: MoodleClient, moodle: MoodleSite) -> None:
    bob = {"useridsource": "username", "userid": "bob"}
    creator = {"roleidsource": "shortname", "roleid": "coursecreator", "contexttype": "coursecat"}
    course = {"contexttype": 50, "instanceidsource": "shortname", "instanceid": "C1"}
    maths = {"instanceidsource": "idnumber", "instanceid": "MATHS"}
    assigned = client.call("tool_sync_enrol_role_assign", **creator, **maths, **bob)
    row = moodle.one("role_assignments", userid=moodle.ids["bob"])
    assert (row["id"], row["contextid"]) == (assigned, moodle.one("context", contextlevel=40, instanceid=1)["id"])
    assert client.call("tool_sync_enrol_role_assign", **creator, **maths, **bob) == assigned

    for number, shift in ((STUDENT, False), (TEACHER, True)):
        role = {"roleidsource": "id", "roleid": number}
        client.call("tool_sync_enrol_role_assign", **role, **course, **bob, shiftrole=shift)
    assert roles(moodle, "bob") == [(TEACHER, "", 0)]

    site = {
        "roleidsource": "shortname",
        "roleid": "coursecreator",
        "contexttype": "system",
        "instanceidsource": "id",
        "instanceid": 0,
    }
    ours = {**course, **bob, "roleidsource": "id", "roleid": STUDENT, "component": "enrol_sync"}
    assert client.call("tool_sync_enrol_role_assigns", roleassigns=[{**site, **bob}, ours]) == [
        {"userid": "bob", "status": True}, {"userid": "bob", "status": True}
    ]  # fmt: skip
    assert roles(moodle, "bob") == [(TEACHER, "", 0), (STUDENT, "enrol_sync", 0)]

    assert client.call("tool_sync_enrol_role_unassign", roleidsource="id", roleid="*", **course, **bob) is True
    assert roles(moodle, "bob") == [(STUDENT, "enrol_sync", 0)]
    gone = [{**creator, **maths, **bob}, {**site, **bob}, ours]
    assert client.call("tool_sync_enrol_role_unassigns", roleunassigns=gone) == [{"userid": "bob", "status": True}] * 3
    assert moodle.rows("role_assignments", userid=moodle.ids["bob"]) == []

    assert "not in acceptable ranges" in invalid(
        client.call("tool_sync_enrol_role_assign", **creator, **bob, instanceidsource="shortname", instanceid="x")
    )
    # The name of a component is kept in small letters.
    capitals = {**ours, "component": " Enrol_Sync "}
    assert (
        client.call("tool_sync_enrol_role_assign", **capitals)
        == moodle.one("role_assignments", component="enrol_sync")["id"]
    )
    failure(
        client.call("tool_sync_enrol_role_assign", **{**site, "roleid": "manager"}, **bob), "role_hands_out_roles"
    )  # fmt: skip


def test_who_is_enrolled_is_told(client: MoodleClient, moodle: MoodleSite) -> None:
    enrol(moodle, "bob", status=1, timestart=100, timeend=0)
    moodle.execute("UPDATE {user} SET idnumber = '' WHERE username = 'bob'")
    course = {"courseidsource": "idnumber", "courseid": "IDC1"}
    ann = {"id": moodle.ids["ann"], "username": "ann", "firstname": "Ann", "lastname": "Smith", "idnumber": "A1"}
    bob = {"id": moodle.ids["bob"], "username": "bob", "firstname": "Bob", "lastname": "Person", "idnumber": None}
    assert client.call("tool_sync_get_enrolled_users", **course) == [ann, bob]
    active = [{"name": "onlyactive", "value": "1"}]
    assert client.call("tool_sync_get_enrolled_users", **course, options=active) == [ann]
    order = [{"name": "sortby", "value": "lastname"}, {"name": "limitnumber", "value": "1"}]
    assert client.call("tool_sync_get_enrolled_users", **course, options=order) == [bob]
    group = [{"name": "groupid", "value": str(moodle.ids["G"])}]
    assert client.call("tool_sync_get_enrolled_users", **course, options=group) == [ann]

    full, suspended = client.call("tool_sync_get_enrolled_full_users", **course)
    assert list(full)[:5] == ["id", "username", "firstname", "lastname", "fullname"]
    assert (full["fullname"], full["email"], full["city"], full["country"]) == ("Ann Smith", "ann@x.org", "Lyon", "FR")
    assert full["groups"] == [{"id": moodle.ids["G"], "name": "Group", "description": "d", "descriptionformat": 1}]
    role = moodle.one("role", shortname="student")
    assert full["roles"] == [{"roleid": STUDENT, "name": role["name"], "shortname": "student", "sortorder": 0}]
    assert full["enrolledcourses"] == [{"id": moodle.ids["C1"], "fullname": "Course C1", "shortname": "C1"}]
    assert "enrolledcourses" not in suspended
    assert "idnumber" not in suspended
    assert full["customfields"] == [{"type": "menu", "value": "Green", "name": "Col", "shortname": "col"}]
    assert "Invalid value for sortby" in invalid(
        client.call("tool_sync_get_enrolled_users", **course, options=[{"name": "sortby", "value": "password"}])
    )
    assert client.call("tool_sync_check_course", **course) is True
    assert client.call("tool_sync_check_course", courseidsource="shortname", courseid="NOPE") is False
    invalid(client.call("tool_sync_check_course", courseidsource="fullname", courseid="NOPE"))


def test_cohorts_are_told_and_changed(client: MoodleClient, moodle: MoodleSite) -> None:
    y1, y2 = moodle.ids["Y1"], moodle.ids["Y2"]
    told = {"description": "<p>x</p>", "descriptionformat": 1, "visible": True}
    first = {"id": y1, "name": "Year Y1", "idnumber": "Y1", **told}
    assert client.call("tool_sync_get_cohorts", cohortidsource="id") == [
        first, {"id": y2, "name": "Year Y2", "idnumber": "Y2", **told}
    ]  # fmt: skip
    assert client.call("tool_sync_get_cohorts", cohortidsource="idnumber", cohortids=["Y1", "NOPE"]) == [first]
    invalid(client.call("tool_sync_get_cohorts", cohortidsource="name", cohortids=["Y1"]))

    members = [
        {"cohorttype": {"type": "idnumber", "value": name}, "usertype": {"type": kind, "value": user}}
        for name, kind, user in (("Y2", "username", "bob"), ("Y2", "idnumber", "I-eve"), ("Y1", "id", moodle.ids["ann"]),
                                 ("NOPE", "username", "bob"))
    ]  # fmt: skip
    assert client.call("tool_sync_cohort_add_members", members=members) == {
        "warnings": [
            {"warningcode": "2", "message": "cohort idnumber=NOPE not exists"},
            {"warningcode": "3", "message": f"record already exists: cohort(idnumber=Y1 id={moodle.ids['ann']})"},
        ]
    }
    bob, eve = client.call("tool_sync_cohort_get_users", chidsource="idnumber", chid="Y2")
    assert (bob["username"], eve["fullname"]) == ("bob", "Eve Person")
    assert "groups" not in bob
    options = [{"name": "sortdirection", "value": "desc"}, {"name": "userfields", "value": "username"}]
    assert client.call("tool_sync_cohort_get_users", chidsource="id", chid=y2, options=options) == [
        {"id": moodle.ids["eve"], "username": "eve", "fullname": "Eve Person"},
        {"id": moodle.ids["bob"], "username": "bob", "fullname": "Bob Person"},
    ]

    assert client.call("tool_sync_cohort_delete_members", members=members[:1]) is None
    assert [row["userid"] for row in moodle.rows("cohort_members", cohortid=y2)] == [moodle.ids["eve"]]
    assert "Cohort not found by idnumber : NOPE" in invalid(
        client.call("tool_sync_cohort_delete_members", members=members)
    )
    assert client.call("tool_sync_cohort_delete_members", members=members, blocking=0) is None
    assert moodle.rows("cohort_members") == []

    assert client.call("tool_sync_cohort_delete", chidsource="idnumber", chid="Y2") is True
    assert client.call("tool_sync_cohort_delete", chidsource="idnumber", chid="Y2") is False
    assert [row["id"] for row in moodle.rows("cohort")] == [y1]


def test_cohorts_are_linked_with_courses(client: MoodleClient, moodle: MoodleSite) -> None:
    link = {"chidsource": "idnumber", "chid": "Y1", "cidsource": "shortname", "cid": "C2"}
    role = {"ridsource": "shortname", "rid": "student"}
    assert client.call("tool_sync_cohort_bind", **link, **role) is True
    (bound,) = moodle.rows("enrol", enrol="cohort")
    assert (bound["courseid"], bound["customint1"], bound["roleid"], bound["status"]) == (
        moodle.ids["C2"], moodle.ids["Y1"], STUDENT, 0
    )  # fmt: skip
    assert (bound["customint2"], bound["enrolstartdate"], bound["enrolenddate"]) == (0, 0, 0)

    def status() -> int:
        return int(moodle.one("enrol", enrol="cohort")["status"])

    assert client.call("tool_sync_cohort_suspend_enrol", **link) is True
    assert status() == 1
    assert client.call("tool_sync_cohort_restore_enrol", **link) is True
    assert status() == 0
    client.call("tool_sync_cohort_suspend_enrol", **link)
    assert client.call("tool_sync_cohort_bind", **link, **role, method="cohort") is True
    assert status() == 0
    assert client.call("tool_sync_cohort_unbind", **link) is True
    assert moodle.rows("enrol", enrol="cohort") == []
    assert client.call("tool_sync_cohort_unbind", **link) is True
    assert client.call("tool_sync_cohort_suspend_enrol", **link) is True
    assert "Bad enrol method manual" in invalid(client.call("tool_sync_cohort_bind", **link, **role, method="manual"))
    assert "Course not found by shortname" in invalid(
        client.call("tool_sync_cohort_restore_enrol", chidsource="idnumber", chid="Y1")
    )


def test_a_course_is_made_like_another_with_its_texts_replaced(client: MoodleClient, moodle: MoodleSite) -> None:
    moodle.insert("course_sections", course=moodle.ids["C1"], section=0, name=None, summary="See data1", sequence="")
    asked = {
        "categoryidsource": "idnumber", "categoryid": "MATHS", "templateidsource": "shortname", "templateid": "C1",
        "shortname": "NEW", "fullname": "New; course", "idnumber": "N1",
        "replacements": json.dumps({"section0:summary:data1": "Insertion 1"}),
    }  # fmt: skip
    courseid = client.call("tool_sync_deploy_course", **asked)
    row = moodle.one("course", shortname="NEW")
    assert (row["id"], row["category"], row["fullname"], row["idnumber"]) == (courseid, 1, "New; course", "N1")
    assert moodle.one("course_sections", course=courseid, section=0)["summary"] == "See Insertion 1"
    failure(client.call("tool_sync_deploy_course", **asked), "shortnametaken")
    invalid(client.call("tool_sync_deploy_course", **{**asked, "shortname": "X", "categoryid": "NOPE"}))


def test_files_are_committed_and_processed(
    client: MoodleClient, moodle: MoodleSite, installation: Installation
) -> None:
    assert client.call("tool_sync_set_config", service="users", confkey="primaryidentity", confvalue="username") is True
    assert resolve_options(installation.site, "users")["primaryidentity"] == "username"
    location = {"service": "users", "confkey": "filelocation", "confvalue": "people.csv"}
    assert client.call("tool_sync_set_config", **location) is True
    assert Source.objects.get(processor="users").location == "people.csv"
    invalid(client.call("tool_sync_set_config", service="users", confkey="password", confvalue="x"))
    failure(client.call("tool_sync_process", service="users", action="sync"), "nofile")

    (kept,) = client.upload("people.csv", b"username;firstname;lastname;email\nzoe;Zoe;Z;zoe@x.org\n")
    assert (kept["filename"], kept["filearea"]) == ("people.csv", "draft")
    (again,) = client.upload("people.csv", b"x", itemid=kept["itemid"])
    assert again["errortype"] == "filenameexist"
    assert client.call("tool_sync_commit_file", draftitemid=kept["itemid"]) is True
    assert {file.path for file in CommandFile.objects.all()} == {"/people.csv"}
    failure(client.call("tool_sync_commit_file", draftitemid=kept["itemid"]), "nofile")

    report = client.call("tool_sync_process", service="users", action="sync")
    assert "zoe" in report
    assert moodle.one("user", username="zoe")["email"] == "zoe@x.org"
    invalid(client.call("tool_sync_process", service="users", action="delete"))


def test_a_file_place_leaves_a_source_elsewhere_and_what_else_is_set(
    client: MoodleClient, installation: Installation
) -> None:
    address = "https://sis.example.org/users.csv?key=s3cret"
    save_source(installation.site, "users", SourceChoice(kind="address", location=address, password="hush"))
    before = Source.objects.filter(processor="users").values().get()
    location = {"service": "users", "confkey": "filelocation", "confvalue": "people.csv"}
    assert "users" in failure(client.call("tool_sync_set_config", **location), "sourceelsewhere")
    assert Source.objects.filter(processor="users").values().get() == before

    save_source(installation.site, "cohorts", SourceChoice(location="old.csv", take_all=True, leave_same=True))
    assert client.call("tool_sync_set_config", **{**location, "service": "cohorts"}) is True
    stored = Source.objects.get(processor="cohorts")
    assert (stored.location, stored.take_all, stored.leave_same) == ("people.csv", True, True)


def test_answers_come_as_xml_and_by_every_way_that_php_sends(client: MoodleClient, moodle: MoodleSite) -> None:
    course = {"courseidsource": "shortname", "courseid": "C1"}
    assert client.raw("tool_sync_check_course", "xml", course) == (
        b'<?xml version="1.0" encoding="UTF-8" ?>\n<RESPONSE>\n<VALUE>1</VALUE>\n</RESPONSE>\n'
    )
    found = ElementTree.fromstring(client.raw("tool_sync_get_enrolled_users", "xml", course, multipart=True))
    keys = {key.get("name"): key.findtext("VALUE") for key in found.findall("MULTIPLE/SINGLE/KEY")}
    assert keys == {
        "id": str(moodle.ids["ann"]), "username": "ann", "firstname": "Ann", "lastname": "Smith", "idnumber": "A1"
    }  # fmt: skip
    error = ElementTree.fromstring(client.raw("tool_sync_check_course", "xml", {"courseid": "<C1>"}))
    assert (error.tag, error.get("class")) == ("EXCEPTION", "invalid_parameter_exception")
    assert error.findtext("ERRORCODE") == "invalidparameter"
    assert client.get("tool_sync_check_course", **course) is True
    assert json.loads(client.raw("tool_sync_check_course", "json", course, multipart=True)) is True


def test_wrong_parameters_are_named(client: MoodleClient) -> None:
    course = {"courseidsource": "shortname", "courseid": "C1"}
    assert "Unexpected keys (more)" in invalid(client.call("tool_sync_check_course", **course, more=1))
    assert "Missing required key in single structure: courseid" in invalid(
        client.call("tool_sync_check_course", courseidsource="id")
    )
    assert "draftitemid => " in invalid(client.call("tool_sync_commit_file", draftitemid="x1"))
    assert "Only arrays accepted" in invalid(client.call("tool_sync_enrol_users_enrol", enrols="all"))
    assert "Scalar type expected" in invalid(client.call("tool_sync_check_course", courseidsource=["id"], courseid=1))
    failure(client.call("tool_sync_format_disk"), "invalidrecord", "dml_missing_record_exception")
    invalid(client.call(""))


def test_a_token_does_what_its_scopes_and_its_person_may(
    make_client: MakeClient, client: MoodleClient, moodle: MoodleSite
) -> None:
    unknown = MoodleClient(client.base, "tsk_nothing")
    failure(unknown.call("tool_sync_check_course", courseidsource="id", courseid=2), "invalidtoken")
    failure(unknown.upload("a.csv", b"x" * 200_000), "invalidtoken")
    denied = ("accessexception", "webservice_access_exception")
    reader = make_client("read")
    assert reader.call("tool_sync_check_course", courseidsource="shortname", courseid="C1") is True
    failure(reader.call("tool_sync_enrol_user_unenrol", **named()), *denied)
    failure(reader.upload("a.csv", b"x"), *denied)
    failure(make_client("plan").call("tool_sync_enrol_user_unenrol", **named()), *denied)
    failure(make_client("read", "plan", "apply").call(
        "tool_sync_set_config", service="users", confkey="primaryidentity", confvalue="username"
    ), *denied)  # fmt: skip
    # As of before there were roles: to run a file type is not to hand in files for everybody.
    runner = make_client(role="viewer")
    person = User.objects.latest("pk")
    person.user_permissions.add(Permission.objects.get(codename="run_users"))
    failure(runner.upload("userimport.csv", b"x"), *denied)
    failure(runner.call("tool_sync_commit_file", draftitemid=1), *denied)
    person.user_permissions.add(Permission.objects.get(codename="manage_files"))
    (kept,) = runner.upload("userimport.csv", b"x")
    assert runner.call("tool_sync_commit_file", draftitemid=kept["itemid"]) is True
    groups_only = make_client(role="operator", file_types=("groups",))
    failure(groups_only.call("tool_sync_enrol_user_unenrol", **named(user="ann")), *denied)
    courses_only = make_client("read", role="operator", file_types=("courses",))
    assert courses_only.call("tool_sync_check_course", courseidsource="shortname", courseid="C1") is True
    failure(courses_only.call("tool_sync_get_enrolled_users", courseidsource="shortname", courseid="C1"), *denied)
    # Whose roles were taken away meanwhile.
    formerly = make_client("read", role="operator")
    RoleAssignment.objects.filter(person=User.objects.latest("pk")).delete()
    failure(formerly.call("tool_sync_check_course", courseidsource="shortname", courseid="C1"), *denied)
    failure(formerly.call("tool_sync_get_cohorts", cohortidsource="id"), *denied)
    assert groups(moodle, "ann")
    assert not SyncRun.objects.exists()


def test_who_may_not_write_learns_nothing_of_who_there_is(make_client: MakeClient, moodle: MoodleSite) -> None:
    """Whether what a call names is there is no other answer."""
    role = {"roleidsource": "shortname", "roleid": "student"}
    link = {"chidsource": "idnumber", "chid": "NOPE", "cidsource": "shortname", "cid": "C2"}
    member = {"cohorttype": {"type": "idnumber", "value": "NOPE"}, "usertype": {"type": "username", "value": "bob"}}
    course = {
        "categoryidsource": "id", "categoryid": 1, "templateidsource": "shortname", "templateid": "NOPE", "shortname": "C1",
        "fullname": "X", "idnumber": "",
    }  # fmt: skip
    enrol, where = (
        {**named(user="nobody"), **role},
        {"contexttype": "system", "instanceidsource": "id", "instanceid": 0},
    )
    assign = {**where, **role, "useridsource": "username", "userid": "nobody"}
    calls: dict[str, dict[str, Any]] = {
        "enrol_user_enrol": enrol, "enrol_users_enrol": {"enrols": [enrol]}, "enrol_user_unenrol": named(user="nobody"),
        "enrol_users_unenrol": {"enrols": [named(user="nobody")]}, "enrol_role_assign": assign,
        "enrol_role_assigns": {"roleassigns": [assign]}, "enrol_role_unassign": assign,
        "enrol_role_unassigns": {"roleunassigns": [assign]}, "cohort_bind": {**link, **role}, "cohort_unbind": link,
        "cohort_suspend_enrol": link, "cohort_restore_enrol": link, "cohort_delete": {"chidsource": "idnumber", "chid": "NOPE"},
        "cohort_add_members": {"members": [member]}, "cohort_delete_members": {"members": [member]}, "deploy_course": course,
    }  # fmt: skip
    assert {f"tool_sync_{name}" for name in calls} == {name for name, each in FUNCTIONS.items() if each.file_type}
    groups_only, all_types = make_client(role="operator", file_types=("groups",)), make_client()
    for name, params in calls.items():
        failure(groups_only.call(f"tool_sync_{name}", **params), "accessexception", "webservice_access_exception")
        # Who may write is told.
        said = all_types.call(f"tool_sync_{name}", **params)
        assert not isinstance(said, dict) or said.get("errorcode") != "accessexception", (name, said)


def test_a_call_that_is_refused_leaves_no_file(
    client: MoodleClient, moodle: MoodleSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_asked: Any) -> None:
        raise OptionError("site_out_of_use", site="Main")

    monkeypatch.setattr("sync.runs.services.queue_run", refuse)
    student = {"roleidsource": "shortname", "roleid": "student"}
    failure(client.call("tool_sync_enrol_user_enrol", **student, **named()), "site_out_of_use")
    assert not CommandFile.objects.exists()


def test_nothing_is_changed_on_a_site_that_is_out_of_use(
    client: MoodleClient, moodle: MoodleSite, installation: Installation
) -> None:
    installation.site.in_use = False
    installation.site.save()
    student = {"roleidsource": "shortname", "roleid": "student"}
    failure(client.call("tool_sync_enrol_user_enrol", **student, **named()), "site_out_of_use")
    failure(
        client.call("tool_sync_set_config", service="users", confkey="primaryidentity", confvalue="email"),
        "site_out_of_use",
    )
    failure(client.upload("users.csv", b"x"), "site_out_of_use")
    assert client.call("tool_sync_check_course", courseidsource="shortname", courseid="C1") is True
    assert not ProcessorSettings.objects.exists()
    assert not CommandFile.objects.exists()


def test_a_call_that_would_take_too_much_away_is_held_and_says_so(
    client: MoodleClient, moodle: MoodleSite, settings: Settings
) -> None:
    settings.TOOLSYNC_GUARD = True
    names = [f"m{number}" for number in range(30)]
    add_people(moodle, *names)
    for name in names:
        enrol(moodle, name)
    message = failure(
        client.call("tool_sync_enrol_users_unenrol", enrols=[named(user=name) for name in names]), "run_held"
    )
    run = SyncRun.objects.get(simulate=False)
    assert f"Run {run.pk} waits for a person" in message
    assert run.waits_for_person
    assert len(moodle.rows("user_enrolments")) == 31


def test_every_function_is_tried_here() -> None:
    text = Path(__file__).read_text(encoding="utf-8")
    assert len(FUNCTIONS) == 24
    assert [name for name in FUNCTIONS if f'call("{name}"' not in text.replace("call(\n        ", "call(")] == []


@pytest.mark.parametrize(
    ("asked", "own", "accepted", "begins"),
    [
        ("fr", "", "", "Jeton"), ("fr_ca", "", "", "Jeton"), ("tlh", "", "", "Invalid token"), ("", "", "fr", "Jeton"),
        ("en", "", "fr", "Invalid token"),
    ],
)  # fmt: skip
@pytest.mark.django_db
def test_errors_are_in_the_language_that_is_asked_for(asked: str, own: str, accepted: str, begins: str) -> None:
    fields = {"wstoken": "tsk_wrong", "moodlewsrestformat": "json", "moodlewssettinglang": asked}
    answer = Client().post(
        "/webservice/rest/server.php", fields, headers={"Accept-Language": accepted} if accepted else {}
    )
    assert answer.json()["message"].startswith(begins), answer.json()


def test_errors_are_in_the_language_of_the_person(program: MakeProgram) -> None:
    asking = program()
    MailPreferences.objects.create(person=asking.person, language="fr")
    fields = {"wstoken": asking.secret, "moodlewsrestformat": "json", "wsfunction": "none"}
    assert "Can't find" not in Client().post("/webservice/rest/server.php", fields).json()["message"]
    asked = {**fields, "moodlewssettinglang": "en"}
    assert "Can't find" in Client().post("/webservice/rest/server.php", asked).json()["message"]


def test_files_that_were_uploaded_are_closed(program: MakeProgram, settings: Settings) -> None:
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 10
    with all_closed():
        for itemid in ("0", "wrong"):
            handed = SimpleUploadedFile("users.csv", b"username;firstname\n" * 100)
            fields = {"token": program().secret, "itemid": itemid, "filearea": "draft", "file": handed}
            assert Client().post("/webservice/upload.php", fields).json()[0]["filename"] == "users.csv"
