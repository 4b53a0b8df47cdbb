"""Reads about courses that a file of courses may change: their rows, sections, format options and custom fields."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

import sqlalchemy as sa

from sync.moodle.db.database import MoodleSession
from sync.moodle.db.identifiers import fetch_ids, fetch_named, fetch_rows_of_values, folding, is_id
from sync.moodle.db.writer import MAX_KEYS, batched
from sync.moodle.versions import CONTEXT_COURSE

# First and last name of 100 characters each: what is longer is part of no name or address, and a LIKE may choke on it.
_LONGEST_NAME = 201
_GUEST = "guest"
# As many digits of a number as neither a server nor Python rounds.
_SURE_DIGITS = 15

CourseRow = dict[str, Any]


class CourseField(NamedTuple):
    """A custom field of courses.

    Shape: kind: "text", "select", "checkbox", "date", "textarea" …; config: its JSON settings; digits: how many the column for
    numbers holds, in all and behind the point
    """

    id: int
    shortname: str
    kind: str
    config: str
    digits: tuple[int, int] = (10, 5)

    @property
    def settings(self) -> dict[str, Any]:
        """What Moodle's form set for the field."""
        try:
            settings = json.loads(self.config or "{}")
        except ValueError:
            return {}
        return settings if isinstance(settings, dict) else {}

    @property
    def is_unique(self) -> bool:
        """Whether no two courses may have the same value."""
        return str(self.settings.get("uniquevalues", 0)) == "1"

    @property
    def is_required(self) -> bool:
        """Whether Moodle's form wants a value."""
        return str(self.settings.get("required", 0)) == "1"


class Section(NamedTuple):
    """A section of a course. Shape: component: "mod_subsection" for that of a subsection"""

    id: int
    number: int
    name: str | None
    summary: str
    summaryformat: int
    timemodified: int
    component: str | None = None


def fetch_course_rows(
    moodle: MoodleSession, named: Mapping[str, Collection[str]]
) -> dict[str, dict[str, list[CourseRow]]]:
    """Return the rows of `course`, with `contextid` and `path` of their contexts, that these texts name.

    Shape: named: identifier -> texts; gives identifier -> text -> rows, the site course among them; contextid and path are
    None where the context is missing
    Queries: one per identifier
    """
    course, context = moodle.table("course"), moodle.table("context")
    joined = course.outerjoin(
        context, sa.and_(context.c.contextlevel == CONTEXT_COURSE, context.c.instanceid == course.c.id)
    )
    statement = sa.select(course, context.c.id.label("contextid"), context.c.path).select_from(joined)
    return {
        identifier: {
            text: [dict(row._mapping) for row in rows]
            for text, rows in fetch_named(moodle, statement, "course", identifier, texts).items()
        }
        for identifier, texts in named.items()
    }


def fetch_sections(moodle: MoodleSession, courseids: Collection[int]) -> dict[int, dict[int, Section]]:
    """Return the sections of courses, those of subsections as well. Shape: courseid -> number -> section

    Queries: one; none without courses
    """
    table = moodle.table("course_sections")
    found: dict[int, dict[int, Section]] = {}
    # Until Moodle 4.4 there are no subsections.
    component = table.c.component if "component" in table.c else sa.null()
    columns = (
        table.c.id, table.c.section, table.c.name, table.c.summary, table.c.summaryformat, table.c.timemodified, component,
    )  # fmt: skip
    for part in batched(sorted(courseids), MAX_KEYS):
        for courseid, *values in moodle.fetch(sa.select(table.c.course, *columns).where(table.c.course.in_(part))):
            section = Section(*values)
            found.setdefault(courseid, {})[section.number] = section._replace(summary=section.summary or "")
    return found


def fetch_format_options(
    moodle: MoodleSession, courseids: Collection[int], names: Collection[str]
) -> dict[tuple[int, str, str], tuple[int, str]]:
    """Return options of course formats that are set for whole courses.

    Shape: (courseid, format, option) -> (row id, value)
    Queries: one; none without courses
    """
    table = moodle.table("course_format_options")
    found = {}
    for part in batched(sorted(courseids), MAX_KEYS):
        statement = sa.select(table.c.courseid, table.c.format, table.c.name, table.c.id, table.c.value).where(
            table.c.courseid.in_(part), table.c.sectionid == 0, table.c.name.in_(names)
        )
        for courseid, course_format, name, rowid, value in moodle.fetch(statement):
            found[courseid, course_format, name] = (rowid, value or "")
    return found


