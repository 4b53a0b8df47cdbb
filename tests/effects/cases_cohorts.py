"""The cases of cohorts.md section 7. user21 is 23; COH-SYS (1) has 60 members and is enrolled in C5 with the group 13."""

from __future__ import annotations

from tests.effects.case import Case
from tests.effects.comparison import Allowed

MEMBER = "cmd;userid;cidnumber"
LINK = "cmd;course;cohort;role"

FAMILIES = {"cohort_": ()}

_ANOTHER_TYPE = Allowed("cohort", "inserted", "there is no column for it", ("visible",), side="differs")

CASES = (
    Case(
        "cohort_create_system", "cohorts",
        "cidnumber;cname;cdescription\nGC;Gold cohort;<p>x</p>\n",
    ),
    Case("cohort_create_minimal", "cohorts", "cname\nGold cohort min\n", {"cohortidentifier": "name"}),
    Case(
        "cohort_create_category", "cohorts", "cidnumber;cname;ccatcontext\nGCC;Gold cohort cat;3\n",
        allowed=(_ANOTHER_TYPE,),
    ),
    Case("cohort_update", "cohorts", "cid;cname;cidnumber\n2;Renamed cohort;COH-CAT2\n", {"cohortidentifier": "id"}),
    Case("cohort_update_move", "cohorts", "cidnumber;ccatcontext\nCOH-CAT;0\n"),
    Case("cohort_member_add", "cohorts", f"{MEMBER}\nadd;user100;COH-CAT\n"),
    Case("cohort_member_add_bound", "cohorts", f"{MEMBER}\nadd;user101;COH-SYS\n"),
    Case("cohort_member_remove", "cohorts", f"{MEMBER}\ndel;user60;COH-CAT\n"),
    Case("cohort_member_remove_bound", "cohorts", f"{MEMBER}\ndel;user21;COH-SYS\n"),
    Case("cohort_member_remove_bound_suspend", "cohorts", f"{MEMBER}\ndel;user21;COH-SYS\n"),
    Case("cohort_delete", "cohorts", "cmd;cidnumber\ndel;COH-SYS\n"),
    Case("cohort_delete_unbound", "cohorts", "cmd;cidnumber\ndel;COH-CAT\n"),
    Case("cohort_enrol_instance_add_and_sync", "cohort_courses", f"{LINK}\nadd;C9;COH-CAT;student\n"),
    Case(
        "cohort_enrol_instance_add_creategroup", "cohort_courses",
        "cmd;course;cohort;role;makegroup\nadd;C9;COH-CAT;student;1\n",
    ),
    Case("cohort_enrol_instance_disable", "cohort_courses", f"{LINK}\ndel;C5;COH-SYS;*\n"),
    Case("cohort_enrol_instance_delete", "cohort_courses", f"{LINK}\nfulldel;C5;COH-SYS;*\n"),
    Case("cohort_enrol_sync_nochange", "cohort_courses", f"{LINK}\nadd;C5;COH-SYS;student\n"),
)  # fmt: skip
