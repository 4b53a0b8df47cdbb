"""One Moodle database: engine, prefix, version, reflected tables, sessions."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import sqlalchemy as sa
from django.utils.functional import cached_property
from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.engine.interfaces import ReflectedColumn
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    InterfaceError,
    NoSuchTableError,
    OperationalError,
    StatementError,
    TimeoutError as PoolTimeout,
)

from sync.errors import MoodleError, MoodleNotAllowed, MoodleRefused, MoodleSchemaError, MoodleUnavailable
from sync.moodle.db import in_clause
from sync.moodle.db.dialects import Capabilities, capabilities_of, create_engine
from sync.moodle.versions import CONTEXT_SYSTEM, NEWEST, Support, release_of

# The rows of one SELECT after the other.
Reads = list[Sequence[Any]]

# Errors after which the same statement may pass later: deadlock and lock wait (MariaDB 1205, 1213), server gone or going
# away (1040 too many connections, 1053, 1290 read-only, 2002-2013), PostgreSQL classes 08, 25P03, 40, 53, 55P03 and 57.
_PASSING_MARIADB = {
    1040,
    1053,
    1077,
    1158,
    1159,
    1160,
    1161,
    1180,
    1205,
    1213,
    1290,
    1836,
    2002,
    2003,
    2005,
    2006,
    2013,
}
_PASSING_POSTGRESQL = ("08", "25P03", "40", "53", "55P03", "57")
# Errors about a value, be it written or looked up: NULL, double, out of range, cut, too long; a packet too large for the server
# (1153); a text that the column's character set can't hold (1267, 1270, 1271, 1300, 1366, 3988); a constraint (3819, 4025);
# a trigger that says no (1644).
# A right is missing: on the database (1044), a command (1142, 1370), a column (1143), a global one (1227).
_DENYING_MARIADB = {1044, 1142, 1143, 1227, 1370}
_DENYING_POSTGRESQL = "42501"
_REFUSING_MARIADB = {
    1048,
    1062,
    1153,
    1264,
    1265,
    1267,
    1270,
    1271,
    1292,
    1300,
    1366,
    1367,
    1406,
    1411,
    1525,
    1644,
    1690,
    3819,
    3854,
    3988,
    4025,
}
# The same on PostgreSQL: data, constraints, limits of the server (a text that is too long for an index), and triggers.
_REFUSING_POSTGRESQL = ("21", "22", "23", "54", "P0")


@dataclass(frozen=True)
class MoodleConnection:
    """Everything that is needed to reach one Moodle.

    Shape: peppers: newest first; operator: username of the Moodle user in whose name we write; dataroot: Moodle's data
    folder on this machine, or else data_url: the address of a storage that holds it (it may hold a password); command_line:
    of sync/moodle/site/command_line.py, () = there is none; time_zone: the zone of Moodle's server, "" = as Moodle's settings
    name
    it; idle_seconds: the server ends a transaction in which nothing happens for so long (a suspended machine must not keep its
    locks), 0 = as the server is set;
    changes_protected_accounts, assigns_configuring_roles: the operator lets files do what they else may not;
    writes_unknown_versions: the operator lets files change a Moodle that is newer than all that we know; tables_left_alone: of
    plugins, without prefix, whose rows may stay when their course or user goes; is_guarded: somebody has set the address on a
    page, so it leads only where the operator lets pages lead
    """

    url: str = field(repr=False)
    prefix: str = "mdl_"
    dataroot: Path | None = None
    operator: str = "admin"
    peppers: tuple[str, ...] = field(default=(), repr=False)
    command_line: tuple[str, ...] = ()
    data_url: str = field(default="", repr=False)
    time_zone: str = ""
    idle_seconds: int = 0
    changes_protected_accounts: bool = False
    assigns_configuring_roles: bool = False
    writes_unknown_versions: bool = False
    tables_left_alone: tuple[str, ...] = ()
    is_guarded: bool = False


def data_place(place: str) -> dict[str, Any]:
    """Return the fields of a MoodleConnection for a data folder, written as a path, file:///…, s3://… or sftp://…"""
    if place.startswith("file://"):
        place = unquote(urlsplit(place).path)
    if "://" in place:
        return {"data_url": place}
    return {"dataroot": Path(place) if place else None}


