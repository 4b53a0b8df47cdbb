"""What parameters name, found by the source that stands beside each: a course by its idnumber, a user by the username."""

from __future__ import annotations

from collections.abc import Collection
from functools import cached_property

import sqlalchemy as sa

from sync.api.moodle_protocol.errors import ServiceError, invalid_parameter
from sync.messages import text_of
from sync.moodle.db.database import MoodleSession
from sync.moodle.db.identifiers import fetch_ids
from sync.moodle.enrolments.roles import Role, fetch_roles
from sync.moodle.users.users import SiteRules

COURSE_SOURCES = ("id", "shortname", "idnumber")
USER_SOURCES = ("id", "username", "idnumber", "email")
COHORT_SOURCES = ("id", "idnumber")
CATEGORY_SOURCES = ("id", "idnumber")
ROLE_SOURCES = ("id", "shortname")


class Named:
    """Finds things in one Moodle, and says what is wrong as the plugin does."""

    def __init__(self, moodle: MoodleSession) -> None:
        self.moodle = moodle
        self._rules = SiteRules(moodle)

    def course(self, source: str, value: str) -> int:
        """Raises: ServiceError"""
        self._check(source, COURSE_SOURCES, "Course id source not in acceptable ranges")
        return self._one("course", "Course", source, value, f"Course not found by {source} for {value}")

    def course_or_none(self, source: str, value: str) -> int | None:
        """Return the course, None where there is none. Raises: ServiceError for a source that isn't known"""
        self._check(source, COURSE_SOURCES, "ID source not in acceptable range.")
        found = fetch_ids(self.moodle, "course", source, {value})
        return next(iter(found.get(value, ())), None)

    def user(self, source: str, value: str) -> int:
        """Raises: ServiceError"""
        self._check(source, USER_SOURCES, "User source not in acceptable ranges.")
        return self._one("user", "User", source, value, f"User not found by {source}: {value}", *self._living(source))

    def user_or_none(self, source: str, value: str) -> int | None:
        """Return the user, None where there is none, or several are called so."""
        found = fetch_ids(self.moodle, "user", source, {value}, *self._living(source)).get(value, ())
        return found[0] if len(found) == 1 else None

    def cohort(self, source: str, value: str) -> int:
        """Raises: ServiceError"""
        self._check(source, COHORT_SOURCES, "Cohort source not in acceptable ranges.")
        return self._one("cohort", "Cohort", source, value, f"Cohort not found by {source} : {value}")

    def cohort_or_none(self, source: str, value: str) -> int | None:
        """Return the cohort, None where there is none, or several have the idnumber."""
        found = fetch_ids(self.moodle, "cohort", source, {value}).get(value, ()) if source in COHORT_SOURCES else ()
        return found[0] if len(found) == 1 else None

    def category(self, source: str, value: str) -> int:
        """Raises: ServiceError"""
        self._check(source, CATEGORY_SOURCES, "Category ID source not in acceptable range.")
        return self._one("course_categories", "Category", source, value, "Category does not exist.")

    def role(self, source: str, value: str) -> Role:
        """Raises: ServiceError"""
        self._check(source, ROLE_SOURCES, f"Role source {source} not in acceptable ranges.")
        # As the server compares names: MariaDB takes "Student" for "student".
        found = fetch_ids(self.moodle, "role", source, {value}).get(value, ())
        for role in self._roles:
            if role.id in found:
                return role
        raise invalid_parameter(f"Role not found by {source}: {value}")

    def column(self, table: str, column: str, rowid: int) -> str:
        """Return what stands in a column of a row."""
        target = self.moodle.table(table)
        return str(self.moodle.fetch(sa.select(target.c[column]).where(target.c.id == rowid))[0][0] or "")

    @cached_property
    def _roles(self) -> list[Role]:
        return fetch_roles(self.moodle)

    def _living(self, source: str) -> list[sa.ColumnElement[bool]]:
        user = self.moodle.table("user")
        of_site = [user.c.mnethostid == self._rules.mnethostid] if source == "username" else []
        return [user.c.deleted == 0, *of_site]

    def _one(
        self, table: str, thing: str, source: str, value: str, missing: str, *conditions: sa.ColumnElement[bool]
    ) -> int:
        found = fetch_ids(self.moodle, table, source, {value}, *conditions).get(value, ()) if value else ()
        if not found:
            raise invalid_parameter(missing)
        if len(found) > 1:
            raise ServiceError(
                text_of(
                    "service_found_several", {"thing": thing, "count": len(found), "source": source, "value": value}
                ),
                "multiplerecordsfound",
            )
        return found[0]

    @staticmethod
    def _check(source: str, known: Collection[str], text: str) -> None:
        if source not in known:
            raise invalid_parameter(text)
