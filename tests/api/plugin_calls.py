"""Calls of the old plugin's web services, and the small Moodle on which they are made; what came of them is in plugin_rows.json.

The rows were recorded from the plugin itself, as it answered the same client on a real Moodle 4.1 with this base.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.api.moodle_client import MoodleClient
from tests.api.readable_rows import Teller, Told
from tests.moodle_sites import BEGAN, MoodleSite
from tests.processors.enrolment_people import EDITING_TEACHER, STUDENT, add_people, enrol, give_role, join_group

NOBODY = 987_654
_PICTURES = ("profileimageurl", "profileimageurlsmall")
_NUMBERED = ("id", "roleid")
_NUMBER = re.compile(r"(?<=id)=[0-9]+")
SHORT_COURSE = {"courseidsource": "shortname", "courseid": "C1"}
BOB = {"useridsource": "username", "userid": "bob"}
ANN = {"useridsource": "username", "userid": "ann"}
DAN = {"useridsource": "username", "userid": "dan"}
ROLE_STUDENT = {"roleidsource": "shortname", "roleid": "student"}
ROLE_TEACHER = {"roleidsource": "shortname", "roleid": "editingteacher"}
ROLE_CREATOR = {"roleidsource": "shortname", "roleid": "coursecreator"}
ROLE_MENTOR = {"roleidsource": "shortname", "roleid": "mentor"}
IN_C1 = {"contexttype": 50, "instanceidsource": "shortname", "instanceid": "C1"}
Y1_IN_C2 = {"chidsource": "idnumber", "chid": "Y1", "cidsource": "shortname", "cid": "C2"}
Y2_IN_C1 = {"chidsource": "idnumber", "chid": "Y2", "cidsource": "shortname", "cid": "C1"}
Y3_IN_C2 = {"chidsource": "idnumber", "chid": "Y3", "cidsource": "idnumber", "cid": "IDC2"}
AS_STUDENT = {"ridsource": "shortname", "rid": "student"}

# Why ours is another; docs/web-services.md tells it to people.
CODE = "one code for all that isn't there, or that of the row's rejection"
FIRST = "the plugin does what stands before the fault in a list; here nothing is done unless all is there"
NUMBER = "the plugin takes the short name of a role for a number, though the role says nothing"
NOT_THERE = "the plugin fails at what this names, and does nothing"
CONTEXT = "the plugin gives roles where Moodle itself doesn't offer them"
OTHER_USER = "the plugin looks for the user who gets the role in place of the one over whom"
NO_ROLE = "the plugin gives a role that isn't there"
SEVERAL = "Moodle refuses the plugin's answer, though the roles are given"
GROUP = "the plugin writes the group number 1, whatever that is"
DEFAULT = "the plugin refuses its own default"
MORE = "numbers that belong to methods of other plugins"
AT_ONCE = "people leave at once; the plugin leaves them behind for good"
BETWEEN = "the roles go and come back, as when Moodle's task runs between the calls"
BLOCKING = "the plugin fails although it was told to go on"
SETTINGS = "settings are kept here, not in Moodle"
PAID = "only the paid edition of the plugin does it"


@dataclass(frozen=True)
class Calls:
    """Calls made one after the other.

    Shape: steps: function without tool_sync_, parameters; "@ann" is the id of ann; differs: table, or "answers" -> why ours is
    another; "everything" where the plugin did nothing
    """

    name: str
    steps: tuple[tuple[str, Mapping[str, Any]], ...]
    differs: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name


def calls(name: str, *steps: Any, why: str = "", where: str = "") -> Calls:
    """Shape: steps: function, parameters, function, parameters …; where: tables, "answers" or "everything", with spaces between;
    why: ours is another there"""
    return Calls(name, tuple(zip(steps[::2], steps[1::2], strict=True)), dict.fromkeys(where.split(), why))


def add_base_of_calls(site: MoodleSite) -> None:
    """Add to the base of all tests: people in courses, groups and cohorts, cohorts in courses, and a forum."""
    add_people(site, "bob", "eve", "dan", "kim")
    for name in ("bob", "eve", "dan", "kim"):
        _add_context(site, name, 30, site.ids[name], "/1")
    site.execute("UPDATE {config} SET value = 'manual,guest,self,cohort' WHERE name = 'enrol_plugins_enabled'")
    site.execute("UPDATE {course_categories} SET idnumber = 'MATHS' WHERE id = 1")
    site.execute("UPDATE {user} SET idnumber = '' WHERE username = 'kim'")
    for name in ("Y1", "Y2", "Y3"):
        site.ids[name] = site.insert(
            "cohort", contextid=1, name=f"Year {name}", idnumber=name, description="<p>x</p>", descriptionformat=1, visible=1,
            component="", timecreated=BEGAN, timemodified=BEGAN,
        )  # fmt: skip
    for cohort, user in (("Y1", "ann"), ("Y1", "dan"), ("Y3", "eve")):
        site.insert("cohort_members", cohortid=site.ids[cohort], userid=site.ids[user], timeadded=BEGAN)
    site.ids["G"] = site.insert(
        "groups", courseid=site.ids["C1"], name="Group", description="d", descriptionformat=1, timecreated=BEGAN,
        timemodified=BEGAN,
    )  # fmt: skip
    enrol(site, "ann", timestart=100, timeend=0)
    join_group(site, "ann", site.ids["G"])
    enrol(site, "dan", role=EDITING_TEACHER, timestart=0, timeend=0, status=1)
    enrol(site, "kim", timestart=0, timeend=0)
    _add_cohort_enrolments(site)
    _add_forum(site)
    site.ids["mentor"] = site.insert(
        "role", name="Mentor", shortname="mentor", description="", sortorder=99, archetype=""
    )
    site.insert("role_context_levels", roleid=site.ids["mentor"], contextlevel=30)


def _add_cohort_enrolments(site: MoodleSite) -> None:
    """Y3 is in C2, as students and, switched off, as teachers; Y2 is in C1, switched off."""
    bound = (("Y3", "C2", STUDENT, 0), ("Y3", "C2", EDITING_TEACHER, 1), ("Y2", "C1", STUDENT, 1))
    for number, (cohort, course, role, status) in enumerate(bound):
        found = site.insert(
            "enrol", enrol="cohort", status=status, courseid=site.ids[course], sortorder=1 + number, roleid=role,
            customint1=site.ids[cohort], customint2=0, timecreated=BEGAN, timemodified=BEGAN,
        )  # fmt: skip
        if status == 0:
            enrol(site, "eve", course, None, enrolid=found, timestart=0, timeend=0)
            give_role(site, "eve", course, role, component="enrol_cohort", itemid=found)


def _add_forum(site: MoodleSite) -> None:
    course, module = site.ids["C1"], site.one("modules", name="forum")["id"]
    section = site.insert("course_sections", course=course, section=0, name=None, summary="See data1", sequence="")
    forum = site.insert("forum", course=course, type="general", name="Forum", intro="", timemodified=BEGAN)
    cm = site.insert(
        "course_modules", course=course, module=module, instance=forum, section=section, idnumber="FORUM", added=BEGAN
    )
    site.execute("UPDATE {course_sections} SET sequence = :cm WHERE id = :id", cm=str(cm), id=section)
    path = site.one("context", id=site.ids["C1 context"])["path"]
    site.ids["forum"], site.ids["cm"] = forum, cm
    _add_context(site, "cm", 70, cm, path)


def _add_context(site: MoodleSite, name: str, level: int, instance: int, above: str) -> None:
    depth = above.count("/") + 1
    context = site.insert("context", contextlevel=level, instanceid=instance, depth=depth)
    site.execute("UPDATE {context} SET path = :path WHERE id = :id", path=f"{above}/{context}", id=context)
    site.ids[f"{name} context"] = context


def resolved(site: MoodleSite, value: Any) -> Any:
    """Return parameters with the ids of this site."""
    if isinstance(value, Mapping):
        return {key: resolved(site, inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [resolved(site, inner) for inner in value]
    if isinstance(value, str) and "@" in value and "." not in value:
        before, _at, name = value.partition("@")
        return f"{before}{site.ids[name]}"
    return value


def carry_out(called: Calls, site: MoodleSite, client: MoodleClient) -> tuple[list[Any], Told]:
    """Return the answers, and the rows that changed."""
    before, began = site.snapshot(), int(time.time())
    answers = [client.call(f"tool_sync_{function}", **resolved(site, params)) for function, params in called.steps]
    return told_answer(answers), Teller(before, site.snapshot(), began, int(time.time())).changes()


def told_answer(answer: Any) -> Any:
    """Return an answer without what differs from site to site: numbers of rows, sentences, addresses of pictures."""
    if isinstance(answer, list):
        return [told_answer(each) for each in answer]
    if not isinstance(answer, dict):
        return "…" if isinstance(answer, int) and not isinstance(answer, bool) else answer
    if "exception" in answer:
        return {"exception": answer["exception"], "errorcode": answer.get("errorcode", "")}
    return {key: _told(key, value) for key, value in answer.items() if key not in _PICTURES}


def _told(key: str, value: Any) -> Any:
    if key in _NUMBERED:
        return "…"
    if key == "userid" and str(value).isdecimal():
        return "…"
    if key == "message":
        return _NUMBER.sub("=…", value)
    return told_answer(value) if isinstance(value, list | dict) else value


def _joined(*parts: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for part in parts for key, value in part.items()}


def _enrol(*who: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return _joined(ROLE_STUDENT, SHORT_COURSE, BOB, *who, more)


def _unenrol(*who: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return _joined(SHORT_COURSE, ANN, *who, more)


def _assign(*who: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return _joined(ROLE_TEACHER, BOB, IN_C1, *who, more)


def _options(**options: Any) -> list[dict[str, str]]:
    return [{"name": name, "value": str(value)} for name, value in options.items()]


def _member(cohort: str, user: str, by: str = "username", cohort_by: str = "idnumber") -> dict[str, Any]:
    return {"cohorttype": {"type": cohort_by, "value": cohort}, "usertype": {"type": by, "value": user}}


BY_IDS = {
    "roleidsource": "id", "roleid": STUDENT, "useridsource": "id", "userid": "@bob", "courseidsource": "id", "courseid": "@C2",
}  # fmt: skip
BY_OTHERS = {
    "useridsource": "email", "userid": "eve@example.org", "courseidsource": "idnumber", "courseid": "IDC1",
}  # fmt: skip
IN_MATHS = {"contexttype": 40, "instanceidsource": "idnumber", "instanceid": "MATHS"}
IN_FORUM = {"contexttype": 70, "instanceidsource": "idnumber", "instanceid": "FORUM"}
OVER_ANN = {"contexttype": 30, "instanceidsource": "id", "instanceid": "@ann"}
SERVICE_KEYS = {
    "courses": ("fileuploadlocation", "filedeletelocation", "filedeleteidentifier", "fileexistslocation",
                "existfileidentifier", "fileresetlocation", "fileresetidentifier"),
    "users": ("filelocation", "primaryidentity"),
    "cohorts": ("filelocation", "useridentifier", "cohortidentifier", "autocreate", "syncdelete"),
    "enrols": ("filelocation", "courseidentifier", "useridentifier"),
}  # fmt: skip


def _config_value(key: str) -> str:
    return "mine.csv" if "location" in key else "idnumber" if "identi" in key else "1"


CASES = (
    calls("enrol", "enrol_user_enrol", _enrol(timestart=1_700_000_000, timeend=1_900_000_000)),
    calls("enrol_by_ids", "enrol_user_enrol", BY_IDS),
    calls("enrol_by_email_and_idnumber", "enrol_user_enrol", _enrol(BY_OTHERS)),
    calls("enrol_by_idnumber", "enrol_user_enrol", _enrol(useridsource="idnumber", userid="I-bob")),
    calls("enrol_suspended", "enrol_user_enrol", _enrol(suspend=1)),
    calls("enrol_twice", "enrol_user_enrol", _enrol(), "enrol_user_enrol", _enrol()),
    calls("enrol_twice_with_other_dates", "enrol_user_enrol", _enrol(timestart=1_700_000_000, timeend=1_900_000_000),
          "enrol_user_enrol", _enrol(timestart=1_600_000_000)),
    calls("enrol_with_another_role", "enrol_user_enrol", _enrol(ANN, ROLE_TEACHER)),
    calls("enrol_who_is_suspended", "enrol_user_enrol", _enrol(DAN)),
    calls("enrol_suspended_who_is_active", "enrol_user_enrol", _enrol(ANN, suspend=1)),
    calls("enrol_unknown_user", "enrol_user_enrol", _enrol(userid="nobody")),
    calls("enrol_unknown_user_by_id", "enrol_user_enrol", _enrol(useridsource="id", userid=NOBODY),
          why=CODE, where="answers"),
    calls("enrol_unknown_course", "enrol_user_enrol", _enrol(courseid="NOPE")),
    calls("enrol_unknown_course_by_id", "enrol_user_enrol", _enrol(courseidsource="id", courseid=NOBODY)),
    calls("enrol_unknown_role", "enrol_user_enrol", _enrol(roleid="nothing")),
    calls("enrol_unknown_role_by_id", "enrol_user_enrol", _enrol(roleidsource="id", roleid=NOBODY),
          why=CODE, where="answers"),
    calls("enrol_unknown_source", "enrol_user_enrol", _enrol(useridsource="phone1")),
    calls("enrol_unknown_method", "enrol_user_enrol", _enrol(method="magic"), why=CODE, where="answers"),
    calls("enrol_by_cohort_method", "enrol_user_enrol", _enrol(method="cohort"), why=CODE, where="answers"),
    calls("enrol_by_self_method", "enrol_user_enrol", _enrol(method="self"), why=CODE, where="answers"),
    calls("enrol_without_course", "enrol_user_enrol", {**ROLE_STUDENT, **BOB}),
    calls("enrol_with_wrong_date", "enrol_user_enrol", _enrol(timestart="tomorrow")),
    calls("enrol_many", "enrol_users_enrol", {"enrols": [_enrol(), BY_IDS, _enrol(BY_OTHERS, suspend=1)]}),
    calls("enrol_many_one_unknown", "enrol_users_enrol", {"enrols": [_enrol(), _enrol(userid="nobody")]},
          why=FIRST, where="role_assignments user_enrolments"),
    calls("enrol_many_none", "enrol_users_enrol", {}),
    calls("unenrol", "enrol_user_unenrol", _unenrol()),
    calls("unenrol_after_enrolling", "enrol_user_enrol", _enrol(), "enrol_user_unenrol", _unenrol(BOB)),
    calls("unenrol_with_role", "enrol_user_unenrol", _unenrol(ROLE_TEACHER),
          why=NUMBER, where="answers groups groups_members role_assignments user_enrolments"),
    calls("unenrol_twice", "enrol_user_unenrol", _unenrol(), "enrol_user_unenrol", _unenrol()),
    calls("unenrol_who_is_not_enrolled", "enrol_user_unenrol", _unenrol(BOB)),
    calls("unenrol_who_is_enrolled_by_cohort", "enrol_user_unenrol",
          _unenrol(useridsource="username", userid="eve", courseid="C2")),
    calls("unenrol_unknown_user", "enrol_user_unenrol", _unenrol(userid="nobody")),
    calls("unenrol_unknown_course", "enrol_user_unenrol", _unenrol(courseid="NOPE")),
    calls("unenrol_by_cohort_method", "enrol_user_unenrol", _unenrol(method="cohort"), why=CODE, where="answers"),
    calls("unenrol_many", "enrol_users_unenrol", {"enrols": [_unenrol(), _unenrol(DAN)]}),
    calls("unenrol_many_one_unknown", "enrol_users_unenrol", {"enrols": [_unenrol(), _unenrol(userid="nobody")]},
          why=FIRST, where="groups groups_members role_assignments user_enrolments"),
    calls("assign_in_course", "enrol_role_assign", _assign()),
    calls("assign_in_course_by_id", "enrol_role_assign", _assign(instanceidsource="id", instanceid="@C2")),
    calls("assign_in_category", "enrol_role_assign", _assign(ROLE_CREATOR, IN_MATHS)),
    calls("assign_in_category_what_is_for_courses", "enrol_role_assign", _assign(IN_MATHS),
          why=CONTEXT, where="answers role_assignments"),
    calls("assign_in_activity", "enrol_role_assign", _assign(IN_FORUM)),
    calls("assign_in_activity_by_id", "enrol_role_assign", _assign(IN_FORUM, instanceidsource="id", instanceid="@cm")),
    calls("assign_in_activity_by_reference", "enrol_role_assign",
          _assign(IN_FORUM, instanceidsource="instanceref", instanceid="forum:@forum"),
          why=NOT_THERE, where="answers role_assignments"),
    calls("assign_over_user", "enrol_role_assign", _assign(ROLE_MENTOR, OVER_ANN)),
    calls("assign_over_user_by_username", "enrol_role_assign",
          _assign(ROLE_MENTOR, OVER_ANN, instanceidsource="username", instanceid="ann"),
          why=OTHER_USER, where="role_assignments"),
    calls("assign_over_user_by_idnumber", "enrol_role_assign",
          _assign(ROLE_MENTOR, OVER_ANN, instanceidsource="idnumber", instanceid="A1")),
    calls("assign_in_system", "enrol_role_assign", _assign(contexttype=10, instanceidsource="id", instanceid=0,
                                                           roleid="coursecreator"),
          why=NOT_THERE, where="answers role_assignments"),
    calls("assign_by_name_of_context", "enrol_role_assign", _assign(contexttype="course"),
          why=NOT_THERE, where="answers role_assignments"),
    calls("assign_twice", "enrol_role_assign", _assign(), "enrol_role_assign", _assign()),
    calls("assign_shifts", "enrol_role_assign", _assign(ANN, shiftrole=1)),
    calls("assign_shifts_cohort_roles", "enrol_role_assign",
          _assign(useridsource="username", userid="eve", instanceid="C2", shiftrole=1)),
    calls("assign_for_component", "enrol_role_assign", _assign(component="enrol_database")),
    calls("assign_unknown_user", "enrol_role_assign", _assign(userid="nobody")),
    calls("assign_unknown_user_by_id", "enrol_role_assign", _assign(useridsource="id", userid=NOBODY),
          why=CODE, where="answers"),
    calls("assign_unknown_role", "enrol_role_assign", _assign(roleid="nothing")),
    calls("assign_unknown_role_by_id", "enrol_role_assign", _assign(roleidsource="id", roleid=NOBODY),
          why=NO_ROLE, where="answers role_assignments"),
    calls("assign_unknown_course", "enrol_role_assign", _assign(instanceid="NOPE")),
    calls("assign_unknown_source", "enrol_role_assign", _assign(instanceidsource="fullname")),
    calls("assign_many", "enrol_role_assigns", {"roleassigns": [_assign(), _assign(ROLE_CREATOR, IN_MATHS)]},
          why=SEVERAL, where="answers"),
    calls("assign_many_one_unknown", "enrol_role_assigns", {"roleassigns": [_assign(), _assign(userid="nobody")]},
          why=FIRST, where="role_assignments"),
    calls("unassign", "enrol_role_unassign", _assign(ANN, ROLE_STUDENT)),
    calls("unassign_all", "enrol_role_unassign", _assign(ANN, roleidsource="id", roleid="*")),
    calls("unassign_of_component", "enrol_role_unassign",
          _assign(ROLE_STUDENT, useridsource="username", userid="eve", instanceid="C2", component="enrol_cohort")),
    calls("unassign_without_component", "enrol_role_unassign",
          _assign(ROLE_STUDENT, useridsource="username", userid="eve", instanceid="C2")),
    calls("unassign_what_is_not_there", "enrol_role_unassign", _assign()),
    calls("unassign_unknown_user", "enrol_role_unassign", _assign(userid="nobody")),
    calls("unassign_after_assigning", "enrol_role_assign", _assign(ROLE_CREATOR, IN_MATHS),
          "enrol_role_unassign", _assign(ROLE_CREATOR, IN_MATHS)),
    calls("unassign_many", "enrol_role_unassigns",
          {"roleunassigns": [_assign(ANN, ROLE_STUDENT), _assign(DAN)]}),
    calls("enrolled", "get_enrolled_users", SHORT_COURSE),
    calls("enrolled_active", "get_enrolled_users", {**SHORT_COURSE, "options": _options(onlyactive=1)}),
    calls("enrolled_in_group", "get_enrolled_users", {**SHORT_COURSE, "options": _options(groupid="@G")}),
    calls("enrolled_ordered", "get_enrolled_users",
          {**SHORT_COURSE, "options": _options(sortby="firstname", sortdirection="desc", limitfrom=0, limitnumber=2)}),
    calls("enrolled_site_order", "get_enrolled_users",
          {**SHORT_COURSE, "options": _options(sortby="siteorder")}),
    calls("enrolled_page", "get_enrolled_users", {**SHORT_COURSE, "options": _options(limitfrom=1, limitnumber=1)}),
    calls("enrolled_with_capability", "get_enrolled_users",
          {**SHORT_COURSE, "options": _options(withcapability="moodle/course:manageactivities")}),
    calls("enrolled_fields", "get_enrolled_users",
          {**SHORT_COURSE, "options": _options(userfields="id,username,firstname,lastname,idnumber")}),
    calls("enrolled_few_fields", "get_enrolled_users", {**SHORT_COURSE, "options": _options(userfields="username")}),
    calls("enrolled_wrong_order", "get_enrolled_users", {**SHORT_COURSE, "options": _options(sortby="email")}),
    calls("enrolled_unknown_course", "get_enrolled_users", {"courseidsource": "idnumber", "courseid": "NOPE"}),
    calls("enrolled_unknown_course_by_id", "get_enrolled_users", {"courseidsource": "id", "courseid": NOBODY},
          why=CODE, where="answers"),
    calls("enrolled_by_cohort", "get_enrolled_users", {"courseidsource": "id", "courseid": "@C2"}),
    calls("enrolled_full", "get_enrolled_full_users", SHORT_COURSE),
    calls("enrolled_full_fields", "get_enrolled_full_users",
          {**SHORT_COURSE, "options": _options(userfields="email,roles,groups", onlyactive=1)}),
    calls("enrolled_full_unknown_field", "get_enrolled_full_users",
          {**SHORT_COURSE, "options": _options(userfields="password")}),
    calls("cohorts", "get_cohorts", {"cohortidsource": "id"}),
    calls("cohorts_by_idnumber", "get_cohorts", {"cohortidsource": "idnumber", "cohortids": ["Y2", "NOPE", "Y1"]}),
    calls("cohorts_by_id", "get_cohorts", {"cohortidsource": "id", "cohortids": ["@Y2"]}),
    calls("cohorts_by_name", "get_cohorts", {"cohortidsource": "name", "cohortids": ["Y2"]}),
    calls("bind", "cohort_bind", {**Y1_IN_C2, **AS_STUDENT, "method": "cohort"}),
    calls("bind_by_ids", "cohort_bind", {"chidsource": "id", "chid": "@Y1", "cidsource": "id", "cid": "@C2",
                                         "ridsource": "id", "rid": EDITING_TEACHER, "method": "cohort"}),
    calls("bind_with_dates", "cohort_bind",
          {**Y1_IN_C2, **AS_STUDENT, "method": "cohort", "timestart": 1_700_000_000, "timeend": 1_900_000_000}),
    calls("bind_with_group", "cohort_bind", {**Y1_IN_C2, **AS_STUDENT, "method": "cohort", "makegroup": 1},
          why=GROUP, where="enrol groups groups_members"),
    calls("bind_suspended", "cohort_bind", {**Y1_IN_C2, **AS_STUDENT, "method": "cohort", "suspend": 1}),
    calls("bind_twice", "cohort_bind", {**Y1_IN_C2, **AS_STUDENT, "method": "cohort"},
          "cohort_bind", {**Y1_IN_C2, **AS_STUDENT, "method": "cohort"}),
    calls("bind_what_is_off", "cohort_bind", {**Y2_IN_C1, **AS_STUDENT, "method": "cohort"}),
    calls("bind_by_default_method", "cohort_bind", {**Y1_IN_C2, **AS_STUDENT},
          why=DEFAULT, where="answers enrol role_assignments user_enrolments"),
    calls("bind_by_manual_method", "cohort_bind", {**Y1_IN_C2, **AS_STUDENT, "method": "manual"}),
    calls("bind_with_more", "cohort_bind", {**Y1_IN_C2, **AS_STUDENT, "method": "cohort", "extparam1": "1"},
          why=MORE, where="answers enrol role_assignments user_enrolments"),
    calls("bind_unknown_cohort", "cohort_bind", {**Y1_IN_C2, **AS_STUDENT, "method": "cohort", "chid": "NOPE"}),
    calls("bind_unknown_course", "cohort_bind", {**Y1_IN_C2, **AS_STUDENT, "method": "cohort", "cid": "NOPE"}),
    calls("bind_unknown_role", "cohort_bind", {**Y1_IN_C2, **AS_STUDENT, "method": "cohort", "rid": "nothing"}),
    calls("unbind", "cohort_unbind", Y3_IN_C2, why=AT_ONCE, where="role_assignments user_enrolments"),
    calls("unbind_what_is_not_bound", "cohort_unbind", Y1_IN_C2),
    calls("unbind_after_binding", "cohort_bind", {**Y1_IN_C2, **AS_STUDENT, "method": "cohort"}, "cohort_unbind", Y1_IN_C2),
    calls("unbind_unknown_cohort", "cohort_unbind", {**Y1_IN_C2, "chid": "NOPE"}),
    calls("unbind_by_manual_method", "cohort_unbind", {**Y3_IN_C2, "method": "manual"}),
    calls("suspend", "cohort_suspend_enrol", Y3_IN_C2),
    calls("suspend_twice", "cohort_suspend_enrol", Y3_IN_C2, "cohort_suspend_enrol", Y3_IN_C2),
    calls("suspend_what_is_not_bound", "cohort_suspend_enrol", Y1_IN_C2),
    calls("suspend_unknown_course", "cohort_suspend_enrol", {**Y3_IN_C2, "cid": "NOPE"}),
    calls("suspend_without_course", "cohort_suspend_enrol", {"chidsource": "idnumber", "chid": "Y3"}),
    calls("restore", "cohort_restore_enrol", Y3_IN_C2),
    calls("restore_after_suspending", "cohort_suspend_enrol", Y3_IN_C2, "cohort_restore_enrol", Y3_IN_C2,
          why=BETWEEN, where="role_assignments"),
    calls("restore_unknown_cohort", "cohort_restore_enrol", {**Y3_IN_C2, "chid": "NOPE"}),
    calls("members", "cohort_get_users", {"chidsource": "idnumber", "chid": "Y1"}),
    calls("members_ordered", "cohort_get_users",
          {"chidsource": "id", "chid": "@Y1",
           "options": _options(sortby="firstname", sortdirection="DESC", userfields="username,email")}),
    calls("members_of_nothing", "cohort_get_users", {"chidsource": "idnumber", "chid": "NOPE"}),
    calls("members_of_empty", "cohort_get_users", {"chidsource": "idnumber", "chid": "Y2"}),
    calls("cohort_delete", "cohort_delete", {"chidsource": "idnumber", "chid": "Y1"}),
    calls("cohort_delete_bound", "cohort_delete", {"chidsource": "id", "chid": "@Y3"}),
    calls("cohort_delete_unknown", "cohort_delete", {"chidsource": "idnumber", "chid": "NOPE"}),
    calls("cohort_delete_unknown_source", "cohort_delete", {"chidsource": "name", "chid": "Y1"}),
    calls("cohort_delete_twice", "cohort_delete", {"chidsource": "idnumber", "chid": "Y2"},
          "cohort_delete", {"chidsource": "idnumber", "chid": "Y2"}),
    calls("members_add", "cohort_add_members",
          {"members": [_member("Y2", "bob"), _member("Y2", "I-eve", "idnumber"), _member("@Y2", "@ann", "id", "id")]}),
    calls("members_add_of_bound", "cohort_add_members", {"members": [_member("Y3", "bob")]}),
    calls("members_add_by_email", "cohort_add_members", {"members": [_member("Y2", "bob@example.org", "email")]}),
    calls("members_add_again", "cohort_add_members", {"members": [_member("Y1", "ann"), _member("Y1", "bob")]}),
    calls("members_add_unknown_user", "cohort_add_members", {"members": [_member("Y1", "bob"), _member("Y1", "nobody")]}),
    calls("members_add_no_user", "cohort_add_members", {"members": [_member("Y1", "")]}),
    calls("members_add_unknown_cohort", "cohort_add_members",
          {"members": [_member("NOPE", "bob"), _member("Y2", "bob")]}),
    calls("members_add_unknown_cohort_source", "cohort_add_members",
          {"members": [_member("Y1", "bob", cohort_by="name")]}),
    calls("members_delete", "cohort_delete_members", {"members": [_member("Y1", "ann")]}),
    calls("members_delete_of_bound", "cohort_delete_members", {"members": [_member("Y3", "I-eve", "idnumber")]}),
    calls("members_delete_who_is_none", "cohort_delete_members", {"members": [_member("Y1", "bob")]}),
    calls("members_delete_unknown_cohort", "cohort_delete_members",
          {"members": [_member("Y1", "ann"), _member("NOPE", "ann")]}),
    calls("members_delete_unknown_user", "cohort_delete_members", {"members": [_member("Y1", "nobody")]}),
    calls("members_delete_not_blocking", "cohort_delete_members",
          {"members": [_member("NOPE", "ann"), _member("Y1", "ann")], "blocking": 0},
          why=BLOCKING, where="answers cohort_members"),
    calls("check", "check_course", SHORT_COURSE),
    calls("check_by_id", "check_course", {"courseidsource": "id", "courseid": "@C1"}),
    calls("check_unknown", "check_course", {"courseidsource": "idnumber", "courseid": "NOPE"}),
    calls("check_by_fullname", "check_course", {"courseidsource": "fullname", "courseid": "Course C1"}),
    *(calls(f"set_{service}_{key}", "set_config",
            {"service": service, "confkey": key, "confvalue": _config_value(key)}, why=SETTINGS, where="config_plugins")
      for service, keys in SERVICE_KEYS.items() for key in keys),
    calls("set_unknown_key", "set_config", {"service": "users", "confkey": "password", "confvalue": "x"}),
    calls("set_unknown_service", "set_config", {"service": "groups", "confkey": "filelocation", "confvalue": "x"},
          why=CODE, where="answers"),
    calls("commit", "commit_file", {"draftitemid": NOBODY}, why=PAID, where="everything"),
    calls("process", "process", {"service": "users", "action": "sync"}, why=PAID, where="everything"),
    calls("process_unknown_service", "process", {"service": "groups", "action": "sync"}),
    calls("process_unknown_action", "process", {"service": "users", "action": "delete"}),
    calls("deploy", "deploy_course",
          {"categoryidsource": "idnumber", "categoryid": "MATHS", "templateidsource": "shortname", "templateid": "C1",
           "shortname": "NEW", "fullname": "New course", "idnumber": "N1"}, why=PAID, where="everything"),
    calls("deploy_unknown_category", "deploy_course",
          {"categoryidsource": "idnumber", "categoryid": "NOPE", "templateidsource": "shortname", "templateid": "C1",
           "shortname": "NEW", "fullname": "New course", "idnumber": "N1"}),
)  # fmt: skip
