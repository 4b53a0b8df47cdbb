"""The cases of enrols.md section 8. Courses: C1 is 2, C2 3, C6 7, TPL1 22, EMPTYC 23; users: user100 is 102, user20 is 22."""

from __future__ import annotations

from typing import Any

from tests.effects.case import Case
from tests.effects.comparison import Allowed
from tests.moodle_sites import MoodleSite

FAMILIES = {
    "enrol_": (),
    "unenrol_": (),
    "role_": ("role_create",),
}

BY_COURSE_ID = {"courseidentifier": "id"}
BY_ID = {"courseidentifier": "id", "useridentifier": "id"}
PLAIN = "cmd;cid;uid;rolename;enrol\n"
DATED = "cmd;cid;uid;rolename;enrol;starttime;endtime\n"
ROLE = "cmd;cid;uid;rolename\n"

_NO_WELCOME = (
    Allowed("notifications", "inserted", "no welcome message: a file would send thousands"),
    Allowed("message_popup_notifications", "inserted", "no welcome message: a file would send thousands"),
)


def _enrol_case(name: str, row: str, *allowed: Allowed, **more: Any) -> Case:
    return Case(name, "enrolments", f"{DATED}{row}\n", BY_ID, allowed=(*allowed, *_NO_WELCOME), **more)


def _recover_grades(site: MoodleSite) -> None:
    site.execute("UPDATE {config} SET value = '1' WHERE name = 'recovergradesdefault'")


def _no_threshold(site: MoodleSite) -> None:
    """The recorded call named no threshold, and no setting of the site was asked."""
    site.execute("DELETE FROM {config_plugins} WHERE plugin = 'enrol_self' AND name = 'expirythreshold'")
    site.insert("config_plugins", plugin="enrol_self", name="expirythreshold", value="0")


def _database_method(site: MoodleSite) -> None:
    site.execute("UPDATE {enrol} SET enrol = 'database', courseid = 3, status = 0 WHERE id = 7")


CASES = (
    _enrol_case("enrol_manual_new", "add;3;102;student;manual;1756677600;1790000000"),
    _enrol_case(
        "enrol_manual_new_plain", "add;3;102;student;manual;0;",
        Allowed("role_assignments", "inserted", "an enrolment from a file always comes with a role", side="extra"),
        Allowed("cache_flags", "inserted", "an enrolment from a file always comes with a role", side="extra"),
    ),
    _enrol_case("enrol_manual_new_tpl", "add;22;102;student;manual;0;"),
    _enrol_case("enrol_manual_new_forcesub", "add;3;102;student;manual;0;"),
    _enrol_case("enrol_manual_metaparent", "add;7;102;student;manual;0;"),
    _enrol_case("enrol_manual_second_role", "add;2;22;tutor;manual;;"),
    _enrol_case("enrol_manual_nochange", "add;2;22;student;manual;;"),
    _enrol_case(
        "enrol_manual_recovergrades", "add;22;25;student;manual;0;",
        Allowed(
            "grade_grades_history", "inserted", "activities push no grades: Moodle reckons at the next look",
            side="missing", where={"action": 2},
        ),
        Allowed(
            "grade_grades", "inserted", "activities push no grades: Moodle reckons at the next look",
            ("timecreated", "timemodified", "usermodified"), side="differs",
        ),
        Allowed(
            "grade_items", "updated", "Moodle is told to reckon at the next look", ("needsupdate",), side="extra"
        ),
        prepare=_recover_grades,
    ),
    Case("enrol_manual_suspend", "enrolments", f"{PLAIN}disable;22;23;;manual\n", BY_ID),
    Case("enrol_manual_update_dates", "enrolments", f"{DATED}enable;2;22;;manual;1757000000;1791000000\n", BY_ID),
    Case("unenrol_last", "enrolments", f"{PLAIN}del;22;23;student;manual\n", BY_ID),
    Case("unenrol_simple", "enrolments", f"{PLAIN}del;2;22;student;manual\n", BY_ID),
    Case("unenrol_not_last", "enrolments", f"{PLAIN}del;22;24;student;manual\n", BY_ID),
    Case("meta_parent_unenrol", "enrolments", f"{PLAIN}del;7;201;student;manual\n", BY_ID),
    Case("role_assign_course", "enrolments", f"{ROLE}add;3;102;tutor\n", BY_ID),
    Case(
        "role_assign_component", "enrolments", f"{PLAIN}add;3;102;student;database\n",
        BY_ID | {"allowsyncedmethods": True}, prepare=_database_method, tables=("role_assignments", "cache_flags"),
        in_part="the role comes with an enrolment",
    ),
    Case("role_assign_existing", "enrolments", f"{ROLE}add;2;22;student\n", BY_ID),
    Case("role_unassign_course", "enrolments", f"{ROLE}del;2;8;tutor\n", BY_ID),
    Case(
        "role_unassign_all_user_course", "enrolments", f"{ROLE}del;22;24;\n", BY_ID,
        allowed=(
            Allowed("role_assignments", "deleted", "only what people gave in the course itself", where={"contextid": 247}),
        ),
    ),
    Case(
        "enrol_instance_add_manual", "enrolments", f"{PLAIN}add;23;102;student;manual\n", BY_ID | {"createmanual": True},
        tables=("enrol",), in_part="somebody is enrolled by the new method",
    ),
    Case(
        "enrol_instance_add_self", "enrolment_methods",
        "course;enrol;name;disabled;password;role;enrolperiod;notify;maxenrolled;newenrols;welcome;unenroldays;groupkeys\n"
        "3;self;Key;0;k3y;student;1;0;30;1;1;0;0\n", BY_COURSE_ID, prepare=_no_threshold,
    ),
    Case(
        "enrol_instance_guest_password", "enrolment_methods", "course;enrol;disabled;password\n2;guest;0;gu3st\n", BY_COURSE_ID,
        allowed=(
            Allowed("cache_flags", "inserted", "whatever switches a method on has its access data read anew", side="extra"),
        ),
    ),
    Case("enrol_instance_enable_self", "enrolment_methods", "course;enrol;disabled\n2;self;0\n", BY_COURSE_ID),
    Case("enrol_instance_enable_guest", "enrolment_methods", "course;enrol;disabled\n2;guest;0\n", BY_COURSE_ID),
    Case("enrol_instance_disable_manual", "enrolment_methods", "course;enrol;disabled\n22;manual;1\n", BY_COURSE_ID),
    Case("enrol_instance_delete_manual", "enrolment_methods", "cmd;course;enrol\ndel;22;manual\n", BY_COURSE_ID),
    Case("enrol_instance_delete_self", "enrolment_methods", "cmd;course;enrol\ndel;22;self\n", BY_COURSE_ID),
)  # fmt: skip
