"""The captured schemas become real tables, the same on every server, and on PostgreSQL those that Moodle itself makes."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from sync.moodle.db.database import MoodleConnection, MoodleDatabase
from sync.moodle.schemas import (
    SchemaColumn,
    SchemaTable,
    create_tables,
    load_schema,
    load_site_rows,
)
from sync.moodle.versions import CAPTURED, captured_for
from tests.real_sites import moodle_data, needs_moodle_data

SERVERS = ("sqlite", "mariadb", "postgresql")
# Names of settings whose value is nobody's business; 0 and 1 are switches, not the thing itself.
_TELLING = re.compile("secret|siteidentifier|salt|privatekey|password$")
_INTEGERS = {
    "mariadb": {1: "TINYINT", 2: "SMALLINT", 3: "MEDIUMINT", 4: "INTEGER", 8: "BIGINT"},
    "postgresql": {1: "SMALLINT", 2: "SMALLINT", 3: "INTEGER", 4: "INTEGER", 8: "BIGINT"},
}


def empty_database(request: pytest.FixtureRequest, server: str, folder: Path, name: str) -> sa.Engine:
    if server == "sqlite":
        return sa.create_engine(f"sqlite:///{folder / name}.sqlite3")
    url = request.getfixturevalue(f"{server}_server").create_database(name)
    return MoodleDatabase(MoodleConnection(url)).engine


def kind_of(column: Any) -> str:
    """The family of a reflected column's type, its size where the size means something."""
    kind = column["type"]
    if isinstance(kind, sa.Float):
        return "float"
    if isinstance(kind, sa.Numeric):
        return f"number({kind.precision},{kind.scale})"
    if isinstance(kind, sa.Text) or type(kind).__name__ == "LONGTEXT":
        return "text"
    return f"char({kind.length})" if isinstance(kind, sa.String) else type(kind).__name__


def expected_kind(column: SchemaColumn, server: str) -> str:
    if column.type == "int":
        return _INTEGERS[server][column.size or 8]
    if column.type == "number":
        return f"number({column.size},{column.scale})"
    if column.type in ("float", "double"):
        return "float"
    return "text" if column.type == "text" else f"char({column.size})"


def default_of(column: Any) -> str | None:
    """The default as plain text; the automatic id has none worth telling."""
    default = column["default"]
    if column["name"] == "id" or default in (None, "NULL"):
        return None
    return str(default).partition("::")[0].strip("()'")


def same_number(one: str | None, other: str | None) -> bool:
    try:
        return one == other or float(str(one)) == float(str(other))
    except ValueError:
        return False


def indexes_of(inspector: sa.Inspector, name: str) -> set[tuple[bool, tuple[str, ...]]]:
    return {
        (bool(index["unique"]), tuple(str(c) for c in index["column_names"])) for index in inspector.get_indexes(name)
    }


@pytest.mark.parametrize("version", CAPTURED)
@pytest.mark.parametrize("server", SERVERS)
def test_a_schema_read_back_is_the_one_that_was_written(
    request: pytest.FixtureRequest, tmp_path: Path, server: str, version: str
) -> None:
    schema = load_schema(version)
    engine = empty_database(request, server, tmp_path, f"schema{version.replace('.', '')}")

    create_tables(engine, schema, "mdl_")

    inspector = sa.inspect(engine)
    assert set(inspector.get_table_names()) == {f"mdl_{name}" for name in schema.tables}
    columns_of = {name: columns for (_schema, name), columns in inspector.get_multi_columns().items()}
    for name, table in schema.tables.items():
        compare_table(table, columns_of[f"mdl_{name}"], server, name)
        assert indexes_of(inspector, f"mdl_{name}") == {(i.unique, i.columns) for i in table.indexes}, name
    engine.dispose()


def compare_table(table: SchemaTable, found: list[Any], server: str, name: str) -> None:
    assert [column["name"] for column in found] == [column.name for column in table.columns], name
    for column, expected in zip(found, table.columns, strict=True):
        where = f"{name}.{expected.name}"
        assert column["nullable"] == expected.nullable, where
        assert same_number(default_of(column), expected.default), where
        # SQLite holds any value in any column; only the affinity could be told.
        if server != "sqlite":
            assert kind_of(column) == expected_kind(expected, server), where


@pytest.mark.parametrize("server", SERVERS)
def test_new_rows_get_ids_by_themselves(request: pytest.FixtureRequest, tmp_path: Path, server: str) -> None:
    engine = empty_database(request, server, tmp_path, "schema_ids")
    create_tables(engine, load_schema("4.5"), "m_", tables={"cohort_members"})

    with engine.begin() as connection:
        for userid in (7, 8):
            connection.exec_driver_sql(f"INSERT INTO m_cohort_members (cohortid, userid) VALUES (1, {userid})")
        rows = connection.exec_driver_sql("SELECT id, userid, timeadded FROM m_cohort_members ORDER BY id").all()

    assert rows == [(1, 7, 0), (2, 8, 0)]
    assert sa.inspect(engine).get_table_names() == ["m_cohort_members"]
    engine.dispose()


