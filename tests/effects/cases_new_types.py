"""What the file types `custom_fields`, `enrolment_methods`, `roles` and `user_preferences` share with older ones.

C2 is the course 3, C5 6, C7 8, C9 10, TPL1 22; COH-SYS is the cohort 1, user21 the user 23, user22 24.
"""

from __future__ import annotations

from tests.effects.case import Case
from tests.effects.cases_enrolments import BY_COURSE_ID
from tests.effects.cases_roles import BY_ID, ROLE
from tests.effects.comparison import Allowed

_NO_GROUP = "a file can't ask for a group of the people who come along"
_WITHOUT_GROUP = (
    Allowed("enrol", "inserted", _NO_GROUP, ("customint2",), side="differs"),
    Allowed("groups", "inserted", _NO_GROUP),
    Allowed("groups_members", "inserted", _NO_GROUP),
)
_METHOD = "cmd;course;enrol;source;role\n"


def _fields(course: str, *values: str) -> str:
    names = ("gtext", "gtextarea", "gcheckbox", "gdate", "gselect", "gnumber")
    rows = (f"{course};{name};{value}\n" for name, value in zip(names, values, strict=True))
    return "course;field;value\n" + "".join(rows)


CASES = (
    Case("course_update_customfields", "custom_fields", _fields("C2", "Hello", "<p>Area</p>", "1", "1756684800", "Two", "12.5")),
    Case("course_update_customfields_empty", "custom_fields", _fields("C2", "", "", "0", "", "", "")),
    Case("cohort_enrol_instance_add_and_sync", "enrolment_methods", f"{_METHOD}add;C9;cohort;COH-CAT;student\n"),
    Case(
        "cohort_enrol_instance_add_creategroup", "enrolment_methods", f"{_METHOD}add;C9;cohort;COH-CAT;student\n",
        allowed=_WITHOUT_GROUP,
    ),
    Case("cohort_enrol_instance_disable", "enrolment_methods", "course;enrol;disabled\nC5;cohort;1\n"),
    Case("cohort_enrol_instance_delete", "enrolment_methods", "cmd;course;enrol\ndel;C5;cohort\n"),
    Case("meta_instance_add_and_sync", "enrolment_methods", f"{_METHOD}add;C9;meta;C10;\n"),
    Case("meta_instance_add_creategroup", "enrolment_methods", f"{_METHOD}add;C9;meta;C10;\n", allowed=_WITHOUT_GROUP),
    Case("meta_instance_delete", "enrolment_methods", "cmd;course;enrol\ndel;C7;meta\n"),
    Case("enrol_instance_add_manual", "enrolment_methods", "course;enrol\n23;manual\n", BY_COURSE_ID),
    Case("role_unassign_all_user_course", "roles", f"{ROLE}del;course;22;24;*\ndel;activity;34;24;*\n", BY_ID),
    Case(
        "role_assign_component", "roles", f"{ROLE.replace(';role', ';role;component')}add;course;3;102;student;enrol_database\n",
        BY_ID,
        allowed=(
            Allowed("role_assignments", "inserted", "no file gives roles of enrolments", ("itemid",), side="differs"),
        ),
    ),
    Case(
        "user_preference_update_unset", "user_preferences",
        "cmd;user;name;value\nset;user21;htmleditor;tiny\nunset;user21;auth_forcepasswordchange;\n",
    ),
    Case(
        "user_forced_password_prefs", "user_preferences", "user;name;value\nuser100;auth_forcepasswordchange;1\n",
        allowed=(
            Allowed(
                "user_preferences", "inserted", "what has Moodle send passwords is no preference", side="missing",
                where={"name": "create_password"},
            ),
        ),
    ),
)  # fmt: skip
