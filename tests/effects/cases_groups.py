"""The cases of groups.md section 6. Courses: C1 is 2, C2 3, C5 6, TPL1 22; groups: G1-1 is 1, G1-3 3, TA 14, CHATTY 16."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from sync.moodle.db.database import MoodleConnection, MoodleDatabase
from sync.moodle.db.writer import Writer
from sync.moodle.groups.deletion import delete_groupings, delete_groups
from sync.processors.base.overlay import Overlay
from sync.processors.base.plan import Plan, apply_plan
from sync.processors.memberships.fetch import fetch_memberships
from sync.processors.memberships.rows import MembershipRows
from tests.effects.case import Case
from tests.effects.comparison import Allowed
from tests.moodle_sites import MoodleSite
from tests.support import run_file

FAMILIES = {
    "group_": ("group_create_with_conversation", "group_update_enable_messaging", "group_picture"),
    "grouping_": ("grouping_unassign",),
}

BY_ID = {"courseidentifier": "id", "groupidentifier": "id", "groupingidentifier": "id"}
MEMBERS_BY_ID: dict[str, Any] = {"courseidentifier": "id", "groupidentifier": "id", "useridentifier": "id"}
MEMBER = "cmd;courseid;groupid;userid\n"


def _group_case(name: str, text: str, *allowed: Allowed) -> Case:
    return Case(name, "groups", text, BY_ID, allowed=allowed)


def _member_case(name: str, row: str, *allowed: Allowed) -> Case:
    return Case(name, "groupmembers", f"{MEMBER}{row}\n", MEMBERS_BY_ID, allowed=allowed)


def without_file(name: str, delete: Callable[[Writer], object], *allowed: Allowed) -> Case:
    """A file deletes only groups that are empty."""

    def act(site: MoodleSite) -> None:
        moodle = MoodleDatabase(MoodleConnection(site.url, site.prefix))
        with moodle.session() as session, session.transaction():
            delete(Writer(session))
        moodle.dispose()

    return Case(name, "", "", act=act, allowed=allowed)


def _join_by_cohort(site: MoodleSite) -> None:
    """The synchronisation of cohorts joins groups by this piece."""
    moodle = MoodleDatabase(MoodleConnection(site.url, site.prefix))
    with moodle.session() as session:
        state = fetch_memberships(
            session, Overlay(), course_identifier="id", courses={"6"}, userids=[67], all_groups=True
        )
        plan = Plan()
        rows = MembershipRows(state, plan, now=int(time.time()))
        rows.groups.add(67, 13, 1, component="enrol_cohort", itemid=61)
        rows.finish()
        with session.transaction():
            apply_plan(plan, Writer(session))
    moodle.dispose()


def _refuse(site: MoodleSite) -> None:
    result = run_file(site, "groupmembers", f"{MEMBER}add;3;4;102\n", **MEMBERS_BY_ID)
    assert result.codes == ["group_not_enrolled"]


CASES = (
    _group_case(
        "group_create", "courseid;name;idnumber;description\n3;New group;NG;<p>d</p>\n",
        Allowed("groups", "inserted", "a file gives no enrolment key", ("enrolmentkey",), side="differs"),
    ),
    _group_case("group_create_minimal", "courseid;name\n3;New group min\n"),
    _group_case("group_update", "courseid;name;idnumber;description;updateid\n2;Renamed;G1-1x;dd;1\n"),
    _group_case("group_update_rename_conversation", "courseid;name;updateid\n2;Chatty 2;16\n"),
    _group_case("grouping_create", "type;courseid;name;idnumber;description\ngrouping;3;New grouping;NGG;x\n"),
    _group_case("grouping_create_minimal", "type;courseid;name\ngrouping;3;New grouping min\n"),
    _group_case("grouping_update", "type;courseid;name;updateid\ngrouping;2;GG renamed;1\n"),
    _group_case("grouping_assign", "courseid;name;idnumber;grouping\n2;Group 3;G1-3;GG1\n"),
    _member_case("group_member_add", "add;2;3;21"),
    _member_case("group_member_add_conversation", "add;2;16;22"),
    _member_case("group_member_add_existing", "add;2;16;23"),
    Case("group_member_add_component", "", "", act=_join_by_cohort),
    Case("group_member_add_notenrolled", "", "", act=_refuse),
    _member_case("group_member_remove", "del;2;16;23"),
    _member_case("group_member_remove_plain", "del;22;14;23"),
    without_file("group_delete", lambda writer: delete_groups(writer, [1])),
    without_file("group_delete_override_event", lambda writer: delete_groups(writer, [14])),
    without_file("group_delete_with_conversation", lambda writer: delete_groups(writer, [16])),
    without_file(
        "grouping_delete", lambda writer: delete_groupings(writer, [1], now=int(time.time())),
        Allowed("course", "updated", "activities would keep the grouping in Moodle's cache", ("cacherev",), side="extra"),
    ),
)  # fmt: skip