def test_mariadb_keeps_moodles_tables_compressed(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    engine = empty_database(request, "mariadb", tmp_path, "schema_options")
    create_tables(engine, load_schema("4.5"), tables={"user"})

    with engine.connect() as connection:
        options = connection.exec_driver_sql(
            "SELECT engine, row_format, table_collation FROM information_schema.tables WHERE table_name = 'mdl_user'"
            " AND table_schema = DATABASE()"
        ).one()

    assert tuple(options) == ("InnoDB", "Compressed", "utf8mb4_unicode_ci")
    engine.dispose()


@pytest.mark.moodle_data
@needs_moodle_data[1]
def test_postgresql_gets_the_tables_that_moodle_makes_there(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    real = empty_database(request, "postgresql", tmp_path, "schema_real")
    ours = empty_database(request, "postgresql", tmp_path, "schema_ours")
    server = request.getfixturevalue("postgresql_server")
    server.sql("DO $$ BEGIN CREATE ROLE moodle; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
    with gzip.open(moodle_data() / "m45pg-pristine.sql.gz", "rt", encoding="utf-8") as dump:
        server.sql(dump.read(), "schema_real")

    create_tables(ours, load_schema("4.5"))

    theirs, made = (shape_of(engine) for engine in (real, ours))
    assert made.keys() == theirs.keys()
    different = {table: sorted(set(made[table]) ^ set(theirs[table])) for table in made if made[table] != theirs[table]}
    # An id that Moodle gives by hand, in a table that lives for one statement.
    different.pop("mdl_context_temp", None)
    assert different == {}
    for engine in (real, ours):
        engine.dispose()


def shape_of(engine: sa.Engine) -> dict[str, list[tuple[str, ...]]]:
    columns_of = sa.inspect(engine).get_multi_columns()
    return {
        str(name): [
            (column["name"], kind_of(column), str(column["nullable"]), normalised(default_of(column)))
            for column in columns
        ]
        for (_schema, name), columns in columns_of.items()
    }


def normalised(default: str | None) -> str:
    try:
        return f"{float(str(default)):g}"
    except ValueError:
        return str(default)


@pytest.mark.parametrize(
    ("number", "version"),
    [
        (2019111800, "4.1"),
        (2022112800.00, "4.1"),
        (2023100900, "4.1"),
        (2024042200, "4.1"),
        (2024100400, "4.5"),
        (2024100700, "4.5"),
        (2024100705.01, "4.5"),
        (2025041400, "4.5"),
        (2025100600, "5.1"),
        (2025100604.11, "5.1"),
    ],
)
def test_a_site_gets_the_newest_schema_that_is_not_newer_than_itself(number: float, version: str) -> None:
    assert captured_for(number) == version


@pytest.mark.parametrize("version", CAPTURED)
def test_a_captured_site_fits_its_schema_and_holds_what_users_rest_on(version: str) -> None:
    rows, schema = load_site_rows(version), load_schema(version)

    for table, table_rows in rows.items():
        names = {column.name for column in schema.tables[table].columns}
        assert all(row.keys() == names for row in table_rows), table
    config = {row["name"]: row["value"] for row in rows["config"]}
    assert captured_for(float(config["version"])) == version
    assert float(config["version"]) == float(schema.version)
    users = {row["username"]: row for row in rows["user"]}
    assert (str(users["guest"]["id"]), str(users["admin"]["id"])) == (config["siteguest"], config["siteadmins"])
    assert next(row["id"] for row in rows["role"] if row["shortname"] == "student") == 5
    assert {(row["contextlevel"], row["instanceid"]) for row in rows["context"]} >= {(10, 0), (50, 1), (30, 2)}
    assert next(row["id"] for row in rows["course"] if row["category"] == 0) == 1


@pytest.mark.parametrize("version", CAPTURED)
def test_a_captured_site_gives_no_secret_away(version: str) -> None:
    rows = load_site_rows(version)

    assert {row["password"] for row in rows["user"]} == {"*"}
    assert {row["public_key"] for row in rows["mnet_host"]} == {""}
    kept = {
        row["name"]: row["value"]
        for table in ("config", "config_plugins")
        for row in rows[table]
        if _TELLING.search(row["name"]) and row["value"] not in (None, "", "0", "1")
    }
    assert kept == {}


@pytest.mark.parametrize("version", CAPTURED)
def test_a_capture_stays_small(version: str) -> None:
    folder = Path(__file__).resolve().parents[2] / "sync" / "moodle" / "schemas"

    assert all(path.stat().st_size < 150_000 for path in folder.glob(f"{version}*.json.gz"))