class MoodleDatabase:
    """One Moodle database. Makes sessions; keeps what doesn't change between them (tables, version).

    Raises: MoodleUnavailable if the server can't be reached; MoodleSchemaError if a table isn't there
    """

    def __init__(self, connection: MoodleConnection) -> None:
        self.settings = connection
        self.prefix = connection.prefix
        self._metadata = sa.MetaData()
        self._tables: dict[str, sa.Table] = {}
        # Table -> those of its columns that name a course, user, context or activity; None = not yet asked for.
        self.telling_columns: Mapping[str, frozenset[str]] | None = None
        # Table -> column -> collation, for the tables that have been asked about (sync/moodle/db/identifiers.py).
        self.collations: dict[str, dict[str, str]] = {}

    # Django's, not that of functools: in Python 3.11 the latter has one lock for all objects, and whoever waits for a slow Moodle
    # would make the threads of all others wait.
    @cached_property
    def engine(self) -> Engine:
        try:
            url = make_url(self.settings.url)
        except sa.exc.ArgumentError as error:
            raise MoodleUnavailable("moodle_url_invalid") from error
        return create_engine(url, self.settings.idle_seconds)

    @contextmanager
    def session(self) -> Iterator[MoodleSession]:
        """Open a session on a connection of its own."""
        with translated_errors(), self.engine.connect() as connection:
            yield MoodleSession(self, connection)

    def table(self, name: str, connection: Connection | None = None) -> sa.Table:
        """Return a reflected table by its name without prefix; columns that we don't know take their defaults.

        Shape: connection: reads the table's description; none = a connection of its own
        Queries: a few for the first use of each table, none later
        """
        if name not in self._tables:
            self.load_tables([name], connection)
        return self._tables[name]

    def load_tables(self, names: Collection[str], connection: Connection | None = None) -> None:
        """Read the columns of many tables together; `table` then gives them without a query.

        Queries: a few on PostgreSQL, some for each table on the others
        """
        missing = [name for name in sorted(names) if name not in self._tables]
        if not missing:
            return
        with translated_errors():
            described = _read_columns(connection or self.engine, [self.prefix + name for name in missing])
        for name in missing:
            if not described.get(self.prefix + name):
                raise MoodleSchemaError("moodle_table_missing", table=self.prefix + name)
            columns = [_column(found) for found in described[self.prefix + name]]
            self._tables[name] = sa.Table(self.prefix + name, self._metadata, *columns)

    @cached_property
    def table_names(self) -> frozenset[str]:
        """The names, without prefix, of all tables that carry our prefix."""
        with translated_errors():
            names = sa.inspect(self.engine).get_table_names()
        return frozenset(name.removeprefix(self.prefix) for name in names if name.startswith(self.prefix))

    def has_table(self, name: str) -> bool:
        return name in self.table_names

    def column_limit(self, table: str, column: str) -> int | None:
        """Return how many characters the real column holds; None when it isn't limited or doesn't exist."""
        if column not in self.table(table).c:
            return None
        return getattr(self.table(table).c[column].type, "length", None)

    def dispose(self) -> None:
        """Close the pooled connections (before a fork, after a run)."""
        if "engine" in self.__dict__:
            self.engine.dispose()