def fetch_course_fields(moodle: MoodleSession) -> dict[str, CourseField]:
    """Return the custom fields of courses by their short names in lower case. Queries: one"""
    field, category = moodle.table("customfield_field"), moodle.table("customfield_category")
    joined = field.join(category, category.c.id == field.c.categoryid)
    statement = (
        sa.select(field.c.id, field.c.shortname, field.c.type, field.c.configdata)
        .select_from(joined)
        .where(category.c.component == "core_course", category.c.area == "course")
        .order_by(field.c.id)
    )
    number = moodle.table("customfield_data").c.decvalue.type
    digits = (min(getattr(number, "precision", None) or 10, _SURE_DIGITS), getattr(number, "scale", None) or 5)
    return {
        row.shortname.lower(): CourseField(row.id, row.shortname, row.type, row.configdata or "", digits)
        for row in moodle.fetch(statement)
    }


def fetch_field_data(
    moodle: MoodleSession, courseids: Collection[int], fieldids: Collection[int]
) -> dict[tuple[int, int], CourseRow]:
    """Return what custom fields hold for courses. Shape: (fieldid, courseid) -> row. Queries: one; none without both"""
    if not fieldids:
        return {}
    table = moodle.table("customfield_data")
    found = {}
    for part in batched(sorted(courseids), MAX_KEYS):
        statement = sa.select(table).where(table.c.instanceid.in_(part), table.c.fieldid.in_(fieldids))
        for row in moodle.fetch(statement):
            values = {name: float(v) if isinstance(v, Decimal) else v for name, v in row._mapping.items()}
            found[row.fieldid, row.instanceid] = values
    return found


def fetch_course_revisions(moodle: MoodleSession, courseids: Collection[int]) -> dict[int, CourseRow]:
    """Return when courses were changed last: id -> {id, timemodified, cacherev}. Queries: one; none without courses"""
    course = moodle.table("course")
    found: dict[int, CourseRow] = {}
    for part in batched(sorted(courseids), MAX_KEYS):
        statement = sa.select(course.c.id, course.c.timemodified, course.c.cacherev).where(course.c.id.in_(part))
        found |= {row.id: dict(row._mapping) for row in moodle.fetch(statement)}
    return found


def fetch_rows_of_field_values(
    moodle: MoodleSession, values_by_fieldid: Mapping[int, Collection[str]]
) -> dict[tuple[int, int], CourseRow]:
    """Return which courses hold these values of custom fields. Shape: (fieldid, courseid) -> id and value of the row

    Queries: one per field and 10,000 values
    """
    return fetch_rows_of_values(moodle, "customfield_data", "instanceid", "value", values_by_fieldid)


def fetch_people(moodle: MoodleSession, texts: Collection[str], mnethostid: int) -> dict[str, list[int]]:
    """Return the users that texts mean: an id, a username or address, or a part of a name, address or username.

    Shape: text -> ids. An exact username or address goes before everything that merely holds the text. Digits mean an id or
    a username; where they are both, or somebody else's idnumber as well, all these are given. The guest user is nobody
    Queries: three or four; none without texts
    """
    wanted = {*filter(None, texts)}
    if not wanted:
        return {}
    user = moodle.table("user")
    present = (user.c.deleted == 0, user.c.mnethostid == mnethostid, user.c.username != _GUEST)
    # 007 isn't how a number is written.
    numbers = {text for text in wanted if is_id(text) and text == str(int(text))}
    by = {
        "id": fetch_ids(moodle, "user", "id", numbers, *present),
        "username": fetch_ids(moodle, "user", "username", wanted, *present),
        "email": fetch_ids(moodle, "user", "email", wanted, *present),
        "idnumber": fetch_ids(moodle, "user", "idnumber", {text for text in wanted if is_id(text)}, *present),
    }
    found: dict[str, list[int]] = {}
    for text in wanted:
        exact = {userid for identifier in ("id", "username", "email") for userid in by[identifier].get(text, ())}
        if exact:
            found[text] = sorted(exact.union(by["idnumber"].get(text, ())))
    rest = [text for text in wanted if text not in found and not text.isdigit() and len(text) <= _LONGEST_NAME]
    return {**found, **_fetch_alike(moodle, rest, present)}


def _fetch_alike(
    moodle: MoodleSession, texts: Collection[str], conditions: tuple[sa.ColumnElement[bool], ...]
) -> dict[str, list[int]]:
    """Mirrors: get_users_listing() of Moodle: full name, address and username hold the text"""
    if not texts:
        return {}
    user = moodle.table("user")
    places = [
        sa.func.lower(user.c.firstname + " " + user.c.lastname), sa.func.lower(user.c.email), user.c.username,
    ]  # fmt: skip
    alike = sa.or_(*(place.contains(text.lower(), autoescape=True) for text in texts for place in places))
    people = moodle.fetch(
        sa.select(user.c.id, user.c.firstname, user.c.lastname, user.c.email, user.c.username).where(*conditions, alike)
    )
    fold = folding(moodle, "user", "firstname")
    held = [(p.id, fold(f"{p.firstname} {p.lastname}\n{p.email}\n{p.username}".lower())) for p in people]
    return {text: [userid for userid, names in held if fold(text.lower()) in names] for text in texts}
