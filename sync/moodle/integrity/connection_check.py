"""Look at a Moodle database the way a person would before trusting it with a file. Leaves nothing behind."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sa
from django.core.exceptions import ImproperlyConfigured

from sync.errors import MoodleError, MoodleRefused
from sync.moodle.course_content.graph.graph import load_graph
from sync.moodle.course_content.graph.live_tables import fetch_unknown_tables
from sync.moodle.db.database import MoodleConnection, MoodleDatabase, MoodleSession, translated_errors
from sync.moodle.db.schema import REQUIRED_COLUMNS, WRITE_ORDER
from sync.moodle.files.file_pool import storage_at
from sync.moodle.integrity.written_tables import written_tables
from sync.moodle.schemas import SchemaTable, load_schema
from sync.moodle.site.time_zone import clock_of, zone_named
from sync.moodle.versions import CAPTURED, NEWEST, OLDEST, Support, captured_for, release_of
from sync.storage_errors import storage_errors

# Without these hardly any file can be carried out; the others may belong to a plugin that a Moodle doesn't have.
_NEEDED_TABLES = (*WRITE_ORDER, "cache_flags", "config_plugins")


class ConnectionLevel(StrEnum):
    """How much a finding matters: with an error no file can be carried out."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


class ConnectionFinding(NamedTuple):
    """One thing that was looked at: a code of `sync.messages` and its parameters."""

    level: ConnectionLevel
    code: str
    params: Mapping[str, Any]


def check_connection(database: MoodleDatabase) -> list[ConnectionFinding]:
    """Check server, prefix, version, tables, rights, operator and data folder, until something can't be looked at."""
    return list(_findings(database))


def _findings(database: MoodleDatabase) -> Iterator[ConnectionFinding]:
    try:
        with database.session() as session:
            yield _server(session)
            yield from _look(session)
    except MoodleError as error:
        yield ConnectionFinding(ConnectionLevel.ERROR, error.code, error.params)


def _look(session: MoodleSession) -> Iterator[ConnectionFinding]:
    if not session.database.has_table("config"):
        yield _wrong_prefix(session.database)
        return
    yield from _release(session)
    yield from _tables(session)
    yield _unknown_tables(session)
    if session.is_writable:
        yield from _rights(session)
    yield from _operator(session)
    yield from _time_zone(session)
    yield from _data_folder(session.database.settings)


def _server(session: MoodleSession) -> ConnectionFinding:
    dialect = session.connection.dialect
    version = ".".join(str(part) for part in dialect.server_version_info or ())
    return ConnectionFinding(
        ConnectionLevel.OK, "check_server", {"server": session.capabilities.label, "version": version}
    )


def _wrong_prefix(database: MoodleDatabase) -> ConnectionFinding:
    with translated_errors():
        names = sa.inspect(database.engine).get_table_names()
    prefixes = sorted(name.removesuffix("course_categories") for name in names if name.endswith("course_categories"))
    params = {"table": f"{database.prefix}config", "prefixes": ", ".join(f"“{prefix}”" for prefix in prefixes)}
    return ConnectionFinding(ConnectionLevel.ERROR, "check_prefix_wrong" if prefixes else "check_no_moodle", params)


def _release(session: MoodleSession) -> Iterator[ConnectionFinding]:
    release = session.config.get("release", "?").split(" ")[0]
    params = {"release": release, "version": session.config.get("version", "?"), "prefix": session.database.prefix}
    yield ConnectionFinding(ConnectionLevel.OK, "check_release", params)
    support = release_of(session.version).support
    if support is Support.OLD:
        yield ConnectionFinding(ConnectionLevel.WARNING, "check_release_old", {**params, "oldest": OLDEST})
    elif support is Support.UNTRIED:
        yield ConnectionFinding(ConnectionLevel.WARNING, "check_release_untried", {**params, "tried": CAPTURED[-1]})
    elif support is Support.UNKNOWN and session.is_writable:
        yield ConnectionFinding(ConnectionLevel.WARNING, "check_release_new", {**params, "known": NEWEST})
    elif support is Support.UNKNOWN:
        yield ConnectionFinding(ConnectionLevel.ERROR, "moodle_version_unknown", {**params, "known": NEWEST})


