"""The users and courses that texts of a file name: as Moodle has them, in a dry run as earlier files would leave them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import sqlalchemy as sa

from sync.moodle.courses.courses import Course, fetch_courses
from sync.moodle.courses.rows import fetch_course_rows
from sync.moodle.db.database import MoodleSession
from sync.moodle.db.identifiers import fetch_ids, fetch_named, folding, is_id
from sync.moodle.users.users import SiteRules
from sync.processors.base.overlay import ChangedRows, FoundRows, Overlay, Table, TemporaryIds, Values

USERS, COURSES = "user", "course"
IDENTITIES = ("id", "idnumber", "username", "email")
_COURSE_NAMES = ("shortname", "idnumber")


def users_table(moodle: MoodleSession) -> Table:
    """Return the table of users, found by any identity."""
    return _named_table(moodle, USERS, IDENTITIES)


def courses_table(moodle: MoodleSession) -> Table:
    """Return the table of courses, found by short name and idnumber."""
    return _named_table(moodle, COURSES, _COURSE_NAMES)


def fetch_named_users(
    moodle: MoodleSession, overlay: Overlay, rules: SiteRules, identifier: str, values: Collection[str]
) -> dict[str, tuple[int, ...]]:
    """Return the ids of the users that the values name: those that aren't deleted, usernames of this site only.

    Shape: values as typed -> rising ids; absent = unknown, several ids = ambiguous
    Queries: one per 10,000 values
    """
    user = moodle.table(USERS)
    conditions = [user.c.deleted == 0]
    if identifier == "username":
        conditions.append(user.c.mnethostid == rules.mnethostid)
    if not overlay.holds(USERS):
        return fetch_ids(moodle, USERS, identifier, values, *conditions)
    statement = sa.select(user.c.id, user.c.deleted, user.c.mnethostid).where(*conditions)
    found = fetch_user_rows(moodle, overlay, statement, identifier, values)
    hostids = {rules.mnethostid}
    return {
        value: tuple(ids)
        for value, rows in found.items()
        if (ids := sorted(row["id"] for row in rows if identifier != "username" or row["mnethostid"] in hostids))
    }


def fetch_user_rows(
    moodle: MoodleSession, overlay: Overlay, statement: sa.Select[Any], identifier: str, values: Collection[str]
) -> dict[str, list[Values]]:
    """Return the users that values name and a statement lets through, those that earlier files would make among them.

    Shape: statement: selects id, deleted and mnethostid of `user`, and what else is wanted of users; value -> rows with these
    columns; absent = unknown
    Queries: one per 10,000 values
    """
    read = fetch_named(moodle, statement, USERS, identifier, values)
    rows = {row.id: {**dict(row._mapping), identifier: row.named_by} for of_value in read.values() for row in of_value}
    users = overlay.over(users_table(moodle), rows, {(identifier,): _wanted(identifier, values)})
    found = _found_by(users, identifier, values)
    present = {value: [row for row in rows if not row["deleted"]] for value, rows in found.items()}
    return {value: rows for value, rows in present.items() if rows}


def fetch_named_courses(
    moodle: MoodleSession, overlay: Overlay, identifier: str, values: Collection[str]
) -> dict[str, tuple[Course, ...]]:
    """Return what `fetch_courses` does, with the courses that earlier files would make and without those that they delete.

    Shape: a course that isn't in Moodle yet has a temporary id and context, and no path
    Queries: one per 10,000 values
    """
    if not overlay.holds(COURSES):
        return fetch_courses(moodle, identifier, values)
    read = fetch_course_rows(moodle, {identifier: values})[identifier]
    rows = {row["id"]: row for of_value in read.values() for row in of_value}
    wanted: Mapping[tuple[str, ...], Collection[Any]] = {(identifier,): _wanted(identifier, values)}
    courses = overlay.over(courses_table(moodle), rows, wanted if identifier in _COURSE_NAMES else None)
    return {
        value: tuple(sorted(_course(row) for row in found))
        for value, of_value in _found_by(courses, identifier, values).items()
        if (found := [row for row in of_value if row["contextid"] and not row.get("deletioninprogress")])
    }


def _course(row: Values) -> Course:
    return Course(row["id"], row["contextid"], row["path"] or "", row["category"] == 0)


def _named_table(moodle: MoodleSession, name: str, identifiers: Collection[str]) -> Table:
    folds = {identifier: folding(moodle, name, identifier) for identifier in identifiers if identifier != "id"}
    return Table(name, found_by=tuple((identifier,) for identifier in identifiers), folds=folds)


def _wanted(identifier: str, values: Collection[str]) -> list[Any]:
    texts = sorted({*filter(None, values)})
    return [int(text) for text in texts if is_id(text)] if identifier == "id" else list(texts)


def _found_by(found: FoundRows, identifier: str, values: Collection[str]) -> dict[str, list[Values]]:
    """Return for each value the rows that it names: those spelled exactly so, if there are any."""
    rows = ChangedRows(found, TemporaryIds())
    named: dict[str, list[Values]] = {}
    for value in {*filter(None, values)}:
        if identifier == "id":
            keys = [int(value)] if is_id(value) and int(value) in rows else []
        else:
            keys = rows.find_spelled(identifier, value)
        if keys:
            named[value] = [rows[key] for key in keys]
    return named
