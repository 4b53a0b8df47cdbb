"""The functions, by the plugin's names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sync.api.moodle_protocol import (
    cohort_functions,
    enrolment_functions,
    reading_functions,
    role_functions,
    structures,
    tool_functions,
)
from sync.api.moodle_protocol.kinds import Description, Kind, Many, One, Value
from sync.api.moodle_protocol.structures import BOOL, INT, TEXT
from sync.models import Scope

READS = (Scope.READ,)
_WRITES = (Scope.PLAN, Scope.APPLY)


@dataclass(frozen=True)
class ServiceFunction:
    """Shape: returns: None = nothing; run: takes the call and the parameters by their names; file_type: whose rows it writes, so
    that who may not run it learns nothing of what is in Moodle, "" = of none, or the function asks for its rights itself; scopes:
    that the token must have
    """

    parameters: One
    returns: Description | None
    run: Callable[..., Any]
    file_type: str = ""
    scopes: tuple[Scope, ...] = _WRITES


_DEPLOY: dict[str, Description] = {
    **dict.fromkeys(
        ("categoryidsource", "categoryid", "templateidsource", "templateid", "shortname", "fullname", "idnumber"), TEXT
    ),
    "replacements": Value(Kind.TEXT, ""),
}
_CHECK: dict[str, Description] = {"courseidsource": TEXT, "courseid": TEXT}
_ENROLLED = One({**_CHECK, "options": structures.OPTIONS})
_COHORT: dict[str, Description] = {"chidsource": TEXT, "chid": TEXT}

FUNCTIONS: Mapping[str, ServiceFunction] = {
    "tool_sync_set_config": ServiceFunction(
        One({"service": TEXT, "confkey": TEXT, "confvalue": TEXT}), BOOL, tool_functions.set_config, scopes=(Scope.MANAGE,)
    ),
    "tool_sync_commit_file": ServiceFunction(
        One({"draftitemid": INT}), BOOL, tool_functions.commit_file, scopes=(Scope.PLAN,)
    ),
    "tool_sync_process": ServiceFunction(One({"service": TEXT, "action": TEXT}), TEXT, tool_functions.process),
    "tool_sync_check_course": ServiceFunction(One(_CHECK), BOOL, reading_functions.check_course, scopes=READS),
    "tool_sync_deploy_course": ServiceFunction(One(_DEPLOY), INT, tool_functions.deploy_course, "courses"),
    "tool_sync_enrol_user_enrol": ServiceFunction(One(structures.ENROLMENT), BOOL, enrolment_functions.enrol_user, "enrolments"),
    "tool_sync_enrol_users_enrol": ServiceFunction(
        One({"enrols": Many(One(structures.ENROLMENT))}), structures.STATUSES, enrolment_functions.enrol_users, "enrolments"
    ),
    "tool_sync_enrol_user_unenrol": ServiceFunction(
        One(structures.UNENROLMENT), BOOL, enrolment_functions.unenrol_user, "enrolments"
    ),
    "tool_sync_enrol_users_unenrol": ServiceFunction(
        One({"enrols": Many(One(structures.UNENROLMENT))}), structures.STATUSES, enrolment_functions.unenrol_users, "enrolments"
    ),
    "tool_sync_enrol_role_assign": ServiceFunction(One(structures.ASSIGNMENT), INT, role_functions.assign_role, "roles"),
    "tool_sync_enrol_role_assigns": ServiceFunction(
        One({"roleassigns": Many(One(structures.ASSIGNMENT))}), structures.STATUSES, role_functions.assign_roles, "roles"
    ),
    "tool_sync_enrol_role_unassign": ServiceFunction(One(structures.UNASSIGNMENT), BOOL, role_functions.unassign_role, "roles"),
    "tool_sync_enrol_role_unassigns": ServiceFunction(
        # The plugin declares shiftrole here as well, and makes nothing of it.
        One({"roleunassigns": Many(One(structures.ASSIGNMENT))}), structures.STATUSES, role_functions.unassign_roles, "roles"
    ),
    "tool_sync_get_enrolled_users": ServiceFunction(
        _ENROLLED, structures.LIGHT_USERS, reading_functions.get_enrolled_users, scopes=READS
    ),
    "tool_sync_get_enrolled_full_users": ServiceFunction(
        _ENROLLED, structures.USERS_IN_FULL, reading_functions.get_enrolled_full_users, scopes=READS
    ),
    "tool_sync_get_cohorts": ServiceFunction(
        One({"cohortidsource": TEXT, "cohortids": Many(TEXT, default=())}), structures.COHORTS, reading_functions.get_cohorts,
        scopes=READS,
    ),
    "tool_sync_cohort_bind": ServiceFunction(One(structures.COHORT_BIND), BOOL, cohort_functions.bind_cohort, "cohort_courses"),
    "tool_sync_cohort_unbind": ServiceFunction(
        One({**structures.COHORT_LINK, "method": Value(Kind.TEXT, "cohort")}), BOOL, cohort_functions.unbind_cohort,
        "cohort_courses",
    ),
    "tool_sync_cohort_suspend_enrol": ServiceFunction(
        One(structures.COHORT_SWITCH), BOOL, cohort_functions.suspend_enrol, "cohort_courses"
    ),
    "tool_sync_cohort_restore_enrol": ServiceFunction(
        One(structures.COHORT_SWITCH), BOOL, cohort_functions.restore_enrol, "cohort_courses"
    ),
    "tool_sync_cohort_get_users": ServiceFunction(
        One({**_COHORT, "options": structures.OPTIONS}), structures.MEMBERS_IN_FULL, reading_functions.get_cohort_users,
        scopes=READS,
    ),
    "tool_sync_cohort_delete": ServiceFunction(One(_COHORT), BOOL, cohort_functions.delete_cohort, "cohorts"),
    "tool_sync_cohort_add_members": ServiceFunction(
        One({"members": structures.MEMBERS}), structures.WARNINGS, cohort_functions.add_members, "cohorts"
    ),
    "tool_sync_cohort_delete_members": ServiceFunction(
        One({"members": structures.MEMBERS, "blocking": Value(Kind.BOOL, True)}), None, cohort_functions.delete_members, "cohorts"
    ),
}  # fmt: skip
# The plugin's own list of its services calls some functions by names that it gave no function: callers may use either.
ALIASES: Mapping[str, str] = {
    "tool_sync_enrol_assign_role": "tool_sync_enrol_role_assign",
    "tool_sync_enrol_unassign_role": "tool_sync_enrol_role_unassign",
    "tool_sync_cohort_get_cohorts": "tool_sync_get_cohorts",
}
