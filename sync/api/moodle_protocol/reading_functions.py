"""Functions that read: courses, who is enrolled, cohorts and their members."""

from __future__ import annotations

import string
from itertools import takewhile
from typing import Any

import sqlalchemy as sa

from sync.api.moodle_protocol.calls import Call
from sync.api.moodle_protocol.errors import ServiceError, invalid_parameter
from sync.api.moodle_protocol.named import COHORT_SOURCES, Named
from sync.messages import text_of
from sync.moodle.lookup.enrolled import SORTS, UserQuery, fetch_enrolled_ids, fetch_member_ids
from sync.moodle.lookup.full_users import FIELDS, fetch_full_users

_OF_NAMES = frozenset(f"{string.ascii_letters}{string.digits}_-")
_MOST_DIGITS = 15
_LIGHT = ("id", "username", "firstname", "lastname", "idnumber")


def check_course(call: Call, courseidsource: str, courseid: str) -> bool:
    """Tell whether there is a course."""
    call.check_look()
    with call.moodle() as moodle:
        return Named(moodle).course_or_none(courseidsource, courseid) is not None


def get_enrolled_full_users(
    call: Call, courseidsource: str, courseid: str, options: list[dict[str, str]]
) -> list[dict[str, Any]]:
    """Return who is enrolled in a course, with all that is known of them."""
    call.check_people()
    query, fields = _query(options)
    with call.moodle() as moodle:
        found = Named(moodle).course(courseidsource, courseid)
        return fetch_full_users(moodle, fetch_enrolled_ids(moodle, found, query), courseid=found, fields=fields)


def get_enrolled_users(
    call: Call, courseidsource: str, courseid: str, options: list[dict[str, str]]
) -> list[dict[str, Any]]:
    """Return who is enrolled in a course; what was not asked for, and an idnumber that is empty, is null as in the plugin."""
    call.check_people()
    query, fields = _query(options)
    with call.moodle() as moodle:
        found = Named(moodle).course(courseidsource, courseid)
        wanted = [name for name in _LIGHT if not fields or name in fields]
        users = fetch_full_users(moodle, fetch_enrolled_ids(moodle, found, query), fields=wanted)
    return [{name: user.get(name) for name in _LIGHT} for user in users]


def get_cohorts(call: Call, cohortidsource: str, cohortids: list[str]) -> list[dict[str, Any]]:
    """Return cohorts, all where none are named."""
    call.check_look()
    if cohortids and cohortidsource not in COHORT_SOURCES:
        raise invalid_parameter("Cohort id source not in accepted range")
    with call.moodle() as moodle:
        named = Named(moodle)
        cohort = moodle.table("cohort")
        statement = sa.select(cohort)
        if cohortids:
            ids = {found for text in cohortids if (found := named.cohort_or_none(cohortidsource, text)) is not None}
            statement = statement.where(moodle.in_clause(cohort.c.id, ids))
        rows = moodle.fetch(statement.order_by(cohort.c.id))
    return [
        {
            "id": row.id, "name": row.name, "idnumber": row.idnumber or "", "description": row.description or "",
            "descriptionformat": row.descriptionformat, "visible": bool(row.visible),
        }
        for row in rows
    ]  # fmt: skip


def get_cohort_users(call: Call, chidsource: str, chid: str, options: list[dict[str, str]]) -> list[dict[str, Any]]:
    """Return the members of a cohort, with all that is known of them."""
    call.check_people()
    query, fields = _query(options)
    with call.moodle() as moodle:
        cohortid = Named(moodle).cohort(chidsource, chid)
        return fetch_full_users(moodle, fetch_member_ids(moodle, cohortid, query), fields=fields)


def _query(options: list[dict[str, str]]) -> tuple[UserQuery, list[str]]:
    """Return what options ask for, and the fields of users. Raises: ServiceError"""
    chosen = {option["name"]: option["value"] for option in options}
    fields = [
        "".join(filter(_OF_NAMES.__contains__, name))
        for name in chosen.get("userfields", "").split(",")
        if name.strip()
    ]
    if unknown := [name for name in fields if name not in FIELDS]:
        raise ServiceError(text_of("service_field_unknown", {"name": unknown[0]}), "invaliduserfield")
    sort_by, direction = chosen.get("sortby", "id"), chosen.get("sortdirection", "ASC").upper()
    if sort_by not in SORTS:
        raise invalid_parameter(
            f"Invalid value for sortby parameter (value: {sort_by}),allowed values are: {','.join(SORTS)}"
        )
    if direction not in ("ASC", "DESC"):
        raise invalid_parameter(
            f"Invalid value for sortdirection parameter (value: {direction}),allowed values are: ASC,DESC"
        )
    query = UserQuery(
        capability=chosen.get("withcapability", ""),
        groupid=_number(chosen.get("groupid", "")),
        only_active=chosen.get("onlyactive", "") not in ("", "0"),
        sort_by=sort_by,
        descending=direction == "DESC",
        start=_number(chosen.get("limitfrom", "")),
        most=_number(chosen.get("limitnumber", "")),
    )
    return query, fields


def _number(text: str) -> int:
    """Return the number that a text begins with, as PHP takes it."""
    digits = "".join(takewhile("0123456789".__contains__, text.lstrip()))
    return int(digits[:_MOST_DIGITS] or 0)
