"""Enrolments and roles: who is enrolled exists, and the roles that an enrolment gave go with it."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from sync.moodle.integrity.check import Check, CheckContext, dangling, lacks
from sync.moodle.versions import CONTEXT_COURSE


def _of_nobody(look: CheckContext) -> sa.Select[Any]:
    enrolment, method, user = look.table("user_enrolments"), look.table("enrol"), look.table("user")
    return (
        sa.select(enrolment.c.id)
        .select_from(enrolment.join(method, method.c.id == enrolment.c.enrolid))
        .where(lacks(user, user.c.id == enrolment.c.userid, user.c.deleted == 0), *look.courses(method.c.courseid))
    )


def _role_of_nobody(look: CheckContext) -> sa.Select[Any]:
    assignment, user = look.table("role_assignments"), look.table("user")
    return sa.select(assignment.c.id).where(
        lacks(user, user.c.id == assignment.c.userid, user.c.deleted == 0), *look.contexts(assignment.c.contextid)
    )


def _role_without_enrolment(look: CheckContext) -> sa.Select[Any]:
    """Roles that an enrolment method gave in a course, to somebody whom it doesn't enrol there."""
    assignment, method, enrolment, context = map(
        look.table, ("role_assignments", "enrol", "user_enrolments", "context")
    )
    enrolled = (
        enrolment.join(method, method.c.id == enrolment.c.enrolid).join(
            context, sa.and_(context.c.contextlevel == CONTEXT_COURSE, context.c.instanceid == method.c.courseid)
        ),
        enrolment.c.enrolid == assignment.c.itemid,
        enrolment.c.userid == assignment.c.userid,
        context.c.id == assignment.c.contextid,
        assignment.c.component == sa.literal("enrol_") + method.c.enrol,
    )
    return sa.select(assignment.c.id).where(
        assignment.c.component.like("enrol\\_%", escape="\\"), lacks(*enrolled), *look.contexts(assignment.c.contextid)
    )


def _role_not_given(look: CheckContext) -> sa.Select[Any]:
    """People whom a cohort enrols, and who haven't got the role that comes with it. Mirrors: enrol_cohort_sync()"""
    enrolment, method, assignment, context = map(
        look.table, ("user_enrolments", "enrol", "role_assignments", "context")
    )
    given = (
        assignment.join(context, context.c.id == assignment.c.contextid),
        context.c.contextlevel == CONTEXT_COURSE,
        context.c.instanceid == method.c.courseid,
        assignment.c.userid == enrolment.c.userid,
        assignment.c.roleid == method.c.roleid,
        assignment.c.component == "enrol_cohort",
        assignment.c.itemid == method.c.id,
    )
    is_wanted = (method.c.enrol == "cohort", method.c.status == 0, method.c.roleid > 0, enrolment.c.status == 0)
    return (
        sa.select(enrolment.c.id)
        .select_from(enrolment.join(method, method.c.id == enrolment.c.enrolid))
        .where(*is_wanted, lacks(*given), *look.courses(method.c.courseid))
    )


def _given_twice(look: CheckContext) -> sa.Select[Any]:
    """Roles that somebody holds twice in the same place from the same source; only the later row is blamed."""
    later, earlier = look.table("role_assignments"), look.table("role_assignments")
    same = [earlier.c[name] == later.c[name] for name in ("contextid", "userid", "roleid", "component", "itemid")]
    return (
        sa.select(later.c.id)
        .select_from(later.join(earlier, sa.and_(*same, earlier.c.id < later.c.id)))
        .where(*look.contexts(later.c.contextid))
    )


CHECKS = (
    dangling("enrol_course_missing", "enrol", "courseid", "course", course="courseid"),
    dangling("user_enrolment_method_missing", "user_enrolments", "enrolid", "enrol"),
    Check("user_enrolment_user_missing", "user_enrolments", _of_nobody),
    dangling("role_assignment_role_missing", "role_assignments", "roleid", "role", context="contextid"),
    dangling("role_assignment_context_missing", "role_assignments", "contextid", "context"),
    Check("role_assignment_user_missing", "role_assignments", _role_of_nobody),
    Check("role_assignment_without_enrolment", "role_assignments", _role_without_enrolment),
    Check("user_enrolment_without_role", "user_enrolments", _role_not_given),
    Check("role_assignment_twice", "role_assignments", _given_twice),
)
