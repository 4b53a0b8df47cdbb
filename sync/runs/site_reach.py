"""Where a Moodle may lie that somebody sets up on a page: not on every server and in every folder that a worker could reach.

A database server on a private address is named by the operator, or is the one of the site `main`. A name that isn't named is
resolved once, and the very address that was checked is connected to (see sync/sources/guard.py).
"""

from __future__ import annotations

import socket
from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from sync.errors import MoodleNotAllowed, MoodleUnavailable
from sync.runs.options import main_connection, site_rules
from sync.sources.guard import is_public

PORTS = {"mysql": 3306, "mariadb": 3306, "postgresql": 5432}
# Connected to in place of the name, which stays for the certificate of the server.
_ADDRESS_BESIDE_NAME = {"postgresql": "hostaddr"}
_FILE = "sqlite"


def reachable(address: str) -> str:
    """Return the address to connect to, of a database that was set on a page.

    Raises: MoodleNotAllowed if it leads where pages may not lead; MoodleUnavailable if its server has no address
    """
    url = _read(address)
    if url.get_backend_name() == _FILE:
        allowed_folder(url.database or "")
        return address
    host, port = (url.host or "").lower(), url.port or PORTS.get(url.get_backend_name(), 0)
    if not site_rules().hosts.isdisjoint((host, f"{host}:{port}")) or (host, port) == _main_server():
        return address
    found = _checked_address(host, port)
    beside = _ADDRESS_BESIDE_NAME.get(url.get_backend_name())
    url = url.update_query_dict({beside: found}) if beside else url.set(host=found)
    return url.render_as_string(hide_password=False)


def allowed_folder(place: str) -> str:
    """Return a path that was chosen on a page, "" = none. Raises: MoodleNotAllowed if it lies where pages may not choose"""
    if not place:
        return ""
    path = Path(place)
    folders = [folder.resolve() for folder in site_rules().folders]
    if not path.is_absolute() or not any(path.resolve().is_relative_to(folder) for folder in folders):
        raise MoodleNotAllowed("moodle_folder_outside", path=place)
    return place


def _checked_address(host: str, port: int) -> str:
    """Return a public address of a server. Raises: MoodleNotAllowed, MoodleUnavailable"""
    if not host or host.startswith("/"):
        raise MoodleNotAllowed("moodle_server_private", host=host or "localhost")
    try:
        found = [str(target[0]) for *_how, target in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError) as error:
        raise MoodleUnavailable("moodle_unavailable", reason=f"{host}: {error}") from None
    if not found or not all(map(is_public, found)):
        raise MoodleNotAllowed("moodle_server_private", host=host)
    return found[0]


def _main_server() -> tuple[str, int] | None:
    """Return host and port of the database of the site `main`, which the operator has named."""
    try:
        url = make_url(main_connection().url)
    except ArgumentError:
        return None
    return ((url.host or "").lower(), url.port or PORTS.get(url.get_backend_name(), 0)) if url.host else None


def _read(address: str) -> URL:
    try:
        return make_url(address)
    except ArgumentError:
        raise MoodleUnavailable("moodle_url_invalid") from None
