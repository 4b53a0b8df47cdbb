"""Moodle databases for tests: made from the captured schemas, or loaded from dumps of real sites."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sync.moodle.db.database import MoodleConnection, MoodleDatabase
from sync.moodle.schemas import create_tables, load_schema, load_site_rows
from sync.moodle.users.passwords import format_for, hash_password

Rows = dict[int, dict[str, Any]]
Snapshot = dict[str, Rows]

ANN_PASSWORD = "Ann-Secret#7"
_STUDENT, _EDITING_TEACHER = 5, 3
BEGAN = int(time.time()) - 86_400


@dataclass
class MoodleSite:
    """One Moodle database of the tests.

    Shape: engine_name: "sqlite", "mariadb" or "postgresql"; version: "4.1" …; ids: names of things in the base -> ids
    """

    url: str
    engine_name: str
    version: str
    prefix: str = "mdl_"
    ids: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # Our own engine, but opened in the way the product opens it.
        self.engine = MoodleDatabase(MoodleConnection(self.url, self.prefix)).engine
        if self.engine_name == "sqlite":
            stop_waiting_for_the_disk(self.engine)
        self.table_names = sorted(
            name.removeprefix(self.prefix)
            for name in sa.inspect(self.engine).get_table_names()
            if name.startswith(self.prefix)
        )
        self._template: Snapshot = {}
        self._template_sums: dict[str, str] = {}

    # --- looking and preparing ---------------------------------------------------------------------------------------

    def rows(self, table: str, **where: Any) -> list[dict[str, Any]]:
        """Return the rows of a table that have these values, by id."""
        with self.engine.connect() as connection:
            return list(_read(connection, self.prefix, table, where).values())

    def columns(self, table: str) -> set[str]:
        return {column["name"] for column in sa.inspect(self.engine).get_columns(self.prefix + table)}

    def one(self, table: str, **where: Any) -> dict[str, Any]:
        found = self.rows(table, **where)
        assert len(found) == 1, f"{len(found)} rows of {table} with {where}"
        return found[0]

    def insert(self, table: str, **values: Any) -> int:
        """Insert a row; columns that aren't named take their defaults; return its id."""
        target = sa.table(self.prefix + table, *(sa.column(name) for name in ("id", *values)))
        with self.engine.begin() as connection:
            if self.engine_name == "postgresql":
                return int(connection.execute(sa.insert(target).values(values).returning(target.c.id)).scalar_one())
            return int(connection.execute(sa.insert(target).values(values)).lastrowid)

    def execute(self, statement: str, **params: Any) -> None:
        """Run SQL; {table} names stand for prefixed tables: "UPDATE {user} SET …"."""
        names = {name: self.prefix + name for name in self.table_names}
        with self.engine.begin() as connection:
            connection.execute(sa.text(statement.format(**names)), params)

    # --- comparing ------------------------------------------------------------------------------------------------------

    def snapshot(self, tables: Collection[str] | None = None) -> Snapshot:
        """Read every row of every table that has rows; what is as the template was isn't read again.

        Shape: tables: none = all
        """
        names = self.table_names if tables is None else sorted(tables)
        with self.engine.connect() as connection:
            filled = filled_tables(connection, self.prefix, names)
            sums = _check_sums(connection, self.prefix, filled) if self._template_sums else {}
            return {
                table: self._template[table]
                if table in sums and sums[table] == self._template_sums.get(table)
                else _read(connection, self.prefix, table, {})
                for table in filled
            }

    @staticmethod
    def diff(before: Snapshot, after: Snapshot) -> dict[str, dict[str, list[Any]]]:
        """Return what changed: table -> inserted rows, updated {"id", "before", "after"}, deleted rows; {} when nothing did."""
        changes = {}
        for table in sorted({*before, *after}):
            old, new = before.get(table, {}), after.get(table, {})
            if old is new:
                continue
            change = {
                "inserted": [new[rowid] for rowid in sorted(new.keys() - old.keys())],
                "updated": [
                    _update(rowid, old[rowid], new[rowid]) for rowid in sorted(old) if _differs(rowid, old, new)
                ],
                "deleted": [old[rowid] for rowid in sorted(old.keys() - new.keys())],
            }
            if any(change.values()):
                changes[table] = change
        return changes

    # --- going back -----------------------------------------------------------------------------------------------------

    def keep_as_template(self) -> None:
        self._template_sums = {}
        self._template = self.snapshot()
        with self.engine.connect() as connection:
            self._template_sums = _check_sums(connection, self.prefix, list(self._template))

    @contextmanager
    def template_kept(self) -> Iterator[None]:
        """Let a test keep a template of its own; afterwards this one counts again."""
        kept = self._template, self._template_sums
        try:
            yield
        finally:
            self._template, self._template_sums = kept
            self.restore_template()

    def restore_template(self, tables: Collection[str] | None = None) -> None:
        """Undo whatever a test did. Shape: tables: the only ones that it may have changed, none = any"""
        now = self.snapshot(tables)
        template = {name: rows for name, rows in self._template.items() if tables is None or name in tables}
        with self.engine.begin() as connection:
            for table, change in self.diff(now, template).items():
                target = sa.table(
                    self.prefix + table, *(sa.column(name) for name in _columns(now, self._template, table))
                )
                gone = [row["id"] for row in change["deleted"]] + [update["id"] for update in change["updated"]]
                for start in range(0, len(gone), 5000):
                    connection.execute(sa.delete(target).where(target.c.id.in_(gone[start : start + 5000])))
                back = change["inserted"] + [self._template[table][update["id"]] for update in change["updated"]]
                if back:
                    connection.execute(sa.insert(target), back)


