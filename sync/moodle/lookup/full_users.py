"""Users with all that Moodle's web services tell of them to a site administrator, whole sets at a time.

Mirrors: user_get_user_details(); leaves out the addresses of pictures, for what the site is called stands in no table, and
filters, which only Moodle applies to texts
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from sync.moodle.db.database import MoodleSession
from sync.moodle.db.writer import MAX_KEYS, batched
from sync.moodle.enrolments.enrolments import ACTIVE, ENABLED
from sync.moodle.versions import CONTEXT_COURSE

# What may be asked for. Source: user_get_default_fields()
FIELDS = (
    "id", "username", "fullname", "firstname", "lastname", "email", "address", "phone1", "phone2", "icq", "skype", "yahoo",
    "aim", "msn", "department", "institution", "interests", "firstaccess", "lastaccess", "auth", "confirmed", "idnumber", "lang",
    "theme", "timezone", "mailformat", "description", "descriptionformat", "city", "url", "country", "profileimageurlsmall",
    "profileimageurl", "customfields", "groups", "roles", "preferences", "enrolledcourses", "suspended", "lastcourseaccess",
)  # fmt: skip
# Left out where they are empty.
_IF_FILLED = ("address", "phone1", "phone2", "country", "city", "idnumber", "institution")
_NAMES = ("firstname", "lastname", "middlename", "alternatename", "firstnamephonetic", "lastnamephonetic")
_COLUMNS = (
    *_NAMES, *_IF_FILLED, "id", "username", "department", "description", "descriptionformat", "firstaccess", "lastaccess",
    "email",
)  # fmt: skip


def fetch_full_users(
    moodle: MoodleSession, userids: Sequence[int], *, courseid: int | None = None, fields: Collection[str] = ()
) -> list[dict[str, Any]]:
    """Return users in the order of their ids given, those that are deleted left out.

    Shape: courseid: tells groups and roles of that course; fields: of FIELDS, none = all
    Queries: at most eight per 10,000 users
    """
    wanted = {*(fields or FIELDS), "id", "fullname"}
    found: dict[int, dict[str, Any]] = {}
    for part in batched(list(userids), MAX_KEYS):
        user = moodle.table("user")
        statement = sa.select(*(user.c[name] for name in _COLUMNS)).where(
            moodle.in_clause(user.c.id, part), user.c.deleted == 0
        )
        rows = {row.id: row._mapping for row in moodle.fetch(statement)}
        more = _more(moodle, list(rows), courseid, wanted)
        for userid, row in rows.items():
            found[userid] = _details(row, wanted, _full_name(moodle, row), more.get(userid, {}))
    return [found[userid] for userid in userids if userid in found]


def _details(
    row: Mapping[Any, Any], wanted: Collection[str], full_name: str, more: Mapping[str, Any]
) -> dict[str, Any]:
    details: dict[str, Any] = {
        name: row[name] for name in ("id", "username", "firstname", "lastname", "email") if name in wanted
    }
    details["fullname"] = full_name
    details |= {name: row[name] for name in _IF_FILLED if name in wanted and row[name]}
    if "department" in wanted and row["department"] is not None:
        details["department"] = row["department"]
    if "description" in wanted and row["description"] is not None:
        details |= {"description": row["description"], "descriptionformat": row["descriptionformat"]}
    details |= {name: row[name] or 0 for name in ("firstaccess", "lastaccess") if name in wanted}
    return details | dict(more)


def _full_name(moodle: MoodleSession, row: Mapping[Any, Any]) -> str:
    """Return a name as the site writes it for those who may see whole names. Mirrors: fullname() with override"""
    template = moodle.config.get("alternativefullnameformat") or "language"
    if template == "language":
        template = "firstname lastname"
    name = template
    # The longest first: one is the beginning of another.
    for column in sorted(_NAMES, key=len, reverse=True):
        name = name.replace(column, f"\0{_NAMES.index(column)}\0")
    for number, column in enumerate(_NAMES):
        name = name.replace(f"\0{number}\0", row[column] or "")
    return " ".join(name.split())


def _more(
    moodle: MoodleSession, userids: Sequence[int], courseid: int | None, wanted: Collection[str]
) -> dict[int, dict[str, Any]]:
    """Return what stands in other tables: userid -> field -> value; absent = none, but for roles and courses."""
    found: dict[int, dict[str, Any]] = {userid: {} for userid in userids}
    if not userids:
        return found
    lists: list[tuple[str, Mapping[int, Any], Any]] = []
    if "customfields" in wanted:
        lists.append(("customfields", _profile_fields(moodle, userids), None))
    if "interests" in wanted:
        lists.append(("interests", _interests(moodle, userids), None))
    if courseid is not None and "groups" in wanted:
        lists.append(("groups", _groups(moodle, userids, courseid), None))
    if courseid is not None and "roles" in wanted:
        lists.append(("roles", _roles(moodle, userids, courseid), []))
    if "enrolledcourses" in wanted:
        lists.append(("enrolledcourses", _courses(moodle, userids), None))
    for name, of_users, empty in lists:
        for userid, details in found.items():
            if (value := of_users.get(userid, empty)) is not None:
                details[name] = value
    return found


def _profile_fields(moodle: MoodleSession, userids: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    """A field without a value of the user has its default, as on the page of the profile."""
    field, category, data = map(moodle.table, ("user_info_field", "user_info_category", "user_info_data"))
    fields = moodle.fetch(
        sa.select(field.c.id, field.c.datatype, field.c.name, field.c.shortname, field.c.defaultdata)
        .select_from(field.join(category, category.c.id == field.c.categoryid))
        .order_by(category.c.sortorder, field.c.sortorder)
    )
    stored = {
        (row.userid, row.fieldid): row.data
        for row in moodle.fetch(
            sa.select(data.c.userid, data.c.fieldid, data.c.data).where(moodle.in_clause(data.c.userid, userids))
        )
    }
    found: dict[int, list[dict[str, Any]]] = {}
    for userid in userids:
        for each in fields:
            value = stored.get((userid, each.id), each.defaultdata)
            if value:
                shown = {"type": each.datatype, "value": value, "name": each.name, "shortname": each.shortname}
                found.setdefault(userid, []).append(shown)
    return found


def _interests(moodle: MoodleSession, userids: Sequence[int]) -> dict[int, str]:
    tag, instance = map(moodle.table, ("tag", "tag_instance"))
    statement = (
        sa.select(instance.c.itemid, tag.c.rawname)
        .select_from(instance.join(tag, tag.c.id == instance.c.tagid))
        .where(
            instance.c.component == "core", instance.c.itemtype == "user", moodle.in_clause(instance.c.itemid, userids)
        )
        .order_by(instance.c.ordering, instance.c.id)
    )
    found: dict[int, list[str]] = {}
    for userid, name in moodle.fetch(statement):
        found.setdefault(userid, []).append(name)
    return {userid: ", ".join(names) for userid, names in found.items()}


def _groups(moodle: MoodleSession, userids: Sequence[int], courseid: int) -> dict[int, list[dict[str, Any]]]:
    member, group = map(moodle.table, ("groups_members", "groups"))
    statement = (
        sa.select(member.c.userid, group.c.id, group.c.name, group.c.description, group.c.descriptionformat)
        .select_from(member.join(group, group.c.id == member.c.groupid))
        .where(group.c.courseid == courseid, moodle.in_clause(member.c.userid, userids))
        .order_by(group.c.name, group.c.id)
    )
    found: dict[int, list[dict[str, Any]]] = {}
    for userid, groupid, name, description, form in moodle.fetch(statement):
        shown = {"id": groupid, "name": name, "description": description or "", "descriptionformat": form}
        found.setdefault(userid, []).append(shown)
    return found


def _roles(moodle: MoodleSession, userids: Sequence[int], courseid: int) -> dict[int, list[dict[str, Any]]]:
    """Roles in the course itself, not those from above. Mirrors: get_user_roles(checkparentcontexts: false)"""
    held, role, context = map(moodle.table, ("role_assignments", "role", "context"))
    statement = (
        sa.select(held.c.userid, role.c.id, role.c.name, role.c.shortname, held.c.sortorder)
        .select_from(held.join(role, role.c.id == held.c.roleid).join(context, context.c.id == held.c.contextid))
        .where(
            context.c.contextlevel == CONTEXT_COURSE,
            context.c.instanceid == courseid,
            moodle.in_clause(held.c.userid, userids),
        )
        .order_by(role.c.sortorder, held.c.id)
    )
    found: dict[int, list[dict[str, Any]]] = {}
    for userid, roleid, name, shortname, order in moodle.fetch(statement):
        shown = {"roleid": roleid, "name": name, "shortname": shortname, "sortorder": order}
        found.setdefault(userid, []).append(shown)
    return found


def _courses(moodle: MoodleSession, userids: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    """Courses that are shown, with an enrolment that is active now. Mirrors: enrol_get_users_courses(onlyactive: true)"""
    enrolment, enrol, course = map(moodle.table, ("user_enrolments", "enrol", "course"))
    active = (
        sa.select(enrolment.c.userid, enrol.c.courseid)
        .select_from(enrolment.join(enrol, enrol.c.id == enrolment.c.enrolid))
        .where(moodle.in_clause(enrolment.c.userid, userids), *active_now(enrolment, enrol))
        .distinct()
        .subquery()
    )
    statement = (
        sa.select(active.c.userid, course.c.id, course.c.fullname, course.c.shortname)
        .select_from(active.join(course, course.c.id == active.c.courseid))
        .where(course.c.category != 0, course.c.visible == 1)
        .order_by(course.c.sortorder, course.c.id)
    )
    found: dict[int, list[dict[str, Any]]] = {}
    for userid, courseid, fullname, shortname in moodle.fetch(statement):
        found.setdefault(userid, []).append({"id": courseid, "fullname": fullname, "shortname": shortname})
    return found


def active_now(enrolment: sa.FromClause, enrol: sa.FromClause) -> list[sa.ColumnElement[bool]]:
    """Return the conditions that an enrolment lets its user in now. Mirrors: get_enrolled_sql(onlyactive: true)"""
    now = int(time.time())
    return [
        enrolment.c.status == ACTIVE,
        enrol.c.status == ENABLED,
        enrolment.c.timestart < now,
        sa.or_(enrolment.c.timeend == 0, enrolment.c.timeend > now),
    ]