class MoodleSession:
    """One connection to Moodle, with the site values that a run reads once.

    Queries see the latest committed rows (READ COMMITTED); after the reads of a chunk call `release()`.
    """

    def __init__(self, database: MoodleDatabase, connection: Connection) -> None:
        self.database = database
        self.connection = connection
        # Name -> what this session has learnt of it (sync/moodle/db/identifiers.py).
        self.collations: dict[str, Any] = {}
        self._noted: Reads | None = None

    @cached_property
    def capabilities(self) -> Capabilities:
        """What the server can do."""
        return capabilities_of(self.connection.dialect)

    def table(self, name: str) -> sa.Table:
        return self.database.table(name, self.connection)

    def fetch(self, statement: sa.Executable, params: Any = None) -> Sequence[Any]:
        """Run a SELECT and give all its rows, SQLAlchemy's Row each."""
        rows = self.ask(statement, params)
        if self._noted is not None:
            self._noted.append(rows)
        return rows

    def ask(self, statement: sa.Executable, params: Any = None) -> Sequence[Any]:
        """Run a SELECT about the server or its tables, not about rows, as `fetch` does."""
        try:
            with translated_errors():
                return self.connection.execute(statement, params).all()
        except MoodleRefused:
            # PostgreSQL answers nothing more in a transaction in which it refused something.
            if not self.in_transaction:
                self.release()
            raise

    @contextmanager
    def noting_reads(self) -> Iterator[Reads]:
        """Note which rows are read inside. What reads the same the next time has found Moodle as it was."""
        reads: Reads = []
        self._noted = reads
        try:
            yield reads
        finally:
            self._noted = None

    def in_clause(self, column: sa.ColumnElement[Any], values: Collection[Any]) -> sa.ColumnElement[bool]:
        """Return the condition that a column holds one of many values; see `sync.moodle.db.in_clause`."""
        return in_clause.in_clause(self.capabilities, column, values)

    def release(self) -> None:
        """Let go of the read snapshot, so that nobody waits for us while we compute."""
        with translated_errors():
            self.connection.rollback()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit everything inside or nothing of it.

        Raises: MoodleNotAllowed if this Moodle is only read; MoodleRefused if the database refuses a value;
        MoodleUnavailable if it went away or a lock didn't come
        """
        self.check_writable()
        with translated_errors():
            if self.connection.in_transaction():
                self.connection.rollback()
            if self.capabilities.begin:
                # A transaction that outgrows SQLite's memory keeps other connections from reading: the names are read on
                # one of those, so now; tables are reflected on ours.
                _ = self.database.table_names
                self.connection.exec_driver_sql(self.capabilities.begin)
            self._open = True
            try:
                yield
                self.connection.commit()
            except BaseException:
                if not self.connection.closed and not self.connection.invalidated:
                    self.connection.rollback()
                raise
            finally:
                self._open = False

    _open = False

    @property
    def in_transaction(self) -> bool:
        return self._open

    @cached_property
    def config(self) -> dict[str, str]:
        """Moodle's site settings, table `config`: name -> value."""
        config = self.table("config")
        return {name: value or "" for name, value in self.fetch(sa.select(config.c.name, config.c.value))}

    @cached_property
    def _plugin_config(self) -> dict[str, dict[str, str]]:
        plugins = self.table("config_plugins")
        settings: dict[str, dict[str, str]] = {}
        # Moodle keeps megabytes of cached data for a few plugins: only what looks like a setting is read.
        statement = sa.select(plugins.c.plugin, plugins.c.name, plugins.c.value).where(
            sa.or_(
                plugins.c.plugin.like("enrol\\_%", escape="\\"),
                plugins.c.plugin.like("auth\\_%", escape="\\"),
                plugins.c.plugin.like("format\\_%", escape="\\"),
                plugins.c.plugin.in_(("moodlecourse", "folder", "quiz", "tool_sync")),
            )
        )
        for plugin, name, value in self.fetch(statement):
            settings.setdefault(plugin, {})[name] = value or ""
        return settings

    def plugin_config(self, plugin: str) -> dict[str, str]:
        """Return the settings of a plugin, of those that are read: name -> value; empty when there are none."""
        return self._plugin_config.get(plugin, {})

    def plugins_of(self, kind: str) -> list[str]:
        """Return the names of the installed plugins of a kind, of those whose settings are read (`enrol`, `auth`, `format`)."""
        prefix = f"{kind}_"
        return [
            plugin.removeprefix(prefix)
            for plugin, settings in self._plugin_config.items()
            if plugin.startswith(prefix) and "version" in settings
        ]

    @property
    def version(self) -> float:
        """Moodle's version number, YYYYMMDDRR.XX (config.version)."""
        try:
            return float(self.config.get("version", "0"))
        except ValueError:
            return 0.0

    @cached_property
    def modules(self) -> frozenset[str]:
        """The activities that are installed."""
        return frozenset(name for (name,) in self.fetch(sa.select(self.table("modules").c.name)))

    @property
    def is_writable(self) -> bool:
        """Whether files may change this Moodle: one that is newer than all that we know only if the operator allows it."""
        is_known = release_of(self.version).support is not Support.UNKNOWN
        return is_known or self.database.settings.writes_unknown_versions

    def check_writable(self) -> None:
        """Raises: MoodleNotAllowed if this Moodle is only read"""
        if not self.is_writable:
            release = self.config.get("release", "?").split(" ")[0]
            raise MoodleNotAllowed("moodle_version_unknown", release=release, known=NEWEST)

    @cached_property
    def system_contextid(self) -> int:
        context = self.table("context")
        rows = self.fetch(sa.select(context.c.id).where(context.c.contextlevel == CONTEXT_SYSTEM))
        if not rows:
            raise MoodleSchemaError("moodle_not_installed")
        return int(rows[0][0])

    @cached_property
    def usernames_with_capitals(self) -> dict[str, list[str]]:
        """Usernames that aren't in lower case, as single sign-on may make them: in lower case -> as they are stored."""
        username = self.table("user").c.username
        found: dict[str, list[str]] = {}
        for (spelled,) in self.fetch(sa.select(username).where(username != sa.func.lower(username))):
            found.setdefault(spelled.lower(), []).append(spelled)
        return found

    @cached_property
    def operatorid(self) -> int:
        """The id of the user in whose name we write (modifierid, loggeduser); 2, the first administrator, if unknown."""
        user = self.table("user")
        rows = self.fetch(
            sa.select(user.c.id).where(user.c.username == self.database.settings.operator, user.c.deleted == 0)
        )
        return int(rows[0][0]) if rows else 2