def build_site(url: str, engine_name: str, version: str) -> MoodleSite:
    """Make a Moodle from the captured schema of a version, with the base of the acceptance examples."""
    raw = sa.create_engine(url) if engine_name == "sqlite" else MoodleDatabase(MoodleConnection(url)).engine
    if engine_name == "sqlite":
        stop_waiting_for_the_disk(raw)
    create_tables(raw, load_schema(version))
    raw.dispose()
    site = MoodleSite(url, engine_name, version)
    with site.engine.begin() as connection:
        for table, rows in load_site_rows(version).items():
            _insert_rows(connection, site.prefix + table, rows)
            if engine_name == "postgresql":
                connection.execute(
                    sa.text(
                        f"SELECT setval(pg_get_serial_sequence('{site.prefix}{table}', 'id'),"
                        f" (SELECT max(id) FROM {site.prefix}{table}))"
                    )
                )
    add_base(site)
    site.keep_as_template()
    return site


def add_base(site: MoodleSite) -> None:
    """Add the people, courses and fields of the acceptance examples. Source: spec users.md section 10."""
    site.execute("UPDATE {config} SET value = '0' WHERE name = 'allowaccountssameemail'")
    site.ids["C1"], site.ids["C1 context"], site.ids["C1 manual"] = _add_course(site, "C1")
    site.ids["C2"], site.ids["C2 context"], site.ids["C2 manual"] = _add_course(site, "C2")
    number = float(site.one("config", name="version")["value"])
    ann = site.insert(
        "user", auth="manual", confirmed=1, mnethostid=1, username="ann", idnumber="A1", firstname="Ann", lastname="Smith",
        email="ann@x.org", city="Lyon", country="FR", lang="en", timezone="99", timecreated=BEGAN, timemodified=BEGAN,
        password=hash_password(ANN_PASSWORD, format_for(number)),
    )  # fmt: skip
    site.ids["ann"] = ann
    context = site.insert("context", contextlevel=30, instanceid=ann, depth=2)
    site.execute("UPDATE {context} SET path = :path WHERE id = :id", path=f"/1/{context}", id=context)
    category = site.insert("user_info_category", name="Other fields", sortorder=1)
    for sortorder, (shortname, kind, more) in enumerate(
        (
            ("dept", "text", {"param1": "30", "param2": "2048"}),
            ("bio", "textarea", {}),
            ("col", "menu", {"param1": "Red\nGreen\nBlue", "defaultdata": "Green"}),
        ),
        start=1,
    ):
        site.ids[shortname] = site.insert(
            "user_info_field", shortname=shortname, name=shortname.title(), datatype=kind, categoryid=category,
            sortorder=sortorder, descriptionformat=1, **more,
        )  # fmt: skip


