"""What each kind of database server can do and how it is opened, as data: one frozen object per server.

Nothing else in the gate asks for the name of a server.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL, Engine

from sync.errors import MoodleUnavailable


class InsertForm(Enum):
    """How the values of many new rows cost the driver least."""

    PARAMETERS = auto()
    # Columns as arrays.
    ARRAYS = auto()
    # Whole numbers written out.
    NUMBERS = auto()


_CATALOGUE = (
    "SELECT table_name AS in_table, column_name AS in_column FROM information_schema.columns"
    " WHERE table_schema = {schema} AND column_name IN :names"
)


@dataclass(frozen=True)
class Capabilities:
    """What a kind of server can do.

    Shape: label: for people; driver: of SQLAlchemy; account: how it writes the one that is proposed for us, "" = it has none;
    grants, table_grants: statements that give an account what it needs, once and for each table; query: added to the
    address; arguments: of the engine; returns_ids: one INSERT of many rows gives their ids; orders_returned_ids: in the
    order of the rows at no further cost; takes_text_arrays: many texts as one parameter; folds_texts: columns have
    collations under which different texts may be the same; describes_many_tables: one query tells the columns of many
    tables; builds_indexes_within: an index that is added later rebuilds its table; begin: the statement that opens a
    transaction that writes, "" = the first one does; settings: statement that a new connection begins with; idle: in its
    place, where the server is to end idle transactions after so many seconds; columns_query: the tables that have columns of
    these names, and the columns
    """

    label: str
    driver: str
    account: str = ""
    grants: tuple[str, ...] = ()
    table_grants: tuple[str, ...] = ()
    query: Mapping[str, str] = field(default_factory=dict)
    arguments: Mapping[str, Any] = field(default_factory=dict)
    insert_form: InsertForm = InsertForm.PARAMETERS
    returns_ids: bool = False
    orders_returned_ids: bool = False
    takes_text_arrays: bool = False
    folds_texts: bool = False
    describes_many_tables: bool = False
    builds_indexes_within: bool = False
    is_file: bool = False
    begin: str = ""
    settings: str = ""
    idle: str = ""
    columns_query: str = _CATALOGUE.format(schema="DATABASE()")


_NETWORK_ARGS = {"connect_timeout": 10}
_NETWORK = MappingProxyType(
    {
        "pool_pre_ping": True,
        "isolation_level": "READ COMMITTED",
        "connect_args": _NETWORK_ARGS,
    }
)
MARIADB = Capabilities(
    label="MariaDB",
    driver="mysqldb",
    account="'toolsync'@'%'",
    grants=("GRANT SELECT ON `{database}`.* TO {account};",),
    table_grants=("GRANT {rights} ON `{database}`.`{table}` TO {account};",),
    query=MappingProxyType({"charset": "utf8mb4"}),
    # A server could ask the driver for files of this machine.
    arguments=MappingProxyType(
        {**_NETWORK, "pool_recycle": 1800, "connect_args": {**_NETWORK_ARGS, "local_infile": 0}}
    ),
    insert_form=InsertForm.NUMBERS,
    returns_ids=True,
    orders_returned_ids=True,
    folds_texts=True,
    builds_indexes_within=True,
    # Moodle's own connections are strict as well: a value that doesn't fit is refused, not cut.
    settings="SET SESSION sql_mode='STRICT_ALL_TABLES'",
    # MySQL has no such setting, and takes it for a comment.
    idle="SET SESSION sql_mode='STRICT_ALL_TABLES' /*M!100300 , idle_transaction_timeout={seconds} */",
)
MYSQL = replace(MARIADB, label="MySQL", returns_ids=False)
POSTGRESQL = Capabilities(
    label="PostgreSQL",
    driver="psycopg",
    account="toolsync",
    grants=(
        'GRANT CONNECT ON DATABASE "{database}" TO {account};',
        "GRANT USAGE ON SCHEMA public TO {account};",
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO {account};",
    ),
    table_grants=(
        "GRANT {rights} ON {table} TO {account};",
        "GRANT USAGE, SELECT ON SEQUENCE {table}_id_seq TO {account};",
    ),
    arguments=_NETWORK,
    insert_form=InsertForm.ARRAYS,
    returns_ids=True,
    orders_returned_ids=True,
    takes_text_arrays=True,
    describes_many_tables=True,
    idle="SET idle_in_transaction_session_timeout = '{seconds}s'",
    columns_query=_CATALOGUE.format(schema="CURRENT_SCHEMA()"),
)
SQLITE = Capabilities(
    label="SQLite",
    driver="",
    arguments=MappingProxyType({"connect_args": {"timeout": 30}}),
    returns_ids=True,
    is_file=True,
    # A deferred transaction that reads first can't become a writer once somebody else wrote: take the lock at once.
    begin="BEGIN IMMEDIATE",
    columns_query=(
        "SELECT t.name, c.name FROM sqlite_master t JOIN pragma_table_info(t.name) c"
        " WHERE t.type = 'table' AND c.name IN :names"
    ),
)
# Those that have accounts, by the names that SQLAlchemy has for them.
SERVERS = {"mariadb": MARIADB, "mysql": MYSQL, "postgresql": POSTGRESQL}
_BY_NAME = {**SERVERS, "sqlite": SQLITE}


def capabilities_of(dialect: sa.Dialect) -> Capabilities:
    """Return what a server can do; what only some of its versions can is known once it was connected to."""
    known = _BY_NAME[dialect.name]
    if known.driver == MARIADB.driver:
        known = MARIADB if getattr(dialect, "is_mariadb", False) else MYSQL
    if known.insert_form is InsertForm.ARRAYS:
        return known
    return replace(known, returns_ids=bool(dialect.insert_executemany_returning))


def create_engine(url: URL, idle_seconds: int) -> Engine:
    """Return an engine whose connections are set as the gate needs them.

    Raises: MoodleUnavailable if Moodle runs on no such server, or a file isn't there
    """
    known = _BY_NAME.get(url.get_backend_name())
    if known is None:
        raise MoodleUnavailable("moodle_url_unsupported", backend=url.get_backend_name())
    if known.driver:
        url = url.set(drivername=f"{url.get_backend_name()}+{known.driver}")
    url = url.update_query_dict({name: value for name, value in known.query.items() if name not in url.query})
    if known.is_file and url.database and url.database != ":memory:" and not Path(url.database).exists():
        raise MoodleUnavailable("moodle_unavailable", reason=f"no such file: {url.database}")
    engine = sa.create_engine(url, hide_parameters=True, **known.arguments)
    statement = known.idle.format(seconds=idle_seconds) if known.idle and idle_seconds else known.settings
    if statement:
        sa.event.listen(engine, "connect", partial(_execute, statement))
    if known.begin:
        sa.event.listen(engine, "connect", _leave_transactions_to_us)
    return engine


def _execute(statement: str, driver_connection: Any, _record: Any) -> None:
    with driver_connection.cursor() as cursor:
        cursor.execute(statement)
    driver_connection.commit()


def _leave_transactions_to_us(driver_connection: Any, _record: Any) -> None:
    driver_connection.isolation_level = None
