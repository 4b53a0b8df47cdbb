"""Groups: their members are enrolled in the course, and groupings hold groups of their own course."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from sync.moodle.integrity.check import Check, CheckContext, dangling, lacks


def _not_enrolled(look: CheckContext) -> sa.Select[Any]:
    """On the front page everybody counts as enrolled."""
    member, group, method, enrolment, course = map(
        look.table, ("groups_members", "groups", "enrol", "user_enrolments", "course")
    )
    enrolled = enrolment.join(method, method.c.id == enrolment.c.enrolid)
    return (
        sa.select(member.c.id)
        .select_from(member.join(group, group.c.id == member.c.groupid).join(course, course.c.id == group.c.courseid))
        .where(
            course.c.category != 0,
            lacks(enrolled, method.c.courseid == group.c.courseid, enrolment.c.userid == member.c.userid),
            *look.courses(group.c.courseid),
        )
    )


def _across_courses(look: CheckContext) -> sa.Select[Any]:
    link, group, grouping = look.table("groupings_groups"), look.table("groups"), look.table("groupings")
    return (
        sa.select(link.c.id)
        .select_from(
            link.outerjoin(group, group.c.id == link.c.groupid).outerjoin(grouping, grouping.c.id == link.c.groupingid)
        )
        .where(
            sa.or_(group.c.id.is_(None), grouping.c.id.is_(None), group.c.courseid != grouping.c.courseid),
            *look.courses(sa.func.coalesce(group.c.courseid, grouping.c.courseid)),
        )
    )


def _foreign_default_grouping(look: CheckContext) -> sa.Select[Any]:
    course, grouping = look.table("course"), look.table("groupings")
    is_its_own = (grouping.c.id == course.c.defaultgroupingid, grouping.c.courseid == course.c.id)
    return sa.select(course.c.id).where(
        course.c.defaultgroupingid > 0, lacks(grouping, *is_its_own), *look.courses(course.c.id)
    )


CHECKS = (
    dangling("group_course_missing", "groups", "courseid", "course", course="courseid"),
    dangling("grouping_course_missing", "groupings", "courseid", "course", course="courseid"),
    dangling("group_member_group_missing", "groups_members", "groupid", "groups"),
    Check("group_member_not_enrolled", "groups_members", _not_enrolled, ("user_enrolments",)),
    Check("grouping_across_courses", "groupings_groups", _across_courses),
    Check("course_default_grouping_missing", "course", _foreign_default_grouping),
)