def _add_course(site: MoodleSite, shortname: str) -> tuple[int, int, int]:
    """Return the ids of a course, its context and its manual enrolment; real sites have the course already."""
    if present := site.rows("course", shortname=shortname):
        course = present[0]["id"]
        context = site.one("context", contextlevel=50, instanceid=course)["id"]
        return course, context, site.one("enrol", courseid=course, enrol="manual")["id"]
    course = site.insert(
        "course", category=1, shortname=shortname, fullname=f"Course {shortname}", idnumber=f"ID{shortname}",
        format="topics", timecreated=BEGAN, timemodified=BEGAN, visible=1,
    )  # fmt: skip
    category_path = site.one("context", contextlevel=40, instanceid=1)["path"]
    context = site.insert("context", contextlevel=50, instanceid=course, depth=3)
    site.execute("UPDATE {context} SET path = :path WHERE id = :id", path=f"{category_path}/{context}", id=context)
    manual = site.insert(
        "enrol",
        enrol="manual",
        status=0,
        courseid=course,
        sortorder=0,
        roleid=_STUDENT,
        timecreated=BEGAN,
        timemodified=BEGAN,
    )
    return course, context, manual


def _insert_rows(connection: Connection, table: str, rows: Iterable[Mapping[str, Any]]) -> None:
    rows = list(rows)
    if rows:
        target = sa.table(table, *(sa.column(name) for name in rows[0]))
        connection.execute(sa.insert(target), rows)


def filled_tables(connection: Connection, prefix: str, names: Sequence[str]) -> list[str]:
    """The tables that have rows; asked in a few statements, since most of 490 have none."""
    filled = []
    for start in range(0, len(names), 100):
        asked = " UNION ALL ".join(
            f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM {prefix}{name})" for name in names[start : start + 100]
        )
        filled += [row[0] for row in connection.exec_driver_sql(asked)]
    return filled


def _check_sums(connection: Connection, prefix: str, names: list[str]) -> dict[str, str]:
    """Sums over all rows, as the server makes them; SQLite has none, and reads faster than any."""
    if connection.dialect.name == "postgresql":
        asked = " UNION ALL ".join(
            f"SELECT '{name}', count(*) || ' ' || sum(hashtextextended(t::text, 0)) FROM {prefix}{name} t"
            for name in names
        )
        return {name: str(total) for name, total in connection.exec_driver_sql(asked)}
    if connection.dialect.name == "mysql":
        rows = connection.exec_driver_sql("CHECKSUM TABLE " + ", ".join(prefix + name for name in names))
        return {name.rsplit(".", 1)[1].removeprefix(prefix): str(total) for name, total in rows}
    return {}


def _read(connection: Connection, prefix: str, table: str, where: Mapping[str, Any]) -> Rows:
    conditions = " AND ".join(f"{name} = :{name}" for name in where)
    statement = f"SELECT * FROM {prefix}{table}" + (f" WHERE {conditions}" if where else "") + " ORDER BY id"
    found = connection.execute(sa.text(statement), where)
    names = [*found.keys()]
    place = names.index("id")
    # SQLite has no decimals. Tests read whole sites all the time: no row is looked at by name, or cell by cell, without need.
    rows = found.all() if connection.dialect.name == "sqlite" else ([*map(_plain, row)] for row in found)
    return {row[place]: dict(zip(names, row, strict=True)) for row in rows}


def _plain(value: Any) -> Any:
    return f"{value:f}" if isinstance(value, Decimal) else value


def _differs(rowid: int, old: Rows, new: Rows) -> bool:
    return rowid in new and old[rowid] != new[rowid]


def _update(rowid: int, old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    changed = [name for name in old if old[name] != new[name]]
    return {"id": rowid, "before": {n: old[n] for n in changed}, "after": {n: new[n] for n in changed}}


def _columns(now: Snapshot, template: Snapshot, table: str) -> list[str]:
    return list(next(iter((template.get(table) or now[table]).values())))


def stop_waiting_for_the_disk(engine: sa.Engine) -> None:
    """Every statement is a transaction on these connections; nobody needs the rows after a power cut."""
    sa.event.listen(engine, "connect", lambda connection, _record: connection.execute("PRAGMA synchronous = OFF"))
