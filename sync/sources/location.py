"""What an administrator writes to say where files are: paths, lists, wildcards and addresses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple
from urllib.parse import quote, unquote, urlsplit

from sync.columns.words import is_match
from sync.commandfiles.naming import split_path
from sync.errors import SourceError

PORTS = {"http": 80, "https": 443, "ftp": 21, "ftps": 21, "sftp": 22}
DATABASE_PORTS = {"postgresql": 5432, "mysql": 3306, "mariadb": 3306, "sqlite": 0}
LDAP_PORTS = {"ldap": 389, "ldaps": 636}
_USUAL_PORTS = PORTS | DATABASE_PORTS | LDAP_PORTS
# What runs put beside their input; a wildcard must not take it for new input.
_OUTPUTS = ("_tryback_", "-tryback-failed")
# What stands for itself in an address, and what is percent-encoded already.
_SAFE = "/%:@!$&'()*+,;=~"
_SHEET = re.compile(r"(https://docs\.google\.com/spreadsheets/d/[\w-]+)/edit\b(?:.*?[#?&]gid=(\d+))?")
_CONTROL = re.compile(r"[\x00-\x20\x7f]")


class Address(NamedTuple):
    """The address of files on another server. Shape: path: begins with a slash, percent-encoded; query: a secret as well."""

    scheme: str
    host: str
    port: int
    path: str
    query: str = ""
    username: str = ""
    password: str = ""

    @property
    def shown(self) -> str:
        """The address without anything secret."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _USUAL_PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.path}"

    @property
    def server(self) -> tuple[str, str, int]:
        """What secrets are entrusted to."""
        return self.scheme, self.host, self.port

    @property
    def folder(self) -> str:
        return unquote(self.path).rpartition("/")[0] + "/"

    @property
    def name(self) -> str:
        return unquote(self.path).rpartition("/")[2]


def parse_address(text: str) -> Address:
    """Take an address apart. Raises: SourceError if it isn't one that files can be fetched from."""
    text = text.strip()
    try:
        parts = urlsplit(text)
        scheme, host = parts.scheme.lower(), (parts.hostname or "").encode("idna").decode().lower()
        port = parts.port
    except ValueError:
        raise SourceError("address_unreadable") from None
    if scheme not in PORTS:
        raise SourceError("address_scheme", scheme=scheme or "?", schemes=", ".join(PORTS))
    if not host or _CONTROL.search(unquote(parts.path).replace(" ", "")) or _CONTROL.search(host):
        raise SourceError("address_unreadable")
    path = quote(parts.path or "/", safe=_SAFE)
    address = Address(
        scheme, host, PORTS[scheme] if port is None else port, path, quote(parts.query, safe=_SAFE + "?"),
        unquote(parts.username or ""), unquote(parts.password or ""),
    )  # fmt: skip
    if "*" in unquote(address.folder):
        raise SourceError("wildcard_in_folder")
    if scheme in ("http", "https"):
        if "*" in address.name:
            raise SourceError("address_wildcard")
    elif not address.name:
        raise SourceError("address_without_file")
    return address


def table_address(text: str) -> str:
    """Return the address of the CSV of a Google Sheet for the one that a browser shows; others as they are.

    Source: Google's export of a sheet, /export?format=csv&gid=…
    """
    found = _SHEET.match(text.strip())
    return f"{found[1]}/export?format=csv&gid={found[2] or 0}" if found else text


def parse_server(text: str, ports: Mapping[str, int]) -> Address:
    """Take the address of a server apart that rows are asked of. Shape: ports: scheme -> the usual port. Raises: SourceError"""
    try:
        parts = urlsplit(text.strip())
        scheme, host = parts.scheme.lower(), (parts.hostname or "").encode("idna").decode().lower()
        port = parts.port
    except ValueError:
        raise SourceError("server_unreadable", schemes=", ".join(ports)) from None
    if scheme not in ports:
        raise SourceError("address_scheme", scheme=scheme or "?", schemes=", ".join(ports))
    path = unquote(parts.path)
    is_file = scheme == "sqlite"
    if _CONTROL.search(path.replace(" ", "")) or _CONTROL.search(host) or bool(host) == is_file:
        raise SourceError("server_unreadable", schemes=", ".join(ports))
    if is_file and (not path.startswith("//") or ".." in path.split("/")):
        raise SourceError("server_unreadable", schemes=", ".join(ports))
    return Address(
        scheme, host, ports[scheme] if port is None else port, quote(parts.path or "/", safe=_SAFE),
        quote(parts.query, safe=_SAFE), unquote(parts.username or ""), unquote(parts.password or ""),
    )  # fmt: skip


def is_wildcard(item: str) -> bool:
    """Whether it stands for several files."""
    return "*" in item


def items_of(location: str) -> list[str]:
    """Return the items of a list: "a.csv, in/b_*.csv" -> ["a.csv", "in/b_*.csv"]."""
    return [item for item in (part.strip() for part in location.split(",")) if item]


def check_paths(location: str) -> None:
    """Look whether a list of paths and wildcards can be one. Raises: SourceError."""
    for item in items_of(location):
        folder, name = split_path(item)
        if "*" in folder:
            raise SourceError("wildcard_in_folder")
        if not name or ".." in folder.split("/"):
            raise SourceError("path_unreadable", path=item)


def matching(names: Iterable[str], item: str) -> list[str]:
    """Return the names that the last part of an item stands for; those of a wildcard in ascending order."""
    _folder, wanted = split_path(item)
    if not is_wildcard(wanted):
        return [name for name in names if name == wanted]
    return sorted(
        name for name in names if is_match(name, wanted) and not any(output in name for output in _OUTPUTS)
    )  # fmt: skip