@contextmanager
def translated_errors() -> Iterator[None]:
    """Turn driver errors into ours: the passing ones, the refusals of a value, and the rest."""
    try:
        yield
    except MoodleError:
        raise
    except PoolTimeout as error:
        raise MoodleUnavailable("moodle_unavailable", reason="no free connection") from error
    except DBAPIError as error:
        raise _translate(error) from error
    except (StatementError, UnicodeError, OverflowError) as error:
        # The driver couldn't hand a value over: a number beyond all bounds, a text outside the connection's character set.
        raise MoodleRefused("moodle_refused", reason=str(error).splitlines()[0][:300]) from error


def _translate(error: DBAPIError) -> MoodleError:
    reason = _reason_of(error)
    number = error.orig.args[0] if error.orig is not None and error.orig.args else None
    sqlstate = getattr(error.orig, "sqlstate", None) or ""
    if number in _DENYING_MARIADB or sqlstate == _DENYING_POSTGRESQL:
        return MoodleNotAllowed("moodle_not_allowed", reason=reason)
    if error.connection_invalidated or number in _PASSING_MARIADB or sqlstate.startswith(_PASSING_POSTGRESQL):
        return MoodleUnavailable("moodle_unavailable", reason=reason)
    is_refusal = number in _REFUSING_MARIADB or sqlstate.startswith(_REFUSING_POSTGRESQL)
    if is_refusal or isinstance(error, (IntegrityError, DataError)):
        return MoodleRefused("moodle_refused", reason=reason)
    if isinstance(error, (OperationalError, InterfaceError)):
        return MoodleUnavailable("moodle_unavailable", reason=reason)
    return MoodleError("moodle_error", reason=reason)


def _reason_of(error: DBAPIError) -> str:
    """The server's own words, without the statement and its values (they may hold secrets)."""
    if error.orig is None:
        return type(error).__name__
    parts = error.orig.args
    text = str(parts[1]) if len(parts) > 1 and isinstance(parts[0], int) else str(parts[0] if parts else error.orig)
    return text.strip().splitlines()[0][:300] if text.strip() else type(error.orig).__name__


def _read_columns(bind: Engine | Connection, tables: Sequence[str]) -> dict[str, list[ReflectedColumn]]:
    """Read what columns tables have, {} for a table that isn't there. Indexes and keys aren't read: nothing asks for them."""
    inspector = sa.inspect(bind)
    if capabilities_of(bind.dialect).describes_many_tables:
        return {name: columns for (_schema, name), columns in inspector.get_multi_columns(filter_names=tables).items()}
    described = {}
    for name in tables:
        with suppress(NoSuchTableError):
            described[name] = inspector.get_columns(name)
    return described


def _column(found: ReflectedColumn) -> sa.Column[Any]:
    is_id = found["name"] == "id"
    default = None if is_id or found["default"] is None else sa.text(found["default"])
    return sa.Column(
        found["name"], found["type"], nullable=found["nullable"], primary_key=is_id, server_default=default
    )