def _tables(session: MoodleSession) -> Iterator[ConnectionFinding]:
    known = captured_for(session.version)
    captured = load_schema(known).tables
    names = sorted({*REQUIRED_COLUMNS, *_NEEDED_TABLES})
    is_same = True
    for name in names:
        for finding in _table(session.database, name, captured.get(name), known):
            is_same = False
            yield finding
    if is_same:
        yield ConnectionFinding(ConnectionLevel.OK, "check_schema_same", {"count": len(names), "known": known})


def _unknown_tables(session: MoodleSession) -> ConnectionFinding:
    """List the tables because of which nothing is deleted, reset, copied or restored."""
    if unknown := fetch_unknown_tables(session, load_graph()):
        return ConnectionFinding(ConnectionLevel.WARNING, "moodle_tables_unknown", {"tables": ", ".join(unknown)})
    return ConnectionFinding(ConnectionLevel.OK, "check_tables_known", {})


def _table(
    database: MoodleDatabase, name: str, captured: SchemaTable | None, known: str
) -> Iterator[ConnectionFinding]:
    """Compare a real table with what we need and with what the release has."""
    params = {"table": database.prefix + name, "known": known}
    if not database.has_table(name):
        if captured is not None or name in REQUIRED_COLUMNS:
            yield ConnectionFinding(ConnectionLevel.ERROR, "check_table_missing", params)
        return
    columns = database.table(name).c
    if missing := [column for column in REQUIRED_COLUMNS.get(name, ()) if column not in columns]:
        yield ConnectionFinding(
            ConnectionLevel.ERROR, "check_column_missing", {**params, "columns": ", ".join(missing)}
        )
    if captured is None:
        return
    expected = {column.name: column for column in captured.columns}
    different = [column for column in expected if column not in columns and column not in missing]
    shorter = [
        f"{column.name} ({length} < {column.size})"
        for column in captured.columns
        if column.type == "char"
        and column.size
        and (length := database.column_limit(name, column.name)) is not None
        and length < column.size
    ]
    demanding = [
        column.name
        for column in columns
        if column.name not in expected and not column.nullable and column.server_default is None
    ]
    for code, found in (
        ("check_columns_differ", different),
        ("check_columns_shorter", shorter),
        ("check_columns_demanding", demanding),
    ):
        if found:
            yield ConnectionFinding(ConnectionLevel.WARNING, code, {**params, "columns": ", ".join(found)})
    for unique in _missing_unique_indexes(database, name, captured):
        yield ConnectionFinding(
            ConnectionLevel.WARNING, "check_index_missing", {**params, "columns": ", ".join(unique)}
        )


def _missing_unique_indexes(database: MoodleDatabase, name: str, captured: SchemaTable) -> list[tuple[str, ...]]:
    inspector = sa.inspect(database.engine)
    with translated_errors():
        indexes = inspector.get_indexes(database.prefix + name)
        constraints = inspector.get_unique_constraints(database.prefix + name)
    found = {frozenset(index["column_names"]) for index in indexes if index["unique"]}
    found |= {frozenset(constraint["column_names"]) for constraint in constraints}
    return [index.columns for index in captured.indexes if index.unique and frozenset(index.columns) not in found]


def _rights(session: MoodleSession) -> Iterator[ConnectionFinding]:
    """Try statements that touch no row: servers look at the rights all the same."""
    tables = [session.database.prefix + name for name in written_tables(session.database.table_names)]
    attempts = {table: _attempts(session, table) for table in tables}
    is_granted = True
    if _refusal(session, [statement for of_table in attempts.values() for statement in of_table.values()]):
        for table, of_table in attempts.items():
            for right, statement in of_table.items():
                if error := _refusal(session, [statement]):
                    is_granted = False
                    params = {"right": right, "table": table, "reason": error.params.get("reason", error.code)}
                    yield ConnectionFinding(ConnectionLevel.ERROR, "check_right_missing", params)
    if is_granted:
        yield ConnectionFinding(ConnectionLevel.OK, "check_rights", {"count": len(tables)})


