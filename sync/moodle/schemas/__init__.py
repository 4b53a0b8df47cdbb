"""The tables of the captured releases of Moodle (`sync.moodle.versions`), from real sites, as data.

They serve the connection check, the demo Moodle and the tests. `manage.py captureschema` writes the files.

Shape of a file: {"version": config.version, "tables": {table: {"columns": [[name, type, size, scale, nullable, default]],
"indexes": [[name, unique, [columns]]]}}}; types: "char", "text", "int" (size: bytes), "number" (size, scale), "float",
"double"; every table has an automatic id.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Collection
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from sync.moodle.db.dialects import capabilities_of


class SchemaColumn(NamedTuple):
    """A column. Shape: size: characters, bytes of an integer, or digits; scale: digits after the point."""

    name: str
    type: str
    size: int | None
    scale: int | None
    nullable: bool
    default: str | None


class SchemaIndex(NamedTuple):
    """An index. Shape: name: without the table prefix."""

    name: str
    unique: bool
    columns: tuple[str, ...]


class SchemaTable(NamedTuple):
    columns: tuple[SchemaColumn, ...]
    indexes: tuple[SchemaIndex, ...]


class Schema(NamedTuple):
    """The tables of one Moodle. Shape: version: config.version of the captured site; tables: name without prefix -> table."""

    version: str
    tables: dict[str, SchemaTable]


@cache
def load_schema(version: str) -> Schema:
    """Read a captured schema. Shape: version: one of CAPTURED, "4.5"."""
    document = _read(f"{version}.json.gz")
    tables = {
        name: SchemaTable(
            tuple(SchemaColumn(*column) for column in table["columns"]),
            tuple(SchemaIndex(index[0], index[1], tuple(index[2])) for index in table["indexes"]),
        )
        for name, table in document["tables"].items()
    }
    return Schema(document["version"], tables)


@cache
def load_site_rows(version: str) -> dict[str, list[dict[str, Any]]]:
    """Read the rows of a freshly installed site that users, courses and roles rest on: table -> rows."""
    return _read(f"{version}.site.json.gz")


def create_tables(
    engine: Engine, schema: Schema, prefix: str = "mdl_", *, tables: Collection[str] | None = None
) -> None:
    """Create Moodle's tables as Moodle itself would on this server."""
    metadata = sa.MetaData()
    for name, table in schema.tables.items():
        if tables is None or name in tables:
            _declare(metadata, prefix, name, table)
    with engine.begin() as connection:
        if capabilities_of(engine.dialect).builds_indexes_within:
            for declared in metadata.tables.values():
                connection.exec_driver_sql(_with_keys(declared, engine))
        else:
            metadata.create_all(connection, checkfirst=False)


def _with_keys(table: sa.Table, engine: Engine) -> str:
    """Return one statement for table and keys."""
    statement = str(sa.schema.CreateTable(table).compile(engine)).replace("%%", "%")
    head, ending, options = statement.rpartition("\n)")
    keys = [
        f"{'UNIQUE ' if index.unique else ''}KEY {index.name} ({', '.join(f'`{column.name}`' for column in index.columns)})"
        for index in sorted(table.indexes, key=lambda index: str(index.name))
    ]
    return "".join((", \n\t".join((head, *keys)), ending, options))


def _read(name: str) -> Any:
    return json.loads(gzip.decompress(files(__package__).joinpath(name).read_bytes()))


def _declare(metadata: sa.MetaData, prefix: str, name: str, table: SchemaTable) -> None:
    sa.Table(
        prefix + name,
        metadata,
        *(_column(column) for column in table.columns),
        *(sa.Index(prefix + index.name, *index.columns, unique=index.unique) for index in table.indexes),
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_unicode_ci",
        mysql_row_format="COMPRESSED",
        mariadb_engine="InnoDB",
        mariadb_charset="utf8mb4",
        mariadb_collate="utf8mb4_unicode_ci",
        mariadb_row_format="COMPRESSED",
        sqlite_autoincrement=True,
    )


def _column(column: SchemaColumn) -> sa.Column[Any]:
    if column.name == "id":
        kind = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
        return sa.Column("id", kind, primary_key=True, autoincrement=True)
    default = None if column.default is None else sa.text(_literal(column))
    return sa.Column(column.name, _type(column), nullable=column.nullable, server_default=default)


def _literal(column: SchemaColumn) -> str:
    if column.type in ("char", "text"):
        return "'" + str(column.default).replace("'", "''") + "'"
    return str(column.default)


def _type(column: SchemaColumn) -> sa.types.TypeEngine[Any]:
    from sqlalchemy.dialects import mysql

    if column.type == "char":
        return sa.String(column.size)
    if column.type == "text":
        return sa.Text().with_variant(mysql.LONGTEXT(), "mysql", "mariadb")
    if column.type == "number":
        return sa.Numeric(column.size, column.scale)
    if column.type in ("float", "double"):
        return sa.Double() if column.type == "double" else sa.Float()
    return _integer(column.size or 8)


def _integer(size: int) -> sa.types.TypeEngine[Any]:
    """Moodle's integers by their bytes; PostgreSQL has none of one or three."""
    from sqlalchemy.dialects import mysql

    on_mariadb = {1: mysql.TINYINT(), 2: sa.SmallInteger(), 3: mysql.MEDIUMINT(), 4: sa.Integer(), 8: sa.BigInteger()}
    plain: sa.types.TypeEngine[Any] = sa.SmallInteger() if size <= 2 else sa.Integer() if size <= 4 else sa.BigInteger()
    return plain.with_variant(on_mariadb[size], "mysql", "mariadb")
