"""Roles in contexts that are no course: the cases of Moodle's role_assign() and role_unassign_all() outside of enrolments."""

from __future__ import annotations

from typing import Any

from tests.effects.case import Case

BY_ID: dict[str, Any] = {"courseidentifier": "id", "useridentifier": "id", "categoryidentifier": "id"}
HANDS_OUT: dict[str, Any] = {"permits": {"assigns_configuring_roles": True}}
ROLE = "cmd;context;instance;userid;role\n"

CASES = (
    Case("role_assign_system", "roles", f"{ROLE}add;system;;102;manager\n", BY_ID | HANDS_OUT),
    Case("role_assign_category", "roles", f"{ROLE}add;category;3;102;coursecreator\n", BY_ID),
    Case("role_assign_course", "roles", f"{ROLE}assign;course;3;102;tutor\n", BY_ID),
    Case("role_assign_existing", "roles", f"{ROLE}add;system;;3;manager\n", BY_ID),
    Case("role_unassign_course", "roles", f"{ROLE}del;course;2;8;tutor\n", BY_ID),
)
