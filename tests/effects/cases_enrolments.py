"""The cases of enrols.md section 8. Courses: C1 is 2, C2 3, C6 7, TPL1 22, EMPTYC 23; users: user100 is 102, user20 is 22."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from sync.moodle.db.database import MoodleConnection, MoodleDatabase
from sync.moodle.db.writer import Writer
from sync.moodle.enrolments.enrolments import ENABLED, EnrolInstance
from sync.processors.base.overlay import Overlay
from sync.processors.base.plan import Plan, apply_plan
from sync.processors.memberships.fetch import fetch_memberships
from sync.processors.memberships.rows import MembershipRows
from tests.effects.case import Case
from tests.effects.comparison import Allowed
from tests.moodle_sites import MoodleSite

FAMILIES = {
    "enrol_": ("enrol_instance_add_self", "enrol_instance_guest_password"),
    "unenrol_": (),
    "role_": ("role_create",),
}

BY_ID = {"courseidentifier": "id", "useridentifier": "id"}
PLAIN = "cmd;cid;uid;rolename;enrol\n"
DATED = "cmd;cid;uid;rolename;enrol;starttime;endtime\n"
ROLE = "cmd;cid;uid;rolename\n"
DISABLED = 1

_NO_WELCOME = (
    Allowed("notifications", "inserted", "no welcome message: a file would send thousands"),
    Allowed("message_popup_notifications", "inserted", "no welcome message: a file would send thousands"),
)


def _enrol_case(name: str, row: str, *allowed: Allowed, **more: Any) -> Case:
    return Case(name, "enrolments", f"{DATED}{row}\n", BY_ID, allowed=(*allowed, *_NO_WELCOME), **more)


def _without_file(
    name: str, courseid: int, enrolid: int, change: Callable[[MembershipRows, EnrolInstance], Any], *allowed: Allowed
) -> Case:
    """No file of enrolments switches methods or deletes them; those of cohorts do it by the same pieces."""

    def act(site: MoodleSite) -> None:
        moodle = MoodleDatabase(MoodleConnection(site.url, site.prefix))
        with moodle.session() as session:
            state = fetch_memberships(session, Overlay(), course_identifier="id", courses={str(courseid)}, userids=None)
            plan = Plan()
            rows = MembershipRows(state, plan, now=int(time.time()))
            change(rows, next(method for method in rows.instances.of_course(courseid) if method.id == enrolid))
            rows.finish()
            with session.transaction():
                apply_plan(plan, Writer(session))
        moodle.dispose()

    return Case(name, "", "", act=act, allowed=allowed)


def _recover_grades(site: MoodleSite) -> None:
    site.execute("UPDATE {config} SET value = '1' WHERE name = 'recovergradesdefault'")


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
    _without_file("enrol_instance_enable_self", 2, 3, lambda rows, method: rows.instances.set_status(method, ENABLED, 1)),
    _without_file("enrol_instance_enable_guest", 2, 2, lambda rows, method: rows.instances.set_status(method, ENABLED, 1)),
    _without_file(
        "enrol_instance_disable_manual", 22, 63, lambda rows, method: rows.instances.set_status(method, DISABLED, 1)
    ),
    _without_file("enrol_instance_delete_manual", 22, 63, lambda rows, method: rows.delete_instance(method, 1)),
    _without_file("enrol_instance_delete_self", 22, 65, lambda rows, method: rows.delete_instance(method, 1)),
)  # fmt: skip
