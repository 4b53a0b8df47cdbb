"""The rows of one SELECT on a database, read only, as they come."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple
from urllib.parse import unquote

import sqlalchemy as sa

from sync.errors import SourceError
from sync.secret_texts import without_secrets
from sync.sources.guard import FetchRules
from sync.sources.location import Address
from sync.sources.row_file import RowSource
from sync.sources.sql_statement import checked_statement

_CONNECT_SECONDS = 10
# So many rows are asked of the server at a time.
_FETCH_ROWS = 1000
_LONGEST_REASON = 300


class _Server(NamedTuple):
    """How a kind of server is spoken to.

    Shape: driver: of SQLAlchemy; options: what may stand after the ? of an address, and its values; arguments: for the driver;
    begin: statements that make transactions ones that can't write, and end statements that last
    """

    driver: str
    options: Mapping[str, Sequence[str]]
    arguments: Mapping[str, Any]
    begin: Sequence[str]


_MYSQL = _Server(
    "mysql+mysqldb",
    {"ssl_mode": ("REQUIRED", "VERIFY_CA", "VERIFY_IDENTITY")},
    {"connect_timeout": _CONNECT_SECONDS, "charset": "utf8mb4", "multi_statements": False, "local_infile": 0},
    (
        # As in all other servers, a backslash is a character of a text, not the beginning of one.
        "SET SESSION sql_mode = CONCAT(@@sql_mode, ',NO_BACKSLASH_ESCAPES')",
        # A server may have limits of its own, at which it leaves rows out or cuts lists without an error.
        "SET SESSION sql_select_limit = 18446744073709551615",
        "SET SESSION group_concat_max_len = 4294967295",
        "SET SESSION TRANSACTION READ ONLY",
    ),
)
_SERVERS: Mapping[str, _Server] = {
    "postgresql": _Server(
        "postgresql+psycopg",
        {"sslmode": ("require", "verify-ca", "verify-full")},
        {"connect_timeout": _CONNECT_SECONDS, "tcp_user_timeout": 30_000},
        ("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", "SET statement_timeout = %(milliseconds)d"),
    ),
    "mysql": _MYSQL,
    "mariadb": _MYSQL,
    "sqlite": _Server("sqlite", {}, {"uri": True}, ("PRAGMA query_only = ON",)),
}
# MariaDB and MySQL call it differently, each refuses the other's.
_MYSQL_TIMES = ("SET SESSION max_statement_time = %(seconds)d", "SET SESSION max_execution_time = %(milliseconds)d")


# Warnings of MySQL and MariaDB: a list of GROUP_CONCAT was cut (1260), LIMIT ROWS EXAMINED ended the statement (1931).
_CUT_OFF = (1260, 1931)


class SqlSource(RowSource):
    """One SELECT. Shape: host: of an SQLite database its file"""

    def __init__(self, address: Address, statement: str, rules: FetchRules, name: str) -> None:
        super().__init__(name, address.host or unquote(address.path[1:]), rules)
        self._address = address
        self._statement = checked_statement(statement)
        self._ends_at = time.monotonic() + rules.seconds

    def rows(self) -> Generator[Sequence[object], None, None]:
        check_allowed(self._address, self._rules)
        with self._translated_errors(), self._connection() as connection:
            streamed = connection.execution_options(stream_results=True, max_row_buffer=_FETCH_ROWS, no_parameters=True)
            result = streamed.exec_driver_sql(self._statement)
            names = list(result.keys())
            if twice := [name for name, count in Counter(names).items() if count > 1]:
                raise SourceError("sql_same_column", column=twice[0])
            yield names
            for row in result:
                if time.monotonic() > self._ends_at:
                    raise self._too_slow()
                yield row
            self._check_whole(connection)

    def _check_whole(self, connection: sa.Connection) -> None:
        """Raises: SourceError where the server has left something out, which it says in a warning alone"""
        if self._address.scheme in ("mysql", "mariadb"):
            for _level, code, text in connection.exec_driver_sql("SHOW WARNINGS"):
                if code in _CUT_OFF:
                    raise SourceError("sql_cut_off", host=self._host, reason=without_secrets(text)[:_LONGEST_REASON])

    def _too_slow(self) -> SourceError:
        return SourceError("remote_too_slow", host=self._host, seconds=round(self._rules.seconds))

    @contextmanager
    def _connection(self) -> Iterator[sa.Connection]:
        """Open a connection on which nothing can be written."""
        engine = engine_of(self._address, self._rules)
        try:
            with engine.connect() as connection:
                try:
                    yield connection
                finally:
                    # Thrown away as it is: a driver would read the rest of the rows first.
                    connection.invalidate()
        finally:
            engine.dispose()

    @contextmanager
    def _translated_errors(self) -> Iterator[None]:
        try:
            yield
        except sa.exc.DBAPIError as error:
            if time.monotonic() > self._ends_at:
                raise self._too_slow() from None
            # The statement and its values stay out of the sentence and of the log.
            said = " ".join(str(error.orig).split())
            reason = without_secrets(said)[:_LONGEST_REASON]
            if isinstance(error, sa.exc.ProgrammingError):
                raise SourceError("sql_refused", host=self._host, reason=reason) from None
            raise SourceError("sql_failed", host=self._host, reason=reason) from None
        except (sa.exc.SQLAlchemyError, ImportError, TypeError, ValueError) as error:
            raise SourceError("sql_failed", host=self._host, reason=type(error).__name__) from None


def check_allowed(address: Address, rules: FetchRules) -> None:
    """See that the operator has named a server of databases or of a directory. Raises: SourceError

    A driver looks a name up by itself: what was checked before could be answered otherwise. So none is asked that isn't named.
    """
    named = (address.shown,) if address.scheme == "sqlite" else (address.host, f"{address.host}:{address.port}")
    if rules.allowed_hosts.isdisjoint(name.lower() for name in named):
        raise SourceError("source_server_not_named", server=named[0])


def check_options(address: Address) -> None:
    """See that what stands after the ? of an address is known: others lead elsewhere, or read files. Raises: SourceError"""
    for name, value in options_of(address).items():
        values = _SERVERS[address.scheme].options.get(name, ())
        if value not in values:
            known = ", ".join(f"{key}={'|'.join(words)}" for key, words in _SERVERS[address.scheme].options.items())
            raise SourceError("sql_option_unknown", option=name, options=known or "-")


def options_of(address: Address) -> dict[str, str]:
    """Return what stands after the ? of an address, name -> value."""
    pairs = (part.partition("=") for part in address.query.split("&") if part)
    return {name: value for name, _equals, value in pairs}


def engine_of(address: Address, rules: FetchRules) -> sa.Engine:
    """Return the way into a database for reading. Raises: SourceError"""
    check_options(address)
    server = _SERVERS[address.scheme]
    if address.scheme == "sqlite":
        url = sa.URL.create(server.driver, database=f"file:{address.path[1:]}", query={"mode": "ro", "uri": "true"})
        engine = sa.create_engine(url, poolclass=sa.NullPool)
    else:
        url = sa.URL.create(
            server.driver, address.username or None, address.password or None, address.host, address.port,
            unquote(address.path).strip("/") or None,
        )  # fmt: skip
        arguments = {**server.arguments, **options_of(address)}
        engine = sa.create_engine(url, poolclass=sa.NullPool, connect_args=arguments)
    sa.event.listen(engine, "connect", lambda connection, _record: _begin(connection, address.scheme, server, rules))
    return engine


def _begin(connection: Any, scheme: str, server: _Server, rules: FetchRules) -> None:
    """Make a connection of a driver one that can't write, and whose statements end."""
    limits = {"seconds": max(1, round(rules.seconds)), "milliseconds": max(1, round(rules.seconds * 1000))}
    if scheme == "sqlite":
        ends_at = time.monotonic() + rules.seconds
        connection.set_progress_handler(lambda: int(time.monotonic() > ends_at), 100_000)
    cursor = connection.cursor()
    for statement in server.begin:
        cursor.execute(statement % limits if "%(" in statement else statement)
    if server is _MYSQL:
        is_mariadb = "mariadb" in str(connection.get_server_info()).lower()
        cursor.execute(_MYSQL_TIMES[0 if is_mariadb else 1] % limits)
    cursor.close()
    if scheme != "sqlite":
        connection.commit()