def _attempts(session: MoodleSession, table: str) -> dict[str, str]:
    """Return a statement for each right on a table. Its other columns need not be known, of which there are some thousand."""
    name = session.connection.dialect.identifier_preparer.quote(table)
    return {
        "UPDATE": f"UPDATE {name} SET id = id WHERE 1 = 0",  # noqa: S608 (a table of Moodle's)
        "DELETE": f"DELETE FROM {name} WHERE 1 = 0",  # noqa: S608
        # The last one: MariaDB looks at the rights first, and then misses values for other columns.
        "INSERT": f"INSERT INTO {name} (id) SELECT id FROM {name} WHERE 1 = 0",  # noqa: S608
    }


def _refusal(session: MoodleSession, statements: Sequence[str]) -> MoodleError | None:
    """Try statements in one transaction; return why one of them isn't allowed, None = all are."""
    try:
        with session.transaction():
            for statement in statements:
                _try(session, statement)
    except MoodleError as error:
        return error
    return None


def _try(session: MoodleSession, statement: str) -> None:
    """Raises: MoodleError, but not where only a value is missed"""
    with suppress(MoodleRefused), translated_errors():
        session.connection.exec_driver_sql(statement)


def _operator(session: MoodleSession) -> Iterator[ConnectionFinding]:
    user = session.table("user")
    operator = session.database.settings.operator
    if not session.fetch(sa.select(user.c.id).where(user.c.username == operator, user.c.deleted == 0)):
        yield ConnectionFinding(ConnectionLevel.WARNING, "check_operator_missing", {"operator": operator})


def _time_zone(session: MoodleSession) -> Iterator[ConnectionFinding]:
    clock, wanted = clock_of(session), session.database.settings.time_zone
    if wanted and zone_named(wanted) is None:
        yield ConnectionFinding(ConnectionLevel.ERROR, "check_time_zone_invalid", {"zone": wanted})
    params = {"zone": clock.name, "moodle_zone": clock.moodle_zone}
    level, code = (
        (ConnectionLevel.OK, "check_time_zone")
        if clock.is_known
        else (ConnectionLevel.WARNING, "check_time_zone_unknown")
    )
    yield ConnectionFinding(level, code, params)


def _data_errors() -> tuple[type[Exception], ...]:
    return ImproperlyConfigured, *storage_errors()


def _data_folder(connection: MoodleConnection) -> Iterator[ConnectionFinding]:
    if connection.dataroot is not None or not connection.data_url:
        yield from _dataroot(connection.dataroot)
        return
    try:
        folders, _files = storage_at(connection.data_url).listdir("")
    except _data_errors() as error:
        yield ConnectionFinding(ConnectionLevel.WARNING, "check_data_storage_failed", {"reason": str(error)[:200]})
    else:
        if "filedir" in folders:
            yield ConnectionFinding(ConnectionLevel.OK, "check_data_storage", {})
        else:
            yield ConnectionFinding(ConnectionLevel.WARNING, "check_data_storage_wrong", {})


def _dataroot(folder: Path | None) -> Iterator[ConnectionFinding]:
    if folder is None:
        yield ConnectionFinding(ConnectionLevel.WARNING, "check_dataroot_unset", {})
    elif not (folder / "filedir").is_dir():
        yield ConnectionFinding(ConnectionLevel.WARNING, "check_dataroot_wrong", {"folder": str(folder)})
    elif not os.access(folder / "filedir", os.W_OK):
        yield ConnectionFinding(ConnectionLevel.WARNING, "check_dataroot_readonly", {"folder": str(folder / "filedir")})
    else:
        yield ConnectionFinding(ConnectionLevel.OK, "check_dataroot", {"folder": str(folder)})
