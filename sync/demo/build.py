"""Build a small Moodle 4.5 in SQLite to try ToolSync on: every table, and a university of invented people.

It writes directly, not through the gate (`sync.moodle.db.writer`): this is nobody's Moodle, it is made here, and there is
nothing yet of which a before-image could be kept.
"""

from __future__ import annotations

import time
from pathlib import Path

import sqlalchemy as sa

from sync.demo.courses import add_categories, add_courses
from sync.demo.memberships import add_category_manager, add_memberships
from sync.demo.tables import PREFIX, Tables
from sync.demo.users import add_people, add_sample_person
from sync.moodle.schemas import create_tables, load_schema, load_site_rows

VERSION = "4.5"

# What the demo shows before and after its runs.
_NUMBERS = {
    "users": "user WHERE deleted = 0",
    "  of them suspended": "user WHERE deleted = 0 AND suspended = 1",
    "  with a picture": "user WHERE deleted = 0 AND picture > 0",
    "deleted users": "user WHERE deleted = 1",
    "enrolments": "user_enrolments",
    "role assignments": "role_assignments",
    "group members": "groups_members",
    "cohort members": "cohort_members",
}


def build_moodle(path: Path) -> None:
    """Make the demo Moodle in a new file; nothing is left there when it fails half-way."""
    unfinished = path.with_suffix(".unfinished")
    unfinished.unlink(missing_ok=True)
    engine = sa.create_engine(f"sqlite:///{unfinished}")
    # A file that isn't finished is thrown away: nobody has to wait for the disk.
    sa.event.listen(engine, "connect", lambda connection, _record: connection.execute("PRAGMA synchronous = OFF"))
    create_tables(engine, load_schema(VERSION), PREFIX)
    with engine.begin() as connection:
        tables = Tables(connection, int(time.time()))
        for table, rows in load_site_rows(VERSION).items():
            tables.insert(table, rows)
        _fill(tables)
    engine.dispose()
    unfinished.replace(path)


def count_rows(path: Path) -> dict[str, int]:
    """Return the numbers by which people see what runs have changed: label -> rows."""
    engine = sa.create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        numbers = {
            label: int(connection.execute(sa.text(f"SELECT COUNT(*) FROM {PREFIX}{rows}")).scalar_one())  # noqa: S608
            for label, rows in _NUMBERS.items()
        }
    engine.dispose()
    return numbers


def _fill(tables: Tables) -> None:
    tables.set_where("course", {"id": 1}, {"fullname": "Demo University", "shortname": "demo"})
    tables.set_where("config", {"name": "enrol_plugins_enabled"}, {"value": "manual,guest,self,cohort,meta"})
    categories = add_categories(tables)
    forum = next(row["id"] for row in load_site_rows(VERSION)["modules"] if row["name"] == "forum")
    courses = add_courses(tables, categories, forum)
    userids = add_people(tables)
    add_memberships(tables, userids, courses, categories["LANG"].context, sample=add_sample_person(tables))
    add_category_manager(tables, userids[0], categories["SCI"].context)
