"""What somebody chooses of a site's connection, and the connection that it makes. The secrets among it are never given back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy.engine import URL, make_url

from sync.errors import SiteRefused
from sync.models import MoodleSite
from sync.moodle.db.database import MoodleConnection, data_place
from sync.runs.connections import command_of, connection_of
from sync.runs.options import operator_permits, site_rules
from sync.runs.site_reach import PORTS, allowed_folder

FILE = "sqlite"
# How a connection is asked to be encrypted, by kind of server.
_ENCRYPTED = {
    "mariadb": {"ssl_mode": "REQUIRED"},
    "mysql": {"ssl_mode": "REQUIRED"},
    "postgresql": {"sslmode": "require"},
}


class Server(NamedTuple):
    """For whom a password was given. Shape: host: "" = a file"""

    kind: str
    host: str
    port: int
    username: str


@dataclass(frozen=True)
class ConnectionChoice:
    """A connection as somebody has chosen it on a page.

    Shape: kind: of PORTS or `sqlite`; port: None = the usual one; database: name, or path of the file; password, peppers: ""
    and () = those that are kept, as long as the server is the same; command: name of a command line of the operator, "" = none;
    data_folder, time_zone: "" = none
    """

    kind: str
    host: str = ""
    port: int | None = None
    database: str = ""
    username: str = ""
    password: str = field(default="", repr=False)
    is_encrypted: bool = False
    prefix: str = "mdl_"
    data_folder: str = ""
    command: str = ""
    time_zone: str = ""
    operator: str = "admin"
    peppers: tuple[str, ...] = field(default=(), repr=False)

    @property
    def server(self) -> Server:
        """Return for whom the password is."""
        if self.kind == FILE:
            return Server(FILE, "", 0, "")
        return Server(self.kind, self.host.lower(), self.port or PORTS[self.kind], self.username)


def choice_of(site: MoodleSite) -> ConnectionChoice:
    """Return what was chosen for a site, without its secrets. Raises: MoodleError if its connection can't be decrypted"""
    connection = connection_of(site)
    url = make_url(connection.url)
    kind = url.get_backend_name()
    return ConnectionChoice(
        kind="mariadb" if kind == "mysql" else kind,
        host=url.host or "",
        port=None if url.port == PORTS.get(kind) else url.port,
        database=url.database or "",
        username=url.username or "",
        is_encrypted=bool(_ENCRYPTED.get(kind, {}).keys() & url.query.keys()),
        prefix=connection.prefix,
        data_folder=str(connection.dataroot or ""),
        command=command_of(site),
        time_zone=connection.time_zone,
        operator=connection.operator,
    )


def connection_from(choice: ConnectionChoice, kept: MoodleConnection | None) -> MoodleConnection:
    """Return the connection that a choice makes.

    Shape: kept: the one of before, whose secrets stay as long as they go to the same server: whoever may set an address must not
    get to see a password by sending it home
    Raises: SiteRefused, MoodleNotAllowed
    """
    password, peppers = choice.password, choice.peppers
    if kept is not None and _server_of(kept) == choice.server:
        password, peppers = password or make_url(kept.url).password or "", peppers or kept.peppers
    if choice.command and choice.command not in site_rules().commands:
        raise SiteRefused("site_command_unknown", name=choice.command)
    if choice.kind == FILE:
        url = URL.create(FILE, database=choice.database)
    else:
        url = URL.create(
            choice.kind,
            username=choice.username,
            password=password or None,
            host=choice.host,
            port=choice.port or PORTS[choice.kind],
            database=choice.database,
            query=_ENCRYPTED[choice.kind] if choice.is_encrypted else {},
        )
    return MoodleConnection(
        url=url.render_as_string(hide_password=False),
        prefix=choice.prefix,
        **data_place(allowed_folder(choice.data_folder)),
        operator=choice.operator,
        peppers=peppers,
        command_line=site_rules().commands.get(choice.command, ()),
        time_zone=choice.time_zone,
        is_guarded=True,
        **operator_permits(),
    )


def place_of(connection: MoodleConnection) -> tuple[str, int, str, str]:
    """Return what tells one database from another: host, port, name and prefix. Shape: of a file host "" and port 0"""
    url = make_url(connection.url)
    kind = url.get_backend_name()
    return (url.host or "").lower(), url.port or PORTS.get(kind, 0), url.database or "", connection.prefix


def _server_of(connection: MoodleConnection) -> Server:
    url = make_url(connection.url)
    kind = url.get_backend_name()
    if kind == FILE:
        return Server(FILE, "", 0, "")
    return Server(
        "mariadb" if kind == "mysql" else kind, (url.host or "").lower(), url.port or PORTS[kind], url.username or ""
    )
